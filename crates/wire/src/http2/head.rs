//! Heads: header lists as requests, answers and trailers, and the way back (RFC 9113, section 8).
//!
//! Bounds: of a list larger than allowed only what fits is kept. A request with such a list is refused;
//! of an answer, the status is worth more than the rest.

use bytes::Bytes;
use http::uri::{Authority, PathAndQuery, Scheme};
use http::{
    HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header, request, response,
};

use super::hpack::{Field, Pseudo};
use crate::content_length;

/// Fields that speak about a connection of HTTP/1 and have no place here.
const OF_CONNECTIONS: [HeaderName; 5] = [
    header::CONNECTION,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
];

/// A list that is no request, answer or trailers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Malformed;

/// A header list as it is read.
#[derive(Debug)]
pub(super) struct Draft {
    bytes: usize,
    bytes_max: usize,
    is_malformed: bool,
    is_too_large: bool,
    pseudo: [Option<HeaderValue>; 5],
    headers: HeaderMap,
}

impl Draft {
    pub(super) fn new(bytes_max: u32) -> Self {
        Self {
            bytes: 0,
            bytes_max: bytes_max as usize,
            is_malformed: false,
            is_too_large: false,
            pseudo: [const { None }; 5],
            headers: HeaderMap::new(),
        }
    }

    pub(super) fn add(&mut self, field: Field) {
        let bytes = self.bytes.saturating_add(field.bytes());
        if self.bytes_max < bytes {
            self.is_too_large = true;
            return;
        }
        self.bytes = bytes;
        match field {
            Field::Pseudo(pseudo, value) => {
                let is_late = !self.headers.is_empty();
                let before = self.pseudo[pseudo as usize].replace(value);
                self.is_malformed |= is_late || before.is_some();
            }
            Field::Header(name, value) => {
                let is_odd_te = name == header::TE && value != "trailers";
                self.is_malformed |= is_odd_te || OF_CONNECTIONS.contains(&name);
                self.headers.append(name, value);
            }
            Field::Malformed(..) => self.is_malformed = true,
        }
    }

    pub(super) fn is_too_large(&self) -> bool {
        self.is_too_large
    }

    pub(super) fn request(mut self) -> Result<request::Parts, Malformed> {
        let method = self.take(Pseudo::Method).ok_or(Malformed)?;
        let method = Method::from_bytes(method.as_bytes()).map_err(|_| Malformed)?;
        let uri = self.uri(&method)?;
        let headers = self.rest()?;
        let (mut parts, ()) = http::Request::new(()).into_parts();
        (parts.method, parts.uri, parts.headers) = (method, uri, headers);
        parts.version = http::Version::HTTP_2;
        Ok(parts)
    }

    pub(super) fn response(mut self) -> Result<response::Parts, Malformed> {
        let status = self.take(Pseudo::Status).ok_or(Malformed)?;
        let status = StatusCode::from_bytes(status.as_bytes()).map_err(|_| Malformed)?;
        let headers = self.rest()?;
        let (mut parts, ()) = http::Response::new(()).into_parts();
        (parts.status, parts.headers) = (status, headers);
        parts.version = http::Version::HTTP_2;
        Ok(parts)
    }

    pub(super) fn trailers(self) -> Result<HeaderMap, Malformed> {
        self.rest()
    }

    fn uri(&mut self, method: &Method) -> Result<Uri, Malformed> {
        let (scheme, path) = (self.take(Pseudo::Scheme), self.take(Pseudo::Path));
        let authority = self.take(Pseudo::Authority);
        let is_connect = method == Method::CONNECT;
        if [&scheme, &path].into_iter().any(|part| part.is_none() != is_connect) {
            return Err(Malformed);
        }
        let mut parts = http::uri::Parts::default();
        if let Some(authority) = authority.filter(|authority| !authority.is_empty()) {
            parts.authority = Some(parsed(&authority, Authority::from_maybe_shared)?);
            parts.scheme = scheme.map(|scheme| scheme_of(&scheme)).transpose()?;
        }
        parts.path_and_query = match path {
            Some(path) if !path.is_empty() => Some(parsed(&path, PathAndQuery::from_maybe_shared)?),
            Some(_) => return Err(Malformed),
            None => None,
        };
        Uri::from_parts(parts).map_err(|_| Malformed)
    }

    fn take(&mut self, pseudo: Pseudo) -> Option<HeaderValue> {
        self.pseudo[pseudo as usize].take()
    }

    /// The fields, once all pseudo fields that may be there were taken.
    fn rest(self) -> Result<HeaderMap, Malformed> {
        let is_fit = !self.is_malformed && self.pseudo.iter().all(Option::is_none);
        is_fit.then_some(self.headers).ok_or(Malformed)
    }
}

fn parsed<T, E>(text: &HeaderValue, parse: impl Fn(Bytes) -> Result<T, E>) -> Result<T, Malformed> {
    parse(Bytes::copy_from_slice(text.as_bytes())).map_err(|_| Malformed)
}

fn scheme_of(text: &HeaderValue) -> Result<Scheme, Malformed> {
    match text.as_bytes() {
        b"http" => Ok(Scheme::HTTP),
        b"https" => Ok(Scheme::HTTPS),
        other => Scheme::try_from(other).map_err(|_| Malformed),
    }
}

/// The size of the body that the headers declare, if they do.
pub(super) fn declared(headers: &HeaderMap) -> Result<Option<u64>, Malformed> {
    content_length::declared(headers).map_err(|_| Malformed)
}

/// The fields of a request.
pub(super) fn of_request(parts: &request::Parts) -> impl Iterator<Item = Field> {
    let path = parts.uri.path_and_query().map_or("/", PathAndQuery::as_str);
    let authority = parts.uri.authority().map(|authority| authority.as_str());
    let pseudo = [
        (Pseudo::Method, Some(parts.method.as_str())),
        (Pseudo::Scheme, Some(parts.uri.scheme_str().unwrap_or("http"))),
        (Pseudo::Authority, authority),
        (Pseudo::Path, Some(path)),
    ];
    let pseudo = pseudo.into_iter().filter_map(|(pseudo, text)| {
        let value = HeaderValue::from_str(text?);
        Some(Field::Pseudo(
            pseudo,
            value.expect("the parts of a URL and a method are visible text"),
        ))
    });
    pseudo.chain(of_headers(&parts.headers))
}

/// The fields of an answer.
pub(super) fn of_response(parts: &response::Parts) -> impl Iterator<Item = Field> {
    let status = HeaderValue::from(parts.status.as_u16());
    std::iter::once(Field::Pseudo(Pseudo::Status, status)).chain(of_headers(&parts.headers))
}

/// The fields of headers or trailers.
pub(super) fn of_headers(headers: &HeaderMap) -> impl Iterator<Item = Field> {
    let fields = headers.iter().filter(|(name, _)| !OF_CONNECTIONS.contains(name));
    fields.map(|(name, value)| Field::Header(name.clone(), value.clone()))
}
