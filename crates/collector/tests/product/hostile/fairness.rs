//! Fairness: requests that share a connection, or a slow back end, do not starve each other, and
//! what a client took back does not arrive.

use std::time::Duration;

use futures_util::future::join_all;
use runtime::clock::Clock;
use serde_json::Value;

use super::client::{self, EXPORT_LOGS, Grpc, block, large_log, message_frame, one_log};
use super::target::{Setup, Target};
use crate::process::{Running, free_port};

const KIB: usize = 1 << 10;

/// A back end on a port of its own, with further arguments.
pub(crate) struct Sink {
    running: Running,
    pub port: u16,
}

impl Sink {
    pub(crate) fn start(arguments: &[&str]) -> Self {
        let port = free_port();
        let address = format!("127.0.0.1:{port}");
        let common = ["sink", "--grpc", &address, "--http", "", "--json"];
        let mut running = Running::start(&[&common, arguments].concat());
        running.wait_for("listening");
        Self { running, port }
    }

    /// Ends it; gives what it counted.
    pub(crate) fn end(self) -> Value {
        self.running.signal("TERM");
        let (status, log, printed) = self.running.end();
        assert!(status.success(), "{log}");
        serde_json::from_str(&printed).unwrap()
    }

    /// The exporter that sends here, one request at a time.
    pub(crate) fn exporter(&self, consumers: usize) -> String {
        format!(
            "otlp: {{endpoint: '127.0.0.1:{}', tls: {{insecure: true}}, sending_queue: \
             {{wait_for_result: true, num_consumers: {consumers}}}}}",
            self.port
        )
    }
}

#[test]
fn a_half_sent_request_does_not_starve_those_behind_it() {
    let target = Target::start();
    block(async {
        let mut grpc = Grpc::connect(target.grpc).await;
        let whole = message_frame(0, &large_log(600 * KIB));
        let (first_part, second_part) = whole.split_at(300 * KIB);
        let (half_sent, mut stream) = grpc.open(EXPORT_LOGS, "identity").await.unwrap();
        stream.send_data(first_part.to_vec().into(), false).unwrap();
        // Together they are larger than the window of the connection.
        let behind = large_log(300 * KIB);
        for _ in 0..4 {
            let rpc = grpc.export(EXPORT_LOGS, "identity", &behind).await;
            assert_eq!(rpc.code, Some(0), "{rpc:?}");
        }
        stream.send_data(second_part.to_vec().into(), true).unwrap();
        let rpc = client::answer(half_sent).await;
        assert_eq!(rpc.code, Some(0), "{rpc:?}");
    });
    target.assert_unharmed();
}

#[test]
fn streams_beyond_the_limit_wait_for_their_turn() {
    let sink = Sink::start(&["--delay", "100"]);
    let target = Target::with(&Setup { exporter: &sink.exporter(200), ..Setup::default() });
    let rpcs = block(async {
        let grpc = Grpc::connect(target.grpc).await;
        let exports = (0..500).map(|_| {
            let mut grpc = grpc.clone();
            async move { grpc.export(EXPORT_LOGS, "identity", &one_log()).await }
        });
        join_all(exports).await
    });
    for rpc in rpcs {
        assert_eq!(rpc.code, Some(0), "{}", rpc.message);
    }
    target.assert_unharmed();
    assert_eq!(sink.end()["items"], 502);
}

#[test]
fn what_its_client_took_back_does_not_arrive() {
    let sink = Sink::start(&["--delay", "1000"]);
    let target = Target::with(&Setup { exporter: &sink.exporter(1), ..Setup::default() });
    block(async {
        let mut grpc = Grpc::connect(target.grpc).await;
        let (mut busy, message) = (grpc.clone(), one_log());
        let first = busy.export(EXPORT_LOGS, "identity", &message);
        // While the first is under way, these wait for the only worker; then their client leaves.
        let leaving = async {
            Clock.sleep(Duration::from_millis(300)).await;
            let behind: Vec<_> = (0..20)
                .map(|_| {
                    let mut grpc = grpc.clone();
                    async move { grpc.export(EXPORT_LOGS, "identity", &one_log()).await }
                })
                .collect();
            let until = Clock.now() + Duration::from_millis(300);
            Clock.by(until, join_all(behind)).await.unwrap_err();
        };
        let (first, ()) = futures_util::future::join(first, leaving).await;
        assert_eq!(first.code, Some(0), "{first:?}");
        let last = grpc.export(EXPORT_LOGS, "identity", &one_log()).await;
        assert_eq!(last.code, Some(0), "{last:?}");
    });
    target.assert_bounded(super::target::BASE_MIB);
    drop(target);
    assert_eq!(sink.end()["items"], 2);
}
