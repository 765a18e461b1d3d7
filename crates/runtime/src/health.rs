//! Health: what keeps parts of a process from their work now, told by whoever notices it.
//!
//! Owner of the list: one short lock, shared by all clones. Bounds: one sentence for each [`Sign`].

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::slab::Slab;

/// What is wrong in a process. Clones are the same list.
#[derive(Clone, Debug, Default)]
pub struct Health {
    signs: Arc<Mutex<Slab<Told>>>,
}

#[derive(Debug)]
struct Told {
    part: String,
    trouble: Option<String>,
}

/// The right to say how one part is; what it said ends with it.
pub struct Sign {
    health: Health,
    number: usize,
}

impl Health {
    /// A sign for `part`, which is well so far.
    pub fn sign(&self, part: impl Into<String>) -> Sign {
        let number = self.told().insert(Told { part: part.into(), trouble: None });
        Sign { health: self.clone(), number }
    }

    /// What is wrong now, a sentence each; nothing when all is well.
    #[must_use]
    pub fn troubles(&self) -> Vec<String> {
        let told = self.told();
        let ill = told.iter().filter_map(|(_, Told { part, trouble })| {
            trouble.as_ref().map(|trouble| format!("{part}: {trouble}"))
        });
        ill.collect()
    }

    fn told(&self) -> MutexGuard<'_, Slab<Told>> {
        self.signs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Sign {
    /// Says what is wrong, in place of what was said before; `None` when all is well again.
    pub fn set(&self, trouble: Option<String>) {
        if let Some(told) = self.health.told().value_mut(self.number) {
            told.trouble = trouble;
        }
    }
}

impl Drop for Sign {
    fn drop(&mut self) {
        self.health.told().remove(self.number);
    }
}

impl fmt::Debug for Sign {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sign({:?})", self.health.told().value(self.number))
    }
}

#[cfg(test)]
mod tests;
