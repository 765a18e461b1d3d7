//! Mutant: a bug of the kind that a journal exists to rule out, put back to test the tests.
//!
//! Compiled with `--cfg mutants` only; `cargo xtask mutants` runs the test that must find each.

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mutant {
    /// An append is answered before the disk has it.
    AnsweredBeforeSync,
    /// The group behind the one that was synced is answered, too.
    AnsweredWithTheGroupBefore,
    /// The name of a new segment is not made durable.
    DirectoryNotSynced,
    /// A new segment may get the number of one whose frames are left in a spare.
    NumberUsedAgain,
}

impl Mutant {
    /// The mutant that the environment names.
    pub(crate) fn chosen() -> Option<Self> {
        Some(match std::env::var("TIDEGATE_MUTANT").ok()?.as_str() {
            "answered-before-sync" => Self::AnsweredBeforeSync,
            "answered-with-the-group-before" => Self::AnsweredWithTheGroupBefore,
            "directory-not-synced" => Self::DirectoryNotSynced,
            "number-used-again" => Self::NumberUsedAgain,
            _ => return None,
        })
    }
}
