//! Outputs: the one file of an exporter, or one for each group.
//!
//! Owner: the thread of the exporter. Bounds: as many open files as configured; the one that was not
//! used for longest is closed for another.

use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::config::Settings;
use super::output::{Output, WriteError};

/// The open files, those used last at the end.
#[derive(Debug)]
pub(super) struct Outputs {
    settings: Settings,
    open: Vec<(PathBuf, Output)>,
}

impl Outputs {
    /// Opens the file, unless there is one for each group: those come with the data.
    pub(super) fn open(settings: Settings) -> io::Result<Self> {
        let mut outputs = Self { settings, open: Vec::new() };
        if outputs.settings.grouping.is_none() {
            let path = outputs.settings.path.clone();
            outputs.output(&path)?;
        }
        Ok(outputs)
    }

    /// Appends records to a file, all or none.
    pub(super) fn append(
        &mut self,
        path: &Path,
        records: &[Vec<u8>],
        now: SystemTime,
    ) -> Result<(), WriteError> {
        self.output(path).map_err(WriteError::Undone)?.append(records, now)
    }

    fn output(&mut self, path: &Path) -> io::Result<&mut Output> {
        let (path, output) = match self.open.iter().position(|(open, _)| open == path) {
            Some(at) => self.open.remove(at),
            None => {
                let open_max = self.settings.grouping.as_ref().map_or(1, |group| group.open_max);
                let excess = (self.open.len() + 1).saturating_sub(open_max);
                self.open.drain(..excess.min(self.open.len()));
                let settings = Settings { path: path.to_owned(), ..self.settings.clone() };
                (path.to_owned(), Output::open(settings)?)
            }
        };
        self.open.push((path, output));
        let (_, output) = self.open.last_mut().expect("one was just put there");
        Ok(output)
    }
}
