//! Context: what travels beside a payload.

use std::fmt;
use std::sync::Arc;

/// What the client sent beside its payload, and who it is.
#[derive(Clone, Debug, Default)]
pub struct Context {
    pub metadata: Metadata,
    /// The peer's address, without the port.
    pub peer: Option<Arc<str>>,
    /// What the server's authenticator found out about the client: `auth.subject` and the like.
    pub identity: Metadata,
    /// The W3C `tracestate` that came with the client's span.
    pub trace_state: Option<Arc<str>>,
}

/// Keys in lower case and their values, as gRPC metadata or HTTP headers carry them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Metadata {
    /// In the order of their keys.
    entries: Option<Arc<[Entry]>>,
}

/// A key and its values.
type Entry = (String, Vec<String>);

/// The W3C trace context of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SpanContext {
    pub trace_id: [u8; 16],
    pub span_id: [u8; 8],
    pub flags: u8,
}

impl Metadata {
    /// The values of `key`, which is matched without case.
    #[must_use]
    pub fn values(&self, key: &str) -> &[String] {
        let entries = self.entries();
        let wanted = || key.bytes().map(|byte| byte.to_ascii_lowercase());
        let found = entries.binary_search_by(|(other, _)| other.bytes().cmp(wanted()));
        found.map_or(&[], |index| &entries[index].1)
    }

    /// The first value of `key`.
    #[must_use]
    pub fn first(&self, key: &str) -> Option<&str> {
        self.values(key).first().map(String::as_str)
    }

    /// All keys and values.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[String])> {
        self.entries().iter().map(|(key, values)| (key.as_str(), values.as_slice()))
    }

    /// Only the entries of `keys`.
    #[must_use]
    pub fn only(&self, keys: &[String]) -> Self {
        let is_kept = |(key, _): &&Entry| keys.iter().any(|kept| kept.eq_ignore_ascii_case(key));
        if self.entries().iter().all(|entry| is_kept(&entry)) {
            return self.clone();
        }
        Self::of(self.entries().iter().filter(is_kept).cloned().collect())
    }

    fn of(entries: Vec<Entry>) -> Self {
        Self { entries: (!entries.is_empty()).then(|| entries.into()) }
    }

    fn entries(&self) -> &[Entry] {
        self.entries.as_deref().unwrap_or_default()
    }
}

impl FromIterator<(String, String)> for Metadata {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(pairs: I) -> Self {
        let mut pairs: Vec<_> = pairs.into_iter().collect();
        pairs.iter_mut().for_each(|(key, _)| key.make_ascii_lowercase());
        // The values of a key keep their order.
        pairs.sort_by(|(one, _), (other, _)| one.cmp(other));
        let mut entries = Vec::<Entry>::with_capacity(pairs.len());
        for (key, value) in pairs {
            match entries.last_mut() {
                Some((last, values)) if *last == key => values.push(value),
                _ => entries.push((key, vec![value])),
            }
        }
        Self::of(entries)
    }
}

impl SpanContext {
    /// The flag of a trace that is recorded.
    pub const SAMPLED: u8 = 1;

    /// Whether the trace is recorded.
    #[must_use]
    pub fn is_sampled(&self) -> bool {
        self.flags & Self::SAMPLED != 0
    }

    /// Reads a `traceparent` header (W3C Trace Context, section 3.2).
    #[must_use]
    pub fn from_traceparent(text: &str) -> Option<Self> {
        let mut fields = text.trim().split('-');
        let version = hex::<1>(fields.next()?)?;
        let trace_id = hex::<16>(fields.next()?)?;
        let span_id = hex::<8>(fields.next()?)?;
        let flags = hex::<1>(fields.next()?)?[0];
        let is_known = version[0] != 0xff && (version[0] != 0 || fields.next().is_none());
        let is_valid = trace_id != [0; 16] && span_id != [0; 8];
        (is_known && is_valid).then_some(Self { trace_id, span_id, flags })
    }
}

impl fmt::Display for SpanContext {
    /// Writes it as a `traceparent` header.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let trace_id = u128::from_be_bytes(self.trace_id);
        let span_id = u64::from_be_bytes(self.span_id);
        write!(f, "00-{trace_id:032x}-{span_id:016x}-{:02x}", self.flags)
    }
}

fn hex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let is_lower_hex = |c: u8| c.is_ascii_digit() || (b'a'..=b'f').contains(&c);
    if text.len() != 2 * N || !text.bytes().all(is_lower_hex) {
        return None;
    }
    let mut bytes = [0; N];
    for (index, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&text[2 * index..2 * index + 2], 16).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests;
