//! Corpus: the stored inputs of a fuzz target, as they are and with bytes changed.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use runtime::random::Random;

/// Where the inputs of a target are, seen from a crate.
pub(crate) fn folder(target: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus").join(target)
}

/// Runs every input.
pub(crate) fn each(target: &str, run: impl Fn(&[u8])) {
    stored(target).iter().for_each(|input| run(input));
}

/// Runs inputs of which up to four bytes are changed to what `byte` gives, one for each seed.
pub(crate) fn each_changed(
    target: &str,
    seeds: u64,
    byte: impl Fn(&Random) -> u8,
    run: impl Fn(&Random, &mut [u8]),
) {
    let inputs = stored(target);
    for seed in 0..seeds {
        let random = Random::seeded(seed);
        let mut input = inputs[random.below(inputs.len() as u64) as usize].clone();
        for _ in 0..1 + random.below(4) {
            let at = random.below(input.len() as u64) as usize;
            input[at] = byte(&random);
        }
        let run = catch_unwind(AssertUnwindSafe(|| run(&random, &mut input)));
        assert!(run.is_ok(), "seed {seed}");
    }
}

fn stored(target: &str) -> Vec<Vec<u8>> {
    let entries = std::fs::read_dir(folder(target)).unwrap().map(|entry| entry.unwrap().path());
    let inputs: Vec<_> = entries.map(|path| std::fs::read(path).unwrap()).collect();
    assert!(!inputs.is_empty(), "there are seeds");
    inputs
}
