//! Dictionary: the tables of a profiles request that conditions look into.
//!
//! Cost: one walk notes where the entries stand, 4 bytes an entry; then each is found at once.

use bytes::Bytes;
use wire::protobuf::{Field as Encoded, Fields};
use wire::schema::{self, Table};
use wire::{Payload, Signal};

/// Where the strings and attributes of a request stand.
#[derive(Debug, Default)]
pub(crate) struct Dictionary {
    /// An encoded `ProfilesDictionary`.
    encoded: Bytes,
    strings: Vec<u32>,
    attributes: Vec<u32>,
}

impl Dictionary {
    /// The dictionary of a request of profiles; an empty one for other signals.
    pub(crate) fn of(payload: &Payload) -> Self {
        match payload.signal() {
            Signal::Profiles => Self::of_encoded(dictionary(&payload.to_bytes())),
            _ => Self::default(),
        }
    }

    fn of_encoded(encoded: Bytes) -> Self {
        let (mut strings, mut attributes) = (Vec::new(), Vec::new());
        for field in Fields::of(&encoded) {
            // Requests are shorter than 4 GiB.
            let place = field.start as u32;
            if field.number == Table::Strings.field_number() {
                strings.push(place);
            } else if field.number == Table::Attributes.field_number() {
                attributes.push(place);
            }
        }
        Self { encoded, strings, attributes }
    }

    /// The string of this index; empty if there is none.
    pub(super) fn string(&self, index: u64) -> &str {
        self.entry(&self.strings, index).map_or("", |field| field.text())
    }

    /// The encoded attribute of this index.
    pub(super) fn attribute(&self, index: u64) -> Option<&[u8]> {
        self.entry(&self.attributes, index)?.bytes()
    }

    fn entry(&self, places: &[u32], index: u64) -> Option<Encoded<'_>> {
        let place = *places.get(usize::try_from(index).ok()?)?;
        Fields::of(&self.encoded[place as usize..]).next()
    }
}

/// The encoded dictionary of a request, whose parts a decoder would join.
fn dictionary(request: &Bytes) -> Bytes {
    let field = schema::request(Signal::Profiles).field_named("dictionary");
    let Some(number) = field.map(|field| field.number) else { return Bytes::new() };
    let parts = Fields::of(request).filter(|field| field.number == number);
    let parts: Vec<_> = parts.filter_map(|part| part.bytes()).collect();
    match parts[..] {
        [] => Bytes::new(),
        [only] => request.slice_ref(only),
        _ => parts.concat().into(),
    }
}
