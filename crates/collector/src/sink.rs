//! Sink: an OTLP back end that counts and verifies what arrives, and can misbehave on request.
//!
//! It is the product's own OTLP receiver in front of a consumer that keeps a ledger, so whatever the
//! receiver accepts, the sink can count. Owner of the ledger: [`Counting`], behind one short lock.

pub(crate) mod behaviour;
pub(crate) mod cloudwatch;
mod counting;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use pipeline::{Component, Outlet, Outlets};
use runtime::task::Scope;
use wire::Signal;

pub(crate) use behaviour::Behaviour;
use cloudwatch::{CloudWatchOptions, CloudWatchSink};
pub(crate) use counting::{Counting, Totals};

use crate::bench_world::BenchWorld;
use crate::ledger::Acknowledged;
use crate::print::{print_aside, print_line};

/// What the sink listens on and how it behaves.
#[derive(Clone, Debug, Args)]
pub(crate) struct SinkOptions {
    /// Where to listen for OTLP over gRPC; empty for nowhere.
    #[arg(long, value_name = "ADDRESS", default_value = "localhost:4317")]
    pub(crate) grpc: String,

    /// Where to listen for OTLP over HTTP; empty for nowhere.
    #[arg(long, value_name = "ADDRESS", default_value = "localhost:4318")]
    pub(crate) http: String,

    #[command(flatten)]
    pub(crate) behaviour: Behaviour,

    #[command(flatten)]
    pub(crate) cloudwatch: CloudWatchOptions,

    /// Ends after so many seconds; without it, at SIGTERM or SIGINT.
    #[arg(long, value_name = "SECONDS")]
    pub(crate) seconds: Option<u64>,

    /// At its end, tells how many of the items in this ledger of `generate` did not arrive; any is
    /// a failure. May be given several times.
    #[arg(long, value_name = "FILE")]
    pub(crate) check: Vec<PathBuf>,

    /// Prints the totals as one line of JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

/// A running sink.
#[derive(Debug)]
pub(crate) struct Sink {
    receiver: Arc<dyn Component>,
    pub(crate) counting: Arc<Counting>,
}

impl Sink {
    /// Listens and counts.
    pub(crate) fn start(world: &BenchWorld, options: &SinkOptions) -> anyhow::Result<Self> {
        let scope: Scope = world.scope.child("sink");
        let counting = Arc::new(Counting::new(world.clock, scope, options.behaviour.clone()));
        let consumer: Arc<dyn pipeline::Consumer> = Arc::clone(&counting) as _;
        let outlets: Outlets = Signal::ALL
            .into_iter()
            .map(|signal| (signal, Outlet::to(Arc::clone(&consumer))))
            .collect();
        let receiver = world.receiver("otlp/sink", &receiver_yaml(options), outlets)?;
        Ok(Self { receiver, counting })
    }

    /// Stops listening; gives what was counted.
    pub(crate) async fn end(self, world: &BenchWorld, within: Duration) -> Totals {
        let deadline = world.clock.now() + within;
        self.receiver.drain(deadline);
        self.receiver.close(deadline).await;
        self.counting.totals()
    }
}

/// Runs a sink until it is asked to end.
pub(crate) async fn run(options: &SinkOptions) -> anyhow::Result<()> {
    let world = BenchWorld::new();
    if let Some(address) = &options.cloudwatch.cloudwatch {
        return run_cloudwatch(&world, address, options).await;
    }
    let sink = Sink::start(&world, options)?;
    let doors = [("gRPC", &options.grpc), ("HTTP", &options.http)];
    let doors: Vec<String> = doors
        .iter()
        .filter(|(_, address)| !address.is_empty())
        .map(|(protocol, address)| format!("{protocol} on {address}"))
        .collect();
    print_aside(&format!("sink: listening, {}", doors.join(", ")));
    world.until(options.seconds.map(Duration::from_secs)).await?;
    let counting = Arc::clone(&sink.counting);
    let totals = sink.end(&world, Duration::from_secs(5)).await;
    print_line(&if options.json { totals.to_json() } else { totals.to_string() })?;
    check(options, |acknowledged| counting.with_ledger(|ledger| acknowledged.missing_in(ledger)))
}

async fn run_cloudwatch(
    world: &BenchWorld,
    address: &str,
    options: &SinkOptions,
) -> anyhow::Result<()> {
    let sink = CloudWatchSink::start(world, address, &options.cloudwatch)?;
    print_aside(&format!("sink: listening, CloudWatch Logs on http://{}", sink.address));
    world.until(options.seconds.map(Duration::from_secs)).await?;
    let account = sink.account.clone();
    let totals = sink.end(Duration::from_secs(5)).await;
    print_line(&if options.json { totals.to_json() } else { totals.to_string() })?;
    check(options, |acknowledged| account.with(|account| acknowledged.missing_in(&account.ledger)))
}

/// Fails when items of the ledgers that were asked for are missing.
fn check(options: &SinkOptions, missing_of: impl Fn(&Acknowledged) -> u64) -> anyhow::Result<()> {
    let mut missing = 0;
    for path in &options.check {
        missing += missing_of(&Acknowledged::read(path)?);
    }
    anyhow::ensure!(missing == 0, "{missing} acknowledged items did not arrive");
    Ok(())
}

/// The receiver's limits are lifted: what a load test sends is the tester's business.
fn receiver_yaml(options: &SinkOptions) -> String {
    let mut yaml = "protocols:\n".to_owned();
    if !options.grpc.is_empty() {
        yaml += &format!(
            "  grpc:\n    endpoint: \"{}\"\n    max_recv_msg_size_mib: 64\n",
            options.grpc
        );
    }
    if !options.http.is_empty() {
        yaml += &format!(
            "  http:\n    endpoint: \"{}\"\n    max_request_body_size: 67108864\n",
            options.http
        );
    }
    yaml
}
