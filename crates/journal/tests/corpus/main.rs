//! The stored inputs of the fuzz target: seeds, and every input that once crashed it.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "../../../../fuzz/exercise/corpus.rs"]
mod corpus;
#[path = "../../../../fuzz/exercise/journal.rs"]
mod exercise;

use std::sync::{Arc, mpsc};

use journal::{Position, Settings};
use runtime::random::Random;
use runtime::volume::simulated::Simulated;

const TARGET: &str = "journal_segment";

#[test]
fn stored_inputs_are_handled() {
    corpus::each(TARGET, exercise::segment);
}

#[test]
fn stored_inputs_with_changed_bytes_are_handled() {
    let byte = |random: &Random| random.number() as u8;
    corpus::each_changed(TARGET, 3000, byte, |random, input| {
        input[0] |= random.below(2) as u8;
        exercise::segment(input);
    });
}

/// Writes the seeds: `cargo test -p journal --test corpus -- --ignored write_the_seeds`.
#[test]
#[ignore = "writes into the source tree"]
fn write_the_seeds() {
    std::fs::create_dir_all(corpus::folder(TARGET)).unwrap();
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
        std::fs::write(corpus::folder(TARGET).join(format!("segment-{number}")), input).unwrap();
        journal.close();
    }
}
