//! The cost of OTLP JSON at the edges: 1,000 log records, 1,000 histogram points, 1,000 samples.

use std::fmt::Write as _;
use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use wire::{Payload, Signal, json};

const ITEMS: usize = 1000;

/// `ITEMS` values in a JSON array.
fn list(write: impl Fn(&mut String, usize)) -> String {
    let mut out = "[".to_owned();
    for at in 0..ITEMS {
        if 0 < at {
            out.push(',');
        }
        write(&mut out, at);
    }
    out.push(']');
    out
}

fn logs() -> String {
    let records = list(|out, at| {
        let attribute = r#"{"key":"url.path","value":{"stringValue":"/api/v1/orders"}}"#;
        write!(
            out,
            r#"{{"timeUnixNano":"1700000000{at:09}","severityNumber":9,"severityText":"INFO","#
        )
        .expect("a string takes everything");
        write!(
            out,
            r#""body":{{"stringValue":"request {at} was \"answered\" in 12 ms, 3 rows read"}},"#
        )
        .expect("a string takes everything");
        write!(
            out,
            r#""attributes":[{attribute},{attribute},{attribute}],"traceId":"{at:032x}","spanId":"{at:016x}"}}"#
        )
        .expect("a string takes everything");
    });
    format!(r#"{{"resourceLogs":[{{"scopeLogs":[{{"logRecords":{records}}}]}}]}}"#)
}

fn metrics() -> String {
    let points = list(|out, at| {
        write!(
            out,
            r#"{{"timeUnixNano":"1700000000{at:09}","count":"{at}","sum":{at}.125,"bucketCounts":["1","2","{at}"],"explicitBounds":[0.5,10.25]}}"#
        )
        .expect("a string takes everything");
    });
    format!(
        r#"{{"resourceMetrics":[{{"scopeMetrics":[{{"metrics":[{{"histogram":{{"dataPoints":{points}}}}}]}}]}}]}}"#
    )
}

fn profiles() -> String {
    let samples = list(|out, at| {
        write!(out, r#"{{"stackIndex":{},"values":["{at}"]}}"#, 1 + at % 99)
            .expect("a string takes everything");
    });
    let stacks = list(|out, at| {
        let indices = if at == 0 { String::new() } else { format!("{},{}", at, at / 2 + 1) };
        write!(out, r#"{{"locationIndices":[{indices}]}}"#).expect("a string takes everything");
    })
    .replacen(r#"{"locationIndices":[]}"#, "{}", 1);
    let locations = list(|out, at| {
        let address = at * 4096;
        write!(out, r#"{{"address":"{address}"}}"#).expect("a string takes everything");
    });
    format!(
        r#"{{"resourceProfiles":[{{"scopeProfiles":[{{"profiles":[{{"samples":{samples}}}]}}]}}],"dictionary":{{"stackTable":{stacks},"locationTable":{locations}}}}}"#
    )
}

fn translate(criterion: &mut Criterion) {
    for (signal, text) in
        [(Signal::Logs, logs()), (Signal::Metrics, metrics()), (Signal::Profiles, profiles())]
    {
        let encoded = json::to_protobuf(signal, text.as_bytes()).expect("the text is valid");
        let payload = Payload::parse(signal, encoded.into()).expect("what was read is valid");
        let mut group = criterion.benchmark_group(format!("json/{signal}"));
        group.throughput(Throughput::Bytes(text.len() as u64));
        group.bench_function("read", |bencher| {
            bencher.iter(|| json::to_protobuf(signal, black_box(text.as_bytes())));
        });
        group.bench_function("write", |bencher| {
            bencher.iter(|| json::from_payload(black_box(&payload)));
        });
        group.finish();
    }
}

/// Profiles are the one signal whose merging and splitting copies.
fn reindex(criterion: &mut Criterion) {
    let encoded = json::to_protobuf(Signal::Profiles, profiles().as_bytes());
    let encoded = encoded.expect("the text is valid");
    let payload = Payload::parse(Signal::Profiles, encoded.into()).expect("what was read is valid");
    let mut group = criterion.benchmark_group("profiles");
    group.throughput(Throughput::Bytes(payload.bytes_len() as u64));
    group.bench_function("merge 2", |bencher| {
        bencher.iter(|| Payload::merge([payload.clone(), payload.clone()]));
    });
    group.bench_function("split in 10", |bencher| {
        bencher.iter(|| payload.split_by_items(ITEMS / 10));
    });
    group.finish();
}

criterion_group!(benches, translate, reindex);
criterion_main!(benches);
