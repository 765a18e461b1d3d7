//! gRPC: the messages of the health and reflection services.

use super::Message;
use super::field::{Enumeration, Kind::*, choice, many, one};
use super::file::{Method, Service};

pub(super) const HEALTH: &str = "grpc.health.v1";

pub(super) static HEALTH_CHECK_REQUEST: Message =
    Message::new(HEALTH, "HealthCheckRequest", &[one(1, "service", "service", String)]);

pub(super) static HEALTH_CHECK_RESPONSE: Message = Message::new(
    HEALTH,
    "HealthCheckResponse",
    &[one(1, "status", "status", Enum(&HEALTH_CHECK_RESPONSE_SERVING_STATUS))],
);

pub(super) static HEALTH_CHECK_RESPONSE_SERVING_STATUS: Enumeration = Enumeration {
    package: HEALTH,
    name: "HealthCheckResponse.ServingStatus",
    values: &[(0, "UNKNOWN"), (1, "SERVING"), (2, "NOT_SERVING"), (3, "SERVICE_UNKNOWN")],
};

/// The reflection protocol has two packages with the same messages.
macro_rules! reflection {
    ($module:ident, $package:literal) => {
        pub(super) mod $module {
            use super::*;

            pub(in crate::schema) const PACKAGE: &str = $package;

            pub(in crate::schema) static MESSAGES: &[&Message] = &[
                &SERVER_REFLECTION_REQUEST,
                &EXTENSION_REQUEST,
                &SERVER_REFLECTION_RESPONSE,
                &FILE_DESCRIPTOR_RESPONSE,
                &EXTENSION_NUMBER_RESPONSE,
                &LIST_SERVICE_RESPONSE,
                &SERVICE_RESPONSE,
                &ERROR_RESPONSE,
            ];

            pub(in crate::schema) static SERVICES: &[Service] = &[Service {
                name: "ServerReflection",
                methods: &[Method {
                    name: "ServerReflectionInfo",
                    input: &SERVER_REFLECTION_REQUEST,
                    output: &SERVER_REFLECTION_RESPONSE,
                    client_streams: true,
                    server_streams: true,
                }],
            }];

            static SERVER_REFLECTION_REQUEST: Message = Message::new(
                PACKAGE,
                "ServerReflectionRequest",
                &[
                    one(1, "host", "host", String),
                    choice(ASKED, 3, "file_by_filename", "fileByFilename", String),
                    choice(ASKED, 4, "file_containing_symbol", "fileContainingSymbol", String),
                    choice(
                        ASKED,
                        5,
                        "file_containing_extension",
                        "fileContainingExtension",
                        Message(&EXTENSION_REQUEST),
                    ),
                    choice(
                        ASKED,
                        6,
                        "all_extension_numbers_of_type",
                        "allExtensionNumbersOfType",
                        String,
                    ),
                    choice(ASKED, 7, "list_services", "listServices", String),
                ],
            );

            static EXTENSION_REQUEST: Message = Message::new(
                PACKAGE,
                "ExtensionRequest",
                &[
                    one(1, "containing_type", "containingType", String),
                    one(2, "extension_number", "extensionNumber", Int32),
                ],
            );

            static SERVER_REFLECTION_RESPONSE: Message = Message::new(
                PACKAGE,
                "ServerReflectionResponse",
                &[
                    one(1, "valid_host", "validHost", String),
                    one(
                        2,
                        "original_request",
                        "originalRequest",
                        Message(&SERVER_REFLECTION_REQUEST),
                    ),
                    choice(
                        ANSWER,
                        4,
                        "file_descriptor_response",
                        "fileDescriptorResponse",
                        Message(&FILE_DESCRIPTOR_RESPONSE),
                    ),
                    choice(
                        ANSWER,
                        5,
                        "all_extension_numbers_response",
                        "allExtensionNumbersResponse",
                        Message(&EXTENSION_NUMBER_RESPONSE),
                    ),
                    choice(
                        ANSWER,
                        6,
                        "list_services_response",
                        "listServicesResponse",
                        Message(&LIST_SERVICE_RESPONSE),
                    ),
                    choice(ANSWER, 7, "error_response", "errorResponse", Message(&ERROR_RESPONSE)),
                ],
            );

            static FILE_DESCRIPTOR_RESPONSE: Message = Message::new(
                PACKAGE,
                "FileDescriptorResponse",
                &[many(1, "file_descriptor_proto", "fileDescriptorProto", Bytes)],
            );

            static EXTENSION_NUMBER_RESPONSE: Message = Message::new(
                PACKAGE,
                "ExtensionNumberResponse",
                &[
                    one(1, "base_type_name", "baseTypeName", String),
                    many(2, "extension_number", "extensionNumber", Int32),
                ],
            );

            static LIST_SERVICE_RESPONSE: Message = Message::new(
                PACKAGE,
                "ListServiceResponse",
                &[many(1, "service", "service", Message(&SERVICE_RESPONSE))],
            );

            static SERVICE_RESPONSE: Message =
                Message::new(PACKAGE, "ServiceResponse", &[one(1, "name", "name", String)]);

            static ERROR_RESPONSE: Message = Message::new(
                PACKAGE,
                "ErrorResponse",
                &[
                    one(1, "error_code", "errorCode", Int32),
                    one(2, "error_message", "errorMessage", String),
                ],
            );
        }
    };
}

const ASKED: &str = "message_request";
const ANSWER: &str = "message_response";

reflection!(reflection_v1, "grpc.reflection.v1");
reflection!(reflection_v1alpha, "grpc.reflection.v1alpha");
