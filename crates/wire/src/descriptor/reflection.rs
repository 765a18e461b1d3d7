//! Reflection: answers one message of a reflection stream.

use bytes::Bytes;

use super::file::describe;
use crate::protobuf::{self, Fault, Fields};
use crate::schema::{self, FILES, File, Service};
use crate::{Signal, nest};

/// The longest request that is answered: it comes back in the answer.
pub const REQUEST_BYTES_MAX: usize = 4096;

// ServerReflectionRequest
const HOST: u32 = 1;
const FILE_BY_FILENAME: u32 = 3;
const FILE_CONTAINING_SYMBOL: u32 = 4;
const FILE_CONTAINING_EXTENSION: u32 = 5;
const ALL_EXTENSION_NUMBERS_OF_TYPE: u32 = 6;
const LIST_SERVICES: u32 = 7;
// ServerReflectionResponse
const VALID_HOST: u32 = 1;
const ORIGINAL_REQUEST: u32 = 2;
const FILE_DESCRIPTOR_RESPONSE: u32 = 4;
const ALL_EXTENSION_NUMBERS_RESPONSE: u32 = 5;
const LIST_SERVICES_RESPONSE: u32 = 6;
const ERROR_RESPONSE: u32 = 7;
// The answers inside it
const FILE_DESCRIPTOR_PROTO: u32 = 1;
const BASE_TYPE_NAME: u32 = 1;
const SERVICE: u32 = 1;
const SERVICE_NAME: u32 = 1;
const ERROR_CODE: u32 = 1;
const ERROR_MESSAGE: u32 = 2;

const INVALID_ARGUMENT: u64 = 3;
const NOT_FOUND: u64 = 5;

/// Answers a `ServerReflectionRequest` of a server that takes these signals.
pub fn answer(request: &[u8], signals: &[Signal]) -> Result<Bytes, Fault> {
    if REQUEST_BYTES_MAX < request.len() {
        return Err(Fault::TooLarge);
    }
    let (host, question) = read(request)?;
    let mut out = Vec::with_capacity(1024);
    if !host.is_empty() {
        protobuf::put_bytes_field(&mut out, VALID_HOST, host.as_bytes());
    }
    protobuf::put_bytes_field(&mut out, ORIGINAL_REQUEST, request);
    match reply(question, signals) {
        Ok(reply) => protobuf::put_bytes_field(&mut out, reply.field, &reply.content),
        Err(error) => {
            let opened = nest::open(&mut out, ERROR_RESPONSE);
            protobuf::put_varint_field(&mut out, ERROR_CODE, error.code);
            protobuf::put_bytes_field(&mut out, ERROR_MESSAGE, error.message.as_bytes());
            nest::close(&mut out, opened);
        }
    }
    Ok(out.into())
}

/// What is asked: the number of the field, and its text.
type Question<'a> = (u32, &'a str);

struct Reply {
    field: u32,
    content: Vec<u8>,
}

struct Refusal {
    code: u64,
    message: &'static str,
}

fn read(request: &[u8]) -> Result<(&str, Question<'_>), Fault> {
    let mut host = "";
    let mut question = (0, "");
    let mut fields = Fields::of(request);
    while let Some(field) = fields.next_field() {
        let field = field?;
        let Some(bytes) = field.bytes() else { continue };
        match field.number {
            FILE_CONTAINING_EXTENSION => question = (field.number, ""),
            number @ (HOST | FILE_BY_FILENAME..=LIST_SERVICES) => {
                let text = std::str::from_utf8(bytes).map_err(|_| Fault::NotUtf8)?;
                if number == HOST {
                    host = text;
                } else {
                    question = (number, text);
                }
            }
            _ => {}
        }
    }
    Ok((host, question))
}

fn reply((asked, text): Question<'_>, signals: &[Signal]) -> Result<Reply, Refusal> {
    let not_found = |message| Refusal { code: NOT_FOUND, message };
    match asked {
        FILE_BY_FILENAME => {
            let file = FILES.iter().find(|file| file.path == text);
            file.map(with_imports).ok_or_else(|| not_found("no such file"))
        }
        FILE_CONTAINING_SYMBOL => {
            let symbol = text.strip_prefix('.').unwrap_or(text);
            let file = FILES.iter().find(|file| declares(file, symbol));
            file.map(with_imports).ok_or_else(|| not_found("no such symbol"))
        }
        ALL_EXTENSION_NUMBERS_OF_TYPE => {
            let is_known = FILES.iter().any(|file| declares_message(file, text));
            let mut content = Vec::new();
            protobuf::put_bytes_field(&mut content, BASE_TYPE_NAME, text.as_bytes());
            let reply = Reply { field: ALL_EXTENSION_NUMBERS_RESPONSE, content };
            is_known.then_some(reply).ok_or_else(|| not_found("no such type"))
        }
        FILE_CONTAINING_EXTENSION => Err(not_found("there are no extensions")),
        LIST_SERVICES => Ok(services(signals)),
        _ => Err(Refusal { code: INVALID_ARGUMENT, message: "the request asks nothing" }),
    }
}

/// A file and all that it imports, so that a client need not ask again.
fn with_imports(file: &'static File) -> Reply {
    let mut files = vec![file];
    let mut at = 0;
    while let Some(file) = files.get(at).copied() {
        let imported = FILES.iter().filter(|other| file.imports.contains(&other.path));
        let fresh: Vec<_> =
            imported.filter(|other| !files.iter().any(|known| known.path == other.path)).collect();
        files.extend(fresh);
        at += 1;
    }
    let mut content = Vec::with_capacity(16 * 1024);
    for file in files {
        protobuf::put_bytes_field(&mut content, FILE_DESCRIPTOR_PROTO, &describe(file));
    }
    Reply { field: FILE_DESCRIPTOR_RESPONSE, content }
}

/// The services of these signals, health and reflection.
fn services(signals: &[Signal]) -> Reply {
    let is_served = |file: &&File| {
        let request = |signal: &Signal| schema::request(*signal).package;
        let mut packages = Signal::ALL.iter().filter(|signal| !signals.contains(signal));
        !packages.any(|signal| request(signal) == file.package)
    };
    let mut content = Vec::new();
    for file in FILES.iter().filter(is_served) {
        for Service { name, .. } in file.services {
            let opened = nest::open(&mut content, SERVICE);
            let name = format!("{}.{name}", file.package);
            protobuf::put_bytes_field(&mut content, SERVICE_NAME, name.as_bytes());
            nest::close(&mut content, opened);
        }
    }
    Reply { field: LIST_SERVICES_RESPONSE, content }
}

/// Whether a file declares a message, an enum, a service, or a field or method of these.
fn declares(file: &File, symbol: &str) -> bool {
    let Some(name) = in_package(file, symbol) else { return false };
    let (owner, member) = name.rsplit_once('.').unwrap_or(("", name));
    let is_field = || {
        let mut owners = file.messages.iter().filter(|message| message.name == owner);
        owners.any(|message| message.fields.iter().any(|field| field.name == member))
    };
    let is_method = || {
        let mut owners = file.services.iter().filter(|service| service.name == owner);
        owners.any(|service| service.methods.iter().any(|method| method.name == member))
    };
    declares_message(file, symbol)
        || file.enumerations.iter().any(|one| one.name == name)
        || file.services.iter().any(|service| service.name == name)
        || is_field()
        || is_method()
}

fn declares_message(file: &File, symbol: &str) -> bool {
    let name = in_package(file, symbol);
    file.messages.iter().any(|message| Some(message.name) == name)
}

/// The part of a full name behind the file's package.
fn in_package<'a>(file: &File, symbol: &'a str) -> Option<&'a str> {
    symbol.strip_prefix(file.package)?.strip_prefix('.')
}
