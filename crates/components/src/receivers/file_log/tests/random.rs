//! Random: whatever happens to the files, every line that could be read is delivered.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::Ordering;
use std::time::Duration;

use proptest::prelude::*;

use super::world::{World, later, limits};

const NAMES: [&str; 3] = ["a.log", "b.log", "c.log"];
/// The file that is rotated by copying, and never by renaming.
const COPIED: usize = 2;

/// What may happen.
#[derive(Clone, Copy, Debug)]
enum Step {
    Write {
        name: usize,
        lines: usize,
    },
    /// The writer stops in the middle of a line, which it ends with its next write.
    WritePart {
        name: usize,
    },
    Rename {
        name: usize,
    },
    /// The reader was faster than the writer's `truncate`.
    Truncate {
        name: usize,
        lines_after: usize,
    },
    /// Rotated by copying; nobody looks between the copy and the cut.
    CopyTruncate,
    Remove {
        name: usize,
    },
    Look,
    Turn,
    /// A turn that takes longer than what happens meanwhile.
    Begin,
    Finish {
        pick: usize,
    },
    Deliver {
        pick: usize,
    },
    DeliverPart {
        pick: usize,
    },
    Postpone {
        pick: usize,
    },
    /// Nobody knows whether it was delivered; it was not.
    Doubt {
        pick: usize,
    },
    Save,
    Crash,
    Pass {
        ms: u64,
    },
}

/// One of what there is by then.
fn pick() -> impl Strategy<Value = usize> {
    0..24_usize
}

fn step() -> impl Strategy<Value = Step> {
    let (name, renamed) = (0..NAMES.len(), 0..COPIED);
    prop_oneof![
        8 => (name.clone(), 1_usize..6).prop_map(|(name, lines)| Step::Write { name, lines }),
        2 => name.clone().prop_map(|name| Step::WritePart { name }),
        2 => renamed.clone().prop_map(|name| Step::Rename { name }),
        1 => (name, 0_usize..9)
            .prop_map(|(name, lines_after)| Step::Truncate { name, lines_after }),
        1 => Just(Step::CopyTruncate),
        1 => renamed.prop_map(|name| Step::Remove { name }),
        4 => Just(Step::Look),
        8 => Just(Step::Turn),
        4 => Just(Step::Begin),
        4 => pick().prop_map(|pick| Step::Finish { pick }),
        6 => pick().prop_map(|pick| Step::Deliver { pick }),
        2 => pick().prop_map(|pick| Step::DeliverPart { pick }),
        2 => pick().prop_map(|pick| Step::Postpone { pick }),
        1 => pick().prop_map(|pick| Step::Doubt { pick }),
        3 => Just(Step::Save),
        1 => Just(Step::Crash),
        3 => (1_u64..700).prop_map(|ms| Step::Pass { ms }),
    ]
}

/// What was written, and what of it nobody could have read.
struct Model {
    world: World,
    next_line: usize,
    /// The file that a line was written to is numbered by its writer.
    written: BTreeMap<String, usize>,
    /// Lines that a file lost before they were delivered.
    excused: BTreeSet<String>,
    /// The number of the file that has each name, and the end of its last line.
    files: BTreeMap<usize, (usize, String)>,
    removed: BTreeSet<usize>,
    next_file: usize,
    rotations: usize,
    has_crashed: bool,
    /// Something was not taken, so that what was taken behind it may be read with it again.
    has_failed: bool,
    /// Lines of copies of files that were to be read again in part.
    repeatable: BTreeSet<String>,
}

impl Model {
    fn new(has_handles: bool) -> Self {
        let world = World::new(limits());
        world.disk.has_no_handles.store(!has_handles, Ordering::Relaxed);
        Self {
            world,
            next_line: 0,
            written: BTreeMap::new(),
            excused: BTreeSet::new(),
            files: BTreeMap::new(),
            removed: BTreeSet::new(),
            next_file: 0,
            rotations: 0,
            has_crashed: false,
            has_failed: false,
            repeatable: BTreeSet::new(),
        }
    }

    fn line(&mut self, name: usize) -> String {
        let line = format!("line {:04} of {}", self.next_line, NAMES[name]);
        self.next_line += 1;
        let next_file = &mut self.next_file;
        let (file, _) = self.files.entry(name).or_insert_with(|| {
            *next_file += 1;
            (*next_file, String::new())
        });
        self.written.insert(line.clone(), *file);
        line
    }

    fn end_line(&mut self, name: usize) {
        if let Some((_, rest)) = self.files.get_mut(&name) {
            let rest = std::mem::take(rest);
            self.world.write(NAMES[name], &rest);
        }
    }

    fn write(&mut self, name: usize, lines: usize) {
        self.end_line(name);
        let text: String = (0..lines).map(|_| self.line(name) + "\n").collect();
        self.world.write(NAMES[name], &text);
    }

    fn undelivered(&self, file: usize) -> Vec<String> {
        let lines = self
            .written
            .iter()
            .filter(|(line, of)| **of == file && !self.world.delivered.contains(line));
        lines.map(|(line, _)| line.clone()).collect()
    }

    fn step(&mut self, step: Step) {
        match step {
            Step::Write { name, lines } => self.write(name, lines),
            Step::WritePart { name } => {
                self.end_line(name);
                let line = self.line(name) + "\n";
                let (start, rest) = line.split_at(line.len() / 2);
                self.world.write(NAMES[name], start);
                self.files.get_mut(&name).unwrap().1 = rest.to_owned();
            }
            Step::Rename { name } => {
                self.end_line(name);
                if self.files.remove(&name).is_some() {
                    self.rotations += 1;
                    let to = World::path(&format!("{}.{}", NAMES[name], self.rotations));
                    self.world.disk.rename(&World::path(NAMES[name]), &to);
                }
            }
            Step::Truncate { name, lines_after } => {
                self.end_line(name);
                if let Some((file, _)) = self.files.get(&name).cloned() {
                    self.excused.extend(self.undelivered(file));
                    self.world.disk.truncate(&World::path(NAMES[name]));
                    self.write(name, lines_after);
                }
            }
            Step::CopyTruncate => self.copy_and_truncate(),
            Step::Remove { name } => {
                self.end_line(name);
                if let Some((file, _)) = self.files.remove(&name) {
                    if !self.world.is_open(NAMES[name]) {
                        self.excused.extend(self.undelivered(file));
                    }
                    self.removed.insert(file);
                    self.world.disk.remove(&World::path(NAMES[name]));
                }
            }
            Step::Look => self.world.look(),
            Step::Turn => drop(self.world.turn()),
            Step::Begin => drop(self.world.begin()),
            Step::Finish { pick } => {
                let begun = self.world.begun.len();
                if 0 < begun {
                    self.world.finish(pick % begun);
                }
            }
            Step::Save => self.world.save(),
            Step::Crash => {
                self.has_crashed = true;
                let removed = self.removed.clone();
                removed.iter().for_each(|file| self.excused.extend(self.undelivered(*file)));
                self.world.crash();
            }
            Step::Pass { ms } => self.world.pass(Duration::from_millis(ms)),
            Step::Deliver { pick }
            | Step::DeliverPart { pick }
            | Step::Postpone { pick }
            | Step::Doubt { pick } => self.answer(step, pick),
        }
    }

    fn copy_and_truncate(&mut self) {
        self.end_line(COPIED);
        let Some((file, _)) = self.files.get(&COPIED).cloned() else { return };
        if self.has_failed {
            let delivered = |line: &&String| self.world.delivered.contains(line);
            let lines = self.written.iter().filter(|(_, of)| **of == file);
            self.repeatable.extend(lines.map(|(line, _)| line).filter(delivered).cloned());
        }
        // What stood in it is in the copy, and stays there.
        self.next_file += 1;
        self.files.insert(COPIED, (self.next_file, String::new()));
        self.rotations += 1;
        let copy = format!("{}.{}", NAMES[COPIED], self.rotations);
        self.world.copy_and_truncate(NAMES[COPIED], &copy);
    }

    fn answer(&mut self, step: Step, pick: usize) {
        if self.world.in_flight.is_empty() {
            return;
        }
        let tokens: Vec<_> = self.world.in_flight.keys().copied().collect();
        let token = tokens[pick % tokens.len()];
        let items = self.world.in_flight[&token].len();
        let delivered = pipeline::Verdict::Delivered;
        let middle = items / 2;
        self.has_failed |= !matches!(step, Step::Deliver { .. });
        let parts = match step {
            Step::Deliver { .. } => vec![(0..items, delivered)],
            Step::DeliverPart { .. } => vec![(0..middle, later()), (middle..items, delivered)],
            Step::Doubt { .. } => vec![(0..items, unknown())],
            _ => vec![(0..items, later())],
        };
        self.world.answer_parts(token, parts);
    }

    fn check(mut self) {
        (0..NAMES.len()).for_each(|name| self.end_line(name));
        self.world.settle();
        let mut counts = BTreeMap::<&String, usize>::new();
        for line in &self.world.delivered {
            assert!(self.written.contains_key(line), "never written: {line:?}");
            *counts.entry(line).or_default() += 1;
        }
        for line in self.written.keys() {
            let count = counts.get(line).copied().unwrap_or(0);
            let is_repeatable = self.has_crashed || self.repeatable.contains(line);
            assert!(0 < count || self.excused.contains(line), "lost: {line}");
            assert!(count <= 1 || is_repeatable, "twice: {line}");
        }
        assert!(self.world.tracker.is_quiet());
    }
}

fn unknown() -> pipeline::Verdict {
    pipeline::Verdict::Unknown(pipeline::Status::new(pipeline::Code::Unavailable, "gone"))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn every_line_that_could_be_read_is_delivered(
        steps in prop::collection::vec(step(), 1..120),
        has_handles in any::<bool>(),
    ) {
        let mut model = Model::new(has_handles);
        steps.into_iter().for_each(|step| model.step(step));
        model.check();
    }
}
