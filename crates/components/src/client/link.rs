//! Link: one connection on which requests can be sent.

use std::fmt;

use futures_util::future::BoxFuture;
use hyper::client::conn::http1;
use runtime::task::Scope;

use super::body::Outgoing;
use super::peer::{Lease, Place};
use crate::http2::Handle;

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
    Http2(Handle),
}

impl Link {
    /// The connection for one request at a time; `None` if the peer changed to HTTP/2.
    pub(crate) fn leased(self, place: Place, scope: &Scope) -> Option<Lease> {
        match self.sender {
            Sender::Http1(sender) => Some(place.fill(sender, self.connection, scope)),
            Sender::Http2(_) => None,
        }
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Link({:?})", self.sender)
    }
}
