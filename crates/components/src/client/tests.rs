//! Tests of channels over real sockets, with names that resolve to what the test says.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::future::{BoxFuture, FutureExt};
use http::{Method, Request};
use runtime::clock::Clock;
use runtime::net::{ConnectError, Network};
use runtime::task::Scope;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::dial::Resolve;
use super::testing::{Act, Server};
use super::*;

/// A name with addresses that can be changed.
#[derive(Clone, Default)]
struct Names(Arc<Mutex<Vec<SocketAddr>>>);

impl Names {
    fn of(servers: &[&Server]) -> Self {
        let names = Self::default();
        names.set(servers);
        names
    }

    fn set(&self, servers: &[&Server]) {
        let addresses = servers.iter().map(|server| server.address.parse().unwrap());
        *self.0.lock().unwrap() = addresses.collect();
    }
}

impl Resolve for Names {
    fn resolve<'a>(
        &'a self,
        host: &'a str,
        _port: u16,
        _deadline: Instant,
    ) -> BoxFuture<'a, Result<Vec<SocketAddr>, ConnectError>> {
        let found = self.0.lock().unwrap().clone();
        let host = host.to_owned();
        async { if found.is_empty() { Err(ConnectError::NoAddress { host }) } else { Ok(found) } }
            .boxed()
    }
}

fn dialer() -> Dialer {
    Dialer {
        network: Network::default(),
        clock: Clock,
        scope: Scope::root("test"),
        host: Host::Name("gate.example".into(), 4317),
        proxy: None,
        tls: None,
        protocol: Protocol::Http2,
        keepalive: None,
    }
}

fn plan(names: Names) -> Plan {
    Plan {
        dialer: dialer(),
        resolver: Arc::new(names),
        policy: Policy::RoundRobin,
        limits: Limits { open_max: usize::MAX, idle_max: usize::MAX, idle_timeout: None },
        is_waiting_for_ready: false,
        is_closing: false,
    }
}

async fn call_for(channel: &Channel, period: Duration) -> Result<Answer, CallError> {
    let uri = "http://gate.example:4317/in";
    let request = Request::builder().method(Method::POST).uri(uri).body(()).unwrap();
    let head = request.into_parts().0;
    let segments = vec![Bytes::from_static(b"one"), Bytes::from_static(b"two")];
    let deadline = Clock.now() + period;
    channel.call(Call { head, segments, deadline, bytes_max: |_| 1 << 20 }).await
}

async fn call(channel: &Channel) -> Result<Answer, CallError> {
    call_for(channel, Duration::from_secs(10)).await
}

/// Waits until the view of `channel` is as wanted.
async fn until(channel: &Channel, wanted: impl Fn(usize) -> bool) {
    let mut view = channel.view.clone();
    while !wanted(view.value().peers.len()) {
        view.changed().await.unwrap();
    }
}

#[tokio::test]
async fn all_addresses_are_used_in_turn() {
    let (one, two) = (Server::grpc([]), Server::grpc([]));
    let channel = Channel::start(plan(Names::of(&[&one, &two])));
    until(&channel, |peers| peers == 2).await;
    for _ in 0..10 {
        call(&channel).await.unwrap();
    }
    assert_eq!((one.seen().len(), two.seen().len()), (5, 5));
    assert_eq!(one.seen()[0].body, "onetwo");
}

#[tokio::test]
async fn pick_first_stays_with_one_address() {
    let (one, two) = (Server::grpc([]), Server::grpc([]));
    let plan = Plan { policy: Policy::PickFirst, ..plan(Names::of(&[&one, &two])) };
    let channel = Channel::start(plan);
    for _ in 0..4 {
        call(&channel).await.unwrap();
    }
    assert_eq!((one.seen().len(), two.connections()), (4, 0));
}

#[tokio::test]
async fn a_replaced_address_gets_no_traffic_and_its_replacement_does() {
    let (one, two, three) = (Server::grpc([]), Server::grpc([]), Server::grpc([]));
    let names = Names::of(&[&one, &two]);
    let channel = Channel::start(plan(names.clone()));
    until(&channel, |peers| peers == 2).await;
    names.set(&[&one, &three]);
    drop(two);
    // The failure makes it resolve again; no request fails meanwhile.
    while three.seen().is_empty() {
        call(&channel).await.unwrap();
    }
    assert!(!one.seen().is_empty());
}

#[tokio::test(start_paused = true)]
async fn new_addresses_are_found_without_a_failure() {
    let (one, two) = (Server::grpc([]), Server::grpc([]));
    let names = Names::of(&[&one]);
    let channel = Channel::start(plan(names.clone()));
    until(&channel, |peers| peers == 1).await;
    names.set(&[&one, &two]);
    let started = Clock.now();
    until(&channel, |peers| peers == 2).await;
    let passed = Clock.now() - started;
    assert!(Duration::from_secs(29) < passed && passed < Duration::from_secs(31), "{passed:?}");
}

#[tokio::test]
async fn without_any_address_requests_fail_at_once_or_wait_when_told_to() {
    let names = Names::default();
    let channel = Channel::start(plan(names.clone()));
    let error = call(&channel).await.unwrap_err();
    assert!(!error.is_late() && error.to_string().contains("gate.example"), "{error}");
    let server = Server::grpc([]);
    let waiting = Plan { is_waiting_for_ready: true, ..plan(names.clone()) };
    let channel = Channel::start(waiting);
    let late = call_for(&channel, Duration::from_millis(20)).await.unwrap_err();
    assert!(late.is_late(), "{late}");
    names.set(&[&server]);
    call(&channel).await.unwrap();
}

#[tokio::test]
async fn a_server_that_stops_reading_is_found_dead_by_pings() {
    // It accepts connections in its backlog, but nobody is there to answer.
    let listener = Network::default().listen("127.0.0.1:0").unwrap();
    let names = Names::default();
    names.0.lock().unwrap().push(listener.local_address().unwrap().parse().unwrap());
    let keepalive = Keepalive {
        interval: Duration::from_millis(20),
        timeout: Duration::from_millis(20),
        while_idle: true,
    };
    let dialer = Dialer { keepalive: Some(keepalive), ..dialer() };
    let channel = Channel::start(Plan { dialer, ..plan(names) });
    let error = call(&channel).await.unwrap_err();
    assert!(matches!(&error, CallError::Unknown { is_late: false, .. }), "{error:?}");
}

#[tokio::test]
async fn connections_are_tunnelled_through_a_proxy() {
    let server = Server::grpc([]);
    let listener = Network::default().listen("127.0.0.1:0").unwrap();
    let proxy = listener.local_address().unwrap();
    let backend = server.address.clone();
    let relay = Scope::root("proxy").spawn("relay", async move {
        let mut near = listener.accept(Clock).await;
        let mut asked = Vec::new();
        while !asked.ends_with(b"\r\n\r\n") {
            asked.push(near.read_u8().await.unwrap());
        }
        near.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
        let soon = Clock.now() + Duration::from_secs(5);
        let mut far = Network::default().connect(&backend.parse().unwrap(), soon).await.unwrap();
        tokio::io::copy_bidirectional(&mut near, &mut far).await.ok();
    });
    let names = Names::default();
    names.0.lock().unwrap().push(proxy.parse().unwrap());
    let dialer = Dialer { proxy: Some(Proxy::parse(&proxy).unwrap()), ..dialer() };
    let channel = Channel::start(Plan { dialer, ..plan(names) });
    call(&channel).await.unwrap();
    assert_eq!(server.seen().len(), 1);
    drop(relay);
}

#[tokio::test]
async fn more_requests_than_streams_wait_for_their_turn() {
    let server = Server::grpc_with_streams(2);
    let channel = Channel::start(plan(Names::of(&[&server])));
    let answers = futures_util::future::join_all((0..50).map(|_| call(&channel))).await;
    assert!(answers.iter().all(Result::is_ok));
    assert_eq!((server.seen().len(), server.connections()), (50, 1));
}

#[tokio::test]
async fn idle_connections_are_closed_when_they_are_too_old() {
    let server = Server::http([]);
    let idle_timeout = Some(Duration::ZERO);
    let limits = Limits { open_max: 9, idle_max: 9, idle_timeout };
    let dialer = Dialer { protocol: Protocol::Negotiated, ..dialer() };
    let channel = Channel::start(Plan { dialer, limits, ..plan(Names::of(&[&server])) });
    for _ in 0..3 {
        call(&channel).await.unwrap();
    }
    // One was opened when the address was found.
    assert_eq!(server.connections(), 4);
}

#[tokio::test]
async fn a_closed_channel_refuses_requests_and_leaves_no_task() {
    let server = Server::grpc([]);
    let plan = plan(Names::of(&[&server]));
    let scope = plan.dialer.scope.clone();
    let channel = Channel::start(plan);
    call(&channel).await.unwrap();
    channel.close();
    assert!(call(&channel).await.unwrap_err().to_string().contains("closed"));
    assert!(scope.idle_by(Clock, Clock.now() + Duration::from_secs(5)).await);
}

#[tokio::test]
async fn a_server_that_sends_its_clients_away_is_asked_again_at_once() {
    let server = Server::grpc([Act::GoAway, Act::GoAway, Act::GoAway]);
    let channel = Channel::start(plan(Names::of(&[&server])));
    for _ in 0..3 {
        // Whether the channel sends it again by itself is not the point here.
        call_for(&channel, Duration::from_secs(5)).await.ok();
    }
    let answered = call_for(&channel, Duration::from_secs(5)).await;
    assert!(answered.is_ok(), "{answered:?}");
}
