//! What must hold for every configuration; the fuzzer and the corpus test share it.

use std::io;

use config::{Document, Loader, Outside, render};

/// Nothing but the text itself, and one variable.
struct Alone;

impl Outside for Alone {
    fn variable(&self, name: &str) -> Option<String> {
        (name == "X").then(|| "[1, ${Y:-a}]".to_owned())
    }

    fn file(&self, _path: &str, _bytes_max: usize) -> io::Result<Vec<u8>> {
        Err(io::ErrorKind::NotFound.into())
    }
}

fn load(text: &str) -> Result<config::Tree, config::Refusal> {
    Loader { sources: vec![format!("yaml:{text}")], sets: Vec::new() }.load(&Alone)
}

/// A text is refused with a report, or read; what was read can be written and is the same again.
pub(crate) fn read(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let tree = match load(text) {
        Ok(tree) => tree,
        Err(refusal) => {
            assert!(!refusal.problems.is_empty() && !refusal.to_string().is_empty());
            return;
        }
    };
    let (_, problems) = Document::read(&tree);
    std::hint::black_box(tree.report(&problems));
    let written = render::yaml(&tree.root);
    // Values would need it doubled, keys not.
    if written.contains('$') {
        return;
    }
    let again = load(&written).unwrap_or_else(|refusal| panic!("{written}\n{refusal}"));
    assert!(again.root.is_equal(&tree.root), "{written}");
}
