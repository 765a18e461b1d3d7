//! The credentials behind the `headers_setter` extension.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use http::{HeaderMap, HeaderName, HeaderValue};
use pipeline::auth::ClientAuth;
use pipeline::factory::{ExtensionBlueprint, Plans};
use pipeline::{Code, Context, ContextKey, Environment, Extension, StartError, Status};

use super::config::{Change, Header, Settings, Source, When};
use crate::extensions::offer::Offer;

impl Plans for Settings {
    fn context_keys(&self) -> Vec<ContextKey> {
        let sources = self.headers.iter().filter_map(|header| match &header.change {
            Change::Delete => None,
            Change::Set { source, .. } => Some(source),
        });
        let keys = sources.filter_map(|source| match source {
            Source::Fixed(_) => None,
            Source::Metadata(key) => Some(ContextKey::Metadata(key.clone())),
            Source::Identity(key) => Some(ContextKey::Identity(key.clone())),
        });
        keys.collect()
    }
}

impl ExtensionBlueprint for Settings {
    fn build(&self, _env: Environment) -> Result<Arc<dyn Extension>, StartError> {
        let setter = Setter { headers: self.headers.clone() };
        Ok(Arc::new(Offer { client: Some(Arc::new(setter)), ..Offer::default() }))
    }
}

struct Setter {
    headers: Vec<Header>,
}

impl ClientAuth for Setter {
    fn headers<'a>(
        &'a self,
        context: &'a Context,
    ) -> BoxFuture<'a, Result<Vec<(HeaderName, HeaderValue)>, Status>> {
        let mut headers = HeaderMap::new();
        let set = self
            .change(context, &mut headers)
            .map(|()| headers.iter().map(|(name, value)| (name.clone(), value.clone())).collect());
        Box::pin(std::future::ready(set))
    }

    fn amend<'a>(
        &'a self,
        context: &'a Context,
        headers: &'a mut HeaderMap,
    ) -> BoxFuture<'a, Result<(), Status>> {
        Box::pin(std::future::ready(self.change(context, headers)))
    }
}

impl Setter {
    fn change(&self, context: &Context, headers: &mut HeaderMap) -> Result<(), Status> {
        self.headers.iter().try_for_each(|header| header.change(context, headers))
    }
}

impl Header {
    fn change(&self, context: &Context, headers: &mut HeaderMap) -> Result<(), Status> {
        let (when, source, default) = match &self.change {
            Change::Delete => {
                headers.remove(&self.name);
                return Ok(());
            }
            Change::Set { when, source, default } => (*when, source, default),
        };
        let is_meant = match when {
            When::Absent => !headers.contains_key(&self.name),
            When::Present => headers.contains_key(&self.name),
            When::Always => true,
        };
        if is_meant && let Some(mut value) = source.value(context)?.or_else(|| default.clone()) {
            value.set_sensitive(true);
            headers.insert(self.name.clone(), value);
        }
        Ok(())
    }
}

impl Source {
    /// The value, unless the client sent none.
    fn value(&self, context: &Context) -> Result<Option<HeaderValue>, Status> {
        let (key, values) = match self {
            Self::Fixed(value) => return Ok(Some(value.clone())),
            Self::Metadata(key) => (key, context.metadata.values(key)),
            Self::Identity(key) => (key, context.identity.values(key)),
        };
        let refused = |message: String| Status::new(Code::InvalidArgument, message);
        match values {
            [] => Ok(None),
            [value] => HeaderValue::from_str(value)
                .map(Some)
                .map_err(|_| refused(format!("`{key}` of the client cannot be a header"))),
            _ => Err(refused(format!("`{key}` of the client has several values"))),
        }
    }
}
