//! Watch: hears from the kernel (inotify) that something happened in folders.
//!
//! A hint and never the truth: changes coalesce, get lost when the kernel's queue overflows, and
//! do not come at all for what other hosts do to a network mount. Owner of the folders: the
//! [`Watcher`], behind one lock. Where there is no inotify, [`Watcher::start`] fails.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustix::fs::inotify::{self, CreateFlags, ReadFlags, WatchFlags};
use rustix::io::Errno;
use tokio::io::unix::AsyncFd;

use crate::waits::{self, What};

/// Bytes of changes that are taken from the kernel at once.
const BUFFER_BYTES: usize = 16 << 10;
/// Changes that are given at once; what is left is given by the next call.
const CHANGES_MAX: usize = 4096;

/// Hears of changes in a set of folders.
pub struct Watcher {
    queue: AsyncFd<OwnedFd>,
    folders: Mutex<Folders>,
}

/// What happened, as far as the kernel says.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Change {
    /// The bytes or the permissions of a file in a folder may have changed.
    Written { folder: Arc<Path>, name: OsString },
    /// A name in a folder came, went or leads elsewhere.
    Named { folder: Arc<Path>, name: OsString },
    /// The folder itself was moved or removed.
    FolderGone { folder: Arc<Path> },
    /// Changes were lost: look at everything.
    Overflowed,
}

#[derive(Debug, Default)]
struct Folders {
    /// A folder that has several names is one watch.
    by_number: HashMap<i32, Vec<Arc<Path>>>,
    by_path: BTreeMap<Arc<Path>, i32>,
}

impl Watcher {
    /// Starts to listen, to no folder at first.
    pub fn start() -> io::Result<Self> {
        let queue = inotify::init(CreateFlags::NONBLOCK | CreateFlags::CLOEXEC)?;
        #[expect(
            deprecated,
            reason = "its successor is unsafe for the sake of other types than OwnedFd"
        )]
        let queue = AsyncFd::new(queue)?;
        Ok(Self { queue, folders: Mutex::default() })
    }

    /// Listens to exactly these folders; gives those that the kernel does not watch, and why.
    /// Blocks for as long as the file systems take to find the folders.
    pub fn set_folders(&self, wanted: &BTreeSet<PathBuf>) -> Vec<(PathBuf, io::Error)> {
        let held: BTreeSet<Arc<Path>> = self.lock().by_path.keys().cloned().collect();
        for folder in held.iter().filter(|folder| !wanted.contains(&***folder)) {
            self.forget(folder);
        }
        let missing = wanted.iter().filter(|folder| !held.contains(folder.as_path()));
        missing.filter_map(|folder| Some((folder.clone(), self.add(folder).err()?))).collect()
    }

    /// How many folders are listened to.
    #[must_use]
    pub fn folders(&self) -> usize {
        self.lock().by_path.len()
    }

    /// Waits until something happened.
    pub async fn next(&self) -> io::Result<Vec<Change>> {
        loop {
            let ready = self.queue.readable();
            let mut ready =
                waits::observed(What::socket("kernel's file notification"), ready).await?;
            let changes = self.take()?;
            if changes.len() < CHANGES_MAX {
                ready.clear_ready();
            }
            if !changes.is_empty() {
                return Ok(changes);
            }
        }
    }

    /// Takes what has happened, each change once.
    fn take(&self) -> io::Result<Vec<Change>> {
        let mut buffer = [MaybeUninit::uninit(); BUFFER_BYTES];
        let mut reader = inotify::Reader::new(self.queue.get_ref(), &mut buffer);
        let mut changes = BTreeSet::new();
        // What is in the buffer already must be taken, or it is lost.
        while changes.len() < CHANGES_MAX || !reader.is_buffer_empty() {
            match reader.next() {
                Ok(event) => {
                    let name = event.file_name().map(|name| OsStr::from_bytes(name.to_bytes()));
                    self.lock().note(event.wd(), event.events(), name, &mut changes);
                }
                Err(Errno::AGAIN) => break,
                Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(changes.into_iter().collect())
    }

    fn add(&self, folder: &Path) -> io::Result<()> {
        let wanted = WatchFlags::MODIFY
            | WatchFlags::ATTRIB
            | WatchFlags::CREATE
            | WatchFlags::DELETE
            | WatchFlags::MOVED_FROM
            | WatchFlags::MOVED_TO
            | WatchFlags::DELETE_SELF
            | WatchFlags::MOVE_SELF
            | WatchFlags::ONLYDIR;
        let number = inotify::add_watch(self.queue.get_ref(), folder, wanted)?;
        self.lock().insert(folder.into(), number);
        Ok(())
    }

    fn forget(&self, folder: &Path) {
        let number = self.lock().remove(folder);
        if let Some(number) = number {
            // The kernel may have dropped the watch already, with its folder.
            inotify::remove_watch(self.queue.get_ref(), number).ok();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Folders> {
        self.folders.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Folders {
    fn insert(&mut self, folder: Arc<Path>, number: i32) {
        self.by_number.entry(number).or_default().push(Arc::clone(&folder));
        self.by_path.insert(folder, number);
    }

    /// Gives the watch that nobody needs any more.
    fn remove(&mut self, folder: &Path) -> Option<i32> {
        let number = self.by_path.remove(folder)?;
        let names = self.by_number.get_mut(&number)?;
        names.retain(|name| **name != *folder);
        if !names.is_empty() {
            return None;
        }
        self.by_number.remove(&number);
        Some(number)
    }

    fn note(
        &mut self,
        number: i32,
        events: ReadFlags,
        name: Option<&OsStr>,
        changes: &mut BTreeSet<Change>,
    ) {
        if events.contains(ReadFlags::QUEUE_OVERFLOW) {
            changes.insert(Change::Overflowed);
            return;
        }
        let Some(folders) = self.by_number.get(&number) else { return };
        let is_written = !events.intersects(
            ReadFlags::CREATE | ReadFlags::DELETE | ReadFlags::MOVED_FROM | ReadFlags::MOVED_TO,
        );
        for folder in folders {
            let folder = Arc::clone(folder);
            changes.insert(match name {
                Some(name) if is_written => Change::Written { folder, name: name.to_owned() },
                Some(name) => Change::Named { folder, name: name.to_owned() },
                None if events.intersects(
                    ReadFlags::DELETE_SELF | ReadFlags::MOVE_SELF | ReadFlags::IGNORED,
                ) =>
                {
                    Change::FolderGone { folder }
                }
                // Its own permissions, say.
                None => Change::Named { folder, name: OsString::new() },
            });
        }
        if events.contains(ReadFlags::IGNORED) {
            for folder in self.by_number.remove(&number).unwrap_or_default() {
                self.by_path.remove(&folder);
            }
        }
    }
}

impl fmt::Debug for Watcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Watcher({} folders)", self.folders())
    }
}

#[cfg(test)]
mod tests;
