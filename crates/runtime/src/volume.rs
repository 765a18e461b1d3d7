//! Volume: one directory of files, as a thread that may block sees it.
//!
//! The seam below everything that must survive a crash: [`Directory`] is the real one,
//! [`simulated::Simulated`] loses power, tears writes and hangs on request.
//! Invariant: no path leaves the directory, and no symbolic link is followed.

mod directory;
pub mod simulated;
mod watched;

use std::fmt;
use std::io;
use std::sync::Arc;

use bytes::Bytes;

pub use directory::{Directory, Permissions, VolumeError};
pub use watched::{Calls, Watched};

/// One directory of files. A change of names survives the loss of power after [`Volume::sync`].
pub trait Volume: Send + Sync + fmt::Debug {
    /// Where it is, for people.
    fn name(&self) -> String;

    /// Takes the directory for this process until the volume is dropped; `false` when another has it.
    fn lock(&self) -> io::Result<bool>;

    /// What there is but for the lock, by name; not all of it need be files.
    fn list(&self) -> io::Result<Vec<Entry>>;

    /// Makes a file that must not exist, with room for `bytes`.
    fn create(&self, name: &str, bytes: u64) -> io::Result<Arc<dyn VolumeFile>>;

    /// Opens a file.
    fn open(&self, name: &str, access: Access) -> io::Result<Arc<dyn VolumeFile>>;

    /// Gives a file another name in place of whatever had it.
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;

    /// Removes a file.
    fn remove(&self, name: &str) -> io::Result<()>;

    /// Makes the names survive the loss of power.
    fn sync(&self) -> io::Result<()>;
}

/// An open file of a volume. What was written survives the loss of power after [`VolumeFile::sync`].
pub trait VolumeFile: Send + Sync + fmt::Debug {
    /// How long it is.
    fn bytes(&self) -> io::Result<u64>;

    /// Fills `buffer` from `offset` on; a file that ends before is an error.
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()>;

    /// Writes all of `slices`, one behind the other, from `offset` on.
    fn write_at(&self, slices: &[Bytes], offset: u64) -> io::Result<()>;

    /// Extends the file with zeros, with room for `bytes` where the file system can set it aside.
    fn set_aside(&self, bytes: u64) -> io::Result<()>;

    /// Cuts the file, or extends it with zeros.
    fn resize(&self, bytes: u64) -> io::Result<()>;

    /// Makes contents and length survive the loss of power.
    fn sync(&self) -> io::Result<()>;
}

/// A file of a volume.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub name: String,
    pub bytes: u64,
}

/// What a file is opened for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    Read,
    ReadWrite,
}

#[cfg(test)]
mod tests;
