//! Instructions: what the hot paths take, counted by valgrind and held against stored figures.
//!
//! A count does not depend on what else the machine does. It is given in units of a fixed loop that is
//! counted in the same way, and may grow by `GROWTH_MAX` before the task fails.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::process::Command;

use anyhow::{Context as _, ensure};
use serde_json::Value;

use crate::workspace::{Workspace, conclude, say};

/// The paths that `benches/instructions.rs` of a crate knows.
const PATHS: [(&str, &[&str]); 2] = [
    ("pipeline", &["scan", "merge", "split", "edit", "retain", "hand-over", "answer"]),
    ("delivery", &["deliver"]),
];
const CALIBRATION: &str = "calibration";
const BASELINE: &str = "crates/pipeline/benches/instructions.txt";
/// The difference of these two numbers of repetitions is what one takes, without the preparation.
const FEW: u64 = 5;
const MANY: u64 = 25;
const GROWTH_MAX: f64 = 1.15;

/// Counts, and fails if a path takes more than it did.
pub(crate) fn check(workspace: &Workspace) -> anyhow::Result<()> {
    if !is_valgrind_there() {
        say("instructions: NOT CHECKED, because there is no valgrind (`apt install valgrind`)");
        return Ok(());
    }
    let stored = workspace.read(BASELINE)?;
    let baseline = read(&stored)?;
    let mut findings = Vec::new();
    for (path, taken) in count(workspace)? {
        let Some(before) = baseline.get(path) else {
            findings.push(format!("{path}: no figure in {BASELINE}; run with --update"));
            continue;
        };
        let growth = taken / before;
        say(&format!("instructions: {path:<13} {taken:>9.3} was {before:>9.3} ({growth:.2})"));
        if GROWTH_MAX < growth {
            findings.push(format!("{path} takes {growth:.2} times what it took"));
        } else if growth * GROWTH_MAX < 1.0 {
            say(&format!("instructions: {path} takes less; keep that with --update"));
        }
    }
    conclude("instructions", &findings)
}

/// Counts, and stores the figures.
pub(crate) fn update(workspace: &Workspace) -> anyhow::Result<()> {
    ensure!(is_valgrind_there(), "there is no valgrind (`apt install valgrind`)");
    let mut text = String::from(
        "# Instructions of the hot paths, in units of the calibration loop; written by\n\
         # `cargo xtask instructions --update`.\n",
    );
    for (path, taken) in count(workspace)? {
        writeln!(text, "{path} {taken:.3}").context("write to a string")?;
    }
    std::fs::write(workspace.root.join(BASELINE), text).context("write the figures")
}

fn is_valgrind_there() -> bool {
    Command::new("valgrind").arg("--version").output().is_ok_and(|output| output.status.success())
}

/// What each path takes, in units of the calibration loop.
fn count(workspace: &Workspace) -> anyhow::Result<Vec<(&'static str, f64)>> {
    let mut taken = Vec::new();
    let mut unit = None;
    for (package, paths) in PATHS {
        let program = build(workspace, package)?;
        let unit = match unit {
            Some(unit) => unit,
            None => *unit.insert(one(workspace, &program, CALIBRATION)?),
        };
        for path in paths {
            taken.push((*path, one(workspace, &program, path)? / unit));
        }
    }
    Ok(taken)
}

/// Builds the paths of a crate and tells where they are.
fn build(workspace: &Workspace, package: &str) -> anyhow::Result<String> {
    let listing = workspace.output(Command::new(env!("CARGO")).args([
        "bench",
        "--no-run",
        "--locked",
        "--package",
        package,
        "--bench",
        "instructions",
        "--message-format",
        "json",
    ]))?;
    let messages = listing.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let mut programs = messages.filter_map(|message| {
        let is_ours = message["target"]["name"] == "instructions";
        message["executable"].as_str().filter(|_| is_ours).map(str::to_owned)
    });
    programs.next().context("cargo built no program `instructions`")
}

/// The instructions of one repetition.
fn one(workspace: &Workspace, program: &str, path: &str) -> anyhow::Result<f64> {
    let few = run(workspace, program, path, FEW)?;
    let many = run(workspace, program, path, MANY)?;
    ensure!(few < many, "`{path}` takes nothing");
    Ok((many - few) as f64 / (MANY - FEW) as f64)
}

fn run(workspace: &Workspace, program: &str, path: &str, times: u64) -> anyhow::Result<u64> {
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null", program, path])
        .arg(times.to_string())
        .current_dir(&workspace.root)
        .output()
        .context("start valgrind")?;
    let told = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "`{path}` failed:\n{told}");
    let collected = told.lines().find_map(|line| line.split_once("Collected : "));
    let (_, collected) = collected.with_context(|| format!("valgrind counted nothing:\n{told}"))?;
    collected.trim().parse().context("read what valgrind counted")
}

fn read(text: &str) -> anyhow::Result<BTreeMap<&str, f64>> {
    let lines = text.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    let pairs = lines.map(|line| {
        let (path, figure) = line.split_once(' ').with_context(|| format!("read `{line}`"))?;
        Ok((path, figure.parse().with_context(|| format!("read `{line}`"))?))
    });
    pairs.collect()
}
