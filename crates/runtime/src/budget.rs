//! Budget: memory as a tree of shares, in bytes.
//!
//! A child takes from all of its ancestors. Owner of the counts: the tree's ledger, behind one lock
//! that is held for a few additions. Bounds: every share has a cap; what a share is promised is set
//! aside in its parent. Invariant: what was taken goes back when the permit is dropped, and wakes
//! whoever waits for room.

mod freed;
mod ledger;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub use freed::Freed;

use freed::Watchers;
use ledger::Ledger;

/// The least that a permit is charged for: small envelopes cost their bookkeeping too.
pub const CHARGE_MIN: usize = 4 << 10;

/// One share of the tree. Clones are the same share.
#[derive(Clone)]
pub struct Budget {
    share: Arc<Share>,
}

struct Share {
    tree: Arc<Tree>,
    index: usize,
    /// Keeps the parent's share open.
    _parent: Option<Budget>,
}

#[derive(Debug, Default)]
struct Tree {
    ledger: Mutex<Ledger>,
    watchers: Watchers,
}

/// Bytes taken from a share and its ancestors.
#[must_use = "dropping a permit gives its bytes back"]
pub struct Permit {
    bytes: usize,
    budget: Budget,
}

/// The size of a share that follows the cap of the share above it, whenever that changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Portion {
    /// What always stays free for it.
    pub min: Part,
    /// What it may take.
    pub max: Part,
}

/// One part in so many, but never less than some bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    pub one_in: usize,
    pub bytes_least: usize,
}

impl Part {
    /// No bytes of anything.
    pub const NOTHING: Self = Self { one_in: usize::MAX, bytes_least: 0 };

    fn of(self, bytes: usize) -> usize {
        (bytes / self.one_in).max(self.bytes_least)
    }
}

/// The counts of one share, as shown to operators.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Usage {
    pub name: String,
    pub bytes_used: usize,
    pub bytes_min: usize,
    pub bytes_max: usize,
    /// The most that was ever in use.
    pub bytes_peak: usize,
    /// How many permits of this very share exist.
    pub holders: usize,
}

/// A share cannot be promised more than its parent has left to promise.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("cannot set {bytes_min} bytes aside for `{name}`: {bytes_left} bytes are left to promise")]
pub struct Overcommitted {
    pub name: String,
    pub bytes_min: usize,
    pub bytes_left: usize,
}

/// The counts of a share do not add up: a defect.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the permits of `{name}` do not add up to its charge")]
pub struct Imbalance {
    pub name: String,
}

impl Budget {
    /// The share of the whole process, or of a test.
    #[must_use]
    pub fn root(name: impl Into<String>, bytes_max: usize) -> Self {
        let tree = Arc::new(Tree::default());
        let index = tree.ledger().open(name.into(), None, 0, bytes_max);
        Self { share: Arc::new(Share { tree, index, _parent: None }) }
    }

    /// A share inside this one, without a minimum of its own.
    #[must_use]
    pub fn child(&self, name: &str, bytes_max: usize) -> Self {
        self.open(&mut self.share.tree.ledger(), name, 0, bytes_max)
    }

    /// A share inside this one that always finds `bytes_min` free: nobody else can take those.
    pub fn child_with_minimum(
        &self,
        name: &str,
        bytes_min: usize,
        bytes_max: usize,
    ) -> Result<Self, Overcommitted> {
        let mut ledger = self.share.tree.ledger();
        let bytes_left = ledger.bytes_ever(self.share.index);
        if bytes_left < bytes_min {
            return Err(Overcommitted { name: name.to_owned(), bytes_min, bytes_left });
        }
        Ok(self.open(&mut ledger, name, bytes_min, bytes_max.max(bytes_min)))
    }

    /// A share inside this one whose size follows this one's cap.
    #[must_use]
    pub fn portion(&self, name: &str, portion: Portion) -> Self {
        let mut ledger = self.share.tree.ledger();
        let name = format!("{}/{name}", ledger.share(self.share.index).name);
        let index = ledger.open_portion(name, self.share.index, portion);
        self.opened(index)
    }

    /// Takes `bytes` (at least [`CHARGE_MIN`]) here and in every ancestor, or nothing at all.
    #[must_use]
    pub fn try_take(&self, bytes: usize) -> Option<Permit> {
        let bytes = bytes.max(CHARGE_MIN);
        let is_taken = self.share.tree.ledger().try_take(self.share.index, bytes, true);
        is_taken.then(|| Permit { bytes, budget: self.clone() })
    }

    /// The path of names from the root.
    #[must_use]
    pub fn name(&self) -> String {
        self.share.tree.ledger().share(self.share.index).name.clone()
    }

    /// What nobody else can take, in bytes.
    #[must_use]
    pub fn bytes_min(&self) -> usize {
        self.share.tree.ledger().share(self.share.index).bytes_min
    }

    /// The cap in bytes.
    #[must_use]
    pub fn bytes_max(&self) -> usize {
        self.share.tree.ledger().share(self.share.index).bytes_max
    }

    /// Replaces the cap, and the sizes of the portions below; what is taken stays taken.
    pub fn set_bytes_max(&self, bytes_max: usize) {
        self.share.tree.ledger().resize(self.share.index, bytes_max);
        self.share.tree.watchers.wake();
    }

    /// The bytes taken now, here and below.
    #[must_use]
    pub fn bytes_used(&self) -> usize {
        self.share.tree.ledger().share(self.share.index).bytes_used
    }

    /// The bytes of the cap that are neither taken nor set aside.
    #[must_use]
    pub fn bytes_free(&self) -> usize {
        let ledger = self.share.tree.ledger();
        let share = ledger.share(self.share.index);
        share.bytes_max.saturating_sub(share.bytes_committed())
    }

    /// The most that one permit could ever hold here: a larger request need not wait.
    #[must_use]
    pub fn bytes_ever(&self) -> usize {
        self.share.tree.ledger().bytes_ever(self.share.index)
    }

    /// Hears when bytes go back anywhere in the tree.
    #[must_use]
    pub fn freed(&self) -> Freed {
        Freed::new(Arc::clone(&self.share.tree))
    }

    /// The counts of this share and of all below it, parents first.
    #[must_use]
    pub fn explain(&self) -> Vec<Usage> {
        let ledger = self.share.tree.ledger();
        ledger.below(self.share.index).into_iter().map(Usage::from).collect()
    }

    /// Checks that in the whole tree permits and children add up to what is charged.
    pub fn check(&self) -> Result<(), Imbalance> {
        match self.share.tree.ledger().imbalance() {
            Some(share) => Err(Imbalance { name: share.name.clone() }),
            None => Ok(()),
        }
    }

    fn open(&self, ledger: &mut Ledger, name: &str, bytes_min: usize, bytes_max: usize) -> Self {
        let name = format!("{}/{name}", ledger.share(self.share.index).name);
        let index = ledger.open(name, Some(self.share.index), bytes_min, bytes_max);
        self.opened(index)
    }

    fn opened(&self, index: usize) -> Self {
        let tree = Arc::clone(&self.share.tree);
        Self { share: Arc::new(Share { tree, index, _parent: Some(self.clone()) }) }
    }
}

impl Tree {
    fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.tree.ledger().close(self.index);
        self.tree.watchers.wake();
    }
}

impl Permit {
    /// The bytes this permit is charged for.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Takes `bytes` more, or nothing and says `false`.
    #[must_use]
    pub fn try_grow(&mut self, bytes: usize) -> bool {
        let share = &self.budget.share;
        let is_taken = share.tree.ledger().try_take(share.index, bytes, false);
        self.bytes += if is_taken { bytes } else { 0 };
        is_taken
    }

    /// Parts with `bytes` (at least [`CHARGE_MIN`], and keeps as much), and takes more where that is
    /// not enough; `None` when there is no more.
    #[must_use]
    pub fn try_split(&mut self, bytes: usize) -> Option<Self> {
        let bytes = bytes.max(CHARGE_MIN);
        let spare = self.bytes.saturating_sub(CHARGE_MIN);
        let missing = bytes.saturating_sub(spare);
        if 0 < missing && !self.try_grow(missing) {
            return None;
        }
        self.bytes -= bytes;
        let share = &self.budget.share;
        share.tree.ledger().share_mut(share.index).holders += 1;
        Some(Self { bytes, budget: self.budget.clone() })
    }

    /// Gives back what is held beyond `bytes`, but keeps [`CHARGE_MIN`].
    pub fn shrink_to(&mut self, bytes: usize) {
        let spare = self.bytes.saturating_sub(bytes.max(CHARGE_MIN));
        if 0 < spare {
            self.bytes -= spare;
            self.give_back(spare, false);
        }
    }

    /// The share it was taken from.
    #[must_use]
    pub fn budget(&self) -> &Budget {
        &self.budget
    }

    fn give_back(&self, bytes: usize, is_whole: bool) {
        let share = &self.budget.share;
        share.tree.ledger().give_back(share.index, bytes, is_whole);
        share.tree.watchers.wake();
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.give_back(self.bytes, true);
    }
}

impl From<&ledger::Share> for Usage {
    fn from(share: &ledger::Share) -> Self {
        Self {
            name: share.name.clone(),
            bytes_used: share.bytes_used,
            bytes_min: share.bytes_min,
            bytes_max: share.bytes_max,
            bytes_peak: share.bytes_peak,
            holders: share.holders,
        }
    }
}

impl fmt::Debug for Budget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ledger = self.share.tree.ledger();
        let share = ledger.share(self.share.index);
        write!(f, "Budget({}: {} of {})", share.name, share.bytes_used, share.bytes_max)
    }
}

impl fmt::Debug for Permit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Permit({} bytes of {})", self.bytes, self.budget.name())
    }
}

#[cfg(test)]
mod tests;
