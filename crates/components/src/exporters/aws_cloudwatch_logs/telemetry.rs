//! Telemetry: what did not become an event in CloudWatch Logs, by reason, and what was made there.

use pipeline::Environment;
use runtime::metrics::Counter;

/// Why a record did not become an event as it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Reason {
    /// Older than the service takes.
    TooOld,
    /// Further ahead than the service takes.
    TooNew,
    /// Older than its group keeps events.
    Expired,
    /// Without a message.
    Empty,
}

/// The series of one exporter.
#[derive(Clone, Debug)]
pub(super) struct Telemetry {
    discarded: [Counter; 4],
    oversize: Counter,
    pub(super) groups_created: Counter,
    pub(super) streams_created: Counter,
    pub(super) retention_failed: Counter,
}

impl Reason {
    const ALL: [Self; 4] = [Self::TooOld, Self::TooNew, Self::Expired, Self::Empty];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::TooOld => "too_old",
            Self::TooNew => "too_new",
            Self::Expired => "expired",
            Self::Empty => "empty",
        }
    }

    /// What a caller is told.
    pub(super) fn message(self) -> &'static str {
        match self {
            Self::TooOld => "CloudWatch Logs takes no events older than 14 days",
            Self::TooNew => "CloudWatch Logs takes no events more than 2 hours ahead",
            Self::Expired => "the event is older than its log group keeps events",
            Self::Empty => "CloudWatch Logs takes no events without a message",
        }
    }
}

impl Telemetry {
    pub(super) fn new(env: &Environment) -> Self {
        let label = ("exporter", env.id.to_string());
        let about = "Log records that CloudWatch Logs does not take, by reason.";
        let discarded = Reason::ALL.map(|reason| {
            let labels = vec![label.clone(), ("reason", reason.name().to_owned())];
            env.metrics.counter("tidegate_cloudwatch_discarded_log_records", about, labels)
        });
        let counter = |name, about| env.metrics.counter(name, about, vec![label.clone()]);
        Self {
            discarded,
            oversize: counter(
                "tidegate_cloudwatch_oversize_log_records",
                "Log records that were cut or split, because they were larger than an event may be.",
            ),
            groups_created: counter(
                "tidegate_cloudwatch_log_groups_created",
                "Log groups that were missing and were made.",
            ),
            streams_created: counter(
                "tidegate_cloudwatch_log_streams_created",
                "Log streams that were missing and were made.",
            ),
            retention_failed: counter(
                "tidegate_cloudwatch_retention_failures",
                "Log groups that were made, but whose retention could not be set.",
            ),
        }
    }

    pub(super) fn discarded(&self, reason: Reason, records: usize) {
        self.discarded[reason as usize].add(records as u64);
    }

    pub(super) fn oversize(&self, records: usize) {
        self.oversize.add(records as u64);
    }
}
