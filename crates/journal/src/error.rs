//! Error: what callers are told when a journal does not do what they asked.

use crate::Damage;

/// Why an append was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AppendError {
    #[error("the journal is full")]
    Full,
    #[error("too many appends wait for the disk")]
    Busy,
    #[error("the disk failed: {error}")]
    Failed { error: String },
    #[error("the journal has ended")]
    Ended,
    #[error("a record of {bytes} bytes is larger than the {bytes_max} that the journal takes")]
    TooLarge { bytes: usize, bytes_max: usize },
    #[error("there is no such stream")]
    NoStream,
}

/// Why nothing was read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    #[error("{0}")]
    Damaged(Damage),
    #[error("the disk failed: {error}")]
    Failed { error: String },
    #[error("the journal has ended")]
    Ended,
    #[error("there is no such stream")]
    NoStream,
}

/// Why there is no stream of a name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StreamError {
    #[error("the journal has {streams_max} streams, which is all it may have")]
    TooMany { streams_max: usize },
    #[error("the name of a stream has {bytes} bytes, at most {bytes_max}")]
    NameTooLong { bytes: usize, bytes_max: usize },
}

impl AppendError {
    /// Whether it may succeed later.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Full | Self::Busy | Self::Failed { .. } | Self::Ended => true,
            Self::TooLarge { .. } | Self::NoStream => false,
        }
    }
}
