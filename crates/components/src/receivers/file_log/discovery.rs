//! Discovery: which files the patterns name now, and which folders tell of new ones.
//!
//! Opens only folders that can lead to a match; links that lead up are not followed by `**`. Bounds:
//! `FOLDERS_MAX` folders, `DEPTH_MAX` deep. What cannot be looked at is left out, and told.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::file_system::{FileSystem, Kind};
use super::glob::{Glob, Step};
use super::ordering::Ordering;
use super::tracker::{Candidate, Listing};

/// How many folders one look may open.
const FOLDERS_MAX: usize = 100_000;
/// How deep a look goes.
const DEPTH_MAX: usize = 64;

/// Why pipes and the like are left out.
const NOT_READ_AGAIN: &str =
    "it is a pipe, a socket or a device: nothing of it could be read again";

/// Which files are meant.
#[derive(Clone, Debug)]
pub(super) struct Wanted {
    pub include: Vec<Glob>,
    pub exclude: Vec<Glob>,
    /// Files that were not written to since then are left out; nanoseconds since 1970.
    pub modified_after: Option<u64>,
    pub ordering: Option<Arc<Ordering>>,
    /// Compressed files that are not to be read are left out.
    pub skips_compressed: bool,
    /// Paths below it are the receiver's own.
    pub own_folder: PathBuf,
}

/// What a look found.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub listing: Listing,
    /// Folders whose changes matter.
    pub folders: BTreeSet<PathBuf>,
    /// What could not be looked at, and why.
    pub failures: Vec<(PathBuf, String)>,
    /// Folders whose changes nobody tells of, and why.
    pub unwatched: Vec<(PathBuf, std::io::Error)>,
    /// Whether everything was looked at.
    pub is_whole: bool,
}

impl Found {
    /// Nothing could be looked at.
    pub(super) fn failed(message: String) -> Self {
        Self { failures: vec![(PathBuf::new(), message)], ..Self::default() }
    }
}

/// Looks at everything.
pub(super) fn look<F: FileSystem>(files: &F, wanted: &Wanted) -> Found {
    let (found, paths, above) = (Found::default(), BTreeMap::new(), Vec::new());
    let mut walk = Walk { files, found, paths, above };
    for glob in &wanted.include {
        walk.step(glob.root.clone(), &glob.steps, 0);
    }
    let Walk { mut found, paths, .. } = walk;
    found.is_whole = true;
    let mut folders = Folders { files, resolved: HashMap::new() };
    for (path, kind) in paths.into_iter().filter(|(path, _)| wanted.takes(path)) {
        note(&mut folders, wanted, (path, kind), &mut found);
    }
    if let Some(ordering) = &wanted.ordering {
        ordering.apply(&mut found.listing.files);
    }
    found
}

fn note<F: FileSystem>(
    folders: &mut Folders<'_, F>,
    wanted: &Wanted,
    (path, kind): (PathBuf, Kind),
    found: &mut Found,
) {
    let facts = match folders.files.look(&path) {
        Ok(facts) => facts,
        // What is gone by now is as if it had never been there.
        Err(error) if error.kind() == ErrorKind::NotFound => return,
        Err(error) => return found.failures.push((path, error.to_string())),
    };
    if facts.kind == Kind::Other {
        return found.failures.push((path, NOT_READ_AGAIN.to_owned()));
    }
    let is_old = wanted.modified_after.is_some_and(|after| facts.modified < after);
    if facts.kind != Kind::File || is_old {
        return;
    }
    let resolved = folders.resolve(&path, kind);
    if let Some(folder) = resolved.as_deref().and_then(Path::parent) {
        found.folders.insert(folder.to_owned());
    }
    let resolved = resolved.map(Arc::from);
    found.listing.files.push(Candidate { path: path.into(), resolved, facts });
}

/// Where paths lead without symbolic links; each folder is asked for once.
struct Folders<'a, F> {
    files: &'a F,
    /// Nothing for a folder that is where its path says.
    resolved: HashMap<PathBuf, Option<PathBuf>>,
}

impl<F: FileSystem> Folders<'_, F> {
    /// The path without symbolic links, when that is another one.
    fn resolve(&mut self, path: &Path, kind: Kind) -> Option<PathBuf> {
        let files = self.files;
        let elsewhere = |path: &Path| files.resolve(path).ok().filter(|found| found != path);
        let (Kind::File, Some(folder), Some(name)) = (kind, path.parent(), path.file_name()) else {
            return elsewhere(path);
        };
        if !self.resolved.contains_key(folder) {
            self.resolved.insert(folder.to_owned(), elsewhere(folder));
        }
        self.resolved.get(folder)?.as_ref().map(|folder| folder.join(name))
    }
}

impl Wanted {
    fn takes(&self, path: &Path) -> bool {
        let is_compressed = || {
            let extension = path.extension().and_then(|extension| extension.to_str());
            matches!(extension, Some("gz" | "zst" | "bz2" | "xz" | "zip" | "lz4" | "rar" | "7z"))
        };
        !(path.starts_with(&self.own_folder)
            || self.exclude.iter().any(|glob| glob.matches(path))
            || (self.skips_compressed && is_compressed()))
    }
}

struct Walk<'a, F> {
    files: &'a F,
    found: Found,
    /// What the patterns name, and what each is; a link where nobody has looked.
    paths: BTreeMap<PathBuf, Kind>,
    /// Where the folders really are from which links were followed on the way to where the walk is.
    above: Vec<PathBuf>,
}

impl<F: FileSystem> Walk<'_, F> {
    fn step(&mut self, at: PathBuf, steps: &[Step], depth: usize) {
        let Some((step, rest)) = steps.split_first() else {
            self.paths.insert(at, Kind::Link);
            return;
        };
        if FOLDERS_MAX < self.found.folders.len() {
            let message =
                format!("more than {FOLDERS_MAX} folders; say more of the path in `include`");
            return self.found.failures.push((PathBuf::from("**"), message));
        }
        if DEPTH_MAX < depth {
            return;
        }
        match step {
            // A name needs no listing, but its folder tells when it comes.
            Step::Name(name) if rest.is_empty() => {
                self.watch(&at);
                self.paths.insert(at.join(name), Kind::Link);
            }
            Step::Name(name) => self.step(at.join(name), rest, depth + 1),
            Step::Like(_) => self.each(&at, steps, depth),
            Step::AnyDepth => {
                if !rest.is_empty() {
                    self.step(at.clone(), rest, depth + 1);
                }
                self.each(&at, steps, depth);
            }
        }
    }

    /// Goes on with every name in a folder that fits the first of `steps`.
    fn each(&mut self, at: &Path, steps: &[Step], depth: usize) {
        let Some((step, rest)) = steps.split_first() else { return };
        let entries = match self.files.list(at) {
            Ok(entries) => entries,
            Err(error) => {
                if error.kind() != ErrorKind::NotFound {
                    self.found.failures.push((at.to_owned(), error.to_string()));
                }
                return;
            }
        };
        self.watch(at);
        let is_any = matches!(step, Step::AnyDepth);
        for entry in entries {
            if !is_any && !step.is_like(entry.name.as_encoded_bytes()) {
                continue;
            }
            let path = at.join(&entry.name);
            let leads_on = is_any || !rest.is_empty();
            if leads_on && self.is_folder(&path, entry.kind) {
                let steps = if is_any { steps } else { rest };
                match (is_any, entry.kind) {
                    (true, Kind::Link) => self.follow((at, path), steps, depth),
                    _ => self.step(path, steps, depth + 1),
                }
            } else if rest.is_empty() {
                self.paths.insert(path, entry.kind);
            }
        }
    }

    /// Goes on behind a link in the folder `at`, unless it leads to where the walk has come from.
    fn follow(&mut self, (at, path): (&Path, PathBuf), steps: &[Step], depth: usize) {
        let (Ok(target), Ok(here)) = (self.files.resolve(&path), self.files.resolve(at)) else {
            return;
        };
        self.above.push(here);
        if !self.above.iter().any(|above| above.starts_with(&target)) {
            self.step(path, steps, depth + 1);
        }
        self.above.pop();
    }

    fn is_folder(&self, path: &Path, kind: Kind) -> bool {
        match kind {
            Kind::Folder => true,
            Kind::Link => self.files.look(path).is_ok_and(|facts| facts.kind == Kind::Folder),
            Kind::File | Kind::Other => false,
        }
    }

    fn watch(&mut self, folder: &Path) {
        let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        self.found.folders.insert(folder.to_owned());
    }
}

#[cfg(test)]
mod tests;
