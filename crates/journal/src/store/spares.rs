//! Spares: segments whose room is set aside on the disk before anybody needs it.
//!
//! Owner: the store. Invariant: data never takes the last two. They are for outcomes and for what
//! compaction moves, so that a full file system cannot keep a journal from giving room back.

use std::io::{self, ErrorKind};
use std::sync::Arc;

use runtime::volume::{Access, Volume, VolumeFile};

use crate::segment::HEADER_BYTES;

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
    pub(crate) fn adopt(volume: &dyn Volume, bytes: u64) -> io::Result<Self> {
        let mut ready = Vec::new();
        for name in NAMES {
            match volume.open(name, Access::ReadWrite) {
                Ok(file) if is_untouched(&*file, bytes)? => ready.push(Spare { name, file }),
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                _ => volume.remove(name)?,
            }
        }
        Ok(Self { ready })
    }

    pub(super) fn count(&self) -> usize {
        self.ready.len()
    }

    /// Whether as many lie ready as there may be.
    pub(super) fn is_complete(&self) -> bool {
        self.count() == NAMES.len()
    }

    /// Sets the room of another one aside.
    pub(super) fn add(&mut self, volume: &dyn Volume, bytes: u64) -> io::Result<()> {
        let is_free = |name: &&str| self.ready.iter().all(|spare| spare.name != *name);
        let Some(name) = NAMES.into_iter().find(is_free) else { return Ok(()) };
        let file = match volume.create(name, bytes) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                volume.remove(name)?;
                volume.create(name, bytes)?
            }
            result => result?,
        };
        self.ready.push(Spare { name, file });
        Ok(())
    }

    pub(super) fn take(&mut self) -> Option<Spare> {
        self.ready.pop()
    }
}

/// Whether a file has all its room, and nobody began to make a segment of it.
fn is_untouched(file: &dyn VolumeFile, bytes: u64) -> io::Result<bool> {
    if file.bytes()? != bytes {
        return Ok(false);
    }
    let mut header = [0; HEADER_BYTES];
    file.read_at(&mut header, 0)?;
    Ok(header == [0; HEADER_BYTES])
}
