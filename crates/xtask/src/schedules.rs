//! Schedules: runs the road out under many orders of its tasks; see `delivery::road::tests::schedules`.
//!
//! Optimised, because a debug build takes ten times as long for each.

use std::process::Command;

use anyhow::{Context as _, ensure};

use crate::workspace::{Workspace, say};

/// Where the scenarios are.
const SCENARIOS: &str = "road::tests::schedules::";

pub(crate) fn run(workspace: &Workspace, count: &str) -> anyhow::Result<()> {
    let count: usize = count.parse().context("the number of schedules is a number")?;
    let mut build = Command::new(env!("CARGO"));
    build.args(["test", "--package", "delivery", "--lib", "--profile", "bench", "--no-run"]);
    build.args(["--message-format", "json-render-diagnostics"]);
    let binary = workspace.built(&mut build, "delivery")?;
    let list = workspace.output(Command::new(&binary).args([SCENARIOS, "--list"]))?;
    let scenarios = list.lines().filter(|line| line.ends_with(": test")).count();
    ensure!(0 < scenarios, "there is no scenario");
    let each = count.div_ceil(scenarios);
    say(&format!("{scenarios} scenarios, {each} schedules of each"));
    let mut tests = Command::new(&binary);
    tests.arg(SCENARIOS).env("TIDEGATE_SCHEDULES", each.to_string());
    ensure!(tests.status().context("start the tests")?.success(), "a schedule failed");
    Ok(())
}
