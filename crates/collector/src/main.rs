//! Tidegate, the product: command line, assembly, reload, admin.
//!
//! ```text
//! main ─ run ─┬─ graph (pipeline::graph): the components and their tasks
//!             ├─ telemetry: logs to stderr, metrics at localhost:8888
//!             └─ signals: SIGTERM and SIGINT drain, SIGHUP reloads
//! ```

mod bench_world;
mod cli;
mod demo;
mod destination;
mod embedded;
mod generate;
mod inspect;
mod journals;
mod ledger;
mod load;
mod print;
mod run;
mod schema;
mod sink;
mod telemetry;

use std::process::ExitCode;

use cli::{Cli, Command, MaskMode};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli = Cli::of_process();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(runtime::host::cpus())
        .enable_all()
        .build();
    let result = runtime.map_err(Into::into).and_then(|runtime| runtime.block_on(dispatch(cli)));
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            print::print_aside(&format!("tidegate: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

async fn dispatch(cli: Cli) -> anyhow::Result<()> {
    let Cli { source, run: options, command } = cli;
    match command.unwrap_or(Command::Run) {
        Command::Run => run::run(&source, &options).await,
        Command::Validate => load::validate(&source, &options.data_dir),
        Command::Components => print::print_text(&inspect::components()),
        Command::Featuregate { id } => print::print_text(&inspect::feature_gates(id.as_deref())?),
        Command::Schema => print::print_text(schema::OF_CONFIGURATION),
        Command::PrintConfig { mode, format, validate } => {
            if validate {
                load::load(&source, &options.data_dir)?;
            }
            let is_masked = mode == MaskMode::Redacted;
            print::print_text(&load::render(&source, &options.data_dir, is_masked, format)?)
        }
        Command::Generate(options) => generate::run(&options).await,
        Command::Sink(options) => sink::run(&options).await,
        Command::Demo { seconds } => demo::run(seconds).await,
        Command::Journal { command } => journals::run(&command).await,
        Command::Completion { shell } => {
            print::print_text(&String::from_utf8_lossy(&inspect::completion(shell)))
        }
        Command::Man { command } => {
            let page = inspect::manual(command.as_deref())?;
            print::print_text(&String::from_utf8_lossy(&page))
        }
    }
}
