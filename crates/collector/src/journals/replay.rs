//! Replay: sends stored requests to a destination, and forgets those that it took.
//!
//! One after the other, in their order; it ends at the first that is not taken, so that nothing is
//! passed over. The journal must not be in use.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context as _, bail, ensure};
use delivery::entry::Entry as StoredEntry;
use journal::settings::SEGMENT_BYTES_MAX;
use journal::{Journal, Limits, Opened, Position, Recovered, Settings, Stored, StreamId};
use pipeline::{Answer, Built, Metadata};
use runtime::channel::{self, Ends};
use runtime::volume::{Entry, Volume as _};

use super::{Choice, Meter, Place};
use crate::bench_world::BenchWorld;
use crate::destination::{DestinationOptions, send};
use crate::print::print_aside;

/// More than any journal has: nothing is added but what is forgotten.
const BYTES_MAX: u64 = 1 << 40;

/// What names of streams and outcomes need.
const SEGMENT_BYTES_LEAST: u32 = 1 << 20;

/// Sends what was chosen; with `is_kept`, it stays stored.
pub(super) async fn replay(
    place: &Place,
    choice: &Choice,
    destination: &DestinationOptions,
    is_kept: bool,
) -> anyhow::Result<()> {
    let directory = place.open()?;
    let settings = settings(&directory.list()?);
    let Opened { journal, streams, .. } = journal::open(directory, settings)?;
    let streams = choice.of(&streams, |stream| (&stream.name, stream.id))?;
    let mut replay = Replay {
        world: BenchWorld::new(),
        journal,
        destination,
        exporter: None,
        is_kept,
        left: choice.limit,
        sent: 0,
        meter: Meter::over(streams.iter().map(|stream| stream.live_bytes).sum()),
        forgotten: Arc::default(),
    };
    let result = replay.all(&streams).await;
    replay.end().await;
    print_aside(&format!("{} requests were sent", replay.sent));
    result?;
    let kept = replay.sent - replay.forgotten.load(Ordering::Relaxed);
    ensure!(is_kept || kept == 0, "the disk did not take that {kept} of them are done with");
    Ok(())
}

/// Segments as large as those that are there, or lie ready: the disk may have room for nothing else.
fn settings(files: &[Entry]) -> Settings {
    let largest = files.iter().map(|file| file.bytes).max().unwrap_or(0);
    let largest = u32::try_from(largest).unwrap_or(SEGMENT_BYTES_MAX);
    let segment_bytes = largest.clamp(SEGMENT_BYTES_LEAST, SEGMENT_BYTES_MAX);
    Settings { segment_bytes, ..Settings::sized(BYTES_MAX) }
}

struct Replay<'a> {
    world: BenchWorld,
    journal: Journal,
    destination: &'a DestinationOptions,
    /// The exporter for requests with this metadata.
    exporter: Option<(Metadata, Built)>,
    is_kept: bool,
    left: u64,
    sent: u64,
    meter: Meter,
    /// Of these, what the disk knows to be done with.
    forgotten: Arc<AtomicU64>,
}

impl Replay<'_> {
    async fn all(&mut self, streams: &[&Recovered]) -> anyhow::Result<()> {
        for stream in streams {
            let mut after = None;
            while 0 < self.left
                && let Some(stored) = self.next(stream, after).await?
            {
                let (position, bytes) = (stored.position, stored.body.len());
                let place = || format!("record {} of stream {}", position.0, stream.id.0);
                self.one(stored).await.with_context(place)?;
                if !self.is_kept {
                    self.forget(stream.id, position);
                }
                after = Some(position);
                self.left -= 1;
                self.sent += 1;
                self.meter.add(bytes);
            }
        }
        Ok(())
    }

    fn forget(&self, stream: StreamId, position: Position) {
        let forgotten = Arc::clone(&self.forgotten);
        self.journal.forget_then(stream, vec![position..=position], move || {
            forgotten.fetch_add(1, Ordering::Relaxed);
        });
    }

    /// The next stored record.
    async fn next(
        &self,
        stream: &Recovered,
        after: Option<Position>,
    ) -> anyhow::Result<Option<Stored>> {
        let (sender, mut read) = channel::once(Ends { from: "journal", to: "replay" });
        let limits = Limits { records_max: 1, bytes_max: usize::MAX };
        self.journal.read(stream.id, after, limits, move |result| drop(sender.send(result)));
        let read = read.recv().await.context("the journal ended")??;
        Ok(read.records.into_iter().next())
    }

    /// Sends one request as its client sent it, with what was stored of its metadata.
    async fn one(&mut self, stored: Stored) -> anyhow::Result<()> {
        let StoredEntry { payload, metadata, .. } = StoredEntry::decode(stored.body)?;
        let items = payload.items();
        let exporter = self.exporter_for(&metadata).await?;
        match send(self.world.clock, &exporter, payload, self.destination.timeout()).await {
            Some(Answer::Delivered { rejected: 0, .. }) => Ok(()),
            Some(Answer::Delivered { rejected, .. }) => {
                print_aside(&format!("{rejected} of {items} items were rejected"));
                Ok(())
            }
            Some(Answer::Refused(status)) => bail!("it is refused again: {status}"),
            Some(Answer::RetryAfter { status, .. }) => bail!("it is not taken now: {status}"),
            Some(Answer::Unknown(status)) => bail!("it may have been taken: {status}"),
            None => bail!("there is no answer"),
        }
    }

    async fn exporter_for(&mut self, metadata: &Metadata) -> anyhow::Result<Built> {
        if let Some((known, exporter)) = &self.exporter
            && known == metadata
        {
            return Ok(exporter.clone());
        }
        self.close_exporter().await;
        let mut destination = self.destination.clone();
        let stored = metadata.iter();
        destination.header.extend(stored.flat_map(|(name, values)| {
            values.iter().map(move |value| (name.to_owned(), value.clone()))
        }));
        let exporter = destination.exporter(&self.world, "replay")?;
        self.exporter = Some((metadata.clone(), exporter.clone()));
        Ok(exporter)
    }

    async fn close_exporter(&mut self) {
        if let Some((_, exporter)) = self.exporter.take() {
            let deadline = self.world.clock.now() + self.destination.timeout();
            exporter.component.drain(deadline);
            exporter.component.close(deadline).await;
        }
    }

    /// What was forgotten is on disk when this ends.
    async fn end(&mut self) {
        self.close_exporter().await;
        self.journal.close();
    }
}
