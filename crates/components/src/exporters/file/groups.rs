//! Groups: which part of a request belongs in which file.
//!
//! A file is named by an attribute of the resource. Senders choose that value, so all of it that is not
//! a letter, digit, `-`, `_` or inner dot is escaped: it names a file below the configured folder and
//! never a way out of it. Bounds: `GROUPS_MAX` files for a request.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::PathBuf;

use aws_lc_rs::digest::{SHA256, digest};
use wire::{Payload, edit};

/// A request that belongs in more files is refused; the road then tries its halves.
const GROUPS_MAX: usize = 1000;
/// What a name may take, so that what stands around it fits as well.
const NAME_LEN_MAX: usize = 120;
/// What the name is when the resource does not have the attribute.
const MISSING: &str = "MISSING";

/// How files are named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Grouping {
    /// What stands before and after the name.
    pub(super) before: String,
    pub(super) after: String,
    /// The attribute of the resource.
    pub(super) attribute: String,
    pub(super) open_max: usize,
}

/// A request belongs in more files than may be written for one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the request belongs in more than {GROUPS_MAX} files")]
pub(super) struct TooManyGroups;

impl Grouping {
    /// The parts of a request, each with its file.
    pub(super) fn parts(
        &self,
        payload: &Payload,
    ) -> Result<Vec<(PathBuf, Payload)>, TooManyGroups> {
        let (values, ranges) = self.runs(payload)?;
        let mut groups: BTreeMap<String, Vec<Payload>> = BTreeMap::new();
        for (value, piece) in values.into_iter().zip(payload.cut(&ranges)) {
            groups.entry(value).or_default().push(piece);
        }
        let parts = groups
            .into_iter()
            .filter_map(|(value, pieces)| Some((self.path(&value), Payload::merge(pieces)?)));
        Ok(parts.collect())
    }

    /// The values of the attribute, and the items that each is about.
    fn runs(&self, payload: &Payload) -> Result<(Vec<String>, Vec<Range<usize>>), TooManyGroups> {
        let mut resource = None;
        let mut values: Vec<String> = Vec::new();
        let mut ranges: Vec<Range<usize>> = Vec::new();
        let mut at = 0;
        let _all = edit::retain_items(payload, |place| {
            if resource != Some(place.serials().resource) && values.len() <= GROUPS_MAX {
                resource = Some(place.serials().resource);
                let value = place.resource().attributes().get(&self.attribute);
                let value = value.map_or_else(|| MISSING.to_owned(), |value| value.to_string());
                if values.last() != Some(&value) {
                    values.push(value);
                    ranges.push(at..at);
                }
            }
            at += 1;
            if let Some(last) = ranges.last_mut() {
                last.end = at;
            }
            true
        });
        if GROUPS_MAX < values.len() { Err(TooManyGroups) } else { Ok((values, ranges)) }
    }

    fn path(&self, value: &str) -> PathBuf {
        format!("{}{}{}", self.before, name(value), self.after).into()
    }
}

/// The value as a part of a path; different values have different names.
fn name(value: &str) -> String {
    let mut name = String::with_capacity(value.len());
    for (at, byte) in value.bytes().enumerate() {
        let is_inner_dot = byte == b'.' && 0 < at;
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_') || is_inner_dot {
            name.push(byte.into());
        } else {
            name.push_str(&format!("%{byte:02X}"));
        }
        if NAME_LEN_MAX < name.len() {
            let checksum = digest(&SHA256, value.as_bytes());
            let checksum = checksum.as_ref().iter().take(16).map(|byte| format!("{byte:02x}"));
            name.truncate(NAME_LEN_MAX / 2);
            // No other name has this character.
            return format!("{name}~{}", checksum.collect::<String>());
        }
    }
    if name.is_empty() { "%".to_owned() } else { name }
}

#[cfg(test)]
mod tests;
