//! Lease: the exclusive use of one journal by one engine of this process.
//!
//! A journal that an engine still has is waited for: at a reload the successor is built before its
//! predecessor has drained. Owner of the list of journals in use: the process.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, UNIX_EPOCH};

use journal::{Journal, OpenError, Opened, Settings, ToldOfTrouble};
use pipeline::{StartError, Storage};
use runtime::channel::{self, Ends, LatestReceiver, LatestSender};
use runtime::clock::Clock;
use runtime::threads::Pool;
use runtime::volume::{Directory, Permissions, Volume, VolumeError};

/// How often a journal that another process has is asked for.
const ASK_EVERY: Duration = Duration::from_millis(50);

static HELD: Mutex<BTreeMap<PathBuf, LatestReceiver<()>>> = Mutex::new(BTreeMap::new());

/// A journal, and the right to use it.
#[derive(Debug)]
pub(in crate::road) struct Lease {
    journal: Journal,
    claim: Claim,
}

/// The right to use the journal of a folder.
#[derive(Debug)]
pub(in crate::road) struct Claim {
    folder: PathBuf,
    /// Dropped with the claim, which is what its successor waits for.
    _held: LatestSender<()>,
}

/// Why a journal does not open.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    Folder(#[from] VolumeError),
    #[error(transparent)]
    Journal(#[from] OpenError),
}

/// Somebody else has it.
pub(in crate::road) struct Taken(LatestReceiver<()>);

impl Claim {
    pub(in crate::road) fn take(folder: &Path) -> Result<Self, Taken> {
        let mut held = held();
        if let Some(other) = held.get(folder) {
            return Err(Taken(other.clone()));
        }
        let ends = Ends { from: "engine with a journal", to: "its successor" };
        let (sender, receiver) = channel::latest(ends, ());
        held.insert(folder.to_owned(), receiver);
        Ok(Self { folder: folder.to_owned(), _held: sender })
    }

    /// Opens the journal. Blocks: it reads the disk.
    pub(in crate::road) fn open(
        self,
        storage: &Storage,
        bytes_max: u64,
        told: &ToldOfTrouble,
    ) -> Result<Lease, StartError> {
        let opened = open(&self.folder, storage, bytes_max, told).or_else(|error| {
            if storage.is_recreated && is_damage(&error) && move_away(&self.folder, &error) {
                return open(&self.folder, storage, bytes_max, told);
            }
            Err(error)
        });
        let Opened { journal, report, .. } =
            opened.map_err(|error| StartError::new(error.to_string()))?;
        for (file, offset, bytes) in &report.cut {
            tracing::info!(
                folder = %self.folder.display(), file, offset, bytes,
                "Cut off what was being written when the last run ended."
            );
        }
        Ok(Lease { journal, claim: self })
    }
}

impl Taken {
    /// Waits until it is free.
    pub(in crate::road) async fn freed(mut self) {
        while self.0.changed().await.is_some() {}
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        held().remove(&self.folder);
    }
}

impl Lease {
    pub(super) fn journal(&self) -> &Journal {
        &self.journal
    }

    pub(super) fn folder(&self) -> &Path {
        &self.claim.folder
    }

    /// Ends the journal after what was asked of it, and gives up the right to it.
    pub(super) async fn close(self) {
        let journal = self.journal.clone();
        match Pool::new("journal close", 1, 1) {
            // The journal says itself what failed.
            Ok(pool) => drop(pool.run(move || journal.close()).await),
            Err(_) => self.journal.close(),
        }
    }
}

/// Opens the journal of a folder; waits for another process that has it.
fn open(
    folder: &Path,
    storage: &Storage,
    bytes_max: u64,
    told: &ToldOfTrouble,
) -> Result<Opened, Failure> {
    let permissions = Permissions { file: 0o600, directory: Some(storage.folder_permissions) };
    let settings = Settings { is_synced: storage.is_synced, ..Settings::sized(bytes_max) };
    #[cfg(test)]
    let settings = simulated::hasty(folder, settings);
    let mut patience = storage.lock_timeout;
    loop {
        let volume = volume(folder, permissions)?;
        match journal::open_watched(volume, settings.clone(), Arc::clone(told)) {
            Err(OpenError::Locked { .. }) if !patience.is_zero() => {
                let pause = ASK_EVERY.min(patience);
                patience -= pause;
                rest(pause);
            }
            result => return Ok(result?),
        }
    }
}

fn volume(folder: &Path, permissions: Permissions) -> Result<Arc<dyn Volume>, VolumeError> {
    #[cfg(test)]
    if let Some(volume) = simulated::of(folder) {
        return Ok(volume);
    }
    Ok(Arc::new(Directory::open(folder, permissions)?))
}

fn is_damage(failure: &Failure) -> bool {
    use OpenError::{Damaged, Foreign, Version};
    matches!(failure, Failure::Journal(Damaged { .. } | Foreign { .. } | Version { .. }))
}

/// Keeps what cannot be read beside a new beginning.
fn move_away(folder: &Path, failure: &Failure) -> bool {
    let since = Clock.wall().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let mut name = folder.as_os_str().to_owned();
    name.push(format!(".damaged-{since}"));
    let to = PathBuf::from(name);
    let is_moved = Directory::rename(folder, &to).is_ok();
    if is_moved {
        tracing::error!(
            error = %failure, moved_to = %to.display(),
            "A journal could not be opened and was moved away; a new one begins."
        );
    }
    is_moved
}

/// Nobody wakes it: this is a pause on a thread that may block.
fn rest(pause: Duration) {
    let never = Condvar::new();
    let guard = Mutex::new(());
    let lock = guard.lock().unwrap_or_else(PoisonError::into_inner);
    drop(never.wait_timeout(lock, pause));
}

/// Whether a component of this process keeps something in this folder.
#[must_use]
pub fn is_in_use(folder: &Path) -> bool {
    held().contains_key(folder)
}

fn held() -> MutexGuard<'static, BTreeMap<PathBuf, LatestReceiver<()>>> {
    HELD.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Disks of tests, by the folders that they stand for.
#[cfg(test)]
pub(in crate::road) mod simulated {
    use super::{Arc, BTreeMap, Duration, Mutex, Path, PathBuf, PoisonError, Settings, Volume};

    static DISKS: Mutex<BTreeMap<PathBuf, Arc<dyn Volume>>> = Mutex::new(BTreeMap::new());

    pub(in crate::road) fn put(folder: PathBuf, volume: Arc<dyn Volume>) {
        DISKS.lock().unwrap_or_else(PoisonError::into_inner).insert(folder, volume);
    }

    /// A simulated disk hangs at once: nobody waits for real time.
    pub(super) fn hasty(folder: &Path, settings: Settings) -> Settings {
        let hangs_after = match of(folder) {
            Some(_) => Duration::from_millis(1),
            None => settings.hangs_after,
        };
        Settings { hangs_after, ..settings }
    }

    pub(super) fn of(folder: &Path) -> Option<Arc<dyn Volume>> {
        DISKS.lock().unwrap_or_else(PoisonError::into_inner).get(folder).cloned()
    }
}
