//! Mutant: a bug of the kind that this engine was built to end, put back to test the tests.
//!
//! Compiled with `--cfg mutants` only; `cargo xtask mutants` runs the test that must find each.

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mutant {
    /// A worker counts as free again as soon as its attempt has started.
    WorkerReturnedEarly,
    /// The callers of a batch that could not be put together are forgotten.
    CompletionSkipped,
    /// What is left over waits for company that never comes.
    RemainderNeverFlushed,
    /// A destination that works again is still taken for broken.
    BreakerNotResumed,
    /// A caller that leaves keeps its room.
    PermitLeaked,
    /// A caller is told that its data is on disk as soon as it is handed to the journal.
    AcknowledgedBeforeWritten,
    /// What is stored is removed when its retries are exhausted.
    ExhaustedIsForgotten,
    /// A batch that waits for its next attempt keeps its worker.
    RetryHoldsWorker,
    /// What was halted for a batch is not resumed when that batch expires.
    HaltOutlivesExpiry,
    /// Shutdown does not reach what is halted.
    HaltOutlivesDrain,
}

impl Mutant {
    /// The mutant of this name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "worker-returned-early" => Self::WorkerReturnedEarly,
            "completion-skipped" => Self::CompletionSkipped,
            "remainder-never-flushed" => Self::RemainderNeverFlushed,
            "breaker-not-resumed" => Self::BreakerNotResumed,
            "permit-leaked" => Self::PermitLeaked,
            "acknowledged-before-written" => Self::AcknowledgedBeforeWritten,
            "exhausted-is-forgotten" => Self::ExhaustedIsForgotten,
            "retry-holds-worker" => Self::RetryHoldsWorker,
            "halt-outlives-expiry" => Self::HaltOutlivesExpiry,
            "halt-outlives-drain" => Self::HaltOutlivesDrain,
            _ => return None,
        })
    }
}

impl super::Engine {
    pub(super) fn is_mutant(&self, mutant: Mutant) -> bool {
        self.rules.mutant == Some(mutant)
    }
}
