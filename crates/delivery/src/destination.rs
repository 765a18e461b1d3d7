//! Destination: where batches go, and what it says about them.

use std::future::Future;
use std::ops::Range;
use std::sync::Arc;
use std::time::Instant;

use pipeline::{Context, SpanContext, Verdict};
use runtime::metrics::Labels;
use wire::{Payload, Signal};

use crate::target::{Scope, Target, Targets};

/// Where batches go: one network call, one write. It may wait, until the attempt's deadline.
pub trait Destination: Send + Sync + 'static {
    /// Sends one batch once. Retries are not its business.
    fn send(&self, attempt: Attempt) -> impl Future<Output = Reply> + Send;

    /// Where the items of a payload go. Each target has a lane of its own, so that one that fails
    /// costs the others nothing. Called at the edge for each request; it never waits.
    fn targets(&self, _payload: &Payload, _context: &Context) -> Targets {
        Targets::default()
    }

    /// What names the place that a signal goes to on the metrics of its items.
    fn labels(&self, _signal: Signal) -> Labels {
        Labels::new()
    }
}

/// One try to send one batch.
#[derive(Clone, Debug)]
pub struct Attempt {
    pub payload: Payload,
    /// Where all its items go.
    pub target: Target,
    /// Metadata that was configured to travel on, and whose request it is, if it is one's only.
    pub context: Context,
    /// When to give up; the outgoing call carries it on.
    pub deadline: Instant,
    /// The span of the batch, to be sent as `traceparent`.
    pub trace: Option<SpanContext>,
    /// Counts from one.
    pub number: u32,
}

/// What the destination said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    pub verdict: Verdict,
    /// Items rejected by a partial success.
    pub rejected: u64,
    /// What was said beside a success.
    pub warning: Option<Arc<str>>,
    /// What a failure is about, when that is more than the attempt's target.
    pub scope: Option<Scope>,
    /// Items that have ended, each range with a verdict of its own: what is said above is about the
    /// others. The ranges are ascending and disjoint.
    pub done: Vec<(Range<usize>, Verdict)>,
}

impl From<Verdict> for Reply {
    fn from(verdict: Verdict) -> Self {
        Self { verdict, rejected: 0, warning: None, scope: None, done: Vec::new() }
    }
}
