//! Health: the messages of `grpc.health.v1.Health`.

use bytes::Bytes;

use crate::protobuf::{self, Fault, Fields};

/// How a service is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Serving {
    Serving,
    NotServing,
    /// Only in answers of `Watch`; `Check` fails with "not found" instead.
    ServiceUnknown,
}

const SERVICE: u32 = 1;
const STATUS: u32 = 1;

/// The service that a `HealthCheckRequest` asks for; empty for the whole server.
pub fn health_service(request: &[u8]) -> Result<String, Fault> {
    let mut service = "";
    let mut fields = Fields::of(request);
    while let Some(field) = fields.next_field() {
        let field = field?;
        if let (SERVICE, Some(name)) = (field.number, field.bytes()) {
            service = std::str::from_utf8(name).map_err(|_| Fault::NotUtf8)?;
        }
    }
    Ok(service.to_owned())
}

/// A `HealthCheckResponse`.
#[must_use]
pub fn health_response(serving: Serving) -> Bytes {
    let status = match serving {
        Serving::Serving => 1,
        Serving::NotServing => 2,
        Serving::ServiceUnknown => 3,
    };
    let mut out = Vec::with_capacity(2);
    protobuf::put_varint_field(&mut out, STATUS, status);
    out.into()
}
