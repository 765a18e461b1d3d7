//! Request: one call to a service that gives credentials or says where this host is.
//!
//! Bounds: an answer is read up to [`ANSWER_BYTES_MAX`], in the time the caller allows. Connections
//! live for one call: such calls are made once an hour.

use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::header::{AUTHORIZATION, HOST};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode, Uri};
use runtime::clock::Clock;
use runtime::net::Network;
use runtime::task::Scope;

use super::credentials::Credentials;
use super::signature::{Canonical, CredentialScope, hash};
use crate::calendar::amz_stamp;
use crate::client::{
    Call, Channel, Dialer, Endpoint, Limits, Plan, Policy, Protocol, Proxy, Scheme,
};
use crate::tls::{ClientSettings, HTTP1};

const ANSWER_BYTES_MAX: usize = 64 << 10;
const DATE: HeaderName = HeaderName::from_static("x-amz-date");
const TOKEN: HeaderName = HeaderName::from_static("x-amz-security-token");

/// What calls are made with.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    pub(crate) network: Network,
    pub(crate) clock: Clock,
    pub(crate) scope: Scope,
    pub(crate) tls: ClientSettings,
    /// Configured; else the environment may ask for one.
    pub(crate) proxy: Option<Proxy>,
}

/// One call.
#[derive(Clone, Debug)]
pub(crate) struct Outgoing {
    pub(crate) method: Method,
    pub(crate) url: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
    pub(crate) timeout: Duration,
    /// Addresses of the host itself are never reached through a proxy.
    pub(crate) is_direct: bool,
}

impl Outgoing {
    /// A GET without headers, to an address that no proxy leads to.
    pub(crate) fn local(url: String, timeout: Duration) -> Self {
        let (method, headers, body) = (Method::GET, HeaderMap::new(), String::new());
        Self { method, url, headers, body, timeout, is_direct: true }
    }
}

impl Caller {
    /// Sends it once.
    pub(crate) async fn call(&self, call: Outgoing) -> Result<(StatusCode, Bytes), String> {
        let endpoint =
            Endpoint::http(&call.url).map_err(|what| format!("`{}` {what}", call.url))?;
        let url: Uri = call.url.parse().map_err(|_| format!("`{}` is not a URL", call.url))?;
        let is_tls = endpoint.scheme == Some(Scheme::Https);
        let channel = self.channel(&endpoint, is_tls, call.is_direct)?;
        let (mut head, ()) = Request::new(()).into_parts();
        (head.method, head.uri, head.headers) = (call.method, url, call.headers);
        let sent = Call {
            head,
            segments: vec![Bytes::from(call.body)],
            deadline: self.clock.now() + call.timeout,
            bytes_max: |_| ANSWER_BYTES_MAX,
        };
        let answer = channel.call(sent).await;
        channel.close();
        let answer = answer.map_err(|error| error.to_string())?;
        Ok((answer.status, answer.body.map_err(|error| error.to_string())?))
    }

    fn channel(
        &self,
        endpoint: &Endpoint,
        is_tls: bool,
        is_direct: bool,
    ) -> Result<std::sync::Arc<Channel>, String> {
        let connector = if is_tls {
            let made = self.tls.clone().connector(&[HTTP1], self.clock, &self.scope);
            Some(made.map_err(|error| error.to_string())?)
        } else {
            None
        };
        let asked = Proxy::from_variables(self.network.proxies(), is_tls, &endpoint.host)
            .map_err(|what| format!("the proxy of the environment: {what}"))?;
        let proxy = self.proxy.clone().or(asked).filter(|_| !is_direct);
        let dialer = Dialer {
            network: self.network.clone(),
            clock: self.clock,
            scope: self.scope.clone(),
            host: endpoint.host.clone(),
            proxy,
            tls: connector,
            protocol: Protocol::Negotiated,
            keepalive: None,
        };
        Ok(Channel::start(Plan {
            dialer,
            resolver: std::sync::Arc::new(self.network.clone()),
            policy: Policy::RoundRobin,
            limits: Limits { open_max: 1, idle_max: 1, idle_timeout: None },
            is_waiting_for_ready: false,
            is_closing: true,
        }))
    }
}

/// Signs a request: adds the time, the token and the signature to its headers.
pub(crate) fn sign(
    head: &mut http::request::Parts,
    body: &[u8],
    credentials: &Credentials,
    (region, service): (&str, &str),
    time: SystemTime,
) {
    let stamp = amz_stamp(time);
    let authority = head.uri.authority().map_or("", |authority| authority.as_str());
    insert(&mut head.headers, HOST, authority);
    insert(&mut head.headers, DATE, &stamp);
    if let Some(token) = &credentials.session_token {
        insert(&mut head.headers, TOKEN, token.expose());
    }
    head.headers.remove(AUTHORIZATION);
    let target = head.uri.path_and_query().map_or("/", |target| target.as_str());
    let names = head.headers.keys().map(HeaderName::as_str).collect::<Vec<_>>();
    let request = (head.method.as_str(), target);
    let canonical = Canonical::new(request, &head.headers, names, &hash(body));
    let scope = CredentialScope { stamp: &stamp, region, service };
    let keys = (credentials.access_key_id.as_str(), credentials.secret_access_key.expose());
    let authorization = canonical.authorization(keys, scope);
    insert(&mut head.headers, AUTHORIZATION, &authorization);
}

/// Values come from keys that were checked when they were read.
fn insert(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(mut value) = HeaderValue::from_str(value) {
        value.set_sensitive(name == AUTHORIZATION || name == TOKEN);
        headers.insert(name, value);
    }
}
