//! Component: a part of the running graph, and what it is given to run.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use config::ComponentId;
use futures_util::future::BoxFuture;
use runtime::budget::Budget;
use runtime::clock::Clock;
use runtime::health::Health;
use runtime::metrics::Registry;
use runtime::net::Network;
use runtime::task::Scope;
use wire::Signal;

use crate::auth::{SharedClientAuth, SharedServerAuth};
use crate::consumer::{Consumer, Outlet};
use crate::storage::Storage;
use crate::trace::Tracer;

/// A running part of the graph.
pub trait Component: Send + Sync {
    /// Enters drain mode and returns at once: edges take nothing new but still answer, engines
    /// flush and start no new backoff. All that is held is to be answered before `deadline`.
    fn drain(&self, deadline: Instant);

    /// Ends. Called in the order of the flow, receivers last; resolves when nothing that the
    /// component owns is left, by `deadline` at the latest.
    fn close(&self, deadline: Instant) -> BoxFuture<'_, ()>;

    /// What is held now and until when at the latest, a line each, for operators.
    fn explain(&self) -> Vec<String> {
        Vec::new()
    }
}

/// A running extension and what it offers.
pub trait Extension: Component {
    /// Checks clients of receivers.
    fn server_auth(&self) -> Option<SharedServerAuth> {
        None
    }

    /// Adds credentials to requests of exporters.
    fn client_auth(&self) -> Option<SharedClientAuth> {
        None
    }

    /// Where components may keep what must survive the process.
    fn storage(&self) -> Option<Storage> {
        None
    }

    /// Hears whether the whole graph is ready to take data.
    fn ready(&self, _is_ready: bool) {}
}

/// A component that was started, and how to hand it envelopes.
#[derive(Clone, Debug)]
pub struct Built {
    pub component: Arc<dyn Component>,
    pub consumer: Arc<dyn Consumer>,
}

/// A component that holds nothing between two calls, and so has nothing to drain or to end.
#[derive(Clone, Copy, Debug)]
pub struct Stateless;

impl Component for Stateless {
    fn drain(&self, _deadline: Instant) {}

    fn close(&self, _deadline: Instant) -> BoxFuture<'_, ()> {
        Box::pin(std::future::ready(()))
    }
}

impl Built {
    /// A consumer that holds nothing between two calls.
    #[must_use]
    pub fn stateless(consumer: Arc<dyn Consumer>) -> Self {
        Self { component: Arc::new(Stateless), consumer }
    }
}

/// Where the outputs of a receiver or connector go: one outlet for each signal it is used for.
#[derive(Clone, Debug, Default)]
pub struct Outlets(BTreeMap<Signal, Outlet>);

impl Outlets {
    /// The outlet for `signal`; `None` when no pipeline takes it from this component.
    #[must_use]
    pub fn of(&self, signal: Signal) -> Option<&Outlet> {
        self.0.get(&signal)
    }

    /// The signals that some pipeline takes.
    pub fn signals(&self) -> impl Iterator<Item = Signal> {
        self.0.keys().copied()
    }
}

impl FromIterator<(Signal, Outlet)> for Outlets {
    fn from_iter<I: IntoIterator<Item = (Signal, Outlet)>>(outlets: I) -> Self {
        Self(outlets.into_iter().collect())
    }
}

/// The world of one component.
#[derive(Clone, Debug)]
pub struct Environment {
    pub id: ComponentId,
    /// For processors: the signal of the pipeline they stand in.
    pub signal: Option<Signal>,
    pub clock: Clock,
    /// The parent of the component's tasks.
    pub scope: Scope,
    pub metrics: Registry,
    /// What keeps components from their work.
    pub health: Health,
    pub tracer: Tracer,
    /// The admission budget of the process.
    pub budget: Budget,
    pub network: Network,
    /// Where the component may keep files.
    pub data_dir: PathBuf,
    pub extensions: Extensions,
}

/// The running extensions by id.
#[derive(Clone, Debug, Default)]
pub struct Extensions(Arc<BTreeMap<ComponentId, Arc<dyn Extension>>>);

impl Extensions {
    /// The extension of this id.
    #[must_use]
    pub fn find(&self, id: &ComponentId) -> Option<&Arc<dyn Extension>> {
        self.0.get(id)
    }

    /// The server side of authenticator `id`.
    pub fn server_auth(&self, id: &ComponentId) -> Result<SharedServerAuth, StartError> {
        let auth = self.find(id).and_then(|extension| extension.server_auth());
        auth.ok_or_else(|| StartError::new(format!("extension `{id}` cannot check clients")))
    }

    /// The client side of authenticator `id`.
    pub fn client_auth(&self, id: &ComponentId) -> Result<SharedClientAuth, StartError> {
        let auth = self.find(id).and_then(|extension| extension.client_auth());
        auth.ok_or_else(|| StartError::new(format!("extension `{id}` has no credentials to add")))
    }

    /// The storage that `id` offers.
    pub fn storage(&self, id: &ComponentId) -> Result<Storage, StartError> {
        let storage = self.find(id).and_then(|extension| extension.storage());
        storage.ok_or_else(|| StartError::new(format!("extension `{id}` is no storage")))
    }
}

impl FromIterator<(ComponentId, Arc<dyn Extension>)> for Extensions {
    fn from_iter<I: IntoIterator<Item = (ComponentId, Arc<dyn Extension>)>>(all: I) -> Self {
        Self(Arc::new(all.into_iter().collect()))
    }
}

/// A component could not be started; says what was attempted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct StartError {
    message: String,
}

impl StartError {
    /// An error with this message.
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into() }
    }
}
