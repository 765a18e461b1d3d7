//! What happens when the process runs out of files. It has a process of its own, as it lowers the
//! limit for all of it.

use std::io::Write;
use std::process::{Command, Stdio};
use std::time::Duration;

use runtime::clock::Clock;
use runtime::net::Network;
use runtime::task::Scope;

#[tokio::test]
async fn accepting_goes_on_once_there_are_files_again() {
    let network = Network::default();
    let listener = network.listen("127.0.0.1:0").unwrap();
    let address = listener.local_address().unwrap();
    // The kernel completes the connection; the client needs no file of ours later.
    let _client = std::net::TcpStream::connect(address).unwrap();

    let own = std::process::id();
    let script = format!(
        "prlimit --pid {own} --nofile=3: && echo && read line && prlimit --pid {own} --nofile=1024:"
    );
    let mut limiter = Command::new("sh");
    limiter.args(["-c", &script]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut limiter = limiter.spawn().unwrap();
    let mut limited = [0];
    std::io::Read::read_exact(limiter.stdout.as_mut().unwrap(), &mut limited).unwrap();

    let scope = Scope::root("test");
    let accepting = std::sync::Arc::clone(&listener);
    let accepted = scope.spawn("accept", async move { accepting.accept(Clock).await });
    while listener.errors() == 0 {
        tokio::task::yield_now().await;
    }
    assert!(!accepted.is_ended());
    limiter.stdin.take().unwrap().write_all(b"\n").unwrap();
    assert!(limiter.wait().unwrap().success());
    let accepted = Clock.by(Clock.now() + Duration::from_secs(10), accepted).await;
    assert_eq!("127.0.0.1", accepted.unwrap().unwrap().peer().host());
    assert_eq!(0, listener.refused());
}
