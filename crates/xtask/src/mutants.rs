//! Mutants: puts bugs of the past back into the product, one by one; each must be found.
//!
//! Only the crate itself is compiled again, with `--cfg mutants`; an environment variable that its
//! tests read chooses the bug.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use anyhow::{Context as _, ensure};

use crate::workspace::{Workspace, conclude, say};

/// What one test may take: one that hangs has found the bug, too.
const TEST_TIME_MAX: Duration = Duration::from_secs(30);

/// The bugs of one crate.
struct Mutants {
    package: &'static str,
    /// The module that the tests are in.
    module: &'static str,
    /// The bugs, and the test that finds each.
    bugs: &'static [(&'static str, &'static str)],
}

const MUTANTS: &[Mutants] = &[
    Mutants { package: "delivery", module: "engine::tests", bugs: DELIVERY },
    Mutants { package: "journal", module: "store::tests", bugs: JOURNAL },
];

const DELIVERY: &[(&str, &str)] = &[
    ("worker-returned-early", "cutting::grows_to_the_maximum_while_all_workers_are_busy"),
    (
        "completion-skipped",
        "retrying::an_attempt_that_ends_without_a_word_is_an_answer_to_all_its_callers",
    ),
    ("remainder-never-flushed", "cutting::a_tail_leaves_when_its_caller_waits_for_nothing_else"),
    ("breaker-not-resumed", "fairness::a_lane_that_keeps_failing_is_probed_and_resumed"),
    ("permit-leaked", "cutting::who_leaves_gives_its_room_back"),
    (
        "acknowledged-before-written",
        "storing::a_caller_is_answered_when_its_data_is_on_disk_and_not_before",
    ),
    (
        "exhausted-is-forgotten",
        "storing::exhausted_retries_wait_for_the_longest_time_and_hold_no_worker",
    ),
    ("retry-holds-worker", "retrying::a_wait_between_attempts_holds_no_worker"),
    ("halt-outlives-expiry", "ordering::expiry_ends_the_batch_for_good_and_resumes_the_lane"),
    ("halt-outlives-drain", "ordering::draining_resumes_nothing_that_is_halted"),
];

const JOURNAL: &[(&str, &str)] = &[
    ("answered-before-sync", "commits::what_was_answered_survives_the_loss_of_power"),
    ("directory-not-synced", "commits::the_name_of_a_new_segment_survives_the_loss_of_power"),
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ended {
    Passed,
    Failed,
    Hung,
}

pub(crate) fn run(workspace: &Workspace) -> anyhow::Result<()> {
    let mut findings = Vec::new();
    for Mutants { package, module, bugs } in MUTANTS {
        let binary = build(workspace, package)?;
        for (mutant, test) in *bugs {
            let test = format!("{module}::{test}");
            let without = end_of(&binary, &test, None)?;
            let with = end_of(&binary, &test, Some(mutant))?;
            say(&format!("{mutant}: {test} {with:?}, without it {without:?}"));
            if without != Ended::Passed {
                findings.push(format!("`{test}` does not pass without a mutant"));
            }
            if with == Ended::Passed {
                findings.push(format!("`{test}` does not find `{mutant}`"));
            }
        }
    }
    conclude("mutants", &findings)
}

/// The tests of a crate with all its mutants in it.
fn build(workspace: &Workspace, package: &str) -> anyhow::Result<PathBuf> {
    let mut command = Command::new(env!("CARGO"));
    command.args(["rustc", "--package", package, "--lib", "--profile", "test"]).args([
        "--message-format",
        "json-render-diagnostics",
        "--",
        "--cfg",
        "mutants",
    ]);
    workspace.built(&mut command, package)
}

fn end_of(binary: &Path, test: &str, mutant: Option<&str>) -> anyhow::Result<Ended> {
    let mut command = Command::new(binary);
    command.args(["--exact", test]);
    command.env_remove("TIDEGATE_MUTANT").envs(mutant.map(|name| ("TIDEGATE_MUTANT", name)));
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().context("start the test binary")?;
    let mut output = child.stdout.take().context("the output is piped")?;
    let (sender, text) = mpsc::sync_channel(1);
    let read = move || {
        let mut text = String::new();
        output.read_to_string(&mut text).ok();
        sender.send(text).ok();
    };
    let reader = std::thread::Builder::new().spawn(read).context("start the reader")?;
    let text = text.recv_timeout(TEST_TIME_MAX).ok();
    if text.is_none() {
        child.kill().context("kill the test binary")?;
    }
    let status = child.wait().context("wait for the test binary")?;
    reader.join().ok();
    let Some(text) = text else { return Ok(Ended::Hung) };
    ensure!(text.contains("running 1 test"), "there is no test `{test}`");
    Ok(if status.success() { Ended::Passed } else { Ended::Failed })
}
