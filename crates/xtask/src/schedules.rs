//! Schedules: runs the road out under many orders of its tasks; see `delivery::road::tests::schedules`.
//!
//! Optimised, because a debug build takes ten times as long for each.

use std::time::Duration;

use anyhow::{Context as _, ensure};

use crate::test::{self, Manner, TestBinary};
use crate::workspace::{Workspace, say};

/// Where the scenarios are.
const SCENARIOS: &str = "road::tests::schedules::";

/// What all of them may take.
const TIME_MAX: Duration = Duration::from_secs(3600);

pub(crate) fn run(workspace: &Workspace, count: &str) -> anyhow::Result<()> {
    let selection = ["--package", "delivery", "--lib", "--profile", "bench"];
    let binaries = test::build(workspace, &selection)?;
    run_in(binaries.first().context("cargo names what it built")?, count)
}

/// Runs `count` schedules of the tests in `binary`.
pub(crate) fn run_in(binary: &TestBinary, count: &str) -> anyhow::Result<()> {
    let count: usize = count.parse().context("the number of schedules is a number")?;
    let scenarios = binary.tests(&[SCENARIOS])?.len();
    ensure!(0 < scenarios, "there is no scenario");
    let each = count.div_ceil(scenarios).to_string();
    say(&format!("{scenarios} scenarios, {each} schedules of each"));
    let variables = [("TIDEGATE_SCHEDULES", each.as_str())];
    let manner = Manner { words: &[SCENARIOS], variables: &variables, time_max: TIME_MAX };
    test::conclude(&test::run_all([binary], manner))
}
