//! File system: what the receiver asks of it, so that a test can put a simulated one underneath.
//!
//! All of it may block; it is called on the receiver's own threads only.

mod descriptors;
mod gzip;
mod real;

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};

use super::identity::Stamp;

pub(super) use descriptors::grant;
pub(super) use real::{Compression, Options, Real};

/// A place with files.
pub(super) trait FileSystem: Send + Sync + 'static {
    /// An open file; clones are the same one.
    type File: Clone + Send + Sync + 'static;

    fn open(&self, path: &Path) -> io::Result<Self::File>;
    /// What an open file is now.
    fn facts(&self, file: &Self::File) -> io::Result<Facts>;
    /// The kernel's own name for an open file.
    fn handle(&self, file: &Self::File) -> Option<Box<[u8]>>;
    /// Fills the buffer as far as there are bytes; less than asked for means the end.
    fn read_at(&self, file: &Self::File, offset: u64, buffer: &mut [u8]) -> io::Result<usize>;
    /// What stands at a path, behind symbolic links.
    fn look(&self, path: &Path) -> io::Result<Facts>;
    fn list(&self, folder: &Path) -> io::Result<Vec<Entry>>;
    /// Removes the name of an open file; `false` when the path leads to another one by now.
    fn remove(&self, path: &Path, file: &Self::File) -> io::Result<bool>;
    /// The path without symbolic links.
    fn resolve(&self, path: &Path) -> io::Result<PathBuf>;
    /// Whether other hosts may write there, of which the kernel does not tell.
    fn is_remote(&self, folder: &Path) -> bool;
}

/// One name in a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub name: OsString,
    /// Of the name itself, be it a symbolic link.
    pub inode: u64,
    pub kind: Kind,
}

/// What a name leads to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Kind {
    #[default]
    File,
    Folder,
    /// To be looked at behind the link.
    Link,
    /// A pipe, a socket or a device: nothing that could be read again.
    Other,
}

/// What a file is at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Facts {
    pub stamp: Stamp,
    pub kind: Kind,
    /// Bytes on disk.
    pub size: u64,
    /// Bytes that can be read, when that is another number: `None` while nobody knows.
    pub length: Option<u64>,
    /// Nanoseconds since 1970.
    pub modified: u64,
    /// How many names lead to it.
    pub links: u64,
    pub owner: u32,
    pub group: u32,
    pub mode: u32,
}
