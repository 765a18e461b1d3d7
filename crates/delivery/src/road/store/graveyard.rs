//! Graveyard: what was refused for good, recorded so that it can be looked at and sent again.
//!
//! Bounds: `bytes_max` of records; the oldest make room for the newest, and that is told.

use bytes::Bytes;
use journal::{AppendError, Journal, Position};
use pipeline::{Code, Status};

use super::lease::Lease;
use super::refused_part;
use crate::Target;
use crate::engine::{EnvelopeId, Refused};
use crate::entry::{Entry, stream_name};
use crate::road::{Signal, ToOwner};

#[derive(Debug)]
pub(super) struct Graveyard {
    pub(super) lease: Lease,
    bytes_max: u64,
    post: ToOwner,
}

impl Graveyard {
    pub(super) fn new(lease: Lease, bytes_max: u64, post: ToOwner) -> Self {
        Self { lease, bytes_max, post }
    }

    pub(super) fn bury(&mut self, envelope: EnvelopeId, entry: &Entry, refused: &Refused) {
        let post = self.post.clone();
        let Some(part) = refused_part(entry, refused) else {
            return post.signal(Signal::Buried(envelope, Ok(())));
        };
        let journal = self.lease.journal().clone();
        let name = stream_name(part.payload.signal(), &part.metadata, &Target::default());
        let stream = match journal.stream(name) {
            Ok(stream) => stream,
            Err(error) => {
                let status = Status::new(Code::Unavailable, error.to_string());
                return post.signal(Signal::Buried(envelope, Err(status)));
            }
        };
        let body = part.encode();
        let bytes = body.iter().map(Bytes::len).sum::<usize>() as u64;
        make_room(&journal, self.bytes_max, bytes);
        let weight = u32::try_from(part.payload.items()).unwrap_or(u32::MAX);
        let (bytes_max, held) = (self.bytes_max, journal.clone());
        journal.append(stream, weight, body, move |result| {
            // Others may have been recorded meanwhile, and did not see this one.
            make_room(&held, bytes_max, 0);
            let result = match result {
                // It would never be taken: that it is lost is told, and the queue goes on.
                Err(AppendError::TooLarge { .. }) => {
                    tracing::error!("A refused request is larger than what can be recorded.");
                    Ok(())
                }
                Err(error) => Err(Status::new(Code::Unavailable, error.to_string())),
                Ok(_) => Ok(()),
            };
            post.signal(Signal::Buried(envelope, result));
        });
    }
}

/// The oldest records of the largest stream go when there is no room for `bytes`: an eighth of them, so
/// that it is not for each record, or as many as are too many.
fn make_room(journal: &Journal, bytes_max: u64, bytes: u64) {
    let excess = (journal.usage().live_bytes + bytes).saturating_sub(bytes_max);
    if excess == 0 {
        return;
    }
    let streams = journal.streams();
    let Some(largest) = streams.iter().max_by_key(|stream| stream.live_bytes) else { return };
    let Some(first) = largest.first else { return };
    let usual = (largest.live_bytes / largest.live_records.max(1)).max(1);
    let count = excess.div_ceil(usual).max(largest.live_records / 8).min(largest.live_records);
    tracing::warn!(records = count, "The oldest refusals make room for new ones.");
    journal.forget(largest.id, vec![first..=Position(first.0 + count - 1)]);
}
