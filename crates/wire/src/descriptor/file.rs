//! File: a `FileDescriptorProto`, made from the schema table.

use crate::nest;
use crate::protobuf::{put_bytes_field, put_varint_field};
use crate::schema::{Enumeration, Field, File, Kind, Message, Method, Presence, Service};

// google.protobuf.FileDescriptorProto
const FILE_NAME: u32 = 1;
const FILE_PACKAGE: u32 = 2;
const FILE_DEPENDENCY: u32 = 3;
const FILE_MESSAGE: u32 = 4;
const FILE_ENUM: u32 = 5;
const FILE_SERVICE: u32 = 6;
const FILE_SYNTAX: u32 = 12;
// DescriptorProto
const MESSAGE_NAME: u32 = 1;
const MESSAGE_FIELD: u32 = 2;
const MESSAGE_NESTED: u32 = 3;
const MESSAGE_ENUM: u32 = 4;
const MESSAGE_ONEOF: u32 = 8;
// FieldDescriptorProto
const FIELD_NAME: u32 = 1;
const FIELD_NUMBER: u32 = 3;
const FIELD_LABEL: u32 = 4;
const FIELD_TYPE: u32 = 5;
const FIELD_TYPE_NAME: u32 = 6;
const FIELD_ONEOF_INDEX: u32 = 9;
const FIELD_JSON_NAME: u32 = 10;
const FIELD_PROTO3_OPTIONAL: u32 = 17;
const LABEL_OPTIONAL: u64 = 1;
const LABEL_REPEATED: u64 = 3;
// OneofDescriptorProto, EnumDescriptorProto, EnumValueDescriptorProto, ServiceDescriptorProto
const NAME: u32 = 1;
const ENUM_VALUE: u32 = 2;
const VALUE_NUMBER: u32 = 2;
const SERVICE_METHOD: u32 = 2;
// MethodDescriptorProto
const METHOD_INPUT: u32 = 2;
const METHOD_OUTPUT: u32 = 3;
const METHOD_CLIENT_STREAMING: u32 = 5;
const METHOD_SERVER_STREAMING: u32 = 6;

/// The descriptor of a file.
pub(super) fn describe(file: &File) -> Vec<u8> {
    let mut out = Vec::with_capacity(4096);
    put_text(&mut out, FILE_NAME, file.path);
    put_text(&mut out, FILE_PACKAGE, file.package);
    for import in file.imports {
        put_text(&mut out, FILE_DEPENDENCY, import);
    }
    for message in file.messages.iter().filter(|message| parent(message.name).is_none()) {
        nested(&mut out, FILE_MESSAGE, |out| put_message(out, file, message));
    }
    for one in file.enumerations.iter().filter(|one| parent(one.name).is_none()) {
        nested(&mut out, FILE_ENUM, |out| put_enumeration(out, one));
    }
    for service in file.services {
        nested(&mut out, FILE_SERVICE, |out| put_service(out, service));
    }
    put_text(&mut out, FILE_SYNTAX, "proto3");
    out
}

fn put_message(out: &mut Vec<u8>, file: &File, message: &Message) {
    put_text(out, MESSAGE_NAME, own_name(message.name));
    let oneofs = oneofs(message);
    for field in message.fields {
        nested(out, MESSAGE_FIELD, |out| put_field(out, field, &oneofs));
    }
    for inner in file.messages.iter().filter(|inner| parent(inner.name) == Some(message.name)) {
        nested(out, MESSAGE_NESTED, |out| put_message(out, file, inner));
    }
    for inner in file.enumerations.iter().filter(|inner| parent(inner.name) == Some(message.name)) {
        nested(out, MESSAGE_ENUM, |out| put_enumeration(out, inner));
    }
    for oneof in &oneofs {
        nested(out, MESSAGE_ONEOF, |out| put_text(out, NAME, oneof));
    }
}

/// The oneofs of a message; behind them one for each `optional` field, as protoc makes them.
fn oneofs(message: &Message) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for name in message.fields.iter().filter_map(Field::oneof) {
        if !names.iter().any(|known| known == name) {
            names.push(name.to_owned());
        }
    }
    names.extend(message.fields.iter().filter_map(optional_oneof));
    names
}

fn optional_oneof(field: &Field) -> Option<String> {
    (field.presence == Presence::Explicit).then(|| format!("_{}", field.name))
}

fn put_field(out: &mut Vec<u8>, field: &Field, oneofs: &[String]) {
    put_text(out, FIELD_NAME, field.name);
    put_varint_field(out, FIELD_NUMBER, field.number.into());
    let label = if field.is_repeated() { LABEL_REPEATED } else { LABEL_OPTIONAL };
    put_varint_field(out, FIELD_LABEL, label);
    put_varint_field(out, FIELD_TYPE, type_number(field.kind));
    match field.kind {
        Kind::Message(message) => put_type_name(out, FIELD_TYPE_NAME, &message.full_name()),
        Kind::Enum(one) => put_type_name(out, FIELD_TYPE_NAME, &one.full_name()),
        _ => {}
    }
    let oneof = field.oneof().map(str::to_owned).or_else(|| optional_oneof(field));
    if let Some(at) = oneofs.iter().position(|known| Some(known) == oneof.as_ref()) {
        put_varint_field(out, FIELD_ONEOF_INDEX, at as u64);
    }
    put_text(out, FIELD_JSON_NAME, field.json_name);
    if field.presence == Presence::Explicit {
        put_varint_field(out, FIELD_PROTO3_OPTIONAL, 1);
    }
}

/// The number of `FieldDescriptorProto.Type`.
const fn type_number(kind: Kind) -> u64 {
    match kind {
        Kind::Double => 1,
        Kind::Int64 => 3,
        Kind::Uint64 => 4,
        Kind::Int32 | Kind::Index(_) => 5,
        Kind::Fixed64 => 6,
        Kind::Fixed32 => 7,
        Kind::Bool => 8,
        Kind::String => 9,
        Kind::Message(_) => 11,
        Kind::Bytes | Kind::Id(_) => 12,
        Kind::Uint32 => 13,
        Kind::Enum(_) => 14,
        Kind::Sfixed64 => 16,
        Kind::Sint32 => 17,
    }
}

fn put_enumeration(out: &mut Vec<u8>, enumeration: &Enumeration) {
    put_text(out, NAME, own_name(enumeration.name));
    for (number, name) in enumeration.values {
        nested(out, ENUM_VALUE, |out| {
            put_text(out, NAME, name);
            put_varint_field(out, VALUE_NUMBER, i64::from(*number) as u64);
        });
    }
}

fn put_service(out: &mut Vec<u8>, service: &Service) {
    put_text(out, NAME, service.name);
    for method in service.methods {
        nested(out, SERVICE_METHOD, |out| put_method(out, method));
    }
}

fn put_method(out: &mut Vec<u8>, method: &Method) {
    put_text(out, NAME, method.name);
    put_type_name(out, METHOD_INPUT, &method.input.full_name());
    put_type_name(out, METHOD_OUTPUT, &method.output.full_name());
    if method.client_streams {
        put_varint_field(out, METHOD_CLIENT_STREAMING, 1);
    }
    if method.server_streams {
        put_varint_field(out, METHOD_SERVER_STREAMING, 1);
    }
}

fn nested(out: &mut Vec<u8>, number: u32, write: impl FnOnce(&mut Vec<u8>)) {
    let opened = nest::open(out, number);
    write(out);
    nest::close(out, opened);
}

fn put_text(out: &mut Vec<u8>, number: u32, text: &str) {
    put_bytes_field(out, number, text.as_bytes());
}

fn put_type_name(out: &mut Vec<u8>, number: u32, full_name: &str) {
    put_text(out, number, &format!(".{full_name}"));
}

/// The type that a nested type stands in.
fn parent(name: &str) -> Option<&str> {
    name.rsplit_once('.').map(|(parent, _)| parent)
}

fn own_name(name: &str) -> &str {
    name.rsplit('.').next().unwrap_or(name)
}
