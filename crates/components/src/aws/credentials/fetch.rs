//! Fetch: goes to the source of credentials and brings them.

use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use serde::Deserialize;

use super::source::{Chooser, Role, Source, Token, Words};
use super::{Credentials, Variables, sts};
use crate::aws::request::{Caller, Outgoing, sign};
use crate::calendar::parse_utc;

const SHARED_FILE_BYTES_MAX: u64 = 1 << 20;
const STS_TIMEOUT: Duration = Duration::from_secs(10);
/// Services on this host answer at once or not at all.
const LOCAL_TIMEOUT: Duration = Duration::from_secs(2);
const METADATA_TOKEN: HeaderName = HeaderName::from_static("x-aws-ec2-metadata-token");
const METADATA_TOKEN_LIFE: HeaderName =
    HeaderName::from_static("x-aws-ec2-metadata-token-ttl-seconds");

/// Brings credentials, from wherever the configuration and the host say.
#[derive(Clone, Debug)]
pub(crate) struct Fetcher {
    pub(crate) words: Words,
    pub(crate) variables: Variables,
    pub(crate) caller: Caller,
    pub(crate) region: String,
    pub(crate) sts_url: String,
    /// How often the metadata service is asked again when it does not answer.
    pub(crate) imds_retries: u32,
}

/// What containers and instances are told.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Told {
    access_key_id: String,
    secret_access_key: String,
    token: Option<String>,
    expiration: Option<String>,
}

impl Fetcher {
    /// Decides on the source anew, as files may have changed, and goes there.
    pub(super) async fn fetch(&self) -> Result<Credentials, String> {
        let read = |path: &Path| read_file(path).ok();
        let chooser = Chooser { words: &self.words, variables: &self.variables, read: &read };
        let source = chooser.choose()?;
        let is_last_resort = matches!(source, Source::Instance { .. });
        self.of(&source).await.map_err(|error| match is_last_resort {
            true => format!(
                "{error}; the configuration, the environment and the shared files hold none"
            ),
            false => error,
        })
    }

    fn of<'a>(&'a self, source: &'a Source) -> BoxFuture<'a, Result<Credentials, String>> {
        Box::pin(async move {
            match source {
                Source::Fixed(credentials) => Ok(credentials.clone()),
                Source::WebIdentity { role, token_file } => {
                    let token = read_file(token_file)?;
                    let body = sts::assume_role_with_web_identity(role, token.trim());
                    self.ask_sts(role, body, None).await
                }
                Source::AssumeRole { role, base } => {
                    let base = self.of(base).await?;
                    self.ask_sts(role, sts::assume_role(role), Some(&base)).await
                }
                Source::Container { url, token } => self.of_container(url, token.as_ref()).await,
                Source::Instance { endpoint } => self.of_instance(endpoint).await,
            }
        })
    }

    async fn ask_sts(
        &self,
        role: &Role,
        body: String,
        base: Option<&Credentials>,
    ) -> Result<Credentials, String> {
        let failed = |what: String| format!("take on the role `{}`: {what}", role.arn);
        let form = HeaderValue::from_static("application/x-www-form-urlencoded; charset=utf-8");
        let url = format!("{}/", self.sts_url.trim_end_matches('/'));
        let uri = url.parse().map_err(|_| failed(format!("`{url}` is not a URL")))?;
        let (mut head, ()) = http::Request::new(()).into_parts();
        (head.method, head.uri) = (Method::POST, uri);
        head.headers.insert(CONTENT_TYPE, form);
        if let Some(base) = base {
            let place = (self.region.as_str(), "sts");
            sign(&mut head, body.as_bytes(), base, place, self.caller.clock.wall());
        }
        let call = Outgoing {
            method: Method::POST,
            url,
            headers: head.headers,
            body,
            timeout: STS_TIMEOUT,
            is_direct: false,
        };
        let (status, body) = self.caller.call(call).await.map_err(failed)?;
        if !status.is_success() {
            return Err(failed(format!("STS answered {status}, {}", sts::refusal(&body))));
        }
        sts::credentials(&body).map_err(failed)
    }

    async fn of_container(&self, url: &str, token: Option<&Token>) -> Result<Credentials, String> {
        let failed = |what: String| format!("ask the container's endpoint: {what}");
        let mut call = Outgoing::local(url.to_owned(), LOCAL_TIMEOUT);
        let token = match token {
            Some(Token::Written(token)) => Some(token.expose().to_owned()),
            // The file is replaced from time to time.
            Some(Token::File(path)) => Some(read_file(path).map_err(failed)?.trim().to_owned()),
            None => None,
        };
        if let Some(token) = token {
            let value = HeaderValue::try_from(token);
            let mut value = value.map_err(|_| failed("its token is no header".to_owned()))?;
            value.set_sensitive(true);
            call.headers.insert(AUTHORIZATION, value);
        }
        let body = self.ask_local(call).await.map_err(failed)?;
        told(&body).map_err(failed)
    }

    /// Instance metadata, version 2 only: version 1 can be tricked into by requests of others.
    async fn of_instance(&self, endpoint: &str) -> Result<Credentials, String> {
        let failed = |what: String| format!("ask the instance metadata service: {what}");
        let mut headers = HeaderMap::new();
        headers.insert(METADATA_TOKEN_LIFE, HeaderValue::from_static("21600"));
        let mut ask = Outgoing::local(format!("{endpoint}/latest/api/token"), LOCAL_TIMEOUT);
        (ask.method, ask.headers) = (Method::PUT, headers);
        let token = self.ask_local(ask).await.map_err(failed)?;
        let token = HeaderValue::from_bytes(&token).map_err(|error| failed(error.to_string()))?;
        let get = |path: String| {
            let url = format!("{endpoint}/latest/meta-data/iam/security-credentials/{path}");
            let mut call = Outgoing::local(url, LOCAL_TIMEOUT);
            call.headers.insert(METADATA_TOKEN, token.clone());
            self.ask_local(call)
        };
        let role = get(String::new()).await.map_err(failed)?;
        let role = String::from_utf8_lossy(&role).lines().next().unwrap_or_default().to_owned();
        let body = get(role).await.map_err(failed)?;
        told(&body).map_err(failed)
    }

    /// Asks a service on this host, and again as often as configured.
    async fn ask_local(&self, call: Outgoing) -> Result<Bytes, String> {
        let mut attempts_left = self.imds_retries;
        loop {
            let reason = match self.caller.call(call.clone()).await {
                Ok((StatusCode::OK, body)) => return Ok(body),
                Ok((status, _)) if status.is_client_error() => {
                    return Err(format!("it answered {status}"));
                }
                Ok((status, _)) => format!("it answered {status}"),
                Err(reason) => reason,
            };
            if attempts_left == 0 {
                return Err(reason);
            }
            attempts_left -= 1;
            self.caller.clock.sleep(Duration::from_millis(500)).await;
        }
    }
}

fn told(body: &[u8]) -> Result<Credentials, String> {
    let told: Told =
        serde_json::from_slice(body).map_err(|_| "its answer holds no credentials".to_owned())?;
    let token = told.token.as_deref();
    let mut found = Credentials::new(&told.access_key_id, &told.secret_access_key, token)?;
    found.expires_at = told.expiration.as_deref().and_then(parse_utc);
    Ok(found)
}

/// Reads a small file of the host.
pub(crate) fn read_file(path: &Path) -> Result<String, String> {
    use std::io::Read as _;
    let failed = |error| format!("read `{}`: {error}", path.display());
    let file = std::fs::File::open(path).map_err(failed)?;
    let mut text = String::new();
    file.take(SHARED_FILE_BYTES_MAX).read_to_string(&mut text).map_err(failed)?;
    Ok(text)
}
