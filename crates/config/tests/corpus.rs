//! Corpus: configurations as people write them load, and broken ones say what to do.
//!
//! A file states what is around it and what is expected of it in comments: `# env: NAME=value`,
//! `# file: path=content`, `# pipelines: ids`, `# warnings: paths`.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use config::mask::Description;
use config::{Document, Loader, Outside, Tree, render};

#[path = "../../../fuzz/exercise/configuration.rs"]
mod exercise;

/// One file of the corpus, and what its comments say.
struct Sample {
    path: PathBuf,
    text: String,
}

impl Sample {
    /// All samples of a folder beside this file.
    fn all(folder: &str) -> Vec<Self> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(folder);
        let entries = std::fs::read_dir(folder).expect("the folder is part of this crate");
        let entries = entries.flatten().map(|entry| entry.path());
        let mut paths: Vec<_> =
            entries.filter(|path| path.extension().is_some_and(|kind| kind == "yaml")).collect();
        paths.sort();
        let sample = |path: PathBuf| {
            let text = std::fs::read_to_string(&path).expect("a sample is a text");
            Self { path, text }
        };
        paths.into_iter().map(sample).collect()
    }

    /// The comments `# key: …`.
    fn said<'a>(&'a self, key: &'a str) -> impl Iterator<Item = &'a str> {
        let comments = self.text.lines().filter_map(|line| line.strip_prefix("# "));
        comments.filter_map(move |line| line.strip_prefix(key)?.strip_prefix(':')).map(str::trim)
    }

    fn pairs(&self, key: &str) -> BTreeMap<String, String> {
        let pairs = self.said(key).filter_map(|pair| pair.split_once('='));
        pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
    }

    fn load(&self) -> Result<Tree, String> {
        let loader = Loader { sources: vec!["sample.yaml".to_owned()], sets: Vec::new() };
        loader.load(self).map_err(|refusal| refusal.to_string())
    }

    fn read(&self) -> Result<Document, String> {
        let tree = self.load()?;
        let (document, problems) = Document::read(&tree);
        if problems.is_empty() { Ok(document) } else { Err(tree.report(&problems)) }
    }
}

impl Outside for Sample {
    fn variable(&self, name: &str) -> Option<String> {
        self.pairs("env").get(name).cloned()
    }

    fn file(&self, path: &str, _bytes_max: usize) -> io::Result<Vec<u8>> {
        if path == "sample.yaml" {
            return Ok(self.text.clone().into_bytes());
        }
        let files = self.pairs("file");
        let text = files.get(path).ok_or(io::ErrorKind::NotFound)?;
        Ok(format!("{text}\n").into_bytes())
    }
}

#[test]
fn loads_what_people_write() {
    let samples = Sample::all("corpus");
    assert!(15 <= samples.len());
    for sample in samples {
        let document = sample.read().unwrap_or_else(|report| panic!("{:?}\n{report}", sample.path));
        let pipelines = document.service.pipelines.iter().map(|one| one.id.to_string());
        let expected = sample.said("pipelines").collect::<Vec<_>>().join(" ");
        assert_eq!(pipelines.collect::<Vec<_>>().join(" "), expected, "{:?}", sample.path);
        let mut warnings: Vec<_> = document.warnings.iter().map(|one| one.path.as_str()).collect();
        warnings.sort_unstable();
        let expected = sample.said("warnings").collect::<Vec<_>>().join(" ");
        assert_eq!(warnings.join(" "), expected, "{:?}", sample.path);
    }
}

#[test]
fn writes_what_it_has_loaded() {
    for sample in Sample::all("corpus") {
        let tree = sample.load().unwrap();
        let text = render::yaml(&tree.root).replace('$', "$$");
        let again = Sample { text, path: sample.path.clone() }.load().unwrap();
        assert!(again.root.is_equal(&tree.root), "{:?}", sample.path);
    }
}

#[test]
fn shows_nothing_of_components_without_schema() {
    for sample in Sample::all("corpus") {
        let nothing = Description { schema: serde_json::Value::Null, pointer_of: |_, _| None };
        let masked = render::yaml(&sample.load().unwrap().masked(&nothing));
        for secret in ["0123-token", "p$ssw0rd", "very-secret", "first-token", "plain"] {
            assert!(!masked.contains(secret), "{:?}", sample.path);
        }
    }
}

#[test]
fn reports_everything_that_is_wrong() {
    for sample in Sample::all("refused") {
        let report = sample.read().unwrap_err();
        let expected = sample.path.with_extension("txt");
        if std::env::var_os("UPDATE_REPORTS").is_some() {
            std::fs::write(&expected, &report).unwrap();
        }
        let expected = std::fs::read_to_string(expected).unwrap_or_default();
        assert_eq!(report, expected, "{:?}: UPDATE_REPORTS=1 writes it anew", sample.path);
    }
}

#[test]
fn stored_inputs_of_the_fuzzer_are_handled() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/configuration");
    let mut count = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        exercise::read(&std::fs::read(path).unwrap());
        count += 1;
    }
    assert!(0 < count, "the target has seeds");
}
