//! Admission: memory for the whole inflated request, reserved once before it is opened.
//!
//! The reservation is what the body declares, else the most it may be. A body that turns out larger
//! may only try for more; failing that it gives all back and queues for the most it may be.
//! Owner of the threads: one pool a receiver; bodies that take over a millisecond of CPU are opened
//! there. Bounds: the wait at the door is the door's, the jobs of the pool are in number.

mod opening;

use std::time::Instant;

use runtime::budget::Permit;
use runtime::door::{Door, Turned};
use runtime::threads::Pool;
use wire::Payload;

use super::answer::TurnedAway;
use crate::compression;
use opening::{Flawed, Opening};

pub(super) use opening::Wire;

/// Admits requests. Clones admit to the same memory.
#[derive(Clone, Debug)]
pub(super) struct Admission {
    pub door: Door,
    pub threads: Pool,
}

/// On whose behalf, how much and until when.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asking<'a> {
    pub peer: &'a str,
    pub bytes_max: usize,
    pub deadline: Instant,
}

impl Admission {
    /// Opens `wire` once there is memory for it.
    pub(super) async fn admit(
        &self,
        wire: Wire,
        asking: Asking<'_>,
    ) -> Result<(Payload, Permit), TurnedAway> {
        let most = asking.bytes_max.min(self.door.budget().bytes_ever());
        let declared = match wire.algorithm {
            Some(algorithm) => compression::declared_size(algorithm, &wire.bytes),
            None => Some(wire.bytes.len()),
        };
        let mut reserved = declared.unwrap_or(most).min(most);
        loop {
            let permit = self.enter(reserved, asking).await?;
            let bytes_max = asking.bytes_max;
            let opening = Opening { wire: wire.clone(), declared, bytes_max, permit };
            match self.open(opening).await {
                Ok(opened) => return Ok(opened),
                Err(Flawed::NoRoom) if reserved < most => reserved = most,
                Err(Flawed::NoRoom) => return Err(TurnedAway::too_large(most)),
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

    async fn open(&self, opening: Opening) -> Result<(Payload, Permit), Flawed> {
        if !opening.is_long() {
            return opening.open();
        }
        let opened = self.threads.run(|| opening.open()).await;
        opened.unwrap_or_else(|error| Err(Flawed::busy(error.to_string())))
    }
}
