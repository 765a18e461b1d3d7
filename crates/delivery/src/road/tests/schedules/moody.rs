//! A destination that behaves in a certain manner, and sees what it must not: too many attempts at
//! once, or two of one ordered target.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use pipeline::{Context, Verdict};
use runtime::clock::Clock;
use runtime::random::Random;
use wire::Payload;

use super::super::bench::{millis, secs, unavailable};
use crate::{Attempt, Destination, Reply, Scope, Settings, Target, Targets};

/// How a destination behaves, at its targets but the first, which always works if there are several.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::road::tests) enum Manner {
    /// Takes a while.
    Works,
    /// Fails every other attempt.
    Falters,
    /// Fails every attempt.
    Fails,
    /// Never answers.
    Swallows,
    /// Every third attempt panics.
    Panics,
    /// Its credential has expired, and is renewed after a while.
    Expired,
}

/// How requests are spread over targets.
#[derive(Clone, Copy, Debug)]
pub(in crate::road::tests) enum Spread {
    OneTarget,
    /// All of a request goes to one of so many.
    Requests(usize),
    /// Each request has items for so many.
    Items(usize),
}

/// What destinations saw.
#[derive(Debug, Default)]
pub(in crate::road::tests) struct Seen {
    pub(in crate::road::tests) taken_items: usize,
    pub(in crate::road::tests) faults: Vec<String>,
}

pub(in crate::road::tests) struct Moody {
    manner: Manner,
    spread: Spread,
    attempts: Random,
    renewed_at: Instant,
    flying_max: usize,
    is_ordered: bool,
    flying: Arc<Mutex<BTreeMap<Target, usize>>>,
    seen: Arc<Mutex<Seen>>,
}

/// Counts an attempt while it is under way, however it ends.
struct Flight {
    flying: Arc<Mutex<BTreeMap<Target, usize>>>,
    target: Target,
}

impl Drop for Flight {
    fn drop(&mut self) {
        *self.flying.lock().unwrap().get_mut(&self.target).unwrap() -= 1;
    }
}

impl Spread {
    pub(super) fn len(self) -> usize {
        match self {
            Self::OneTarget => 1,
            Self::Requests(targets) | Self::Items(targets) => targets,
        }
    }

    fn target(number: usize) -> Target {
        Target::new([number.to_string()], [Scope::new("credential")])
    }
}

impl Moody {
    pub(in crate::road::tests) fn new(
        manner: Manner,
        spread: Spread,
        settings: &Settings,
        seen: &Arc<Mutex<Seen>>,
    ) -> Self {
        let workers = settings.queue.as_ref().map_or(usize::MAX, |queue| queue.num_consumers);
        let trials = if 1 < spread.len() { (workers / 2).max(1) } else { 0 };
        // What takes a second makes room for others.
        let slow = if manner == Manner::Swallows { workers.max(64) } else { 0 };
        Self {
            manner,
            spread,
            attempts: Random::entropy(),
            renewed_at: Clock.now() + secs(2),
            flying_max: workers.saturating_add(trials).saturating_add(slow),
            is_ordered: settings.lanes.is_ordered,
            flying: Arc::default(),
            seen: Arc::clone(seen),
        }
    }

    fn take_off(&self, target: &Target) -> Flight {
        let mut flying = self.flying.lock().unwrap();
        *flying.entry(target.clone()).or_default() += 1;
        let all = flying.values().sum::<usize>();
        let mut seen = self.seen.lock().unwrap();
        if self.flying_max < all {
            seen.faults.push(format!("{all} attempts at once"));
        }
        if self.is_ordered && 1 < flying[target] {
            seen.faults.push(format!("two attempts of ordered target `{target}` at once"));
        }
        Flight { flying: Arc::clone(&self.flying), target: target.clone() }
    }

    /// What becomes of an attempt, and how long that takes.
    fn reply(&self, target: &Target) -> (Duration, Reply) {
        let number = self.attempts.below(6);
        let is_spared =
            1 < self.spread.len() && target.names().first().is_some_and(|n| &**n == "0");
        let verdict = match self.manner {
            _ if is_spared && self.manner != Manner::Expired => Verdict::Delivered,
            Manner::Falters if number.is_multiple_of(2) => unavailable(Some(millis(100))),
            Manner::Fails => unavailable(None),
            Manner::Swallows => return (secs(1000), Verdict::Delivered.into()),
            Manner::Panics => {
                assert!(!number.is_multiple_of(3), "on purpose");
                Verdict::Delivered
            }
            Manner::Expired if Clock.now() < self.renewed_at => {
                let verdict = unavailable(Some(millis(300)));
                if number == 0 {
                    // Not a word on the credential.
                    let Verdict::RetryAfter { status, .. } = verdict else { unreachable!() };
                    return (millis(number), Verdict::Unknown(status).into());
                }
                let scope = Some(Scope::new("credential"));
                return (millis(number), Reply { scope, ..verdict.into() });
            }
            _ => Verdict::Delivered,
        };
        (millis(number), verdict.into())
    }
}

impl Destination for Moody {
    async fn send(&self, attempt: Attempt) -> Reply {
        let _flight = self.take_off(&attempt.target);
        let (takes, reply) = self.reply(&attempt.target);
        Clock.sleep(takes).await;
        if reply.verdict == Verdict::Delivered {
            self.seen.lock().unwrap().taken_items += attempt.payload.items();
        }
        reply
    }

    fn targets(&self, payload: &Payload, _context: &Context) -> Targets {
        match self.spread {
            Spread::OneTarget => Targets::default(),
            Spread::Requests(targets) => Targets::One(Spread::target(payload.items() % targets)),
            Spread::Items(targets) => {
                let of_target = |number| {
                    let own = (number..payload.items()).step_by(targets);
                    (Spread::target(number), own.map(|item| item..item + 1).collect())
                };
                Targets::Several((0..targets).map(of_target).collect())
            }
        }
    }
}
