//! Line: how one event is written, with the fields that every line of this process has.

use std::collections::BTreeMap;
use std::fmt;

use tracing::{Event, Subscriber};
use tracing_subscriber::fmt::format::{Format, Full, Json, Writer};
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

/// The format of lines.
#[derive(Debug)]
pub(super) struct Line<F> {
    event: F,
    /// What is written after the event's own fields.
    fields: String,
    /// What ends a line; the fields stand before it.
    end: &'static str,
}

impl Line<Format<Full>> {
    /// Lines for people.
    pub(super) fn human(fields: &BTreeMap<String, String>, has_colours: bool) -> Self {
        let fields = fields.iter().map(|(key, value)| format!(" {key}={value:?}")).collect();
        Self { event: Format::default().with_ansi(has_colours), fields, end: "\n" }
    }
}

impl Line<Format<Json>> {
    /// Lines that are JSON objects.
    pub(super) fn json(fields: &BTreeMap<String, String>) -> Self {
        let text = |text: &String| serde_json::Value::from(text.as_str());
        let field = |(key, value)| format!(",{}:{}", text(key), text(value));
        let fields = fields.iter().map(field).collect();
        Self { event: Format::default().json().flatten_event(true), fields, end: "}\n" }
    }
}

impl<S, N, F> FormatEvent<S, N> for Line<F>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
    F: FormatEvent<S, N>,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        if self.fields.is_empty() {
            return self.event.format_event(context, writer, event);
        }
        let mut line = String::new();
        self.event.format_event(context, Writer::new(&mut line), event)?;
        writer.write_str(line.strip_suffix(self.end).unwrap_or(&line))?;
        writer.write_str(&self.fields)?;
        writer.write_str(self.end)
    }
}
