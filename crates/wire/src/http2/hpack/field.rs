//! Field: one line of a header list, checked once, when it enters a table.

use bytes::Bytes;
use http::{HeaderName, HeaderValue};

/// What a table charges for an entry beside its text (RFC 7541, section 4.1).
const ENTRY_BYTES: usize = 32;

/// A name and a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::http2) enum Field {
    Pseudo(Pseudo, HeaderValue),
    Header(HeaderName, HeaderValue),
    /// What HTTP does not allow. It has its place in a table all the same.
    Malformed(Bytes, Bytes),
}

/// The names that are part of HTTP/2 itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::http2) enum Pseudo {
    Authority,
    Method,
    Path,
    Scheme,
    Status,
}

impl Pseudo {
    pub(in crate::http2) fn name(self) -> &'static str {
        match self {
            Self::Authority => ":authority",
            Self::Method => ":method",
            Self::Path => ":path",
            Self::Scheme => ":scheme",
            Self::Status => ":status",
        }
    }

    fn from_name(name: &[u8]) -> Option<Self> {
        [Self::Authority, Self::Method, Self::Path, Self::Scheme, Self::Status]
            .into_iter()
            .find(|pseudo| pseudo.name().as_bytes() == name)
    }
}

impl Field {
    /// A field as it came; names are in lower case, or malformed.
    pub(super) fn new(name: Bytes, value: Bytes) -> Self {
        let Ok(text) = HeaderValue::from_maybe_shared(value.clone()) else {
            return Self::Malformed(name, value);
        };
        if let Some(pseudo) = Pseudo::from_name(&name) {
            return Self::Pseudo(pseudo, text);
        }
        match HeaderName::from_lowercase(&name) {
            Ok(name) => Self::Header(name, text),
            Err(_) => Self::Malformed(name, value),
        }
    }

    /// The same name with another value.
    pub(super) fn with_value(&self, value: Bytes) -> Self {
        let name = match self {
            Self::Malformed(name, _) => return Self::new(name.clone(), value),
            Self::Pseudo(..) | Self::Header(..) => self,
        };
        match (HeaderValue::from_maybe_shared(value.clone()), name) {
            (Ok(value), Self::Pseudo(pseudo, _)) => Self::Pseudo(*pseudo, value),
            (Ok(value), Self::Header(name, _)) => Self::Header(name.clone(), value),
            _ => Self::Malformed(Bytes::copy_from_slice(self.name()), value),
        }
    }

    pub(super) fn name(&self) -> &[u8] {
        match self {
            Self::Pseudo(pseudo, _) => pseudo.name().as_bytes(),
            Self::Header(name, _) => name.as_str().as_bytes(),
            Self::Malformed(name, _) => name,
        }
    }

    pub(super) fn value(&self) -> &[u8] {
        match self {
            Self::Pseudo(_, value) | Self::Header(_, value) => value.as_bytes(),
            Self::Malformed(_, value) => value,
        }
    }

    /// What it counts for in tables and lists.
    pub(in crate::http2) fn bytes(&self) -> usize {
        self.name().len() + self.value().len() + ENTRY_BYTES
    }
}
