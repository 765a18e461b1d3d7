//! Tally: what is told about the files of a receiver, under upstream's names where it has some.

use pipeline::Environment;
use runtime::metrics::{Counter, Gauge};

use super::assemble::Counts;
use super::stream::Noticed;
use super::tracker::{Event, Tracker};
use super::window::Ended;

/// The series of one receiver.
#[derive(Clone, Debug)]
pub(super) struct Tally {
    pub receiver: String,
    open: Gauge,
    reading: Gauge,
    known: Gauge,
    in_flight: Gauge,
    records: Counter,
    accepted: Counter,
    refused: Counter,
    unknown: Counter,
    again: Counter,
    lost_records: Counter,
    lost_bytes: Counter,
    blank: Counter,
    repaired: Counter,
    truncated: Counter,
    operator_errors: Counter,
    operator_drops: Counter,
    cuts: Counter,
    pub save_failures: Counter,
}

impl Tally {
    pub(super) fn new(env: &Environment) -> Self {
        let receiver = env.id.to_string();
        let labels = || vec![("receiver", receiver.clone())];
        let gauge = |name, about| env.metrics.gauge(name, about, labels());
        let counter = |name, about| env.metrics.counter(name, about, labels());
        let transported = |name, about| {
            let labels = vec![("receiver", receiver.clone()), ("transport", "file".to_owned())];
            env.metrics.counter(name, about, labels)
        };
        Self {
            open: gauge("otelcol_fileconsumer_open_files", "Files that are open."),
            reading: gauge("otelcol_fileconsumer_reading_files", "Files that are being read."),
            known: gauge("tidegate_files_known", "Files that are followed or remembered."),
            in_flight: gauge("tidegate_files_in_flight", "Payloads that are not answered yet."),
            records: counter("tidegate_files_records_total", "Records that were read and sent."),
            accepted: transported(
                "otelcol_receiver_accepted_log_records",
                "Items that were accepted.",
            ),
            refused: transported(
                "otelcol_receiver_refused_log_records",
                "Items that were not accepted.",
            ),
            unknown: counter(
                "tidegate_files_doubtful_records_total",
                "Records that are read again though they may have been delivered.",
            ),
            again: counter(
                "tidegate_files_repeated_records_total",
                "Records that are read again because they were not accepted.",
            ),
            lost_records: counter(
                "tidegate_files_lost_records_total",
                "Records that were not accepted and cannot be read again.",
            ),
            lost_bytes: counter(
                "tidegate_files_lost_bytes_total",
                "Bytes known to have been in a file that was cut or gone before they were read.",
            ),
            blank: counter("tidegate_files_blank_lines_total", "Lines without text, left out."),
            repaired: counter(
                "tidegate_files_repaired_records_total",
                "Records in which bytes that are not valid in the encoding were replaced.",
            ),
            truncated: counter(
                "tidegate_files_truncated_records_total",
                "Records of which a part was left out, because they were too long.",
            ),
            operator_errors: counter(
                "tidegate_files_operator_errors_total",
                "Records that an operator could not handle.",
            ),
            operator_drops: counter(
                "tidegate_files_operator_dropped_records_total",
                "Records that operators dropped: filtered, or not handled.",
            ),
            cuts: counter("tidegate_files_truncations_total", "Files that were cut."),
            save_failures: counter(
                "tidegate_files_position_failures_total",
                "Times that positions could not be kept.",
            ),
            receiver,
        }
    }

    /// What the tracker knows now.
    pub(super) fn show(&self, tracker: &Tracker) {
        let set = |gauge: &Gauge, count| gauge.set(i64::try_from(count).unwrap_or(i64::MAX));
        set(&self.open, tracker.open_files());
        set(&self.reading, tracker.reading_files());
        set(&self.known, tracker.files());
        set(&self.in_flight, tracker.in_flight());
    }

    /// A payload ended.
    pub(super) fn ended(&self, ended: &Ended) {
        self.accepted.add(ended.delivered);
        self.refused.add(ended.refused);
        self.unknown.add(ended.unknown);
    }

    /// A payload was handed on.
    pub(super) fn sent(&self, records: usize) {
        self.records.add(records as u64);
    }

    /// What was noticed while records were made.
    pub(super) fn noticed(&self, noticed: &Noticed) {
        let Counts { blank, repaired, truncated, .. } = noticed.counts;
        self.blank.add(blank);
        self.repaired.add(repaired);
        self.truncated.add(truncated);
        for report in &noticed.reports {
            self.operator_errors.add(report.errors);
            self.operator_drops.add(report.dropped);
            if let Some(error) = &report.first_error {
                let (receiver, operator) = (&self.receiver, &report.id);
                let errors = report.errors;
                tracing::warn!(%receiver, %operator, errors, error, "Records could not be parsed.");
            }
        }
    }

    /// How the files stand, for operators.
    pub(super) fn explain(&self) -> Vec<String> {
        let (known, open) = (self.known.value(), self.open.value());
        let (reading, in_flight) = (self.reading.value(), self.in_flight.value());
        vec![format!(
            "{known} files are known, {open} are open, {reading} are being read; {in_flight} payloads \
             wait for their answers"
        )]
    }

    pub(super) fn tell(&self, event: &Event) {
        match event {
            Event::Truncated { .. } => self.cuts.add(1),
            Event::Lost { unread, .. } => self.lost_bytes.add(*unread),
            Event::Dropped { records, .. } => self.lost_records.add(*records),
            Event::Again { records, .. } => self.again.add(*records),
            _ => {}
        }
    }
}
