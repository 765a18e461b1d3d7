//! Requests: the four export requests as the independent library decodes them, and their items.

use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::profiles::v1development::ExportProfilesServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::metrics::v1::Metric;
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use prost::Message;
use wire::Signal;

pub(crate) type Logs = ExportLogsServiceRequest;
pub(crate) type Traces = ExportTraceServiceRequest;
pub(crate) type Metrics = ExportMetricsServiceRequest;
pub(crate) type Profiles = ExportProfilesServiceRequest;

/// Each item of a request with all that is said about it, in order, as text.
pub(crate) fn items(signal: Signal, encoded: &[u8]) -> Result<Vec<String>, prost::DecodeError> {
    Ok(match signal {
        Signal::Logs => log_records(Logs::decode(encoded)?),
        Signal::Traces => spans(Traces::decode(encoded)?),
        Signal::Metrics => points(Metrics::decode(encoded)?),
        Signal::Profiles => samples(Profiles::decode(encoded)?),
    })
}

fn log_records(request: Logs) -> Vec<String> {
    let mut items = Vec::new();
    for mut resource in request.resource_logs {
        for mut scope in std::mem::take(&mut resource.scope_logs) {
            for log_record in std::mem::take(&mut scope.log_records) {
                items.push(format!("{resource:?} {scope:?} {log_record:?}"));
            }
        }
    }
    items
}

fn spans(request: Traces) -> Vec<String> {
    let mut items = Vec::new();
    for mut resource in request.resource_spans {
        for mut scope in std::mem::take(&mut resource.scope_spans) {
            for span in std::mem::take(&mut scope.spans) {
                items.push(format!("{resource:?} {scope:?} {span:?}"));
            }
        }
    }
    items
}

fn points(request: Metrics) -> Vec<String> {
    let mut items = Vec::new();
    for mut resource in request.resource_metrics {
        for mut scope in std::mem::take(&mut resource.scope_metrics) {
            for mut metric in std::mem::take(&mut scope.metrics) {
                for point in take_points(&mut metric) {
                    items.push(format!("{resource:?} {scope:?} {metric:?} {point}"));
                }
            }
        }
    }
    items
}

fn take_points(metric: &mut Metric) -> Vec<String> {
    fn texts<T: std::fmt::Debug>(points: &mut Vec<T>) -> Vec<String> {
        std::mem::take(points).iter().map(|point| format!("{point:?}")).collect()
    }
    match &mut metric.data {
        Some(Data::Gauge(gauge)) => texts(&mut gauge.data_points),
        Some(Data::Sum(sum)) => texts(&mut sum.data_points),
        Some(Data::Histogram(histogram)) => texts(&mut histogram.data_points),
        Some(Data::ExponentialHistogram(histogram)) => texts(&mut histogram.data_points),
        Some(Data::Summary(summary)) => texts(&mut summary.data_points),
        None => Vec::new(),
    }
}

fn samples(request: Profiles) -> Vec<String> {
    let dictionary = request.dictionary.unwrap_or_default();
    let word = |at: i32| dictionary.string_table.get(at as usize).cloned().unwrap_or_default();
    let mut items = Vec::new();
    for mut resource in request.resource_profiles {
        for mut scope in std::mem::take(&mut resource.scope_profiles) {
            for mut profile in std::mem::take(&mut scope.profiles) {
                let kind = profile.sample_type.take().unwrap_or_default();
                let kind = (word(kind.type_strindex), word(kind.unit_strindex));
                for mut sample in std::mem::take(&mut profile.samples) {
                    sample.stack_index = 0;
                    items.push(format!("{resource:?} {scope:?} {profile:?} {kind:?} {sample:?}"));
                }
            }
        }
    }
    items
}
