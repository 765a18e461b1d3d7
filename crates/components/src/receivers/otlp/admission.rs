//! Admission: memory for the whole inflated request, reserved once before it is inflated.
//!
//! The reservation is what the body declares, else the most it may be. A body that turns out larger
//! may only try for more; failing that it gives all back and queues for the most it may be.
//! Bounds: the wait at the door is the door's. See DESIGN, section 1.

use std::time::Instant;

use bytes::Bytes;
use runtime::budget::Permit;
use runtime::door::{Door, Turned};

use super::answer::TurnedAway;
use crate::compression::{self, Algorithm, Flaw, Room};

/// A body as it came over the wire.
#[derive(Clone, Debug)]
pub(super) struct Wire {
    pub bytes: Bytes,
    pub algorithm: Option<Algorithm>,
}

/// On whose behalf, how much and until when.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asking<'a> {
    pub peer: &'a str,
    pub bytes_max: usize,
    pub deadline: Instant,
}

/// Inflates `wire` once there is memory for it.
pub(super) async fn admit(
    door: &Door,
    wire: Wire,
    asking: Asking<'_>,
) -> Result<(Bytes, Permit), TurnedAway> {
    let Some(algorithm) = wire.algorithm else {
        let permit = enter(door, wire.bytes.len(), asking).await?;
        return Ok((wire.bytes, permit));
    };
    let most = asking.bytes_max.min(door.budget().bytes_ever());
    let declared = compression::declared_size(algorithm, &wire.bytes);
    let mut reserved = declared.unwrap_or(most).min(most);
    loop {
        let mut permit = enter(door, reserved, asking).await?;
        let room = &mut Growing(&mut permit);
        match compression::inflate(algorithm, &wire.bytes, asking.bytes_max, room) {
            Ok(bytes) => {
                permit.shrink_to(bytes.len());
                return Ok((bytes, permit));
            }
            Err(Flaw::NoRoom) if reserved < most => reserved = most,
            Err(Flaw::NoRoom) => return Err(TurnedAway::too_large(most)),
            Err(Flaw::TooLarge { bytes_max }) => return Err(TurnedAway::too_large(bytes_max)),
            Err(flaw @ Flaw::Corrupt(_)) => return Err(TurnedAway::invalid(flaw.to_string())),
        }
    }
}

async fn enter(door: &Door, bytes: usize, asking: Asking<'_>) -> Result<Permit, TurnedAway> {
    let entered = door.enter(asking.peer, bytes, asking.deadline).await;
    entered.map_err(|turned: Turned| {
        if turned.is_never() {
            return TurnedAway::too_large(door.budget().bytes_ever());
        }
        TurnedAway::for_now(turned.retry_after, turned.to_string())
    })
}

/// A permit that tries for what it is asked to hold.
struct Growing<'a>(&'a mut Permit);

impl Room for Growing<'_> {
    fn grow(&mut self, bytes: usize) -> Result<(), Flaw> {
        let more = bytes.saturating_sub(self.0.bytes());
        if more == 0 || self.0.try_grow(more) { Ok(()) } else { Err(Flaw::NoRoom) }
    }
}
