//! Image: the files and names of a simulated disk, and what of them a loss of power leaves.

use std::collections::BTreeMap;
use std::io::{self, ErrorKind};
use std::sync::Arc;

use super::super::Entry;
use crate::random::Random;

/// What a disk writes whole or not at all.
const SECTOR: usize = 512;

#[derive(Clone, Debug, Default)]
pub(super) struct Image {
    files: Vec<File>,
    names: BTreeMap<String, usize>,
    synced_names: BTreeMap<String, usize>,
    unsynced_names: Vec<NameChange>,
}

#[derive(Clone, Debug, Default)]
pub(super) struct File {
    /// What a reader sees.
    pub(super) current: Arc<Vec<u8>>,
    synced: Arc<Vec<u8>>,
    unsynced: Vec<Change>,
}

#[derive(Clone, Debug)]
enum Change {
    Written { offset: usize, bytes: Arc<Vec<u8>> },
    Resized(usize),
}

#[derive(Clone, Debug)]
enum NameChange {
    Added { name: String, inode: usize },
    Removed { name: String },
    Renamed { from: String, to: String, inode: usize },
}

impl Image {
    pub(super) fn list(&self) -> Vec<Entry> {
        let entries = self.names.iter().map(|(name, inode)| {
            let bytes = self.files[*inode].current.len() as u64;
            Entry { name: name.clone(), bytes }
        });
        entries.collect()
    }

    pub(super) fn bytes(&self) -> u64 {
        self.list().iter().map(|entry| entry.bytes).sum()
    }

    pub(super) fn find(&self, name: &str) -> io::Result<usize> {
        self.names.get(name).copied().ok_or_else(|| ErrorKind::NotFound.into())
    }

    pub(super) fn file(&self, inode: usize) -> &File {
        &self.files[inode]
    }

    pub(super) fn create(&mut self, name: &str, bytes: u64) -> io::Result<usize> {
        if self.names.contains_key(name) {
            return Err(ErrorKind::AlreadyExists.into());
        }
        let inode = self.files.len();
        self.files.push(File::default());
        self.resize(inode, bytes);
        self.names.insert(name.to_owned(), inode);
        self.unsynced_names.push(NameChange::Added { name: name.to_owned(), inode });
        Ok(inode)
    }

    pub(super) fn rename(&mut self, from: &str, to: &str) -> io::Result<()> {
        let inode = self.names.remove(from).ok_or(ErrorKind::NotFound)?;
        self.names.insert(to.to_owned(), inode);
        let (from, to) = (from.to_owned(), to.to_owned());
        self.unsynced_names.push(NameChange::Renamed { from, to, inode });
        Ok(())
    }

    pub(super) fn remove(&mut self, name: &str) -> io::Result<()> {
        self.names.remove(name).ok_or(ErrorKind::NotFound)?;
        self.unsynced_names.push(NameChange::Removed { name: name.to_owned() });
        Ok(())
    }

    pub(super) fn sync_names(&mut self) {
        self.synced_names = self.names.clone();
        self.unsynced_names.clear();
    }

    pub(super) fn write(&mut self, inode: usize, offset: u64, bytes: Vec<u8>) {
        let offset = usize::try_from(offset).expect("simulated files are small");
        let bytes = Arc::new(bytes);
        let file = &mut self.files[inode];
        write(Arc::make_mut(&mut file.current), offset, &bytes);
        file.unsynced.push(Change::Written { offset, bytes });
    }

    pub(super) fn resize(&mut self, inode: usize, bytes: u64) {
        let bytes = usize::try_from(bytes).expect("simulated files are small");
        let file = &mut self.files[inode];
        Arc::make_mut(&mut file.current).resize(bytes, 0);
        file.unsynced.push(Change::Resized(bytes));
    }

    pub(super) fn sync(&mut self, inode: usize) {
        let file = &mut self.files[inode];
        for change in std::mem::take(&mut file.unsynced) {
            change.apply(Arc::make_mut(&mut file.synced));
        }
    }

    /// A part reaches the disk; the rest reads back until the power goes, and is never written.
    pub(super) fn fail_sync(&mut self, inode: usize, random: &Random) {
        let file = &mut self.files[inode];
        for change in std::mem::take(&mut file.unsynced) {
            change.apply_in_part(Arc::make_mut(&mut file.synced), random);
        }
    }

    pub(super) fn flip(&mut self, name: &str, bit: u64) {
        let Some(inode) = self.names.get(name) else { return };
        let file = &mut self.files[*inode];
        let at = usize::try_from(bit / 8).expect("simulated files are small");
        for contents in [&mut file.current, &mut file.synced] {
            if let Some(byte) = Arc::make_mut(contents).get_mut(at) {
                *byte ^= 1 << (bit % 8);
            }
        }
    }

    pub(super) fn contents(&self, name: &str) -> Option<&[u8]> {
        self.names.get(name).map(|inode| self.files[*inode].current.as_slice())
    }

    pub(super) fn put(&mut self, name: &str, contents: &[u8]) {
        let contents = Arc::new(contents.to_vec());
        let inode = self.files.len();
        self.files.push(File {
            current: Arc::clone(&contents),
            synced: contents,
            unsynced: vec![],
        });
        self.names.insert(name.to_owned(), inode);
        self.synced_names.insert(name.to_owned(), inode);
    }

    pub(super) fn after_power_loss(&self, random: &Random) -> Self {
        // Disks that lose everything and disks that lose nothing are as likely as those between.
        let kept = match random.below(4) {
            0 => 0.0,
            1 => 1.0,
            _ => random.fraction(),
        };
        let mut names = self.synced_names.clone();
        for change in &self.unsynced_names {
            if random.fraction() < kept {
                change.apply(&mut names);
            }
        }
        let files = self.files.iter().map(|file| file.after_power_loss(kept, random)).collect();
        Self { files, synced_names: names.clone(), names, unsynced_names: Vec::new() }
    }
}

impl File {
    fn after_power_loss(&self, kept: f64, random: &Random) -> Self {
        let mut contents = Arc::clone(&self.synced);
        for change in &self.unsynced {
            if kept == 1.0 {
                change.apply(Arc::make_mut(&mut contents));
            } else if random.fraction() < kept {
                change.apply_in_part(Arc::make_mut(&mut contents), random);
            }
        }
        Self { current: Arc::clone(&contents), synced: contents, unsynced: Vec::new() }
    }
}

impl Change {
    fn apply(&self, contents: &mut Vec<u8>) {
        match self {
            Self::Written { offset, bytes } => write(contents, *offset, bytes),
            Self::Resized(bytes) => contents.resize(*bytes, 0),
        }
    }

    fn apply_in_part(&self, contents: &mut Vec<u8>, random: &Random) {
        let Self::Written { offset, bytes } = self else {
            if random.below(2) == 0 {
                self.apply(contents);
            }
            return;
        };
        let mut at = 0;
        while at < bytes.len() {
            // Up to the next border of a sector.
            let end = bytes.len().min(at + SECTOR - (offset + at) % SECTOR);
            if random.below(2) == 0 {
                write(contents, offset + at, &bytes[at..end]);
            }
            at = end;
        }
    }
}

impl NameChange {
    fn apply(&self, names: &mut BTreeMap<String, usize>) {
        match self {
            Self::Added { name, inode } => {
                names.insert(name.clone(), *inode);
            }
            Self::Removed { name } => {
                names.remove(name);
            }
            Self::Renamed { from, to, inode } => {
                names.remove(from);
                names.insert(to.clone(), *inode);
            }
        }
    }
}

fn write(contents: &mut Vec<u8>, offset: usize, bytes: &[u8]) {
    let end = offset + bytes.len();
    if contents.len() < end {
        contents.resize(end, 0);
    }
    contents[offset..end].copy_from_slice(bytes);
}
