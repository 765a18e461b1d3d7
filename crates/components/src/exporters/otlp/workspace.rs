//! Workspace: the memory for bodies that are encoded anew, beside the data that they are made of.
//!
//! Owner: one for each exporter that encodes; what is encoded keeps its room until its call ends.
//! Bounds: an eighth of the limit; a sixty-fourth is set aside, so that there is room for one body
//! however full the process is. A larger body takes all of that, and is the only one meanwhile.

use std::time::Instant;

use pipeline::{Code, Environment, Status};
use runtime::budget::{Budget, Part, Permit, Portion};
use runtime::clock::Clock;

const SET_ASIDE: Part = Part { one_in: 64, bytes_least: 0 };
const MOST: Part = Part { one_in: 8, bytes_least: 0 };

/// The memory for encoded bodies.
#[derive(Debug)]
pub(crate) struct Workspace {
    /// None when requests are sent as they are.
    share: Option<Budget>,
    clock: Clock,
}

/// The room of one body, until it is dropped.
#[derive(Debug)]
pub(crate) struct Room(Option<Permit>);

impl Workspace {
    pub(crate) fn new(env: &Environment, is_encoding: bool) -> Self {
        let portion = Portion { min: SET_ASIDE, max: MOST };
        let name = format!("{}/encoding", env.id);
        Self { share: is_encoding.then(|| env.budget.portion(&name, portion)), clock: env.clock }
    }

    /// Waits for room to encode `bytes`. Nobody who has room waits for more, so it is given back by
    /// the ends of calls.
    pub(crate) async fn room(&self, bytes: usize, deadline: Instant) -> Result<Room, Status> {
        let Some(share) = &self.share else { return Ok(Room(None)) };
        let waited = self.clock.by(deadline, wait_for(share, bytes)).await;
        waited.map_err(|_| {
            Status::new(Code::Unavailable, "there was no memory to encode the request in time")
        })
    }
}

async fn wait_for(share: &Budget, bytes: usize) -> Room {
    if let Some(room) = take(share, bytes) {
        return room;
    }
    let freed = share.freed();
    loop {
        freed.listen();
        if let Some(room) = take(share, bytes) {
            return room;
        }
        freed.wait().await;
    }
}

fn take(share: &Budget, bytes: usize) -> Option<Room> {
    let set_aside = share.bytes_min();
    // With so many exporters that nothing is set aside, nothing can be waited for.
    if set_aside == 0 {
        return Some(Room(None));
    }
    share.try_take(bytes.min(set_aside)).map(|permit| Room(Some(permit)))
}

impl Room {
    /// Gives back what the body did not need.
    pub(crate) fn shrink_to(&mut self, bytes: usize) {
        if let Some(permit) = &mut self.0 {
            permit.shrink_to(bytes);
        }
    }
}

#[cfg(test)]
mod tests;
