//! The cost of a payload on its way: scan, merge, split and edit of 1,000 log records, 298 KB.

use std::hint::black_box;

use bytes::Bytes;
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::common::v1::{
    AnyValue, InstrumentationScope, KeyValue, any_value::Value,
};
use opentelemetry_proto::tonic::logs::v1::{LogRecord, ResourceLogs, ScopeLogs};
use opentelemetry_proto::tonic::resource::v1::Resource;
use prost::Message as _;
use wire::edit::{self, Level};
use wire::view::AnyValue as Viewed;
use wire::{Payload, Signal};

fn text(value: impl Into<String>) -> Option<AnyValue> {
    Some(AnyValue { value: Some(Value::StringValue(value.into())) })
}

fn attribute(key: &str, value: impl Into<String>) -> KeyValue {
    KeyValue { key: key.into(), value: text(value), ..Default::default() }
}

fn log_record(at: u64) -> LogRecord {
    let status = AnyValue { value: Some(Value::IntValue(200)) };
    LogRecord {
        time_unix_nano: 1_700_000_000_000_000_000 + at,
        observed_time_unix_nano: 1_700_000_000_100_000_000 + at,
        severity_number: 9,
        severity_text: "INFO".into(),
        body: text(format!(
            "request {at:06} for /api/v1/orders was answered in 12 ms, 3 rows read"
        )),
        attributes: vec![
            attribute("http.request.method", "GET"),
            attribute("url.path", format!("/api/v1/orders/{at:06}")),
            attribute("client.address", "10.11.12.13"),
            KeyValue {
                key: "http.response.status_code".into(),
                value: Some(status),
                ..Default::default()
            },
        ],
        trace_id: (0..16).map(|byte| (at as u8).wrapping_add(byte)).collect(),
        span_id: (0..8).map(|byte| (at as u8).wrapping_mul(byte)).collect(),
        flags: 1,
        ..Default::default()
    }
}

fn encoded(records: u64) -> Bytes {
    let scope = InstrumentationScope { name: "orders".into(), ..Default::default() };
    let scope_logs = ScopeLogs {
        scope: Some(scope),
        log_records: (0..records).map(log_record).collect(),
        schema_url: String::new(),
    };
    let attributes =
        vec![attribute("service.name", "orders"), attribute("host.name", "node-17.example")];
    let resource = Resource { attributes, ..Default::default() };
    let resource_logs = ResourceLogs {
        resource: Some(resource),
        scope_logs: vec![scope_logs],
        schema_url: String::new(),
    };
    ExportLogsServiceRequest { resource_logs: vec![resource_logs] }.encode_to_vec().into()
}

fn parsed(records: u64) -> Payload {
    Payload::parse(Signal::Logs, encoded(records)).expect("the library encodes valid requests")
}

fn scan(criterion: &mut Criterion) {
    let request = encoded(1000);
    let mut group = criterion.benchmark_group("scan");
    group.throughput(Throughput::Bytes(request.len() as u64));
    group.bench_function("1000 logs", |bencher| {
        bencher.iter(|| Payload::parse(Signal::Logs, black_box(request.clone())));
    });
    group.bench_function("1000 logs decoded by prost", |bencher| {
        bencher.iter(|| ExportLogsServiceRequest::decode(black_box(request.clone())));
    });
    group.finish();
}

fn merge(criterion: &mut Criterion) {
    let parts: Vec<Payload> = (0..10).map(|_| parsed(100)).collect();
    let small: Vec<Payload> = (0..1000).map(|_| parsed(1)).collect();
    criterion.bench_function("merge/10 x 100 logs", |bencher| {
        bencher.iter_batched(|| parts.clone(), Payload::merge, BatchSize::SmallInput);
    });
    criterion.bench_function("merge/1000 x 1 log", |bencher| {
        bencher.iter_batched(|| small.clone(), Payload::merge, BatchSize::SmallInput);
    });
}

fn split(criterion: &mut Criterion) {
    let payload = parsed(1000);
    criterion.bench_function("split/1000 logs in 2", |bencher| {
        bencher.iter(|| black_box(&payload).split_by_items(500));
    });
    criterion.bench_function("split/1000 logs in 10", |bencher| {
        bencher.iter(|| black_box(&payload).split_by_items(100));
    });
    criterion.bench_function("split/1000 logs by bytes", |bencher| {
        bencher.iter(|| black_box(&payload).cuts_by_bytes(100_000));
    });
}

fn edits(criterion: &mut Criterion) {
    let payload = parsed(1000);
    criterion.bench_function("edit/insert into the resource", |bencher| {
        bencher.iter(|| {
            edit::attributes(black_box(&payload), Level::Resource, |_, list| {
                list.upsert("environment", &Viewed::Text("production"));
            })
        });
    });
    criterion.bench_function("edit/insert into 1000 logs", |bencher| {
        bencher.iter(|| {
            edit::attributes(black_box(&payload), Level::Item, |_, list| {
                list.upsert("environment", &Viewed::Text("production"));
            })
        });
    });
    criterion.bench_function("edit/look up in 1000 logs, change none", |bencher| {
        bencher.iter(|| {
            edit::attributes(black_box(&payload), Level::Item, |_, list| {
                list.remove("absent");
            })
        });
    });
    criterion.bench_function("edit/filter every other of 1000 logs", |bencher| {
        let mut keep = false;
        bencher.iter(|| {
            edit::retain_items(black_box(&payload), |_| {
                keep = !keep;
                keep
            })
        });
    });
}

criterion_group!(benches, scan, merge, split, edits);
criterion_main!(benches);
