//! Listener: serves the connections of one port, a task each.
//!
//! Owner of the listening socket: `runtime::net`, which hands it on at a reload, bounds the number
//! of its connections, and survives errors of accepting.

use std::sync::Arc;

use runtime::budget::Budget;
use runtime::net;

use super::receive;
use super::transport::{Caller, Handler, Protocol, Transport};

/// One port and what is behind it.
#[derive(Debug)]
pub(super) struct Listener<H> {
    pub socket: Arc<net::Listener>,
    pub protocol: Protocol,
    pub transport: Transport,
    pub handler: Arc<H>,
    pub receive: ReceiveShare,
}

/// The memory of bodies that are being received.
#[derive(Clone, Debug)]
pub(super) struct ReceiveShare {
    pub budget: Budget,
    pub connection_bytes_max: usize,
}

impl<H: Handler> Listener<H> {
    /// Accepts connections until the receiver drains.
    pub(super) async fn run(self) {
        let mut drained = std::pin::pin!(self.transport.drain.begun());
        loop {
            tokio::select! {
                stream = self.socket.accept(self.transport.clock) => self.welcome(stream),
                _ = &mut drained => return,
            }
        }
    }

    fn welcome(&self, stream: net::Stream) {
        let transport = self.transport.clone();
        let handler = Arc::clone(&self.handler);
        let ReceiveShare { budget, connection_bytes_max } = &self.receive;
        let connection = Arc::new(receive::Connection::new(budget, *connection_bytes_max));
        let peer = Arc::from(stream.peer().host());
        let caller = Caller { protocol: self.protocol, peer, connection };
        let served = async move { transport.serve(stream, caller, handler).await };
        self.transport.scope.spawn("connection", served).detach();
    }
}
