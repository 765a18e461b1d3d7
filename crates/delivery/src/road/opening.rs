//! Opening: how a road comes by the journal of its queue.
//!
//! At a start it is opened before anything flows, so that what is wrong with it is an error of the
//! start. At a reload its predecessor may still have it: then it is opened when that has drained.

use std::path::PathBuf;
use std::time::Duration;

use pipeline::{Environment, StartError, Storage};
use runtime::clock::Clock;
use runtime::task::Scope;
use runtime::threads::Pool;

use super::intake::Slicing;
use super::owner::storing::Shelf;
use super::store::Store;
use super::store::lease::{Claim, Taken};
use super::store::vitals::Vitals;
use super::{Signal, ToOwner};
use crate::settings::{Settings, Sizer};

/// How long until a journal that could not be opened is tried again.
const PAUSE: Duration = Duration::from_secs(1);

/// A journal to be opened.
#[derive(Clone)]
struct Wanted {
    storage: Storage,
    folder: PathBuf,
    bytes_max: u64,
}

/// What a queue needs on disk.
#[derive(Clone)]
struct Opener {
    queue: Wanted,
    refused: Option<(Wanted, u64)>,
    slicing: Slicing,
    vitals: Vitals,
    post: ToOwner,
}

/// Why there is no store yet.
enum NotYet {
    Taken(Taken),
    Failed(StartError),
}

/// The shelf of a road with these settings, and what belongs on it if that could be opened at once.
pub(super) fn shelf(
    env: &Environment,
    settings: &Settings,
    post: &ToOwner,
    scope: &Scope,
) -> Result<(Shelf, Option<Box<Store>>), StartError> {
    let Some(opener) = Opener::of(env, settings, post)? else { return Ok((Shelf::Nothing, None)) };
    let store = match opener.open() {
        Ok(store) => Some(Box::new(store)),
        Err(NotYet::Failed(error)) => return Err(error),
        Err(NotYet::Taken(taken)) => {
            scope.spawn("open the journal", opener.succeed(taken, env.clock)).detach();
            None
        }
    };
    Ok((Shelf::Opening(Vec::new()), store))
}

impl Opener {
    fn of(
        env: &Environment,
        settings: &Settings,
        post: &ToOwner,
    ) -> Result<Option<Self>, StartError> {
        let queue = settings.queue.as_ref();
        let Some((queue, store)) = queue.and_then(|queue| Some((queue, queue.store.as_ref()?)))
        else {
            return Ok(None);
        };
        let storage = env.extensions.storage(&store.storage)?;
        let folder = storage.folder_of("exporter", &env.id, "queue");
        let bytes_max = storage.bytes_max;
        if queue.sizer == Sizer::Bytes && bytes_max < queue.queue_size as u64 {
            let message = format!(
                "`queue_size` is {} bytes, and `{}` has `max_size` {bytes_max}",
                queue.queue_size, store.storage
            );
            return Err(StartError::new(message));
        }
        let refused = match &store.refused {
            Some(refused) => {
                let storage = env.extensions.storage(&refused.storage)?;
                let folder = storage.folder_of("exporter", &env.id, "refused");
                let wanted = Wanted { storage, folder, bytes_max: refused.bytes_max * 2 };
                Some((wanted, refused.bytes_max))
            }
            None => None,
        };
        let queue = Wanted { storage, folder, bytes_max };
        let (slicing, vitals) = (Slicing::new(settings), Vitals::of(env));
        Ok(Some(Self { queue, refused, slicing, vitals, post: post.clone() }))
    }

    /// Opens what is free. Blocks: it reads the disk.
    fn open(&self) -> Result<Store, NotYet> {
        let queue = Claim::take(&self.queue.folder).map_err(NotYet::Taken)?;
        let refused = match &self.refused {
            Some((wanted, bytes_max)) => {
                let claim = Claim::take(&wanted.folder).map_err(NotYet::Taken)?;
                Some((claim, wanted, *bytes_max))
            }
            None => None,
        };
        let told = self.vitals.of_trouble("queue", self.post.clone());
        let lease = queue.open(&self.queue.storage, self.queue.bytes_max, &told);
        let lease = lease.map_err(NotYet::Failed)?;
        let refused = match refused {
            Some((claim, wanted, bytes_max)) => {
                let told = self.vitals.of_trouble("refused", self.post.clone());
                let lease = claim.open(&wanted.storage, wanted.bytes_max, &told);
                Some((lease.map_err(NotYet::Failed)?, bytes_max))
            }
            None => None,
        };
        Ok(Store::new(lease, refused, (self.slicing, self.vitals.clone()), self.post.clone()))
    }

    /// Opens it when who has it has ended; tries until it succeeds, as the process goes on anyway.
    async fn succeed(self, taken: Taken, clock: Clock) {
        taken.freed().await;
        loop {
            let opener = self.clone();
            let opened = match Pool::new("journal open", 1, 1) {
                Ok(pool) => {
                    pool.run(move || opener.open()).await.map_err(|error| error.to_string())
                }
                Err(error) => Err(error.to_string()),
            };
            let error = match opened {
                Ok(Ok(store)) => return self.post.signal(Signal::Opened(Ok(Box::new(store)))),
                Ok(Err(NotYet::Taken(taken))) => {
                    taken.freed().await;
                    continue;
                }
                Ok(Err(NotYet::Failed(error))) => error,
                Err(message) => StartError::new(message),
            };
            self.post.signal(Signal::Opened(Err(error)));
            clock.sleep(PAUSE).await;
        }
    }
}
