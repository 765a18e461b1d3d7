use super::{Registry, SERIES_MAX};
use crate::metrics::{Labels, Reading};

fn exporter(id: &str) -> Labels {
    vec![("exporter", id.to_owned())]
}

#[test]
fn the_same_name_and_labels_are_the_same_series_in_any_order() {
    let registry = Registry::default();
    let labels = |names: [&'static str; 2]| names.map(|name| (name, name.to_owned())).to_vec();
    registry.counter("sent", "", labels(["a", "b"])).add(1);
    registry.counter("sent", "", labels(["b", "a"])).add(2);
    assert_eq!(3, registry.counter("sent", "", labels(["a", "b"])).value());
}

#[test]
fn a_computed_series_is_replaced_by_the_next() {
    let registry = Registry::default();
    registry.gauge_fn("size", "", exporter("a"), || 1.0);
    registry.gauge_fn("size", "", exporter("a"), || 2.0);
    assert_eq!(vec![(exporter("a"), Reading::Number(2.0))], registry.snapshot()[0].series);
}

#[test]
fn a_computed_series_may_use_the_registry() {
    let registry = Registry::default();
    let sent = registry.clone();
    registry.gauge_fn("size", "", Labels::new(), move || {
        sent.counter("sent", "", Labels::new()).add(1);
        1.0
    });
    assert_eq!(1, registry.snapshot().len());
    assert_eq!(1, registry.counter("sent", "", Labels::new()).value());
}

#[test]
fn removes_the_series_of_a_component_that_ended() {
    let registry = Registry::default();
    for id in ["otlp", "otlp/2"] {
        registry.counter("sent", "", exporter(id)).add(1);
    }
    registry.gauge("size", "", exporter("otlp")).set(1);
    registry.remove("exporter", "otlp");
    let snapshots = registry.snapshot();
    assert_eq!(1, snapshots.len());
    assert_eq!(vec![(exporter("otlp/2"), Reading::Integer(1))], snapshots[0].series);
}

#[test]
fn series_beyond_the_limit_share_one_and_are_counted() {
    let registry = Registry::default();
    for number in 0..SERIES_MAX + 3 {
        registry.counter("sent", "", exporter(&number.to_string())).add(1);
    }
    registry.counter("sent", "", exporter("7")).add(1);
    let snapshots = registry.snapshot();
    let sent = &snapshots[0].series;
    assert_eq!(SERIES_MAX + 1, sent.len());
    let overflow = vec![("otel_metric_overflow", "true".to_owned())];
    assert!(sent.contains(&(overflow, Reading::Integer(3))));
    assert!(sent.contains(&(exporter("7"), Reading::Integer(2))));
    let refused = (vec![("metric", "sent".to_owned())], Reading::Integer(3));
    assert_eq!(vec![refused], snapshots[1].series);
}

#[test]
fn a_name_of_two_kinds_counts_and_shows_the_first() {
    let registry = Registry::default();
    registry.counter("sent", "", Labels::new()).add(1);
    registry.gauge("sent", "", Labels::new()).set(5);
    assert_eq!(vec![(Labels::new(), Reading::Integer(1))], registry.snapshot()[0].series);
}
