//! Owners: what is told of the file of a record, and the names of users and groups.
//!
//! Names come from `/etc/passwd` and `/etc/group`, which are read again when a number is not known.

use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use super::assemble::FileSource;
use super::config::{Constants, FileAttributes};
use super::entry::{FileKey, Map, Value};
use super::file_system::Facts;

/// The names of users and groups.
#[derive(Debug, Default)]
pub(super) struct Owners {
    users: Mutex<HashMap<u32, Option<String>>>,
    groups: Mutex<HashMap<u32, Option<String>>>,
}

/// What tells records which file they come from.
#[derive(Debug)]
pub(super) struct Sources {
    pub attributes: FileAttributes,
    pub constants: Constants,
    pub owners: Owners,
}

impl Sources {
    /// What all records of a file have in common.
    pub(super) fn of(&self, path: &Path, facts: &Facts) -> FileSource {
        let constant =
            |(key, value): (&String, &String)| (key.clone(), Value::from(value.as_str()));
        let resource = self.constants.resource.iter().map(constant).collect();
        let mut attributes: Map = self.constants.attributes.iter().map(constant).collect();
        let mut add = |key: &str, value: String| {
            attributes.insert(key.to_owned(), Value::from(value));
        };
        let wants = self.attributes;
        if wants.name {
            add("log.file.name", name(path));
        }
        if wants.path {
            add("log.file.path", path.to_string_lossy().into_owned());
        }
        if wants.name_resolved || wants.path_resolved {
            let resolved = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
            if wants.name_resolved {
                add("log.file.name_resolved", name(&resolved));
            }
            if wants.path_resolved {
                add("log.file.path_resolved", resolved.to_string_lossy().into_owned());
            }
        }
        if wants.owner {
            add("log.file.owner.name", self.owners.user(facts.owner));
        }
        if wants.group {
            add("log.file.owner.group.name", self.owners.group(facts.group));
        }
        if wants.permissions {
            add("log.file.permissions", format!("{:03o}", facts.mode & 0o777));
        }
        let mut source = FileSource::new(FileKey::default(), attributes, resource);
        source.marks_offset = wants.offset;
        source
    }
}

impl Owners {
    /// The name of a user; the number of one without a name.
    pub(super) fn user(&self, number: u32) -> String {
        lookup(&self.users, number, "/etc/passwd")
    }

    /// The name of a group; the number of one without a name.
    pub(super) fn group(&self, number: u32) -> String {
        lookup(&self.groups, number, "/etc/group")
    }
}

fn lookup(known: &Mutex<HashMap<u32, Option<String>>>, number: u32, path: &str) -> String {
    let mut known = known.lock().unwrap_or_else(PoisonError::into_inner);
    let name = known.entry(number).or_insert_with(|| {
        let text = fs::read_to_string(path).unwrap_or_default();
        find(&text, number)
    });
    name.clone().unwrap_or_else(|| number.to_string())
}

/// The name in the line whose third field is `number`.
fn find(text: &str, number: u32) -> Option<String> {
    let mut lines = text.lines().map(|line| line.split(':'));
    lines.find_map(|mut fields| {
        let name = fields.next()?;
        (fields.nth(1)?.parse::<u32>().ok()? == number).then(|| name.to_owned())
    })
}

fn name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests;
