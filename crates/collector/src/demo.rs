//! Demo: generator, collector and sink in one process, over real sockets, for a few seconds.

use std::time::Duration;

use anyhow::{Context as _, ensure};
use clap::Parser as _;
use runtime::budget::Budget;

use crate::bench_world::BenchWorld;
use crate::cli::{Cli, Command, SourceOptions};
use crate::generate::{GenerateOptions, Load, Summary};
use crate::load;
use crate::print::print_line;
use crate::sink::{Sink, SinkOptions, Totals};
use pipeline::graph::{Graph, World};

/// What the demo shows, drawn once.
const PICTURE: &str = "\
  generate ──OTLP/gRPC──▶ tidegate (otlp ▸ batch ▸ otlp) ──OTLP/gRPC──▶ sink
  each request is answered only when the sink has its items";

/// Runs the demo and prints what went through and how fast.
pub(crate) async fn run(seconds: u64) -> anyhow::Result<()> {
    print_line(PICTURE)?;
    let world = BenchWorld::new();
    // Held until the components share them, so that nobody else takes a port in between.
    let free_port = || world.network.listen_on_free_port("127.0.0.1").context("find a free port");
    let [(_door, door), (_sink_door, sink_door)] = [free_port()?, free_port()?];
    let sink = Sink::start(&world, &sink_options(&sink_door)?)?;
    let graph = start_collector(&world, &door, &sink_door).await?;
    let load = Load::start(&world, &generate_options(&door, seconds)?)?;
    let run = load.run_name();
    let summary = load.until(world.until(Some(Duration::from_secs(seconds)))).await?;
    let deadline = world.clock.now() + Duration::from_secs(10);
    graph.shut_down(deadline).await;
    let lost = summary.acknowledged.missing_in(sink.counting.run(&run).as_ref());
    let totals = sink.end(&world, Duration::from_secs(5)).await;
    report(&summary, &totals, lost)
}

fn report(summary: &Summary, totals: &Totals, lost: u64) -> anyhow::Result<()> {
    print_line(&summary.to_string())?;
    print_line(&totals.to_string())?;
    print_line(&format!(
        "verdict      {lost} acknowledged items are missing at the sink, {} arrived twice",
        totals.doubled
    ))?;
    ensure!(0 < summary.acknowledged_items, "nothing was acknowledged");
    ensure!(lost == 0, "{lost} acknowledged items were lost");
    Ok(())
}

async fn start_collector(world: &BenchWorld, door: &str, sink: &str) -> anyhow::Result<Graph> {
    let yaml = format!(
        "yaml:{{receivers: {{otlp: {{protocols: {{grpc: {{endpoint: '{door}'}}}}}}}}, \
         processors: {{batch: {{}}}}, \
         exporters: {{otlp: {{endpoint: '{sink}', compression: none, tls: {{insecure: true}}}}}}, \
         service: {{pipelines: {{logs: {{receivers: [otlp], processors: [batch], exporters: [otlp]}}}}}}}}"
    );
    let source = SourceOptions { config: vec![yaml], ..SourceOptions::default() };
    let loaded = load::load(&source, std::path::Path::new("."))?;
    let graph_world = World {
        clock: world.clock,
        scope: world.scope.child("collector"),
        metrics: world.metrics.clone(),
        health: Default::default(),
        tracer: pipeline::Tracer::default(),
        budget: Budget::root("demo", 1 << 30),
        network: world.network.clone(),
        data_dir: std::env::temp_dir(),
    };
    Ok(Graph::start(graph_world, &loaded.plan).await?)
}

/// The options as the command line would give them.
fn sink_options(address: &str) -> anyhow::Result<SinkOptions> {
    match Cli::try_parse_from(["tidegate", "sink", "--grpc", address, "--http", ""])?.command {
        Some(Command::Sink(options)) => Ok(*options),
        _ => anyhow::bail!("the command line of the sink changed"),
    }
}

fn generate_options(endpoint: &str, seconds: u64) -> anyhow::Result<GenerateOptions> {
    let seconds = seconds.to_string();
    let words = ["tidegate", "generate", "--endpoint", endpoint, "--seconds", &seconds];
    let words = words.into_iter().chain(["--connections", "2", "--concurrency", "32"]);
    match Cli::try_parse_from(words)?.command {
        Some(Command::Generate(options)) => Ok(*options),
        _ => anyhow::bail!("the command line of the generator changed"),
    }
}
