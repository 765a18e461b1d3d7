//! Reload: a TLS configuration that is built again when its files change.
//!
//! Owner of the configuration in use: [`Reloaded`]; a task of its own polls the files.
//! Invariant: files that cannot be used leave the configuration as it was, with a warning.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use runtime::clock::Clock;
use runtime::task::{Scope, Task};

use super::material::{Material, Origins, TlsError};

/// How one side turns PEM texts into its configuration.
pub(super) trait Recipe: Send + Sync + 'static {
    type Config: Send + Sync + 'static;

    /// Where the PEM texts come from.
    fn origins(&self) -> &Origins;

    /// Builds the configuration.
    fn build(&self, material: &Material) -> Result<Arc<Self::Config>, TlsError>;
}

/// A configuration, and how to build it again. Clones are the same.
pub(super) struct Reloaded<R: Recipe> {
    shared: Arc<Shared<R>>,
    /// Polls the files while a clone lives.
    _poller: Option<Arc<Task<()>>>,
}

struct Shared<R: Recipe> {
    recipe: R,
    current: ArcSwap<R::Config>,
    fingerprint: Mutex<Vec<u8>>,
}

impl<R: Recipe> Reloaded<R> {
    /// Builds the configuration now, and again whenever a look at the files, every `interval`,
    /// finds them changed.
    pub(super) fn start(
        recipe: R,
        interval: Option<Duration>,
        clock: Clock,
        scope: &Scope,
    ) -> Result<Self, TlsError> {
        let material = recipe.origins().read()?;
        let current = ArcSwap::new(recipe.build(&material)?);
        let fingerprint = Mutex::new(material.fingerprint());
        let shared = Arc::new(Shared { recipe, current, fingerprint });
        let interval = interval.filter(|_| shared.recipe.origins().has_files());
        let poller = interval.map(|interval| {
            let shared = Arc::clone(&shared);
            Arc::new(scope.spawn("tls reload", poll(shared, interval, clock)))
        });
        Ok(Self { shared, _poller: poller })
    }

    /// The configuration in use.
    pub(super) fn current(&self) -> Arc<R::Config> {
        self.shared.current.load_full()
    }

    /// Looks at the files now; says whether they had changed.
    pub(super) fn reload(&self) -> Result<bool, TlsError> {
        self.shared.reload()
    }
}

impl<R: Recipe> Shared<R> {
    fn reload(&self) -> Result<bool, TlsError> {
        let material = self.recipe.origins().read()?;
        let fingerprint = material.fingerprint();
        let mut seen = self.fingerprint.lock().unwrap_or_else(PoisonError::into_inner);
        if *seen == fingerprint {
            return Ok(false);
        }
        self.current.store(self.recipe.build(&material)?);
        *seen = fingerprint;
        Ok(true)
    }
}

async fn poll<R: Recipe>(shared: Arc<Shared<R>>, interval: Duration, clock: Clock) {
    loop {
        clock.sleep(interval).await;
        match shared.reload() {
            Ok(true) => tracing::info!("TLS certificates reloaded"),
            Ok(false) => {}
            Err(error) => tracing::warn!(%error, "TLS certificates not reloaded"),
        }
    }
}

impl<R: Recipe> Clone for Reloaded<R> {
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared), _poller: self._poller.clone() }
    }
}

impl<R: Recipe> fmt::Debug for Reloaded<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Reloaded({:?})", self.shared.recipe.origins())
    }
}
