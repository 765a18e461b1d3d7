//! The receiver: what runs between build and close.
//!
//! Owner of its tasks: one scope. Drain takes nothing new and waits for answers; close ends with the
//! last positions written.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use journal::ToldOfTrouble;
use pipeline::factory::{Plans, ReceiverBlueprint};
use pipeline::{Component, Environment, Outlets, StartError, Storage, StorageUse};
use runtime::budget::{Part, Portion};
use runtime::clock::Clock;
use runtime::host;
use runtime::shutdown::{self, Shutdown, Trigger};
use runtime::task::Scope;
use runtime::threads::Pool;
use runtime::watch::Watcher;
use wire::Signal;

use super::config::Settings;
use super::file_system::{self, FileSystem, Real};
use super::offsets::{self, BYTES_MAX, Keeping, Offsets, OffsetsError};
use super::owners::{Owners, Sources};
use super::tailer::{House, Tailer};
use super::tally::Tally;

/// How many threads read files, at most.
const THREADS_MAX: usize = 4;
/// How many jobs may wait for a thread: turns are bounded by threads, looks are one at a time.
const JOBS_MAX: usize = 64;

/// Others must not be kept out by many files, nor the files by others: what a few turns take is always
/// theirs, so a turn that finds no room has to wait for the answers to its own payloads only.
const SHARE: Portion = Portion {
    min: Part { one_in: 32, bytes_least: 2 << 20 },
    max: Part { one_in: 2, bytes_least: 2 << 20 },
};
/// What was begun and waits for its end leaves half of it to turns, and files on trial to proven ones.
const HALF: Portion = Portion { min: Part::NOTHING, max: Part { one_in: 2, bytes_least: 0 } };

/// How long to wait for the journal of a receiver that is ending.
const LOCK_PAUSE: Duration = Duration::from_millis(50);

/// A running receiver.
#[derive(Debug)]
pub(super) struct Receiver {
    clock: Clock,
    scope: Scope,
    drain: Trigger,
    tally: Tally,
}

impl Plans for Settings {
    fn is_replaying(&self) -> bool {
        true
    }

    fn removes_by(&self) -> Option<&'static str> {
        self.limits.removed_after.map(|_| "delete_after_read")
    }

    fn stores(&self) -> Vec<StorageUse> {
        let extension = self.storage.clone();
        let storage = extension.map(|extension| StorageUse {
            extension,
            key: "storage".to_owned(),
            metadata_keys: None,
        });
        storage.into_iter().collect()
    }

    fn warnings(&self) -> Vec<String> {
        self.warnings.clone()
    }
}

impl ReceiverBlueprint for Settings {
    fn build(&self, env: Environment, outlets: Outlets) -> Result<Arc<dyn Component>, StartError> {
        Receiver::start(self, &env, &outlets).map(|receiver| Arc::new(receiver) as _)
    }
}

impl Receiver {
    fn start(
        settings: &Settings,
        env: &Environment,
        outlets: &Outlets,
    ) -> Result<Self, StartError> {
        let scope = env.scope.child("files");
        let (drain, drained) = shutdown::signal();
        let turns_max = host::cpus().min(THREADS_MAX);
        let pool = Pool::new("file_log", turns_max + 1, JOBS_MAX)
            .map_err(|error| StartError::new(format!("start the threads that read: {error}")))?;
        let outlet = outlets.of(Signal::Logs).cloned();
        let outlet = outlet.ok_or_else(|| StartError::new("no pipeline takes its logs"))?;
        let share = env.budget.portion("file_log", SHARE);
        let held = share.portion("held", HALF);
        let trials = share.portion("trials", HALF);
        let tally = Tally::new(env);
        let mut settings = settings.clone();
        settings.wanted.own_folder.clone_from(&env.data_dir);
        settings.limits.open_max = open_max(settings.limits.open_max, env);
        let kept = Kept::of(&settings, env)?;
        let house = House {
            clock: env.clock,
            scope: scope.clone(),
            files: Arc::new(Real::new(settings.options)),
            sources: Sources {
                attributes: settings.attributes,
                constants: settings.constants.clone(),
                owners: Owners::default(),
            },
            settings: Arc::new(settings),
            pool,
            turns_max,
            share,
            held,
            trials,
            outlet,
            tally: tally.clone(),
            watcher: Watcher::start().ok().map(Arc::new),
        };
        let offsets = match kept.open() {
            Ok(offsets) => Some(offsets),
            // After a reload, the receiver before this one lets go of it when it has ended.
            Err(error) if error.is_locked() => None,
            Err(error) => return Err(StartError::new(format!("keep positions: {error}"))),
        };
        scope.spawn("tailer", follow(house, kept, offsets, drained)).detach();
        Ok(Self { clock: env.clock, scope, drain, tally })
    }
}

/// How many of the files that are wanted at a time the process may have open.
fn open_max(wanted: usize, env: &Environment) -> usize {
    let (granted, limit) = file_system::grant(wanted);
    if let Some(limit) = limit {
        let receiver = &env.id;
        tracing::warn!(
            %receiver, limit, granted, max_concurrent_files = wanted,
            "The process may not have so many files open; raise `LimitNOFILE` or `ulimit -n`."
        );
    }
    granted
}

/// Where positions are kept.
#[derive(Clone)]
struct Kept {
    folder: PathBuf,
    keeping: Keeping,
    told: ToldOfTrouble,
}

impl Kept {
    fn of(settings: &Settings, env: &Environment) -> Result<Self, StartError> {
        let storage = settings.storage.as_ref().map(|id| env.extensions.storage(id)).transpose()?;
        let storage = storage.unwrap_or_else(|| Storage {
            directory: env.data_dir.join("storage"),
            is_synced: true,
            folder_permissions: 0o700,
            lock_timeout: LOCK_PAUSE,
            is_recreated: false,
            bytes_max: BYTES_MAX,
        });
        if storage.is_recreated {
            let receiver = &env.id;
            tracing::warn!(
                %receiver,
                "`recreate` of the storage is not for positions: without them files would be read \
                 again, or passed over. Where they are damaged, the start says so."
            );
        }
        Ok(Self {
            folder: storage.folder_of("receiver", &env.id, "positions"),
            keeping: Keeping {
                is_synced: storage.is_synced,
                folder_permissions: storage.folder_permissions,
            },
            told: offsets::health_of(env),
        })
    }

    /// Opens the journal. Blocks.
    fn open(&self) -> Result<Offsets, OffsetsError> {
        Offsets::open(&self.folder, self.keeping, Arc::clone(&self.told))
    }
}

/// Follows the files from where they were left.
async fn follow<F: FileSystem>(
    house: House<F>,
    kept: Kept,
    mut offsets: Option<Offsets>,
    drained: Shutdown,
) {
    let mut is_told = false;
    loop {
        if let Some(mut offsets) = offsets.take() {
            match offsets.load().await {
                Ok(records) => return Tailer::new(house, offsets, records).run(drained).await,
                Err(error) => tell_unreadable(&error),
            }
        }
        if drained.deadline().is_some() {
            return;
        }
        house.clock.sleep(LOCK_PAUSE).await;
        let kept = kept.clone();
        match house.pool.run(move || kept.open()).await {
            Ok(Ok(opened)) => offsets = Some(opened),
            Ok(Err(error)) if error.is_locked() => {
                if !std::mem::replace(&mut is_told, true) {
                    tracing::info!(%error, "Waiting for who follows these files until now.");
                }
            }
            Ok(Err(error)) => tell_unreadable(&error),
            Err(error) => tracing::error!(%error, "Cannot open the journal of positions."),
        }
    }
}

fn tell_unreadable(error: &OffsetsError) {
    tracing::error!(%error, "Cannot read where files were left; following none of them until then.");
}

impl Component for Receiver {
    fn drain(&self, deadline: Instant) {
        self.drain.begin(deadline);
    }

    fn close(&self, deadline: Instant) -> BoxFuture<'_, ()> {
        async move {
            self.drain.begin(deadline);
            self.scope.close(self.clock, deadline).await;
        }
        .boxed()
    }

    fn explain(&self) -> Vec<String> {
        self.tally.explain()
    }
}
