//! Rotation: names of old files, and which of them are removed.

use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::config::Rotation;
use crate::calendar::{file_stamp, unix_nanos};

/// The length of the time in a name: `2026-11-21T02-50-00.000`.
const STAMP_LEN: usize = 23;

/// A name for the file at `path` once it is old: `name-<time>.ext`, later than those before.
pub(super) fn backup_path(path: &Path, now: SystemTime) -> io::Result<PathBuf> {
    let newest = backups(path)?.pop();
    let mut nanos = unix_nanos(now);
    loop {
        let candidate = path.with_file_name(backup_name(path, &file_stamp(nanos)));
        if newest.as_ref().is_none_or(|newest| *newest < candidate) && !candidate.exists() {
            return Ok(candidate);
        }
        nanos = match nanos.checked_add(1_000_000) {
            Some(later) => later,
            None => return Err(io::ErrorKind::AlreadyExists.into()),
        };
    }
}

/// Removes old files that are too many or too old.
pub(super) fn prune(path: &Path, rotation: Rotation, now: SystemTime) -> io::Result<()> {
    let backups = backups(path)?;
    let excess = rotation.backups_max.map_or(0, |max| backups.len().saturating_sub(max));
    for (index, backup) in backups.iter().enumerate() {
        let age = now.duration_since(backup.metadata()?.modified()?).unwrap_or_default();
        if index < excess || rotation.age_max.is_some_and(|max| max < age) {
            std::fs::remove_file(backup)?;
        }
    }
    Ok(())
}

/// The old files of `path`, oldest first.
pub(super) fn backups(path: &Path) -> io::Result<Vec<PathBuf>> {
    let (stem, extension) = parts(path);
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder(path))? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        let stamp = name.strip_prefix(&stem).and_then(|rest| rest.strip_prefix('-'));
        let stamp = stamp.and_then(|rest| rest.strip_suffix(&extension));
        if stamp.is_some_and(is_stamp) {
            found.push(path.with_file_name(name));
        }
    }
    found.sort();
    Ok(found)
}

/// The folder of a file.
pub(super) fn folder(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn backup_name(path: &Path, stamp: &str) -> String {
    let (stem, extension) = parts(path);
    format!("{stem}-{stamp}{extension}")
}

/// The name without its extension, and the extension with its dot.
fn parts(path: &Path) -> (String, String) {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let extension = path.extension().map(|extension| format!(".{}", extension.to_string_lossy()));
    (stem, extension.unwrap_or_default())
}

fn is_stamp(text: &str) -> bool {
    let pattern = "dddd-dd-ddTdd-dd-dd.ddd".bytes();
    text.len() == STAMP_LEN
        && text.bytes().zip(pattern).all(|(byte, expected)| match expected {
            b'd' => byte.is_ascii_digit(),
            other => byte == other,
        })
}
