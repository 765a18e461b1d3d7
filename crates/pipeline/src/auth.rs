//! Authentication: what extensions offer to receivers and exporters.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use http::{HeaderMap, HeaderName, HeaderValue};

use crate::context::{Context, Metadata};
use crate::outcome::Status;

/// Checks the clients of a receiver.
pub trait ServerAuth: Send + Sync {
    /// Who the client is, or the status to refuse it with. Constant-time where it compares secrets.
    fn authenticate(&self, headers: &HeaderMap) -> Result<Metadata, Status>;
}

/// Adds credentials to the requests of an exporter.
pub trait ClientAuth: Send + Sync {
    /// The headers for a request made on behalf of `context`; may wait for a token.
    fn headers<'a>(
        &'a self,
        context: &'a Context,
    ) -> BoxFuture<'a, Result<Vec<(HeaderName, HeaderValue)>, Status>>;

    /// Changes the headers of a request made on behalf of `context`. Most only set those of
    /// [`Self::headers`].
    fn amend<'a>(
        &'a self,
        context: &'a Context,
        headers: &'a mut HeaderMap,
    ) -> BoxFuture<'a, Result<(), Status>> {
        Box::pin(async move {
            for (name, mut value) in self.headers(context).await? {
                value.set_sensitive(true);
                headers.insert(name, value);
            }
            Ok(())
        })
    }

    /// The destination said that these credentials are not valid: fetch new ones.
    fn rejected(&self) {}
}

/// A shared [`ServerAuth`].
pub type SharedServerAuth = Arc<dyn ServerAuth>;
/// A shared [`ClientAuth`].
pub type SharedClientAuth = Arc<dyn ClientAuth>;
