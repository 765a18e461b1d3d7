//! The `time_parser` operator, and the `timestamp` block of parsers.

use std::collections::BTreeMap;

use config::Faults;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

mod epoch;
mod layout;
mod pattern;
mod zone;

use super::route::{field, operator_words};
use super::{Transform, Work};
use crate::receivers::file_log::entry::{Entry, Field};
use epoch::Epoch;
pub(super) use pattern::Pattern;
use zone::Zone;

operator_words! {
    /// Reads the time of an entry from one of its fields.
    pub struct Words {
        /// The field to read. Needed.
        pub parse_from: Option<String>,
        /// How the layout is written: `strptime`, `gotime` or `epoch`.
        pub layout_type: LayoutType,
        /// The layout of the time, such as `%Y-%m-%d %H:%M:%S`, or for `epoch` the unit: `s`, `ms`,
        /// `us`, `ns`, `s.ms`, `s.us` or `s.ns`. Needed.
        pub layout: Option<String>,
        /// The time zone where none is read, such as `Europe/Berlin`; that of the host, unless it
        /// is written, and UTC if the layout ends with a plain `Z`.
        pub location: Option<String>,
        /// Time zones for abbreviations that `%Z` reads, such as `PDT: America/Los_Angeles`.
        pub time_zone_locations: BTreeMap<String, String>,
    }
}

/// Reads the time of an entry.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct TimeWords {
    /// The field to read. Needed.
    pub parse_from: Option<String>,
    /// How the layout is written: `strptime`, `gotime` or `epoch`.
    pub layout_type: LayoutType,
    /// The layout of the time, such as `%Y-%m-%d %H:%M:%S`, or for `epoch` the unit: `s`, `ms`,
    /// `us`, `ns`, `s.ms`, `s.us` or `s.ns`. Needed.
    pub layout: Option<String>,
    /// The time zone where none is read, such as `Europe/Berlin`; that of the host, unless it is
    /// written, and UTC if the layout ends with a plain `Z`.
    pub location: Option<String>,
    /// Time zones for abbreviations that `%Z` reads, such as `PDT: America/Los_Angeles`.
    pub time_zone_locations: BTreeMap<String, String>,
}

/// How a layout is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum LayoutType {
    #[default]
    Strptime,
    Gotime,
    Epoch,
}

/// Reads the time of an entry.
#[derive(Debug)]
pub(super) struct TimeParser {
    from: Field,
    layout: Layout,
}

#[derive(Debug)]
enum Layout {
    Pattern { pattern: Pattern, zone: Zone },
    Epoch(Epoch),
}

impl Words {
    pub(super) fn build(self, faults: &mut Faults) -> Option<Work> {
        let words = TimeWords {
            parse_from: self.parse_from,
            layout_type: self.layout_type,
            layout: self.layout,
            location: self.location,
            time_zone_locations: self.time_zone_locations,
        };
        let parser = faults.take("", words.validate())?;
        Some(Work::Transform(Box::new(parser)))
    }
}

impl TimeWords {
    pub(super) fn validate(self) -> Result<TimeParser, Faults> {
        let mut faults = Faults::default();
        let from = field("parse_from", self.parse_from.clone(), &mut faults);
        let layout = self.layout(&mut faults);
        match (from, layout) {
            (Some(from), Some(layout)) => faults.or(|| TimeParser { from, layout }),
            _ => Err(faults),
        }
    }

    fn layout(self, faults: &mut Faults) -> Option<Layout> {
        let Some(layout) = self.layout.filter(|layout| !layout.is_empty()) else {
            faults.add("layout", "`layout` is needed");
            return None;
        };
        let items = match self.layout_type {
            LayoutType::Strptime => layout::strptime(&layout),
            LayoutType::Gotime => layout::gotime(&layout),
            LayoutType::Epoch => {
                if self.location.is_some() || !self.time_zone_locations.is_empty() {
                    faults.add("location", "times since 1970 have no time zone");
                }
                let epoch = Epoch::named(&layout);
                if epoch.is_none() {
                    let remedy = "one of `s`, `ms`, `us`, `ns`, `s.ms`, `s.us`, `s.ns`";
                    let message = format!("`{layout}` is no unit of time");
                    faults.add_with_remedy("layout", message, remedy);
                }
                return epoch.map(Layout::Epoch);
            }
        };
        let location = match self.location.as_deref() {
            None if layout.ends_with('Z') && !layout.ends_with("%Z") => Some("UTC"),
            written => written,
        };
        let zone = faults.take("", Zone::new(location, &self.time_zone_locations));
        match items {
            Ok(items) => Some(Layout::Pattern { pattern: Pattern::new(items), zone: zone? }),
            Err(error) => {
                faults.add("layout", error.describe(&layout));
                None
            }
        }
    }
}

impl Transform for TimeParser {
    fn apply(&self, entry: &mut Entry) -> Result<(), String> {
        let found = self.from.of(entry).ok_or_else(|| format!("there is no `{}`", self.from))?;
        let nanos = match &self.layout {
            Layout::Epoch(epoch) => epoch.read(found)?,
            Layout::Pattern { pattern, zone } => {
                let text = found.as_text();
                let text =
                    text.ok_or_else(|| format!("`{}` is {}, not text", self.from, found.kind()))?;
                zone.unix_nanos(&pattern.read(text)?, entry.observed_time_unix_nano)?
            }
        };
        let nanos = u64::try_from(nanos).ok().filter(|nanos| *nanos <= i64::MAX as u64);
        entry.time_unix_nano = nanos.ok_or("the time lies before 1970 or after 2262")?;
        Ok(())
    }
}

/// Reads times as container runtimes write them: RFC 3339.
#[derive(Debug)]
pub(super) struct Rfc3339 {
    pattern: Pattern,
    zone: Zone,
}

impl Rfc3339 {
    pub(super) fn new() -> Self {
        let items = layout::gotime("2006-01-02T15:04:05.999999999Z07:00");
        Self { pattern: Pattern::new(items.unwrap_or_default()), zone: Zone::utc() }
    }

    /// Nanoseconds since 1970.
    pub(super) fn read(&self, text: &str) -> Result<u64, String> {
        let nanos = self.zone.unix_nanos(&self.pattern.read(text)?, 0)?;
        u64::try_from(nanos).map_err(|_| "the time lies before 1970".to_owned())
    }
}

#[cfg(test)]
mod tests;
