//! Attribute list: the attributes of one thing, to be looked at and changed.
//!
//! Owner: the edit, which loads one list after another into the same allocation.
//! Cost: an entry is a slice until it is set; only set ones are encoded.
//! Invariant: the first `loaded` entries are those of the payload, in order.

use std::ops::Range;

use super::rewrite::{Rewrite, Target};
use super::{Level, Place};
use crate::payload::shape::number;
use crate::protobuf::{Field, Fields, put_bytes_field, put_len_prefix};
use crate::rope::compose::Composer;
use crate::schema;
use crate::view::attributes::{KEY, VALUE};
use crate::view::{
    AnyValue, Item, KeyValue, OwnedValue, Point, RESOURCE_ATTRIBUTES, SCOPE_ATTRIBUTES, SUBJECT,
};

const LOG_RECORD: u32 = number(&schema::LOG_RECORD, "attributes");
const SPAN: u32 = number(&schema::SPAN, "attributes");
const NUMBER_POINT: u32 = number(&schema::NUMBER_DATA_POINT, "attributes");
const HISTOGRAM_POINT: u32 = number(&schema::HISTOGRAM_DATA_POINT, "attributes");
const EXPONENTIAL_POINT: u32 = number(&schema::EXPONENTIAL_HISTOGRAM_DATA_POINT, "attributes");
const SUMMARY_POINT: u32 = number(&schema::SUMMARY_DATA_POINT, "attributes");

/// The attributes of a resource, scope or item.
#[derive(Debug, Default)]
pub struct AttributeList<'a> {
    entries: Vec<Entry<'a>>,
    loaded: usize,
    /// The attributes that were set, encoded.
    fresh: Vec<u8>,
    is_changed: bool,
    /// Whether some of the loaded entries changed; if not, their messages stay in one piece.
    is_loaded_changed: bool,
}

#[derive(Debug)]
enum Entry<'a> {
    Kept(&'a [u8]),
    Set(Range<usize>),
    Gone,
}

impl AttributeList<'_> {
    /// The attributes as they stand now.
    pub fn iter(&self) -> impl Iterator<Item = KeyValue<'_>> {
        self.entries.iter().filter_map(|entry| self.encoded(entry)).map(KeyValue::of)
    }

    /// The value of the first attribute with this key.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<AnyValue<'_>> {
        self.iter().find(|attribute| attribute.is_key(key)).map(KeyValue::value)
    }

    /// Sets an attribute that is not there; returns whether it did.
    pub fn insert(&mut self, key: &str, value: &AnyValue<'_>) -> bool {
        let is_absent = self.find(key).is_none();
        if is_absent {
            self.add(key, value);
        }
        is_absent
    }

    fn add(&mut self, key: &str, value: &AnyValue<'_>) {
        let attribute = self.encode(key, value);
        self.entries.push(Entry::Set(attribute));
        self.is_changed = true;
    }

    /// Sets an attribute that is there; returns whether it did.
    pub fn update(&mut self, key: &str, value: &AnyValue<'_>) -> bool {
        let Some(at) = self.find(key) else { return false };
        let attribute = self.encode(key, value);
        if self.encoded(&self.entries[at]) != Some(&self.fresh[attribute.clone()]) {
            self.replace(at, Entry::Set(attribute));
        }
        true
    }

    /// Sets an attribute.
    pub fn upsert(&mut self, key: &str, value: &AnyValue<'_>) {
        if !self.update(key, value) {
            self.add(key, value);
        }
    }

    /// Removes the attributes with this key; returns whether there was one.
    pub fn remove(&mut self, key: &str) -> bool {
        self.retain(|attribute| !attribute.is_key(key))
    }

    /// Removes the attributes that `keep` does not want; returns whether there was one.
    pub fn retain(&mut self, mut keep: impl FnMut(KeyValue<'_>) -> bool) -> bool {
        let mut is_any_gone = false;
        for at in 0..self.entries.len() {
            let encoded = self.encoded(&self.entries[at]);
            if encoded.is_some_and(|encoded| !keep(KeyValue::of(encoded))) {
                self.replace(at, Entry::Gone);
                is_any_gone = true;
            }
        }
        is_any_gone
    }

    /// Sets each attribute for which there is a new value.
    pub fn replace_values(
        &mut self,
        mut new_value: impl FnMut(KeyValue<'_>) -> Option<OwnedValue>,
    ) {
        for at in 0..self.entries.len() {
            let Some(encoded) = self.encoded(&self.entries[at]) else { continue };
            let attribute = KeyValue::of(encoded);
            let Some(value) = new_value(attribute) else { continue };
            let key = attribute.key().to_owned();
            let replaced = self.encode(&key, &value.view());
            self.replace(at, Entry::Set(replaced));
        }
    }

    fn find(&self, key: &str) -> Option<usize> {
        self.entries.iter().position(|entry| {
            self.encoded(entry).is_some_and(|encoded| KeyValue::of(encoded).is_key(key))
        })
    }

    fn encoded<'s>(&'s self, entry: &'s Entry<'_>) -> Option<&'s [u8]> {
        match entry {
            Entry::Kept(encoded) => Some(*encoded),
            Entry::Set(range) => Some(&self.fresh[range.clone()]),
            Entry::Gone => None,
        }
    }

    fn encode(&mut self, key: &str, value: &AnyValue<'_>) -> Range<usize> {
        let start = self.fresh.len();
        put_bytes_field(&mut self.fresh, KEY, key.as_bytes());
        put_len_prefix(&mut self.fresh, VALUE, value.encoded_len());
        value.encode(&mut self.fresh);
        start..self.fresh.len()
    }
}

impl<'a> AttributeList<'a> {
    fn replace(&mut self, at: usize, entry: Entry<'a>) {
        self.entries[at] = entry;
        self.is_changed = true;
        self.is_loaded_changed |= at < self.loaded;
    }

    fn clear(&mut self) {
        self.entries.clear();
        self.fresh.clear();
        self.loaded = 0;
        self.is_changed = false;
        self.is_loaded_changed = false;
    }

    /// Appends the attributes in field `number` of a message.
    fn load(&mut self, message: &'a [u8], number: u32) {
        let attributes = Fields::of(message).filter(|field| field.number == number);
        let kept = attributes.map(|field| Entry::Kept(field.bytes().unwrap_or_default()));
        self.entries.extend(kept);
        self.loaded = self.entries.len();
    }

    /// Writes a message whose attributes are the loaded entries from `at` on; returns the next.
    fn write(
        &self,
        target: Target<'_>,
        number: u32,
        at: usize,
        composer: &mut Composer<'_>,
    ) -> usize {
        if !self.is_loaded_changed {
            composer.slice(target.span);
            return at;
        }
        let mut entries = self.entries[at..self.loaded].iter();
        let mut seen = at;
        let mut written = 0;
        for field in Fields::of(target.bytes).filter(|field| field.number == number) {
            seen += 1;
            let entry = entries.next();
            if matches!(entry, Some(Entry::Kept(_)) | None) {
                continue;
            }
            composer.slice(target.span.part(written, field.start));
            written = field.end;
            if let Some(Entry::Set(range)) = entry {
                self.write_fresh(range, number, composer);
            }
        }
        composer.slice(target.span.part(written, target.bytes.len()));
        seen
    }

    /// Writes the entries that were added.
    fn write_added(&self, number: u32, composer: &mut Composer<'_>) {
        for entry in &self.entries[self.loaded..] {
            if let Entry::Set(range) = entry {
                self.write_fresh(range, number, composer);
            }
        }
    }

    fn write_fresh(&self, range: &Range<usize>, number: u32, composer: &mut Composer<'_>) {
        composer.fresh(|out| put_bytes_field(out, number, &self.fresh[range.clone()]));
    }
}

/// Changes attribute lists.
pub(super) struct Edit<'a, F> {
    level: Level,
    edit: F,
    list: AttributeList<'a>,
}

impl<F> Edit<'_, F> {
    pub(super) fn new(level: Level, edit: F) -> Self {
        Self { level, edit, list: AttributeList::default() }
    }
}

impl<'a, F: FnMut(&Place<'_>, &mut AttributeList<'_>)> Edit<'a, F> {
    fn item(&mut self, place: &Place<'_>, target: Target<'a>, composer: &mut Composer<'a>) -> bool {
        let Some(number) = place.item().and_then(attributes_number) else { return false };
        self.list.load(target.bytes, number);
        (self.edit)(place, &mut self.list);
        if self.list.is_changed {
            self.list.write(target, number, 0, composer);
            self.list.write_added(number, composer);
        }
        self.list.is_changed
    }

    /// Edits the resource or scope of a group, which may come in several parts, or not at all.
    fn subject(
        &mut self,
        place: &Place<'_>,
        target: Target<'a>,
        composer: &mut Composer<'a>,
    ) -> bool {
        let number =
            if self.level == Level::Resource { RESOURCE_ATTRIBUTES } else { SCOPE_ATTRIBUTES };
        let is_subject = |field: &Field<'_>| field.number == SUBJECT;
        for part in Fields::of(target.bytes).filter(is_subject) {
            self.list.load(part.bytes().unwrap_or_default(), number);
        }
        (self.edit)(place, &mut self.list);
        if !self.list.is_changed {
            return false;
        }
        let last = Fields::of(target.bytes).filter(is_subject).last().map(|field| field.start);
        let mut at = 0;
        for field in Fields::of(target.bytes) {
            if !is_subject(&field) {
                composer.slice(target.span.part(field.start, field.end));
                continue;
            }
            let span = target.span.part(field.body_start(), field.end);
            let part = Target { span, bytes: field.bytes().unwrap_or_default() };
            composer.open(SUBJECT);
            at = self.list.write(part, number, at, composer);
            if Some(field.start) == last {
                self.list.write_added(number, composer);
            }
            composer.close();
        }
        if last.is_none() {
            composer.open(SUBJECT);
            self.list.write_added(number, composer);
            composer.close();
        }
        true
    }
}

impl<'a, F: FnMut(&Place<'_>, &mut AttributeList<'_>)> Rewrite<'a> for Edit<'a, F> {
    fn level(&self) -> Level {
        self.level
    }

    fn rewrite(
        &mut self,
        place: &Place<'_>,
        target: Target<'a>,
        composer: &mut Composer<'a>,
    ) -> bool {
        self.list.clear();
        match self.level {
            Level::Item => self.item(place, target, composer),
            Level::Resource | Level::Scope => self.subject(place, target, composer),
        }
    }
}

/// The field that holds the attributes of an item.
fn attributes_number(item: Item<'_>) -> Option<u32> {
    Some(match item {
        Item::LogRecord(_) => LOG_RECORD,
        Item::Span(_) => SPAN,
        Item::Point(Point::Number(_)) => NUMBER_POINT,
        Item::Point(Point::Histogram(_)) => HISTOGRAM_POINT,
        Item::Point(Point::ExponentialHistogram(_)) => EXPONENTIAL_POINT,
        Item::Point(Point::Summary(_)) => SUMMARY_POINT,
        Item::Sample(_) => return None,
    })
}
