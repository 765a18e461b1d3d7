//! Explain: what waits, for what, and until when at the latest.

use std::time::Instant;

use super::Engine;
use super::lane::Lane;
use super::lanes::LaneId;

/// Lanes that are described one by one; the rest is counted.
const LANES_MAX: usize = 8;

/// Something that waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Wait {
    what: String,
    /// When it ends at the latest; `None` when it ends with an event.
    until: Option<Instant>,
}

impl Wait {
    /// A wait that ends with an event outside of the engine.
    pub(crate) fn told(what: String) -> Self {
        Self { what, until: None }
    }

    /// The wait as shown to operators.
    pub(crate) fn describe(&self, now: Instant) -> String {
        let Self { what, until } = self;
        match until {
            Some(at) => {
                let left = at.saturating_duration_since(now).as_millis();
                format!("{what}; ends in {left} ms at the latest")
            }
            None => what.clone(),
        }
    }
}

impl Engine {
    /// A line for each kind of wait.
    pub(crate) fn explain(&mut self) -> Vec<Wait> {
        let mut waits = Vec::new();
        waits.extend(self.explain_parked());
        let busy = self.lanes.busy();
        self.explain_store(&busy, &mut waits);
        self.explain_lanes(&busy, &mut waits);
        for (scope, until, lanes) in self.scopes.shut().take(LANES_MAX) {
            let what = format!("{lanes} partitions wait because this fails: {scope}");
            waits.push(Wait { what, until });
        }
        if let Some((at, _)) = self.backoffs.keys().next_back() {
            let what = format!("{} batches wait to be sent again", self.backoffs.len());
            waits.push(Wait { what, until: Some(*at) });
        }
        if 0 < self.workers.len() {
            let what = format!("{} exports are under way", self.workers.len());
            waits.push(Wait { what, until: self.workers.latest_deadline() });
        }
        waits
    }

    fn explain_parked(&self) -> Option<Wait> {
        let count = self.admission.parked_len();
        if count == 0 {
            return None;
        }
        let parked = self.members.values().filter(|member| member.lane.is_none());
        let until = parked.filter_map(|member| member.deadline).max();
        Some(Wait { what: format!("{count} requests wait for room in the queue"), until })
    }

    fn explain_store(&self, busy: &[LaneId], waits: &mut Vec<Wait>) {
        let until = self.next_of_store();
        let (writing, unwritten) = (self.writing_len(), self.unwritten_len());
        if 0 < writing {
            let what = format!("{writing} requests wait for the journal to have them on disk");
            waits.push(Wait { what, until });
        }
        if 0 < unwritten {
            let what = format!("{unwritten} requests wait for room in the journal");
            waits.push(Wait { what, until });
        }
        for lane in self.first_of(busy, Lane::has_backlog) {
            let what = format!("{}: {}", lane.key, lane.explain_backlog());
            waits.push(Wait { what, until: lane.breaker.open_until() });
        }
    }

    fn explain_lanes(&self, busy: &[LaneId], waits: &mut Vec<Wait>) {
        let is_shown = |lane: &Lane| !lane.is_empty();
        for lane in self.first_of(busy, is_shown) {
            self.explain_lane(lane, waits);
        }
        let all = busy.iter().filter_map(|id| self.lanes.get(id)).filter(|lane| is_shown(lane));
        let more = all.count().saturating_sub(LANES_MAX);
        if 0 < more {
            waits.push(Wait { what: format!("and {more} more partitions"), until: None });
        }
    }

    /// The oldest few lanes of `ids` that pass.
    fn first_of(&self, ids: &[LaneId], is_shown: impl Fn(&Lane) -> bool) -> Vec<&Lane> {
        let lanes = ids.iter().filter_map(|id| self.lanes.get(id));
        let mut shown: Vec<_> = lanes.filter(|lane| is_shown(lane)).collect();
        if LANES_MAX < shown.len() {
            shown.select_nth_unstable_by_key(LANES_MAX, |lane| lane.id);
            shown.truncate(LANES_MAX);
        }
        shown.sort_unstable_by_key(|lane| lane.id);
        shown
    }

    fn explain_lane(&self, lane: &Lane, waits: &mut Vec<Wait>) {
        let name = &lane.key;
        let flush_timeout = self.batch_rules().and_then(|batch| batch.flush_timeout);
        if let Some(pending) = &lane.pending {
            let items = pending.batch.items();
            let wait = match pending.due {
                Some(_) => Wait {
                    what: format!("{name}: {items} items wait for a free worker"),
                    until: self.workers.latest_deadline(),
                },
                None => Wait {
                    what: format!("{name}: {items} items wait for company"),
                    until: pending.cut_at(flush_timeout).map(|(at, _)| at),
                },
            };
            waits.push(wait);
        }
        if !lane.ready.is_empty() {
            let what = format!("{name}: {} batches wait for a worker", lane.ready.len());
            let until = lane.breaker.open_until().or(self.workers.latest_deadline());
            waits.push(Wait { what, until });
        }
        if let Some(until) = lane.breaker.open_until() {
            let what = format!("{name}: the destination asked for a pause, or keeps failing");
            waits.push(Wait { what, until: Some(until) });
        }
    }
}
