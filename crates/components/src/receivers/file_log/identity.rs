//! Identity: how a file is known again, whatever its name is by now.
//!
//! Pure. Two things are told apart: whether it is the same file (the kernel's handle, else inode and
//! time of birth), and whether its bytes are still those that were read (an [`Anchor`]: a hash of
//! what stands before an offset). See `docs/decisions/0012-how-a-file-is-known-again.md`.

/// What a look at a path tells of the file, without opening it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Stamp {
    /// Only where the time of birth is unknown: device numbers may change at a reboot.
    pub device: u64,
    pub inode: u64,
    /// Nanoseconds since 1970; 0 where the file system does not keep it.
    pub born: u64,
}

/// What a file is known by.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Identity {
    pub stamp: Stamp,
    /// The kernel's own name for it, where it tells one.
    pub handle: Option<Box<[u8]>>,
}

/// A hash of the bytes `end - len..end` of a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Anchor {
    pub end: u64,
    pub len: u32,
    pub hash: u64,
}

/// Where to read on in a file, and what must stand in it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Position {
    pub offset: u64,
    /// Of the last bytes that were ever read, which may stand behind `offset`.
    pub anchor: Anchor,
}

impl Stamp {
    /// The stamp of a file; the device only counts where nothing better is known.
    pub(super) fn new(device: u64, inode: u64, born: u64) -> Self {
        Self { device: if born == 0 { device } else { 0 }, inode, born }
    }
}

impl Identity {
    /// Whether both are the same file.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        match (&self.handle, &other.handle) {
            (Some(one), Some(two)) => one == two && self.stamp.inode == other.stamp.inode,
            _ => self.stamp == other.stamp,
        }
    }
}

impl Anchor {
    /// The anchor at `end`, when `before` are the bytes that stand before it; at most `len_max`
    /// of them count.
    pub(super) fn of(end: u64, before: &[u8], len_max: usize) -> Self {
        let bytes = before.get(before.len().saturating_sub(len_max)..).unwrap_or_default();
        Self { end, len: u32::try_from(bytes.len()).unwrap_or(u32::MAX), hash: hash(bytes) }
    }

    /// Where its bytes begin.
    pub(super) fn start(&self) -> u64 {
        self.end.saturating_sub(u64::from(self.len))
    }

    /// Whether these bytes, read from [`Anchor::start`], are still the same.
    pub(super) fn holds(&self, bytes: &[u8]) -> bool {
        self.len == 0 || (bytes.len() as u64 == u64::from(self.len) && hash(bytes) == self.hash)
    }
}

/// FNV-1a, eight bytes at a step: it is stored, so it must be the same in every version.
fn hash(bytes: &[u8]) -> u64 {
    const PRIME: u64 = 0x0000_0100_0000_01b3;
    let (words, rest) = bytes.as_chunks::<8>();
    let words = words.iter().map(|word| u64::from_le_bytes(*word));
    let values = words.chain(rest.iter().map(|byte| u64::from(*byte)));
    values.fold(0xcbf2_9ce4_8422_2325, |hash, value| {
        // A multiplication moves bits up only; the rotation brings them down again.
        ((hash ^ value).wrapping_mul(PRIME)).rotate_left(29)
    })
}

#[cfg(test)]
mod tests;
