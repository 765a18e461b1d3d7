//! Offsets: where each file was left, in a journal.
//!
//! A position is written anew and the one before it is forgotten, so the journal holds one live record
//! a file. Owner: the tailer. Invariant: after a crash the newest position that was synced counts.

mod record;

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use journal::{AppendError, Journal, Limits, OpenError, Position, StreamId, ToldOfTrouble};
use pipeline::Environment;
use runtime::channel::{self, Ends};
use runtime::volume::{Directory, Permissions, Volume, VolumeError};

use super::identity::Identity;
use super::tracker::Record;

/// What the journal may take of the disk.
pub(super) const BYTES_MAX: u64 = 64 << 20;
/// How many positions are read at once.
const READ: Limits = Limits { records_max: 4096, bytes_max: 1 << 20 };

/// How the journal is kept.
#[derive(Clone, Copy, Debug)]
pub(super) struct Keeping {
    pub is_synced: bool,
    pub folder_permissions: u32,
}

/// Where files were left.
#[derive(Debug)]
pub(super) struct Offsets {
    journal: Journal,
    stream: StreamId,
    /// The newest position of each file.
    live: HashMap<Identity, Position>,
}

/// Why positions cannot be kept.
#[derive(Debug, thiserror::Error)]
pub(super) enum OffsetsError {
    #[error(transparent)]
    Folder(#[from] VolumeError),
    #[error(transparent)]
    Journal(#[from] OpenError),
    #[error("{0}")]
    Other(String),
}

/// What became of records that were to be saved.
#[derive(Debug)]
pub(super) struct Saved {
    results: Vec<(Identity, Result<Position, AppendError>)>,
}

/// Saves that have not all ended.
struct Pending<D> {
    results: Vec<(Identity, Result<Position, AppendError>)>,
    expected: usize,
    done: Option<D>,
}

impl Saved {
    /// The files whose positions were not saved.
    pub(super) fn failed(&self) -> Vec<Identity> {
        let failed = self.results.iter().filter(|(_, result)| result.is_err());
        failed.map(|(identity, _)| identity.clone()).collect()
    }
}

impl OffsetsError {
    /// Whether somebody else has the journal, who may let go of it.
    pub(super) fn is_locked(&self) -> bool {
        matches!(self, Self::Journal(OpenError::Locked { .. }))
    }
}

/// Makes the trouble known that a receiver has with the disk of its positions.
pub(super) fn health_of(env: &Environment) -> ToldOfTrouble {
    let sign = env.health.sign(format!("receiver `{}`", env.id));
    Arc::new(move |trouble| {
        sign.set(trouble.map(|trouble| trouble.of("the disk of its positions")));
    })
}

impl Offsets {
    /// Opens the journal in `folder`; `told` hears of trouble with its disk. Blocks.
    pub(super) fn open(
        folder: &Path,
        keeping: Keeping,
        told: ToldOfTrouble,
    ) -> Result<Self, OffsetsError> {
        let directory = Some(keeping.folder_permissions);
        let permissions = Permissions { directory, ..Permissions::default() };
        let directory = Directory::open(folder, permissions)?;
        let settings = journal::Settings {
            is_synced: keeping.is_synced,
            ..journal::Settings::sized(BYTES_MAX)
        };
        Self::open_on(Arc::new(directory), settings, told)
    }

    fn open_on(
        volume: Arc<dyn Volume>,
        settings: journal::Settings,
        told: ToldOfTrouble,
    ) -> Result<Self, OffsetsError> {
        let opened = journal::open_watched(volume, settings, told)?;
        let stream = opened.journal.stream("positions");
        let stream = stream.map_err(|error| OffsetsError::Other(error.to_string()))?;
        Ok(Self { journal: opened.journal, stream, live: HashMap::new() })
    }

    /// Reads where files were left.
    pub(super) async fn load(&mut self) -> Result<Vec<Record>, OffsetsError> {
        let mut records = HashMap::<Identity, Record>::new();
        let mut after = None;
        loop {
            let ends = Ends { from: "journal of positions", to: "tailer" };
            let (sender, mut result) = channel::once(ends);
            // Who no longer waits needs nothing.
            self.journal.read(self.stream, after, READ, |read| drop(sender.send(read)));
            let read = result.recv().await;
            let read = read.ok_or_else(|| OffsetsError::Other("the journal ended".to_owned()))?;
            let read = read.map_err(|error| OffsetsError::Other(error.to_string()))?;
            let Some(last) = read.records.last() else { break };
            after = Some(last.position);
            for stored in read.records {
                let Some(record) = record::decode(&stored.body) else {
                    let message = format!("record {} is of another version", stored.position.0);
                    return Err(OffsetsError::Other(message));
                };
                self.replace(&record.identity, stored.position);
                records.insert(record.identity.clone(), record);
            }
        }
        Ok(records.into_values().collect())
    }

    /// Saves positions; `done` is told when all of them are durable or were refused.
    pub(super) fn save(&self, records: Vec<Record>, done: impl FnOnce(Saved) + Send + 'static) {
        let (results, expected) = (Vec::new(), records.len());
        let pending = Arc::new(Mutex::new(Pending { results, expected, done: Some(done) }));
        for record in records {
            let body = vec![Bytes::from(record::encode(&record))];
            let (pending, identity) = (Arc::clone(&pending), record.identity);
            self.journal.append(self.stream, 1, body, move |result| {
                Pending::ended(&pending, identity, result);
            });
        }
    }

    /// Takes note of what was saved; says why some was not.
    pub(super) fn saved(&mut self, saved: &Saved) -> Option<String> {
        let mut failure = None;
        for (identity, result) in &saved.results {
            match result {
                Ok(position) => self.replace(identity, *position),
                Err(error) => failure = Some(error.to_string()),
            }
        }
        failure
    }

    /// Forgets a file.
    pub(super) fn forget(&mut self, identity: &Identity) {
        if let Some(position) = self.live.remove(identity) {
            self.journal.forget(self.stream, vec![position..=position]);
        }
    }

    /// Ends after what was asked before. Blocks.
    pub(super) fn close(self) {
        self.journal.close();
    }

    fn replace(&mut self, identity: &Identity, position: Position) {
        if let Some(old) = self.live.insert(identity.clone(), position) {
            self.journal.forget(self.stream, vec![old..=old]);
        }
    }
}

impl<D: FnOnce(Saved)> Pending<D> {
    fn ended(pending: &Mutex<Self>, identity: Identity, result: Result<Position, AppendError>) {
        let mut pending = pending.lock().unwrap_or_else(PoisonError::into_inner);
        pending.results.push((identity, result));
        if pending.results.len() == pending.expected
            && let Some(done) = pending.done.take()
        {
            let results = std::mem::take(&mut pending.results);
            drop(pending);
            done(Saved { results });
        }
    }
}

#[cfg(test)]
mod tests;
