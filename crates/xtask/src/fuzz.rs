//! Fuzz: every target of `fuzz/` for some seconds, guided by coverage, from the stored corpus.
//!
//! Does what cargo-fuzz does without a sanitizer, so that nothing needs to be installed. An input
//! that fails is kept in `fuzz/artifacts/`; it becomes a test. A target for each processor at a time.

use std::num::NonZero;
use std::path::Path;
use std::process::Command;
use std::sync::{Mutex, PoisonError};

use anyhow::{Context as _, ensure};

use crate::workspace::{Workspace, say};

/// Coverage as libFuzzer wants it.
const FLAGS: &str = "--cfg fuzzing -Cpasses=sancov-module \
    -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
    -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares \
    -Ccodegen-units=1";

/// In less, a target does little more than read its corpus.
const SECONDS_MIN: u32 = 10;

/// Named on the command line so that build scripts are built without the flags.
const TARGET: &str = env!("XTASK_HOST");

pub(crate) fn run(workspace: &Workspace, seconds: &str) -> anyhow::Result<()> {
    let time = seconds.parse::<u32>().context("the time for each target is a number of seconds")?;
    ensure!(SECONDS_MIN <= time, "each target needs {SECONDS_MIN} seconds at least");
    let folder = workspace.root.join("fuzz");
    let mut build = Command::new(env!("CARGO"));
    build
        .args(["build", "--release", "--locked", "--target", TARGET])
        .env("RUSTFLAGS", FLAGS)
        .current_dir(&folder);
    ensure!(build.status().context("start cargo")?.success(), "the fuzz targets do not build");
    let targets = Mutex::new(targets(&folder)?.into_iter());
    let next = || targets.lock().unwrap_or_else(PoisonError::into_inner).next();
    let work = || {
        while let Some(target) = next() {
            say(&format!("fuzz: {target} for {seconds} s"));
            fuzz(&folder, &target, seconds)?;
        }
        anyhow::Ok(())
    };
    std::thread::scope(|scope| {
        let count = std::thread::available_parallelism().map_or(1, NonZero::get);
        let workers: Vec<_> = (0..count).map(|_| scope.spawn(work)).collect();
        let ends = workers.into_iter().map(|worker| worker.join().expect("it does not panic"));
        ends.collect::<anyhow::Result<()>>()
    })
}

fn targets(folder: &Path) -> anyhow::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder.join("fuzz_targets")).context("list the targets")? {
        let path = entry.context("list the targets")?.path();
        names.extend(path.file_stem().map(|stem| stem.to_string_lossy().into_owned()));
    }
    names.sort_unstable();
    Ok(names)
}

fn fuzz(folder: &Path, target: &str, seconds: &str) -> anyhow::Result<()> {
    let built = folder.join("target");
    let found = built.join("found").join(target);
    let artifacts = folder.join("artifacts").join(target);
    for made in [&found, &artifacts] {
        std::fs::create_dir_all(made).with_context(|| format!("make {}", made.display()))?;
    }
    let status = Command::new(built.join(TARGET).join("release").join(target))
        .args([&found, &folder.join("corpus").join(target)])
        .arg(format!("-max_total_time={seconds}"))
        .arg(format!("-artifact_prefix={}/", artifacts.display()))
        .args(["-timeout=10", "-rss_limit_mb=2048", "-print_final_stats=1", "-verbosity=0"])
        .status()
        .context("start the fuzz target")?;
    ensure!(status.success(), "{target} found an input that fails; see {}", artifacts.display());
    Ok(())
}
