//! Chain: moves entries through a plan, and holds those that wait for others.
//!
//! Owner: the receiver. Bounds: what `recombine` and `container` hold is bounded there.
//! Invariant: an entry goes out, or is held, or was dropped on purpose and counted.

use std::sync::Arc;
use std::time::Instant;

use super::Work;
use super::plan::{Node, Plan};
use super::recombine::{Recombine, Role, Settings, Source, Waiting};
use crate::receivers::file_log::entry::{Entry, FileKey};

/// Moves entries through a plan.
#[derive(Debug)]
pub struct Chain {
    plan: Arc<Plan>,
    states: Vec<State>,
    reports: Vec<Report>,
    /// Entries on their way, with the operator they come to next; the last one goes first.
    moving: Vec<(usize, Entry)>,
}

/// What one operator could not handle, and what it ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    pub id: String,
    /// Entries that it could not handle.
    pub errors: u64,
    /// Entries that it dropped, for whatever reason.
    pub dropped: u64,
    /// What was wrong with the first of them, if that is to be told.
    pub first_error: Option<String>,
}

/// What an operator remembers.
#[derive(Debug, Default)]
struct State {
    waiting: Waiting,
    /// What part of an entry is still to be dropped.
    drop_debt: f64,
}

/// What became of an entry.
enum Step {
    Pass(Box<Entry>),
    Route(Box<Entry>, usize),
    Hold(Vec<Entry>),
    Drop,
    Fail(Box<Entry>, String),
}

impl Chain {
    /// A chain that holds nothing.
    #[must_use]
    pub fn new(plan: Arc<Plan>) -> Self {
        let ids = plan.nodes.iter().map(|node| node.id.clone());
        let reports = ids.map(|id| Report { id, ..Report::default() }).collect();
        let states = plan.nodes.iter().map(|_| State::default()).collect();
        Self { plan, states, reports, moving: Vec::new() }
    }

    /// Takes an entry in; what leaves goes to `out`, in order.
    pub fn process(&mut self, entry: Entry, now: Instant, out: &mut Vec<Entry>) {
        self.moving.push((0, entry));
        self.go_on(now, out);
    }

    /// Lets go what has waited long enough for more.
    pub fn tick(&mut self, now: Instant, out: &mut Vec<Entry>) {
        self.release(|_, until| until <= now, now, out);
    }

    /// Lets go what waits for more of a file that is over.
    pub fn end_of_file(&mut self, file: FileKey, now: Instant, out: &mut Vec<Entry>) {
        let is_of = |entry: &Entry| entry.origins().any(|origin| origin.file == file);
        self.release(|entry, _| is_of(entry), now, out);
    }

    /// When `tick` has something to do.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Instant> {
        self.states.iter().filter_map(|state| state.waiting.next_deadline()).min()
    }

    /// Where the first byte of `file` stands that is held inside.
    #[must_use]
    pub fn held(&self, file: FileKey) -> Option<u64> {
        self.states.iter().filter_map(|state| state.waiting.held(file)).min()
    }

    /// Memory that is held, in bytes.
    #[must_use]
    pub fn held_bytes(&self) -> usize {
        self.states.iter().map(|state| state.waiting.held_bytes()).sum()
    }

    /// What was not handled since the last time; operators without anything are left out.
    pub fn take_reports(&mut self) -> Vec<Report> {
        let mut taken = Vec::new();
        for report in &mut self.reports {
            if 0 < report.errors + report.dropped {
                let fresh = Report { id: report.id.clone(), ..Report::default() };
                taken.push(std::mem::replace(report, fresh));
            }
        }
        taken
    }

    /// Lets entries go that wait, from the first operator on: they may wait again further on.
    fn release(
        &mut self,
        is_over: impl Fn(&Entry, Instant) -> bool,
        now: Instant,
        out: &mut Vec<Entry>,
    ) {
        let plan = Arc::clone(&self.plan);
        for (at, node) in plan.nodes.iter().enumerate() {
            let Some(settings) = node.work.waiting_settings() else { continue };
            let mut released = Vec::new();
            self.states[at].waiting.release_all(&is_over, settings, &mut released);
            for entry in released {
                self.send(entry, &node.outputs);
                self.go_on(now, out);
            }
        }
    }

    fn go_on(&mut self, now: Instant, out: &mut Vec<Entry>) {
        let plan = Arc::clone(&self.plan);
        while let Some((at, entry)) = self.moving.pop() {
            let Some(node) = plan.nodes.get(at) else {
                out.push(entry);
                continue;
            };
            match step(node, &mut self.states[at], entry, now) {
                Step::Pass(entry) => self.send(*entry, &node.outputs),
                Step::Route(entry, route) => {
                    let outputs = &node.routes[route];
                    self.reports[at].dropped += u64::from(outputs.is_empty());
                    self.send(*entry, outputs);
                }
                Step::Hold(released) => {
                    // The last one that is put on the stack goes first.
                    released.into_iter().rev().for_each(|entry| self.send(entry, &node.outputs));
                }
                Step::Drop => self.reports[at].dropped += 1,
                Step::Fail(entry, message) => self.fail(at, node, *entry, message),
            }
        }
    }

    fn fail(&mut self, at: usize, node: &Node, entry: Entry, message: String) {
        let report = &mut self.reports[at];
        report.errors += 1;
        if !node.on_error.is_quiet() {
            report.first_error.get_or_insert(message);
        }
        if node.on_error.sends() {
            // A router that fails has chosen none of its ways.
            let default = node.routes.last().unwrap_or(&node.outputs);
            report.dropped += u64::from(default.is_empty());
            self.send(entry, default);
        } else {
            report.dropped += 1;
        }
    }

    /// Puts an entry on its way to each of `outputs`.
    fn send(&mut self, entry: Entry, outputs: &[usize]) {
        let Some((first, rest)) = outputs.split_first() else { return };
        self.moving.extend(rest.iter().rev().map(|output| (*output, entry.clone())));
        self.moving.push((*first, entry));
    }
}

impl Work {
    /// How entries wait here, if they can.
    fn waiting_settings(&self) -> Option<&Settings> {
        match self {
            Self::Recombine(recombine) => Some(&recombine.settings),
            Self::Container(container) => Some(&container.settings),
            _ => None,
        }
    }
}

fn step(node: &Node, state: &mut State, mut entry: Entry, now: Instant) -> Step {
    match node.condition.as_ref().map(|condition| condition.holds(&entry)) {
        Some(Ok(false)) => return Step::Pass(Box::new(entry)),
        Some(Err(message)) => return Step::Fail(Box::new(entry), message),
        Some(Ok(true)) | None => {}
    }
    match &node.work {
        Work::Nothing => Step::Pass(Box::new(entry)),
        Work::Transform(transform) => match transform.apply(&mut entry) {
            Ok(()) => Step::Pass(Box::new(entry)),
            Err(message) => Step::Fail(Box::new(entry), message),
        },
        Work::Filter(filter) => match filter.expression.holds(&entry) {
            Ok(true) if state.owes_drop(filter.drop_ratio) => Step::Drop,
            Ok(_) => Step::Pass(Box::new(entry)),
            Err(message) => Step::Fail(Box::new(entry), message),
        },
        Work::Router(router) => match router.choose(&mut entry) {
            Ok(route) => Step::Route(Box::new(entry), route),
            Err(message) => Step::Fail(Box::new(entry), message),
        },
        Work::Recombine(recombine) => combine(recombine, state, entry, now),
        Work::Container(container) => match container.read(&mut entry) {
            Ok(Some(place)) => wait(state, entry, place, &container.settings, now),
            Ok(None) => Step::Pass(Box::new(entry)),
            Err(message) => Step::Fail(Box::new(entry), message),
        },
    }
}

fn combine(recombine: &Recombine, state: &mut State, entry: Entry, now: Instant) -> Step {
    match recombine.place(&entry) {
        Ok(place) => wait(state, entry, place, &recombine.settings, now),
        Err(message) => Step::Fail(Box::new(entry), message),
    }
}

fn wait(
    state: &mut State,
    entry: Entry,
    place: (Role, Source),
    settings: &Settings,
    now: Instant,
) -> Step {
    match state.waiting.take(entry, place, settings, now) {
        Ok(released) => Step::Hold(released),
        Err((entry, message)) => Step::Fail(entry, message),
    }
}

impl State {
    /// Whether this one is dropped, so that in the long run `ratio` of all are.
    fn owes_drop(&mut self, ratio: f64) -> bool {
        self.drop_debt += ratio;
        let is_due = 1.0 - 1e-9 <= self.drop_debt;
        self.drop_debt -= if is_due { 1.0 } else { 0.0 };
        is_due
    }
}
