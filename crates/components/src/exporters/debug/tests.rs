use std::io::{self, Write};
use std::sync::{Arc, Mutex};
use std::time::{Duration, UNIX_EPOCH};

use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::common::v1::InstrumentationScope;
use opentelemetry_proto::tonic::metrics::v1::{
    Histogram, HistogramDataPoint, Metric, ResourceMetrics, ScopeMetrics, metric::Data,
};
use opentelemetry_proto::tonic::resource::v1::Resource;
use pipeline::{Answer, Blueprint};
use runtime::clock::Clock;
use wire::Signal;

use super::FACTORY;
use super::config::Verbosity;
use super::exporter::Console;
use super::sampler::Sampler;
use super::text::Text;
use crate::calendar::rfc3339;
use crate::testing::{
    Request, attribute, check_config, deliver, environment, logs_of, parse, payload,
};

/// Keeps what is written.
#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<u8>>>);

impl Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What is written about `request`, without its time.
fn written<R: Request>(request: &R, verbosity: Verbosity) -> String {
    let kept = Kept::default();
    let console = Console::new("debug/2".to_owned(), verbosity, vec![Box::new(kept.clone())]);
    console.write(&payload(request), Clock).unwrap();
    let text = String::from_utf8(kept.0.lock().unwrap().clone()).unwrap();
    text.split_once(' ').unwrap().1.to_owned()
}

fn logs() -> ExportLogsServiceRequest {
    let mut request = logs_of(&["started", "two\nlines"]);
    let group = &mut request.resource_logs[0];
    let attributes = vec![attribute("service.name", "shop")];
    group.resource = Some(Resource { attributes, ..Resource::default() });
    let scope = &mut group.scope_logs[0];
    scope.scope = Some(InstrumentationScope { name: "lib".to_owned(), ..Default::default() });
    let record = &mut scope.log_records[0];
    record.time_unix_nano = 1_500_000_000_000_000_001;
    record.severity_number = 9;
    record.severity_text = "INFO".to_owned();
    record.trace_id = vec![0xab; 16];
    record.attributes = vec![attribute("a", "1")];
    request
}

#[test]
fn configuration_is_checked() {
    for (yaml, expected) in [
        ("", &[][..]),
        ("verbosity: detailed", &[]),
        ("{verbosity: normal, sampling_initial: 5, sampling_thereafter: 200}", &[]),
        ("{use_internal_logger: false, output_paths: [stdout, /tmp/x]}", &[]),
        ("verbosity: loud", &["verbosity"]),
        ("{use_internal_logger: false, output_paths: []}", &["there must be an output"]),
        ("loglevel: debug", &["loglevel"]),
    ] {
        check_config(&FACTORY, yaml, expected);
    }
}

#[test]
fn basic_writes_one_line_for_a_request() {
    assert_eq!(written(&logs(), Verbosity::Basic), "debug/2 logs resources=1 log_records=2\n");
}

#[test]
fn normal_writes_a_line_for_each_item() {
    let expected = r#"debug/2 logs resources=1 log_records=2
  resource service.name="shop"
    scope lib
      INFO "started" a="1"
       "two\nlines"
"#;
    assert_eq!(written(&logs(), Verbosity::Normal), expected);
}

#[test]
fn detailed_writes_every_field() {
    let expected = r#"debug/2 logs resources=1 log_records=2
  resource_logs #0
    resource
      attributes
        service.name: "shop"
    scope_logs #0
      scope
        name: "lib"
      log_records #0
        time_unix_nano: 2017-07-14T02:40:00.000000001Z
        severity_number: SEVERITY_NUMBER_INFO
        severity_text: "INFO"
        body: "started"
        attributes
          a: "1"
        trace_id: abababababababababababababababab
      log_records #1
        body: "two\nlines"
"#;
    assert_eq!(written(&logs(), Verbosity::Detailed), expected);
}

#[test]
fn metrics_are_written_point_by_point() {
    let point = HistogramDataPoint {
        count: 3,
        sum: Some(1.5),
        bucket_counts: vec![1, 2],
        explicit_bounds: vec![0.5],
        attributes: vec![attribute("host", "a")],
        ..HistogramDataPoint::default()
    };
    let histogram = Histogram { data_points: vec![point], aggregation_temporality: 2 };
    let metric = Metric {
        name: "m".to_owned(),
        data: Some(Data::Histogram(histogram)),
        ..Metric::default()
    };
    let scope_metrics = vec![ScopeMetrics { metrics: vec![metric], ..ScopeMetrics::default() }];
    let resource_metrics = vec![ResourceMetrics { scope_metrics, ..ResourceMetrics::default() }];
    let request = ExportMetricsServiceRequest { resource_metrics };
    let normal = written(&request, Verbosity::Normal);
    assert!(normal.starts_with("debug/2 metrics resources=1 metrics=1 metric_points=1\n"));
    assert!(normal.ends_with("      m histogram count=3 sum=1.5 host=\"a\"\n"), "{normal}");
    let detailed = written(&request, Verbosity::Detailed);
    assert!(detailed.contains("bucket_counts: [1, 2]\n"), "{detailed}");
    assert!(detailed.contains("AGGREGATION_TEMPORALITY_CUMULATIVE"), "{detailed}");
}

#[test]
fn unknown_fields_are_counted_not_hidden() {
    let unknown = [0xfa, 0x3e, 2, 1, 2];
    let text = Text { id: "debug", signal: Signal::Logs, request: &unknown, items: 0 };
    let mut out = Vec::new();
    text.items(&mut out, Verbosity::Detailed).unwrap();
    assert_eq!(out, b"  unknown field 1007: 5 bytes\n");
}

#[test]
fn times_are_civil() {
    for (nanos, expected) in [
        (0, "1970-01-01T00:00:00.000000000Z"),
        (951_782_400_000_000_000, "2000-02-29T00:00:00.000000000Z"),
        (1_709_251_199_999_999_999, "2024-02-29T23:59:59.999999999Z"),
        (1_735_689_600_000_000_000, "2025-01-01T00:00:00.000000000Z"),
        (u64::MAX, "2554-07-21T23:34:33.709551615Z"),
    ] {
        assert_eq!(rfc3339(nanos), expected);
    }
    assert!(UNIX_EPOCH < Clock.wall());
}

#[test]
fn sampler_takes_the_first_and_every_nth_of_a_second() {
    let start = Clock.now();
    let mut sampler = Sampler::new(2, 3);
    let taken: Vec<usize> = (1..=9).filter(|_| sampler.takes(start)).collect();
    assert_eq!(taken, [1, 2, 5, 8]);
    assert!(sampler.takes(start + Duration::from_secs(1)));
    let mut never_after = Sampler::new(0, 0);
    assert!((0..100).all(|_| !never_after.takes(start)));
}

#[tokio::test]
async fn answers_after_the_text_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out.txt");
    let yaml = format!("{{use_internal_logger: false, output_paths: ['{}']}}", path.display());
    let Ok(Blueprint::Exporter(blueprint)) = parse(&FACTORY, &yaml) else { panic!("{yaml}") };
    let built = blueprint.build(environment("debug", None)).unwrap();
    let answer = deliver(built.consumer.as_ref(), payload(&logs())).await;
    assert_eq!(answer, Answer::Delivered { rejected: 0, warning: None });
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.ends_with(" debug logs resources=1 log_records=2\n"), "{text}");
}

/// Fails like a pipe whose reader is gone.
struct Broken;

impl Write for Broken {
    fn write(&mut self, _bytes: &[u8]) -> io::Result<usize> {
        Err(io::ErrorKind::BrokenPipe.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn broken_output_is_an_error() {
    let console = Console::new("debug".to_owned(), Verbosity::Basic, vec![Box::new(Broken)]);
    let error = console.write(&payload(&logs()), Clock).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::BrokenPipe);
    let verdict = super::exporter::verdict_of(&error);
    assert!(matches!(verdict, pipeline::Verdict::Refused(_)));
}
