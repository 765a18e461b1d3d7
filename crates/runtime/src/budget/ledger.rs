//! Ledger: the counts of a tree of shares.
//!
//! Pure. A share is charged for what its own permits hold and for what its children took out of it,
//! which for each child is the larger of what it uses and its minimum.
//! Invariant: the charge of a share is always exactly that sum; see [`Ledger::imbalance`].

use std::collections::HashMap;

use super::Portion;
use crate::slab::Slab;

/// The counts of one share.
#[derive(Clone, Debug)]
pub(super) struct Share {
    pub(super) name: String,
    pub(super) parent: Option<usize>,
    pub(super) bytes_min: usize,
    pub(super) bytes_max: usize,
    /// Held by permits of this share.
    pub(super) bytes_held: usize,
    /// Taken out by children, and set aside for them.
    pub(super) bytes_lent: usize,
    /// Held by permits, here and below.
    pub(super) bytes_used: usize,
    pub(super) bytes_peak: usize,
    /// How many permits hold the bytes.
    pub(super) holders: usize,
    /// The sum of the children's minimums.
    pub(super) bytes_promised: usize,
    /// How the minimum and the cap follow from the parent's cap, if they do.
    pub(super) portion: Option<Portion>,
}

/// The shares of one tree by number.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    shares: Slab<Share>,
}

impl Share {
    /// The bytes that nobody else can have: in use or set aside, here and below.
    pub(super) fn bytes_committed(&self) -> usize {
        self.bytes_held + self.bytes_lent
    }

    /// What the parent is charged for when `bytes_committed` are.
    fn charge(&self, bytes_committed: usize) -> usize {
        bytes_committed.max(self.bytes_min)
    }
}

impl Ledger {
    /// Adds a share; its minimum is taken out of its parent at once.
    pub(super) fn open(
        &mut self,
        name: String,
        parent: Option<usize>,
        bytes_min: usize,
        bytes_max: usize,
    ) -> usize {
        let share = Share {
            name,
            parent,
            bytes_min,
            bytes_max,
            bytes_held: 0,
            bytes_lent: 0,
            bytes_used: 0,
            bytes_peak: 0,
            holders: 0,
            bytes_promised: 0,
            portion: None,
        };
        if let Some(parent) = parent {
            self.share_mut(parent).bytes_promised += bytes_min;
            self.lend(parent, bytes_min);
        }
        self.shares.insert(share)
    }

    /// Adds a share whose size follows its parent's. Its minimum is at most what the parent has left
    /// to promise.
    pub(super) fn open_portion(&mut self, name: String, parent: usize, portion: Portion) -> usize {
        let index = self.open(name, Some(parent), 0, 0);
        self.share_mut(index).portion = Some(portion);
        self.follow(index, parent);
        index
    }

    /// Replaces the cap of a share, and those that follow from it; what is taken stays taken.
    pub(super) fn resize(&mut self, index: usize, bytes_max: usize) {
        self.share_mut(index).bytes_max = bytes_max;
        let children = self.children();
        for child in children.get(&index).into_iter().flatten() {
            self.follow(*child, index);
        }
    }

    /// Removes a share that nothing refers to any more; its minimum goes back.
    pub(super) fn close(&mut self, index: usize) {
        let Some(share) = self.shares.remove(index) else { return };
        debug_assert_eq!(share.bytes_committed(), 0, "a share outlives its permits and children");
        if let Some(parent) = share.parent {
            self.share_mut(parent).bytes_promised -= share.bytes_min;
            self.reclaim(parent, share.bytes_min);
        }
    }

    /// Charges `bytes` to a permit of share `index`, or nothing when they do not fit everywhere.
    pub(super) fn try_take(&mut self, index: usize, bytes: usize, is_new: bool) -> bool {
        if !self.fits(index, bytes) {
            return false;
        }
        let share = self.share_mut(index);
        let charge_before = share.charge(share.bytes_committed());
        share.bytes_held += bytes;
        share.holders += usize::from(is_new);
        self.pass_up(index, charge_before);
        self.use_up(index, |used| used + bytes);
        true
    }

    /// Takes back `bytes` from a permit of share `index`.
    pub(super) fn give_back(&mut self, index: usize, bytes: usize, is_whole: bool) {
        let share = self.share_mut(index);
        let charge_before = share.charge(share.bytes_committed());
        share.bytes_held -= bytes;
        share.holders -= usize::from(is_whole);
        self.pass_up(index, charge_before);
        self.use_up(index, |used| used - bytes);
    }

    /// The most that a single permit of share `index` can hold when all else is idle.
    pub(super) fn bytes_ever(&self, index: usize) -> usize {
        let share = self.share(index);
        let own = share.bytes_max.saturating_sub(share.bytes_promised);
        let Some(parent) = share.parent else { return own };
        own.min(self.bytes_ever(parent).saturating_add(share.bytes_min))
    }

    pub(super) fn share(&self, index: usize) -> &Share {
        self.shares.value(index).expect("a handle keeps its share open")
    }

    pub(super) fn share_mut(&mut self, index: usize) -> &mut Share {
        self.shares.value_mut(index).expect("a handle keeps its share open")
    }

    /// Share `index` and all below it, parents first.
    pub(super) fn below(&self, index: usize) -> Vec<&Share> {
        let children = self.children();
        let mut numbers = vec![index];
        let mut at = 0;
        while let Some(parent) = numbers.get(at) {
            numbers.extend(children.get(parent).into_iter().flatten());
            at += 1;
        }
        numbers.into_iter().map(|index| self.share(index)).collect()
    }

    /// The first share whose charge is not what its permits and children add up to.
    pub(super) fn imbalance(&self) -> Option<&Share> {
        let children = self.children();
        let charge =
            |child: &usize| self.share(*child).charge(self.share(*child).bytes_committed());
        let used = |child: &usize| self.share(*child).bytes_used;
        let adds_up = |index: usize, share: &Share| {
            let below = || children.get(&index).into_iter().flatten();
            let lent: usize = below().map(charge).sum();
            let taken: usize = below().map(used).sum();
            let is_held = 0 < share.bytes_held;
            lent == share.bytes_lent
                && taken + share.bytes_held == share.bytes_used
                && is_held == (0 < share.holders)
        };
        self.shares.iter().find(|(index, share)| !adds_up(*index, share)).map(|(_, share)| share)
    }

    /// The children of each share that has some; one pass, as there may be many lanes.
    fn children(&self) -> HashMap<usize, Vec<usize>> {
        let mut children = HashMap::<_, Vec<_>>::new();
        for (index, share) in self.shares.iter() {
            if let Some(parent) = share.parent {
                children.entry(parent).or_default().push(index);
            }
        }
        children
    }

    fn fits(&self, index: usize, bytes: usize) -> bool {
        let (mut at, mut need) = (Some(index), bytes);
        while let Some(share) = at.map(|index| self.share(index)) {
            let used = share.bytes_committed();
            let Some(total) = used.checked_add(need) else { return false };
            // What is within the minimum was set aside before: it fits above, whatever happens there.
            need = share.charge(total) - share.charge(used);
            if share.bytes_max < total {
                return false;
            }
            if need == 0 {
                return true;
            }
            at = share.parent;
        }
        true
    }

    /// Sizes share `index` by the cap of its parent, if it is a portion of that.
    fn follow(&mut self, index: usize, parent: usize) {
        let Some(portion) = self.share(index).portion else { return };
        let above = self.share(parent);
        let bytes_max = portion.max.of(above.bytes_max);
        let promised_to_others = above.bytes_promised - self.share(index).bytes_min;
        let bytes_left = above.bytes_max.saturating_sub(promised_to_others);
        let bytes_min = portion.min.of(above.bytes_max).min(bytes_left).min(bytes_max);
        self.share_mut(parent).bytes_promised = promised_to_others + bytes_min;
        let share = self.share_mut(index);
        let charge_before = share.charge(share.bytes_committed());
        share.bytes_min = bytes_min;
        self.pass_up(index, charge_before);
        self.resize(index, bytes_max);
    }

    /// Brings the ancestors of `index` up to date after its charge was `charge_before`.
    fn pass_up(&mut self, index: usize, charge_before: usize) {
        let share = self.share_mut(index);
        let charge = share.charge(share.bytes_committed());
        let Some(parent) = share.parent else { return };
        if charge_before < charge {
            self.lend(parent, charge - charge_before);
        } else if charge < charge_before {
            self.reclaim(parent, charge_before - charge);
        }
    }

    /// Changes what is in use in `index` and in all of its ancestors.
    fn use_up(&mut self, index: usize, change: impl Fn(usize) -> usize) {
        let mut at = Some(index);
        while let Some(index) = at {
            let share = self.share_mut(index);
            share.bytes_used = change(share.bytes_used);
            share.bytes_peak = share.bytes_peak.max(share.bytes_used);
            at = share.parent;
        }
    }

    fn lend(&mut self, index: usize, bytes: usize) {
        let share = self.share_mut(index);
        let charge_before = share.charge(share.bytes_committed());
        share.bytes_lent += bytes;
        self.pass_up(index, charge_before);
    }

    fn reclaim(&mut self, index: usize, bytes: usize) {
        let share = self.share_mut(index);
        let charge_before = share.charge(share.bytes_committed());
        share.bytes_lent -= bytes;
        self.pass_up(index, charge_before);
    }
}
