use std::collections::BTreeMap;

use prost::Message as _;
use prost_types::{DescriptorProto, FileDescriptorProto, FileDescriptorSet};

use super::*;
use crate::protobuf::{self, Fault};
use crate::schema::FILES;
use crate::{Signal, nest};

/// A reflection request as an independent library sees it.
#[derive(Clone, PartialEq, prost::Message)]
struct Request {
    #[prost(string, tag = "1")]
    host: String,
    #[prost(string, optional, tag = "3")]
    file_by_filename: Option<String>,
    #[prost(string, optional, tag = "4")]
    file_containing_symbol: Option<String>,
    #[prost(bytes = "vec", optional, tag = "5")]
    file_containing_extension: Option<Vec<u8>>,
    #[prost(string, optional, tag = "6")]
    all_extension_numbers_of_type: Option<String>,
    #[prost(string, optional, tag = "7")]
    list_services: Option<String>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Response {
    #[prost(string, tag = "1")]
    valid_host: String,
    #[prost(message, optional, tag = "2")]
    original_request: Option<Request>,
    #[prost(message, optional, tag = "4")]
    files: Option<Files>,
    #[prost(message, optional, tag = "5")]
    extensions: Option<Named>,
    #[prost(message, optional, tag = "6")]
    services: Option<Services>,
    #[prost(message, optional, tag = "7")]
    error: Option<Refused>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Files {
    #[prost(message, repeated, tag = "1")]
    files: Vec<FileInBytes>,
}

/// `bytes` and an embedded message look the same on the wire.
type FileInBytes = FileDescriptorProto;

#[derive(Clone, PartialEq, prost::Message)]
struct Services {
    #[prost(message, repeated, tag = "1")]
    services: Vec<Named>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Named {
    #[prost(string, tag = "1")]
    name: String,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Refused {
    #[prost(int32, tag = "1")]
    code: i32,
    #[prost(string, tag = "2")]
    message: String,
}

fn ask(request: Request) -> Response {
    let answered = answer(&request.encode_to_vec(), &Signal::ALL).unwrap();
    let response = Response::decode(answered).unwrap();
    assert_eq!(response.original_request, Some(request));
    response
}

fn symbol(name: &str) -> Request {
    Request { file_containing_symbol: Some(name.to_owned()), ..Request::default() }
}

fn file(name: &str) -> Request {
    Request { file_by_filename: Some(name.to_owned()), ..Request::default() }
}

/// Takes away what is no part of the types: options, comments, reserved numbers.
fn stripped(mut file: FileDescriptorProto) -> FileDescriptorProto {
    fn strip(message: &mut DescriptorProto) {
        message.reserved_range.clear();
        message.nested_type.iter_mut().for_each(strip);
        for field in &mut message.field {
            field.options = None;
        }
    }
    file.options = None;
    file.source_code_info = None;
    file.message_type.iter_mut().for_each(strip);
    for method in file.service.iter_mut().flat_map(|service| &mut service.method) {
        // protoc writes `{}` behind a method as empty options.
        method.options = None;
    }
    file
}

#[test]
fn descriptors_are_those_of_protoc() {
    let set = FileDescriptorSet::decode(opentelemetry_proto::DESCRIPTORS).unwrap();
    let published: BTreeMap<_, _> =
        set.file.into_iter().map(|file| (file.name().to_owned(), stripped(file))).collect();
    let mut checked = 0;
    for file in FILES.iter().filter(|file| file.package.starts_with("opentelemetry.")) {
        let ours = FileDescriptorProto::decode(file::describe(file).as_slice()).unwrap();
        assert_eq!(ours, published[file.path], "{}", file.path);
        checked += 1;
    }
    assert_eq!(checked, 10);
}

#[test]
fn answers_with_a_file_and_all_it_imports() {
    let response = ask(file("opentelemetry/proto/collector/logs/v1/logs_service.proto"));
    let files = response.files.unwrap().files;
    let names: Vec<_> = files.iter().map(|file| file.name().rsplit('/').next().unwrap()).collect();
    assert_eq!(names, ["logs_service.proto", "logs.proto", "common.proto", "resource.proto"]);
}

#[test]
fn finds_the_file_of_a_symbol() {
    for (name, expected) in [
        ("opentelemetry.proto.collector.trace.v1.TraceService", "trace_service.proto"),
        ("opentelemetry.proto.collector.trace.v1.TraceService.Export", "trace_service.proto"),
        (".opentelemetry.proto.trace.v1.Span.Event", "trace.proto"),
        ("opentelemetry.proto.trace.v1.Span.SpanKind", "trace.proto"),
        ("opentelemetry.proto.trace.v1.Span.Event.name", "trace.proto"),
        ("opentelemetry.proto.common.v1.AnyValue", "common.proto"),
        ("grpc.health.v1.Health", "health.proto"),
        ("grpc.reflection.v1alpha.ServerReflection", "reflection.proto"),
    ] {
        let files = ask(symbol(name)).files.expect(name).files;
        assert_eq!(files[0].name().rsplit('/').next(), Some(expected), "{name}");
    }
}

#[test]
fn lists_the_services_of_the_signals_it_takes() {
    let request = Request { list_services: Some("*".to_owned()), ..Request::default() };
    let list = |signals: &[Signal]| {
        let answered = answer(&request.encode_to_vec(), signals).unwrap();
        let services = Response::decode(answered).unwrap().services.unwrap().services;
        services.into_iter().map(|service| service.name).collect::<Vec<_>>()
    };
    let always = [
        "grpc.health.v1.Health",
        "grpc.reflection.v1.ServerReflection",
        "grpc.reflection.v1alpha.ServerReflection",
    ];
    assert_eq!(list(&[]), always);
    let metrics = "opentelemetry.proto.collector.metrics.v1.MetricsService";
    assert_eq!(list(&[Signal::Metrics]), [&[metrics][..], &always].concat());
    assert_eq!(list(&Signal::ALL).len(), 7);
}

#[test]
fn every_listed_service_has_a_descriptor() {
    let request = Request { list_services: Some(String::new()), ..Request::default() };
    for service in ask(request).services.unwrap().services {
        let files = ask(symbol(&service.name)).files.unwrap().files;
        let name = service.name.rsplit('.').next().unwrap();
        assert!(files[0].service.iter().any(|known| known.name() == name), "{name}");
    }
}

#[test]
fn there_are_no_extensions() {
    let known = "opentelemetry.proto.trace.v1.Span".to_owned();
    let numbers = |name: String| {
        ask(Request { all_extension_numbers_of_type: Some(name), ..Request::default() })
    };
    assert_eq!(numbers(known.clone()).extensions, Some(Named { name: known }));
    assert_eq!(numbers("no.Such".to_owned()).error.unwrap().code, 5);
    let extension = Request { file_containing_extension: Some(Vec::new()), ..Request::default() };
    assert_eq!(ask(extension).error.unwrap().code, 5);
}

#[test]
fn refuses_what_it_does_not_know() {
    for request in [
        file("nowhere.proto"),
        symbol("opentelemetry.proto.trace.v1"),
        symbol("opentelemetry.proto.trace.v1.Nothing"),
        symbol("opentelemetry.proto.trace.v1.Span.Event.Nothing"),
        symbol(""),
    ] {
        assert_eq!(ask(request).error.unwrap().code, 5);
    }
    let hosted = Request { host: "here".to_owned(), ..Request::default() };
    let response = ask(hosted);
    assert_eq!((response.valid_host.as_str(), response.error.unwrap().code), ("here", 3));
}

#[test]
fn malformed_requests_are_faults() {
    let none = &Signal::ALL;
    assert_eq!(answer(b"\x1a\x05ab", none), Err(Fault::LengthPastEnd));
    assert_eq!(answer(b"\x1a\x01\xff", none), Err(Fault::NotUtf8));
    assert_eq!(answer(&[0; REQUEST_BYTES_MAX + 1], none), Err(Fault::TooLarge));
    assert_eq!(health_service(b"\x0a\x01\xff"), Err(Fault::NotUtf8));
    assert_eq!(health_service(b"\x0a"), Err(Fault::Truncated));
}

#[test]
fn health_messages_are_those_of_the_protocol() {
    let mut request = Vec::new();
    assert_eq!(health_service(&request).as_deref(), Ok(""));
    protobuf::put_bytes_field(&mut request, 1, b"a.B");
    assert_eq!(health_service(&request).as_deref(), Ok("a.B"));
    let opened = nest::open(&mut request, 9);
    nest::close(&mut request, opened);
    assert_eq!(health_service(&request).as_deref(), Ok("a.B"));
    for (serving, number) in
        [(Serving::Serving, 1), (Serving::NotServing, 2), (Serving::ServiceUnknown, 3)]
    {
        assert_eq!(health_response(serving).as_ref(), [8, number]);
    }
}

proptest::proptest! {
    #[test]
    fn any_bytes_are_answered_or_refused(bytes: Vec<u8>, name: String) {
        for request in [bytes, symbol(&name).encode_to_vec(), file(&name).encode_to_vec()] {
            if let Ok(answered) = answer(&request, &[Signal::Logs]) {
                let echoed = protobuf::Fields::of(&answered).find(|field| field.number == 2);
                assert_eq!(echoed.and_then(|field| field.bytes()), Some(request.as_slice()));
            }
        }
    }
}
