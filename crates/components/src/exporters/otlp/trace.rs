//! Trace: the W3C headers of an outgoing call.

use delivery::Attempt;
use http::{HeaderName, HeaderValue};

const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
const TRACESTATE: HeaderName = HeaderName::from_static("tracestate");

/// The span of the attempt, and the state that the one client whose trace it is in sent with it.
pub(crate) fn headers(attempt: &Attempt) -> impl Iterator<Item = (HeaderName, HeaderValue)> {
    let parent = attempt.trace.and_then(|trace| HeaderValue::try_from(trace.to_string()).ok());
    let state = attempt.context.trace_state.as_deref().filter(|_| parent.is_some());
    let state = state.and_then(|state| HeaderValue::from_str(state).ok());
    let parent = parent.map(|parent| (TRACEPARENT, parent));
    parent.into_iter().chain(state.map(|state| (TRACESTATE, state)))
}
