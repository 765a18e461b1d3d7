//! Logs: structured events on stderr.

use std::io::IsTerminal as _;

use config::service::Telemetry;
use config::service::telemetry::{Encoding, LogLevel};
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::fmt::format::FmtSpan;

/// Sends the events of this process to stderr from now on. A second call changes nothing.
pub(crate) fn start(settings: &Telemetry) {
    let is_terminal = std::io::stderr().is_terminal();
    let builder = tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_max_level(filter(settings.logs.level))
        .with_span_events(FmtSpan::NONE)
        .with_target(true);
    let is_human = match settings.logs.encoding {
        Some(encoding) => encoding == Encoding::Console,
        None => is_terminal,
    };
    // Both fail only when a subscriber is there already: the commands of one process share it.
    if is_human {
        builder.with_ansi(is_terminal).try_init().ok();
    } else {
        builder.json().flatten_event(true).try_init().ok();
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
