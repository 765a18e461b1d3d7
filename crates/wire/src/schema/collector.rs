//! Collector: the requests and responses of the four export services.

use super::Message;
use super::field::{Kind::*, many, one};
use super::logs::RESOURCE_LOGS;
use super::metrics::RESOURCE_METRICS;
use super::profiles::{PROFILES_DICTIONARY, RESOURCE_PROFILES};
use super::trace::RESOURCE_SPANS;
use crate::Signal;

pub(super) const LOGS: &str = "opentelemetry.proto.collector.logs.v1";
pub(super) const TRACE: &str = "opentelemetry.proto.collector.trace.v1";
pub(super) const METRICS: &str = "opentelemetry.proto.collector.metrics.v1";
pub(super) const PROFILES: &str = "opentelemetry.proto.collector.profiles.v1development";

/// The request message of a signal: what a payload holds.
#[must_use]
pub const fn request(signal: Signal) -> &'static Message {
    match signal {
        Signal::Logs => &EXPORT_LOGS_SERVICE_REQUEST,
        Signal::Traces => &EXPORT_TRACE_SERVICE_REQUEST,
        Signal::Metrics => &EXPORT_METRICS_SERVICE_REQUEST,
        Signal::Profiles => &EXPORT_PROFILES_SERVICE_REQUEST,
    }
}

/// The response message of a signal.
#[must_use]
pub const fn response(signal: Signal) -> &'static Message {
    match signal {
        Signal::Logs => &EXPORT_LOGS_SERVICE_RESPONSE,
        Signal::Traces => &EXPORT_TRACE_SERVICE_RESPONSE,
        Signal::Metrics => &EXPORT_METRICS_SERVICE_RESPONSE,
        Signal::Profiles => &EXPORT_PROFILES_SERVICE_RESPONSE,
    }
}

pub(super) static EXPORT_LOGS_SERVICE_REQUEST: Message = Message::new(
    LOGS,
    "ExportLogsServiceRequest",
    &[many(1, "resource_logs", "resourceLogs", Message(&RESOURCE_LOGS))],
);

pub(super) static EXPORT_LOGS_SERVICE_RESPONSE: Message = Message::new(
    LOGS,
    "ExportLogsServiceResponse",
    &[one(1, "partial_success", "partialSuccess", Message(&EXPORT_LOGS_PARTIAL_SUCCESS))],
);

pub(super) static EXPORT_LOGS_PARTIAL_SUCCESS: Message = Message::new(
    LOGS,
    "ExportLogsPartialSuccess",
    &[
        one(1, "rejected_log_records", "rejectedLogRecords", Int64),
        one(2, "error_message", "errorMessage", String),
    ],
);

pub(super) static EXPORT_TRACE_SERVICE_REQUEST: Message = Message::new(
    TRACE,
    "ExportTraceServiceRequest",
    &[many(1, "resource_spans", "resourceSpans", Message(&RESOURCE_SPANS))],
);

pub(super) static EXPORT_TRACE_SERVICE_RESPONSE: Message = Message::new(
    TRACE,
    "ExportTraceServiceResponse",
    &[one(1, "partial_success", "partialSuccess", Message(&EXPORT_TRACE_PARTIAL_SUCCESS))],
);

pub(super) static EXPORT_TRACE_PARTIAL_SUCCESS: Message = Message::new(
    TRACE,
    "ExportTracePartialSuccess",
    &[
        one(1, "rejected_spans", "rejectedSpans", Int64),
        one(2, "error_message", "errorMessage", String),
    ],
);

pub(super) static EXPORT_METRICS_SERVICE_REQUEST: Message = Message::new(
    METRICS,
    "ExportMetricsServiceRequest",
    &[many(1, "resource_metrics", "resourceMetrics", Message(&RESOURCE_METRICS))],
);

pub(super) static EXPORT_METRICS_SERVICE_RESPONSE: Message = Message::new(
    METRICS,
    "ExportMetricsServiceResponse",
    &[one(1, "partial_success", "partialSuccess", Message(&EXPORT_METRICS_PARTIAL_SUCCESS))],
);

pub(super) static EXPORT_METRICS_PARTIAL_SUCCESS: Message = Message::new(
    METRICS,
    "ExportMetricsPartialSuccess",
    &[
        one(1, "rejected_data_points", "rejectedDataPoints", Int64),
        one(2, "error_message", "errorMessage", String),
    ],
);

pub(super) static EXPORT_PROFILES_SERVICE_REQUEST: Message = Message::new(
    PROFILES,
    "ExportProfilesServiceRequest",
    &[
        many(1, "resource_profiles", "resourceProfiles", Message(&RESOURCE_PROFILES)),
        one(2, "dictionary", "dictionary", Message(&PROFILES_DICTIONARY)),
    ],
);

pub(super) static EXPORT_PROFILES_SERVICE_RESPONSE: Message = Message::new(
    PROFILES,
    "ExportProfilesServiceResponse",
    &[one(1, "partial_success", "partialSuccess", Message(&EXPORT_PROFILES_PARTIAL_SUCCESS))],
);

pub(super) static EXPORT_PROFILES_PARTIAL_SUCCESS: Message = Message::new(
    PROFILES,
    "ExportProfilesPartialSuccess",
    &[
        one(1, "rejected_profiles", "rejectedProfiles", Int64),
        one(2, "error_message", "errorMessage", String),
    ],
);
