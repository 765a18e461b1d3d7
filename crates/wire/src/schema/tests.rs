use std::collections::BTreeMap;

use prost::Message as _;
use prost_types::field_descriptor_proto::{Label, Type};
use prost_types::{DescriptorProto, EnumDescriptorProto, FieldDescriptorProto, FileDescriptorSet};

use super::field::{Field, Kind, Presence, Table};
use super::*;
use crate::Signal;

/// What protoc says about a field, in the words of the table.
fn describe_published(parent: &DescriptorProto, field: &FieldDescriptorProto) -> String {
    let repeated = field.label() == Label::Repeated;
    let presence = match field.oneof_index {
        _ if repeated => "repeated".to_owned(),
        Some(_) if field.proto3_optional() => "optional".to_owned(),
        Some(at) => format!("oneof {}", parent.oneof_decl[at as usize].name()),
        None => "one".to_owned(),
    };
    let kind = match field.r#type() {
        Type::Message | Type::Enum => field.type_name().trim_start_matches('.').to_owned(),
        scalar => format!("{scalar:?}").to_lowercase(),
    };
    format!("{presence} {} {}/{} {kind}", field.number(), field.name(), field.json_name())
}

fn describe_ours(field: &Field) -> String {
    let presence = match field.presence {
        Presence::Implicit => "one".to_owned(),
        Presence::Explicit => "optional".to_owned(),
        Presence::OneOf(name) => format!("oneof {name}"),
        Presence::Repeated => "repeated".to_owned(),
    };
    let kind = match field.kind {
        Kind::Message(message) => message.full_name(),
        Kind::Enum(enumeration) => enumeration.full_name(),
        Kind::Id(_) => "bytes".to_owned(),
        Kind::Index(_) => "int32".to_owned(),
        scalar => format!("{scalar:?}").to_lowercase(),
    };
    format!("{presence} {} {}/{} {kind}", field.number, field.name, field.json_name)
}

type Messages = BTreeMap<String, Vec<String>>;
type Enumerations = BTreeMap<String, Vec<(i32, String)>>;

fn collect(prefix: &str, message: &DescriptorProto, into: &mut (Messages, Enumerations)) {
    let name = format!("{prefix}.{}", message.name());
    let fields = message.field.iter().map(|field| describe_published(message, field)).collect();
    into.0.insert(name.clone(), fields);
    for nested in &message.nested_type {
        collect(&name, nested, into);
    }
    for nested in &message.enum_type {
        collect_enumeration(&name, nested, into);
    }
}

fn collect_enumeration(
    prefix: &str,
    published: &EnumDescriptorProto,
    into: &mut (Messages, Enumerations),
) {
    let values = published.value.iter().map(|value| (value.number(), value.name().to_owned()));
    into.1.insert(format!("{prefix}.{}", published.name()), values.collect());
}

fn published() -> (Messages, Enumerations) {
    let set = FileDescriptorSet::decode(opentelemetry_proto::DESCRIPTORS).unwrap();
    let mut all = (Messages::new(), Enumerations::new());
    for file in set.file.iter().filter(|file| !file.package().contains("tracez")) {
        for message in &file.message_type {
            collect(file.package(), message, &mut all);
        }
        for enumeration in &file.enum_type {
            collect_enumeration(file.package(), enumeration, &mut all);
        }
    }
    all
}

#[test]
fn says_what_protoc_says() {
    let (messages, enumerations) = published();
    let otlp = FILES.iter().filter(|file| file.package.starts_with("opentelemetry."));
    let mut ours = (Messages::new(), Enumerations::new());
    for file in otlp {
        for message in file.messages {
            let fields = message.fields.iter().map(describe_ours).collect();
            ours.0.insert(message.full_name(), fields);
        }
        for enumeration in file.enumerations {
            let values = enumeration.values.iter().map(|(number, name)| (*number, (*name).into()));
            ours.1.insert(enumeration.full_name(), values.collect());
        }
    }
    assert_eq!(ours.0, messages);
    assert_eq!(ours.1, enumerations);
}

#[test]
fn finds_every_field_by_number_and_by_both_names() {
    for message in FILES.iter().flat_map(|file| file.messages) {
        for field in message.fields {
            for found in [
                message.field(field.number),
                message.field_named(field.name),
                message.field_named(field.json_name),
            ] {
                assert!(std::ptr::eq(found.unwrap(), field), "{} {}", message.name, field.name);
            }
        }
    }
}

#[test]
fn knows_no_field_that_is_not_declared() {
    for message in FILES.iter().flat_map(|file| file.messages) {
        for number in (0..=FIELD_NUMBER_MAX + 3).chain([1000, u32::MAX]) {
            let declared = message.fields.iter().any(|field| field.number == number);
            assert_eq!(message.field(number).is_some(), declared, "{} {number}", message.name);
        }
    }
}

#[test]
fn marks_every_dictionary_index() {
    let messages = FILES.iter().flat_map(|file| file.messages);
    for field in messages.flat_map(|message| message.fields) {
        let named_so = ["_strindex", "_index", "_indices"]
            .iter()
            .any(|end| field.name.ends_with(end) && !field.name.starts_with("bucket"));
        assert_eq!(matches!(field.kind, Kind::Index(_)), named_so, "{}", field.name);
    }
    for table in Table::ALL {
        let field = PROFILES_DICTIONARY.field(table.field_number()).unwrap();
        let stem = format!("{table:?}").to_lowercase();
        assert!(field.name.starts_with(stem.trim_end_matches('s')), "{} {stem}", field.name);
    }
}

#[test]
fn marks_every_id() {
    let messages = FILES.iter().flat_map(|file| file.messages);
    for field in messages.flat_map(|message| message.fields) {
        let length = match field.name {
            "trace_id" | "profile_id" => Some(16),
            "span_id" | "parent_span_id" => Some(8),
            _ => None,
        };
        let marked = match field.kind {
            Kind::Id(length) => Some(length),
            _ => None,
        };
        assert_eq!(marked, length, "{}", field.name);
    }
}

#[test]
fn names_the_request_and_response_of_each_signal() {
    for signal in Signal::ALL {
        assert!(request(signal).name.ends_with("ServiceRequest"));
        assert!(response(signal).name.ends_with("ServiceResponse"));
        assert_eq!(request(signal).package, response(signal).package);
    }
    assert_eq!(request(Signal::Traces).package, "opentelemetry.proto.collector.trace.v1");
}
