//! Trace: the messages of `trace.proto`.

use super::Message;
use super::attribute::{INSTRUMENTATION_SCOPE, KEY_VALUE};
use super::field::{Enumeration, Kind::*, many, one};
use super::resource::RESOURCE;

pub(super) const PACKAGE: &str = "opentelemetry.proto.trace.v1";

pub(super) static TRACES_DATA: Message = Message::new(
    PACKAGE,
    "TracesData",
    &[many(1, "resource_spans", "resourceSpans", Message(&RESOURCE_SPANS))],
);

pub static RESOURCE_SPANS: Message = Message::new(
    PACKAGE,
    "ResourceSpans",
    &[
        one(1, "resource", "resource", Message(&RESOURCE)),
        many(2, "scope_spans", "scopeSpans", Message(&SCOPE_SPANS)),
        one(3, "schema_url", "schemaUrl", String),
    ],
);

pub static SCOPE_SPANS: Message = Message::new(
    PACKAGE,
    "ScopeSpans",
    &[
        one(1, "scope", "scope", Message(&INSTRUMENTATION_SCOPE)),
        many(2, "spans", "spans", Message(&SPAN)),
        one(3, "schema_url", "schemaUrl", String),
    ],
);

pub static SPAN: Message = Message::new(
    PACKAGE,
    "Span",
    &[
        one(1, "trace_id", "traceId", Id(16)),
        one(2, "span_id", "spanId", Id(8)),
        one(3, "trace_state", "traceState", String),
        one(4, "parent_span_id", "parentSpanId", Id(8)),
        one(16, "flags", "flags", Fixed32),
        one(5, "name", "name", String),
        one(6, "kind", "kind", Enum(&SPAN_SPAN_KIND)),
        one(7, "start_time_unix_nano", "startTimeUnixNano", Fixed64),
        one(8, "end_time_unix_nano", "endTimeUnixNano", Fixed64),
        many(9, "attributes", "attributes", Message(&KEY_VALUE)),
        one(10, "dropped_attributes_count", "droppedAttributesCount", Uint32),
        many(11, "events", "events", Message(&SPAN_EVENT)),
        one(12, "dropped_events_count", "droppedEventsCount", Uint32),
        many(13, "links", "links", Message(&SPAN_LINK)),
        one(14, "dropped_links_count", "droppedLinksCount", Uint32),
        one(15, "status", "status", Message(&STATUS)),
    ],
);

pub(super) static SPAN_SPAN_KIND: Enumeration = Enumeration {
    package: PACKAGE,
    name: "Span.SpanKind",
    values: &[
        (0, "SPAN_KIND_UNSPECIFIED"),
        (1, "SPAN_KIND_INTERNAL"),
        (2, "SPAN_KIND_SERVER"),
        (3, "SPAN_KIND_CLIENT"),
        (4, "SPAN_KIND_PRODUCER"),
        (5, "SPAN_KIND_CONSUMER"),
    ],
};

pub static SPAN_EVENT: Message = Message::new(
    PACKAGE,
    "Span.Event",
    &[
        one(1, "time_unix_nano", "timeUnixNano", Fixed64),
        one(2, "name", "name", String),
        many(3, "attributes", "attributes", Message(&KEY_VALUE)),
        one(4, "dropped_attributes_count", "droppedAttributesCount", Uint32),
    ],
);

pub static SPAN_LINK: Message = Message::new(
    PACKAGE,
    "Span.Link",
    &[
        one(1, "trace_id", "traceId", Id(16)),
        one(2, "span_id", "spanId", Id(8)),
        one(3, "trace_state", "traceState", String),
        many(4, "attributes", "attributes", Message(&KEY_VALUE)),
        one(5, "dropped_attributes_count", "droppedAttributesCount", Uint32),
        one(6, "flags", "flags", Fixed32),
    ],
);

pub static STATUS: Message = Message::new(
    PACKAGE,
    "Status",
    &[one(2, "message", "message", String), one(3, "code", "code", Enum(&STATUS_STATUS_CODE))],
);

pub(super) static STATUS_STATUS_CODE: Enumeration = Enumeration {
    package: PACKAGE,
    name: "Status.StatusCode",
    values: &[(0, "STATUS_CODE_UNSET"), (1, "STATUS_CODE_OK"), (2, "STATUS_CODE_ERROR")],
};

pub(super) static SPAN_FLAGS: Enumeration = Enumeration {
    package: PACKAGE,
    name: "SpanFlags",
    values: &[
        (0, "SPAN_FLAGS_DO_NOT_USE"),
        (255, "SPAN_FLAGS_TRACE_FLAGS_MASK"),
        (256, "SPAN_FLAGS_CONTEXT_HAS_IS_REMOTE_MASK"),
        (512, "SPAN_FLAGS_CONTEXT_IS_REMOTE_MASK"),
    ],
};
