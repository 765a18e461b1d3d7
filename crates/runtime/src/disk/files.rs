//! Files: what a disk's thread does to the file system.
//!
//! Invariant: a file that could not be brought back to a known state is poisoned.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, ErrorKind, IoSlice, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use bytes::Bytes;

use super::{DiskError, Found, Mode};
use crate::slab::Slab;

/// The open files of one disk.
#[derive(Debug, Default)]
pub(super) struct Files {
    open: Slab<Open>,
}

#[derive(Debug)]
struct Open {
    file: fs::File,
    path: PathBuf,
    bytes: u64,
    /// Pipes and devices keep nothing that could be synced.
    is_regular: bool,
    is_poisoned: bool,
}

impl Files {
    /// Opens a file; gives its number and length.
    pub(super) fn open(&mut self, path: PathBuf, mode: Mode) -> Result<(usize, u64), DiskError> {
        if let Some(permissions) = mode.folder_permissions
            && let Some(folder) = folder(&path)
        {
            let mut builder = DirBuilder::new();
            let made = builder.recursive(true).mode(permissions).create(folder);
            made.map_err(|error| failed("make the folder", folder, error))?;
        }
        let is_new = !path.exists();
        let mut options = OpenOptions::new();
        options.create(true).append(true).mode(mode.permissions);
        let file = options.open(&path).map_err(|error| failed("open", &path, error))?;
        if mode.is_truncated {
            file.set_len(0).map_err(|error| failed("truncate", &path, error))?;
        }
        if is_new {
            // Without this the name of a new file may be lost though its bytes are synced.
            sync_folder(&path)?;
        }
        let metadata = file.metadata().map_err(|error| failed("examine", &path, error))?;
        let (bytes, is_regular) = (metadata.len(), metadata.is_file());
        let open = Open { file, path, bytes, is_regular, is_poisoned: false };
        Ok((self.open.insert(open), bytes))
    }

    /// Appends all of `slices` or nothing; gives the length after it.
    pub(super) fn append(&mut self, number: usize, slices: &[Bytes]) -> Result<u64, DiskError> {
        let open = self.file(number)?;
        match write_all(&mut open.file, slices) {
            Ok(written) => {
                open.bytes += written;
                Ok(open.bytes)
            }
            Err(error) => {
                // What was written of it is cut off again, or nobody appends behind it.
                open.is_poisoned = open.file.set_len(open.bytes).is_err();
                Err(failed("write to", &open.path, error))
            }
        }
    }

    /// Makes what was appended survive the loss of power.
    pub(super) fn sync(&mut self, number: usize) -> Result<(), DiskError> {
        let open = self.file(number)?;
        if !open.is_regular {
            return Ok(());
        }
        open.file.sync_data().map_err(|error| {
            // The kernel may have dropped the bytes it failed to write, and reports that once.
            open.is_poisoned = true;
            failed("sync", &open.path, error)
        })
    }

    pub(super) fn close(&mut self, number: usize) {
        drop(self.open.remove(number));
    }

    fn file(&mut self, number: usize) -> Result<&mut Open, DiskError> {
        let open = self.open.value_mut(number).expect("a handle keeps its file open");
        if open.is_poisoned {
            return Err(DiskError::Poisoned { path: open.path.clone() });
        }
        Ok(open)
    }
}

pub(super) fn rename(from: &Path, to: &Path) -> Result<(), DiskError> {
    fs::rename(from, to).map_err(|error| failed("rename", from, error))?;
    sync_folder(to)
}

pub(super) fn remove(path: &Path) -> Result<(), DiskError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(failed("remove", path, error)),
        _ => Ok(()),
    }
}

pub(super) fn list(folder: &Path) -> Result<Vec<Found>, DiskError> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).map_err(|error| failed("list", folder, error))? {
        let entry = entry.map_err(|error| failed("list", folder, error))?;
        // A file that is removed while the folder is read is as if it had never been there.
        let Ok(metadata) = entry.metadata() else { continue };
        if metadata.is_file() {
            let (bytes, modified) = (metadata.len(), metadata.modified().ok());
            found.push(Found { path: entry.path(), bytes, modified });
        }
    }
    found.sort_unstable_by(|one, other| one.path.cmp(&other.path));
    Ok(found)
}

fn write_all(file: &mut fs::File, slices: &[Bytes]) -> io::Result<u64> {
    let mut slices: Vec<_> =
        slices.iter().filter(|slice| !slice.is_empty()).map(|slice| IoSlice::new(slice)).collect();
    let (mut left, mut total) = (slices.as_mut_slice(), 0);
    while !left.is_empty() {
        match file.write_vectored(left) {
            Ok(0) => return Err(ErrorKind::WriteZero.into()),
            Ok(written) => {
                IoSlice::advance_slices(&mut left, written);
                total += written as u64;
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(total)
}

/// Makes the names in the folder of `path` survive the loss of power.
fn sync_folder(path: &Path) -> Result<(), DiskError> {
    let folder = folder(path).unwrap_or(Path::new("."));
    let synced = fs::File::open(folder).and_then(|folder| folder.sync_all());
    synced.map_err(|error| failed("sync the folder", folder, error))
}

fn folder(path: &Path) -> Option<&Path> {
    path.parent().filter(|folder| !folder.as_os_str().is_empty())
}

fn failed(attempt: &'static str, path: &Path, error: io::Error) -> DiskError {
    DiskError::Io { attempt, path: path.to_owned(), error }
}

#[cfg(test)]
mod tests;
