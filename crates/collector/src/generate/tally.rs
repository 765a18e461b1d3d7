//! Tally: the answers to a load, counted by kind, with latencies.

use std::fmt;
use std::time::Duration;

use hdrhistogram::Histogram;
use pipeline::Answer;

use crate::ledger::Run;

/// The longest latency that is told apart, in microseconds.
const LATENCY_MAX_MICROS: u64 = 600_000_000;

/// What the callers of a load were answered.
#[derive(Clone, Debug)]
pub(crate) struct Tally {
    pub(crate) acknowledged: Run,
    pub(crate) rejected_items: u64,
    pub(crate) sent_items: u64,
    requests: u64,
    bytes: u64,
    refused: u64,
    retryable: u64,
    unknown: u64,
    unanswered: u64,
    /// The longest that anybody was asked to wait before trying again.
    delay_max: Duration,
    latencies: Histogram<u32>,
    first_error: Option<String>,
}

/// What came of a load, as told to the user.
#[derive(Clone, Debug, serde::Serialize)]
pub(crate) struct Summary {
    pub(crate) seconds: f64,
    pub(crate) requests: u64,
    pub(crate) sent_items: u64,
    pub(crate) sent_bytes: u64,
    pub(crate) acknowledged_items: u64,
    pub(crate) rejected_items: u64,
    pub(crate) refused_requests: u64,
    pub(crate) retryable_requests: u64,
    pub(crate) unknown_requests: u64,
    pub(crate) unanswered_requests: u64,
    /// The longest delay that an answer "try again" named.
    pub(crate) delay_max_seconds: f64,
    pub(crate) items_per_second: f64,
    pub(crate) latency_micros_p50: u64,
    pub(crate) latency_micros_p90: u64,
    pub(crate) latency_micros_p99: u64,
    pub(crate) latency_micros_p999: u64,
    pub(crate) latency_micros_max: u64,
    pub(crate) first_error: Option<String>,
    #[serde(skip)]
    pub(crate) acknowledged: Run,
}

impl Default for Tally {
    fn default() -> Self {
        let latencies = Histogram::new_with_bounds(1, LATENCY_MAX_MICROS, 3);
        Self {
            acknowledged: Run::default(),
            rejected_items: 0,
            sent_items: 0,
            requests: 0,
            bytes: 0,
            refused: 0,
            retryable: 0,
            unknown: 0,
            unanswered: 0,
            delay_max: Duration::ZERO,
            latencies: latencies.expect("the bounds are valid"),
            first_error: None,
        }
    }
}

impl Tally {
    /// Counts the answer to a request of `items` items numbered from `first`.
    pub(crate) fn count(&mut self, first: u64, items: u64, answer: Option<Answer>, took: Duration) {
        let micros = u64::try_from(took.as_micros()).unwrap_or(LATENCY_MAX_MICROS);
        self.latencies.saturating_record(micros.max(1));
        match answer {
            Some(Answer::Delivered { rejected, .. }) => {
                self.rejected_items += rejected;
                for sequence in first..first + items {
                    self.acknowledged.enter(sequence);
                }
            }
            Some(Answer::Refused(status)) => {
                self.refused += 1;
                self.note(&status);
            }
            Some(Answer::RetryAfter { status, delay }) => {
                self.retryable += 1;
                self.delay_max = self.delay_max.max(delay.unwrap_or_default());
                self.note(&status);
            }
            Some(Answer::Unknown(status)) => {
                self.unknown += 1;
                self.note(&status);
            }
            None => self.unanswered += 1,
        }
    }

    pub(crate) fn sent(&mut self, items: u64, bytes: usize) {
        self.requests += 1;
        self.sent_items += items;
        self.bytes += bytes as u64;
    }

    fn note(&mut self, status: &pipeline::Status) {
        self.first_error.get_or_insert_with(|| status.to_string());
    }

    pub(crate) fn summary(&self, took: Duration) -> Summary {
        let seconds = took.as_secs_f64();
        let latency = |quantile| self.latencies.value_at_quantile(quantile);
        Summary {
            seconds,
            requests: self.requests,
            sent_items: self.sent_items,
            sent_bytes: self.bytes,
            acknowledged_items: self.acknowledged.distinct,
            rejected_items: self.rejected_items,
            refused_requests: self.refused,
            retryable_requests: self.retryable,
            unknown_requests: self.unknown,
            unanswered_requests: self.unanswered,
            delay_max_seconds: self.delay_max.as_secs_f64(),
            items_per_second: self.acknowledged.distinct as f64 / seconds,
            latency_micros_p50: latency(0.5),
            latency_micros_p90: latency(0.9),
            latency_micros_p99: latency(0.99),
            latency_micros_p999: latency(0.999),
            latency_micros_max: self.latencies.max(),
            first_error: self.first_error.clone(),
            acknowledged: self.acknowledged.clone(),
        }
    }
}

impl Summary {
    pub(crate) fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let millis = |micros: u64| micros as f64 / 1_000.0;
        writeln!(
            f,
            "sent         {} items in {} requests, {} bytes",
            self.sent_items, self.requests, self.sent_bytes
        )?;
        writeln!(
            f,
            "acknowledged {} items, {:.0} items/s over {:.1} s",
            self.acknowledged_items, self.items_per_second, self.seconds
        )?;
        writeln!(
            f,
            "not taken    {} requests refused, {} retryable, {} unknown, {} unanswered; {} items rejected",
            self.refused_requests,
            self.retryable_requests,
            self.unknown_requests,
            self.unanswered_requests,
            self.rejected_items
        )?;
        write!(
            f,
            "latency      p50 {:.2} ms, p90 {:.2} ms, p99 {:.2} ms, p99.9 {:.2} ms, max {:.2} ms",
            millis(self.latency_micros_p50),
            millis(self.latency_micros_p90),
            millis(self.latency_micros_p99),
            millis(self.latency_micros_p999),
            millis(self.latency_micros_max)
        )?;
        self.first_error.iter().try_for_each(|error| write!(f, "\nfirst error  {error}"))
    }
}
