//! Reach: how far around an item a part of a condition looks.
//!
//! What looks only at the resource, the scope, or the metric, span or profile that the item belongs
//! to is marked as kept: else one long list of attributes would be read again for each of a million
//! items.

use super::path::{Context, Level, Path};
use super::{Operand, Term};
use wire::edit::Serials;

/// The innermost thing that something depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Reach {
    Nothing,
    Resource,
    Scope,
    /// The metric of a data point, the span of an event, the profile of a sample.
    Parent,
    Item,
}

impl Reach {
    /// Whether many items share what it reaches.
    fn is_shared(self) -> bool {
        !matches!(self, Self::Nothing | Self::Item)
    }

    /// The number of the thing that it reaches, for a subject with these numbers.
    pub(super) fn serial(self, serials: Serials) -> u64 {
        match self {
            Self::Nothing | Self::Resource => serials.resource,
            Self::Scope => serials.scope,
            // A span event belongs to an item, everything else to what holds the item.
            Self::Parent if serials.holder == 0 => serials.item,
            Self::Parent => serials.holder,
            Self::Item => serials.item,
        }
    }
}

/// The term with what is shared marked as kept, and how many things are.
pub(super) fn settled(term: Term, context: Context) -> (Term, usize) {
    let mut settler = Settler { context, slots: 0 };
    let term = settler.term(term);
    (term, settler.slots)
}

struct Settler {
    context: Context,
    slots: usize,
}

impl Settler {
    fn term(&mut self, term: Term) -> Term {
        let reach = self.reach_of_term(&term);
        if reach.is_shared() {
            return Term::Kept { slot: self.slot(), reach, term: Box::new(term) };
        }
        match term {
            Term::Any(terms) => Term::Any(terms.into_iter().map(|term| self.term(term)).collect()),
            Term::All(terms) => Term::All(terms.into_iter().map(|term| self.term(term)).collect()),
            Term::Not(term) => Term::Not(Box::new(self.term(*term))),
            Term::Compare { left, comparison, right } => {
                Term::Compare { left: self.operand(left), comparison, right: self.operand(right) }
            }
            Term::Test { target, test } => Term::Test { target: self.operand(target), test },
            Term::Contains { list, item } => {
                Term::Contains { list: self.operand(list), item: self.operand(item) }
            }
            Term::Constant(_) | Term::HasAttribute { .. } | Term::Kept { .. } => term,
        }
    }

    fn operand(&mut self, operand: Operand) -> Operand {
        let reach = self.reach_of(&operand);
        // The elements of a list are asked for one by one.
        if reach.is_shared() && !matches!(operand, Operand::List(_)) {
            return Operand::Kept { slot: self.slot(), reach, operand: Box::new(operand) };
        }
        match operand {
            Operand::List(all) => {
                Operand::List(all.into_iter().map(|operand| self.operand(operand)).collect())
            }
            Operand::Arithmetic { left, operator, right } => Operand::Arithmetic {
                left: Box::new(self.operand(*left)),
                operator,
                right: Box::new(self.operand(*right)),
            },
            Operand::Call { function, argument } => {
                Operand::Call { function, argument: Box::new(self.operand(*argument)) }
            }
            Operand::Literal(_) | Operand::Path(_) | Operand::Kept { .. } => operand,
        }
    }

    fn slot(&mut self) -> usize {
        self.slots += 1;
        self.slots - 1
    }

    fn reach_of_term(&self, term: &Term) -> Reach {
        match term {
            Term::Any(terms) | Term::All(terms) => {
                let reaches = terms.iter().map(|term| self.reach_of_term(term));
                reaches.max().unwrap_or(Reach::Nothing)
            }
            Term::Not(term) => self.reach_of_term(term),
            Term::Constant(_) => Reach::Nothing,
            Term::Compare { left, right, .. } => self.reach_of(left).max(self.reach_of(right)),
            Term::Test { target, .. } => self.reach_of(target),
            Term::Contains { list, item } => self.reach_of(list).max(self.reach_of(item)),
            Term::HasAttribute { .. } => Reach::Item,
            Term::Kept { reach, .. } => *reach,
        }
    }

    fn reach_of(&self, operand: &Operand) -> Reach {
        match operand {
            Operand::Literal(_) => Reach::Nothing,
            Operand::List(all) => {
                let reaches = all.iter().map(|operand| self.reach_of(operand));
                reaches.max().unwrap_or(Reach::Nothing)
            }
            Operand::Path(path) => self.reach_of_path(path),
            Operand::Arithmetic { left, right, .. } => {
                self.reach_of(left).max(self.reach_of(right))
            }
            Operand::Call { argument, .. } => self.reach_of(argument),
            Operand::Kept { reach, .. } => *reach,
        }
    }

    fn reach_of_path(&self, path: &Path) -> Reach {
        match path.level {
            Level::Resource => Reach::Resource,
            Level::Scope => Reach::Scope,
            Level::Parent => Reach::Parent,
            // A profile is asked about for each of its samples.
            Level::Item if self.context == Context::Profile => Reach::Parent,
            Level::Item => Reach::Item,
        }
    }
}
