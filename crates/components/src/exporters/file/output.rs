//! Output: the file, written a group of records at a time.
//!
//! Owner: the thread of the exporter. The file is locked while a group is written, so that an
//! exporter that replaces this one can write it, too.
//! Invariant: a group that failed leaves the file as long as it was.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::time::SystemTime;

use super::config::{Rotation, Settings};
use super::record::whole_bytes;
use super::rotation::{backup_path, folder, prune};

/// The file that is written.
#[derive(Debug)]
pub(super) struct Output {
    settings: Settings,
    file: File,
}

/// Why a group was not written.
#[derive(Debug, thiserror::Error)]
pub(super) enum WriteError {
    #[error("{0}")]
    Undone(io::Error),
    /// What was written could not be removed again.
    #[error("{0}; the file may hold a part of the data")]
    Torn(io::Error),
}

impl Output {
    /// Opens the file, and cuts off what a crash left torn at its end.
    pub(super) fn open(settings: Settings) -> io::Result<Self> {
        if let Some(mode) = settings.directory_mode {
            fs::DirBuilder::new().recursive(true).mode(mode).create(folder(&settings.path))?;
        }
        let file = open(&settings)?;
        let mut output = Self { settings, file };
        output.file.lock()?;
        let prepared = output.prepare();
        output.file.unlock()?;
        prepared.map(|()| output)
    }

    fn prepare(&mut self) -> io::Result<()> {
        if !self.file.metadata()?.is_file() {
            return Ok(());
        }
        if !self.settings.is_kept {
            return self.file.set_len(0);
        }
        let whole = whole_bytes(&self.settings, &mut self.file)?;
        let torn = self.file.metadata()?.len() - whole;
        if 0 < torn {
            let path = self.settings.path.display();
            tracing::warn!(%path, bytes = torn, "Cut off a record that a crash had left torn.");
            self.file.set_len(whole)?;
        }
        Ok(())
    }

    /// Appends records, all or none, and makes them durable if that is wanted.
    pub(super) fn append(
        &mut self,
        records: &[Vec<u8>],
        now: SystemTime,
    ) -> Result<(), WriteError> {
        self.follow_path().map_err(WriteError::Undone)?;
        self.file.lock().map_err(WriteError::Undone)?;
        let written = self.append_locked(records, now);
        let unlocked = self.file.unlock().map_err(WriteError::Torn);
        written.and(unlocked)
    }

    fn append_locked(&mut self, records: &[Vec<u8>], now: SystemTime) -> Result<(), WriteError> {
        let before = self.file.metadata().map_err(WriteError::Undone)?.len();
        let added: usize = records.iter().map(Vec::len).sum();
        if let Some(rotation) = self.settings.rotation
            && 0 < before
            && rotation.bytes_max < before + added as u64
        {
            self.rotate(rotation, now).map_err(WriteError::Undone)?;
            return self.write(records, 0);
        }
        self.write(records, before)
    }

    /// Writes behind the first `before` bytes.
    fn write(&mut self, records: &[Vec<u8>], before: u64) -> Result<(), WriteError> {
        let written = records.iter().try_for_each(|record| self.file.write_all(record));
        let written = written.and_then(|()| self.sync());
        let Err(error) = written else { return Ok(()) };
        match self.cut(before) {
            Ok(()) => Err(WriteError::Undone(error)),
            Err(_) => Err(WriteError::Torn(error)),
        }
    }

    fn sync(&self) -> io::Result<()> {
        // Pipes and terminals keep nothing that could be made durable.
        if self.settings.is_synced && self.file.metadata()?.is_file() {
            return self.file.sync_data();
        }
        Ok(())
    }

    fn cut(&self, bytes: u64) -> io::Result<()> {
        if self.file.metadata()?.len() == bytes {
            return Ok(());
        }
        self.file.set_len(bytes)
    }

    /// Renames the file and starts a new one. The lock passes on to the new file.
    fn rotate(&mut self, rotation: Rotation, now: SystemTime) -> io::Result<()> {
        let path = &self.settings.path;
        fs::rename(path, backup_path(path, now)?)?;
        let next = open(&self.settings)?;
        next.lock()?;
        self.file = next;
        if let Err(error) = prune(path, rotation, now) {
            tracing::warn!(path = %path.display(), %error, "Old files could not be removed.");
        }
        Ok(())
    }

    /// Opens the file anew when something else stands at its path, as after an outside rotation.
    fn follow_path(&mut self) -> io::Result<()> {
        let ours = self.file.metadata()?;
        let is_same = fs::metadata(&self.settings.path)
            .is_ok_and(|there| (there.dev(), there.ino()) == (ours.dev(), ours.ino()));
        if !is_same {
            self.file = open(&self.settings)?;
        }
        Ok(())
    }
}

fn open(settings: &Settings) -> io::Result<File> {
    let file = OpenOptions::new().read(true).append(true).create(true).open(&settings.path)?;
    if settings.is_synced {
        // The name of a new file must survive a crash as its data does.
        File::open(folder(&settings.path))?.sync_all()?;
    }
    Ok(file)
}
