//! Grant: the request for a token and its answer (RFC 6749, sections 2.3.1, 4.4 and 5).
//!
//! Pure, except for the files of the client's id and secret.

use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use http::HeaderValue;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;

use super::config::{Settings, Text};

/// What form encoding leaves as it is.
const FORM: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// How the client proves who it is; servers differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Style {
    /// In the header, which every server must support.
    Header,
    /// In the body, which some servers want.
    Body,
}

/// A request for a token.
#[derive(Debug)]
pub(super) struct Form {
    pub(super) authorization: Option<HeaderValue>,
    pub(super) body: String,
}

/// A token, and how long it lives.
#[derive(Debug)]
pub(super) struct Token {
    pub(super) header: HeaderValue,
    pub(super) lifetime: Option<Duration>,
}

#[derive(Deserialize)]
struct Reply {
    access_token: String,
    #[serde(default)]
    token_type: String,
    #[serde(default)]
    expires_in: Option<Seconds>,
}

/// Some servers write the number as text.
#[derive(Deserialize)]
#[serde(untagged)]
enum Seconds {
    Number(f64),
    Text(String),
}

/// The request for a token.
pub(super) fn form(settings: &Settings, style: Style) -> Result<Form, String> {
    let (id, secret) = (settings.client_id.read()?, settings.client_secret.read()?);
    let mut pairs = vec![("grant_type".to_owned(), "client_credentials".to_owned())];
    if !settings.scopes.is_empty() {
        pairs.push(("scope".to_owned(), settings.scopes.join(" ")));
    }
    for (key, values) in &settings.parameters {
        pairs.extend(values.iter().map(|value| (key.clone(), value.clone())));
    }
    let authorization = match style {
        Style::Header => {
            let credentials = format!("{}:{}", encoded(&id), encoded(&secret));
            let header = format!("Basic {}", BASE64_STANDARD.encode(credentials));
            let mut header = HeaderValue::try_from(header).map_err(|error| error.to_string())?;
            header.set_sensitive(true);
            Some(header)
        }
        Style::Body => {
            pairs.push(("client_id".to_owned(), id));
            pairs.push(("client_secret".to_owned(), secret));
            None
        }
    };
    let pairs = pairs.iter().map(|(key, value)| format!("{}={}", encoded(key), encoded(value)));
    Ok(Form { authorization, body: pairs.collect::<Vec<_>>().join("&") })
}

/// Reads a successful answer.
pub(super) fn token(body: &[u8]) -> Result<Token, String> {
    let reply: Reply = serde_json::from_slice(body)
        .map_err(|_| "the answer of the authorization server has no token".to_owned())?;
    let scheme = match reply.token_type.to_ascii_lowercase().as_str() {
        "" | "bearer" => "Bearer",
        _ => reply.token_type.as_str(),
    };
    let mut header = HeaderValue::try_from(format!("{scheme} {}", reply.access_token))
        .map_err(|_| "the token cannot be a header".to_owned())?;
    header.set_sensitive(true);
    let seconds = reply.expires_in.and_then(|seconds| match seconds {
        Seconds::Number(number) => Some(number),
        Seconds::Text(text) => text.parse().ok(),
    });
    let lifetime = seconds.filter(|seconds| 0.0 < *seconds);
    let lifetime = lifetime.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    Ok(Token { header, lifetime })
}

impl Text {
    fn read(&self) -> Result<String, String> {
        match self {
            Self::Written(secret) => Ok(secret.expose().to_owned()),
            Self::File(path) => match std::fs::read_to_string(path) {
                Ok(text) => Ok(text.trim().to_owned()),
                Err(error) => Err(format!("read `{}`: {error}", path.display())),
            },
        }
    }
}

fn encoded(text: &str) -> String {
    utf8_percent_encode(text, FORM).to_string()
}
