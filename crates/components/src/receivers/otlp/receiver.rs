//! The receiver: its ports, from start to end.
//!
//! Owner of all its tasks: one scope. Drain stops listening and asks clients to go; what they sent
//! is still answered. Close waits for that, and cuts what is left at the deadline.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use pipeline::factory::ReceiverBlueprint;
use pipeline::{Component, Environment, Outlets, StartError};
use runtime::budget::{Part, Portion};
use runtime::clock::Clock;
use runtime::door::{self, Door};
use runtime::host;
use runtime::net;
use runtime::shutdown::{self, Shutdown, Trigger};
use runtime::task::Scope;

use super::admission::Admission;
use super::intake::Intake;
use super::listener::{Listener, ReceiveShare, Security};
use super::settings::{HttpSettings, PortSettings, Settings};
use super::tally::Tally;
use super::transport::{Handler, Protocol, Transport};
use super::{grpc, http};

/// A running receiver.
#[derive(Debug)]
pub(super) struct Receiver {
    clock: Clock,
    /// Of the ports, their connections and requests.
    scope: Scope,
    admission: Admission,
    drain: Trigger,
    /// Until it drains: a successor has them by then, and without one they are closed.
    sockets: Mutex<BTreeMap<&'static str, Arc<net::Listener>>>,
}

impl ReceiverBlueprint for Settings {
    fn build(&self, env: Environment, outlets: Outlets) -> Result<Arc<dyn Component>, StartError> {
        Receiver::start(self, &env, outlets).map(|receiver| Arc::new(receiver) as _)
    }
}

impl Receiver {
    /// Listens on the configured ports and serves them.
    pub(super) fn start(
        settings: &Settings,
        env: &Environment,
        outlets: Outlets,
    ) -> Result<Self, StartError> {
        let scope = env.scope.child("clients");
        let (drain, drained) = shutdown::signal();
        let door = Door::new(env.clock, &env.scope, env.budget.clone(), door::Limits::default());
        let admission = Admission::new(door, host::cpus()).map_err(|error| {
            StartError::new(format!("cannot start the threads that decompress: {error}"))
        })?;
        let sockets = Mutex::default();
        let receiver = Self { clock: env.clock, scope, admission, drain, sockets };
        let mut start = Start { env, outlets, drained, receiver };
        if let Some(grpc) = &settings.grpc {
            start.grpc(grpc)?;
        }
        if let Some(http) = &settings.http {
            start.http(http)?;
        }
        Ok(start.receiver)
    }

    fn sockets(&self) -> MutexGuard<'_, BTreeMap<&'static str, Arc<net::Listener>>> {
        self.sockets.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many requests wait at the door.
    #[cfg(test)]
    pub(super) fn waiting(&self) -> usize {
        self.admission.door.waiting().0
    }

    /// The address that `transport` listens on.
    #[cfg(test)]
    pub(super) fn address(&self, transport: &str) -> String {
        self.sockets()[transport].local_address().unwrap()
    }
}

impl Component for Receiver {
    fn drain(&self, deadline: Instant) {
        self.drain.begin(deadline);
        self.sockets().clear();
    }

    fn close(&self, deadline: Instant) -> BoxFuture<'_, ()> {
        async move {
            self.drain(deadline);
            let left = self.scope.close(self.clock, deadline).await;
            // Not sooner: what clients sent before they heard that they should go is still taken.
            self.admission.door.close();
            if !left.cancelled.is_empty() {
                tracing::warn!(tasks = left.cancelled.len(), "clients were cut at the deadline");
            }
        }
        .boxed()
    }

    fn explain(&self) -> Vec<String> {
        let (waiters, bytes) = self.admission.door.waiting();
        let at_the_door = format!("{waiters} requests wait at the door for {bytes} bytes");
        let sockets = self.sockets();
        let ports = sockets.iter().map(|(name, socket)| {
            let (open, refused) = (socket.connections(), socket.refused());
            format!("{name}: {open} connections are open, {refused} were too many")
        });
        ports.chain([at_the_door]).collect()
    }
}

/// A receiver that is being started.
struct Start<'a> {
    env: &'a Environment,
    outlets: Outlets,
    drained: Shutdown,
    receiver: Receiver,
}

impl Start<'_> {
    fn grpc(&mut self, port: &PortSettings) -> Result<(), StartError> {
        let service =
            grpc::Service { intake: self.intake("grpc", port)?, drain: self.drained.clone() };
        self.serve("grpc", Protocol::Http2, port, service)
    }

    fn http(&mut self, http: &HttpSettings) -> Result<(), StartError> {
        let HttpSettings { port, paths, codings, headers, cors } = http;
        let is_taken = |signal| self.outlets.of(signal).is_some();
        let paths = paths.iter().filter(|(_, signal)| is_taken(**signal));
        let service = http::Service {
            intake: self.intake("http", port)?,
            paths: paths.map(|(path, signal)| (path.clone(), *signal)).collect(),
            codings: codings.clone(),
            headers: headers.clone(),
            cors: cors.clone(),
        };
        self.serve("http", Protocol::Http1, port, service)
    }

    fn intake(&self, name: &str, port: &PortSettings) -> Result<Intake, StartError> {
        let auth = port.auth.as_ref().map(|id| self.env.extensions.server_auth(id));
        Ok(Intake {
            clock: self.env.clock,
            outlets: self.outlets.clone(),
            admission: self.receiver.admission.clone(),
            tally: Tally::new(self.env, name),
            auth: auth.transpose()?,
            limits: port.limits,
            includes_metadata: port.includes_metadata,
        })
    }

    fn serve(
        &mut self,
        name: &'static str,
        protocol: Protocol,
        port: &PortSettings,
        handler: impl Handler,
    ) -> Result<(), StartError> {
        let socket = self.env.network.listen(&port.endpoint).map_err(|error| {
            let remedy = remedy(error.kind());
            let endpoint = &port.endpoint;
            StartError::new(format!(
                "cannot listen (protocols.{name}.endpoint `{endpoint}`): {error}{remedy}"
            ))
        })?;
        let tls = self.security(port)?;
        socket.set_connections_max(port.connections_max);
        let transport = Transport {
            settings: port.transport.clone(),
            clock: self.env.clock,
            scope: self.receiver.scope.clone(),
            drain: self.drained.clone(),
        };
        let listener = Listener {
            socket: Arc::clone(&socket),
            protocol,
            tls,
            transport,
            handler: Arc::new(handler),
            receive: self.receive_share(port),
        };
        self.receiver.sockets().insert(name, socket);
        self.receiver.scope.spawn(name, listener.run()).detach();
        Ok(())
    }

    fn security(&self, port: &PortSettings) -> Result<Option<Security>, StartError> {
        let Some(tls) = port.tls.clone() else { return Ok(None) };
        let acceptor = tls.acceptor(self.env.clock, &self.env.scope)?;
        Ok(Some(Security { acceptor, handshake_timeout: port.handshake_timeout }))
    }

    /// A quarter of the budget at most is for bodies that are not admitted yet, and a sixteenth is
    /// theirs alone; a connection may fill a quarter of that, and one body in any case.
    fn receive_share(&self, port: &PortSettings) -> ReceiveShare {
        let bytes_max = port.limits.bytes_max;
        let min = Part { one_in: 16, bytes_least: bytes_max / 4 };
        let max = Part { one_in: 4, bytes_least: bytes_max };
        let budget = self.env.budget.portion("receive", Portion { min, max });
        ReceiveShare { budget, connection: Portion { min: Part::NOTHING, max } }
    }
}

/// What an operator can do about an address that cannot be listened on.
fn remedy(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::AddrInUse => {
            "\n  help: another process listens there: end it, or choose another port"
        }
        ErrorKind::AddrNotAvailable => {
            "\n  help: this machine has no such address: `localhost` and `0.0.0.0` always work"
        }
        ErrorKind::PermissionDenied => {
            "\n  help: choose a port above 1023, or grant the process CAP_NET_BIND_SERVICE"
        }
        _ => "",
    }
}
