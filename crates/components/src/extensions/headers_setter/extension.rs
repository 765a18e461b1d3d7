//! The credentials behind the `headers_setter` extension.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use http::{HeaderName, HeaderValue};
use pipeline::auth::ClientAuth;
use pipeline::factory::{ExtensionBlueprint, Plans};
use pipeline::{Code, Context, ContextKey, Environment, Extension, StartError, Status};

use super::config::{Header, Settings, Source};
use crate::extensions::offer::Offer;

impl Plans for Settings {
    fn context_keys(&self) -> Vec<ContextKey> {
        let keys = self.headers.iter().filter_map(|header| match &header.source {
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
        let headers = self.headers.iter().filter_map(|header| {
            let value = header.value(context).transpose()?;
            Some(value.map(|value| (header.name.clone(), value)))
        });
        Box::pin(std::future::ready(headers.collect()))
    }
}

impl Header {
    fn value(&self, context: &Context) -> Result<Option<HeaderValue>, Status> {
        let (key, values) = match &self.source {
            Source::Fixed(value) => return Ok(Some(value.clone())),
            Source::Metadata(key) => (key, context.metadata.values(key)),
            Source::Identity(key) => (key, context.identity.values(key)),
        };
        let refused = |message: String| Status::new(Code::InvalidArgument, message);
        match values {
            [] => Ok(self.default.clone()),
            [value] => HeaderValue::from_str(value)
                .map(Some)
                .map_err(|_| refused(format!("`{key}` of the client cannot be a header"))),
            _ => Err(refused(format!("`{key}` of the client has several values"))),
        }
    }
}
