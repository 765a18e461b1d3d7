//! Tally: the counters of a receiver, by signal.

use pipeline::Environment;
use runtime::metrics::Counter;
use wire::Signal;

/// The counters of one protocol of a receiver.
#[derive(Clone, Debug)]
pub(super) struct Tally {
    signals: [Counters; Signal::ALL.len()],
}

#[derive(Clone, Debug)]
struct Counters {
    accepted: Counter,
    refused: Counter,
}

/// The items of one request, which count as refused until they are accepted: also when the client
/// leaves before.
#[derive(Debug)]
pub(super) struct Counted {
    counters: Counters,
    items: u64,
    is_accepted: bool,
}

impl Tally {
    /// The counters of the receiver of `env` for what comes by `transport`.
    pub(super) fn new(env: &Environment, transport: &str) -> Self {
        let labels = || vec![("receiver", env.id.to_string()), ("transport", transport.to_owned())];
        let signals = Signal::ALL.map(|signal| {
            let [accepted, refused, failed] = names(signal);
            let counter = |name, about| env.metrics.counter(name, about, labels());
            // As upstream, every error counts as refused; the series of failures only exists.
            let _ = counter(failed, "Items that the receiver itself failed to take over.");
            Counters {
                accepted: counter(accepted, "Items that were accepted."),
                refused: counter(refused, "Items that were not accepted."),
            }
        });
        Self { signals }
    }

    /// Begins to count the `items` of one request.
    pub(super) fn count(&self, signal: Signal, items: usize) -> Counted {
        let counters = self.signals[signal as usize].clone();
        Counted { counters, items: items as u64, is_accepted: false }
    }
}

impl Counted {
    pub(super) fn accept(mut self) {
        self.is_accepted = true;
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        let Counters { accepted, refused } = &self.counters;
        if self.is_accepted { accepted.add(self.items) } else { refused.add(self.items) }
    }
}

/// The names of the accepted, refused and failed items of `signal`.
fn names(signal: Signal) -> [&'static str; 3] {
    match signal {
        Signal::Logs => [
            "otelcol_receiver_accepted_log_records",
            "otelcol_receiver_refused_log_records",
            "otelcol_receiver_failed_log_records",
        ],
        Signal::Traces => [
            "otelcol_receiver_accepted_spans",
            "otelcol_receiver_refused_spans",
            "otelcol_receiver_failed_spans",
        ],
        Signal::Metrics => [
            "otelcol_receiver_accepted_metric_points",
            "otelcol_receiver_refused_metric_points",
            "otelcol_receiver_failed_metric_points",
        ],
        Signal::Profiles => [
            "otelcol_receiver_accepted_profile_samples",
            "otelcol_receiver_refused_profile_samples",
            "otelcol_receiver_failed_profile_samples",
        ],
    }
}
