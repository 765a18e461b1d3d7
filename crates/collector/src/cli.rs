//! The command line: one definition for parsing, help, completions and the man page.

use std::path::PathBuf;

use clap::error::ErrorKind;
use clap::parser::ValueSource;
use clap::{
    ArgMatches, Args, CommandFactory as _, FromArgMatches as _, Parser, Subcommand, ValueEnum,
};
use clap_complete::Shell;

use crate::generate::GenerateOptions;
use crate::journals::JournalCommand;
use crate::sink::SinkOptions;

/// A telemetry collector that never hangs, never loses what it acknowledged, and tells every caller
/// the truth in time. It reads OpenTelemetry Collector configuration.
#[derive(Debug, Parser)]
#[command(name = "tidegate", version, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) source: SourceOptions,

    #[command(flatten)]
    pub(crate) run: RunOptions,

    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

impl Cli {
    /// The command line of this process; ends it when that is wrong, or asks for help.
    pub(crate) fn of_process() -> Self {
        Self::of(std::env::args_os()).unwrap_or_else(|error| error.exit())
    }

    /// Reads a command line.
    pub(crate) fn of(
        words: impl IntoIterator<Item = impl Into<std::ffi::OsString> + Clone>,
    ) -> Result<Self, clap::Error> {
        let matches = Self::command().try_get_matches_from(words)?;
        if let Some((name, command)) = idle_option(&matches) {
            let message = format!(
                "`--{name}` has no effect on `tidegate {command}`: it is about the collector\n\n  \
                 tip: remove it"
            );
            return Err(Self::command().error(ErrorKind::ArgumentConflict, message));
        }
        Self::from_arg_matches(&matches)
    }
}

/// Options of the collector, and the commands that heed them; without a command it runs.
const HEEDED: &[(&str, &str, &[&str])] = &[
    ("config", "config", &["run", "validate", "print-config"]),
    ("set", "set", &["run", "validate", "print-config"]),
    ("feature_gates", "feature-gates", &["run", "validate", "print-config"]),
    ("data_dir", "data-dir", &["run", "validate", "print-config"]),
    ("drain_timeout", "drain-timeout", &["run"]),
];

/// An option that was given to a command which does not heed it.
fn idle_option(matches: &ArgMatches) -> Option<(&'static str, String)> {
    let (command, own) = matches.subcommand()?;
    let is_given = |id: &str| own.value_source(id) == Some(ValueSource::CommandLine);
    let is_idle =
        |(id, _, commands): &&(&str, &str, &[&str])| !commands.contains(&command) && is_given(id);
    HEEDED.iter().find(is_idle).map(|(_, name, _)| (*name, command.to_owned()))
}

/// Where the configuration comes from.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Configuration")]
pub(crate) struct SourceOptions {
    /// Configuration source: a file path, `file:PATH`, `env:NAME` or `yaml:TEXT`. May be given
    /// several times; later ones are merged over earlier ones. Without any, an embedded default is
    /// run: OTLP in, batches, a debug and a rotating file exporter out.
    #[arg(long, value_name = "SOURCE", global = true)]
    pub(crate) config: Vec<String>,

    /// Sets one key over all sources, such as `exporters.otlp.endpoint=localhost:4317`.
    #[arg(long, value_name = "KEY=VALUE", global = true)]
    pub(crate) set: Vec<String>,

    /// Turns feature gates on (`name` or `+name`) or off (`-name`), separated by commas.
    #[arg(long, value_name = "GATES", global = true, allow_hyphen_values = true)]
    pub(crate) feature_gates: Vec<String>,
}

/// How the collector runs.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Collector")]
pub(crate) struct RunOptions {
    /// Where the collector keeps files that are not named in the configuration.
    #[arg(
        long,
        value_name = "DIR",
        env = "STATE_DIRECTORY",
        default_value = "./tidegate-data",
        global = true
    )]
    pub(crate) data_dir: PathBuf,

    /// How long a shutdown, or the end of what a reload replaced, may take, in seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 20, global = true)]
    pub(crate) drain_timeout: u64,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Runs the collector (what happens without a command, too).
    Run,
    /// Checks the configuration and says everything that is wrong with it.
    Validate,
    /// Prints the components this binary has, as YAML.
    Components,
    /// Prints the feature gates, or one of them.
    Featuregate {
        /// The gate to print.
        id: Option<String>,
    },
    /// Prints one JSON schema of the whole configuration, for editors.
    Schema,
    /// Prints the configuration as it is after merging and expansion, secrets masked.
    #[command(alias = "print-initial-config")]
    PrintConfig {
        /// Whether secrets are masked.
        #[arg(long, value_enum, default_value_t = MaskMode::Redacted)]
        mode: MaskMode,
        /// The format to print.
        #[arg(long, value_enum, default_value_t = PrintFormat::Yaml)]
        format: PrintFormat,
        /// Also checks the configuration.
        #[arg(long)]
        validate: bool,
    },
    /// Sends a load of generated telemetry to an OTLP endpoint.
    Generate(Box<GenerateOptions>),
    /// Runs an OTLP back end that counts and verifies what arrives, and can misbehave on request.
    Sink(Box<SinkOptions>),
    /// Runs a generator, a collector and a sink in one process and prints what went through.
    Demo {
        /// How long to send, in seconds.
        #[arg(long, default_value_t = 5)]
        seconds: u64,
    },
    /// Looks into the journal of a durable queue, checks it, repairs it, takes its contents out.
    Journal {
        #[command(subcommand)]
        command: JournalCommand,
    },
    /// Prints a completion script.
    Completion {
        /// The shell to complete for.
        shell: Shell,
    },
    /// Prints a page of the manual, in roff.
    Man {
        /// The command to print the page of; without it, the page of `tidegate` itself.
        command: Option<String>,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum MaskMode {
    Redacted,
    Unredacted,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum PrintFormat {
    Yaml,
    Json,
}
