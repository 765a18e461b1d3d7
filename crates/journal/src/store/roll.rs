//! Roll: closing a segment, opening the next one, and removing those that nobody needs.
//!
//! The next segments lie ready as files with their room set aside, so that a roll needs none; those that
//! nobody needs become the next ones. Names are synced before anything in the segment is answered for,
//! and after each removal.

use std::io::{self, ErrorKind};
use std::time::UNIX_EPOCH;

use bytes::Bytes;
use runtime::clock::Clock;

use super::spares::{self, Spare};
use super::{HEAD_BYTES_MAX, Store, refused};
use crate::AppendError;
use crate::frame::{self, Salt};
use crate::index::Segment;
use crate::segment::{Footer, Header, Writer, name_of};

impl Store {
    /// Sees to a segment that takes frames of `bytes` for data, and to the spares that it never takes.
    pub(super) fn ensure_for_data(
        &mut self,
        bytes: usize,
        growth: usize,
    ) -> Result<(), AppendError> {
        let is_rolled = !self.active.as_ref().is_some_and(|active| active.fits(bytes, growth));
        while self.spares.count() < spares::CLOSED + usize::from(is_rolled) {
            // Who was refused waits for what is tried after each group.
            if self.refused.is_some() || 0 < self.awaited {
                return Err(AppendError::Full);
            }
            self.add_spare().map_err(|error| refused(&error))?;
        }
        self.ensure(bytes, growth)
    }

    /// Sees to a segment that takes frames of `bytes`, of which the footer repeats `growth`.
    pub(super) fn ensure(&mut self, bytes: usize, growth: usize) -> Result<(), AppendError> {
        if self.active.as_ref().is_some_and(|active| active.fits(bytes, growth)) {
            return Ok(());
        }
        self.seal();
        let opened = self.open_segment();
        if let (Err(error), false) = (&opened, self.cannot_open) {
            let volume = self.volume.name();
            tracing::warn!(volume, %error, "The journal cannot open a segment; it goes on trying.");
        }
        self.cannot_open = opened.is_err();
        opened.map_err(|error| refused(&error))
    }

    /// Ends the active segment with its footer.
    pub(crate) fn seal(&mut self) {
        self.flush();
        let Some(active) = self.active.as_mut() else { return };
        let (number, sealed) = (active.number(), active.seal(self.settings.is_synced));
        match sealed {
            Ok(bytes) => {
                let ended = active.ended();
                self.previous = ended;
                self.active = None;
                self.index().segments.entry(number).or_default().bytes = bytes;
                self.closed_bytes += bytes;
            }
            Err(error) => self.poison(&error),
        }
    }

    /// Leaves the active segment as it is on disk; `false` when there is none.
    pub(super) fn abandon_active(&mut self) -> bool {
        let Some(active) = self.active.take() else { return false };
        self.previous = active.ended();
        let segment_bytes = self.settings.segment_bytes;
        self.closed_bytes += u64::from(segment_bytes);
        let mut index = self.index();
        let segment = index.segments.entry(active.number()).or_default();
        segment.bytes = segment_bytes.into();
        segment.is_poisoned = true;
        segment.bound = Some(active.ended());
        true
    }

    fn open_segment(&mut self) -> io::Result<()> {
        debug_assert!(self.active.is_none(), "a journal has one active segment");
        if self.spares.count() == 0 {
            self.add_spare()?;
        }
        let spare = self.spares.take().expect("one was added");
        let number = self.next_segment;
        self.next_segment += 1;
        let name = name_of(number);
        self.name_segment(&spare, number, &name).inspect_err(|_| {
            // Whatever of it is there has no record, and the next start removes it.
            drop(self.volume.remove(spare.name));
            drop(self.volume.remove(&name));
        })?;
        let salt = Salt { journal: self.journal, segment: number };
        self.active = Some(Writer::new(spare.file, salt, self.settings.segment_bytes));
        let previous = self.previous.number;
        self.index().segments.insert(number, Segment { previous, ..Segment::default() });
        Ok(())
    }

    fn name_segment(&self, spare: &Spare, number: u32, name: &str) -> io::Result<()> {
        let created = Clock.wall().duration_since(UNIX_EPOCH).unwrap_or_default();
        let header = Header {
            journal: self.journal,
            number,
            next_stream: self.index().next_stream,
            previous: self.previous,
            created: u64::try_from(created.as_millis()).unwrap_or(0),
        };
        spare.file.write_at(&[Bytes::copy_from_slice(&header.encoded())], 0)?;
        spare.file.sync()?;
        self.volume.rename(spare.name, name)?;
        #[cfg(mutants)]
        if self.mutant == Some(super::mutant::Mutant::DirectoryNotSynced) {
            return Ok(());
        }
        self.volume.sync()
    }

    /// Sets the room aside that data never takes, as far as the budget and the disk allow it, and more
    /// when somebody waits for room or nothing was written yet. A roll for data finds its own, mostly in a
    /// segment that is done with.
    pub(crate) fn keep_spares(&mut self) {
        let segment = u64::from(self.settings.segment_bytes);
        let wanted = spares::CLOSED + usize::from(0 < self.awaited || self.active.is_none());
        self.spares_lack = 0;
        while self.spares.count() < wanted {
            let ahead = u64::from(self.active.is_some()) + self.spares.count() as u64 + 1;
            if self.settings.bytes_max < self.closed_bytes + ahead * segment {
                return;
            }
            // Without it the next roll tries again, and says so when it fails.
            if let Err(error) = self.add_spare() {
                if refused(&error) == AppendError::Full {
                    self.spares_lack = (wanted - self.spares.count()) as u64 * segment;
                }
                return;
            }
        }
    }

    /// What must become free on the disk before data is taken; 0 when that does not depend on it.
    pub(crate) fn lacks(&self) -> u64 {
        let is_refusing = 0 < self.awaited || self.active.is_none();
        if is_refusing { self.spares_lack } else { 0 }
    }

    fn add_spare(&mut self) -> io::Result<()> {
        self.spares.add(&*self.volume, self.settings.segment_bytes.into())
    }

    /// Removes the segments that nobody needs; gives how many went.
    pub(crate) fn remove_dead(&mut self) -> usize {
        self.doom_dead();
        let mut removed = 0;
        while let Some(number) = self.doomed.front().copied() {
            if let Err(error) = self.remove_segment(number) {
                tracing::warn!(volume = self.volume.name(), %error, "The journal cannot remove a segment.");
                break;
            }
            self.doomed.pop_front();
            let bytes = self.index().remove_segment(number);
            self.closed_bytes -= bytes;
            self.owed.retain(|target| target != number);
            removed += 1;
            self.doom_dead();
        }
        if 0 < removed {
            self.reader.close_removed();
        }
        removed
    }

    /// Makes a spare of the segment, or gives its room back.
    fn remove_segment(&mut self, number: u32) -> io::Result<()> {
        let (name, segment_bytes) = (name_of(number), self.settings.segment_bytes.into());
        let is_whole = self.index().segments.get(&number).is_some_and(|segment| {
            !segment.is_poisoned && !segment.is_damaged && segment.bytes <= segment_bytes
        });
        if is_whole && self.spares.take_over(&*self.volume, &name, segment_bytes)? {
            return Ok(());
        }
        match self.volume.remove(&name) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        // The outcomes about this segment may go only after it.
        self.volume.sync()
    }

    /// Finds the segments that nobody needs, once what they prove is written elsewhere.
    fn doom_dead(&mut self) {
        let index = self.index();
        let is_candidate = |number: &u32| {
            index.is_dead(*number) && !self.is_active(*number) && !self.doomed.contains(number)
        };
        let dead: Vec<u32> = index.segments.keys().copied().filter(is_candidate).collect();
        drop(index);
        for number in dead {
            // The name of a stream that was ended stays until its records are done with on the disk.
            if self.declare_again(number) && !self.owed.is_to_undeclare(number) {
                self.doomed.push_back(number);
            }
        }
    }

    /// Declares the streams anew that only `segment` proves; `false` when that was not possible.
    pub(super) fn declare_again(&mut self, segment: u32) -> bool {
        let streams = self.index().proven_by(segment);
        for stream in streams {
            let Some(name) = self.index().streams.get(&stream).and_then(|one| one.name.clone())
            else {
                continue;
            };
            let bytes = name.len() + HEAD_BYTES_MAX;
            if self.ensure(frame::padded(bytes), Footer::growth(bytes)).is_err() {
                return false;
            }
            self.push_declaration(stream);
        }
        self.flush();
        self.index().proven_by(segment).is_empty()
    }
}
