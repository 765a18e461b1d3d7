//! Reading: one turn with one file, on a thread that may block.
//!
//! Opens it if need be, by its name or wherever its folder has it by now; makes sure that it is the
//! same file and that the bytes before are those that were read; takes what is new.
//! Cost: one `fstat` and two `pread` a turn, one of them of at most `fingerprint` bytes.

use std::io::{self, ErrorKind};
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

use super::assemble::Now;
use super::file_system::{Facts, FileSystem, Kind};
use super::identity::{Anchor, Identity, Position, Stamp};
use super::stream::{Batch, Noticed, Piece, Stream};
use super::tracker::{Goal, Reading, Removal, Report, Sibling, Taken};
use super::window::Span;

/// How many bytes must stand before an offset to call a file a copy of another one.
const COPY_BYTES_MIN: u32 = 16;

/// How much of a file may be its header.
const HEADER_BYTES_MAX: usize = 64 << 10;

/// What a turn needs beside its file.
#[derive(Clone, Copy, Debug)]
pub(super) struct Habits {
    /// How many bytes a file is known again by.
    pub fingerprint: usize,
    /// Whether files may begin with a header.
    pub has_header: bool,
    pub now: Now,
}

/// One turn, and what it works with.
#[derive(Debug)]
pub(super) struct Order<File> {
    pub path: Arc<Path>,
    pub file: Option<File>,
    pub goal: Goal,
    /// What was begun with earlier bytes.
    pub stream: Option<Box<Stream>>,
}

/// What came of a turn.
#[derive(Debug)]
pub(super) struct Done<File> {
    pub report: Report,
    pub file: Option<File>,
    pub stream: Option<Box<Stream>>,
    pub batch: Option<Batch>,
    pub noticed: Noticed,
}

/// Reads for one receiver. `make` begins what takes the bytes of a file from an offset on.
#[derive(Debug)]
pub(super) struct Reader<'a, F, M> {
    pub files: &'a F,
    pub habits: Habits,
    pub make: M,
}

/// What a file is read with, when it is begun.
#[derive(Clone, Debug)]
pub(super) struct Begin {
    pub path: Arc<Path>,
    pub facts: Facts,
    pub offset: u64,
    /// The first bytes of the file, where they may be a header that was read before.
    pub beginning: Vec<u8>,
}

impl<F, M> Reader<'_, F, M>
where
    F: FileSystem,
    M: Fn(Begin) -> Box<Stream>,
{
    /// Does the turn.
    pub(super) fn turn(&self, order: Order<F::File>) -> Done<F::File> {
        let mut done = Done {
            report: Report::Missing,
            file: order.file,
            stream: None,
            batch: None,
            noticed: Noticed::default(),
        };
        let report = match order.goal {
            Goal::Identify { stamp, ref siblings } => {
                self.identify((&order.path, stamp), siblings, &mut done)
            }
            Goal::Release { size } => {
                done.stream = order.stream;
                self.release(size, &mut done)
            }
            Goal::Remove { ref identity, length } => {
                self.remove(&order.path, (identity, length), &mut done)
            }
            Goal::Read { .. } => {
                done.stream = order.stream;
                self.read(&order.path, &order.goal, &mut done)
            }
        };
        done.report = match report {
            Ok(report) => report,
            Err(error) if error.kind() == ErrorKind::NotFound => Report::Missing,
            Err(error) => Report::Failed { message: error.to_string() },
        };
        done
    }

    fn identify(
        &self,
        (path, stamp): (&Path, Stamp),
        siblings: &[Sibling],
        done: &mut Done<F::File>,
    ) -> io::Result<Report> {
        let is_same = |found: &Identity| found.stamp == stamp;
        let found = match done.file.take() {
            Some(file) => Some(self.describe(file)?),
            None => self.find(path, stamp.inode, is_same)?,
        };
        let Some(FoundFile { file, path, identity, facts }) = found else {
            return Ok(Report::Missing);
        };
        // A copy that is being made is empty at first.
        let unsettled = siblings.iter().find(|one| !one.is_settled).cloned();
        let copy = siblings.iter().find_map(|one| self.compare(&file, one).transpose());
        done.file = Some(file);
        let (copy_of, waits_for) = match copy.transpose()? {
            None => (None, unsettled.filter(|_| facts.length == Some(0))),
            Some(ControlFlow::Break(original)) => (Some(original), None),
            Some(ControlFlow::Continue(original)) => (None, Some(original)),
        };
        Ok(Report::Identified { identity, facts, path, copy_of, waits_for })
    }

    /// Closes the file, unless that would lose it or there is more in it.
    fn release(&self, size: Option<u64>, done: &mut Done<F::File>) -> io::Result<Report> {
        let Some(file) = &done.file else { return Ok(Report::Missing) };
        let facts = self.files.facts(file)?;
        let is_read = size.is_none_or(|size| facts.length.is_none_or(|length| length == size));
        let is_closed = is_read && 0 < facts.links;
        if is_closed {
            done.file = None;
        }
        Ok(Report::Released { facts, is_closed })
    }

    /// Removes the file from where it is found, if it holds no more than was delivered. It stays open:
    /// what is written to it meanwhile is read.
    fn remove(
        &self,
        path: &Path,
        (identity, length): (&Identity, u64),
        done: &mut Done<F::File>,
    ) -> io::Result<Report> {
        if done.file.is_none() {
            done.file = self
                .open_same(path, identity.stamp.inode, |found| found.is_same(identity))?
                .map(|found| found.file);
        }
        let Some(file) = &done.file else { return Ok(Report::Missing) };
        let is_delivered = |facts: &Facts| facts.length == Some(length) && facts.links == 1;
        let removal = if !is_delivered(&self.files.facts(file)?) {
            Removal::Premature
        } else {
            match self.files.remove(path, file) {
                Ok(true) => Removal::Done,
                Ok(false) => Removal::Premature,
                Err(error) => Removal::Failed(format!("remove it: {error}")),
            }
        };
        Ok(Report::Removed { facts: self.files.facts(file)?, removal })
    }

    /// Whether the file begins as the sibling did and had the same bytes where that was read to.
    fn compare(
        &self,
        file: &F::File,
        sibling: &Sibling,
    ) -> io::Result<Option<ControlFlow<Sibling, Sibling>>> {
        // After a restart, only where it was read to is known of a file that was cut meanwhile.
        let is_head_known = 0 < sibling.head.len;
        let telling = if is_head_known { &sibling.head } else { &sibling.at.anchor };
        let is_telling = COPY_BYTES_MIN <= telling.len;
        let is_like = if is_telling { self.holds(file, telling)? } else { sibling.is_unread };
        if !is_like {
            return Ok(None);
        }
        if !sibling.is_settled || !is_telling {
            // A copy that is made before the original is cut: where that was read to is known then.
            return Ok(Some(ControlFlow::Continue(sibling.clone())));
        }
        if let Some(at) = self.end_of_copy(file, sibling)? {
            // The original gives these bytes itself, unless it is cut before all of them are delivered.
            let is_delivered = at.offset <= sibling.at.offset;
            return Ok(Some(if is_delivered {
                ControlFlow::Break(Sibling { at, ..sibling.clone() })
            } else {
                ControlFlow::Continue(sibling.clone())
            }));
        }
        let is_copy = self.holds(file, &sibling.at.anchor)?;
        Ok(is_copy.then(|| ControlFlow::Break(sibling.clone())))
    }

    /// The end of a file that begins as its original does, if that still has all of its bytes.
    fn end_of_copy(&self, file: &F::File, sibling: &Sibling) -> io::Result<Option<Position>> {
        let Some((path, identity)) = &sibling.whole_at else { return Ok(None) };
        let is_same = |found: &Identity| found.is_same(identity);
        let original = self.find(path, identity.stamp.inode, is_same)?;
        let (Some(original), Some(offset)) = (original, self.files.facts(file)?.length) else {
            return Ok(None);
        };
        let Some(anchor) = self.anchor_at(file, offset)? else { return Ok(None) };
        let is_there = self.holds(&original.file, &anchor)?;
        Ok(is_there.then_some(Position { offset, anchor }))
    }

    fn read(&self, path: &Arc<Path>, goal: &Goal, done: &mut Done<F::File>) -> io::Result<Report> {
        let Goal::Read { identity, at, head, bytes_max, .. } = goal else {
            return Ok(Report::Missing);
        };
        let mut found_at = None;
        if done.file.is_none() {
            let is_same = |found: &Identity| found.is_same(identity);
            let Some(found) = self.find(path, identity.stamp.inode, is_same)? else {
                return Ok(Report::Missing);
            };
            (done.file, found_at) = (Some(found.file), found.path);
        }
        let Some(file) = done.file.as_ref() else { return Ok(Report::Missing) };
        let facts = self.files.facts(file)?;
        let end = at.offset.max(at.anchor.end);
        let is_shorter = facts.length.is_some_and(|length| length < end);
        let taken = if is_shorter || !self.holds(file, &at.anchor)? {
            done.stream = None;
            Taken::Cut
        } else if *bytes_max == 0 {
            Taken::Nothing
        } else {
            let path = found_at.as_ref().unwrap_or(path);
            let stream = match done.stream.take() {
                Some(stream) => stream,
                None => {
                    let beginning = self.beginning(file, at.offset)?;
                    let (path, offset) = (Arc::clone(path), at.offset);
                    (self.make)(Begin { path, facts, offset, beginning })
                }
            };
            let mut stream = stream;
            let (taken, batch) = self.take(file, goal, &mut stream)?;
            done.noticed = stream.take_noticed();
            // What holds nothing is made anew when there is more to read.
            let stream = (stream.held().is_some() || stream.is_pending()).then_some(stream);
            (done.stream, done.batch) = (stream, batch);
            taken
        };
        let head = self.head(file, *head, &taken)?;
        Ok(Report::Read(Reading { facts, path: found_at, head, taken }))
    }

    fn beginning(&self, file: &F::File, offset: u64) -> io::Result<Vec<u8>> {
        if !self.habits.has_header || offset == 0 {
            return Ok(Vec::new());
        }
        let mut bytes = vec![0; HEADER_BYTES_MAX];
        let read = self.files.read_at(file, 0, &mut bytes)?;
        bytes.truncate(read);
        Ok(bytes)
    }

    /// Reads what is new and passes it on.
    fn take(
        &self,
        file: &F::File,
        goal: &Goal,
        stream: &mut Stream,
    ) -> io::Result<(Taken, Option<Batch>)> {
        let Goal::Read { at, bytes_max, flush, skip, .. } = goal else {
            unreachable!("only files that are to be read are read")
        };
        let mut buffer = vec![0; *bytes_max];
        let read = self.files.read_at(file, at.offset, &mut buffer)?;
        let bytes = buffer.get(..read).unwrap_or_default();
        let is_at_end = read < buffer.len();
        let flush = flush.filter(|_| bytes.is_empty());
        let piece = Piece { bytes, flush, now: self.habits.now };
        let batch = stream.take(&piece, skip);
        let offset = at.offset + read as u64;
        let cursor = Position { offset, anchor: self.anchor(file, at, bytes)? };
        let spans: Vec<Span> = batch.as_ref().map(|batch| batch.spans.clone()).unwrap_or_default();
        let held = stream.held();
        let is_partial = stream.is_pending();
        let deadline = stream.next_deadline();
        let is_flushed = flush.is_some();
        let taken =
            Taken::Bytes { cursor, spans, held, is_partial, is_at_end, deadline, is_flushed };
        Ok((taken, batch))
    }

    /// The anchor of the last bytes that were ever read, when `bytes` follow `at`.
    fn anchor(&self, file: &F::File, at: &Position, bytes: &[u8]) -> io::Result<Anchor> {
        let end = at.offset + bytes.len() as u64;
        let wanted = self.habits.fingerprint;
        if end <= at.anchor.end {
            return Ok(at.anchor);
        }
        if wanted <= bytes.len() || at.offset == 0 {
            return Ok(Anchor::of(end, bytes, wanted));
        }
        // If it was cut meanwhile, the next turn will see that.
        Ok(self.anchor_at(file, end)?.unwrap_or_else(|| Anchor::of(end, bytes, wanted)))
    }

    /// The anchor of the bytes before `end`, if the file is as long as that.
    fn anchor_at(&self, file: &F::File, end: u64) -> io::Result<Option<Anchor>> {
        let wanted = self.habits.fingerprint;
        let start = end.saturating_sub(wanted as u64);
        let mut before = vec![0; usize::try_from(end - start).unwrap_or(wanted)];
        let read = self.files.read_at(file, start, &mut before)?;
        Ok((read == before.len()).then(|| Anchor::of(end, &before, wanted)))
    }

    /// The anchor of the beginning, which grows until it is as long as wanted.
    fn head(&self, file: &F::File, known: Anchor, taken: &Taken) -> io::Result<Anchor> {
        let cursor = match taken {
            Taken::Cut => return Ok(Anchor::default()),
            Taken::Nothing => return Ok(known),
            Taken::Bytes { cursor, .. } => cursor,
        };
        let wanted = usize::try_from(cursor.offset).unwrap_or(usize::MAX);
        let wanted = wanted.min(self.habits.fingerprint);
        if wanted <= usize::try_from(known.len).unwrap_or(usize::MAX) {
            return Ok(known);
        }
        let mut bytes = vec![0; wanted];
        let read = self.files.read_at(file, 0, &mut bytes)?;
        bytes.truncate(read);
        Ok(Anchor::of(read as u64, &bytes, read))
    }

    fn holds(&self, file: &F::File, anchor: &Anchor) -> io::Result<bool> {
        let mut bytes = vec![0; usize::try_from(anchor.len).unwrap_or_default()];
        let read = self.files.read_at(file, anchor.start(), &mut bytes)?;
        Ok(anchor.holds(bytes.get(..read).unwrap_or_default()))
    }

    /// Opens the file by its name, or under the name that its folder has it by now.
    fn find(
        &self,
        path: &Path,
        inode: u64,
        is_same: impl Fn(&Identity) -> bool,
    ) -> io::Result<Option<FoundFile<F::File>>> {
        match self.open_same(path, inode, &is_same) {
            Ok(Some(found)) => return Ok(Some(found)),
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let folder = path.parent().unwrap_or(Path::new(""));
        for entry in self.files.list(folder)? {
            let is_likely = entry.inode == inode && entry.kind == Kind::File;
            let path = folder.join(&entry.name);
            if is_likely && let Ok(Some(found)) = self.open_same(&path, inode, &is_same) {
                return Ok(Some(FoundFile { path: Some(path.into()), ..found }));
            }
        }
        Ok(None)
    }

    fn open_same(
        &self,
        path: &Path,
        inode: u64,
        is_same: impl Fn(&Identity) -> bool,
    ) -> io::Result<Option<FoundFile<F::File>>> {
        let file = self.files.open(path)?;
        if self.files.facts(&file)?.stamp.inode != inode {
            return Ok(None);
        }
        let found = self.describe(file)?;
        Ok(is_same(&found.identity).then_some(found))
    }

    fn describe(&self, file: F::File) -> io::Result<FoundFile<F::File>> {
        let facts = self.files.facts(&file)?;
        let identity = Identity { stamp: facts.stamp, handle: self.files.handle(&file) };
        Ok(FoundFile { file, path: None, identity, facts })
    }
}

/// A file that is the one that was looked for.
struct FoundFile<File> {
    file: File,
    /// Where it was, when that was not where it was looked for.
    path: Option<Arc<Path>>,
    identity: Identity,
    facts: Facts,
}
