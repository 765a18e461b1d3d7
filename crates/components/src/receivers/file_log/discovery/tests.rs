use std::fs;
use std::path::{Path, PathBuf};

use super::{Wanted, look};
use crate::receivers::file_log::file_system::{Options, Real};
use crate::receivers::file_log::glob::Glob;

struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    fn new(files: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for file in files {
            let path = folder.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, file).unwrap();
        }
        Self { folder }
    }

    fn globs(&self, patterns: &[&str]) -> Vec<Glob> {
        let text = |pattern: &&str| self.folder.path().join(pattern).display().to_string();
        patterns.iter().flat_map(|pattern| Glob::parse(&text(pattern)).unwrap()).collect()
    }

    fn names(&self, paths: impl Iterator<Item = PathBuf>) -> Vec<String> {
        let inside = paths.filter_map(|path| {
            Some(path.strip_prefix(self.folder.path()).ok()?.display().to_string())
        });
        inside.collect()
    }

    fn check(&self, include: &[&str], exclude: &[&str], expected: &[&str]) -> Vec<String> {
        let wanted = Wanted {
            include: self.globs(include),
            exclude: self.globs(exclude),
            modified_after: None,
            ordering: None,
            skips_compressed: true,
            own_folder: self.folder.path().join("own"),
        };
        let found = look(&Real::new(Options::default()), &wanted);
        assert!(found.is_whole && found.failures.is_empty(), "{:?}", found.failures);
        let paths = found.listing.files.iter().map(|file| Path::new(&*file.path).to_owned());
        assert_eq!(self.names(paths), expected, "{include:?} without {exclude:?}");
        self.names(found.folders.into_iter())
    }
}

#[test]
fn files_are_found_by_patterns_and_their_folders_are_told() {
    let place = Place::new(&["a.log", "b.txt", "x/c.log", "x/y/d.log", "own/e.log", "f.log.gz"]);
    assert_eq!(place.check(&["*.log*"], &[], &["a.log"]), [""]);
    assert_eq!(place.check(&["*/*.log"], &[], &["x/c.log"]), ["", "own", "x"]);
    let folders = place.check(&["**/*.log"], &["x/y/*"], &["a.log", "x/c.log"]);
    assert_eq!(folders, ["", "own", "x", "x/y"]);
    assert_eq!(place.check(&["x/y/d.log", "x/**"], &[], &["x/c.log", "x/y/d.log"]), ["x", "x/y"]);
    assert_eq!(place.check(&["none/*.log"], &[], &[]), [""; 0]);
    assert_eq!(place.check(&["later.log"], &[], &[]), [""], "its folder tells when it comes");
}

#[test]
fn links_to_files_and_folders_are_followed_and_circles_end() {
    let place = Place::new(&["real/a.log", "elsewhere/b.log"]);
    let root = place.folder.path();
    std::os::unix::fs::symlink(root.join("elsewhere/b.log"), root.join("real/b.log")).unwrap();
    std::os::unix::fs::symlink(root, root.join("real/up")).unwrap();
    let folders = place.check(&["real/*.log"], &[], &["real/a.log", "real/b.log"]);
    assert_eq!(folders, ["elsewhere", "real"], "what the link leads to is watched, too");
    let wanted = Wanted {
        include: place.globs(&["**/a.log"]),
        exclude: Vec::new(),
        modified_after: None,
        ordering: None,
        skips_compressed: true,
        own_folder: PathBuf::from("/own"),
    };
    assert!(!look(&Real::new(Options::default()), &wanted).listing.files.is_empty());
}

#[test]
fn a_pipe_is_no_file() {
    let place = Place::new(&["a.log"]);
    let path = place.folder.path().join("b.log");
    let made = std::process::Command::new("mkfifo").arg(path).status().unwrap();
    assert!(made.success());
    place.check(&["*.log"], &[], &["a.log"]);
}
