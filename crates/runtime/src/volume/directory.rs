//! Directory: a volume that is a directory of the file system.
//!
//! All names are looked up below one open directory, so that nobody can put another in its place.

use std::fmt;
use std::fs::{self, DirBuilder, File};
use std::io::{self, ErrorKind, IoSlice};
use std::os::fd::OwnedFd;
use std::os::unix::fs::{DirBuilderExt, FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use rustix::fs::{AtFlags, FallocateFlags, Mode, OFlags};
use rustix::io::Errno;

use super::{Access, Entry, Volume, VolumeFile};

/// Slices that one call of the kernel takes.
const SLICES_MAX: usize = 1024;

const LOCK: &str = "lock";

/// A directory of the file system.
pub struct Directory {
    path: PathBuf,
    descriptor: OwnedFd,
    permissions: Permissions,
    lock: Mutex<Option<File>>,
}

/// The permissions of what is made, before the process's mask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Permissions {
    pub file: u32,
    /// `None` makes no directory.
    pub directory: Option<u32>,
}

/// Why a directory cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum VolumeError {
    #[error("cannot {attempt} the directory {}: {error}", path.display())]
    Io { attempt: &'static str, path: PathBuf, error: io::Error },
    #[error("the directory {} belongs to user {owner}, this process is user {user}", path.display())]
    Foreign { path: PathBuf, owner: u32, user: u32 },
}

impl Default for Permissions {
    fn default() -> Self {
        Self { file: 0o600, directory: Some(0o700) }
    }
}

impl Directory {
    /// Opens a directory, which is made if `permissions` say so.
    pub fn open(path: impl Into<PathBuf>, permissions: Permissions) -> Result<Self, VolumeError> {
        let path = path.into();
        if let Some(mode) = permissions.directory {
            make(&path, mode).map_err(|error| failed("make", &path, error))?;
        }
        let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::RDONLY | OFlags::CLOEXEC;
        let opened = rustix::fs::open(&path, flags, Mode::empty());
        let descriptor = opened.map_err(|errno| match errno {
            Errno::NOTDIR if path.is_symlink() => {
                failed("open", &path, invalid("it is a symbolic link, which is not followed"))
            }
            errno => failed("open", &path, errno.into()),
        })?;
        let stat = rustix::fs::fstat(&descriptor)
            .map_err(|error| failed("examine", &path, error.into()))?;
        let user = rustix::process::geteuid().as_raw();
        // A mounted volume often belongs to root and is opened to its users by permissions.
        if stat.st_uid != user && stat.st_uid != 0 && user != 0 {
            return Err(VolumeError::Foreign { path, owner: stat.st_uid, user });
        }
        Ok(Self { path, descriptor, permissions, lock: Mutex::new(None) })
    }

    /// The directories in one, by name; none when it is not there.
    pub fn inner(path: &Path) -> io::Result<Vec<PathBuf>> {
        let entries = match fs::read_dir(path) {
            Ok(entries) => entries,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let mut inner = Vec::new();
        for entry in entries {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                inner.push(entry.path());
            }
        }
        inner.sort();
        Ok(inner)
    }

    /// Gives a directory another name, which must be free.
    pub fn rename(from: &Path, to: &Path) -> io::Result<()> {
        Ok(rustix::fs::rename(from, to)?)
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether it is in memory, where a sync does nothing.
    #[must_use]
    pub fn is_in_memory(&self) -> bool {
        const TMPFS: u64 = 0x0102_1994;
        const RAMFS: u64 = 0x8584_58f6;
        let kind = rustix::fs::fstatfs(&self.descriptor).map(|stat| stat.f_type as u64);
        matches!(kind, Ok(TMPFS | RAMFS))
    }

    fn open_file(&self, name: &str, flags: OFlags) -> io::Result<File> {
        let flags = flags | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
        let mode = Mode::from_raw_mode(self.permissions.file);
        let opened = rustix::fs::openat(&self.descriptor, name, flags, mode);
        let file = File::from(opened.map_err(|errno| match errno {
            Errno::LOOP => invalid(&format!("{name} is a symbolic link, which is not followed")),
            Errno::ISDIR => invalid(&format!("{name} is no file")),
            errno => errno.into(),
        })?);
        let metadata = file.metadata()?;
        let user = rustix::process::geteuid().as_raw();
        if !metadata.is_file() {
            return Err(invalid(&format!("{name} is no file")));
        }
        if metadata.uid() != user && user != 0 {
            let reason = format!("{name} belongs to user {}", metadata.uid());
            return Err(io::Error::new(ErrorKind::PermissionDenied, reason));
        }
        Ok(file)
    }
}

impl Volume for Directory {
    fn name(&self) -> String {
        self.path.display().to_string()
    }

    fn lock(&self) -> io::Result<bool> {
        let file = self.open_file(LOCK, OFlags::RDWR | OFlags::CREATE)?;
        match file.try_lock() {
            Ok(()) => {
                *self.lock.lock().unwrap_or_else(PoisonError::into_inner) = Some(file);
                Ok(true)
            }
            Err(fs::TryLockError::WouldBlock) => Ok(false),
            Err(fs::TryLockError::Error(error)) => Err(error),
        }
    }

    fn list(&self) -> io::Result<Vec<Entry>> {
        let mut entries = Vec::new();
        for found in rustix::fs::Dir::read_from(&self.descriptor)? {
            let found = found?;
            let stat =
                rustix::fs::statat(&self.descriptor, found.file_name(), AtFlags::SYMLINK_NOFOLLOW);
            // A file that goes while the directory is read is as if it had never been there.
            let Ok(stat) = stat else { continue };
            let name = found.file_name().to_string_lossy().into_owned();
            let is_outside = name == LOCK || name == "." || name == "..";
            if !is_outside {
                entries.push(Entry { name, bytes: u64::try_from(stat.st_size).unwrap_or(0) });
            }
        }
        entries.sort_unstable_by(|one, other| one.name.cmp(&other.name));
        Ok(entries)
    }

    fn create(&self, name: &str, bytes: u64) -> io::Result<Arc<dyn VolumeFile>> {
        let file = self.open_file(name, OFlags::RDWR | OFlags::CREATE | OFlags::EXCL)?;
        let opened = Opened { file };
        if let (1.., Err(error)) = (bytes, opened.set_aside(bytes)) {
            drop(opened);
            self.remove(name)?;
            return Err(error);
        }
        Ok(Arc::new(opened))
    }

    fn open(&self, name: &str, access: Access) -> io::Result<Arc<dyn VolumeFile>> {
        let flags = match access {
            Access::Read => OFlags::RDONLY,
            Access::ReadWrite => OFlags::RDWR,
        };
        Ok(Arc::new(Opened { file: self.open_file(name, flags)? }))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        Ok(rustix::fs::renameat(&self.descriptor, from, &self.descriptor, to)?)
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        Ok(rustix::fs::unlinkat(&self.descriptor, name, AtFlags::empty())?)
    }

    fn sync(&self) -> io::Result<()> {
        Ok(rustix::fs::fsync(&self.descriptor)?)
    }
}

#[derive(Debug)]
struct Opened {
    file: File,
}

impl VolumeFile for Opened {
    fn bytes(&self) -> io::Result<u64> {
        Ok(self.file.metadata()?.len())
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        self.file.read_exact_at(buffer, offset)
    }

    fn write_at(&self, slices: &[Bytes], offset: u64) -> io::Result<()> {
        let slices = slices.iter().filter(|slice| !slice.is_empty());
        let mut slices: Vec<_> = slices.map(|slice| IoSlice::new(slice)).collect();
        let (mut left, mut at) = (slices.as_mut_slice(), offset);
        while !left.is_empty() {
            let now = &left[..left.len().min(SLICES_MAX)];
            match rustix::io::pwritev(&self.file, now, at) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(written) => {
                    IoSlice::advance_slices(&mut left, written);
                    at += written as u64;
                }
                Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    fn set_aside(&self, bytes: u64) -> io::Result<()> {
        match rustix::fs::fallocate(&self.file, FallocateFlags::empty(), 0, bytes) {
            // Not every file system can set room aside.
            Err(Errno::OPNOTSUPP | Errno::NOSYS) => self.file.set_len(bytes),
            result => Ok(result?),
        }
    }

    fn resize(&self, bytes: u64) -> io::Result<()> {
        self.file.set_len(bytes)
    }

    fn sync(&self) -> io::Result<()> {
        self.file.sync_data()?;
        // Somebody took its name away: no process will find it again.
        match self.file.metadata()?.nlink() {
            0 => Err(io::Error::new(ErrorKind::NotFound, "the file was removed")),
            _ => Ok(()),
        }
    }
}

impl fmt::Debug for Directory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Directory({})", self.path.display())
    }
}

/// Makes a directory and those above it, each synced into the one that holds it.
fn make(path: &Path, mode: u32) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    let above = path.parent().filter(|above| !above.as_os_str().is_empty());
    if let Some(above) = above {
        make(above, mode)?;
    }
    match DirBuilder::new().mode(mode).create(path) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    File::open(above.unwrap_or(Path::new(".")))?.sync_all()
}

fn invalid(reason: &str) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, reason)
}

fn failed(attempt: &'static str, path: &Path, error: io::Error) -> VolumeError {
    VolumeError::Io { attempt, path: path.to_owned(), error }
}
