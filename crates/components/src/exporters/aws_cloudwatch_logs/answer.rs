//! Answer: what became of each record of an attempt, while its requests are answered one by one.
//!
//! Pure. Invariant: a record has ended when it was set aside, or when all of its events were put.

use std::ops::Range;
use std::sync::Arc;

use delivery::Reply;
use pipeline::{Code, Status, Verdict};
use serde::Deserialize;

use super::event::{Event, Events};
use super::telemetry::Reason;

/// What became of each record.
#[derive(Clone, Debug)]
pub(super) struct Tally {
    fates: Vec<Fate>,
    /// Events of each record that were not put yet.
    left: Vec<u32>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Open,
    Put,
    Refused(Reason),
}

/// Which events of a request the service did not take: it takes all others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Rejections {
    too_new_log_event_start_index: Option<usize>,
    too_old_log_event_end_index: Option<usize>,
    expired_log_event_end_index: Option<usize>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Put {
    rejected_log_events_info: Option<Rejections>,
}

impl Rejections {
    /// Reads the answer to a request that was accepted.
    pub(super) fn read(body: &[u8]) -> Self {
        let put: Option<Put> = serde_json::from_slice(body).ok();
        put.and_then(|put| put.rejected_log_events_info).unwrap_or_default()
    }

    fn reason(&self, index: usize) -> Option<Reason> {
        if self.too_old_log_event_end_index.is_some_and(|end| index < end) {
            Some(Reason::TooOld)
        } else if self.expired_log_event_end_index.is_some_and(|end| index < end) {
            Some(Reason::Expired)
        } else if self.too_new_log_event_start_index.is_some_and(|start| start <= index) {
            Some(Reason::TooNew)
        } else {
            None
        }
    }
}

impl Tally {
    /// Nothing was put yet.
    pub(super) fn new(items: usize, events: &Events) -> Self {
        let mut tally = Self { fates: vec![Fate::Open; items], left: vec![0; items] };
        for event in &events.kept {
            tally.left[event.item] += 1;
        }
        for (item, reason) in &events.set_aside {
            tally.fates[*item] = Fate::Refused(*reason);
        }
        tally
    }

    /// The service took a request of these events.
    pub(super) fn put(&mut self, events: &[Event], rejections: Rejections) {
        for (index, event) in events.iter().enumerate() {
            self.left[event.item] -= 1;
            let fate = &mut self.fates[event.item];
            match rejections.reason(index) {
                Some(reason) => *fate = Fate::Refused(reason),
                None if *fate == Fate::Open && self.left[event.item] == 0 => *fate = Fate::Put,
                None => {}
            }
        }
    }

    /// Records that were refused, by reason.
    pub(super) fn refused(&self) -> impl Iterator<Item = Reason> {
        self.fates.iter().filter_map(|fate| match fate {
            Fate::Refused(reason) => Some(*reason),
            Fate::Open | Fate::Put => None,
        })
    }

    /// The reply, when all requests were accepted.
    pub(super) fn accepted(&self) -> Reply {
        let done = self.ranges(|fate| matches!(fate, Fate::Refused(_)));
        Reply { done, ..Verdict::Delivered.into() }
    }

    /// The reply, when `reply` is what ended the attempt before all was put.
    pub(super) fn broken_off(&self, reply: Reply) -> Reply {
        let done = self.ranges(|fate| fate != Fate::Open);
        Reply { done, ..reply }
    }

    fn ranges(&self, is_wanted: impl Fn(Fate) -> bool) -> Vec<(Range<usize>, Verdict)> {
        let mut ranges: Vec<(Range<usize>, Fate)> = Vec::new();
        for (item, fate) in self.fates.iter().enumerate().filter(|(_, fate)| is_wanted(**fate)) {
            match ranges.last_mut() {
                Some((range, last)) if range.end == item && last == fate => range.end += 1,
                _ => ranges.push((item..item + 1, *fate)),
            }
        }
        ranges.into_iter().map(|(range, fate)| (range, fate.verdict())).collect()
    }
}

impl Fate {
    fn verdict(self) -> Verdict {
        match self {
            Self::Open | Self::Put => Verdict::Delivered,
            Self::Refused(reason) => {
                let message = Arc::<str>::from(reason.message());
                Verdict::Refused(Status::new(Code::OutOfRange, message))
            }
        }
    }
}

#[cfg(test)]
mod tests;
