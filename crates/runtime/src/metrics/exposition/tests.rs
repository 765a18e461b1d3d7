use std::time::Duration;

use proptest::prelude::*;

use super::super::{Histogram, Labels, Registry, Unit};
use super::{Exposition, Resource};

fn labels(labels: &[(&'static str, &str)]) -> Labels {
    labels.iter().map(|(name, value)| (*name, (*value).to_owned())).collect()
}

fn resource() -> Resource {
    let attributes = [("service.version", "0.1.0"), ("service.name", "tidegate")];
    Resource { attributes: attributes.map(|(a, b)| (a.to_owned(), b.to_owned())).to_vec() }
}

fn registry() -> Registry {
    let registry = Registry::default();
    let sent = "otelcol_exporter_sent_spans";
    registry.counter(sent, "Spans\nsent.", labels(&[("exporter", "otlp/2")])).add(7);
    registry.counter(sent, "Spans\nsent.", labels(&[("exporter", "a\"b\\c\nd")])).add(1);
    registry.gauge("otelcol_exporter_queue_size", "Queue.", Labels::new()).set(-3);
    registry.gauge_fn("otelcol_process_memory_rss", "Memory.", Labels::new(), || 1.5);
    registry.set_unit("otelcol_process_memory_rss", Unit::Bytes);
    let sizes = registry.histogram("otelcol_size", "Sizes.", labels(&[("b", "2")]), &[10, 25]);
    [10, 11, 26, 1_000].into_iter().for_each(|size| sizes.record(size));
    registry
}

#[test]
fn writes_bare_names_and_the_resource_on_every_series() {
    let expected = r#"# HELP otelcol_exporter_queue_size Queue.
# TYPE otelcol_exporter_queue_size gauge
otelcol_exporter_queue_size{service_name="tidegate",service_version="0.1.0"} -3
# HELP otelcol_exporter_sent_spans Spans\nsent.
# TYPE otelcol_exporter_sent_spans counter
otelcol_exporter_sent_spans{exporter="a\"b\\c\nd",service_name="tidegate",service_version="0.1.0"} 1
otelcol_exporter_sent_spans{exporter="otlp/2",service_name="tidegate",service_version="0.1.0"} 7
# HELP otelcol_process_memory_rss Memory.
# TYPE otelcol_process_memory_rss gauge
otelcol_process_memory_rss{service_name="tidegate",service_version="0.1.0"} 1.5
# HELP otelcol_size Sizes.
# TYPE otelcol_size histogram
otelcol_size_bucket{b="2",service_name="tidegate",service_version="0.1.0",le="10"} 1
otelcol_size_bucket{b="2",service_name="tidegate",service_version="0.1.0",le="25"} 2
otelcol_size_bucket{b="2",service_name="tidegate",service_version="0.1.0",le="+Inf"} 4
otelcol_size_sum{b="2",service_name="tidegate",service_version="0.1.0"} 1047
otelcol_size_count{b="2",service_name="tidegate",service_version="0.1.0"} 4
# HELP target_info Target metadata
# TYPE target_info gauge
target_info{service_name="tidegate",service_version="0.1.0"} 1
"#;
    assert_eq!(expected, registry().exposition(&resource(), Exposition::IMPLICIT));
}

#[test]
fn writes_suffixes_for_an_explicit_reader() {
    let expected = r#"# HELP otelcol_exporter_queue_size Queue.
# TYPE otelcol_exporter_queue_size gauge
otelcol_exporter_queue_size -3
# HELP otelcol_exporter_sent_spans_total Spans\nsent.
# TYPE otelcol_exporter_sent_spans_total counter
otelcol_exporter_sent_spans_total{exporter="a\"b\\c\nd"} 1
otelcol_exporter_sent_spans_total{exporter="otlp/2"} 7
# HELP otelcol_process_memory_rss_bytes Memory.
# TYPE otelcol_process_memory_rss_bytes gauge
otelcol_process_memory_rss_bytes 1.5
# HELP otelcol_size Sizes.
# TYPE otelcol_size histogram
otelcol_size_bucket{b="2",le="10"} 1
otelcol_size_bucket{b="2",le="25"} 2
otelcol_size_bucket{b="2",le="+Inf"} 4
otelcol_size_sum{b="2"} 1047
otelcol_size_count{b="2"} 4
# HELP target_info Target metadata
# TYPE target_info gauge
target_info{service_name="tidegate",service_version="0.1.0"} 1
"#;
    assert_eq!(expected, registry().exposition(&resource(), Exposition::EXPLICIT));
}

#[test]
fn does_not_repeat_a_suffix_that_the_name_has() {
    let registry = Registry::default();
    registry.counter_fn("otelcol_process_cpu_seconds", "", Labels::new(), || 0.25);
    registry.set_unit("otelcol_process_cpu_seconds", Unit::Seconds);
    let text = registry.exposition(&Resource::default(), Exposition::EXPLICIT);
    assert!(text.contains("\notelcol_process_cpu_seconds_total 0.25\n"), "{text}");
    assert!(text.ends_with("\ntarget_info 1\n"), "{text}");
}

#[test]
fn writes_durations_in_seconds() {
    let registry = Registry::default();
    let durations = Histogram::of_durations(&[500, 2_500_000]);
    [200, 1_000_000, 3_000_000]
        .into_iter()
        .for_each(|micros| durations.record_duration(Duration::from_micros(micros)));
    registry.show_histogram("took", "About.", Labels::new(), &durations);
    registry.set_unit("took", Unit::Seconds);
    let expected = r#"# HELP took_seconds About.
# TYPE took_seconds histogram
took_seconds_bucket{le="0.0005"} 1
took_seconds_bucket{le="2.5"} 2
took_seconds_bucket{le="+Inf"} 3
took_seconds_sum 4.0002
took_seconds_count 3
"#;
    let text = registry.exposition(&Resource::default(), Exposition::EXPLICIT);
    assert!(text.starts_with(expected), "{text}");
}

#[test]
fn writes_numbers_that_are_not_finite() {
    for (value, expected) in
        [(f64::NAN, "NaN"), (f64::INFINITY, "+Inf"), (f64::NEG_INFINITY, "-Inf")]
    {
        let registry = Registry::default();
        registry.gauge_fn("x", "", Labels::new(), move || value);
        let text = registry.exposition(&Resource::default(), Exposition::IMPLICIT);
        assert!(text.contains(&format!("\nx {expected}\n")), "{text}");
    }
}

proptest! {
    /// However odd names and values are, each line is a comment or a sample of an allowed name.
    #[test]
    fn every_line_can_be_read(names in prop::collection::vec(".*", 0..4), value in ".*") {
        let registry = Registry::default();
        let resource =
            Resource { attributes: names.into_iter().map(|name| (name, value.clone())).collect() };
        registry.counter("a.b", "about", vec![("l-1", value.clone())]).add(1);
        let text = registry.exposition(&resource, Exposition::IMPLICIT);
        prop_assert_eq!(6, text.strip_suffix('\n').unwrap().split('\n').count());
        let sample = text.split('\n').nth(2).unwrap();
        prop_assert!(sample.starts_with("a_b{l_1=\"") && sample.ends_with("\"} 1"), "{}", sample);
    }
}
