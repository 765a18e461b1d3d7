//! Logs: structured events, one line each, on the outputs that the configuration names.
//!
//! Owner of the files: the subscriber of this process, until it ends.
//! Invariant: a line is one write, so lines do not mix.

mod line;
mod output;

use config::service::Telemetry;
use config::service::telemetry::{Encoding, LogLevel};
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::fmt::format::{DefaultFields, JsonFields};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{Layer, Registry, reload};

use line::Line;
use output::Outputs;

/// The log of this process.
#[derive(Debug)]
pub(crate) struct Logs {
    level: reload::Handle<LevelFilter, Registry>,
}

impl Logs {
    /// Writes the events of this process where the settings say from now on.
    pub(crate) fn start(settings: &Telemetry) -> anyhow::Result<Self> {
        let outputs = Outputs::open(&settings.logs.output_paths)?;
        let is_terminal = outputs.is_terminal();
        let is_human = match settings.logs.encoding {
            Some(encoding) => encoding == Encoding::Console,
            None => is_terminal,
        };
        let (filter, level) = reload::Layer::new(filter(settings.logs.level));
        let lines = tracing_subscriber::fmt::layer().with_writer(outputs);
        let fields = &settings.logs.initial_fields;
        let lines = if is_human {
            let lines = lines.with_ansi(is_terminal).fmt_fields(DefaultFields::new());
            lines.event_format(Line::human(fields, is_terminal)).boxed()
        } else {
            let lines = lines.with_ansi(false).fmt_fields(JsonFields::new());
            lines.event_format(Line::json(fields)).boxed()
        };
        tracing_subscriber::registry().with(filter).with(lines).try_init()?;
        Ok(Self { level })
    }

    /// Writes events from this level on.
    pub(crate) fn set_level(&self, level: LogLevel) {
        // It fails when the subscriber is gone, and then there is nothing to filter.
        self.level.reload(filter(level)).ok();
    }
}

fn filter(level: LogLevel) -> LevelFilter {
    match level {
        LogLevel::Debug => LevelFilter::DEBUG,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Error => LevelFilter::ERROR,
    }
}
