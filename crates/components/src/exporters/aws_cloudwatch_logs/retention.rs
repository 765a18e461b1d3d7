//! Retention: says for new groups how long they keep their events.
//!
//! Owner of the groups that wait for it: one task, beside everything that puts events.
//! Bounds: [`GROUPS_MAX`] groups, [`ATTEMPTS_MAX`] tries each.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use runtime::channel::Receiver;
use runtime::random::Random;

use super::operation::{self, Operation};
use super::service::Service;
use super::telemetry::Telemetry;

/// Groups that may wait to be heard.
pub(super) const GROUPS_MAX: usize = 10_000;
const ATTEMPTS_MAX: u32 = 6;
const PAUSE: Duration = Duration::from_secs(1);
const TIMEOUT: Duration = Duration::from_secs(10);

/// Sets the retention of the groups that are named to it.
#[derive(Debug)]
pub(super) struct Retention {
    pub(super) service: Arc<Service>,
    pub(super) telemetry: Telemetry,
    pub(super) days: u32,
}

/// A group whose turn comes at a time; the number tells those of one time apart.
type Waiting = BTreeMap<(Instant, u64), (String, u32)>;

impl Retention {
    /// Serves until nobody can name a group.
    pub(super) async fn run(self, mut made: Receiver<String>) {
        let clock = self.service.clock;
        let random = Random::entropy();
        let mut waiting = Waiting::new();
        let mut number = 0;
        loop {
            let due = waiting.keys().next().map(|(at, _)| *at);
            let heard = match due {
                Some(due) => clock.by(due, made.recv()).await.ok(),
                None => Some(made.recv().await),
            };
            let (group, attempts) = match heard {
                Some(Some(group)) => (group, 0),
                Some(None) => return,
                None => match waiting.pop_first() {
                    Some((_, waited)) => waited,
                    None => continue,
                },
            };
            if self.set(&group, attempts + 1).await || GROUPS_MAX <= waiting.len() {
                continue;
            }
            let pause = random.jittered(PAUSE * 2_u32.pow(attempts), 0.25);
            number += 1;
            waiting.insert((clock.now() + pause, number), (group, attempts + 1));
        }
    }

    /// Tries once; says whether nothing is left to do.
    async fn set(&self, group: &str, attempt: u32) -> bool {
        let body = operation::put_retention_policy(group, self.days);
        let deadline = self.service.clock.now() + TIMEOUT;
        let called = self.service.call(Operation::PutRetentionPolicy, body, deadline).await;
        let Err(failure) = called else { return true };
        if attempt < ATTEMPTS_MAX {
            return false;
        }
        self.telemetry.retention_failed.add(1);
        let error = &failure.status;
        tracing::warn!(group, %error, "The retention of a new log group could not be set.");
        true
    }
}
