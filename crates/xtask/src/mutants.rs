//! Mutants: puts bugs of the past back into the product, one by one; each must be found.
//!
//! Only the crate itself is compiled again, with `--cfg mutants`; an environment variable that its
//! tests read chooses the bug. What is about the order in which tasks run must be found by the
//! schedules, too.

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
    bugs: &'static [Bug],
}

/// A bug, and what finds it.
struct Bug {
    name: &'static str,
    test: &'static str,
    /// The scenario whose schedules find it; `None` where each order of tasks is as good, or where
    /// what is lost is time and not an answer.
    scenario: Option<&'static str>,
}

const MUTANTS: &[Mutants] = &[
    Mutants { package: "delivery", bugs: DELIVERY },
    Mutants { package: "journal", bugs: JOURNAL },
];

const DELIVERY: &[Bug] = &[
    Bug {
        name: "worker-returned-early",
        test: "engine::tests::cutting::grows_to_the_maximum_while_all_workers_are_busy",
        scenario: Some(
            "road::tests::schedules::callers_with_remainders_and_room_for_less_than_two",
        ),
    },
    Bug {
        name: "completion-skipped",
        test: "engine::tests::retrying::an_attempt_that_ends_without_a_word_is_an_answer_to_all_its_callers",
        scenario: Some("road::tests::schedules::attempts_that_panic"),
    },
    Bug {
        name: "remainder-never-flushed",
        test: "engine::tests::cutting::a_tail_leaves_when_its_caller_waits_for_nothing_else",
        scenario: Some(
            "road::tests::schedules::callers_with_remainders_and_room_for_less_than_two",
        ),
    },
    Bug {
        name: "breaker-not-resumed",
        test: "engine::tests::fairness::a_lane_that_keeps_failing_is_probed_and_resumed",
        scenario: None,
    },
    Bug {
        name: "permit-leaked",
        test: "engine::tests::cutting::who_leaves_gives_its_room_back",
        scenario: Some("road::tests::schedules::callers_that_leave_together_while_room_is_freed"),
    },
    Bug {
        name: "acknowledged-before-written",
        test: "engine::tests::storing::a_caller_is_answered_when_its_data_is_on_disk_and_not_before",
        scenario: None,
    },
    Bug {
        name: "exhausted-is-forgotten",
        test: "engine::tests::storing::exhausted_retries_wait_for_the_longest_time_and_hold_no_worker",
        scenario: None,
    },
    Bug {
        name: "retry-holds-worker",
        test: "engine::tests::retrying::a_wait_between_attempts_holds_no_worker",
        scenario: Some("road::tests::schedules::targets_that_fail_beside_one_that_works"),
    },
    Bug {
        name: "halt-outlives-expiry",
        test: "engine::tests::ordering::expiry_ends_the_batch_for_good_and_resumes_the_lane",
        scenario: None,
    },
    Bug {
        name: "halt-outlives-drain",
        test: "engine::tests::ordering::draining_resumes_nothing_that_is_halted",
        scenario: None,
    },
    Bug {
        name: "room-wakes-one",
        test: "engine::tests::cutting::room_that_is_freed_admits_in_order_all_who_fit",
        scenario: None,
    },
    Bug {
        name: "order-overlooked",
        test: "engine::tests::ordering::the_next_batch_waits_until_the_last_has_ended",
        scenario: Some(
            "road::tests::schedules::ordered_targets_that_falter_and_callers_that_leave",
        ),
    },
    Bug {
        name: "slow-holds-worker",
        test: "engine::tests::fairness::an_attempt_that_takes_too_long_makes_room",
        scenario: Some("road::tests::schedules::targets_that_swallow_beside_one_that_works"),
    },
    Bug {
        name: "trial-takes-worker",
        test: "engine::tests::fairness::lanes_that_are_not_proven_share_half_of_the_workers",
        scenario: None,
    },
    Bug {
        name: "silence-unheeded",
        test: "engine::tests::isolation::many_that_fall_silent_at_once_hold_the_workers_for_a_second_only",
        scenario: None,
    },
    Bug {
        name: "untried-trusted",
        test: "engine::tests::isolation::more_new_black_holes_than_the_queue_holds_leave_half_of_it_to_who_works",
        scenario: None,
    },
    Bug {
        name: "trials-in-series",
        test: "engine::tests::isolation::ten_black_holes_cost_a_target_that_begins_with_them_no_more_than_a_second",
        scenario: None,
    },
    Bug {
        name: "probe-forgotten",
        test: "engine::tests::scopes::a_probe_without_an_answer_keeps_the_others_waiting",
        scenario: Some("road::tests::schedules::a_credential_that_several_targets_rely_on"),
    },
    Bug {
        name: "mail-left-unread",
        test: "road::tests::what_was_handed_over_before_the_end_is_delivered",
        scenario: Some("road::tests::schedules::successors_take_over_while_callers_send_and_leave"),
    },
];

const JOURNAL: &[Bug] = &[
    Bug {
        name: "answered-before-sync",
        test: "store::tests::commits::what_was_answered_survives_the_loss_of_power",
        scenario: None,
    },
    Bug {
        name: "answered-with-the-group-before",
        test: "store::tests::commits::what_is_written_during_a_sync_is_answered_after_the_next",
        scenario: None,
    },
    Bug {
        name: "directory-not-synced",
        test: "store::tests::commits::the_name_of_a_new_segment_survives_the_loss_of_power",
        scenario: None,
    },
    Bug {
        name: "number-used-again",
        test: "store::tests::reuse::what_a_former_use_left_is_no_record",
        scenario: None,
    },
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ended {
    Passed,
    Failed,
    Hung,
}

pub(crate) fn run(workspace: &Workspace) -> anyhow::Result<()> {
    let mut findings = Vec::new();
    for Mutants { package, bugs } in MUTANTS {
        let binary = build(workspace, package)?;
        for Bug { name, test, scenario } in *bugs {
            for test in [Some(test), scenario.as_ref()].into_iter().flatten() {
                let without = end_of(&binary, test, None)?;
                let with = end_of(&binary, test, Some(name))?;
                say(&format!("{name}: {test} {with:?}, without it {without:?}"));
                if without != Ended::Passed {
                    findings.push(format!("`{test}` does not pass without a mutant"));
                }
                if with == Ended::Passed {
                    findings.push(format!("`{test}` does not find `{name}`"));
                }
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
