//! Test: runs every test of the workspace under a hard time limit, so that a hang is a failure.
//!
//! A test binary that is not done in time is killed, and the tests it owed are named.

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use serde_json::Value;

use crate::workspace::{Workspace, say};

/// How test binaries are run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Manner<'a> {
    /// Filters and options of the test harness.
    pub(crate) words: &'a [&'a str],
    /// Environment variables.
    pub(crate) variables: &'a [(&'a str, &'a str)],
    /// What one binary may take, all its tests together.
    pub(crate) time_max: Duration,
}

pub(crate) fn run(workspace: &Workspace, filters: &[&str]) -> anyhow::Result<()> {
    let binaries = build(workspace, &["--workspace"])?;
    let time_max = Duration::from_secs(300);
    let mut failed = run_all(&binaries, Manner { words: filters, variables: &[], time_max });
    let mut doc_tests = Command::new(env!("CARGO"));
    doc_tests.args(["test", "--workspace", "--doc", "--quiet"]).current_dir(&workspace.root);
    if filters.is_empty() && !doc_tests.status().context("start cargo")?.success() {
        failed.push("documentation tests".to_owned());
    }
    conclude(&failed)?;
    say(&format!("\nall {} test binaries passed", binaries.len()));
    Ok(())
}

/// Fails if anything did.
pub(crate) fn conclude(failed: &[String]) -> anyhow::Result<()> {
    ensure!(failed.is_empty(), "failed:\n  {}", failed.join("\n  "));
    Ok(())
}

/// Runs one binary after the other; gives what failed.
pub(crate) fn run_all<'a>(
    binaries: impl IntoIterator<Item = &'a TestBinary>,
    manner: Manner<'_>,
) -> Vec<String> {
    let mut failed = Vec::new();
    for binary in binaries {
        say(&format!("\n     Running {}", binary.name));
        if let Err(error) = binary.run(manner) {
            failed.push(format!("{}: {error:#}", binary.name));
        }
    }
    failed
}

/// One compiled set of tests.
#[derive(Debug)]
pub(crate) struct TestBinary {
    /// The package and the target, as in `journal::journal`.
    pub(crate) name: String,
    path: PathBuf,
    package_dir: PathBuf,
}

/// Builds the tests that `selection` tells cargo.
pub(crate) fn build(workspace: &Workspace, selection: &[&str]) -> anyhow::Result<Vec<TestBinary>> {
    let mut command = Command::new(env!("CARGO"));
    command
        .args(["test", "--no-run", "--message-format", "json-render-diagnostics"])
        .args(selection)
        .current_dir(&workspace.root)
        .stderr(Stdio::inherit());
    let output = command.output().context("start cargo")?;
    ensure!(output.status.success(), "the tests do not build");
    let messages = String::from_utf8(output.stdout).context("read cargo's messages")?;
    let parsed = messages.lines().map(serde_json::from_str::<Value>);
    let artifacts: Vec<Value> = parsed.collect::<Result<_, _>>().context("read a message")?;
    Ok(artifacts.iter().filter_map(TestBinary::of).collect())
}

impl TestBinary {
    fn of(message: &Value) -> Option<Self> {
        let is_test = message["profile"]["test"].as_bool()?;
        let path = message["executable"].as_str().filter(|_| is_test)?;
        let manifest = PathBuf::from(message["manifest_path"].as_str()?);
        let package_dir = manifest.parent()?.to_owned();
        let package = package_dir.file_name()?.to_string_lossy().into_owned();
        let target = message["target"]["name"].as_str()?;
        Some(Self { name: format!("{package}::{target}"), path: path.into(), package_dir })
    }

    fn run(&self, manner: Manner<'_>) -> anyhow::Result<()> {
        let Manner { words, variables, time_max } = manner;
        let mut child = Command::new(&self.path)
            .args(words)
            .envs(variables.iter().copied())
            .current_dir(&self.package_dir)
            .env("CARGO_MANIFEST_DIR", &self.package_dir)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .context("start the test binary")?;
        let finished = watch(&mut child, time_max)?;
        let Some(finished) = finished else {
            let status = child.wait().context("wait for the test binary")?;
            ensure!(status.success(), "{status}");
            return Ok(());
        };
        child.kill().context("kill the test binary")?;
        child.wait().context("wait for the test binary")?;
        let owed: Vec<String> = self.tests(words)?.difference(&finished).cloned().collect();
        bail!("not done after {time_max:?}; hanging or waiting: {}", owed.join(", "))
    }

    /// The tests that `words` choose.
    pub(crate) fn tests(&self, words: &[&str]) -> anyhow::Result<BTreeSet<String>> {
        let listing = Command::new(&self.path).arg("--list").args(words).output();
        let listing = listing.context("list the tests")?;
        let text = String::from_utf8_lossy(&listing.stdout).into_owned();
        Ok(text.lines().filter_map(|line| line.strip_suffix(": test")).map(str::to_owned).collect())
    }
}

/// Passes the output on until it ends; `Some(finished tests)` when the time is over first.
fn watch(child: &mut Child, time_max: Duration) -> anyhow::Result<Option<BTreeSet<String>>> {
    let output = child.stdout.take().context("the output is piped")?;
    let (sender, lines) = mpsc::sync_channel(64);
    let reader = std::thread::Builder::new().spawn(move || {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    let reader = reader.context("start the reader of the output")?;
    let mut finished = BTreeSet::new();
    let mut left = time_max;
    loop {
        let before = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default();
        match lines.recv_timeout(left) {
            Ok(line) => {
                let name = line.strip_prefix("test ").and_then(|rest| rest.split_once(" ... "));
                finished.extend(name.map(|(name, _)| name.to_owned()));
                say(&line);
            }
            Err(mpsc::RecvTimeoutError::Timeout) => return Ok(Some(finished)),
            Err(mpsc::RecvTimeoutError::Disconnected) => {
                reader.join().ok();
                return Ok(None);
            }
        }
        let after = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default();
        left = left.saturating_sub(after.saturating_sub(before));
    }
}
