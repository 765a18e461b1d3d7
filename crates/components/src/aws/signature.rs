//! Signature: AWS Signature Version 4, of requests whose body is at hand.
//!
//! Pure: keys, place and time come in as arguments.

use std::time::SystemTime;

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::hmac::{HMAC_SHA256, Key, sign};
use http::HeaderMap;
use percent_encoding::{
    AsciiSet, NON_ALPHANUMERIC, percent_decode_str, percent_encode, utf8_percent_encode,
};

use crate::calendar::parse_utc;

/// The name of the algorithm in headers.
pub const ALGORITHM: &str = "AWS4-HMAC-SHA256";

/// What is written as it is.
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
const PATH: &AsciiSet = &UNRESERVED.remove(b'/');

/// What a key is good for: one day, one region, one service.
#[derive(Clone, Copy, Debug)]
pub struct CredentialScope<'a> {
    /// The time of the request as `20150830T123600Z`.
    pub stamp: &'a str,
    pub region: &'a str,
    pub service: &'a str,
}

/// A request in the form in which it is signed.
#[derive(Clone, Debug)]
pub struct Canonical {
    text: String,
    signed_headers: String,
}

impl CredentialScope<'_> {
    fn day(&self) -> &str {
        self.stamp.get(..8).unwrap_or(self.stamp)
    }
}

impl std::fmt::Display for CredentialScope<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}/{}/aws4_request", self.day(), self.region, self.service)
    }
}

impl Canonical {
    /// Takes the headers `names`, in small letters, into the signature.
    #[must_use]
    pub fn new<'a>(
        (method, target): (&str, &str),
        headers: &HeaderMap,
        names: impl IntoIterator<Item = &'a str>,
        body_hash: &str,
    ) -> Self {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let mut names = names.into_iter().collect::<Vec<_>>();
        names.sort_unstable();
        let lines = names.iter().map(|name| format!("{name}:{}\n", value(headers, name)));
        let lines = lines.collect::<String>();
        let signed_headers = names.join(";");
        let (path, query) = (canonical_path(path), canonical_query(query));
        let text = format!("{method}\n{path}\n{query}\n{lines}\n{signed_headers}\n{body_hash}");
        Self { text, signed_headers }
    }

    /// The names of the signed headers, as the `Authorization` header lists them.
    #[must_use]
    pub fn signed_headers(&self) -> &str {
        &self.signed_headers
    }

    /// The signature by `secret`, in hexadecimal digits.
    #[must_use]
    pub fn signature(&self, secret: &str, scope: CredentialScope<'_>) -> String {
        let hash = hash(self.text.as_bytes());
        let text = format!("{ALGORITHM}\n{}\n{scope}\n{hash}", scope.stamp);
        let mut key = mac(format!("AWS4{secret}").as_bytes(), scope.day());
        for part in [scope.region, scope.service, "aws4_request"] {
            key = mac(key.as_ref(), part);
        }
        hex(mac(key.as_ref(), &text).as_ref())
    }

    /// The value of the `Authorization` header.
    #[must_use]
    pub fn authorization(
        &self,
        (access_key_id, secret): (&str, &str),
        scope: CredentialScope<'_>,
    ) -> String {
        let signature = self.signature(secret, scope);
        let headers = &self.signed_headers;
        format!(
            "{ALGORITHM} Credential={access_key_id}/{scope}, SignedHeaders={headers}, \
             Signature={signature}"
        )
    }
}

/// The SHA-256 of a body in hexadecimal digits.
#[must_use]
pub fn hash(body: &[u8]) -> String {
    hex(digest(&SHA256, body).as_ref())
}

/// The time that a request says it was signed at: `20150830T123600Z`.
#[must_use]
pub fn time_of_stamp(stamp: &str) -> Option<SystemTime> {
    parse_utc(stamp)
}

fn mac(key: &[u8], text: &str) -> aws_lc_rs::hmac::Tag {
    sign(&Key::new(HMAC_SHA256, key), text.as_bytes())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// All values of a header, joined, with single blanks.
fn value(headers: &HeaderMap, name: &str) -> String {
    let values = headers.get_all(name).iter().map(|value| {
        let text = String::from_utf8_lossy(value.as_bytes()).into_owned();
        text.split_ascii_whitespace().collect::<Vec<_>>().join(" ")
    });
    values.collect::<Vec<_>>().join(",")
}

/// Without `.`, `..` and doubled slashes, and encoded once more, as all services but S3 want it.
fn canonical_path(path: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    for segment in path.split('/') {
        match segment {
            "" | "." => {}
            ".." => drop(kept.pop()),
            name => kept.push(name),
        }
    }
    let mut plain = format!("/{}", kept.join("/"));
    if path.ends_with('/') && 1 < plain.len() {
        plain.push('/');
    }
    utf8_percent_encode(&plain, PATH).to_string()
}

/// Sorted by name, then by value.
fn canonical_query(query: &str) -> String {
    let encoded = |text: &str| {
        let plain = percent_decode_str(text).collect::<Vec<_>>();
        percent_encode(&plain, UNRESERVED).to_string()
    };
    let parts = query.split('&').filter(|part| !part.is_empty());
    let mut pairs = parts
        .map(|part| {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            (encoded(name), encoded(value))
        })
        .collect::<Vec<_>>();
    pairs.sort();
    let pairs = pairs.iter().map(|(name, value)| format!("{name}={value}"));
    pairs.collect::<Vec<_>>().join("&")
}

#[cfg(test)]
mod tests;
