//! Watched: a volume whose calls are on record while they run, so that one that hangs is seen.
//!
//! Owner of the record: [`Calls`], one short lock at the start and the end of a call.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;

use super::{Access, Entry, Volume, VolumeFile};
use crate::clock::Clock;
use crate::slab::Slab;

/// A volume whose calls are on record while they run.
#[derive(Clone, Debug)]
pub struct Watched {
    inner: Arc<dyn Volume>,
    calls: Calls,
}

/// The calls of a volume that run now. Clones are the same record.
#[derive(Clone, Debug, Default)]
pub struct Calls {
    running: Arc<Mutex<Slab<(&'static str, Instant)>>>,
}

impl Watched {
    #[must_use]
    pub fn new(inner: Arc<dyn Volume>) -> Self {
        Self { inner, calls: Calls::default() }
    }

    /// The record of its calls.
    #[must_use]
    pub fn calls(&self) -> Calls {
        self.calls.clone()
    }
}

impl Calls {
    /// What has run longest, and for how long.
    #[must_use]
    pub fn longest(&self) -> Option<(&'static str, Duration)> {
        let now = Clock.now();
        let running = self.lock();
        let oldest = running.iter().map(|(_, call)| *call).min_by_key(|(_, since)| *since);
        oldest.map(|(call, since)| (call, now.saturating_duration_since(since)))
    }

    fn during<T>(&self, call: &'static str, run: impl FnOnce() -> T) -> T {
        let number = self.lock().insert((call, Clock.now()));
        let result = run();
        self.lock().remove(number);
        result
    }

    fn lock(&self) -> MutexGuard<'_, Slab<(&'static str, Instant)>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Volume for Watched {
    fn name(&self) -> String {
        self.inner.name()
    }

    fn lock(&self) -> io::Result<bool> {
        self.calls.during("lock", || self.inner.lock())
    }

    fn list(&self) -> io::Result<Vec<Entry>> {
        self.calls.during("list", || self.inner.list())
    }

    fn create(&self, name: &str, bytes: u64) -> io::Result<Arc<dyn VolumeFile>> {
        let file = self.calls.during("create", || self.inner.create(name, bytes))?;
        Ok(Arc::new(WatchedFile { inner: file, calls: self.calls() }))
    }

    fn open(&self, name: &str, access: Access) -> io::Result<Arc<dyn VolumeFile>> {
        let file = self.calls.during("open", || self.inner.open(name, access))?;
        Ok(Arc::new(WatchedFile { inner: file, calls: self.calls() }))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.calls.during("rename", || self.inner.rename(from, to))
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.calls.during("remove", || self.inner.remove(name))
    }

    fn sync(&self) -> io::Result<()> {
        self.calls.during("sync of the directory", || self.inner.sync())
    }
}

#[derive(Debug)]
struct WatchedFile {
    inner: Arc<dyn VolumeFile>,
    calls: Calls,
}

impl VolumeFile for WatchedFile {
    fn bytes(&self) -> io::Result<u64> {
        self.calls.during("examine", || self.inner.bytes())
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        self.calls.during("read", || self.inner.read_at(buffer, offset))
    }

    fn write_at(&self, slices: &[Bytes], offset: u64) -> io::Result<()> {
        self.calls.during("write", || self.inner.write_at(slices, offset))
    }

    fn set_aside(&self, bytes: u64) -> io::Result<()> {
        self.calls.during("set aside", || self.inner.set_aside(bytes))
    }

    fn resize(&self, bytes: u64) -> io::Result<()> {
        self.calls.during("resize", || self.inner.resize(bytes))
    }

    fn sync(&self) -> io::Result<()> {
        self.calls.during("sync", || self.inner.sync())
    }
}
