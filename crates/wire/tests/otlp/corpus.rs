//! The stored inputs of the fuzz targets: seeds, and every input that once crashed one.

use std::fs;
use std::path::{Path, PathBuf};

use crate::exercise;
use crate::random::Random;
use crate::scan::request;
use wire::Signal;

const TARGETS: [(&str, fn(&[u8])); 3] = [
    ("otlp_parse", exercise::parse),
    ("otlp_cut_merge", exercise::cut_merge),
    ("otlp_edit", exercise::edit),
];

fn folder(target: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus").join(target)
}

#[test]
fn stored_inputs_are_handled() {
    for (target, run) in TARGETS {
        let mut count = 0;
        for entry in fs::read_dir(folder(target)).unwrap() {
            let path = entry.unwrap().path();
            println!("{}", path.display());
            run(&fs::read(path).unwrap());
            count += 1;
        }
        assert!(0 < count, "{target} has seeds");
    }
}

/// Writes the seeds: `cargo test -p wire --test otlp -- --ignored write_the_seeds`.
#[test]
#[ignore = "writes into the source tree"]
fn write_the_seeds() {
    for (at, (target, _)) in TARGETS.iter().enumerate() {
        fs::create_dir_all(folder(target)).unwrap();
        for (signal, first) in Signal::ALL.into_iter().zip(0u8..) {
            for round in 0..3 {
                let input = seed(signal, first, (at * 3 + round) as u64);
                let name = format!("{signal}-{round}");
                fs::write(folder(target).join(name), input).unwrap();
            }
        }
    }
}

/// A small request of the signal in some encoding, with the byte that chooses the signal.
fn seed(signal: Signal, first: u8, number: u64) -> Vec<u8> {
    let mut random = Random::new(number);
    let bytes = loop {
        let bytes = request(signal, random.next(), 3);
        if (50..1500).contains(&bytes.len()) {
            break bytes;
        }
    };
    let high = (random.next() as u8) & 0xfc;
    [&[high | first][..], &bytes].concat()
}
