//! Budget: memory as a tree of shares, in bytes.
//!
//! A child takes from all of its ancestors. Owner of the counts: the tree itself (atomics).
//! Bounds: every share has a cap. Invariant: what was taken goes back when the permit is dropped.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// One share of the tree. Clones are the same share.
#[derive(Clone)]
pub struct Budget {
    share: Arc<Share>,
}

struct Share {
    name: String,
    bytes_max: AtomicUsize,
    bytes_used: AtomicUsize,
    parent: Option<Budget>,
}

/// Bytes taken from a share and its ancestors.
#[must_use = "dropping a permit gives its bytes back"]
pub struct Permit {
    bytes: usize,
    budget: Budget,
}

impl fmt::Debug for Budget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Budget({}: {} of {})", self.share.name, self.bytes_used(), self.bytes_max())
    }
}

impl fmt::Debug for Permit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Permit({} bytes of {})", self.bytes, self.budget.share.name)
    }
}

impl Budget {
    /// The share of the whole process, or of a test.
    #[must_use]
    pub fn root(name: impl Into<String>, bytes_max: usize) -> Self {
        Self::with_parent(name.into(), bytes_max, None)
    }

    /// A share inside this one.
    #[must_use]
    pub fn child(&self, name: &str, bytes_max: usize) -> Self {
        Self::with_parent(format!("{}/{name}", self.share.name), bytes_max, Some(self.clone()))
    }

    /// Takes `bytes` here and in every ancestor, or nothing at all.
    #[must_use]
    pub fn try_take(&self, bytes: usize) -> Option<Permit> {
        let mut at = Some(self);
        while let Some(here) = at {
            if !here.share.try_add(bytes) {
                self.give_back_until(here, bytes);
                return None;
            }
            at = here.share.parent.as_ref();
        }
        Some(Permit { bytes, budget: self.clone() })
    }

    /// The cap in bytes.
    #[must_use]
    pub fn bytes_max(&self) -> usize {
        self.share.bytes_max.load(Ordering::Relaxed)
    }

    /// Replaces the cap; what is taken stays taken.
    pub fn set_bytes_max(&self, bytes_max: usize) {
        self.share.bytes_max.store(bytes_max, Ordering::Relaxed);
    }

    /// The bytes taken now.
    #[must_use]
    pub fn bytes_used(&self) -> usize {
        self.share.bytes_used.load(Ordering::Relaxed)
    }

    fn give_back_until(&self, end: &Self, bytes: usize) {
        let mut at = Some(self);
        while let Some(here) = at {
            if Arc::ptr_eq(&here.share, &end.share) {
                return;
            }
            here.share.bytes_used.fetch_sub(bytes, Ordering::AcqRel);
            at = here.share.parent.as_ref();
        }
    }

    fn with_parent(name: String, bytes_max: usize, parent: Option<Self>) -> Self {
        let share = Share {
            name,
            bytes_max: AtomicUsize::new(bytes_max),
            bytes_used: AtomicUsize::new(0),
            parent,
        };
        Self { share: Arc::new(share) }
    }
}

impl Share {
    fn try_add(&self, bytes: usize) -> bool {
        let bytes_max = self.bytes_max.load(Ordering::Relaxed);
        let fits = |used: usize| used.checked_add(bytes).filter(|total| *total <= bytes_max);
        self.bytes_used.fetch_update(Ordering::AcqRel, Ordering::Relaxed, fits).is_ok()
    }
}

impl Permit {
    /// The bytes this permit holds.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut at = Some(&self.budget);
        while let Some(here) = at {
            here.share.bytes_used.fetch_sub(self.bytes, Ordering::AcqRel);
            at = here.share.parent.as_ref();
        }
    }
}
