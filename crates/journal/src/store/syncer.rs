//! Syncer: makes what was written to a file survive the loss of power, while its owner goes on.
//!
//! Bounds: one sync at a time. Invariant: a sync is begun once for the same bytes; what became of it
//! is told once.

use std::fmt;
use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use runtime::clock::Clock;
use runtime::inbox::{self, Bell, Inbox, Sender};
use runtime::metrics::Histogram;
use runtime::volume::VolumeFile;

/// Syncs one file at a time.
pub(crate) trait Syncer: Send {
    /// Begins; the last sync was waited for.
    fn begin(&mut self, file: Arc<dyn VolumeFile>);

    /// Whether [`Syncer::wait`] would not wait.
    fn has_ended(&self) -> bool;

    /// What became of the sync that was begun last.
    fn wait(&mut self) -> io::Result<()>;
}

/// Syncs when somebody waits for it, on the thread that waits.
#[derive(Debug, Default)]
pub(crate) struct InPlace {
    file: Option<Arc<dyn VolumeFile>>,
}

impl Syncer for InPlace {
    fn begin(&mut self, file: Arc<dyn VolumeFile>) {
        self.file = Some(file);
    }

    fn has_ended(&self) -> bool {
        true
    }

    fn wait(&mut self) -> io::Result<()> {
        self.file.take().map_or(Ok(()), |file| file.sync())
    }
}

/// Syncs on a thread of its own, and rings when it is done.
pub(crate) struct Beside {
    files: Sender<Arc<dyn VolumeFile>>,
    end: Arc<End>,
}

/// The end of a sync.
#[derive(Debug, Default)]
struct End {
    result: Mutex<Option<io::Result<()>>>,
    told: Condvar,
}

/// The thread of [`Beside`].
pub(crate) struct SyncThread<T> {
    files: Inbox<Arc<dyn VolumeFile>>,
    end: Arc<End>,
    bell: Bell<T>,
    took: Histogram,
}

impl Beside {
    /// The syncer, and what its thread runs. `bell` rings at each end.
    pub(crate) fn new<T>(bell: Bell<T>, took: Histogram) -> (Self, SyncThread<T>) {
        let (sender, files) = inbox::inbox(usize::MAX);
        let end = Arc::<End>::default();
        let thread = SyncThread { files, end: Arc::clone(&end), bell, took };
        (Self { files: sender, end }, thread)
    }
}

impl Syncer for Beside {
    fn begin(&mut self, file: Arc<dyn VolumeFile>) {
        if self.files.send(file, 0).is_err() {
            self.end.tell(Err(io::Error::other("the thread that syncs has ended")));
        }
    }

    fn has_ended(&self) -> bool {
        self.end.result().is_some()
    }

    fn wait(&mut self) -> io::Result<()> {
        let told = self.end.told.wait_while(self.end.result(), |result| result.is_none());
        told.unwrap_or_else(PoisonError::into_inner).take().unwrap_or(Ok(()))
    }
}

impl<T> SyncThread<T> {
    pub(crate) fn run(mut self) {
        while let Some(files) = self.files.take(None) {
            for file in files {
                let began = Clock.now();
                let result = file.sync();
                self.took.record_duration(Clock.now().saturating_duration_since(began));
                self.end.tell(result);
                self.bell.ring();
            }
        }
    }
}

impl End {
    fn tell(&self, result: io::Result<()>) {
        *self.result() = Some(result);
        self.told.notify_one();
    }

    fn result(&self) -> MutexGuard<'_, Option<io::Result<()>>> {
        self.result.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Beside {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Beside").field("has_ended", &self.has_ended()).finish()
    }
}
