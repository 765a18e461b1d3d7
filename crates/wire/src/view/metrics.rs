//! Metrics: views of metrics and the four kinds of data points.

use super::Attributes;
use super::message::{Message, views};
use crate::payload::shape::{Container, Role, effective_data, number};
use crate::protobuf::{Field, Fields, Value};
use crate::{Signal, schema};

const TEMPORALITY: u32 = number(&schema::SUM, "aggregation_temporality");
const IS_MONOTONIC: u32 = number(&schema::SUM, "is_monotonic");
const SUM: u32 = number(&schema::METRIC, "sum");
const HISTOGRAM: u32 = number(&schema::METRIC, "histogram");
const EXPONENTIAL_HISTOGRAM: u32 = number(&schema::METRIC, "exponential_histogram");
const SUMMARY: u32 = number(&schema::METRIC, "summary");
const POINT_DOUBLE: u32 = number(&schema::NUMBER_DATA_POINT, "as_double");
const POINT_INT: u32 = number(&schema::NUMBER_DATA_POINT, "as_int");
const EXEMPLAR_DOUBLE: u32 = number(&schema::EXEMPLAR, "as_double");
const EXEMPLAR_INT: u32 = number(&schema::EXEMPLAR, "as_int");

views! {
    /// A metric: a name, and points of one kind.
    Metric of METRIC {
        name: text,
        description: text,
        unit: text,
        metadata: attributes,
    }

    /// A point of a gauge or sum.
    NumberPoint of NUMBER_DATA_POINT {
        attributes: attributes,
        start_time_unix_nano: number,
        time_unix_nano: number,
        exemplars: [Exemplar],
        flags: number,
    }

    /// A point of a histogram.
    HistogramPoint of HISTOGRAM_DATA_POINT {
        attributes: attributes,
        start_time_unix_nano: number,
        time_unix_nano: number,
        count: number,
        sum: maybe_double,
        bucket_counts: fixed_list,
        explicit_bounds: double_list,
        exemplars: [Exemplar],
        flags: number,
        min: maybe_double,
        max: maybe_double,
    }

    /// A point of an exponential histogram.
    ExponentialHistogramPoint of EXPONENTIAL_HISTOGRAM_DATA_POINT {
        attributes: attributes,
        start_time_unix_nano: number,
        time_unix_nano: number,
        count: number,
        sum: maybe_double,
        scale: zigzag,
        zero_count: number,
        positive: (Buckets),
        negative: (Buckets),
        flags: number,
        exemplars: [Exemplar],
        min: maybe_double,
        max: maybe_double,
        zero_threshold: double,
    }

    /// A point of a summary.
    SummaryPoint of SUMMARY_DATA_POINT {
        attributes: attributes,
        start_time_unix_nano: number,
        time_unix_nano: number,
        count: number,
        sum: double,
        quantile_values: [QuantileValue],
        flags: number,
    }

    /// An example measurement behind a point.
    Exemplar of EXEMPLAR {
        filtered_attributes: attributes,
        time_unix_nano: number,
        span_id: data,
        trace_id: data,
    }

    /// The buckets of an exponential histogram on one side of zero.
    Buckets of EXPONENTIAL_HISTOGRAM_DATA_POINT_BUCKETS {
        offset: zigzag,
        bucket_counts: varint_list,
    }

    /// One quantile of a summary.
    QuantileValue of SUMMARY_DATA_POINT_VALUE_AT_QUANTILE {
        quantile: double,
        value: double,
    }
}

/// What the points of a metric are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MetricKind {
    /// A metric without data.
    None,
    Gauge,
    Sum,
    Histogram,
    ExponentialHistogram,
    Summary,
}

/// A data point of any kind.
#[derive(Clone, Copy, Debug)]
pub enum Point<'a> {
    Number(NumberPoint<'a>),
    Histogram(HistogramPoint<'a>),
    ExponentialHistogram(ExponentialHistogramPoint<'a>),
    Summary(SummaryPoint<'a>),
}

/// A number as it was measured.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum NumberValue {
    None,
    Int(i64),
    Double(f64),
}

impl MetricKind {
    /// The name of the type in OpenTelemetry's documentation.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "Empty",
            Self::Gauge => "Gauge",
            Self::Sum => "Sum",
            Self::Histogram => "Histogram",
            Self::ExponentialHistogram => "ExponentialHistogram",
            Self::Summary => "Summary",
        }
    }

    /// The kind of the data in this field of a metric.
    pub(crate) fn of_field(number: u32) -> Self {
        match number {
            SUM => Self::Sum,
            HISTOGRAM => Self::Histogram,
            EXPONENTIAL_HISTOGRAM => Self::ExponentialHistogram,
            SUMMARY => Self::Summary,
            _ => Self::Gauge,
        }
    }
}

impl<'a> Metric<'a> {
    #[must_use]
    pub fn kind(self) -> MetricKind {
        let mut data = effective_data(self.0.bytes());
        data.next().map_or(MetricKind::None, |field| MetricKind::of_field(field.number))
    }

    /// 0 unspecified, 1 delta, 2 cumulative.
    #[must_use]
    pub fn aggregation_temporality(self) -> i32 {
        match self.kind() {
            MetricKind::Gauge | MetricKind::Summary => 0,
            _ => self.data_number(TEMPORALITY) as i32,
        }
    }

    /// Whether the sum never falls.
    #[must_use]
    pub fn is_monotonic(self) -> bool {
        self.kind() == MetricKind::Sum && self.data_number(IS_MONOTONIC) != 0
    }

    /// The data points, in order.
    pub fn points(self) -> impl Iterator<Item = Point<'a>> {
        effective_data(self.0.bytes()).flat_map(|data| {
            let kind = MetricKind::of_field(data.number);
            let is_point = |field: &Field<'a>| {
                Container::Data.role(Signal::Metrics, field.number) == Role::Item
            };
            let fields = Fields::of(data.bytes().unwrap_or_default()).filter(is_point);
            fields.map(move |field| Point::of(kind, field.bytes().unwrap_or_default()))
        })
    }

    fn data_number(self, number: u32) -> u64 {
        let parts = effective_data(self.0.bytes()).filter_map(|data| data.bytes());
        let values = parts.filter_map(|part| Message::of(part).last(number));
        values.last().map_or(0, |field| field.number_value())
    }
}

impl<'a> Point<'a> {
    pub(crate) fn of(kind: MetricKind, encoded: &'a [u8]) -> Self {
        let message = Message::of(encoded);
        match kind {
            MetricKind::Histogram => Self::Histogram(message.into()),
            MetricKind::ExponentialHistogram => Self::ExponentialHistogram(message.into()),
            MetricKind::Summary => Self::Summary(message.into()),
            MetricKind::None | MetricKind::Gauge | MetricKind::Sum => Self::Number(message.into()),
        }
    }

    /// The encoded point.
    #[must_use]
    pub fn encoded(self) -> &'a [u8] {
        match self {
            Self::Number(point) => point.encoded(),
            Self::Histogram(point) => point.encoded(),
            Self::ExponentialHistogram(point) => point.encoded(),
            Self::Summary(point) => point.encoded(),
        }
    }

    #[must_use]
    pub fn attributes(self) -> Attributes<'a> {
        match self {
            Self::Number(point) => point.attributes(),
            Self::Histogram(point) => point.attributes(),
            Self::ExponentialHistogram(point) => point.attributes(),
            Self::Summary(point) => point.attributes(),
        }
    }
}

impl NumberPoint<'_> {
    #[must_use]
    pub fn value(self) -> NumberValue {
        number_value(self.0, POINT_INT, POINT_DOUBLE)
    }
}

impl Exemplar<'_> {
    #[must_use]
    pub fn value(self) -> NumberValue {
        number_value(self.0, EXEMPLAR_INT, EXEMPLAR_DOUBLE)
    }
}

fn number_value(message: Message<'_>, int: u32, double: u32) -> NumberValue {
    let choices = Fields::of(message.bytes()).filter(|field| [int, double].contains(&field.number));
    match choices.last() {
        Some(Field { number, value: Value::Fixed64(bits), .. }) if number == int => {
            NumberValue::Int(bits as i64)
        }
        Some(Field { value: Value::Fixed64(bits), .. }) => {
            NumberValue::Double(f64::from_bits(bits))
        }
        _ => NumberValue::None,
    }
}
