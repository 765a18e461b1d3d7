//! Store: the journal behind one queue: where its entries are, and who waits for them.
//!
//! Owner: the owner of the road. Nothing here waits: the journal answers with signals.
//! Bounds: one place for each entry in memory, and one for each that a caller waits for.

mod graveyard;
pub(crate) mod lease;
pub(super) mod vitals;

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;
use std::time::{Instant, SystemTime};

use bytes::Bytes;
use journal::{AppendError, Journal, Limits, Position, ReadError, StreamId, Trouble};
use pipeline::{Code, Status};

use super::intake::Slicing;
use super::{Signal, ToOwner};
use crate::engine::{
    self, EnvelopeId, LaneId, LaneKey, MemberId, NotRead, NotWritten, Recovered, Refused, Slice,
    Written,
};
use crate::entry::{Entry, lane_of_stream, stream_name};
use crate::settings::Sizer;

use self::graveyard::Graveyard;
use self::lease::Lease;
use self::vitals::Vitals;

/// Records of one read; entries have 1 KiB or more as a rule.
const RECORDS_MAX: usize = 1024;

/// The journal of one queue.
#[derive(Debug)]
pub(super) struct Store {
    lease: Lease,
    graveyard: Option<Graveyard>,
    post: ToOwner,
    slicing: Slicing,
    vitals: Vitals,
    streams: BTreeMap<LaneKey, StreamId>,
    places: BTreeMap<EnvelopeId, (StreamId, Position)>,
    /// Callers that wait for entries which are on disk only.
    absent: BTreeMap<(StreamId, Position), Vec<MemberId>>,
}

/// Entries that were read of one stream.
#[derive(Debug)]
pub(super) struct Reading {
    stream: StreamId,
    key: Arc<LaneKey>,
    pub(super) entries: Vec<Read>,
}

/// One of them.
#[derive(Debug)]
pub(super) struct Read {
    position: Position,
    pub(super) bytes: usize,
    pub(super) entry: Entry,
    pub(super) slices: Vec<Vec<Slice>>,
}

impl Store {
    pub(super) fn new(
        lease: Lease,
        refused: Option<(Lease, u64)>,
        (slicing, vitals): (Slicing, Vitals),
        post: ToOwner,
    ) -> Self {
        let roomy = post.clone();
        lease.journal().on_room(move || roomy.signal(Signal::Roomy));
        let graveyard =
            refused.map(|(lease, bytes_max)| Graveyard::new(lease, bytes_max, post.clone()));
        let (streams, places, absent) = Default::default();
        Self { lease, graveyard, post, slicing, vitals, streams, places, absent }
    }

    /// What an earlier run left, by lane; streams of no known lane stay as they are.
    pub(super) fn recover(&mut self, sizer: Sizer) -> Vec<Recovered> {
        let mut all = Vec::new();
        for stream in self.journal().streams() {
            let Ok((signal, metadata, target)) = lane_of_stream(&stream.name) else {
                tracing::warn!(stream = stream.id.0, "A stream of the journal is not known here.");
                continue;
            };
            let key = LaneKey { signal, metadata, target };
            self.streams.insert(key.clone(), stream.id);
            let as_size = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
            let size = match sizer {
                Sizer::Requests => as_size(stream.live_records),
                Sizer::Items => as_size(stream.live_weight),
                Sizer::Bytes => as_size(stream.live_bytes),
            };
            let entries = as_size(stream.live_records);
            if 0 < entries {
                all.push(Recovered { key, entries, size });
            }
        }
        all
    }

    /// Writes an entry; the journal's answer comes as a signal.
    pub(super) fn write(&mut self, envelope: EnvelopeId, key: &LaneKey, entry: &Entry) {
        let post = self.post.clone();
        let body = entry.encode();
        let bytes = body.iter().map(Bytes::len).sum();
        let stream = match self.stream(key) {
            Ok(stream) => stream,
            Err(status) => {
                return post.signal(Signal::Written(envelope, Err(NotWritten::Failed(status))));
            }
        };
        let weight = u32::try_from(entry.payload.items()).unwrap_or(u32::MAX);
        self.journal().append(stream, weight, body, move |result| {
            let result = match result {
                Ok(position) => Ok((stream, position, bytes)),
                Err(error) => Err(not_written(&error)),
            };
            post.signal(Signal::Written(envelope, result));
        });
    }

    /// Notes where an envelope was written.
    pub(super) fn written(
        &mut self,
        envelope: EnvelopeId,
        (stream, position, bytes): (StreamId, Position, usize),
    ) -> Written {
        self.places.insert(envelope, (stream, position));
        Written { position: engine::Position(position.0), bytes }
    }

    /// Reads what follows in a lane; what was read comes as a signal.
    pub(super) fn read(
        &mut self,
        lane: LaneId,
        key: Arc<LaneKey>,
        after: Option<engine::Position>,
        bytes_max: usize,
    ) {
        let post = self.post.clone();
        let stream = match self.stream(&key) {
            Ok(stream) => stream,
            Err(status) => {
                return post.signal(Signal::Loaded(lane, Err(NotRead::Failed(status))));
            }
        };
        let limits = Limits { records_max: RECORDS_MAX, bytes_max };
        let slicing = self.slicing;
        let after = after.map(|after| Position(after.0));
        self.journal().read(stream, after, limits, move |result| {
            let result = match result {
                Ok(read) => decode((stream, key), read.records, slicing),
                Err(error) => Err(not_read(&error)),
            };
            post.signal(Signal::Loaded(lane, result));
        });
    }

    /// Notes where an envelope comes from; gives the members that wait for it.
    pub(super) fn loaded(
        &mut self,
        envelope: EnvelopeId,
        stream: StreamId,
        read: &Read,
    ) -> Vec<MemberId> {
        self.places.insert(envelope, (stream, read.position));
        self.absent.remove(&(stream, read.position)).unwrap_or_default()
    }

    /// An entry leaves memory; `waiting` still wait for it.
    pub(super) fn unloaded(&mut self, envelope: EnvelopeId, waiting: Vec<MemberId>) {
        if let Some(place) = self.places.remove(&envelope)
            && !waiting.is_empty()
        {
            self.absent.insert(place, waiting);
        }
    }

    /// Removes an entry from disk.
    pub(super) fn forget(&mut self, envelope: EnvelopeId) {
        if let Some((stream, position)) = self.places.remove(&envelope) {
            self.journal().forget(stream, vec![position..=position]);
        }
    }

    /// Records what of an entry was refused.
    pub(super) fn bury(&mut self, envelope: EnvelopeId, entry: &Entry, refused: &Refused) {
        match &mut self.graveyard {
            Some(graveyard) => graveyard.bury(envelope, entry, refused),
            None => self.post.signal(Signal::Buried(envelope, Ok(()))),
        }
    }

    pub(super) fn journal(&self) -> Journal {
        self.lease.journal().clone()
    }

    /// Shows operators how the journals stand, from now on.
    pub(super) fn show(&self) {
        self.vitals.show(self.lease.journal(), "queue");
        if let Some(Graveyard { lease, .. }) = &self.graveyard {
            self.vitals.show(lease.journal(), "refused");
        }
    }

    /// Why what is stored does not move on, a sentence each.
    pub(super) fn explain(&self) -> Vec<String> {
        let usage = self.lease.journal().usage();
        let mut lines = Vec::new();
        if usage.is_full {
            let (bytes, max) = (usage.bytes, usage.bytes_max);
            lines.push(format!(
                "the journal is full: {bytes} of {max} bytes; it takes more when data was delivered"
            ));
        }
        let lack = Some(usage.lacks_bytes).filter(|bytes| 0 < *bytes);
        let lack = lack.map(|bytes| Trouble::Lack { bytes });
        let troubles = usage.hang.map(Trouble::Hang).into_iter().chain(lack);
        lines.extend(troubles.map(|trouble| trouble.of("the disk of the journal")));
        lines.extend(usage.damage.iter().map(|damage| format!("the journal is damaged: {damage}")));
        lines
    }

    /// Ends the journals after what was asked of them; says what is left in them.
    pub(super) async fn close(self) {
        let requests = self.lease.journal().usage().live_records;
        if 0 < requests {
            let folder = self.lease.folder().display();
            tracing::info!(%folder, requests, "What was not delivered stays on disk.");
        }
        let graveyard = self.graveyard.map(|graveyard| graveyard.lease);
        for lease in std::iter::once(self.lease).chain(graveyard) {
            lease.close().await;
        }
    }

    fn stream(&mut self, key: &LaneKey) -> Result<StreamId, Status> {
        if let Some(stream) = self.streams.get(key) {
            return Ok(*stream);
        }
        let name = stream_name(key.signal, &key.metadata, &key.target);
        let stream = self.journal().stream(name);
        let stream = stream.map_err(|error| Status::new(Code::Unavailable, error.to_string()))?;
        self.streams.insert(key.clone(), stream);
        Ok(stream)
    }
}

impl Reading {
    /// The stream, its lane, and what was read of it.
    pub(super) fn into_parts(self) -> (StreamId, Arc<LaneKey>, Vec<Read>) {
        (self.stream, self.key, self.entries)
    }
}

impl Read {
    pub(super) fn position(&self) -> engine::Position {
        engine::Position(self.position.0)
    }

    /// When it is given up.
    pub(super) fn expires(
        &self,
        after: Option<std::time::Duration>,
        (now, wall): (Instant, SystemTime),
    ) -> Option<Instant> {
        let age = wall.duration_since(self.entry.stored_at).unwrap_or_default();
        after.map(|after| now + after.saturating_sub(age))
    }
}

fn decode(
    (stream, key): (StreamId, Arc<LaneKey>),
    records: Vec<journal::Stored>,
    slicing: Slicing,
) -> Result<Reading, NotRead> {
    let mut entries = Vec::with_capacity(records.len());
    for record in records {
        let (position, bytes) = (record.position, record.body.len());
        match Entry::decode(record.body) {
            Ok(entry) => {
                let sizes = entry.contributors.iter().map(|owner| owner.items);
                let slices = slicing.of_all(&entry.payload, sizes);
                entries.push(Read { position, bytes, entry, slices });
            }
            // What stands before it is whole.
            Err(_) if !entries.is_empty() => break,
            Err(error) => {
                let message = format!("record {} of the queue: {error}", position.0);
                return Err(NotRead::Damaged(Status::new(Code::DataLoss, message)));
            }
        }
    }
    Ok(Reading { stream, key, entries })
}

fn not_written(error: &AppendError) -> NotWritten {
    let status = |code| Status::new(code, format!("the queue could not store it: {error}"));
    match error {
        AppendError::Full | AppendError::Busy => NotWritten::Full,
        AppendError::Failed { .. } | AppendError::Ended | AppendError::NoStream => {
            NotWritten::Failed(status(Code::Unavailable))
        }
        AppendError::TooLarge { .. } => NotWritten::Refused(status(Code::ResourceExhausted)),
    }
}

fn not_read(error: &ReadError) -> NotRead {
    let status = |code| Status::new(code, error.to_string());
    match error {
        ReadError::Damaged(_) => NotRead::Damaged(status(Code::DataLoss)),
        ReadError::Failed { .. } | ReadError::Ended | ReadError::NoStream => {
            NotRead::Failed(status(Code::Unavailable))
        }
    }
}

/// The items of the refused ranges, with the reason of the first.
fn refused_part(entry: &Entry, refused: &Refused) -> Option<Entry> {
    let ranges: Vec<Range<usize>> = refused.iter().map(|(range, _)| range.clone()).collect();
    let status = refused.first()?.1.clone();
    let payload = entry.payload.select(&ranges);
    let contributors = vec![crate::entry::Owner { items: payload.items(), trace: None }];
    Some(Entry { payload, contributors, refused: Some(status), ..entry.clone() })
}
