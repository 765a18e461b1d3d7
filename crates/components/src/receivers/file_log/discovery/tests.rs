use std::fs;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};

use super::{Found, NOT_READ_AGAIN, Wanted, look};
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

    fn look(&self, include: &[&str], exclude: &[&str]) -> Found {
        let wanted = Wanted {
            include: self.globs(include),
            exclude: self.globs(exclude),
            modified_after: None,
            ordering: None,
            skips_compressed: true,
            own_folder: self.folder.path().join("own"),
        };
        look(&Real::new(Options::default()), &wanted)
    }

    fn check(&self, include: &[&str], exclude: &[&str], expected: &[&str]) -> Vec<String> {
        let found = self.look(include, exclude);
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
    symlink(root.join("elsewhere/b.log"), root.join("real/b.log")).unwrap();
    symlink(root, root.join("real/up")).unwrap();
    let folders = place.check(&["real/*.log"], &[], &["real/a.log", "real/b.log"]);
    assert_eq!(folders, ["elsewhere", "real"], "what the link leads to is watched, too");
    assert_eq!(place.check(&["**/a.log"], &[], &["real/a.log"]), ["", "elsewhere", "real"]);
}

#[test]
fn many_links_that_lead_up_or_to_each_other_are_not_followed_round_and_round() {
    let place = Place::new(&["one/a.log", "two/b.log"]);
    let path = |name: &str| place.folder.path().join(name);
    for name in ["one/self", "one/again", "two/self"] {
        symlink(".", path(name)).unwrap();
    }
    for number in 0..4 {
        symlink(path("two"), path(&format!("one/two-{number}"))).unwrap();
        symlink(path("one"), path(&format!("two/one-{number}"))).unwrap();
    }
    let found = place.look(&["one/**/*.log"], &[]);
    let paths = found.listing.files.iter().map(|file| file.path.to_path_buf());
    let expected = ["a.log", "two-0/b.log", "two-1/b.log", "two-2/b.log", "two-3/b.log"];
    assert_eq!(place.names(paths), expected.map(|name| format!("one/{name}")));
    assert_eq!(found.failures, []);
}

#[test]
fn what_is_no_file_is_left_out_and_told() {
    let place = Place::new(&["a.log"]);
    let path = |name: &str| place.folder.path().join(name);
    let made = std::process::Command::new("mkfifo").arg(path("b.log")).status().unwrap();
    assert!(made.success());
    let _socket = UnixListener::bind(path("c.log")).unwrap();
    symlink("/dev/zero", path("d.log")).unwrap();
    symlink("e.log", path("e.log")).unwrap();
    symlink("/nowhere", path("f.log")).unwrap();
    let found = place.look(&["*.log"], &[]);
    let paths = found.listing.files.iter().map(|file| file.path.to_path_buf());
    assert_eq!(place.names(paths), ["a.log"]);
    let why = |name: &str| {
        let mut failures = found.failures.iter();
        failures.find(|(failed, _)| *failed == path(name)).map(|(_, why)| why.as_str())
    };
    for name in ["b.log", "c.log", "d.log"] {
        assert_eq!(why(name), Some(NOT_READ_AGAIN), "{name}");
    }
    assert!(why("e.log").is_some_and(|why| why.contains("symbolic links")));
    assert_eq!(why("f.log"), None, "it may come to be");
}
