//! Routing: which log group and stream each record goes to.
//!
//! Pure. Cost: names that depend on nothing are made once, those of a resource once a resource, and
//! those of a record for each; the records of one stream are found by its names.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use serde::Deserialize;
use wire::Payload;
use wire::view::LogRecord;

use super::names::Kind;
use super::template::{Depth, Template};

/// The names of a group and of a stream.
pub(super) type Names = (Arc<str>, Arc<str>);

/// The templates of the names, and whether records may name their own.
#[derive(Clone, Debug)]
pub(super) struct Routing {
    pub(super) group: Template,
    pub(super) stream: Template,
    /// Bodies in the embedded metric format may name their group and stream.
    pub(super) is_raw: bool,
}

/// What is known of the embedded metric format: names at two places, in two generations.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Embedded {
    #[serde(rename = "_aws")]
    metadata: Metadata,
    log_group_name: String,
    log_stream_name: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Metadata {
    #[serde(rename = "LogGroupName", alias = "logGroupName")]
    group: String,
    #[serde(rename = "LogStreamName", alias = "logStreamName")]
    stream: String,
}

/// The streams of a payload, in the order in which they come up.
#[derive(Default)]
struct Found {
    places: HashMap<Names, usize>,
    ranges: Vec<(Names, Vec<Range<usize>>)>,
}

impl Routing {
    /// The names of all records, if they depend on none.
    pub(super) fn fixed(&self) -> Option<Names> {
        let is_fixed = !self.is_raw && self.depth() == Depth::Nothing;
        let names = self.group.literal().zip(self.stream.literal());
        names.filter(|_| is_fixed).map(|(group, stream)| (group.into(), stream.into()))
    }

    /// Each stream once, with its records in order.
    pub(super) fn streams(&self, payload: &Payload) -> Vec<(Names, Vec<Range<usize>>)> {
        let mut found = Found::default();
        let mut item = 0;
        for resource in payload.view().resources() {
            let attributes = resource.attributes();
            let usual: Option<Names> = (self.depth() < Depth::Record).then(|| {
                let name = |template: &Template| template.expand(&attributes, None).into();
                (name(&self.group), name(&self.stream))
            });
            for record in resource.scopes().flat_map(|scope| scope.log_records()) {
                let names = usual.clone().unwrap_or_else(|| {
                    let own = record.attributes();
                    let name =
                        |template: &Template| template.expand(&attributes, Some(&own)).into();
                    (name(&self.group), name(&self.stream))
                });
                found.add(self.obeying(record, names), item);
                item += 1;
            }
        }
        found.ranges
    }

    fn depth(&self) -> Depth {
        self.group.depth().max(self.stream.depth())
    }

    /// The names that a record in the embedded metric format gives itself, else the usual ones.
    fn obeying(&self, record: LogRecord<'_>, usual: Names) -> Names {
        let embedded = self.is_raw.then(|| embedded(record)).flatten();
        let Some(Embedded { metadata, log_group_name, log_stream_name }) = embedded else {
            return usual;
        };
        let (group, stream) = match metadata.group.is_empty() {
            false => (metadata.group, metadata.stream),
            true => (log_group_name, log_stream_name),
        };
        if group.is_empty() {
            return usual;
        }
        let stream = Some(stream).filter(|stream| !stream.is_empty());
        let stream = stream.map_or(usual.1, |stream| Kind::Stream.mended(&stream).into());
        (Kind::Group.mended(&group).into(), stream)
    }
}

fn embedded(record: LogRecord<'_>) -> Option<Embedded> {
    let body = record.body();
    let text = body.as_text()?.trim_start();
    // Most bodies are not: they are told by a look, not by parsing.
    let is_likely =
        text.starts_with('{') && (text.contains("\"_aws\"") || text.contains("\"log_group_name\""));
    is_likely.then(|| serde_json::from_str(text).ok()).flatten()
}

impl Found {
    fn add(&mut self, names: Names, item: usize) {
        let place = *self.places.entry(names.clone()).or_insert_with(|| {
            self.ranges.push((names, Vec::new()));
            self.ranges.len() - 1
        });
        let ranges = &mut self.ranges[place].1;
        match ranges.last_mut() {
            Some(last) if last.end == item => last.end += 1,
            _ => ranges.push(item..item + 1),
        }
    }
}

#[cfg(test)]
mod tests;
