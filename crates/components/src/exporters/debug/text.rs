//! Text: what the `debug` exporter says about a request, at each verbosity.

use std::io::{self, Write};
use std::time::SystemTime;

use wire::Signal;
use wire::protobuf::Fields;
use wire::schema::{self, Message, Table};

use super::config::Verbosity;
use super::detailed::{Printer, hex};
use crate::calendar::{rfc3339, unix_nanos};

/// One request, to be written about.
#[derive(Clone, Copy, Debug)]
pub(super) struct Text<'a> {
    /// Whose output it is.
    pub(super) id: &'a str,
    pub(super) signal: Signal,
    pub(super) request: &'a [u8],
    pub(super) items: usize,
}

impl<'a> Text<'a> {
    /// The line about the whole request.
    pub(super) fn summary(self, out: &mut dyn Write, now: SystemTime) -> io::Result<()> {
        let now = rfc3339(unix_nanos(now));
        let Self { id, signal, items, .. } = self;
        let resources = members(self.request, 1).count();
        let items_name = signal.items_name();
        write!(out, "{now} {id} {signal} resources={resources}")?;
        if signal == Signal::Metrics {
            let metrics = members(self.request, 1).flat_map(|resource| members(resource, 2));
            write!(out, " metrics={}", metrics.flat_map(|scope| members(scope, 2)).count())?;
        }
        writeln!(out, " {items_name}={items}")
    }

    /// What follows the summary.
    pub(super) fn items(self, out: &mut dyn Write, verbosity: Verbosity) -> io::Result<()> {
        let printer = Printer { strings: self.strings() };
        match verbosity {
            Verbosity::Basic => Ok(()),
            Verbosity::Normal => self.lines(out, &printer),
            Verbosity::Detailed => {
                printer.message(out, schema::request(self.signal), self.request, 1)
            }
        }
    }

    fn strings(self) -> Vec<&'a str> {
        if self.signal != Signal::Profiles {
            return Vec::new();
        }
        let dictionary = members(self.request, 2).last().unwrap_or_default();
        let strings = Table::Strings.field_number();
        let strings = Fields::of(dictionary).filter(|field| field.number == strings);
        strings.map(|field| field.text()).collect()
    }

    fn lines(self, out: &mut dyn Write, printer: &Printer<'a>) -> io::Result<()> {
        for resource_group in members(self.request, 1) {
            let resource = members(resource_group, 1).last().unwrap_or_default();
            writeln!(out, "  resource{}", attributes(printer, &schema::RESOURCE, resource))?;
            for scope_group in members(resource_group, 2) {
                let scope = members(scope_group, 1).last().unwrap_or_default();
                let name = value(printer, &schema::INSTRUMENTATION_SCOPE, scope, "name");
                let shown = attributes(printer, &schema::INSTRUMENTATION_SCOPE, scope);
                writeln!(out, "    scope {name}{shown}")?;
                for item in members(scope_group, 2) {
                    self.item(out, printer, item)?;
                }
            }
        }
        Ok(())
    }

    fn item(self, out: &mut dyn Write, printer: &Printer<'a>, item: &'a [u8]) -> io::Result<()> {
        let (message, shown): (_, &[&str]) = match self.signal {
            Signal::Logs => (&schema::LOG_RECORD, &["severity_text", "body"]),
            Signal::Traces => (&schema::SPAN, &["name", "trace_id", "span_id"]),
            Signal::Profiles => (&schema::PROFILE, &["profile_id"]),
            Signal::Metrics => return self.metric(out, printer, item),
        };
        write!(out, "     ")?;
        for name in shown {
            write!(out, " {}", value(printer, message, item, name))?;
        }
        writeln!(out, "{}", attributes(printer, message, item))
    }

    fn metric(
        self,
        out: &mut dyn Write,
        printer: &Printer<'a>,
        metric: &'a [u8],
    ) -> io::Result<()> {
        let name = value(printer, &schema::METRIC, metric, "name");
        for field in schema::METRIC.fields.iter().filter(|field| field.oneof() == Some("data")) {
            let data = members(metric, field.number).last().unwrap_or_default();
            let points = field.kind.message().and_then(|data| data.field_named("data_points"));
            let Some(point) = points.and_then(|points| points.kind.message()) else { continue };
            for encoded in members(data, 1) {
                let shown = ["as_int", "as_double", "count", "sum", "min", "max"];
                let values: String = shown
                    .into_iter()
                    .map(|shown| (shown, value(printer, point, encoded, shown)))
                    .filter(|(_, value)| !value.is_empty())
                    .map(|(shown, value)| format!(" {shown}={value}"))
                    .collect();
                let shown = attributes(printer, point, encoded);
                writeln!(out, "      {name} {}{values}{shown}", field.name)?;
            }
        }
        Ok(())
    }
}

/// The embedded messages in field `number`.
fn members(message: &[u8], number: u32) -> impl Iterator<Item = &[u8]> {
    let found = Fields::of(message).filter(move |field| field.number == number);
    found.filter_map(|field| field.bytes())
}

/// The value of a string, id, number or `AnyValue` field; empty when it is absent.
fn value<'a>(printer: &Printer<'a>, message: &Message, encoded: &'a [u8], name: &str) -> String {
    let Some(field) = message.field_named(name) else { return String::new() };
    let found = Fields::of(encoded).filter(|found| found.number == field.number).last();
    let Some(found) = found else { return String::new() };
    match field.kind {
        schema::Kind::String => found.text().to_owned(),
        schema::Kind::Id(_) => hex(found.bytes().unwrap_or_default()),
        schema::Kind::Message(_) => printer.any(found.bytes().unwrap_or_default()),
        schema::Kind::Double => format!("{:?}", f64::from_bits(found.number_value())),
        _ => found.number_value().cast_signed().to_string(),
    }
}

fn attributes<'a>(printer: &Printer<'a>, message: &Message, encoded: &'a [u8]) -> String {
    let number = message.field_named("attributes").map_or(0, |field| field.number);
    let pairs = members(encoded, number).map(|pair| printer.pair(pair));
    pairs.map(|(key, value)| format!(" {key}={value}")).collect()
}
