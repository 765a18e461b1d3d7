//! Chain: moves entries through a plan, and holds those that wait for others.
//!
//! Owner: the receiver. Bounds: what `recombine` and `container` hold is bounded there.
//! Invariant: an entry goes out, or is held, or was dropped on purpose and counted.

use std::sync::Arc;
use std::time::Instant;

use super::Work;
use super::plan::{Node, Plan};
use super::recombine::{Role, Settings, Source, Waiting};
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

/// What becomes of an entry.
enum Step {
    Pass,
    Route(usize),
    /// It waits for others, or completes them.
    Wait(Role, Source),
    Drop,
    Fail(String),
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
        while let Some((at, mut entry)) = self.moving.pop() {
            let Some(node) = plan.nodes.get(at) else {
                out.push(entry);
                continue;
            };
            match step(node, &mut self.states[at], &mut entry) {
                Step::Pass => self.send(entry, &node.outputs),
                Step::Route(route) => {
                    let outputs = &node.routes[route];
                    self.reports[at].dropped += u64::from(outputs.is_empty());
                    self.send(entry, outputs);
                }
                Step::Wait(role, source) => self.wait(at, node, (entry, role, source), now),
                Step::Drop => self.reports[at].dropped += 1,
                Step::Fail(message) => self.fail(at, node, entry, message),
            }
        }
    }

    /// Lets an entry wait for others; sends on what is complete.
    fn wait(
        &mut self,
        at: usize,
        node: &Node,
        (entry, role, source): (Entry, Role, Source),
        now: Instant,
    ) {
        let Some(settings) = node.work.waiting_settings() else {
            return self.send(entry, &node.outputs);
        };
        match self.states[at].waiting.take(entry, (role, source), settings, now) {
            // The last one that is put on the stack goes first.
            Ok(done) => done.into_iter().rev().for_each(|entry| self.send(entry, &node.outputs)),
            Err((entry, message)) => self.fail(at, node, *entry, message),
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

fn step(node: &Node, state: &mut State, entry: &mut Entry) -> Step {
    try_step(node, state, entry).unwrap_or_else(Step::Fail)
}

fn try_step(node: &Node, state: &mut State, entry: &mut Entry) -> Result<Step, String> {
    if let Some(condition) = &node.condition
        && !condition.holds(entry)?
    {
        return Ok(Step::Pass);
    }
    Ok(match &node.work {
        Work::Nothing => Step::Pass,
        Work::Transform(transform) => transform.apply(entry).map(|()| Step::Pass)?,
        Work::Filter(filter) => {
            let is_dropped = filter.expression.holds(entry)? && state.owes_drop(filter.drop_ratio);
            if is_dropped { Step::Drop } else { Step::Pass }
        }
        Work::Router(router) => Step::Route(router.choose(entry)?),
        Work::Recombine(recombine) => {
            let (role, source) = recombine.place(entry)?;
            Step::Wait(role, source)
        }
        Work::Container(container) => match container.read(entry)? {
            Some((role, source)) => Step::Wait(role, source),
            None => Step::Pass,
        },
    })
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
