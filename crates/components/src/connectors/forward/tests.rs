use std::sync::Arc;

use super::FACTORY;
use crate::testing::{Capture, deliver, environment, logs_of, parse, payload};
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
use pipeline::{Answer, Blueprint, Consumer, Outlet, Outlets};
use wire::Signal;

fn forward_logs() -> (Arc<dyn Consumer>, Arc<Capture>) {
    let Ok(Blueprint::Connector(blueprint)) = parse(&FACTORY, "") else { panic!("no connector") };
    let capture = Arc::new(Capture::default());
    let outlets = Outlets::from_iter([(Signal::Logs, Outlet::to(capture.clone()))]);
    let built = blueprint.build(environment("forward", None), outlets).unwrap();
    (built.consumer, capture)
}

#[tokio::test]
async fn passes_on_what_it_gets() {
    let (forward, capture) = forward_logs();
    let sent = logs_of(&["a", "b"]);
    let answer = deliver(forward.as_ref(), payload(&sent)).await;
    assert_eq!(answer, Answer::Delivered { rejected: 0, warning: None });
    assert_eq!(capture.only::<ExportLogsServiceRequest>(), sent);
}

#[tokio::test]
async fn refuses_a_signal_that_nobody_receives() {
    let (forward, capture) = forward_logs();
    let scope_spans = vec![ScopeSpans { spans: vec![Span::default()], ..ScopeSpans::default() }];
    let resource_spans = vec![ResourceSpans { scope_spans, ..ResourceSpans::default() }];
    let spans = payload(&ExportTraceServiceRequest { resource_spans });
    assert!(matches!(deliver(forward.as_ref(), spans).await, Answer::Refused(_)));
    assert!(capture.take().is_empty());
}
