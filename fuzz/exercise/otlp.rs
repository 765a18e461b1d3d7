//! What must hold for every input of the OTLP targets; fuzzers and the corpus test share it.
//!
//! The first byte of an input chooses the signal, the rest is the request.

use bytes::Bytes;
use wire::edit::{self, Level};
use wire::view::{AnyValue, View};
use wire::{Payload, Signal};

/// The signal and the request of an input.
pub(crate) fn request(input: &[u8]) -> Option<(Signal, Bytes)> {
    let (first, request) = input.split_first()?;
    Some((Signal::ALL[usize::from(first % 4)], Bytes::copy_from_slice(request)))
}

fn payload(input: &[u8]) -> Option<Payload> {
    let (signal, request) = request(input)?;
    Payload::parse(signal, request).ok()
}

/// Parsing refuses or accepts; what is accepted can be looked through to the end.
pub(crate) fn parse(input: &[u8]) {
    let Some((signal, request)) = request(input) else { return };
    match Payload::parse(signal, request.clone()) {
        Ok(payload) => {
            assert_eq!(payload.to_bytes(), request);
            assert_eq!(items_seen(&payload.view(), signal), payload.items());
        }
        Err(malformed) => assert!(malformed.offset <= request.len()),
    }
}

fn items_seen(view: &View, signal: Signal) -> usize {
    let mut seen = 0;
    for resource in view.resources() {
        read(resource.attributes());
        for scope in resource.scopes() {
            read(scope.attributes());
            seen += match signal {
                Signal::Logs => {
                    scope.log_records().inspect(|found| read(found.attributes())).count()
                }
                Signal::Traces => scope.spans().inspect(|found| read(found.attributes())).count(),
                Signal::Metrics => {
                    let points = scope.metrics().flat_map(wire::view::Metric::points);
                    points.inspect(|found| read(found.attributes())).count()
                }
                Signal::Profiles => scope.profiles().flat_map(wire::view::Profile::samples).count(),
            };
        }
    }
    seen
}

fn read(attributes: wire::view::Attributes<'_>) {
    for attribute in attributes {
        let key_len = attribute.key().len();
        let printed = attribute.value().to_string();
        std::hint::black_box((key_len, printed));
    }
}

/// Pieces add up, keep to their limits, and can be put together and taken apart again.
pub(crate) fn cut_merge(input: &[u8]) {
    let Some(payload) = payload(input) else { return };
    let step = 1 + usize::from(input[0] >> 2) % 7;
    let pieces = payload.split_by_items(step);
    assert!(pieces.iter().all(|piece| piece.items() <= step));
    let merged = Payload::merge(pieces).expect("there is at least one piece");
    assert_eq!(merged.items(), payload.items());
    check(&merged);
    let bytes_max = 16 << (input[0] >> 4);
    let cuts = merged.cuts_by_bytes(bytes_max);
    let pieces = merged.cut(&cuts);
    for (piece, range) in pieces.iter().zip(&cuts) {
        assert_eq!(piece.items(), range.len());
        assert!(piece.bytes_len() <= bytes_max || range.len() <= 1);
        check(piece);
    }
    assert_eq!(pieces.iter().map(Payload::items).sum::<usize>(), payload.items());
}

/// Edits keep the count and what they do not touch.
pub(crate) fn edit(input: &[u8]) {
    let Some(payload) = payload(input) else { return };
    for level in [Level::Resource, Level::Scope, Level::Item] {
        let changed = edit::attributes(&payload, level, |_, list| {
            let first = list.iter().next().map(|found| found.key().to_owned());
            list.upsert("fuzzed", &AnyValue::Text("yes"));
            if let Some(first) = first.filter(|first| first != "fuzzed") {
                assert!(list.remove(&first));
            }
        });
        assert_eq!(changed.items(), payload.items());
        check(&changed);
        let again = edit::attributes(&changed, level, |_, list| {
            assert_eq!(list.get("fuzzed").and_then(|found| found.as_text()), Some("yes"));
        });
        assert_eq!(again.to_bytes(), changed.to_bytes());
    }
    let mut keep = input[0] & 8 == 0;
    let (kept, ranges) = edit::retain_items(&payload, |_| {
        keep = !keep;
        keep
    });
    assert_eq!(ranges.iter().map(ExactSizeIterator::len).sum::<usize>(), kept.items());
    check(&kept);
    check(&edit::retain_span_events(&payload, |_, event| event.name().is_empty()));
}

/// What was made is as well-formed as what was read.
fn check(payload: &Payload) {
    let again = Payload::parse(payload.signal(), payload.to_bytes());
    assert_eq!(again.map(|again| again.items()), Ok(payload.items()));
}
