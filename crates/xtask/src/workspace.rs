//! Workspace: the files and packages of this repository.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, ensure};
use serde_json::Value;

/// The repository this binary was built from.
#[derive(Debug)]
pub(crate) struct Workspace {
    pub(crate) root: PathBuf,
}

impl Workspace {
    pub(crate) fn find() -> anyhow::Result<Self> {
        let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
        let root = manifest.ancestors().nth(2).context("xtask stands in crates/xtask")?;
        Ok(Self { root: root.to_owned() })
    }

    /// The files that git tracks or would track, relative to the root.
    pub(crate) fn files(&self) -> anyhow::Result<Vec<String>> {
        let listing = self.output(Command::new("git").args([
            "ls-files",
            "--cached",
            "--others",
            "--exclude-standard",
        ]))?;
        let files = listing.lines().map(str::to_owned);
        Ok(files.filter(|file| self.root.join(file).is_file()).collect())
    }

    pub(crate) fn read(&self, file: &str) -> anyhow::Result<String> {
        std::fs::read_to_string(self.root.join(file)).with_context(|| format!("read {file}"))
    }

    pub(crate) fn cargo_metadata(&self, extra: &[&str]) -> anyhow::Result<Value> {
        let mut command = Command::new(env!("CARGO"));
        command.args(["metadata", "--format-version", "1", "--locked"]).args(extra);
        let text = self.output(&mut command)?;
        serde_json::from_str(&text).context("read cargo metadata")
    }

    /// Runs a build that tells about its artifacts in JSON; gives the executable of `target`.
    pub(crate) fn built(&self, command: &mut Command, target: &str) -> anyhow::Result<PathBuf> {
        let messages = self.output(command)?;
        let messages = messages.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let executable = messages
            .filter(|message| message["target"]["name"] == target)
            .find_map(|message| message["executable"].as_str().map(PathBuf::from));
        executable.context("cargo names what it built")
    }

    /// Runs a command at the root and gives what it printed.
    pub(crate) fn output(&self, command: &mut Command) -> anyhow::Result<String> {
        let output = command.current_dir(&self.root).output().context("start a command")?;
        let errors = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "{command:?} failed:\n{errors}");
        String::from_utf8(output.stdout).context("read what a command printed")
    }
}

/// Prints a line; a reader that went away is no error.
pub(crate) fn say(line: &str) {
    writeln!(std::io::stdout().lock(), "{line}").ok();
}

/// Prints what was found, and fails if there was anything.
pub(crate) fn conclude(task: &str, findings: &[String]) -> anyhow::Result<()> {
    for finding in findings {
        say(&format!("{task}: {finding}"));
    }
    ensure!(findings.is_empty(), "{task} found {} problems", findings.len());
    say(&format!("{task}: ok"));
    Ok(())
}
