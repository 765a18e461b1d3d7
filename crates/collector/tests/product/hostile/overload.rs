//! Overload: more than the back end takes, for as long as it lasts, and life after it.

use futures_util::future::join_all;

use super::client::{self, EXPORT_LOGS, Grpc, PROTOBUF, block, large_log};
use super::fairness::Sink;
use super::target::{Setup, Target};

const MIB: usize = 1 << 20;
const REQUESTS: usize = 150;

#[test]
fn overload_is_refused_with_a_delay_and_passes() {
    let sink = Sink::start(&["--delay", "300"]);
    let setup = Setup { exporter: &sink.exporter(4), receiver: "timeout: 5s", ..Setup::default() };
    let target = Target::with(&setup);
    let body = large_log(MIB);
    let (rpcs, answers) = std::thread::scope(|scope| {
        let (port, body) = (target.grpc, &body);
        let over_grpc = scope.spawn(move || block(flood(port, body)));
        let over_http: Vec<_> = (0..REQUESTS / 3)
            .map(|_| {
                let port = target.http;
                scope.spawn(move || client::post(port, PROTOBUF, &[], body))
            })
            .collect();
        let answers: Vec<_> = over_http.into_iter().map(|sent| sent.join().unwrap()).collect();
        (over_grpc.join().unwrap(), answers)
    });
    let delivered = rpcs.iter().filter(|rpc| rpc.code == Some(0)).count();
    assert!(0 < delivered && delivered < REQUESTS, "{delivered} were delivered");
    for rpc in rpcs.iter().filter(|rpc| rpc.code != Some(0)) {
        assert!(matches!(rpc.code, Some(8 | 14)) && rpc.has_delay(), "{rpc:?}");
    }
    assert!(answers.iter().any(|answered| answered.status != 200));
    for answered in answers.iter().filter(|answered| answered.status != 200) {
        assert!(matches!(answered.status, 429 | 503) && answered.has_delay(), "{answered:?}");
    }
    target.assert_unharmed();
}

/// All requests at once, over a few connections.
async fn flood(port: u16, body: &[u8]) -> Vec<client::Rpc> {
    let mut connections = Vec::new();
    for _ in 0..5 {
        connections.push(Grpc::connect(port).await);
    }
    let exports = connections.iter().cycle().take(REQUESTS).map(|connection| {
        let mut grpc = connection.clone();
        async move { grpc.export(EXPORT_LOGS, "identity", body).await }
    });
    join_all(exports).await
}
