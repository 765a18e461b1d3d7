//! Reader: a tree becomes a typed value, and everything wrong in it is told at once.
//!
//! A read stops at its first error, so the reader notes it, passes over the part it is about, and
//! reads again until nothing is left to find. An empty value is passed over too: the field keeps
//! its default. Only an `Option` of a struct takes it as "present, with defaults".
//! Bounds: [`READS_MAX`] passes, [`PROBLEMS_MAX`] problems.

use std::collections::{HashMap, HashSet};

use serde::de::DeserializeOwned;

use crate::node::{Content, Node};
use crate::problem::{self, Problem};
use crate::reader::error::{Error, Flaw};
use crate::reader::place::{Place, ancestors, find, locate};
use crate::reader::value::ValueReader;
use crate::scalar::{Meaning, Style};
use crate::section::Origin;

mod error;
mod keys;
mod place;
mod value;

/// How often one section is read before the reader gives up on it.
const READS_MAX: usize = 1000;
/// How many problems of one section are told.
const PROBLEMS_MAX: usize = 100;

/// The identity of a node while its tree is being read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Address(usize);

impl Address {
    fn of(node: &Node) -> Self {
        Self(std::ptr::from_ref(node).addr())
    }
}

/// What earlier passes have decided about single nodes.
#[derive(Clone, Debug, Default)]
struct Decisions {
    /// Read as if they were not there.
    passed: HashSet<Address>,
    /// Read as text, though they look like a number or a truth value.
    texts: HashSet<Address>,
}

/// What was read, and what is wrong with it.
#[derive(Debug)]
pub(crate) struct Reading<T> {
    /// What remains without the parts that are wrong, if it can be read at all.
    pub(crate) value: Option<T>,
    pub(crate) problems: Vec<Problem>,
}

/// Reads `root`, which stands at `origin`, into a `T`.
pub(crate) fn read<T: DeserializeOwned>(root: &Node, origin: &Origin) -> Reading<T> {
    let mut session = Session::new(root, origin);
    let mut value = None;
    for _ in 0..READS_MAX {
        let goes_on = match attempt::<T>(root, &session.decisions) {
            Ok(read) => {
                value = Some(read);
                false
            }
            Err(Error::UnknownKeys(flaws)) => {
                let noted: Vec<_> = flaws.into_iter().map(|flaw| session.note(flaw)).collect();
                noted.contains(&true)
            }
            Err(Error::Flaw(flaw)) => {
                let flaw = blame::<T>(root, *flaw, &session.decisions);
                session.settle(&flaw) || session.note(flaw)
            }
        };
        if !goes_on || PROBLEMS_MAX <= session.problems.len() {
            break;
        }
    }
    if value.is_none() && session.problems.is_empty() {
        session.note(Flaw::new(format!("over {READS_MAX} values are empty here")));
    }
    let Session { mut problems, .. } = session;
    problem::sort(&mut problems);
    Reading { value, problems }
}

impl<T> Reading<T> {
    /// What was read, if nothing is wrong.
    pub(crate) fn into_result(self) -> Result<T, Vec<Problem>> {
        match self.value {
            Some(value) if self.problems.is_empty() => Ok(value),
            _ => Err(self.problems),
        }
    }
}

fn attempt<T: DeserializeOwned>(root: &Node, decisions: &Decisions) -> Result<T, Error> {
    T::deserialize(ValueReader::root(root, decisions)).map_err(|error| error.within(root))
}

/// Finds the part of a map or list that an error is about where serde does not say, as with
/// flattened structs: the part without which the error would not be there.
fn blame<T: DeserializeOwned>(root: &Node, mut flaw: Flaw, decisions: &Decisions) -> Flaw {
    if flaw.is_exact {
        return flaw;
    }
    let seen_at = flaw.at;
    let suspicion_of = |suspect: &Node| {
        let mut without = decisions.clone();
        if !without.passed.insert(Address::of(suspect)) {
            return Suspicion::None;
        }
        match attempt::<T>(root, &without) {
            Err(Error::Flaw(other)) if other.at == seen_at && other.message == flaw.message => {
                Suspicion::None
            }
            // It may only be that nothing else was read without it, as with the tag of an enum.
            Err(Error::Flaw(other)) if other.missing.is_some() => Suspicion::Weak,
            Err(_) | Ok(_) => Suspicion::Strong,
        }
    };
    let mut culprit = flaw.at.and_then(|at| find(root, at));
    while let Some(node) = culprit {
        flaw.at = Some(Address::of(node));
        let suspects: Vec<_> = children(node).map(|child| (child, suspicion_of(child))).collect();
        let first = |wanted| suspects.iter().find(|(_, suspicion)| *suspicion == wanted);
        let found = first(Suspicion::Strong).or_else(|| first(Suspicion::Weak));
        culprit = found.map(|(child, _)| *child);
    }
    flaw
}

/// How likely it is that an error is about a part.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Suspicion {
    None,
    Weak,
    Strong,
}

fn children(node: &Node) -> impl Iterator<Item = &Node> {
    let (items, entries) = match &node.content {
        Content::Scalar(_) => (&[][..], &[][..]),
        Content::List(items) => (items.as_slice(), &[][..]),
        Content::Map(entries) => (&[][..], entries.as_slice()),
    };
    items.iter().chain(entries.iter().map(|entry| &entry.value))
}

struct Session<'a> {
    root: &'a Node,
    origin: &'a Origin,
    decisions: Decisions,
    /// What was wrong with a node before it was read as text.
    before_as_text: HashMap<Address, String>,
    problems: Vec<Problem>,
}

impl<'a> Session<'a> {
    fn new(root: &'a Node, origin: &'a Origin) -> Self {
        Self {
            root,
            origin,
            decisions: Decisions::default(),
            before_as_text: HashMap::new(),
            problems: Vec::new(),
        }
    }

    /// Whether the flaw is none after all, once its node is read in another way.
    fn settle(&mut self, flaw: &Flaw) -> bool {
        let Some((at, place)) = flaw.at.and_then(|at| Some((at, locate(self.root, at)?))) else {
            return false;
        };
        match &place.node.content {
            Content::Scalar(scalar) if scalar.is_null() => {
                place.key.is_some() && self.decisions.passed.insert(at)
            }
            // What serde buffers is resolved before anyone knows that text is wanted.
            Content::Scalar(scalar) if scalar.style == Style::Plain && !flaw.is_exact => {
                self.before_as_text.entry(at).or_insert_with(|| flaw.message.clone());
                !matches!(scalar.meaning(), Meaning::Text(_)) && self.decisions.texts.insert(at)
            }
            _ => false,
        }
    }

    /// Notes a problem and passes over its node; false when there is nothing left to read.
    fn note(&mut self, flaw: Flaw) -> bool {
        let at = flaw.at.unwrap_or(Address::of(self.root));
        if self.decisions.passed.contains(&at) {
            return self.pass_above(at);
        }
        let place = locate(self.root, at).unwrap_or(Place::root(self.root));
        let is_consequence = flaw.missing.as_ref().is_some_and(|missing| {
            let entry = place.node.entry(missing);
            entry.is_some_and(|entry| self.was_noted(Address::of(&entry.value)))
        });
        if !is_consequence {
            let position = match place.key {
                None if at == Address::of(self.root) => self.origin.key.as_ref(),
                Some(key) if flaw.is_key => Some(key),
                _ => Some(place.position()),
            };
            self.problems.push(Problem {
                position: position.cloned(),
                path: self.origin.path_to(place.path.as_str()),
                message: self.before_as_text.remove(&at).unwrap_or(flaw.message),
                remedy: flaw.remedy,
            });
        }
        at != Address::of(self.root) && self.decisions.passed.insert(at)
    }

    /// Passes over the nearest node above one that is read though it was passed over, as the
    /// content of an enum is; false when that is everything.
    fn pass_above(&mut self, at: Address) -> bool {
        let above = ancestors(self.root, at).unwrap_or_default();
        let fresh = above.into_iter().find(|above| !self.decisions.passed.contains(above));
        fresh.is_some_and(|above| {
            above != Address::of(self.root) && self.decisions.passed.insert(above)
        })
    }

    /// Whether a problem was told of the node; an empty one is passed over without.
    fn was_noted(&self, at: Address) -> bool {
        let is_null = find(self.root, at).is_some_and(Node::is_null);
        self.decisions.passed.contains(&at) && !is_null
    }
}

#[cfg(test)]
mod tests;
