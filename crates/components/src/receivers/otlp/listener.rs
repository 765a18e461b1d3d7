//! Listener: serves the connections of one port, a task each.
//!
//! Owner of the listening socket: `runtime::net`, which hands it on at a reload, bounds the number
//! of its connections, and survives errors of accepting.

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use runtime::budget::{Budget, Portion};
use runtime::net;

use super::receive;
use super::transport::{Caller, Handler, Protocol, Transport};
use crate::tls;

/// One port and what is behind it.
#[derive(Debug)]
pub(super) struct Listener<H> {
    pub socket: Arc<net::Listener>,
    /// The protocol of plain connections, and of clients that name none in their handshake.
    pub protocol: Protocol,
    pub tls: Option<Security>,
    pub transport: Transport,
    pub handler: Arc<H>,
    pub receive: ReceiveShare,
}

/// TLS, and how long a handshake may take.
#[derive(Clone, Debug)]
pub(super) struct Security {
    pub acceptor: tls::Acceptor,
    pub handshake_timeout: Duration,
}

/// The memory of bodies that are being received.
#[derive(Clone, Debug)]
pub(super) struct ReceiveShare {
    pub budget: Budget,
    /// What one connection may hold of it.
    pub connection: Portion,
}

impl<H: Handler> Listener<H> {
    /// Accepts connections until the receiver drains.
    pub(super) async fn run(self) {
        let mut drained = std::pin::pin!(self.transport.drain.begun());
        loop {
            // In this order: whoever connects from now on belongs to the successor.
            tokio::select! {
                biased;
                _ = &mut drained => return,
                stream = self.socket.accept(self.transport.clock) => self.welcome(stream),
            }
        }
    }

    fn welcome(&self, stream: net::Stream) {
        let transport = self.transport.clone();
        let handler = Arc::clone(&self.handler);
        let ReceiveShare { budget, connection } = &self.receive;
        let connection =
            Arc::new(receive::Connection::new(budget.portion("connection", *connection)));
        let peer = Arc::from(stream.peer().host());
        let caller = Caller { protocol: self.protocol, peer, connection };
        let served = match self.tls.clone() {
            None => async move { transport.serve(stream, caller, handler).await }.boxed(),
            Some(security) => serve_secured(stream, security, transport, caller, handler).boxed(),
        };
        self.transport.scope.spawn("connection", served).detach();
    }
}

/// Performs the handshake, then serves the protocol that it chose.
async fn serve_secured<H: Handler>(
    stream: net::Stream,
    security: Security,
    transport: Transport,
    mut caller: Caller,
    handler: Arc<H>,
) {
    let deadline = transport.clock.now() + security.handshake_timeout;
    let handshake = transport.clock.by(deadline, security.acceptor.accept(stream));
    let stream = match handshake.await {
        Ok(Ok(stream)) => stream,
        Ok(Err(error)) => {
            tracing::debug!(peer = %caller.peer, %error, "a TLS handshake failed");
            return;
        }
        Err(_) => return,
    };
    match stream.get_ref().1.alpn_protocol() {
        Some(tls::HTTP2) => caller.protocol = Protocol::Http2,
        Some(tls::HTTP1) => caller.protocol = Protocol::Http1,
        _ => {}
    }
    transport.serve(stream, caller, handler).await;
}
