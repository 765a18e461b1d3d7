//! An edit of the bytes is the edit of the decoded structs.

use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value};
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use proptest::prelude::*;
use prost::Message as _;
use wire::edit::{self, AttributeList, Level};
use wire::view;
use wire::{Payload, Signal};

use crate::random::Random;
use crate::requests::{self, Logs, Metrics, Traces};
use crate::scan::{request, signals};

/// A change of an attribute list.
#[derive(Clone, Copy, Debug)]
enum Change {
    None,
    InsertText,
    UpdateFirst,
    UpsertInt,
    RemoveFirst,
    RemoveOdd,
    ReplaceOdd,
}

const CHANGES: [Change; 7] = [
    Change::None,
    Change::InsertText,
    Change::UpdateFirst,
    Change::UpsertInt,
    Change::RemoveFirst,
    Change::RemoveOdd,
    Change::ReplaceOdd,
];

fn change_encoded(change: Change, list: &mut AttributeList<'_>) {
    let first = list.iter().next().map(|attribute| attribute.key().to_owned());
    match (change, first) {
        (Change::InsertText, _) => {
            list.insert("new", &view::AnyValue::Text("größe"));
        }
        (Change::UpdateFirst, Some(key)) => {
            list.update(&key, &view::AnyValue::Double(2.5));
        }
        (Change::UpsertInt, _) => list.upsert("count", &view::AnyValue::Int(-7)),
        (Change::RemoveFirst, Some(key)) => {
            list.remove(&key);
        }
        (Change::RemoveOdd, _) => {
            list.retain(|attribute| attribute.key().len() % 2 == 0);
        }
        (Change::ReplaceOdd, _) => list.replace_values(|attribute| {
            let is_meant = attribute.key().len() % 2 == 1;
            is_meant.then(|| view::AnyValue::Bool(true).detached())
        }),
        _ => {}
    }
}

fn change_decoded(change: Change, list: &mut Vec<KeyValue>) {
    let value = |value| Some(AnyValue { value: Some(value) });
    match change {
        Change::InsertText => list.push(KeyValue {
            key: "new".into(),
            value: value(any_value::Value::StringValue("größe".into())),
            ..Default::default()
        }),
        Change::UpdateFirst => {
            if let Some(first) = list.first_mut() {
                first.value = value(any_value::Value::DoubleValue(2.5));
            }
        }
        Change::UpsertInt => list.push(KeyValue {
            key: "count".into(),
            value: value(any_value::Value::IntValue(-7)),
            ..Default::default()
        }),
        Change::RemoveFirst if !list.is_empty() => drop(list.remove(0)),
        Change::RemoveOdd => list.retain(|attribute| attribute.key.len() % 2 == 0),
        Change::ReplaceOdd => {
            for odd in list.iter_mut().filter(|attribute| attribute.key.len() % 2 == 1) {
                *odd = KeyValue {
                    key: odd.key.clone(),
                    value: value(any_value::Value::BoolValue(true)),
                    ..Default::default()
                };
            }
        }
        _ => {}
    }
}

/// Changes the lists of one level of structs that all name their parts alike.
macro_rules! change_all {
    ($request:ident, $resources:ident, $scopes:ident, $items:ident, $level:ident, $change:ident) => {
        for resource in &mut $request.$resources {
            if $level == Level::Resource {
                change_part!(resource.resource, $change);
            }
            for scope in &mut resource.$scopes {
                if $level == Level::Scope {
                    change_part!(scope.scope, $change);
                }
                for item in &mut scope.$items {
                    if $level == Level::Item {
                        change_item(item, $change);
                    }
                }
            }
        }
    };
}

/// Changes a part that may be missing, and then comes to be only for what is put into it.
macro_rules! change_part {
    ($part:expr, $change:ident) => {
        if $part.is_some() || matches!($change, Change::InsertText | Change::UpsertInt) {
            change_decoded($change, &mut $part.get_or_insert_default().attributes);
        }
    };
}

trait Item {
    fn change(&mut self, change: Change);
}

fn change_item(item: &mut impl Item, change: Change) {
    item.change(change);
}

impl Item for opentelemetry_proto::tonic::logs::v1::LogRecord {
    fn change(&mut self, change: Change) {
        change_decoded(change, &mut self.attributes);
    }
}

impl Item for opentelemetry_proto::tonic::trace::v1::Span {
    fn change(&mut self, change: Change) {
        change_decoded(change, &mut self.attributes);
    }
}

impl Item for opentelemetry_proto::tonic::metrics::v1::Metric {
    fn change(&mut self, change: Change) {
        let change = |list: &mut Vec<KeyValue>| change_decoded(change, list);
        match &mut self.data {
            Some(Data::Gauge(gauge)) => {
                gauge.data_points.iter_mut().for_each(|point| change(&mut point.attributes));
            }
            Some(Data::Sum(sum)) => {
                sum.data_points.iter_mut().for_each(|point| change(&mut point.attributes));
            }
            Some(Data::Histogram(data)) => {
                data.data_points.iter_mut().for_each(|point| change(&mut point.attributes));
            }
            Some(Data::ExponentialHistogram(data)) => {
                data.data_points.iter_mut().for_each(|point| change(&mut point.attributes));
            }
            Some(Data::Summary(data)) => {
                data.data_points.iter_mut().for_each(|point| change(&mut point.attributes));
            }
            None => {}
        }
    }
}

fn edited(encoded: &[u8], payload: &Payload, level: Level, change: Change) -> (Vec<u8>, Vec<u8>) {
    let bytes = edit::attributes(payload, level, |_, list| change_encoded(change, list)).to_bytes();
    match payload.signal() {
        Signal::Logs => {
            let mut expected = Logs::decode(encoded).unwrap();
            change_all!(expected, resource_logs, scope_logs, log_records, level, change);
            (Logs::decode(bytes).unwrap().encode_to_vec(), expected.encode_to_vec())
        }
        Signal::Traces => {
            let mut expected = Traces::decode(encoded).unwrap();
            change_all!(expected, resource_spans, scope_spans, spans, level, change);
            (Traces::decode(bytes).unwrap().encode_to_vec(), expected.encode_to_vec())
        }
        Signal::Metrics => {
            let mut expected = Metrics::decode(encoded).unwrap();
            change_all!(expected, resource_metrics, scope_metrics, metrics, level, change);
            (Metrics::decode(bytes).unwrap().encode_to_vec(), expected.encode_to_vec())
        }
        Signal::Profiles => (bytes.into(), encoded.to_vec()),
    }
}

proptest! {
    #[test]
    fn edits_bytes_as_it_would_structs(
        signal in proptest::sample::select(vec![Signal::Logs, Signal::Traces, Signal::Metrics]),
        level in proptest::sample::select(vec![Level::Resource, Level::Scope, Level::Item]),
        change in proptest::sample::select(CHANGES.to_vec()),
        seed: u64,
    ) {
        let encoded = request(signal, seed, 4);
        let payload = Payload::parse(signal, encoded.clone()).unwrap();
        let (edited, expected) = edited(&encoded, &payload, level, change);
        prop_assert_eq!(edited, expected);
    }

    #[test]
    fn retains_the_items_asked_for(signal in signals(), seed: u64) {
        let encoded = request(signal, seed, 6);
        let payload = Payload::parse(signal, encoded.clone()).unwrap();
        let items = requests::items(signal, &encoded).unwrap();
        let mut random = Random::new(!seed);
        let wanted: Vec<bool> = items.iter().map(|_| random.is_one_in(2)).collect();
        let mut verdicts = wanted.iter();
        let (kept, ranges) = edit::retain_items(&payload, |_| *verdicts.next().unwrap());
        prop_assert!(verdicts.next().is_none());
        let expected: Vec<&String> =
            items.iter().zip(&wanted).filter(|(_, keep)| **keep).map(|(item, _)| item).collect();
        let left = requests::items(signal, &kept.to_bytes()).unwrap();
        prop_assert_eq!(left.iter().collect::<Vec<_>>(), expected);
        let positions: Vec<usize> = ranges.into_iter().flatten().collect();
        let wanted: Vec<usize> = (0..wanted.len()).filter(|at| wanted[*at]).collect();
        prop_assert_eq!(positions, wanted);
    }

    #[test]
    fn retains_metrics_as_structs_would(seed: u64) {
        let encoded = request(Signal::Metrics, seed, 4);
        let payload = Payload::parse(Signal::Metrics, encoded.clone()).unwrap();
        let (kept, _) = edit::retain_metrics(&payload, |place| {
            place.metric().is_some_and(|metric| metric.unit().len() % 2 == 0)
        });
        let mut expected = Metrics::decode(encoded).unwrap();
        for resource in &mut expected.resource_metrics {
            for scope in &mut resource.scope_metrics {
                scope.metrics.retain(|metric| metric.unit.len() % 2 == 0);
            }
        }
        let expected = requests::items(Signal::Metrics, &expected.encode_to_vec()).unwrap();
        prop_assert_eq!(requests::items(Signal::Metrics, &kept.to_bytes()).unwrap(), expected);
    }

    #[test]
    fn retains_span_events_as_structs_would(seed: u64) {
        let encoded = request(Signal::Traces, seed, 4);
        let payload = Payload::parse(Signal::Traces, encoded.clone()).unwrap();
        let kept = edit::retain_span_events(&payload, |_, event| event.name().len() % 2 == 0);
        let mut expected = Traces::decode(encoded).unwrap();
        for resource in &mut expected.resource_spans {
            for span in resource.scope_spans.iter_mut().flat_map(|scope| &mut scope.spans) {
                span.events.retain(|event| event.name.len() % 2 == 0);
            }
        }
        prop_assert_eq!(Traces::decode(kept.to_bytes()).unwrap(), expected);
    }
}

#[test]
fn hands_on_the_same_bytes_when_nothing_changes() {
    let encoded = request(Signal::Logs, 7, 8);
    let payload = Payload::parse(Signal::Logs, encoded.clone()).unwrap();
    assert!(payload.items() > 0);
    let untouched = edit::attributes(&payload, Level::Item, |_, list| {
        list.update("absent", &view::AnyValue::Int(1));
        assert!(!list.remove("absent"));
    });
    assert_eq!(untouched.segments()[0].as_ptr(), encoded.as_ptr());
    let (kept, ranges) = edit::retain_items(&payload, |_| true);
    assert_eq!(kept.segments()[0].as_ptr(), encoded.as_ptr());
    assert_eq!(ranges.iter().map(ExactSizeIterator::len).sum::<usize>(), payload.items());
}

proptest! {
    #[test]
    fn places_show_what_stands_around_an_item(seed: u64) {
        let encoded = request(Signal::Logs, seed, 6);
        let payload = Payload::parse(Signal::Logs, encoded).unwrap();
        let around = |resource: view::Resource<'_>, scope: view::Scope<'_>| {
            let keys: Vec<String> =
                resource.attributes().map(|attribute| attribute.key().to_owned()).collect();
            (keys, resource.schema_url().to_owned(), scope.name().to_owned())
        };
        let view = payload.view();
        let mut expected = Vec::new();
        for resource in view.resources() {
            for scope in resource.scopes() {
                expected.extend(scope.log_records().map(|_| around(resource, scope)));
            }
        }
        let mut seen = Vec::new();
        let (kept, _) = edit::retain_items(&payload, |place| {
            // A place does not drag along what else came from there.
            assert_eq!(place.resource().scopes().count(), 0);
            seen.push(around(place.resource(), place.scope().unwrap()));
            true
        });
        prop_assert_eq!(kept.items(), expected.len());
        prop_assert_eq!(&seen, &expected);
        seen.clear();
        let same = edit::attributes(&payload, Level::Item, |place, _| {
            seen.push(around(place.resource(), place.scope().unwrap()));
        });
        prop_assert_eq!(same.items(), expected.len());
        prop_assert_eq!(&seen, &expected);
    }

    #[test]
    fn places_are_told_apart_by_what_is_around_them(at in 0..4_usize, seed: u64) {
        let signal = Signal::ALL[at];
        let payload = Payload::parse(signal, request(signal, seed, 6)).unwrap();
        let mut seen: Vec<(edit::Serials, usize)> = Vec::new();
        let (kept, _) = edit::retain_items(&payload, |place| {
            let around = place.metric().map_or(0, |metric| metric.encoded().as_ptr() as usize);
            seen.push((place.serials(), around));
            true
        });
        prop_assert_eq!(kept.items(), payload.items());
        for pair in seen.windows(2) {
            let [(before, metric_before), (after, metric_after)] = pair else { unreachable!() };
            prop_assert!(before.item < after.item);
            prop_assert!(before.resource <= after.resource && before.scope <= after.scope);
            prop_assert!(before.scope == after.scope || before.holder <= after.holder);
            let is_same = before.holder == after.holder && before.scope == after.scope;
            if signal == Signal::Metrics && is_same {
                prop_assert_eq!(metric_before, metric_after);
            }
        }
    }

    #[test]
    fn places_of_points_show_their_metric_without_its_points(seed: u64) {
        let encoded = request(Signal::Metrics, seed, 6);
        let payload = Payload::parse(Signal::Metrics, encoded).unwrap();
        let around = |metric: view::Metric<'_>| {
            let name = (metric.name().to_owned(), metric.unit().to_owned());
            let metadata = metric.metadata().count();
            (name, metadata, metric.kind(), metric.aggregation_temporality(), metric.is_monotonic())
        };
        let view = payload.view();
        let scopes = view.resources().flat_map(|resource| resource.scopes());
        let metrics = scopes.flat_map(|scope| scope.metrics());
        let expected: Vec<_> =
            metrics.flat_map(|metric| metric.points().map(move |_| around(metric))).collect();
        let mut seen = Vec::new();
        let (kept, _) = edit::retain_items(&payload, |place| {
            let metric = place.metric().unwrap();
            assert_eq!(metric.points().count(), 0);
            seen.push(around(metric));
            true
        });
        prop_assert_eq!(kept.items(), payload.items());
        prop_assert_eq!(seen, expected);
    }

    #[test]
    fn places_of_events_show_their_span_without_its_events(seed: u64) {
        let encoded = request(Signal::Traces, seed, 6);
        let payload = Payload::parse(Signal::Traces, encoded).unwrap();
        let view = payload.view();
        let scopes = view.resources().flat_map(|resource| resource.scopes());
        let spans = scopes.flat_map(|scope| scope.spans());
        let around = |span: view::Span<'_>| (span.name().to_owned(), span.attributes().count());
        let expected: Vec<_> =
            spans.flat_map(|span| span.events().map(move |_| around(span))).collect();
        let mut seen = Vec::new();
        let kept = edit::retain_span_events(&payload, |place, _| {
            let Some(view::Item::Span(span)) = place.item() else { panic!("an event of no span") };
            assert_eq!(span.events().count(), 0);
            seen.push(around(span));
            true
        });
        prop_assert_eq!(kept.items(), payload.items());
        prop_assert_eq!(seen, expected);
    }
}
