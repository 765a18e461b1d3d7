//! Keeper: the task that keeps one name resolved and connected.
//!
//! Owner: the task owns the directory, the dial attempts and the connections; requests see the
//! [`View`] it publishes and report addresses that failed them.
//! Bounds: one attempt and one HTTP/2 connection for each address; [`REPORTS_MAX`] reports.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{BoxFuture, FutureExt};
use futures_util::stream::{FuturesUnordered, StreamExt};
use runtime::channel::{LatestSender, Receiver};
use runtime::clock::Clock;
use runtime::random::Random;
use runtime::task::Scope;

use super::dial::{Dialer, Resolve};
use super::directory::{Action, Directory, Ending, Event, Policy, Target};
use super::endpoint::Host;
use super::link::{Link, Sender};
use super::peer::{Connections, Limits, Peer, Pool};
use crate::http2::{Handle, Reason};

pub(crate) const REPORTS_MAX: usize = 64;
const RESOLVE_TIMEOUT: Duration = Duration::from_secs(20);

/// What requests see of the keeper.
#[derive(Clone, Debug, Default)]
pub(crate) struct View {
    pub(crate) peers: Vec<Arc<Peer>>,
    /// Why there is no peer and none is to be expected soon.
    pub(crate) failure: Option<Arc<str>>,
}

/// What the keeper is given to work with.
pub(crate) struct Tools {
    pub(crate) dialer: Arc<Dialer>,
    pub(crate) resolver: Arc<dyn Resolve>,
    pub(crate) limits: Limits,
    pub(crate) clock: Clock,
    pub(crate) scope: Scope,
    pub(crate) view: LatestSender<Arc<View>>,
}

struct Keeper {
    tools: Tools,
    directory: Directory,
    peers: Vec<Arc<Peer>>,
    work: FuturesUnordered<BoxFuture<'static, Done>>,
}

enum Done {
    Heard(Event),
    Opened(Target, Link),
    /// The connection that requests to an address share.
    Ended(Target, Handle),
}

/// Runs until all senders of `reports` are gone.
pub(crate) async fn keep(tools: Tools, policy: Policy, mut reports: Receiver<Event>) {
    let directory = Directory::new(policy, Random::entropy(), tools.clock.now());
    let work = FuturesUnordered::new();
    let mut keeper = Keeper { tools, directory, peers: Vec::new(), work };
    let mut event = Event::Tick;
    loop {
        keeper.handle(event);
        event = tokio::select! {
            Some(done) = keeper.work.next(), if !keeper.work.is_empty() => match done {
                Done::Heard(event) => event,
                Done::Opened(target, link) => keeper.opened(target, link),
                Done::Ended(target, handle) => keeper.ended(target, &handle),
            },
            report = reports.recv() => match report {
                Some(report) => report,
                None => return,
            },
            () = tick(keeper.tools.clock, &keeper.directory) => Event::Tick,
        };
    }
}

async fn tick(clock: Clock, directory: &Directory) {
    match directory.due() {
        Some(due) => clock.sleep_until(due).await,
        None => std::future::pending().await,
    }
}

impl Keeper {
    fn handle(&mut self, event: Event) {
        match &event {
            Event::Lost(target, _) | Event::Failed(target, _) => self.forget(target),
            _ => {}
        }
        let now = self.tools.clock.now();
        for action in self.directory.handle(event, now) {
            match action {
                Action::Resolve => self.resolve(),
                Action::Dial(target) => self.dial(target),
                Action::Forget(target) => self.forget(&target),
            }
        }
        for peer in &self.peers {
            if let Connections::Pooled(pool) = &peer.connections {
                pool.evict(now);
            }
        }
        let view = View { peers: self.peers.clone(), failure: self.directory.failure() };
        self.tools.view.set(Arc::new(view));
    }

    fn resolve(&mut self) {
        let Host::Name(host, port) = self.tools.dialer.first_hop().clone() else {
            let targets = match self.tools.dialer.first_hop() {
                Host::Unix(path) => vec![Target::Unix(path.clone())],
                Host::Name(..) => Vec::new(),
            };
            return self.work.push(async { Done::Heard(Event::Resolved(targets)) }.boxed());
        };
        let resolver = Arc::clone(&self.tools.resolver);
        let deadline = self.tools.clock.now() + RESOLVE_TIMEOUT;
        let broken = Event::Unresolved("the lookup ended without a result".into());
        self.start("resolve", broken, async move {
            Done::Heard(match resolver.resolve(&host, port, deadline).await {
                Ok(found) => Event::Resolved(found.into_iter().map(Target::Tcp).collect()),
                Err(error) => Event::Unresolved(error.to_string().into()),
            })
        });
    }

    fn dial(&mut self, target: Target) {
        let dialer = Arc::clone(&self.tools.dialer);
        let broken = Event::Failed(target.clone(), "the attempt ended without a result".into());
        self.start("dial", broken, async move {
            match dialer.dial(&target).await {
                Ok(link) => Done::Opened(target, link),
                Err(error) => {
                    tracing::debug!(%target, %error, "no connection");
                    Done::Heard(Event::Failed(target, error.to_string().into()))
                }
            }
        });
    }

    /// Makes a peer of a connection, and watches it if all requests are to share it.
    fn opened(&mut self, target: Target, link: Link) -> Event {
        let connections = match link.sender {
            Sender::Http2(handle) => {
                let (ended, watched) = (target.clone(), handle.clone());
                let connection = link.connection;
                let broken = Event::Lost(target.clone(), Ending::Useless);
                self.start("http2 connection", broken, async move {
                    connection.await;
                    Done::Ended(ended, watched)
                });
                Connections::Shared(handle)
            }
            Sender::Http1(sender) => {
                let pool = Pool::new(self.tools.limits);
                if let Some(place) = pool.place() {
                    let lease = place.fill(sender, link.connection, &self.tools.scope);
                    pool.keep(lease, self.tools.clock.now());
                }
                Connections::Pooled(pool)
            }
        };
        self.peers.push(Arc::new(Peer::new(target.clone(), connections)));
        Event::Dialled(target)
    }

    fn ended(&self, target: Target, handle: &Handle) -> Event {
        let peer = self.peers.iter().find(|peer| peer.target == target);
        let ending = match peer {
            Some(peer) if peer.has_answered() => Ending::Useful,
            _ if handle.dismissal() == Some(Reason::NO_ERROR) => Ending::SentAway,
            _ => Ending::Useless,
        };
        Event::Lost(target, ending)
    }

    fn forget(&mut self, target: &Target) {
        self.peers.retain(|peer| peer.target != *target);
    }

    /// Does slow work in a task of its own; what comes of it is an event, `broken` if it panics.
    fn start<F>(&mut self, name: &str, broken: Event, future: F)
    where
        F: Future<Output = Done> + Send + 'static,
    {
        let task = self.tools.scope.spawn(name, future);
        self.work.push(task.map(|done| done.unwrap_or(Done::Heard(broken))).boxed());
    }
}
