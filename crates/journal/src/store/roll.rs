//! Roll: closing a segment, opening the next one, and removing those that nobody needs.
//!
//! The next segment lies ready as a file with its room set aside, so that a roll needs none. Names are
//! synced before anything in the segment is answered for, and after each removal.

use std::io::{self, ErrorKind};
use std::sync::Arc;
use std::time::UNIX_EPOCH;

use bytes::Bytes;
use runtime::clock::Clock;
use runtime::volume::VolumeFile;

use super::{HEAD_BYTES_MAX, Store, refused};
use crate::AppendError;
use crate::frame::{self, Salt};
use crate::index::Segment;
use crate::segment::{Footer, Header, Writer, name_of};

/// The name of the file that becomes the next segment.
pub(crate) const SPARE: &str = "spare";

impl Store {
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
        let file = match self.spare.take() {
            Some(file) => file,
            None => self.create_spare()?,
        };
        let number = self.next_segment;
        self.next_segment += 1;
        let name = name_of(number);
        self.name_segment(&*file, number, &name).inspect_err(|_| {
            // Whatever of it is there has no record, and the next start removes it.
            drop(self.volume.remove(SPARE));
            drop(self.volume.remove(&name));
        })?;
        let salt = Salt { journal: self.journal, segment: number };
        self.active = Some(Writer::new(file, salt, self.settings.segment_bytes));
        let previous = self.previous.number;
        self.index().segments.insert(number, Segment { previous, ..Segment::default() });
        Ok(())
    }

    fn name_segment(&self, file: &dyn VolumeFile, number: u32, name: &str) -> io::Result<()> {
        let created = Clock.wall().duration_since(UNIX_EPOCH).unwrap_or_default();
        let header = Header {
            journal: self.journal,
            number,
            next_stream: self.index().next_stream,
            previous: self.previous,
            created: u64::try_from(created.as_millis()).unwrap_or(0),
        };
        file.write_at(&[Bytes::copy_from_slice(&header.encoded())], 0)?;
        file.sync()?;
        self.volume.rename(SPARE, name)?;
        #[cfg(mutants)]
        if self.mutant == Some(super::mutant::Mutant::DirectoryNotSynced) {
            return Ok(());
        }
        self.volume.sync()
    }

    /// Sets the room for the next segment aside, if there is none yet and the budget allows it.
    pub(crate) fn keep_spare(&mut self) {
        let segment = u64::from(self.settings.segment_bytes);
        let active = u64::from(self.active.is_some()) * segment;
        let used = self.closed_bytes + active + segment;
        if self.spare.is_none() && used <= self.settings.bytes_max {
            // Without it the next roll tries again, and says so when it fails.
            self.spare = self.create_spare().ok();
        }
    }

    fn create_spare(&mut self) -> io::Result<Arc<dyn VolumeFile>> {
        match self.volume.create(SPARE, self.settings.segment_bytes.into()) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                self.volume.remove(SPARE)?;
                self.volume.create(SPARE, self.settings.segment_bytes.into())
            }
            result => result,
        }
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

    fn remove_segment(&self, number: u32) -> io::Result<()> {
        match self.volume.remove(&name_of(number)) {
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
            if self.declare_again(number) {
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
