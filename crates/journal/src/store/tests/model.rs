//! The store beside a model of it: what was acknowledged and not forgotten is there, and nothing else,
//! through failures, closing, crashes and opening again.

use std::collections::BTreeMap;

use bytes::Bytes;
use proptest::prelude::*;
use runtime::random::Random;
use runtime::volume::simulated::{Crash, Fault, Simulated};

use super::super::Request;
use super::world::{Held, Submitted, Tale, Unhurried, World, held, open, settings};

const NAMES: [&str; 3] = ["one", "two", "a stream with a longer name"];

/// What is done next.
#[derive(Clone, Debug)]
enum Step {
    Append {
        name: usize,
        length: usize,
    },
    /// Of those that live.
    Forget(prop::sample::Index),
    End {
        name: usize,
    },
    /// What was asked is written; it may land later.
    Stage,
    /// What was asked is done.
    Commit,
    Land,
    Maintain,
    Mark,
    /// A call of the disk goes wrong, so many from now.
    Fault(u64, Fault),
    /// It is closed, killed, or loses power, and is opened again.
    Close,
    Crash(Crash),
}

fn step() -> impl Strategy<Value = Step> {
    let name = 0..NAMES.len();
    let fault = prop_oneof![Just(Fault::Fails), Just(Fault::Full)];
    let crash = prop_oneof![Just(Crash::Killed), Just(Crash::PowerLost)];
    prop_oneof![
        8 => (name.clone(), 0..700usize).prop_map(|(name, length)| Step::Append { name, length }),
        5 => any::<prop::sample::Index>().prop_map(Step::Forget),
        1 => name.prop_map(|name| Step::End { name }),
        5 => Just(Step::Stage),
        2 => Just(Step::Commit),
        2 => Just(Step::Land),
        2 => Just(Step::Maintain),
        1 => Just(Step::Mark),
        1 => (0..6u64, fault).prop_map(|(after, fault)| Step::Fault(after, fault)),
        1 => Just(Step::Close),
        2 => crash.prop_map(Step::Crash),
    ]
}

/// A store, what was asked of it and not handed over yet, and what its callers know: the model.
struct Subject {
    world: World,
    asked: Vec<Request>,
    random: Random,
}

impl Subject {
    fn new(seed: u64) -> Self {
        let random = Random::seeded(seed);
        let world = World::new(Simulated::new(seed), settings());
        let mut subject = Self { world, asked: Vec::new(), random };
        subject.hurry_not();
        subject
    }

    fn hurry_not(&mut self) {
        self.world.store.syncer = Box::new(Unhurried::new(&self.random));
    }

    fn take(&mut self, step: Step) {
        match step {
            Step::Append { name, length } => {
                let name = Bytes::from_static(NAMES[name].as_bytes());
                self.asked.push(self.world.append(&name, length, length as u32 % 9));
            }
            Step::Forget(which) => {
                let living = self.world.living();
                if !living.is_empty() {
                    self.asked.extend(self.world.forget(vec![*which.get(&living)]));
                }
            }
            Step::End { name } => self.end(NAMES[name]),
            Step::Stage => self.world.store.stage(std::mem::take(&mut self.asked)),
            Step::Commit => self.world.store.commit(std::mem::take(&mut self.asked)),
            Step::Land => self.world.store.land(),
            Step::Maintain => self.world.maintain(),
            Step::Mark => self.world.store.mark(),
            Step::Fault(after, fault) => {
                self.world.disk.fault_at(self.world.disk.steps() + after, fault);
            }
            Step::Close => {
                self.world.store.commit(std::mem::take(&mut self.asked));
                self.world.store.seal();
                self.reopen(Crash::Killed);
            }
            Step::Crash(crash) => self.reopen(crash),
        }
        if self.asked.is_empty() {
            self.check();
        }
    }

    /// Ends a stream with all that it has by then.
    fn end(&mut self, name: &'static str) {
        let name = Bytes::from_static(name.as_bytes());
        self.world.store.stage(std::mem::take(&mut self.asked));
        let stream = self.world.stream(&name);
        self.world.store.stage(vec![Request::End(stream)]);
        for one in self.world.tale.lock().unwrap().iter_mut().filter(|one| one.name == name) {
            one.forget_asked = one.forget_asked.or(Some(self.world.disk.steps()));
        }
    }

    /// What lives is what callers know to be stored and did not ask to forget.
    fn check(&self) {
        let tale = self.world.tale.lock().unwrap();
        let living = tale.iter().filter(|one| one.forget_asked.is_none());
        let expected: Held = living.filter_map(place).collect();
        assert_eq!(held(&self.world.store).unwrap(), expected);
    }

    /// The next process finds what the last one left.
    fn reopen(&mut self, crash: Crash) {
        self.asked.clear();
        let disk = Simulated::after(&self.world.disk.moment(), crash, self.random.number());
        let (store, _) = open(&disk, settings()).unwrap();
        let found = held(&store).unwrap();
        settle(&mut self.world.tale.lock().unwrap(), &found);
        let tale = Tale::clone(&self.world.tale);
        self.world = World { disk, store, tale };
        self.hurry_not();
    }
}

/// Where a record is that was acknowledged, and what it has.
fn place(one: &Submitted) -> Option<((Bytes, u64), (u32, Bytes))> {
    let Some((_, Ok(position))) = &one.answer else { return None };
    Some(((one.name.clone(), position.0), (one.weight, one.body.clone())))
}

/// Holds that what was found may be there and what must be there is; from now on that is known.
fn settle(tale: &mut [Submitted], found: &Held) {
    let mut numbers = BTreeMap::new();
    for ((name, position), (weight, body)) in found {
        let number = u64::from_le_bytes(body[..8].try_into().unwrap()) as usize;
        let one = &tale[number];
        assert_eq!((&one.name, one.weight, &one.body), (name, *weight, body));
        assert_eq!(numbers.insert(number, crate::Position(*position)), None, "it is there twice");
    }
    for (number, one) in tale.iter_mut().enumerate() {
        let position = numbers.get(&number).copied();
        if let (Some((_, Ok(known))), None) = (&one.answer, one.forget_asked) {
            assert_eq!(position, Some(*known), "{number} is lost");
        }
        assert!(position.is_none() || one.forget_durable.is_none(), "{number} came back");
        match position {
            Some(position) => (one.answer, one.forget_asked) = (Some((0, Ok(position))), None),
            None => one.forget_durable = one.forget_durable.or(Some(0)),
        }
        one.forget_asked = one.forget_asked.or(one.forget_durable);
    }
}

proptest! {
    #[test]
    fn the_store_does_what_its_model_does(
        seed in any::<u64>(),
        steps in prop::collection::vec(step(), 1..80),
    ) {
        let mut subject = Subject::new(seed);
        steps.into_iter().for_each(|step| subject.take(step));
        subject.take(Step::Close);
    }
}
