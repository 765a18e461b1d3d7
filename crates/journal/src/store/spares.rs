//! Spares: segments whose room is set aside on the disk before anybody needs it.
//!
//! One that nobody needs any more becomes a spare as it is: what it held stays in it until it is
//! written over. Owner: the store. Invariants: data never takes the last two, which are for outcomes and
//! for what compaction moves, so that a full file system cannot keep a journal from giving room back. No
//! segment gets a number that something left in a spare has: no old frame is whole in a new segment.
//! What lies ready survives the loss of power.

use std::io::{self, ErrorKind};
use std::sync::Arc;

use runtime::volume::{Access, Volume, VolumeFile};

use crate::segment::{HEADER_BYTES, Header, NUMBER_MAX};

/// The names of the files that become the next segments.
const NAMES: [&str; 3] = ["spare", "spare2", "spare3"];

/// Those that data never takes.
pub(super) const CLOSED: usize = 2;

/// Segments that lie ready.
#[derive(Debug, Default)]
pub(crate) struct Spares {
    ready: Vec<Spare>,
}

/// A segment that lies ready.
#[derive(Debug)]
pub(super) struct Spare {
    pub(super) name: &'static str,
    pub(super) file: Arc<dyn VolumeFile>,
}

impl Spares {
    /// Takes over what the last owner left: somebody else may have the room once it is given back.
    /// Gives the highest number that a segment in them had.
    pub(crate) fn adopt(volume: &dyn Volume, journal: u64, bytes: u64) -> io::Result<(Self, u32)> {
        let (mut ready, mut newest) = (Vec::new(), 0);
        for name in NAMES {
            let file = match volume.open(name, Access::ReadWrite) {
                Err(error) if error.kind() == ErrorKind::NotFound => continue,
                file => file.ok(),
            };
            let former = match &file {
                Some(file) if file.bytes()? == bytes => former_number(&**file, journal)?,
                _ => None,
            };
            match (file, former) {
                (Some(file), Some(number)) => {
                    file.sync()?;
                    newest = newest.max(number);
                    ready.push(Spare { name, file });
                }
                _ => volume.remove(name)?,
            }
        }
        Ok((Self { ready }, newest))
    }

    pub(super) fn count(&self) -> usize {
        self.ready.len()
    }

    /// Whether as many lie ready as there may be.
    pub(super) fn is_complete(&self) -> bool {
        self.count() == NAMES.len()
    }

    /// Makes another one of the segment in the file `segment`, which must be whole and not needed;
    /// `false` when there are enough. Its name is gone for good when this returns.
    pub(super) fn take_over(
        &mut self,
        volume: &dyn Volume,
        segment: &str,
        bytes: u64,
    ) -> io::Result<bool> {
        let Some(name) = self.free_name() else { return Ok(false) };
        match volume.rename(segment, name) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => volume.sync()?,
        }
        // Until then it might have been found as a segment again, and had to be as it was.
        let file = volume.open(name, Access::ReadWrite);
        match file.and_then(|file| complete(&*file, bytes).map(|()| file)) {
            Ok(file) => self.ready.push(Spare { name, file }),
            Err(_) => volume.remove(name)?,
        }
        Ok(true)
    }

    /// Sets the room of another one aside.
    pub(super) fn add(&mut self, volume: &dyn Volume, bytes: u64) -> io::Result<()> {
        let Some(name) = self.free_name() else { return Ok(()) };
        let file = match volume.create(name, bytes) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                volume.remove(name)?;
                volume.create(name, bytes)?
            }
            result => result?,
        };
        file.sync()?;
        volume.sync()?;
        self.ready.push(Spare { name, file });
        Ok(())
    }

    pub(super) fn take(&mut self) -> Option<Spare> {
        self.ready.pop()
    }

    fn free_name(&self) -> Option<&'static str> {
        NAMES.into_iter().find(|name| self.ready.iter().all(|spare| spare.name != *name))
    }
}

/// Sets all the room of a file aside that may have been cut.
fn complete(file: &dyn VolumeFile, bytes: u64) -> io::Result<()> {
    let is_cut = file.bytes()? < bytes;
    file.set_aside(bytes)?;
    if is_cut { file.sync() } else { Ok(()) }
}

/// The number above which nothing in the file has one; zero when it was never a segment of `journal`, and
/// `None` when nobody can tell.
fn former_number(file: &dyn VolumeFile, journal: u64) -> io::Result<Option<u32>> {
    let mut header = [0; HEADER_BYTES];
    file.read_at(&mut header, 0)?;
    if header == [0; HEADER_BYTES] {
        return Ok(Some(0));
    }
    let header = Header::decode(&header).ok();
    Ok(header.filter(|one| one.journal == journal && one.number < NUMBER_MAX).map(|one| one.number))
}
