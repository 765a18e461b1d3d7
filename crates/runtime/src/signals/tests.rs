use std::process::Command;

use super::{Signal, Signals};

fn send(signal: &str) {
    let pid = std::process::id().to_string();
    assert!(Command::new("kill").args([signal, &pid]).status().unwrap().success());
}

#[tokio::test]
async fn tells_reload_from_termination() {
    let mut signals = Signals::listen().unwrap();
    for (name, expected) in [
        ("-HUP", Signal::Reload),
        ("-TERM", Signal::Terminate),
        ("-INT", Signal::Terminate),
        ("-HUP", Signal::Reload),
    ] {
        send(name);
        assert_eq!(expected, signals.next().await, "{name}");
    }
}
