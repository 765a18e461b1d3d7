//! Keeper: fetches a token when one is wanted, and publishes it or why there is none.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use http::request::Parts;
use http::{HeaderValue, Method, Request, StatusCode};
use runtime::channel::{LatestSender, Receiver};
use runtime::clock::Clock;

use super::config::Settings;
use super::grant::{self, Style, Token};
use crate::client::{Call, Channel};

const REPLY_BYTES_MAX: usize = 64 << 10;
/// The authorization server is asked no more often than this.
const PAUSE: Duration = Duration::from_secs(1);

/// What is known about the token.
#[derive(Clone, Debug, Default)]
pub(super) struct Known {
    pub(super) token: Option<Held>,
    /// Why the last request failed, and when.
    pub(super) failure: Option<(Arc<str>, Instant)>,
}

/// A token that may be used.
#[derive(Clone, Debug)]
pub(super) struct Held {
    pub(super) header: HeaderValue,
    pub(super) fetched_at: Instant,
    /// From then on, the next one should be fetched.
    pub(super) stale_at: Option<Instant>,
    pub(super) ends_at: Option<Instant>,
}

/// What the keeper hears.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Event {
    Wanted,
    /// A destination did not accept the token.
    Rejected,
}

/// Owns the token.
pub(super) struct Keeper {
    pub(super) settings: Settings,
    pub(super) channel: Arc<Channel>,
    pub(super) clock: Clock,
    pub(super) publish: LatestSender<Known>,
    pub(super) known: Known,
    pub(super) style: Style,
}

impl Held {
    /// A token that came at `now`; it is stale `buffer`, or half its life, before its end.
    pub(super) fn new(token: Token, now: Instant, buffer: Duration) -> Self {
        let Token { header, lifetime } = token;
        // A server that gives tokens without a life must not be asked in a loop.
        let lifetime = lifetime.map(|lifetime| lifetime.max(PAUSE));
        let stale_at =
            lifetime.and_then(|lifetime| now.checked_add(lifetime - buffer.min(lifetime / 2)));
        let ends_at = lifetime.and_then(|lifetime| now.checked_add(lifetime));
        Self { header, fetched_at: now, stale_at, ends_at }
    }

    pub(super) fn is_usable(&self, now: Instant) -> bool {
        self.ends_at.is_none_or(|end| now < end)
    }

    pub(super) fn is_stale(&self, now: Instant) -> bool {
        self.stale_at.is_some_and(|stale| stale <= now)
    }
}

impl Keeper {
    /// Serves events until nobody can send any.
    pub(super) async fn run(mut self, mut events: Receiver<Event>) {
        while let Some(event) = events.recv().await {
            let now = self.clock.now();
            let token = self.known.token.as_ref();
            let is_needed = match event {
                Event::Wanted => token.is_none_or(|token| token.is_stale(now)),
                // Complaints about the token before this one come late.
                Event::Rejected => token.is_some_and(|token| token.fetched_at + PAUSE < now),
            };
            if !is_needed {
                continue;
            }
            if event == Event::Rejected {
                self.known.token = None;
            }
            if let Some((_, at)) = &self.known.failure {
                self.clock.sleep_until(*at + PAUSE).await;
            }
            self.refresh().await;
            // Whoever asked until now is answered by what is published next.
            while events.try_recv().is_some() {}
            self.publish.set(self.known.clone());
        }
    }

    async fn refresh(&mut self) {
        let fetched = self.fetch().await;
        let now = self.clock.now();
        match fetched {
            Ok(token) => {
                let held = Held::new(token, now, self.settings.expiry_buffer);
                self.known = Known { token: Some(held), failure: None };
            }
            Err(error) => {
                tracing::warn!(error, "No OAuth 2 token could be fetched.");
                self.known.failure = Some((error.into(), now));
            }
        }
    }

    async fn fetch(&mut self) -> Result<Token, String> {
        let (status, body) = self.ask(self.style).await?;
        if status.is_success() {
            return grant::token(&body);
        }
        let is_unknown_client = matches!(status.as_u16(), 400 | 401);
        if self.style == Style::Header && is_unknown_client {
            let (status, body) = self.ask(Style::Body).await?;
            if status.is_success() {
                self.style = Style::Body;
                return grant::token(&body);
            }
        }
        Err(format!("the authorization server answered {status}"))
    }

    async fn ask(&self, style: Style) -> Result<(StatusCode, Bytes), String> {
        let form = grant::form(&self.settings, style)?;
        let call = Call {
            head: self.head(form.authorization),
            segments: vec![Bytes::from(form.body)],
            deadline: self.clock.now() + self.settings.timeout,
            bytes_max: |_| REPLY_BYTES_MAX,
        };
        let answer = self.channel.call(call).await.map_err(|error| error.to_string())?;
        let body = answer.body.map_err(|error| error.to_string())?;
        Ok((answer.status, body))
    }

    fn head(&self, authorization: Option<HeaderValue>) -> Parts {
        let (mut head, ()) = Request::new(()).into_parts();
        (head.method, head.uri) = (Method::POST, self.settings.url.clone());
        let form = HeaderValue::from_static("application/x-www-form-urlencoded");
        head.headers.insert(CONTENT_TYPE, form);
        head.headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        head.headers.extend(authorization.map(|value| (AUTHORIZATION, value)));
        head
    }
}
