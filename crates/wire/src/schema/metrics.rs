//! Metrics: the messages of `metrics.proto`.

use super::Message;
use super::attribute::{INSTRUMENTATION_SCOPE, KEY_VALUE};
use super::field::{Enumeration, Kind::*, choice, many, one, optional};
use super::resource::RESOURCE;

pub(super) const PACKAGE: &str = "opentelemetry.proto.metrics.v1";

pub(super) static METRICS_DATA: Message = Message::new(
    PACKAGE,
    "MetricsData",
    &[many(1, "resource_metrics", "resourceMetrics", Message(&RESOURCE_METRICS))],
);

pub static RESOURCE_METRICS: Message = Message::new(
    PACKAGE,
    "ResourceMetrics",
    &[
        one(1, "resource", "resource", Message(&RESOURCE)),
        many(2, "scope_metrics", "scopeMetrics", Message(&SCOPE_METRICS)),
        one(3, "schema_url", "schemaUrl", String),
    ],
);

pub static SCOPE_METRICS: Message = Message::new(
    PACKAGE,
    "ScopeMetrics",
    &[
        one(1, "scope", "scope", Message(&INSTRUMENTATION_SCOPE)),
        many(2, "metrics", "metrics", Message(&METRIC)),
        one(3, "schema_url", "schemaUrl", String),
    ],
);

pub static METRIC: Message = Message::new(
    PACKAGE,
    "Metric",
    &[
        one(1, "name", "name", String),
        one(2, "description", "description", String),
        one(3, "unit", "unit", String),
        choice("data", 5, "gauge", "gauge", Message(&GAUGE)),
        choice("data", 7, "sum", "sum", Message(&SUM)),
        choice("data", 9, "histogram", "histogram", Message(&HISTOGRAM)),
        choice(
            "data",
            10,
            "exponential_histogram",
            "exponentialHistogram",
            Message(&EXPONENTIAL_HISTOGRAM),
        ),
        choice("data", 11, "summary", "summary", Message(&SUMMARY)),
        many(12, "metadata", "metadata", Message(&KEY_VALUE)),
    ],
);

pub static GAUGE: Message = Message::new(
    PACKAGE,
    "Gauge",
    &[many(1, "data_points", "dataPoints", Message(&NUMBER_DATA_POINT))],
);

pub static SUM: Message = Message::new(
    PACKAGE,
    "Sum",
    &[
        many(1, "data_points", "dataPoints", Message(&NUMBER_DATA_POINT)),
        one(2, "aggregation_temporality", "aggregationTemporality", Enum(&AGGREGATION_TEMPORALITY)),
        one(3, "is_monotonic", "isMonotonic", Bool),
    ],
);

pub static HISTOGRAM: Message = Message::new(
    PACKAGE,
    "Histogram",
    &[
        many(1, "data_points", "dataPoints", Message(&HISTOGRAM_DATA_POINT)),
        one(2, "aggregation_temporality", "aggregationTemporality", Enum(&AGGREGATION_TEMPORALITY)),
    ],
);

pub static EXPONENTIAL_HISTOGRAM: Message = Message::new(
    PACKAGE,
    "ExponentialHistogram",
    &[
        many(1, "data_points", "dataPoints", Message(&EXPONENTIAL_HISTOGRAM_DATA_POINT)),
        one(2, "aggregation_temporality", "aggregationTemporality", Enum(&AGGREGATION_TEMPORALITY)),
    ],
);

pub static SUMMARY: Message = Message::new(
    PACKAGE,
    "Summary",
    &[many(1, "data_points", "dataPoints", Message(&SUMMARY_DATA_POINT))],
);

pub(super) static AGGREGATION_TEMPORALITY: Enumeration = Enumeration {
    package: PACKAGE,
    name: "AggregationTemporality",
    values: &[
        (0, "AGGREGATION_TEMPORALITY_UNSPECIFIED"),
        (1, "AGGREGATION_TEMPORALITY_DELTA"),
        (2, "AGGREGATION_TEMPORALITY_CUMULATIVE"),
    ],
};

pub(super) static DATA_POINT_FLAGS: Enumeration = Enumeration {
    package: PACKAGE,
    name: "DataPointFlags",
    values: &[(0, "DATA_POINT_FLAGS_DO_NOT_USE"), (1, "DATA_POINT_FLAGS_NO_RECORDED_VALUE_MASK")],
};

pub static NUMBER_DATA_POINT: Message = Message::new(
    PACKAGE,
    "NumberDataPoint",
    &[
        many(7, "attributes", "attributes", Message(&KEY_VALUE)),
        one(2, "start_time_unix_nano", "startTimeUnixNano", Fixed64),
        one(3, "time_unix_nano", "timeUnixNano", Fixed64),
        choice("value", 4, "as_double", "asDouble", Double),
        choice("value", 6, "as_int", "asInt", Sfixed64),
        many(5, "exemplars", "exemplars", Message(&EXEMPLAR)),
        one(8, "flags", "flags", Uint32),
    ],
);

pub static HISTOGRAM_DATA_POINT: Message = Message::new(
    PACKAGE,
    "HistogramDataPoint",
    &[
        many(9, "attributes", "attributes", Message(&KEY_VALUE)),
        one(2, "start_time_unix_nano", "startTimeUnixNano", Fixed64),
        one(3, "time_unix_nano", "timeUnixNano", Fixed64),
        one(4, "count", "count", Fixed64),
        optional(5, "sum", "sum", Double),
        many(6, "bucket_counts", "bucketCounts", Fixed64),
        many(7, "explicit_bounds", "explicitBounds", Double),
        many(8, "exemplars", "exemplars", Message(&EXEMPLAR)),
        one(10, "flags", "flags", Uint32),
        optional(11, "min", "min", Double),
        optional(12, "max", "max", Double),
    ],
);

pub static EXPONENTIAL_HISTOGRAM_DATA_POINT: Message = Message::new(
    PACKAGE,
    "ExponentialHistogramDataPoint",
    &[
        many(1, "attributes", "attributes", Message(&KEY_VALUE)),
        one(2, "start_time_unix_nano", "startTimeUnixNano", Fixed64),
        one(3, "time_unix_nano", "timeUnixNano", Fixed64),
        one(4, "count", "count", Fixed64),
        optional(5, "sum", "sum", Double),
        one(6, "scale", "scale", Sint32),
        one(7, "zero_count", "zeroCount", Fixed64),
        one(8, "positive", "positive", Message(&EXPONENTIAL_HISTOGRAM_DATA_POINT_BUCKETS)),
        one(9, "negative", "negative", Message(&EXPONENTIAL_HISTOGRAM_DATA_POINT_BUCKETS)),
        one(10, "flags", "flags", Uint32),
        many(11, "exemplars", "exemplars", Message(&EXEMPLAR)),
        optional(12, "min", "min", Double),
        optional(13, "max", "max", Double),
        one(14, "zero_threshold", "zeroThreshold", Double),
    ],
);

pub static EXPONENTIAL_HISTOGRAM_DATA_POINT_BUCKETS: Message = Message::new(
    PACKAGE,
    "ExponentialHistogramDataPoint.Buckets",
    &[one(1, "offset", "offset", Sint32), many(2, "bucket_counts", "bucketCounts", Uint64)],
);

pub static SUMMARY_DATA_POINT: Message = Message::new(
    PACKAGE,
    "SummaryDataPoint",
    &[
        many(7, "attributes", "attributes", Message(&KEY_VALUE)),
        one(2, "start_time_unix_nano", "startTimeUnixNano", Fixed64),
        one(3, "time_unix_nano", "timeUnixNano", Fixed64),
        one(4, "count", "count", Fixed64),
        one(5, "sum", "sum", Double),
        many(
            6,
            "quantile_values",
            "quantileValues",
            Message(&SUMMARY_DATA_POINT_VALUE_AT_QUANTILE),
        ),
        one(8, "flags", "flags", Uint32),
    ],
);

pub static SUMMARY_DATA_POINT_VALUE_AT_QUANTILE: Message = Message::new(
    PACKAGE,
    "SummaryDataPoint.ValueAtQuantile",
    &[one(1, "quantile", "quantile", Double), one(2, "value", "value", Double)],
);

pub static EXEMPLAR: Message = Message::new(
    PACKAGE,
    "Exemplar",
    &[
        many(7, "filtered_attributes", "filteredAttributes", Message(&KEY_VALUE)),
        one(2, "time_unix_nano", "timeUnixNano", Fixed64),
        choice("value", 3, "as_double", "asDouble", Double),
        choice("value", 6, "as_int", "asInt", Sfixed64),
        one(4, "span_id", "spanId", Id(8)),
        one(5, "trace_id", "traceId", Id(16)),
    ],
);
