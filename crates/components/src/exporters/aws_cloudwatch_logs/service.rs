//! Service: calls of the Logs API: compressed, signed, sent, and what the answer says.
//!
//! A call is sent again at once only where that cannot wait: with new credentials for those that
//! have expired, and with the service's time where this host's clock is wrong.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use http::header::{ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE, DATE, USER_AGENT};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Uri};
use runtime::clock::Clock;

use super::operation::Operation;
use super::reply::{self, Failure, Kind};
use crate::aws::request::sign;
use crate::aws::{Credentials, Keeper};
use crate::client::{Call, Channel};
use crate::compression::Codec;
use crate::exporters::otlp::AGENT;

const TARGET: HeaderName = HeaderName::from_static("x-amz-target");
const LOGS_FORMAT: HeaderName = HeaderName::from_static("x-amzn-logs-format");
const JSON: HeaderValue = HeaderValue::from_static("application/x-amz-json-1.1");
/// Differences below this are the way of a request, not a wrong clock.
const SKEW_MIN: Duration = Duration::from_secs(60);

/// The Logs API of one region, as one identity.
#[derive(Debug)]
pub(super) struct Service {
    pub(super) channel: Arc<Channel>,
    pub(super) url: Uri,
    pub(super) region: String,
    pub(super) keeper: Keeper,
    pub(super) clock: Clock,
    /// Compresses bodies, before they are signed.
    pub(super) codec: Option<Codec>,
    /// Messages may be in the embedded metric format.
    pub(super) is_raw: bool,
    pub(super) skew: Skew,
}

/// How far the service's clock is ahead of this host's, in milliseconds.
#[derive(Debug, Default)]
pub(super) struct Skew(AtomicI64);

impl Service {
    /// Makes one call.
    pub(super) async fn call(
        &self,
        operation: Operation,
        body: Bytes,
        deadline: Instant,
    ) -> Result<Bytes, Failure> {
        let (body, is_compressed) = self.compressed(operation, body);
        let credentials = self.credentials(operation, None, deadline).await?;
        let sent = self.send(operation, (&body, is_compressed), &credentials, deadline).await;
        let Err(failure) = sent else { return sent };
        match failure.kind {
            Kind::Skewed if self.skew.was_learnt() => {
                self.send(operation, (&body, is_compressed), &credentials, deadline).await
            }
            Kind::Unauthenticated => {
                let others = self.credentials(operation, Some(&credentials), deadline).await;
                match others {
                    Ok(others) if *others != *credentials => {
                        self.send(operation, (&body, is_compressed), &others, deadline).await
                    }
                    // There are no others: what the service said is the reason.
                    _ => Err(failure),
                }
            }
            _ => Err(failure),
        }
    }

    /// The time of the service, as far as it is known.
    pub(super) fn wall(&self) -> SystemTime {
        self.skew.corrected(self.clock.wall())
    }

    /// The time of the service, in milliseconds since 1970.
    pub(super) fn now_millis(&self) -> i64 {
        let since = self.wall().duration_since(UNIX_EPOCH).unwrap_or_default();
        i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
    }

    async fn credentials(
        &self,
        operation: Operation,
        rejected: Option<&Arc<Credentials>>,
        deadline: Instant,
    ) -> Result<Arc<Credentials>, Failure> {
        let found = match rejected {
            None => self.keeper.credentials(deadline).await,
            Some(rejected) => self.keeper.others_than(rejected, deadline).await,
        };
        found.map_err(|why| reply::without_credentials(operation, &why))
    }

    fn compressed(&self, operation: Operation, body: Bytes) -> (Bytes, bool) {
        let codec = self.codec.filter(|_| operation == Operation::PutLogEvents);
        let small = codec.and_then(|codec| codec.deflate(std::slice::from_ref(&body)).ok());
        match small.filter(|small| small.len() < body.len()) {
            Some(small) => (small, true),
            None => (body, false),
        }
    }

    async fn send(
        &self,
        operation: Operation,
        (body, is_compressed): (&Bytes, bool),
        credentials: &Credentials,
        deadline: Instant,
    ) -> Result<Bytes, Failure> {
        let mut head = self.head(operation, is_compressed);
        sign(&mut head, body, credentials, (&self.region, "logs"), self.wall());
        let segments = vec![body.clone()];
        let call = Call { head, segments, deadline, bytes_max: reply::bytes_max };
        let answer = self.channel.call(call).await;
        let answer = answer.map_err(|error| reply::silence(operation, &error))?;
        let wall = self.clock.wall();
        let read = reply::read(operation, &answer, wall);
        if read.as_ref().is_err_and(|failure| failure.kind == Kind::Skewed) {
            self.skew.learn(&answer.headers, wall);
        }
        read
    }

    fn head(&self, operation: Operation, is_compressed: bool) -> Parts {
        let (mut head, ()) = Request::new(()).into_parts();
        (head.method, head.uri) = (Method::POST, self.url.clone());
        let headers = &mut head.headers;
        headers.insert(CONTENT_TYPE, JSON);
        headers.insert(USER_AGENT, HeaderValue::from_static(AGENT));
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        headers.extend(HeaderValue::try_from(operation.target()).map(|value| (TARGET, value)));
        if is_compressed {
            headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
        if self.is_raw && operation == Operation::PutLogEvents {
            headers.insert(LOGS_FORMAT, HeaderValue::from_static("json/emf"));
        }
        head
    }
}

impl Skew {
    fn corrected(&self, wall: SystemTime) -> SystemTime {
        let millis = self.0.load(Ordering::Relaxed);
        let amount = Duration::from_millis(millis.unsigned_abs());
        let corrected =
            if millis < 0 { wall.checked_sub(amount) } else { wall.checked_add(amount) };
        corrected.unwrap_or(wall)
    }

    fn was_learnt(&self) -> bool {
        self.0.load(Ordering::Relaxed) != 0
    }

    /// Takes the service's time from an answer.
    fn learn(&self, headers: &HeaderMap, wall: SystemTime) {
        let date = headers.get(DATE).and_then(|value| value.to_str().ok());
        let Some(date) = date.and_then(|text| httpdate::parse_http_date(text).ok()) else { return };
        let (ahead, amount) = match date.duration_since(wall) {
            Ok(ahead) => (true, ahead),
            Err(behind) => (false, behind.duration()),
        };
        let millis = i64::try_from(amount.as_millis()).unwrap_or(0);
        let millis = if amount < SKEW_MIN { 0 } else { millis };
        self.0.store(if ahead { millis } else { -millis }, Ordering::Relaxed);
        tracing::warn!(
            difference_seconds = if ahead { millis / 1000 } else { -millis / 1000 },
            "The clock of this host is not that of CloudWatch Logs; its time is used to sign."
        );
    }
}
