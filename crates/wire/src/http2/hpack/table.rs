//! Tables: what an index stands for.
//!
//! Bounds: the dynamic table, in bytes as HPACK counts them.

use std::collections::{HashMap, VecDeque};
use std::ops::Range;
use std::sync::LazyLock;

use bytes::Bytes;
use http::HeaderName;

use super::field::{Field, Pseudo};

/// The entries that everybody knows (RFC 7541, appendix A), from index 1.
const STATIC: [(&str, &str); 61] = [
    (":authority", ""),
    (":method", "GET"),
    (":method", "POST"),
    (":path", "/"),
    (":path", "/index.html"),
    (":scheme", "http"),
    (":scheme", "https"),
    (":status", "200"),
    (":status", "204"),
    (":status", "206"),
    (":status", "304"),
    (":status", "400"),
    (":status", "404"),
    (":status", "500"),
    ("accept-charset", ""),
    ("accept-encoding", "gzip, deflate"),
    ("accept-language", ""),
    ("accept-ranges", ""),
    ("accept", ""),
    ("access-control-allow-origin", ""),
    ("age", ""),
    ("allow", ""),
    ("authorization", ""),
    ("cache-control", ""),
    ("content-disposition", ""),
    ("content-encoding", ""),
    ("content-language", ""),
    ("content-length", ""),
    ("content-location", ""),
    ("content-range", ""),
    ("content-type", ""),
    ("cookie", ""),
    ("date", ""),
    ("etag", ""),
    ("expect", ""),
    ("expires", ""),
    ("from", ""),
    ("host", ""),
    ("if-match", ""),
    ("if-modified-since", ""),
    ("if-none-match", ""),
    ("if-range", ""),
    ("if-unmodified-since", ""),
    ("last-modified", ""),
    ("link", ""),
    ("location", ""),
    ("max-forwards", ""),
    ("proxy-authenticate", ""),
    ("proxy-authorization", ""),
    ("range", ""),
    ("referer", ""),
    ("refresh", ""),
    ("retry-after", ""),
    ("server", ""),
    ("set-cookie", ""),
    ("strict-transport-security", ""),
    ("transfer-encoding", ""),
    ("user-agent", ""),
    ("vary", ""),
    ("via", ""),
    ("www-authenticate", ""),
];

static STATIC_FIELDS: LazyLock<Vec<Field>> = LazyLock::new(|| {
    let fields = STATIC.iter().map(|(name, value)| {
        Field::new(Bytes::from_static(name.as_bytes()), Bytes::from_static(value.as_bytes()))
    });
    fields.collect()
});

/// Where the headers stand; each name is there once.
static STATIC_HEADERS: LazyLock<HashMap<HeaderName, usize>> = LazyLock::new(|| {
    let headers = STATIC_FIELDS.iter().zip(1..).filter_map(|(field, index)| match field {
        Field::Header(name, _) => Some((name.clone(), index)),
        Field::Pseudo(..) | Field::Malformed(..) => None,
    });
    headers.collect()
});

/// The indexes that everybody knows for a name.
fn known(field: &Field) -> Range<usize> {
    match field {
        Field::Pseudo(Pseudo::Authority, _) => 1..2,
        Field::Pseudo(Pseudo::Method, _) => 2..4,
        Field::Pseudo(Pseudo::Path, _) => 4..6,
        Field::Pseudo(Pseudo::Scheme, _) => 6..8,
        Field::Pseudo(Pseudo::Status, _) => 8..15,
        Field::Header(name, _) => STATIC_HEADERS.get(name).map_or(0..0, |index| *index..index + 1),
        Field::Malformed(..) => 0..0,
    }
}

/// Where a field was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    Whole(usize),
    Name(usize),
    Nothing,
}

/// The static table and, behind it, what one direction of a connection has added.
#[derive(Debug)]
pub(super) struct Table {
    /// The youngest first.
    entries: VecDeque<Field>,
    bytes: usize,
    bytes_max: usize,
}

impl Table {
    pub(super) fn new(bytes_max: usize) -> Self {
        Self { entries: VecDeque::new(), bytes: 0, bytes_max }
    }

    pub(super) fn at(&self, index: usize) -> Option<&Field> {
        let index = index.checked_sub(1)?;
        match STATIC_FIELDS.get(index) {
            Some(field) => Some(field),
            None => self.entries.get(index - STATIC.len()),
        }
    }

    /// The best index for `field`. What this connection sent before is the likeliest.
    pub(super) fn find(&self, field: &Field) -> Found {
        let own = (STATIC.len() + 1..).zip(&self.entries);
        let known = known(field).filter_map(|index| Some((index, self.at(index)?)));
        let mut found = Found::Nothing;
        for (index, entry) in own.filter(|(_, entry)| is_same_name(entry, field)).chain(known) {
            if entry.value() == field.value() {
                return Found::Whole(index);
            }
            found = Found::Name(index);
        }
        found
    }

    /// Adds an entry; one that is larger than the table empties it.
    pub(super) fn add(&mut self, field: Field) {
        let bytes = field.bytes();
        self.shrink_to(self.bytes_max.saturating_sub(bytes));
        if bytes <= self.bytes_max {
            self.bytes += bytes;
            self.entries.push_front(field);
        }
    }

    pub(super) fn bytes_max(&self) -> usize {
        self.bytes_max
    }

    pub(super) fn resize(&mut self, bytes_max: usize) {
        self.bytes_max = bytes_max;
        self.shrink_to(bytes_max);
    }

    fn shrink_to(&mut self, bytes_max: usize) {
        while bytes_max < self.bytes {
            let oldest = self.entries.pop_back();
            self.bytes -= oldest.map_or(0, |field| field.bytes());
        }
    }
}

fn is_same_name(one: &Field, other: &Field) -> bool {
    match (one, other) {
        (Field::Pseudo(one, _), Field::Pseudo(other, _)) => one == other,
        (Field::Header(one, _), Field::Header(other, _)) => one == other,
        _ => false,
    }
}
