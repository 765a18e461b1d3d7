//! Random metrics and profiles: the same generator for the two larger signals.

use opentelemetry_proto::tonic::metrics::v1::exponential_histogram_data_point::Buckets;
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::summary_data_point::ValueAtQuantile;
use opentelemetry_proto::tonic::metrics::v1::{
    Exemplar, ExponentialHistogram, ExponentialHistogramDataPoint, Gauge, Histogram,
    HistogramDataPoint, Metric, NumberDataPoint, ResourceMetrics, ScopeMetrics, Sum, Summary,
    SummaryDataPoint, exemplar, number_data_point,
};
use opentelemetry_proto::tonic::profiles::v1development::{
    Profile, ProfilesDictionary, ResourceProfiles, Sample, ScopeProfiles, Stack, ValueType,
};

use crate::random::Random;
use crate::requests::{Metrics, Profiles};

impl Random {
    fn exemplars(&mut self) -> Vec<Exemplar> {
        self.list(2, |random| Exemplar {
            filtered_attributes: random.attributes(1),
            time_unix_nano: random.number(),
            span_id: random.id(8),
            trace_id: random.id(16),
            value: Some(exemplar::Value::AsInt(random.number() as i64)),
        })
    }

    fn number_point(&mut self) -> NumberDataPoint {
        let value = self.maybe(|random| match random.below(2) {
            0 => number_data_point::Value::AsDouble(random.float()),
            _ => number_data_point::Value::AsInt(random.number() as i64),
        });
        NumberDataPoint {
            attributes: self.attributes(2),
            start_time_unix_nano: self.number(),
            time_unix_nano: self.number(),
            exemplars: self.exemplars(),
            flags: self.below(2) as u32,
            value,
        }
    }

    fn histogram_point(&mut self) -> HistogramDataPoint {
        HistogramDataPoint {
            attributes: self.attributes(2),
            time_unix_nano: self.number(),
            count: self.number(),
            sum: self.maybe(Self::float),
            bucket_counts: self.list(5, Self::number),
            explicit_bounds: self.list(5, Self::float),
            exemplars: self.exemplars(),
            min: self.maybe(Self::float),
            ..Default::default()
        }
    }

    fn exponential_point(&mut self) -> ExponentialHistogramDataPoint {
        let buckets = |random: &mut Self| Buckets {
            offset: random.below(9) as i32 - 4,
            bucket_counts: random.list(5, Self::number),
        };
        ExponentialHistogramDataPoint {
            attributes: self.attributes(2),
            scale: self.below(9) as i32 - 4,
            zero_count: self.number(),
            positive: self.maybe(buckets),
            negative: self.maybe(buckets),
            max: self.maybe(Self::float),
            zero_threshold: self.float(),
            ..Default::default()
        }
    }

    fn summary_point(&mut self) -> SummaryDataPoint {
        let quantile = |random: &mut Self| ValueAtQuantile { quantile: 0.5, value: random.float() };
        SummaryDataPoint {
            attributes: self.attributes(2),
            count: self.number(),
            sum: self.float(),
            quantile_values: self.list(3, quantile),
            ..Default::default()
        }
    }

    pub(crate) fn data(&mut self, size: usize) -> Data {
        let end = size + 1;
        let aggregation_temporality = self.below(3) as i32;
        match self.below(5) {
            0 => Data::Gauge(Gauge { data_points: self.list(end, Self::number_point) }),
            1 => Data::Sum(Sum {
                data_points: self.list(end, Self::number_point),
                aggregation_temporality,
                is_monotonic: self.is_one_in(2),
            }),
            2 => Data::Histogram(Histogram {
                data_points: self.list(end, Self::histogram_point),
                aggregation_temporality,
            }),
            3 => Data::ExponentialHistogram(ExponentialHistogram {
                data_points: self.list(end, Self::exponential_point),
                aggregation_temporality,
            }),
            _ => Data::Summary(Summary { data_points: self.list(end, Self::summary_point) }),
        }
    }

    pub(crate) fn metrics(&mut self, size: usize) -> Metrics {
        let metric = |random: &mut Self| Metric {
            name: random.text(),
            description: random.text(),
            unit: random.text(),
            metadata: random.attributes(1),
            data: random.maybe(|random| random.data(size)),
        };
        let scope_metrics = |random: &mut Self| ScopeMetrics {
            scope: random.maybe(Self::scope),
            metrics: random.list(4, metric),
            schema_url: random.text(),
        };
        let resource_metrics = |random: &mut Self| ResourceMetrics {
            resource: random.maybe(Self::resource),
            scope_metrics: random.list(3, scope_metrics),
            schema_url: random.text(),
        };
        Metrics { resource_metrics: self.list(4, resource_metrics) }
    }

    fn dictionary(&mut self) -> ProfilesDictionary {
        let mut string_table: Vec<String> = (0..8).map(|at| format!("word{at}")).collect();
        string_table[0] = String::new();
        let mut stack_table = vec![Stack::default()];
        stack_table.resize(6, Stack::default());
        ProfilesDictionary { string_table, stack_table, ..Default::default() }
    }

    fn sample(&mut self) -> Sample {
        Sample {
            stack_index: self.below(6) as i32,
            values: self.list(4, |random| random.number() as i64),
            timestamps_unix_nano: self.list(4, Self::number),
            ..Default::default()
        }
    }

    pub(crate) fn profiles(&mut self, size: usize) -> Profiles {
        let profile = |random: &mut Self| Profile {
            sample_type: Some(ValueType {
                type_strindex: random.below(8) as i32,
                unit_strindex: random.below(8) as i32,
            }),
            samples: random.list(size + 1, Self::sample),
            time_unix_nano: random.number(),
            duration_nano: random.number(),
            profile_id: random.id(16),
            ..Default::default()
        };
        let scope_profiles = |random: &mut Self| ScopeProfiles {
            scope: random.maybe(Self::scope),
            profiles: random.list(3, profile),
            schema_url: random.text(),
        };
        let resource_profiles = |random: &mut Self| ResourceProfiles {
            resource: random.maybe(Self::resource),
            scope_profiles: random.list(3, scope_profiles),
            schema_url: random.text(),
        };
        let resource_profiles = self.list(3, resource_profiles);
        Profiles { resource_profiles, dictionary: Some(self.dictionary()) }
    }
}
