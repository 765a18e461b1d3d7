//! Files: which `.proto` file declares what, for gRPC reflection.

use super::field::Enumeration;
use super::{Message, attribute, collector, grpc, logs, metrics, profiles, resource, trace};

/// One `.proto` file: what it imports and declares.
#[derive(Debug)]
pub struct File {
    pub path: &'static str,
    pub package: &'static str,
    pub imports: &'static [&'static str],
    /// A nested message follows its parent.
    pub messages: &'static [&'static Message],
    pub enumerations: &'static [&'static Enumeration],
    pub services: &'static [Service],
}

/// A service and its methods.
#[derive(Debug)]
pub struct Service {
    pub name: &'static str,
    pub methods: &'static [Method],
}

/// One method of a service.
#[derive(Debug)]
pub struct Method {
    pub name: &'static str,
    pub input: &'static Message,
    pub output: &'static Message,
    pub client_streams: bool,
    pub server_streams: bool,
}

impl File {
    const fn empty(path: &'static str, package: &'static str) -> Self {
        Self { path, package, imports: &[], messages: &[], enumerations: &[], services: &[] }
    }
}

impl Method {
    const fn unary(name: &'static str, input: &'static Message, output: &'static Message) -> Self {
        Self { name, input, output, client_streams: false, server_streams: false }
    }
}

const COMMON: &str = "opentelemetry/proto/common/v1/common.proto";
const RESOURCE: &str = "opentelemetry/proto/resource/v1/resource.proto";
const LOGS: &str = "opentelemetry/proto/logs/v1/logs.proto";
const TRACE: &str = "opentelemetry/proto/trace/v1/trace.proto";
const METRICS: &str = "opentelemetry/proto/metrics/v1/metrics.proto";
const PROFILES: &str = "opentelemetry/proto/profiles/v1development/profiles.proto";

/// All files, imported ones before those that import them.
pub static FILES: &[File] = &[
    File {
        messages: &[
            &attribute::ANY_VALUE,
            &attribute::ARRAY_VALUE,
            &attribute::KEY_VALUE_LIST,
            &attribute::KEY_VALUE,
            &attribute::INSTRUMENTATION_SCOPE,
            &attribute::ENTITY_REF,
        ],
        ..File::empty(COMMON, attribute::PACKAGE)
    },
    File {
        imports: &[COMMON],
        messages: &[&resource::RESOURCE],
        ..File::empty(RESOURCE, resource::PACKAGE)
    },
    File {
        imports: &[COMMON, RESOURCE],
        messages: &[&logs::LOGS_DATA, &logs::RESOURCE_LOGS, &logs::SCOPE_LOGS, &logs::LOG_RECORD],
        enumerations: &[&logs::SEVERITY_NUMBER, &logs::LOG_RECORD_FLAGS],
        ..File::empty(LOGS, logs::PACKAGE)
    },
    File {
        imports: &[COMMON, RESOURCE],
        messages: &[
            &trace::TRACES_DATA,
            &trace::RESOURCE_SPANS,
            &trace::SCOPE_SPANS,
            &trace::SPAN,
            &trace::SPAN_EVENT,
            &trace::SPAN_LINK,
            &trace::STATUS,
        ],
        enumerations: &[&trace::SPAN_SPAN_KIND, &trace::STATUS_STATUS_CODE, &trace::SPAN_FLAGS],
        ..File::empty(TRACE, trace::PACKAGE)
    },
    File {
        imports: &[COMMON, RESOURCE],
        messages: &[
            &metrics::METRICS_DATA,
            &metrics::RESOURCE_METRICS,
            &metrics::SCOPE_METRICS,
            &metrics::METRIC,
            &metrics::GAUGE,
            &metrics::SUM,
            &metrics::HISTOGRAM,
            &metrics::EXPONENTIAL_HISTOGRAM,
            &metrics::SUMMARY,
            &metrics::NUMBER_DATA_POINT,
            &metrics::HISTOGRAM_DATA_POINT,
            &metrics::EXPONENTIAL_HISTOGRAM_DATA_POINT,
            &metrics::EXPONENTIAL_HISTOGRAM_DATA_POINT_BUCKETS,
            &metrics::SUMMARY_DATA_POINT,
            &metrics::SUMMARY_DATA_POINT_VALUE_AT_QUANTILE,
            &metrics::EXEMPLAR,
        ],
        enumerations: &[&metrics::AGGREGATION_TEMPORALITY, &metrics::DATA_POINT_FLAGS],
        ..File::empty(METRICS, metrics::PACKAGE)
    },
    File {
        imports: &[COMMON, RESOURCE],
        messages: &[
            &profiles::PROFILES_DICTIONARY,
            &profiles::PROFILES_DATA,
            &profiles::RESOURCE_PROFILES,
            &profiles::SCOPE_PROFILES,
            &profiles::PROFILE,
            &profiles::LINK,
            &profiles::VALUE_TYPE,
            &profiles::SAMPLE,
            &profiles::MAPPING,
            &profiles::STACK,
            &profiles::LOCATION,
            &profiles::LINE,
            &profiles::FUNCTION,
            &profiles::KEY_VALUE_AND_UNIT,
        ],
        ..File::empty(PROFILES, profiles::PACKAGE)
    },
    File {
        imports: &[LOGS],
        messages: &[
            &collector::EXPORT_LOGS_SERVICE_REQUEST,
            &collector::EXPORT_LOGS_SERVICE_RESPONSE,
            &collector::EXPORT_LOGS_PARTIAL_SUCCESS,
        ],
        services: &[Service {
            name: "LogsService",
            methods: &[Method::unary(
                "Export",
                &collector::EXPORT_LOGS_SERVICE_REQUEST,
                &collector::EXPORT_LOGS_SERVICE_RESPONSE,
            )],
        }],
        ..File::empty("opentelemetry/proto/collector/logs/v1/logs_service.proto", collector::LOGS)
    },
    File {
        imports: &[TRACE],
        messages: &[
            &collector::EXPORT_TRACE_SERVICE_REQUEST,
            &collector::EXPORT_TRACE_SERVICE_RESPONSE,
            &collector::EXPORT_TRACE_PARTIAL_SUCCESS,
        ],
        services: &[Service {
            name: "TraceService",
            methods: &[Method::unary(
                "Export",
                &collector::EXPORT_TRACE_SERVICE_REQUEST,
                &collector::EXPORT_TRACE_SERVICE_RESPONSE,
            )],
        }],
        ..File::empty(
            "opentelemetry/proto/collector/trace/v1/trace_service.proto",
            collector::TRACE,
        )
    },
    File {
        imports: &[METRICS],
        messages: &[
            &collector::EXPORT_METRICS_SERVICE_REQUEST,
            &collector::EXPORT_METRICS_SERVICE_RESPONSE,
            &collector::EXPORT_METRICS_PARTIAL_SUCCESS,
        ],
        services: &[Service {
            name: "MetricsService",
            methods: &[Method::unary(
                "Export",
                &collector::EXPORT_METRICS_SERVICE_REQUEST,
                &collector::EXPORT_METRICS_SERVICE_RESPONSE,
            )],
        }],
        ..File::empty(
            "opentelemetry/proto/collector/metrics/v1/metrics_service.proto",
            collector::METRICS,
        )
    },
    File {
        imports: &[PROFILES],
        messages: &[
            &collector::EXPORT_PROFILES_SERVICE_REQUEST,
            &collector::EXPORT_PROFILES_SERVICE_RESPONSE,
            &collector::EXPORT_PROFILES_PARTIAL_SUCCESS,
        ],
        services: &[Service {
            name: "ProfilesService",
            methods: &[Method::unary(
                "Export",
                &collector::EXPORT_PROFILES_SERVICE_REQUEST,
                &collector::EXPORT_PROFILES_SERVICE_RESPONSE,
            )],
        }],
        ..File::empty(
            "opentelemetry/proto/collector/profiles/v1development/profiles_service.proto",
            collector::PROFILES,
        )
    },
    File {
        messages: &[&grpc::HEALTH_CHECK_REQUEST, &grpc::HEALTH_CHECK_RESPONSE],
        enumerations: &[&grpc::HEALTH_CHECK_RESPONSE_SERVING_STATUS],
        services: &[Service {
            name: "Health",
            methods: &[
                Method::unary("Check", &grpc::HEALTH_CHECK_REQUEST, &grpc::HEALTH_CHECK_RESPONSE),
                Method {
                    name: "Watch",
                    input: &grpc::HEALTH_CHECK_REQUEST,
                    output: &grpc::HEALTH_CHECK_RESPONSE,
                    client_streams: false,
                    server_streams: true,
                },
            ],
        }],
        ..File::empty("grpc/health/v1/health.proto", grpc::HEALTH)
    },
    File {
        messages: grpc::reflection_v1::MESSAGES,
        services: grpc::reflection_v1::SERVICES,
        ..File::empty("grpc/reflection/v1/reflection.proto", grpc::reflection_v1::PACKAGE)
    },
    File {
        messages: grpc::reflection_v1alpha::MESSAGES,
        services: grpc::reflection_v1alpha::SERVICES,
        ..File::empty("grpc/reflection/v1alpha/reflection.proto", grpc::reflection_v1alpha::PACKAGE)
    },
];
