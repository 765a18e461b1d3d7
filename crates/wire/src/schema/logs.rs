//! Logs: the messages of `logs.proto`.

use super::Message;
use super::attribute::{ANY_VALUE, INSTRUMENTATION_SCOPE, KEY_VALUE};
use super::field::{Enumeration, Kind::*, many, one};
use super::resource::RESOURCE;

pub(super) const PACKAGE: &str = "opentelemetry.proto.logs.v1";

pub(super) static LOGS_DATA: Message = Message::new(
    PACKAGE,
    "LogsData",
    &[many(1, "resource_logs", "resourceLogs", Message(&RESOURCE_LOGS))],
);

pub static RESOURCE_LOGS: Message = Message::new(
    PACKAGE,
    "ResourceLogs",
    &[
        one(1, "resource", "resource", Message(&RESOURCE)),
        many(2, "scope_logs", "scopeLogs", Message(&SCOPE_LOGS)),
        one(3, "schema_url", "schemaUrl", String),
    ],
);

pub static SCOPE_LOGS: Message = Message::new(
    PACKAGE,
    "ScopeLogs",
    &[
        one(1, "scope", "scope", Message(&INSTRUMENTATION_SCOPE)),
        many(2, "log_records", "logRecords", Message(&LOG_RECORD)),
        one(3, "schema_url", "schemaUrl", String),
    ],
);

pub(super) static SEVERITY_NUMBER: Enumeration = Enumeration {
    package: PACKAGE,
    name: "SeverityNumber",
    values: &[
        (0, "SEVERITY_NUMBER_UNSPECIFIED"),
        (1, "SEVERITY_NUMBER_TRACE"),
        (2, "SEVERITY_NUMBER_TRACE2"),
        (3, "SEVERITY_NUMBER_TRACE3"),
        (4, "SEVERITY_NUMBER_TRACE4"),
        (5, "SEVERITY_NUMBER_DEBUG"),
        (6, "SEVERITY_NUMBER_DEBUG2"),
        (7, "SEVERITY_NUMBER_DEBUG3"),
        (8, "SEVERITY_NUMBER_DEBUG4"),
        (9, "SEVERITY_NUMBER_INFO"),
        (10, "SEVERITY_NUMBER_INFO2"),
        (11, "SEVERITY_NUMBER_INFO3"),
        (12, "SEVERITY_NUMBER_INFO4"),
        (13, "SEVERITY_NUMBER_WARN"),
        (14, "SEVERITY_NUMBER_WARN2"),
        (15, "SEVERITY_NUMBER_WARN3"),
        (16, "SEVERITY_NUMBER_WARN4"),
        (17, "SEVERITY_NUMBER_ERROR"),
        (18, "SEVERITY_NUMBER_ERROR2"),
        (19, "SEVERITY_NUMBER_ERROR3"),
        (20, "SEVERITY_NUMBER_ERROR4"),
        (21, "SEVERITY_NUMBER_FATAL"),
        (22, "SEVERITY_NUMBER_FATAL2"),
        (23, "SEVERITY_NUMBER_FATAL3"),
        (24, "SEVERITY_NUMBER_FATAL4"),
    ],
};

pub(super) static LOG_RECORD_FLAGS: Enumeration = Enumeration {
    package: PACKAGE,
    name: "LogRecordFlags",
    values: &[(0, "LOG_RECORD_FLAGS_DO_NOT_USE"), (255, "LOG_RECORD_FLAGS_TRACE_FLAGS_MASK")],
};

pub static LOG_RECORD: Message = Message::new(
    PACKAGE,
    "LogRecord",
    &[
        one(1, "time_unix_nano", "timeUnixNano", Fixed64),
        one(11, "observed_time_unix_nano", "observedTimeUnixNano", Fixed64),
        one(2, "severity_number", "severityNumber", Enum(&SEVERITY_NUMBER)),
        one(3, "severity_text", "severityText", String),
        one(5, "body", "body", Message(&ANY_VALUE)),
        many(6, "attributes", "attributes", Message(&KEY_VALUE)),
        one(7, "dropped_attributes_count", "droppedAttributesCount", Uint32),
        one(8, "flags", "flags", Fixed32),
        one(9, "trace_id", "traceId", Id(16)),
        one(10, "span_id", "spanId", Id(8)),
        one(12, "event_name", "eventName", String),
    ],
);
