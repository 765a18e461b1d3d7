//! Generate: sends a load of numbered telemetry and keeps exact count of the answers.
//!
//! It sends through the product's own exporters, without queue or retry, so that each answer is
//! the destination's. Owner of the counts: one [`Tally`] for each caller, joined at the end.
//! Bounds: `connections` x `concurrency` requests at a time.

mod load;
mod prose;
mod tally;
mod template;

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};
use wire::Signal;

pub(crate) use load::{Load, Progress};
pub(crate) use tally::Summary;

use crate::bench_world::BenchWorld;
use crate::destination::DestinationOptions;
use crate::ledger::Acknowledged;
use crate::print::{print_aside, print_line};

/// What to send, where, and how fast.
#[derive(Clone, Debug, Args)]
pub(crate) struct GenerateOptions {
    #[command(flatten)]
    pub(crate) destination: DestinationOptions,

    /// The signals to send, in turn.
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = [SignalName::Logs])]
    pub(crate) signal: Vec<SignalName>,

    /// Items a second over all connections, sent whether or not answers come (open loop); without
    /// it, each caller sends when it was answered (closed loop), and a little later when it was not
    /// served.
    #[arg(long, value_name = "ITEMS", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) rate: Option<u64>,

    /// Connections to open.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) connections: u16,

    /// Requests at a time on each connection.
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) concurrency: u32,

    /// Items in each request.
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub(crate) items: u32,

    /// Bytes of text in each item.
    #[arg(long, value_name = "BYTES", default_value_t = 128)]
    pub(crate) item_bytes: u32,

    /// How long to send, in seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 10)]
    pub(crate) seconds: u64,

    /// Ends after so many requests, if that is sooner.
    #[arg(long)]
    pub(crate) requests: Option<u64>,

    /// Writes which items were acknowledged to this file, for `sink --check`.
    #[arg(long, value_name = "FILE")]
    pub(crate) ledger: Option<PathBuf>,

    /// Prints the summary as one line of JSON, and no progress.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum SignalName {
    Logs,
    Traces,
    Metrics,
    Profiles,
}

impl From<SignalName> for Signal {
    fn from(name: SignalName) -> Self {
        match name {
            SignalName::Logs => Self::Logs,
            SignalName::Traces => Self::Traces,
            SignalName::Metrics => Self::Metrics,
            SignalName::Profiles => Self::Profiles,
        }
    }
}

/// Sends the load and prints what came of it.
pub(crate) async fn run(options: &GenerateOptions) -> anyhow::Result<()> {
    let world = BenchWorld::new();
    let load = Load::start(&world, options)?;
    let progress = load.progress();
    let ended = async {
        if options.json {
            world.until(Some(Duration::from_secs(options.seconds))).await
        } else {
            show_progress(&world, &progress, options.seconds).await
        }
    };
    let run = load.run_name();
    let summary = load.until(ended).await?;
    if let Some(path) = &options.ledger {
        Acknowledged::of(&run, &summary.acknowledged).write(path)?;
    }
    print_line(&if options.json { summary.to_json() } else { summary.to_string() })?;
    let error = summary.first_error.as_deref().unwrap_or("no answer came in time");
    anyhow::ensure!(0 < summary.acknowledged_items, "nothing was acknowledged: {error}");
    Ok(())
}

/// A line a second until the time is over or someone asks to end.
async fn show_progress(
    world: &BenchWorld,
    progress: &Progress,
    seconds: u64,
) -> anyhow::Result<()> {
    let lines = async {
        let mut before = 0;
        for second in 1..=seconds {
            world.clock.sleep(Duration::from_secs(1)).await;
            let now = progress.acknowledged_items();
            print_aside(&format!("{second:>4} s  {:>10} items/s  {now:>12} items", now - before));
            before = now;
        }
    };
    tokio::select! {
        () = lines => Ok(()),
        ended = world.until(None) => ended,
    }
}
