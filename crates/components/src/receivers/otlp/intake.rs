//! Intake: the way of a request from its first byte to its answer, the same for both protocols.
//!
//! ```text
//! read the body ─▶ admission: inflate, check ─▶ hand over ─▶ wait for the answer
//! (receive share)  (admission budget)                        (until the deadline)
//! ```
//!
//! Owner: the request's own future; a client that leaves drops it, and with it all it holds.
//! Bounds: the deadline, and a body must make progress.

mod reading;

use std::sync::Arc;
use std::time::{Duration, Instant};

use http::HeaderMap;
use http::request::Parts;
use pipeline::auth::SharedServerAuth;
use pipeline::{
    Charge, Context, Contributor, Envelope, Metadata, Outlet, Outlets, SpanContext, Waiting,
    receipt,
};
use runtime::budget::Permit;
use runtime::clock::Clock;
use wire::{Format, Payload, Signal};

use super::admission::{Admission, Asking, Wire};
use super::answer::{Reply, TurnedAway};
use super::receive;
use super::tally::{Counted, Tally};
use super::transport::Body;
use crate::compression::Algorithm;

use reading::Read;
pub(super) use reading::{Framing, Pace};

/// The delay that is asked of a client whose request could not be answered in time.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// The longest trace state that travels on.
const TRACE_STATE_MAX: usize = 512;

/// What all requests of one protocol share.
pub(super) struct Intake {
    pub clock: Clock,
    pub outlets: Outlets,
    pub admission: Admission,
    pub tally: Tally,
    pub auth: Option<SharedServerAuth>,
    pub limits: Limits,
    pub includes_metadata: bool,
}

/// The limits of one request.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// Of the body, before and after decompression.
    pub bytes_max: usize,
    /// Until the answer, when the client does not ask for less.
    pub timeout: Duration,
    /// The least time that a client may ask for.
    pub timeout_min: Duration,
    /// Until the body has arrived.
    pub reading_max: Duration,
    pub pace: Pace,
}

/// What a request says beside its body.
#[derive(Debug)]
pub(super) struct Call {
    pub signal: Signal,
    pub format: Format,
    pub framing: Framing,
    pub algorithm: Option<Algorithm>,
    pub caller: Caller,
    pub deadline: Instant,
}

/// Who sends a request.
#[derive(Debug)]
pub(super) struct Caller {
    pub context: Context,
    pub trace: Option<SpanContext>,
}

impl Intake {
    /// When a request that arrives now and asks for `timeout` has to be answered, or that this is
    /// too little time.
    pub(super) fn deadline(&self, timeout: Option<Duration>) -> Result<Instant, TurnedAway> {
        let Limits { timeout: longest, timeout_min, .. } = self.limits;
        let timeout = timeout.map_or(longest, |asked| asked.min(longest));
        if timeout.is_zero() || timeout < timeout_min {
            let message = format!(
                "the request leaves {} ms for its answer, less than the {} ms of `min_timeout`",
                timeout.as_millis(),
                timeout_min.as_millis(),
            );
            return Err(TurnedAway::for_now(RETRY_AFTER, message));
        }
        Ok(self.clock.now() + timeout)
    }

    /// Finds out who calls, or why they may not.
    pub(super) fn identify(&self, head: &Parts, peer: Arc<str>) -> Result<Caller, TurnedAway> {
        let identity = match &self.auth {
            Some(auth) => auth.authenticate(&head.headers).map_err(TurnedAway::for_good)?,
            None => Metadata::default(),
        };
        let metadata =
            if self.includes_metadata { metadata(&head.headers) } else { Metadata::default() };
        let traceparent = head.headers.get("traceparent").and_then(|value| value.to_str().ok());
        let trace = traceparent.and_then(SpanContext::from_traceparent);
        let trace_state = trace.and_then(|_| trace_state(&head.headers));
        Ok(Caller { context: Context { metadata, peer: Some(peer), identity, trace_state }, trace })
    }

    /// Takes a request in, and waits for its answer.
    pub(super) async fn take(
        &self,
        mut call: Call,
        body: Body,
        connection: &Arc<receive::Connection>,
    ) -> Reply {
        let mut counted = self.tally.begin(call.signal, call.format, call.caller.trace);
        call.caller.trace = counted.trace();
        let reply = self.answer(call, body, connection, &mut counted).await;
        counted.end(&reply);
        reply
    }

    async fn answer(
        &self,
        call: Call,
        mut body: Body,
        connection: &Arc<receive::Connection>,
        counted: &mut Counted<'_>,
    ) -> Reply {
        let admitted = match self.outlets.of(call.signal) {
            Some(outlet) => {
                let admitted = self.admit(&call, &mut body, connection).await;
                admitted.map(|(payload, permit)| (outlet, payload, permit))
            }
            None => Err(TurnedAway::unimplemented(call.signal)),
        };
        match admitted {
            Ok((outlet, payload, permit)) => {
                counted.count(payload.items());
                self.deliver(outlet, call, payload, permit).await
            }
            Err(turned_away) => Reply::TurnedAway(turned_away),
        }
    }

    /// Reads the body and admits it, unless it has to make room for an older request before.
    async fn admit(
        &self,
        call: &Call,
        body: &mut Body,
        connection: &Arc<receive::Connection>,
    ) -> Result<(Payload, Permit), TurnedAway> {
        let (holding, mut eviction) = connection.hold();
        let admitted = async {
            let Read { bytes, algorithm } = reading::read(self, call, body, &holding).await?;
            let peer = call.caller.context.peer.as_deref().unwrap_or_default();
            let Limits { bytes_max, .. } = self.limits;
            let asking = Asking { peer, bytes_max, deadline: call.deadline };
            let wire = Wire { bytes, algorithm, format: call.format, signal: call.signal };
            self.admission.admit(wire, asking).await
        };
        tokio::select! {
            admitted = admitted => admitted,
            full = eviction.happened() => Err(full.into()),
        }
    }

    /// Hands the payload over and waits.
    async fn deliver(
        &self,
        outlet: &Outlet,
        call: Call,
        payload: Payload,
        permit: Permit,
    ) -> Reply {
        let Call { caller: Caller { context, trace }, deadline, .. } = call;
        if payload.is_empty() {
            return Reply::Accepted { rejected: 0, warning: None };
        }
        let (receipt, waiter) = receipt::pair(payload.items());
        let charge = Charge::from(permit);
        let waiting = Waiting::Blocked;
        let contributors = vec![Contributor { receipt, deadline, waiting, trace, charge }];
        outlet.consume(Envelope { payload, context, contributors });
        match waiter.wait_until(self.clock, deadline).await {
            Some(outcome) => Reply::from(outcome.answer()),
            None => Reply::TurnedAway(TurnedAway::for_now(
                RETRY_AFTER,
                "no answer came in time; the data may have been delivered",
            )),
        }
    }
}

impl From<receive::Full> for TurnedAway {
    fn from(full: receive::Full) -> Self {
        match full {
            receive::Full::Now => Self::for_now(RETRY_AFTER, full.to_string()),
            receive::Full::Always { bytes_max } => Self::too_large(bytes_max),
        }
    }
}

/// The `tracestate` headers as one, if they are not longer than everybody passes on (W3C Trace
/// Context, section 3.3).
fn trace_state(headers: &HeaderMap) -> Option<Arc<str>> {
    let values = headers.get_all("tracestate").iter();
    let texts: Vec<_> = values.filter_map(|value| value.to_str().ok()).collect();
    let joined = texts.join(",");
    (!joined.is_empty() && joined.len() <= TRACE_STATE_MAX).then(|| joined.into())
}

/// All headers that are text.
fn metadata(headers: &HeaderMap) -> Metadata {
    let texts = headers.iter().filter_map(|(name, value)| {
        let value = value.to_str().ok()?;
        Some((name.as_str().to_owned(), value.to_owned()))
    });
    texts.collect()
}
