//! Credentials: the headers that go with every request, fixed ones and those of an authenticator.

use config::value::Headers;
use config::{ComponentId, Faults};
use http::{HeaderMap, HeaderName, HeaderValue};
use pipeline::auth::SharedClientAuth;
use pipeline::{Context, Environment, StartError, Status};
use schemars::JsonSchema;
use serde::Deserialize;

/// Which extension adds credentials to requests.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct AuthWords {
    /// The id of an extension, such as `oauth2client` or `bearertokenauth/backend`.
    pub authenticator: String,
}

/// The headers of every request.
pub(crate) struct Credentials {
    fixed: HeaderMap,
    auth: Option<SharedClientAuth>,
}

impl AuthWords {
    /// Checks that it is an id.
    pub(crate) fn validate(self) -> Result<ComponentId, Faults> {
        let mut faults = Faults::default();
        let id = self.authenticator.parse::<ComponentId>();
        id.map_err(|error| {
            faults.add("authenticator", error.to_string());
            faults
        })
    }
}

/// Reads configured headers; `reserved` names the headers that are the exporter's own.
pub(crate) fn headers(
    words: &Headers,
    reserved: impl Fn(&str) -> bool,
) -> Result<HeaderMap, Faults> {
    let mut faults = Faults::default();
    let mut headers = HeaderMap::new();
    for (name, value) in words.iter() {
        let Ok(known) = HeaderName::try_from(name) else {
            faults.add(name, "is not the name of a header");
            continue;
        };
        if reserved(known.as_str()) {
            faults.add(name, "is set by the exporter itself");
        }
        match HeaderValue::try_from(value.expose()) {
            Ok(mut value) => {
                value.set_sensitive(true);
                headers.insert(known, value);
            }
            Err(_) => faults.add(name, "has a value that no header can have"),
        }
    }
    faults.or(|| headers)
}

impl Credentials {
    /// Finds the authenticator.
    pub(crate) fn new(
        fixed: HeaderMap,
        authenticator: Option<&ComponentId>,
        env: &Environment,
    ) -> Result<Self, StartError> {
        let auth = authenticator.map(|id| env.extensions.client_auth(id)).transpose()?;
        Ok(Self { fixed, auth })
    }

    /// Adds the headers for a request on behalf of `context`.
    pub(crate) async fn add(
        &self,
        context: &Context,
        headers: &mut HeaderMap,
    ) -> Result<(), Status> {
        for (name, value) in &self.fixed {
            headers.insert(name.clone(), value.clone());
        }
        match &self.auth {
            Some(auth) => auth.amend(context, headers).await,
            None => Ok(()),
        }
    }

    /// The destination did not accept the credentials; says whether new ones may help.
    pub(crate) fn rejected(&self) -> bool {
        self.auth.iter().for_each(|auth| auth.rejected());
        self.auth.is_some()
    }
}
