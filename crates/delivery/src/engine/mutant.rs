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
    /// One who waits is let in, however much room was freed.
    RoomWakesOne,
    /// Batches leave an ordered lane side by side.
    OrderOverlooked,
    /// An attempt keeps its worker, however long it takes.
    SlowHoldsWorker,
    /// A trial takes a worker.
    TrialTakesWorker,
    /// Lanes that fall silent together are found out one after the other.
    SilenceUnheeded,
    /// A lane that was never answered is trusted for as long as it waits for its turn.
    UntriedTrusted,
    /// Lanes that were never answered are found out one after the other.
    TrialsInSeries,
    /// A probe that ends without a word goes on for ever.
    ProbeForgotten,
    /// What was handed over before the road is closed, and not received yet, is refused.
    MailLeftUnread,
}

impl Mutant {
    /// The bug that `cargo xtask mutants` asks for.
    pub(crate) fn chosen() -> Option<Self> {
        let name = std::env::var("TIDEGATE_MUTANT").ok()?;
        Some(Self::named(&name).expect("a mutant of this name"))
    }

    /// The mutant of this name.
    fn named(name: &str) -> Option<Self> {
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
            "room-wakes-one" => Self::RoomWakesOne,
            "order-overlooked" => Self::OrderOverlooked,
            "slow-holds-worker" => Self::SlowHoldsWorker,
            "trial-takes-worker" => Self::TrialTakesWorker,
            "silence-unheeded" => Self::SilenceUnheeded,
            "untried-trusted" => Self::UntriedTrusted,
            "trials-in-series" => Self::TrialsInSeries,
            "probe-forgotten" => Self::ProbeForgotten,
            "mail-left-unread" => Self::MailLeftUnread,
            _ => return None,
        })
    }
}

impl super::Engine {
    pub(crate) fn is_mutant(&self, mutant: Mutant) -> bool {
        self.rules.mutant == Some(mutant)
    }
}
