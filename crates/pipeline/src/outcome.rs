//! Outcome: what became of every item of an envelope.
//!
//! Each range of items ends as one [`Verdict`]; [`Outcome::answer`] turns them into the one
//! [`Answer`] that the caller gets. Nobody else decides about retry.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

/// A gRPC status code, with gRPC's numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Code {
    Ok = 0,
    Cancelled = 1,
    Unknown = 2,
    InvalidArgument = 3,
    DeadlineExceeded = 4,
    NotFound = 5,
    AlreadyExists = 6,
    PermissionDenied = 7,
    ResourceExhausted = 8,
    FailedPrecondition = 9,
    Aborted = 10,
    OutOfRange = 11,
    Unimplemented = 12,
    Internal = 13,
    Unavailable = 14,
    DataLoss = 15,
    Unauthenticated = 16,
}

/// The status that a destination, or a part of Tidegate, gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    pub code: Code,
    pub message: Arc<str>,
    /// The HTTP status it came as, when it came over HTTP.
    pub http: Option<u16>,
}

/// How a range of items ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The destination has it, or it is durably stored.
    Delivered,
    /// It will never be accepted; do not send it again.
    Refused(Status),
    /// Not accepted now; send it again, after `delay` if one was asked for.
    RetryAfter { delay: Option<Duration>, status: Status },
    /// It may have been delivered; sending again may double it.
    Unknown(Status),
}

/// What became of every item of an envelope.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Item ranges and their verdicts; together they cover the envelope.
    pub parts: Vec<(Range<usize>, Verdict)>,
    /// Items that the destination rejected while accepting the rest (OTLP partial success).
    pub rejected: u64,
    /// What the destination said beside a success.
    pub warning: Option<Arc<str>>,
}

/// What a caller is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    Delivered { rejected: u64, warning: Option<Arc<str>> },
    Refused(Status),
    RetryAfter { delay: Option<Duration>, status: Status },
    Unknown(Status),
}

impl Code {
    const ALL: [Self; 17] = [
        Self::Ok,
        Self::Cancelled,
        Self::Unknown,
        Self::InvalidArgument,
        Self::DeadlineExceeded,
        Self::NotFound,
        Self::AlreadyExists,
        Self::PermissionDenied,
        Self::ResourceExhausted,
        Self::FailedPrecondition,
        Self::Aborted,
        Self::OutOfRange,
        Self::Unimplemented,
        Self::Internal,
        Self::Unavailable,
        Self::DataLoss,
        Self::Unauthenticated,
    ];

    /// The code of a number; unknown numbers are [`Code::Unknown`], as gRPC says.
    #[must_use]
    pub fn from_number(number: u32) -> Self {
        let index = usize::try_from(number).unwrap_or(usize::MAX);
        Self::ALL.get(index).copied().unwrap_or(Self::Unknown)
    }

    /// The number on the wire.
    #[must_use]
    pub fn number(self) -> u8 {
        self as u8
    }
}

impl Status {
    /// A status that did not come over HTTP.
    #[must_use]
    pub fn new(code: Code, message: impl Into<Arc<str>>) -> Self {
        Self { code, message: message.into(), http: None }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {}", self.code, self.message)?;
        self.http.iter().try_for_each(|http| write!(f, " (HTTP {http})"))
    }
}

impl Outcome {
    /// All `items` ended the same way.
    #[must_use]
    pub fn all(items: usize, verdict: Verdict) -> Self {
        Self { parts: vec![(0..items, verdict)], rejected: 0, warning: None }
    }

    /// All `items` were delivered.
    #[must_use]
    pub fn delivered(items: usize) -> Self {
        Self::all(items, Verdict::Delivered)
    }

    /// The same outcome for items that start at `offset` of a larger envelope.
    #[must_use]
    pub fn shifted(mut self, offset: usize) -> Self {
        for (range, _) in &mut self.parts {
            *range = range.start + offset..range.end + offset;
        }
        self
    }

    /// Adds the outcome of another part of the same envelope.
    pub fn join(&mut self, other: Self) {
        if self.parts.is_empty() {
            self.parts = other.parts;
        } else {
            self.parts.extend(other.parts);
        }
        self.rejected += other.rejected;
        self.warning = self.warning.take().or(other.warning);
    }

    /// The one answer for the caller: retry-after wins with its longest delay, then unknown, then
    /// refused when nothing was delivered, else delivered with the count of what was rejected.
    #[must_use]
    pub fn answer(&self) -> Answer {
        self.retry().or_else(|| self.unknown()).unwrap_or_else(|| self.settled())
    }

    fn retry(&self) -> Option<Answer> {
        let retries = self.parts.iter().filter_map(|(_, verdict)| match verdict {
            Verdict::RetryAfter { delay, status } => Some((*delay, status)),
            _ => None,
        });
        let (delay, status) = retries.max_by_key(|(delay, _)| *delay)?;
        Some(Answer::RetryAfter { delay, status: status.clone() })
    }

    fn unknown(&self) -> Option<Answer> {
        self.parts.iter().find_map(|(_, verdict)| match verdict {
            Verdict::Unknown(status) => Some(Answer::Unknown(status.clone())),
            _ => None,
        })
    }

    fn settled(&self) -> Answer {
        let mut refused = 0;
        let mut first_refusal = None;
        let mut is_any_delivered = self.parts.is_empty();
        for (range, verdict) in &self.parts {
            match verdict {
                Verdict::Refused(status) => {
                    refused += range.len() as u64;
                    first_refusal.get_or_insert(status);
                }
                _ => is_any_delivered = true,
            }
        }
        match first_refusal {
            Some(status) if !is_any_delivered => Answer::Refused(status.clone()),
            Some(status) => Answer::Delivered {
                rejected: self.rejected + refused,
                warning: Some(Arc::clone(&status.message)),
            },
            None => Answer::Delivered { rejected: self.rejected, warning: self.warning.clone() },
        }
    }
}

#[cfg(test)]
mod tests;
