//! Admission: memory for the whole inflated request, reserved once before it is opened.
//!
//! The reservation is what the body declares, else the most it may be. A body that turns out larger
//! is opened anew: it may only try for the most; failing that it gives all back and queues for that.
//! Owner of the threads: one pool a receiver; bodies that take over a millisecond of CPU are opened
//! there. Bounds: the wait at the door is the door's, the jobs of the pool are in number, and what
//! codecs need is taken off the limit at start.

mod opening;

use std::io;
use std::time::Instant;

use runtime::budget::{Budget, Permit};
use runtime::door::{Door, Turned};
use runtime::threads::Pool;
use wire::Payload;

use super::answer::TurnedAway;
use crate::compression::{self, CODEC_BYTES_MAX, Expected};
use opening::{Flawed, Opened, Opening};

pub(super) use opening::Wire;

/// How many bodies may wait for a thread; each has its memory already.
const JOBS_MAX: usize = 1024;
/// Codecs get a sixteenth of the memory at most.
const CODECS_PART: usize = 16;

/// Admits requests. Clones admit to the same memory.
#[derive(Clone, Debug)]
pub(super) struct Admission {
    pub door: Door,
    threads: Pool,
    /// What codecs need besides the bodies, set aside.
    _codecs: Option<Budget>,
}

/// On whose behalf, how much and until when.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asking<'a> {
    pub peer: &'a str,
    pub bytes_max: usize,
    pub deadline: Instant,
}

impl Admission {
    /// Admits through `door`, and opens bodies on up to `threads_max` threads. A codec may run on
    /// each of them, and on as many that serve connections.
    pub(super) fn new(door: Door, threads_max: usize) -> io::Result<Self> {
        let budget = door.budget();
        let codecs_max = budget.bytes_ever() / CODECS_PART / CODEC_BYTES_MAX;
        let threads = threads_max.min(codecs_max / 2).max(1);
        let bytes = 2 * threads * CODEC_BYTES_MAX;
        // A limit that has no room for that has none for requests either.
        let codecs = budget.child_with_minimum("codecs", bytes, bytes).ok();
        let threads = Pool::new("otlp receiver", threads, JOBS_MAX)?;
        Ok(Self { door, threads, _codecs: codecs })
    }

    /// Opens `wire` once there is memory for it.
    pub(super) async fn admit(
        &self,
        wire: Wire,
        asking: Asking<'_>,
    ) -> Result<(Payload, Permit), TurnedAway> {
        let most = asking.bytes_max.min(self.door.budget().bytes_ever() / wire.buffers());
        let mut room = match wire.algorithm.map(|name| compression::expected(name, &wire.bytes)) {
            Some(Expected::Declared(bytes)) if most < bytes => {
                return Err(TurnedAway::too_large(most));
            }
            expected => expected.map_or(wire.bytes.len(), Expected::bytes).min(most),
        };
        loop {
            let permit = self.enter(room * wire.buffers(), asking).await?;
            match self.open(Opening { wire: wire.clone(), room, most, permit }).await {
                Ok(opened) => return Ok(opened),
                // All is given back: who waits for more must not hold what others wait for.
                Err(Flawed::NoRoom) => room = most,
                Err(Flawed::TurnedAway(turned_away)) => return Err(turned_away),
            }
        }
    }

    async fn enter(&self, bytes: usize, asking: Asking<'_>) -> Result<Permit, TurnedAway> {
        let entered = self.door.enter(asking.peer, bytes, asking.deadline).await;
        entered.map_err(|turned: Turned| {
            if turned.is_never() {
                return TurnedAway::too_large(self.door.budget().bytes_ever());
            }
            TurnedAway::for_now(turned.retry_after, turned.to_string())
        })
    }

    async fn open(&self, mut opening: Opening) -> Result<(Payload, Permit), Flawed> {
        loop {
            let opened = if opening.is_long() {
                let opened = self.threads.run(|| opening.open()).await;
                opened.map_err(|error| Flawed::busy(error.to_string()))?
            } else {
                opening.open()
            };
            match opened? {
                Opened::Whole(payload, permit) => return Ok((payload, permit)),
                Opened::Longer(longer) => opening = longer.enlarged()?,
            }
        }
    }
}
