//! Recovery: opens a directory, whatever the last owner left there.
//!
//! Reads headers and footers, and the whole of what has no footer. What was being written when the
//! power went is cut; what is missing though it was on disk once is damage, and nothing opens.
//! Invariant: done twice, or broken off and done again, it gives the same.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use runtime::random::Random;
use runtime::volume::{Access, Volume};

use crate::StreamId;
use crate::frame::Salt;
use crate::index::{Index, Segment};
use crate::positions::Place;
use crate::record::Record;
use crate::segment::{
    Ends, Entry, Loaded, NoHeader, Previous, Source, Writer, name_of, number_of, salvage,
};
use crate::settings::{Settings, SettingsError};
use crate::store::spares::Spares;
use crate::store::{Owed, Start, Store};

/// Why a journal does not open.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error(transparent)]
    Settings(#[from] SettingsError),
    #[error("cannot {attempt} in {volume}: {error}")]
    Io { attempt: String, volume: String, error: io::Error },
    #[error("another process has the journal in {volume} open")]
    Locked { volume: String },
    #[error(
        "{file} in {volume} has version {version} of the format, this is version 1: it was written by \
        another release"
    )]
    Version { volume: String, file: String, version: u32 },
    #[error("{file} in {volume} belongs to another journal; move it away")]
    Foreign { volume: String, file: String },
    #[error(
        "the journal in {volume} is damaged: {}; nothing was changed; `tidegate journal verify` \
        shows more, `tidegate journal repair` saves what is whole",
        listed(holes)
    )]
    Damaged { volume: String, holes: Vec<Missing> },
}

/// Something that was on disk once and cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missing {
    pub file: String,
    pub offset: u64,
    /// Where the file is whole again.
    pub resumes: Option<u64>,
    pub what: &'static str,
}

/// What recovery did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    pub segments: usize,
    /// Files, offsets and bytes of what was being written when the last owner ended.
    pub cut: Vec<(String, u64, u64)>,
    /// Files that were read whole, having no footer.
    pub scanned: Vec<String>,
    /// Files that had nothing in them yet.
    pub removed: Vec<String>,
}

/// A segment that was found, as far as it is known.
pub(crate) struct Candidate {
    pub(crate) number: u32,
    pub(crate) ends: Ends,
}

/// Everything that is known of a journal before it takes anything new.
pub(crate) struct Recovery<'a> {
    volume: &'a dyn Volume,
    pub(crate) journal: Option<u64>,
    pub(crate) index: Index,
    owed: Owed,
    /// Frames about other segments: where they stand, what about, and how large.
    outcomes: Vec<(u32, u32, usize)>,
    pub(crate) holes: Vec<Missing>,
    report: Report,
    /// Nothing is changed, and what is damaged does not end it.
    is_survey: bool,
}

/// The journal that some segment belongs to, when no header is whole: its frames tell.
fn guessed_journal(candidates: &[Candidate]) -> io::Result<Option<u64>> {
    for Candidate { number, ends } in candidates {
        let bytes = ends.contents()?;
        for journal in ends.claimed_journals {
            let salt = Salt { journal, segment: *number };
            if !salvage(salt, &bytes, u32::MAX).frames.is_empty() {
                return Ok(Some(journal));
            }
        }
    }
    Ok(None)
}

/// What there is in `volume`, whatever state it is in. Changes nothing.
pub(crate) fn survey(volume: &dyn Volume) -> Result<(Recovery<'_>, Vec<Candidate>), OpenError> {
    let mut recovery = Recovery::new(volume, true);
    let mut candidates = recovery.candidates()?;
    if recovery.journal.is_none() {
        recovery.journal =
            guessed_journal(&candidates).map_err(|error| recovery.failed("read", error))?;
    }
    recovery.load(&mut candidates)?;
    Ok((recovery, candidates))
}

/// Opens the journal in `volume`.
pub(crate) fn recover(
    volume: Arc<dyn Volume>,
    settings: Settings,
) -> Result<(Store, Report), OpenError> {
    settings.check()?;
    let failed = |attempt: &str, error| OpenError::Io {
        attempt: attempt.to_owned(),
        volume: volume.name(),
        error,
    };
    if !volume.lock().map_err(|error| failed("take the lock", error))? {
        return Err(OpenError::Locked { volume: volume.name() });
    }
    let mut recovery = Recovery::new(&*volume, false);
    let mut candidates = recovery.candidates()?;
    let previous = recovery.load(&mut candidates)?;
    let Recovery { journal, mut index, mut owed, outcomes, report, .. } = recovery;
    for (segment, target, bytes) in outcomes {
        index.add_outcome(segment, target, bytes);
    }
    owed.retain(|segment| index.segments.contains_key(&segment));
    let journal = journal.unwrap_or_else(|| Random::entropy().number());
    let (spares, newest_spare) = Spares::adopt(&*volume, journal, settings.segment_bytes.into())
        .map_err(|error| failed("take the spare segments over", error))?;
    #[cfg(mutants)]
    let newest_spare = match crate::store::mutant::Mutant::chosen() {
        Some(crate::store::mutant::Mutant::NumberUsedAgain) => 0,
        _ => newest_spare,
    };
    let next_segment = previous.number.max(newest_spare) + 1;
    let start = Start { journal, index, previous, next_segment, owed, spares };
    let mut store = Store::new(Arc::clone(&volume), settings, start);
    store.commit(Vec::new());
    store.remove_dead();
    Ok((store, report))
}

impl<'a> Recovery<'a> {
    fn new(volume: &'a dyn Volume, is_survey: bool) -> Self {
        Self {
            volume,
            journal: None,
            index: Index::default(),
            owed: Owed::default(),
            outcomes: Vec::new(),
            holes: Vec::new(),
            report: Report::default(),
            is_survey,
        }
    }

    /// The segments in order. Files in which nothing was written yet are removed.
    fn candidates(&mut self) -> Result<Vec<Candidate>, OpenError> {
        let mut candidates = Vec::new();
        // What is seen here stays so: the last owner may have renamed or removed files just now.
        if !self.is_survey {
            self.volume.sync().map_err(|error| self.failed("sync the directory", error))?;
        }
        let access = if self.is_survey { Access::Read } else { Access::ReadWrite };
        let entries = self.volume.list().map_err(|error| self.failed("list the files", error))?;
        for entry in entries {
            let Some(number) = number_of(&entry.name) else { continue };
            let attempt = format!("read {}", entry.name);
            let opened = self.volume.open(&entry.name, access);
            let opened = opened.and_then(|file| Ends::read(file, number));
            let ends = opened.map_err(|error| self.failed(&attempt, error))?;
            let is_blank = ends.header == Err(NoHeader::Broken)
                && ends.is_blank().map_err(|error| self.failed(&attempt, error))?;
            if is_blank {
                self.remove(&entry.name)?;
                self.report.removed.push(entry.name);
            } else {
                self.examine(&entry.name, number, &ends)?;
                candidates.push(Candidate { number, ends });
            }
        }
        self.unless_damaged(candidates)
    }

    fn examine(&mut self, file: &str, number: u32, ends: &Ends) -> Result<(), OpenError> {
        let (volume, file) = (self.volume.name(), file.to_owned());
        match ends.header {
            Err(NoHeader::Version(version)) => Err(OpenError::Version { volume, file, version }),
            Err(NoHeader::Broken) => {
                let what = "its header is damaged";
                self.holes.push(Missing { file, offset: 0, resumes: None, what });
                Ok(())
            }
            Ok(header) if *self.journal.get_or_insert(header.journal) != header.journal => {
                Err(OpenError::Foreign { volume, file })
            }
            Ok(header) if header.number != number => Err(OpenError::Foreign { volume, file }),
            Ok(header) => {
                self.index.next_stream = self.index.next_stream.max(header.next_stream);
                Ok(())
            }
        }
    }

    /// Reads what the segments contain; gives how the last one ended.
    pub(crate) fn load(&mut self, candidates: &mut [Candidate]) -> Result<Previous, OpenError> {
        let headers = candidates.iter().filter_map(|candidate| candidate.ends.header.ok());
        let nexts: BTreeMap<u32, Previous> =
            headers.map(|header| (header.previous.number, header.previous)).collect();
        let last = candidates.last().map(|candidate| candidate.number);
        let mut previous = Previous::default();
        for Candidate { number, ends } in candidates {
            let number = *number;
            let salt = Salt { journal: self.journal.unwrap_or(0), segment: number };
            let attempt = format!("read {}", name_of(number));
            let bound = nexts.get(&number).copied();
            let loaded = ends.load(salt, bound);
            let loaded = loaded.map_err(|error| self.failed(&attempt, error))?;
            self.note(number, &loaded);
            let is_poisoned = !loaded.has_footer();
            let segment = Segment {
                bytes: ends.bytes,
                is_poisoned,
                bound,
                previous: ends.header.map_or(0, |header| header.previous.number),
                ..Segment::default()
            };
            self.index.segments.insert(number, segment);
            self.apply_all(number, &loaded);
            if Some(number) == last && self.holes.is_empty() && !self.is_survey {
                previous = self.close(salt, ends, loaded)?;
            }
        }
        self.end_replaced();
        self.check_streams();
        self.unless_damaged(previous)
    }

    fn note(&mut self, number: u32, loaded: &Loaded) {
        self.report.segments += 1;
        let file = name_of(number);
        let Source::Scan { resumes, torn, .. } = loaded.source else { return };
        self.report.scanned.push(file.clone());
        if let Some(offset) = loaded.hole() {
            let (offset, resumes) = (offset.into(), resumes.map(u64::from));
            let what = "records that were on disk are missing";
            self.holes.push(Missing { file, offset, resumes, what });
        } else if 0 < torn {
            self.report.cut.push((file, loaded.end.into(), torn.into()));
        }
    }

    fn apply_all(&mut self, number: u32, loaded: &Loaded) {
        let mut contents = loaded.footer.contents();
        for (entry, record) in contents.by_ref() {
            self.apply(number, entry, record);
        }
        if 0 < contents.left() {
            let what = "a record has no meaning";
            let (file, offset) = (name_of(number), loaded.end.into());
            self.holes.push(Missing { file, offset, resumes: None, what });
        }
    }

    fn apply(&mut self, segment: u32, entry: Entry, record: Record<'_>) {
        let Entry { offset, bytes } = entry;
        match record {
            Record::Data { stream, position, weight } => {
                let place = Place { segment, offset, bytes, weight };
                let before = self.index.insert(stream, position, place);
                if let Some(before) = before.filter(|before| before.segment != segment) {
                    // It was being moved when the last owner ended.
                    self.owed.forget(before.segment, stream, position);
                }
            }
            Record::Forget { stream, segment: target, ranges } => {
                for range in ranges.iter().cloned() {
                    let mut forgotten = self.index.within(stream, range);
                    forgotten.retain(|(_, place)| place.segment == target);
                    for (position, _) in forgotten {
                        self.index.forget(stream, position);
                    }
                }
                self.outcomes.push((segment, target, bytes as usize));
                self.owed.settle(target, &Record::Forget { stream, segment: target, ranges });
            }
            Record::Declare { stream, next, name } => {
                self.index.declare(stream, Bytes::copy_from_slice(name));
                let known = self.index.streams.entry(stream).or_default();
                known.declared_in.insert(segment);
                if known.next <= next.0 {
                    (known.next, known.proven_in) = (next.0, segment);
                }
            }
            Record::Undeclare { stream, segment: target } => {
                if let Some(known) = self.index.streams.get_mut(&stream) {
                    known.declared_in.remove(&target);
                }
                self.outcomes.push((segment, target, bytes as usize));
            }
        }
    }

    /// Makes what was found in the last segment durable, and closes it.
    fn close(&mut self, salt: Salt, ends: &Ends, loaded: Loaded) -> Result<Previous, OpenError> {
        let attempt = format!("close {}", name_of(salt.segment));
        let closed = close(salt, ends, loaded);
        let (previous, bytes) = closed.map_err(|error| self.failed(&attempt, error))?;
        let segment = self.index.segments.entry(salt.segment).or_default();
        (segment.bytes, segment.is_poisoned) = (bytes, false);
        Ok(previous)
    }

    /// A stream whose name another one got was ended before, even if that is not on disk: it ends again.
    fn end_replaced(&mut self) {
        let named =
            self.index.streams.iter().filter_map(|(id, one)| Some((one.name.clone()?, *id)));
        let named: Vec<(Bytes, StreamId)> = named.collect();
        let newest: BTreeMap<_, _> = named.iter().cloned().collect();
        for (name, id) in named.into_iter().filter(|(name, id)| newest[name] != *id) {
            for (position, place) in self.index.within(id, 0..u64::MAX) {
                self.index.forget(id, position);
                self.owed.forget(place.segment, id, position);
            }
            for segment in self.index.end(id) {
                self.owed.undeclare(segment, id);
            }
            let heir = newest[&name];
            self.index.declare(heir, name);
        }
    }

    /// Streams that were ended go; one that lives has a name.
    fn check_streams(&mut self) {
        let undeclared =
            self.index.streams.iter().filter(|(_, stream)| stream.declared_in.is_empty());
        let undeclared: Vec<StreamId> = undeclared.map(|(id, _)| *id).collect();
        for id in undeclared {
            let live = self.index.within(id, 0..u64::MAX);
            match live.first() {
                None => drop(self.index.end(id)),
                Some((_, place)) => {
                    let (file, offset) = (name_of(place.segment), place.offset.into());
                    let what = "the name of the stream of this record is missing";
                    self.holes.push(Missing { file, offset, resumes: None, what });
                }
            }
        }
    }

    fn remove(&self, name: &str) -> Result<(), OpenError> {
        if self.is_survey {
            return Ok(());
        }
        let removed = self.volume.remove(name).and_then(|()| self.volume.sync());
        removed.map_err(|error| self.failed(&format!("remove {name}"), error))
    }

    fn failed(&self, attempt: &str, error: io::Error) -> OpenError {
        OpenError::Io { attempt: attempt.to_owned(), volume: self.volume.name(), error }
    }

    fn unless_damaged<T>(&mut self, value: T) -> Result<T, OpenError> {
        if self.holes.is_empty() || self.is_survey {
            return Ok(value);
        }
        let holes = std::mem::take(&mut self.holes);
        Err(OpenError::Damaged { volume: self.volume.name(), holes })
    }
}

/// What the last owner wrote but may not have synced is written again: a sync that failed before may
/// have left it in memory only. Then the footer follows.
fn close(salt: Salt, ends: &Ends, loaded: Loaded) -> io::Result<(Previous, u64)> {
    let (end, bytes) = (loaded.end, ends.bytes);
    match loaded.source {
        Source::Footer { synced } => {
            write_again(ends, synced.min(end).into()..bytes)?;
            return Ok((Previous { number: salt.segment, end, synced: end }, bytes));
        }
        Source::Scan { synced, .. } => write_again(ends, synced.min(end).into()..end.into())?,
    }
    let mut writer = Writer::resume(Arc::clone(&ends.file), salt, loaded);
    let bytes = writer.seal(true)?;
    Ok((writer.ended(), bytes))
}

fn write_again(ends: &Ends, range: Range<u64>) -> io::Result<()> {
    let length = usize::try_from(range.end - range.start).map_err(io::Error::other)?;
    let mut again = vec![0; length];
    ends.file.read_at(&mut again, range.start)?;
    ends.file.write_at(&[again.into()], range.start)?;
    ends.file.sync()
}

fn listed(holes: &[Missing]) -> String {
    let holes: Vec<String> = holes.iter().map(ToString::to_string).collect();
    holes.join("; ")
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, offset, resumes, what } = self;
        write!(f, "{file} at {offset}: {what}")?;
        resumes.map_or(Ok(()), |resumes| write!(f, ", whole again at {resumes}"))
    }
}

#[cfg(test)]
mod tests;
