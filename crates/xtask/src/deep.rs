//! Deep: the randomised proofs with their full counts, and what each of them took.
//!
//! Optimised, because it is the count that finds what is rare, and under a time limit, because a hang
//! is a failure here, too. A step that fails does not keep the others from being run.

use std::time::Duration;

use anyhow::{Context as _, ensure};

use crate::cost::Cost;
use crate::test::{self, Manner, TestBinary};
use crate::workspace::{Workspace, say};
use crate::{fuzz, schedules};

/// What one test binary may take in one step.
const TIME_MAX: Duration = Duration::from_secs(3600);

/// One proof.
struct Step {
    name: &'static str,
    work: Work,
}

enum Work {
    Tests {
        /// The test binary; all of them when empty.
        binary: &'static str,
        words: &'static [&'static str],
        variables: &'static [(&'static str, &'static str)],
    },
    Schedules(&'static str),
    Fuzz(&'static str),
}

const STEPS: &[Step] = &[
    Step {
        name: "tests",
        work: Work::Tests {
            binary: "",
            words: &[],
            variables: &[("PROPTEST_CASES", "20000"), ("TIDEGATE_CRASH_POINTS", "200000")],
        },
    },
    Step { name: "schedules", work: Work::Schedules("1000000") },
    Step {
        name: "exhaustive",
        work: Work::Tests {
            binary: "delivery::delivery",
            words: &["exhaustive", "--include-ignored", "--nocapture"],
            variables: &[],
        },
    },
    Step {
        name: "crashes",
        work: Work::Tests {
            binary: "delivery::delivery",
            words: &["a_crash_at_any_step_of_the_disk"],
            variables: &[("TIDEGATE_CRASHES", "2000")],
        },
    },
    Step {
        name: "blocked",
        work: Work::Tests {
            binary: "delivery::delivery",
            words: &["many_who_block_on_a_full_queue_on_disk"],
            variables: &[("TIDEGATE_REQUESTS", "100000")],
        },
    },
    Step {
        name: "kills",
        work: Work::Tests {
            binary: "collector::product",
            words: &["a_collector_that_is_killed", "--nocapture"],
            variables: &[("TIDEGATE_KILLS", "5000")],
        },
    },
    Step {
        name: "overload",
        work: Work::Tests {
            binary: "collector::product",
            words: &["overload", "--ignored", "--test-threads=1"],
            variables: &[],
        },
    },
    Step { name: "fuzz", work: Work::Fuzz("120") },
];

/// Runs the steps that are named, or all.
pub(crate) fn run(workspace: &Workspace, names: &[&str]) -> anyhow::Result<()> {
    let known: Vec<_> = STEPS.iter().map(|step| step.name).collect();
    for name in names {
        ensure!(known.contains(name), "there is no step `{name}`, but: {}", known.join(", "));
    }
    let (built, cost) = Cost::of(|| test::build(workspace, &["--workspace", "--profile", "bench"]));
    let binaries = built?;
    let (mut told, mut failed) = (vec![cost.shown("build")], Vec::new());
    for step in STEPS.iter().filter(|step| names.is_empty() || names.contains(&step.name)) {
        say(&format!("\n=== {}", step.name));
        let (result, cost) = Cost::of(|| step.work.run(workspace, &binaries));
        told.push(cost.shown(step.name));
        failed.extend(result.err().map(|error| format!("{}: {error:#}", step.name)));
    }
    say(&format!("\n{}", told.join("\n")));
    test::conclude(&failed)
}

impl Work {
    fn run(&self, workspace: &Workspace, binaries: &[TestBinary]) -> anyhow::Result<()> {
        match self {
            Self::Tests { binary, words, variables } => {
                let chosen = binaries.iter().filter(|one| one.name.contains(binary));
                test::conclude(&test::run_all(
                    chosen,
                    Manner { words, variables, time_max: TIME_MAX },
                ))
            }
            Self::Schedules(count) => {
                let mut found = binaries.iter().filter(|one| one.name == "delivery::delivery");
                schedules::run_in(found.next().context("delivery has tests")?, count)
            }
            Self::Fuzz(seconds) => fuzz::run(workspace, seconds),
        }
    }
}
