//! Plan: operators joined to a graph, which entries go through in one direction.

use std::collections::HashMap;

use config::{Faults, nearest};

use super::route::{OnError, OutputWords, RouteWords, expression};
use super::{OperatorWords, Work};
use crate::receivers::file_log::expression::Expression;

/// Operators, and what leads where; the number behind the last operator is the way out.
#[derive(Debug, Default)]
pub struct Plan {
    pub(super) nodes: Vec<Node>,
}

/// One operator in its place.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) id: String,
    pub(super) on_error: OnError,
    pub(super) condition: Option<Expression>,
    pub(super) work: Work,
    pub(super) outputs: Vec<usize>,
    /// The outputs of each route of a router, those of its `default` last.
    pub(super) routes: Vec<Vec<usize>>,
}

/// An operator whose neighbours are not known yet.
struct Draft {
    route: RouteWords,
    condition: Option<Expression>,
    /// Nothing, when its words are wrong.
    work: Option<Work>,
}

impl Plan {
    /// Checks operators that stand at `path`, and joins them.
    pub fn validate(path: &str, words: Vec<OperatorWords>) -> Result<Self, Faults> {
        let mut faults = Faults::default();
        let mut ids = Ids::default();
        let mut drafts = Vec::with_capacity(words.len());
        for (at, words) in words.into_iter().enumerate() {
            let place = format!("{path}[{at}]");
            let mut own = Faults::default();
            let (kind, route, work) = words.build(&mut own);
            let condition = route.condition.as_deref();
            let condition = condition.and_then(|text| expression("if", text, &mut own));
            ids.add(kind, route.id.as_deref(), &mut own);
            faults.take(&place, own.or(|| ()));
            drafts.push(Draft { route, condition, work });
        }
        let mut nodes = Vec::with_capacity(drafts.len());
        for (at, draft) in drafts.into_iter().enumerate() {
            let place = format!("{path}[{at}]");
            let joined = draft.join(at, &ids);
            nodes.extend(faults.take(&place, joined).flatten());
        }
        let plan = faults.or(|| Self { nodes })?;
        plan.check_ways(path).map(|()| plan)
    }

    /// Whether nothing is done.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// Refuses cycles, and operators that nothing leads to.
    fn check_ways(&self, path: &str) -> Result<(), Faults> {
        let mut faults = Faults::default();
        let mut states = vec![State::Unseen; self.nodes.len()];
        if !self.nodes.is_empty() && !self.goes_on(0, &mut states) {
            let remedy = "let each `output` lead to a later operator";
            faults.add_with_remedy(path, "the operators lead in a circle", remedy);
            return Err(faults);
        }
        for (at, _) in states.iter().enumerate().filter(|(_, state)| **state == State::Unseen) {
            let remedy = "name its `id` in an `output` or in a route, or remove it";
            faults.add_with_remedy(
                format!("{path}[{at}]"),
                "nothing leads to this operator",
                remedy,
            );
        }
        faults.or(|| ())
    }

    /// Whether all ways from here come to an end.
    fn goes_on(&self, first: usize, states: &mut [State]) -> bool {
        // Depth first, on a stack of its own: an operator with the next of its ways to follow.
        let mut stack = vec![(first, 0)];
        states[first] = State::Open;
        while let Some((at, next)) = stack.last_mut() {
            let node = &self.nodes[*at];
            let mut ways = node.outputs.iter().chain(node.routes.iter().flatten());
            let Some(way) = ways.nth(*next).copied() else {
                states[*at] = State::Done;
                stack.pop();
                continue;
            };
            *next += 1;
            match states.get(way) {
                Some(State::Open) => return false,
                Some(State::Unseen) => {
                    states[way] = State::Open;
                    stack.push((way, 0));
                }
                Some(State::Done) | None => {}
            }
        }
        true
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Unseen,
    Open,
    Done,
}

impl Draft {
    fn join(self, at: usize, ids: &Ids) -> Result<Option<Node>, Faults> {
        let mut faults = Faults::default();
        let mut resolve = |key: &str, output: &OutputWords| ids.resolve(key, output, &mut faults);
        let mut routes = Vec::new();
        let mut outputs = Vec::new();
        if let Some(Work::Router(router)) = &self.work {
            for (route_at, route) in router.routes.iter().enumerate() {
                routes.push(resolve(&format!("routes[{route_at}].output"), &route.output));
            }
            let default = router.default.as_ref();
            routes.push(default.map_or_else(Vec::new, |output| resolve("default", output)));
        } else {
            let written = self.route.output.as_ref();
            outputs = written.map_or_else(|| vec![at + 1], |output| resolve("output", output));
        }
        let Self { route, condition, work } = self;
        let id = ids.names[at].clone();
        let on_error = route.on_error;
        let node = work.map(|work| Node { id, on_error, condition, work, outputs, routes });
        faults.or(|| node)
    }
}

/// The names of operators.
#[derive(Default)]
struct Ids {
    names: Vec<String>,
    by_name: HashMap<String, usize>,
}

impl Ids {
    /// Names the next operator: as it is written, or by its type, with a number if that is taken.
    fn add(&mut self, kind: &str, written: Option<&str>, faults: &mut Faults) {
        let numbered = (0..).map(|number| match number {
            0 => kind.to_owned(),
            _ => format!("{kind}{number}"),
        });
        let name = match written {
            Some(name) => {
                if self.by_name.contains_key(name) {
                    faults.add("id", format!("two operators are named `{name}`"));
                }
                name.to_owned()
            }
            None => {
                let mut free = numbered.filter(|name| !self.by_name.contains_key(name));
                free.next().unwrap_or_default()
            }
        };
        self.by_name.insert(name.clone(), self.names.len());
        self.names.push(name);
    }

    fn resolve(&self, key: &str, output: &OutputWords, faults: &mut Faults) -> Vec<usize> {
        let mut found = Vec::new();
        for name in output.ids() {
            match self.by_name.get(name) {
                Some(at) => found.push(*at),
                None => {
                    let message = format!("there is no operator `{name}`");
                    match nearest(name, self.names.iter().map(String::as_str)) {
                        Some(near) => {
                            faults.add_with_remedy(key, message, format!("did you mean `{near}`?"));
                        }
                        None => faults.add(key, message),
                    }
                }
            }
        }
        found
    }
}
