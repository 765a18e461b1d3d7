//! Disk: files written by a thread of their own, synced in groups.
//!
//! Owner of the open files: the thread of their [`Disk`]; [`File`] is a handle. Appends that wait for
//! the disk share one `fdatasync` with all that arrived while the last one ran.
//! Bounds: waiting requests in number; one whose caller left before it started is not done.
//! Invariants: an append is there whole or not at all; after a failed sync a file takes no more, since
//! nobody knows what of it is on disk.

mod files;
mod worker;

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use bytes::Bytes;

use crate::channel::{self, Ends};

use files::Files;
use worker::{Queue, Request};

/// The files of one owner. Clones are the same owner; its thread ends with the last of them and of
/// their files, after what was asked before.
#[derive(Clone)]
pub struct Disk {
    handle: Arc<Handle>,
}

/// An open file. Closed, without waiting, when dropped.
pub struct File {
    handle: Arc<Handle>,
    number: usize,
    path: PathBuf,
}

/// Ends the thread when the last handle is gone.
struct Handle {
    queue: Arc<Queue>,
}

/// How a file is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mode {
    /// Whether what is in the file is thrown away.
    pub is_truncated: bool,
    /// The permissions of a file that is made, before the process's mask.
    pub permissions: u32,
    /// The permissions of folders that are made on the way; `None` makes none.
    pub folder_permissions: Option<u32>,
}

/// When an append is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// It survives the end of the process.
    Written,
    /// It survives the loss of power.
    Synced,
}

/// A file in a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    pub path: PathBuf,
    pub bytes: u64,
    pub modified: Option<SystemTime>,
}

/// Why something was not done.
#[derive(Debug, thiserror::Error)]
pub enum DiskError {
    #[error("cannot {attempt} {}: {error}", path.display())]
    Io { attempt: &'static str, path: PathBuf, error: io::Error },
    #[error("{} failed before and takes no more until it is opened again", path.display())]
    Poisoned { path: PathBuf },
    #[error("too many requests wait for the disk")]
    Full,
    #[error("the thread of the disk has ended")]
    Ended,
}

impl Default for Mode {
    fn default() -> Self {
        Self { is_truncated: false, permissions: 0o600, folder_permissions: None }
    }
}

impl Disk {
    /// Starts the thread, with room for `requests_max` requests that wait for it.
    pub fn start(name: &'static str, requests_max: usize) -> io::Result<Self> {
        let queue = Arc::new(Queue::new(name, requests_max));
        let work = Arc::clone(&queue);
        let builder = std::thread::Builder::new().name(format!("disk {name}"));
        builder.spawn(move || worker::run(&work, Files::default()))?;
        Ok(Self { handle: Arc::new(Handle { queue }) })
    }

    /// Opens a file to append to, which is made if need be; says how long it is, too.
    pub async fn open(
        &self,
        path: impl Into<PathBuf>,
        mode: Mode,
    ) -> Result<(File, u64), DiskError> {
        let path = path.into();
        let to_open = path.clone();
        // The handle is made on the thread: if the caller leaves now, dropping it closes the file.
        let handle = Arc::clone(&self.handle);
        self.handle
            .call(move |files| {
                let (number, bytes) = files.open(to_open, mode)?;
                Ok((File { handle, number, path }, bytes))
            })
            .await
    }

    /// Gives a file another name in place of whatever had it, durably.
    pub async fn rename(&self, from: &Path, to: &Path) -> Result<(), DiskError> {
        let (from, to) = (from.to_owned(), to.to_owned());
        self.handle.call(move |_| files::rename(&from, &to)).await
    }

    /// Removes a file; one that is not there is no error.
    pub async fn remove(&self, path: &Path) -> Result<(), DiskError> {
        let path = path.to_owned();
        self.handle.call(move |_| files::remove(&path)).await
    }

    /// The files of a folder, by name; folders in it are left out.
    pub async fn list(&self, folder: &Path) -> Result<Vec<Found>, DiskError> {
        let folder = folder.to_owned();
        self.handle.call(move |_| files::list(&folder)).await
    }

    /// How many requests wait.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.handle.queue.len()
    }
}

impl File {
    /// Appends `slices` as one piece; gives the length of the file after it.
    pub async fn append(
        &self,
        slices: Vec<Bytes>,
        durability: Durability,
    ) -> Result<u64, DiskError> {
        let (reply, result) = channel::once(self.handle.ends());
        let append = worker::Append { file: self.number, slices, durability, reply };
        self.handle.ask(Request::Append(append), result).await
    }

    /// Waits until all that was appended survives the loss of power.
    pub async fn sync(&self) -> Result<u64, DiskError> {
        self.append(Vec::new(), Durability::Synced).await
    }

    /// The name it was opened under.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for File {
    fn drop(&mut self) {
        self.handle.queue.close_file(self.number);
    }
}

impl Handle {
    async fn call<T: Send + 'static>(
        &self,
        call: impl FnOnce(&mut Files) -> Result<T, DiskError> + Send + 'static,
    ) -> Result<T, DiskError> {
        let (reply, result) = channel::once(self.ends());
        let call = move |files: &mut Files| {
            if reply.is_awaited() {
                // Who left meanwhile does not want the result.
                drop(reply.send(call(files)));
            }
        };
        self.ask(Request::Call(Box::new(call)), result).await
    }

    async fn ask<T>(
        &self,
        request: Request,
        mut result: channel::OnceReceiver<Result<T, DiskError>>,
    ) -> Result<T, DiskError> {
        if !self.queue.push(request) {
            return Err(DiskError::Full);
        }
        result.recv().await.unwrap_or(Err(DiskError::Ended))
    }

    fn ends(&self) -> Ends {
        Ends { from: self.queue.name(), to: "caller of the disk" }
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.queue.close();
    }
}

impl DiskError {
    /// Whether it may succeed later without anybody mending anything.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        use io::ErrorKind as Kind;
        match self {
            Self::Full => true,
            Self::Io { error, .. } => matches!(
                error.kind(),
                Kind::StorageFull | Kind::QuotaExceeded | Kind::Interrupted | Kind::OutOfMemory
            ),
            Self::Poisoned { .. } | Self::Ended => false,
        }
    }
}

impl fmt::Debug for Disk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Disk({}, {} wait)", self.handle.queue.name(), self.waiting())
    }
}

impl fmt::Debug for File {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "File({})", self.path.display())
    }
}

#[cfg(test)]
mod tests;
