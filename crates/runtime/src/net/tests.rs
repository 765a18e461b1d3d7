use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::{Address, ConnectError, Listener, Network, Peer, Stream};
use crate::clock::Clock;
use crate::task::Scope;

fn soon() -> Instant {
    Clock.now() + Duration::from_secs(5)
}

fn folder(name: &str) -> std::path::PathBuf {
    let path = std::env::temp_dir().join(format!("runtime-net-{}-{name}", std::process::id()));
    std::fs::create_dir_all(&path).unwrap();
    path
}

/// Both ends of a new connection to `listener`.
async fn connected(network: &Network, listener: &Listener) -> (Stream, Stream) {
    let address: Address = listener.local_address().unwrap().parse().unwrap();
    let (near, far) = tokio::join!(network.connect(&address, soon()), listener.accept(Clock));
    (near.unwrap(), far)
}

async fn check_echo((mut near, mut far): (Stream, Stream)) {
    near.write_all(b"ping").await.unwrap();
    let mut bytes = [0; 4];
    far.read_exact(&mut bytes).await.unwrap();
    far.write_all(&bytes).await.unwrap();
    far.shutdown().await.unwrap();
    let mut answer = Vec::new();
    near.read_to_end(&mut answer).await.unwrap();
    assert_eq!(b"ping", &*answer);
}

#[tokio::test]
async fn carries_bytes_both_ways_over_tcp() {
    let network = Network::default();
    let listener = network.listen("localhost:0").unwrap();
    let ends = connected(&network, &listener).await;
    assert_eq!("127.0.0.1", ends.1.peer().host());
    assert_eq!(listener.local_address().unwrap(), ends.0.peer().to_string());
    check_echo(ends).await;
}

#[tokio::test]
async fn carries_bytes_both_ways_over_a_unix_socket_and_removes_its_file() {
    let (network, path) = (Network::default(), folder("unix").join("socket"));
    let listener = network.listen(&format!("unix://{}", path.display())).unwrap();
    let ends = connected(&network, &listener).await;
    assert_eq!((Peer::Unix, Peer::Unix), (ends.0.peer(), ends.1.peer()));
    check_echo(ends).await;
    drop(listener);
    assert!(!path.exists());
}

#[tokio::test]
async fn all_interfaces_take_both_protocols() {
    let network = Network::default();
    let listener = network.listen(":0").unwrap();
    let port = listener.local_address().unwrap().rsplit_once(':').unwrap().1.to_owned();
    let address: Address = format!("127.0.0.1:{port}").parse().unwrap();
    let (near, far) = tokio::join!(network.connect(&address, soon()), listener.accept(Clock));
    assert_eq!("127.0.0.1", far.peer().host(), "shown as IPv4");
    check_echo((near.unwrap(), far)).await;
}

#[tokio::test]
async fn the_same_address_is_the_same_socket_until_all_have_left() {
    let network = Network::default();
    let first = network.listen("127.0.0.1:0").unwrap();
    let address = first.local_address().unwrap();
    assert!(network.listen(&address).is_err(), "port 0 is nobody else's");
    drop(first);
    let one = network.listen(&address).unwrap();
    let other = network.listen(&address).unwrap();
    assert!(Arc::ptr_eq(&one, &other));
    drop(one);
    check_echo(connected(&network, &other).await).await;
    drop(other);
    network.listen(&address).unwrap();
}

#[tokio::test]
async fn each_listener_on_port_0_has_its_own() {
    let network = Network::default();
    let one = network.listen("127.0.0.1:0").unwrap();
    let other = network.listen("127.0.0.1:0").unwrap();
    assert_ne!(one.local_address().unwrap(), other.local_address().unwrap());
}

#[tokio::test]
async fn replaces_a_stale_unix_socket_but_no_other_file() {
    let (network, folder) = (Network::default(), folder("stale"));
    let stale = folder.join("stale");
    drop(std::os::unix::net::UnixListener::bind(&stale).unwrap());
    assert!(stale.exists());
    let listener = network.listen(&format!("unix:{}", stale.display())).unwrap();
    check_echo(connected(&network, &listener).await).await;

    let error = Network::default().listen(&format!("unix:{}", stale.display())).unwrap_err();
    assert!(error.to_string().contains("another process serves this socket"), "{error}");

    let file = folder.join("file");
    std::fs::write(&file, "precious").unwrap();
    let error = network.listen(&format!("unix:{}", file.display())).unwrap_err();
    assert!(error.to_string().contains("no socket is in the way"), "{error}");
    assert_eq!("precious", std::fs::read_to_string(&file).unwrap());
    std::fs::remove_file(&file).unwrap();
}

#[tokio::test]
async fn closes_connections_beyond_the_limit_at_once() {
    let network = Network::default();
    let listener = network.listen("127.0.0.1:0").unwrap();
    listener.set_connections_max(1);
    let (_near, far) = connected(&network, &listener).await;
    assert_eq!(1, listener.connections());
    let address: Address = listener.local_address().unwrap().parse().unwrap();
    let turned_away = async {
        let mut near = network.connect(&address, soon()).await.unwrap();
        near.read(&mut [0; 1]).await
    };
    let closed = tokio::select! {
        read = turned_away => read,
        _ = listener.accept(Clock) => panic!("accepted beyond the limit"),
    };
    assert!(matches!(closed, Ok(0) | Err(_)), "{closed:?}");
    assert_eq!((1, 1), (listener.connections(), listener.refused()));
    drop(far);
    assert_eq!(0, listener.connections());
    check_echo(connected(&network, &listener).await).await;
}

#[tokio::test]
async fn says_what_could_not_be_reached() {
    let network = Network::default();
    let listener = network.listen("127.0.0.1:0").unwrap();
    let address: Address = listener.local_address().unwrap().parse().unwrap();
    drop(listener);
    let error = network.connect(&address, soon()).await.unwrap_err();
    let expected = format!("cannot connect to {address}: ");
    assert!(error.to_string().starts_with(&expected), "{error}");
    let unix: Address = "unix:/nonexistent/socket".parse().unwrap();
    let error = network.connect(&unix, soon()).await.unwrap_err();
    assert!(error.to_string().starts_with("cannot connect to unix:///nonexistent"), "{error}");
}

#[tokio::test]
async fn literals_need_no_lookup() {
    let network = Network::default();
    let resolved = network.resolve("::1", 1, Clock.now()).await.unwrap();
    assert_eq!("[::1]:1", resolved[0].to_string());
    let resolved = network.resolve("localhost", 1, Clock.now()).await.unwrap();
    assert_eq!("127.0.0.1:1", resolved[0].to_string());
    let bad = network.listen("127.0.0.1").unwrap_err();
    assert!(bad.to_string().contains("has no port"), "{bad}");
}

#[tokio::test]
async fn a_lookup_that_fails_names_the_host() {
    let network = Network::default();
    // A label beyond 63 bytes is refused before anybody is asked.
    let host = "x".repeat(64);
    let error = network.resolve(&host, 1, soon()).await.unwrap_err();
    assert!(matches!(&error, ConnectError::Resolve { host: named, .. } if *named == host));
}

#[tokio::test]
async fn a_component_that_stops_accepting_leaves_connections_to_its_successor() {
    let (network, scope) = (Network::default(), Scope::root("test"));
    let old = network.listen("127.0.0.1:0").unwrap();
    let address = old.local_address().unwrap();
    let taken = Arc::clone(&old);
    let accepting = scope.spawn("old", async move { taken.accept(Clock).await });
    tokio::task::yield_now().await;
    let new = Arc::clone(&old);
    drop((accepting, old));
    let parsed: Address = address.parse().unwrap();
    let near = network.connect(&parsed, soon()).await.unwrap();
    let far = Clock.by(soon(), new.accept(Clock)).await.unwrap();
    check_echo((near, far)).await;
}
