//! The stored inputs of the fuzz target: seeds, and every input that once crashed it.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "../../../../fuzz/exercise/journal.rs"]
mod exercise;

use std::path::{Path, PathBuf};
use std::sync::{Arc, mpsc};

use journal::{Position, Settings};
use runtime::random::Random;
use runtime::volume::simulated::Simulated;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/journal_segment")
}

fn inputs() -> Vec<Vec<u8>> {
    let entries = std::fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path());
    entries.map(|path| std::fs::read(path).unwrap()).collect()
}

#[test]
fn stored_inputs_are_handled() {
    let inputs = inputs();
    assert!(!inputs.is_empty(), "there are seeds");
    inputs.iter().for_each(|input| exercise::segment(input));
}

#[test]
fn stored_inputs_with_changed_bytes_are_handled() {
    let inputs = inputs();
    for seed in 0..3000 {
        let random = Random::seeded(seed);
        let mut input = inputs[random.below(inputs.len() as u64) as usize].clone();
        for _ in 0..1 + random.below(4) {
            let at = random.below(input.len() as u64) as usize;
            input[at] = random.number() as u8;
        }
        input[0] |= random.below(2) as u8;
        let run = std::panic::catch_unwind(|| exercise::segment(&input));
        assert!(run.is_ok(), "seed {seed}");
    }
}

/// Writes the seeds: `cargo test -p journal --test corpus -- --ignored write_the_seeds`.
#[test]
#[ignore = "writes into the source tree"]
fn write_the_seeds() {
    std::fs::create_dir_all(folder()).unwrap();
    for (number, is_closed) in [(0u8, true), (1, false), (2, true), (3, true)] {
        let disk = Simulated::new(1);
        let settings = Settings { segment_bytes: 4096, ..Settings::sized(1 << 20) };
        let journal = journal::open(Arc::new(disk.clone()), settings).unwrap().journal;
        let (sender, done) = mpsc::channel();
        for record in 0..8usize {
            let stream = journal.stream(["one", "two"][record % 2]).unwrap();
            let sender = sender.clone();
            let body = vec![record as u8; 10 * record * usize::from(number)];
            journal.append(stream, 1, vec![body.into()], move |_| sender.send(()).unwrap());
        }
        (0..8).for_each(|_| done.recv().unwrap());
        let stream = journal.stream("one").unwrap();
        let sent = sender.clone();
        let forgotten = vec![Position(0)..=Position(1), Position(3)..=Position(3)];
        journal.forget_then(stream, forgotten, move || sent.send(()).unwrap());
        done.recv().unwrap();
        if is_closed {
            journal.close();
        }
        let mut contents = disk.contents("00000001.segment").unwrap();
        let used = contents.iter().rposition(|byte| *byte != 0).unwrap() + 1;
        contents.truncate(used.next_multiple_of(8));
        let input = [&[number][..], &contents].concat();
        std::fs::write(folder().join(format!("segment-{number}")), input).unwrap();
        journal.close();
    }
}
