//! Link: one connection on which requests can be sent.

use std::fmt;
use std::future::Future;

use futures_util::future::BoxFuture;
use hyper::client::conn::{http1, http2};
use runtime::task::Scope;

use super::body::Outgoing;
use super::farewell::Farewell;
use super::peer::{Lease, Place};

/// A connection that was just opened.
pub(crate) struct Link {
    pub(crate) sender: Sender,
    /// Moves the bytes; to be spawned. It ends when the connection takes no more requests.
    pub(crate) connection: BoxFuture<'static, ()>,
}

/// The end of a connection that takes requests.
#[derive(Debug)]
pub(crate) enum Sender {
    /// One request at a time.
    Http1(http1::SendRequest<Outgoing>),
    /// Many at a time, as many as the peer allows.
    Http2(http2::SendRequest<Outgoing>, Farewell),
}

/// Spawns the inner tasks of HTTP/2 connections into a scope.
#[derive(Clone)]
pub(crate) struct Spawner(pub(crate) Scope);

impl Link {
    /// The connection for one request at a time; `None` if the peer changed to HTTP/2.
    pub(crate) fn leased(self, place: Place, scope: &Scope) -> Option<Lease> {
        match self.sender {
            Sender::Http1(sender) => Some(place.fill(sender, self.connection, scope)),
            Sender::Http2(..) => None,
        }
    }
}

impl<F> hyper::rt::Executor<F> for Spawner
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    fn execute(&self, future: F) {
        self.0.spawn("http2 stream", future).detach();
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Link({:?})", self.sender)
    }
}
