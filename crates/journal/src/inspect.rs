//! Inspect: looks into a directory that may be damaged or in use, and changes nothing.
//!
//! Bounds: one segment in memory at a time. While somebody writes, the end of the newest segment may
//! look unfinished.

use std::fmt;
use std::io;
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use runtime::volume::Volume;

use crate::frame::{Kind, Salt};
use crate::index::Index;
use crate::reader::{Limits, Read, Reader};
use crate::record::Record;
use crate::recovery::{Candidate, Missing, OpenError, Recovery, survey};
use crate::segment::{Source, name_of, salvage};
use crate::{Position, ReadError, StreamId};

/// What is wrong with a segment that was being written when its owner ended: nothing.
pub const UNFINISHED: &str = "an unfinished end, which the next start cuts";

/// What is in a directory.
pub struct Inspection {
    volume: Arc<dyn Volume>,
    pub streams: Vec<StreamFacts>,
    pub segments: Vec<SegmentFacts>,
    /// What keeps the journal from being opened.
    pub missing: Vec<Missing>,
    index: Arc<Mutex<Index>>,
    journal: u64,
    candidates: Vec<Candidate>,
}

/// A stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamFacts {
    pub id: StreamId,
    pub name: Bytes,
    pub live_records: u64,
    pub live_bytes: u64,
    pub live_weight: u64,
    pub first: Option<Position>,
    pub next: Position,
}

/// A segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SegmentFacts {
    pub file: String,
    pub bytes: u64,
    pub live_bytes: u64,
    /// Milliseconds since 1970.
    pub created: Option<u64>,
    pub has_footer: bool,
}

/// Something that is wrong with a segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    pub file: String,
    pub range: Range<u64>,
    /// The records that stood there, as far as the footer tells.
    pub records: Vec<Lost>,
    pub what: &'static str,
}

/// A record that is lost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lost {
    pub stream: StreamId,
    pub position: Position,
    /// Whether it counted.
    pub is_live: bool,
}

/// How far something that takes long has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    pub bytes_done: u64,
    pub bytes: u64,
}

/// Looks into a directory.
pub fn inspect(volume: Arc<dyn Volume>) -> Result<Inspection, OpenError> {
    let (recovery, candidates) = survey(&*volume)?;
    let Recovery { index, holes, journal, .. } = recovery;
    let streams = index.streams.iter().map(|(id, stream)| StreamFacts {
        id: *id,
        name: stream.name.clone().unwrap_or_default(),
        live_records: stream.live.len() as u64,
        live_bytes: stream.live_bytes,
        live_weight: stream.live_weight,
        first: stream.live.first().map(Position),
        next: Position(stream.next),
    });
    let streams = streams.collect();
    let segments = candidates.iter().map(|candidate| SegmentFacts {
        file: name_of(candidate.number),
        bytes: candidate.ends.bytes,
        live_bytes: index.segments.get(&candidate.number).map_or(0, |segment| segment.live_bytes),
        created: candidate.ends.header.ok().map(|header| header.created),
        has_footer: candidate.ends.trailer.is_some(),
    });
    let segments = segments.collect();
    Ok(Inspection {
        streams,
        segments,
        missing: holes,
        index: Arc::new(Mutex::new(index)),
        journal: journal.unwrap_or(0),
        candidates,
        volume,
    })
}

impl Inspection {
    /// Gives `visit` the live records of a stream in order, until it says `false`; a damaged one as
    /// its error.
    pub fn records(
        &self,
        stream: StreamId,
        mut visit: impl FnMut(Result<crate::Stored, ReadError>) -> bool,
    ) {
        let mut reader =
            Reader::new(Arc::clone(&self.volume), Arc::clone(&self.index), self.journal);
        let limits = Limits { records_max: 64, bytes_max: 1 << 20 };
        let mut start = 0;
        loop {
            let (next, goes_on) = match reader.read(stream, start..u64::MAX, limits) {
                Ok(Read { records }) => {
                    let Some(last) = records.last() else { return };
                    let next = last.position.0 + 1;
                    (next, records.into_iter().all(|stored| visit(Ok(stored))))
                }
                Err(ReadError::Damaged(damage)) => {
                    let next = damage.position.0 + 1;
                    let is_done_with = self.is_replaced(damage.segment);
                    (next, is_done_with || visit(Err(ReadError::Damaged(damage))))
                }
                Err(error) => {
                    visit(Err(error));
                    return;
                }
            };
            if !goes_on {
                return;
            }
            start = next;
        }
    }

    /// Reads everything and checks it against its checksums.
    pub fn verify(&self, mut progress: impl FnMut(Progress)) -> Result<Vec<Problem>, OpenError> {
        let bytes = self.segments.iter().map(|segment| segment.bytes).sum();
        let (mut problems, mut bytes_done) = (Vec::new(), 0);
        for candidate in &self.candidates {
            let found = self.verify_segment(candidate)?;
            if !found.is_empty() && !self.is_replaced(candidate.number) {
                problems.extend(found);
            }
            bytes_done += candidate.ends.bytes;
            progress(Progress { bytes_done, bytes });
        }
        Ok(problems)
    }

    fn verify_segment(&self, candidate: &Candidate) -> Result<Vec<Problem>, OpenError> {
        let file = name_of(candidate.number);
        let failed = |error| OpenError::Io {
            attempt: format!("read {file}"),
            volume: self.volume.name(),
            error,
        };
        let bytes = candidate.ends.contents().map_err(failed)?;
        let mut problems = Vec::new();
        if candidate.ends.header.is_err() {
            let (records, what) = (Vec::new(), "its header is damaged");
            problems.push(Problem { file: file.clone(), range: 0..64, records, what });
        }
        let salt = Salt { journal: self.journal, segment: candidate.number };
        let bound = self.bound(candidate.number);
        let salvage = salvage(salt, &bytes, bound);
        let loaded = candidate.ends.load(salt, None).map_err(failed)?;
        let has_footer = loaded.has_footer();
        if has_footer && salvage.lost.is_empty() && salvage.footer() != loaded.footer {
            let range = loaded.end.into()..candidate.ends.bytes;
            let (records, what) = (Vec::new(), "its footer does not fit its records");
            problems.push(Problem { file: file.clone(), range, records, what });
        }
        let (tail, lost): (Vec<_>, Vec<_>) =
            salvage.lost.into_iter().partition(|range| self.is_tail(candidate, range));
        for range in lost {
            let records = self.records_within(candidate, salt, &range).map_err(failed)?;
            let range = range.start.into()..range.end.into();
            problems.push(Problem { file: file.clone(), range, records, what: "damaged" });
        }
        // What a former use of the room left behind the end is nobody's concern.
        if let (false, Source::Scan { torn: torn @ 1.., .. }) = (tail.is_empty(), loaded.source) {
            let range = loaded.end.into()..u64::from(loaded.end) + u64::from(torn);
            let (records, what) = (Vec::new(), UNFINISHED);
            problems.push(Problem { file: file.clone(), range, records, what });
        }
        problems.extend(self.unseen(&file, candidate.ends.bytes, &problems));
        Ok(problems)
    }

    /// What is missing without a trace, because the place where it stood is blank.
    fn unseen(&self, file: &str, bytes: u64, found: &[Problem]) -> Vec<Problem> {
        let is_found = |missing: &&Missing| {
            found.iter().any(|problem| problem.range.contains(&missing.offset))
        };
        let missing = self.missing.iter().filter(|missing| missing.file == file);
        let unseen = missing.filter(|missing| !is_found(missing));
        let problems = unseen.map(|missing| Problem {
            file: file.to_owned(),
            range: missing.offset..missing.resumes.unwrap_or(bytes),
            records: Vec::new(),
            what: missing.what,
        });
        problems.collect()
    }

    /// Whether what is there was being written when the last owner ended.
    fn is_tail(&self, candidate: &Candidate, range: &Range<u32>) -> bool {
        let file = name_of(candidate.number);
        let is_missing =
            self.missing.iter().any(|one| one.file == file && one.offset <= u64::from(range.end));
        candidate.ends.trailer.is_none() && !is_missing
    }

    /// Whether a segment was done with since this was made, and its room is used again.
    fn is_replaced(&self, number: u32) -> bool {
        let candidate = self.candidates.iter().find(|candidate| candidate.number == number);
        candidate.is_some_and(|candidate| candidate.ends.is_replaced().unwrap_or(false))
    }

    pub(crate) fn records_within(
        &self,
        candidate: &Candidate,
        salt: Salt,
        range: &Range<u32>,
    ) -> io::Result<Vec<Lost>> {
        let loaded = candidate.ends.load(salt, None)?;
        let index = self.index();
        let within = loaded.footer.contents().filter(|(entry, _)| range.contains(&entry.offset));
        let lost = within.filter_map(|(entry, record)| match record {
            Record::Data { stream, position, .. } => {
                let place = index.place(stream, position);
                let is_live = place.is_some_and(|place| {
                    (place.segment, place.offset) == (candidate.number, entry.offset)
                });
                Some(Lost { stream, position, is_live })
            }
            _ => None,
        });
        Ok(lost.collect())
    }

    pub(crate) fn bound(&self, number: u32) -> u32 {
        let index = self.index();
        let segment = index.segments.get(&number).filter(|segment| segment.is_poisoned);
        segment.and_then(|segment| segment.bound).map_or(u32::MAX, |bound| bound.end)
    }

    pub(crate) fn segment_of(&self, stream: StreamId, position: Position) -> Option<u32> {
        self.index().place(stream, position).map(|place| place.segment)
    }

    pub(crate) fn candidates(&self) -> &[Candidate] {
        &self.candidates
    }

    pub(crate) fn journal(&self) -> u64 {
        self.journal
    }

    fn index(&self) -> MutexGuard<'_, Index> {
        self.index.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a frame names a stream.
pub(crate) fn declares(kind: Kind, body: &[u8]) -> Option<StreamId> {
    match Record::decode(kind, body) {
        Some(Record::Declare { stream, .. }) => Some(stream),
        _ => None,
    }
}

impl fmt::Debug for Inspection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Inspection({} segments of {})", self.segments.len(), self.volume.name())
    }
}
