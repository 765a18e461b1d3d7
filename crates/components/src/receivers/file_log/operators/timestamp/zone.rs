//! Zone: from what a clock on the wall shows to time since 1970.

use std::collections::BTreeMap;

use config::Faults;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use super::pattern::Moment;

/// The time zones that times are read in.
#[derive(Clone, Debug)]
pub(super) struct Zone {
    /// Where none is read.
    location: TimeZone,
    /// By their abbreviations.
    locations: BTreeMap<String, TimeZone>,
}

/// Seconds east of Greenwich.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Offset(i32);

/// Abbreviations that mail knows (RFC 822), and those of central Europe: one meaning each.
const KNOWN: [(&str, i32); 15] = [
    ("UTC", 0),
    ("UT", 0),
    ("GMT", 0),
    ("Z", 0),
    ("EST", -5),
    ("EDT", -4),
    ("CST", -6),
    ("CDT", -5),
    ("MST", -7),
    ("MDT", -6),
    ("PST", -8),
    ("PDT", -7),
    ("CET", 1),
    ("CEST", 2),
    ("EEST", 3),
];

/// A time so much later than now cannot be meant: it is of last year.
const AHEAD_MAX_NANOS: i128 = 7 * 86_400 * 1_000_000_000;

impl Zone {
    pub(super) fn utc() -> Self {
        Self { location: TimeZone::UTC, locations: BTreeMap::new() }
    }

    /// The zone of that name (the host's, if there is none), and those of abbreviations.
    pub(super) fn new(
        location: Option<&str>,
        locations: &BTreeMap<String, String>,
    ) -> Result<Self, Faults> {
        let mut faults = Faults::default();
        let location = match location {
            None | Some("Local" | "") => Some(TimeZone::try_system().unwrap_or(TimeZone::UTC)),
            Some(name) => named("location", name, &mut faults),
        };
        let mut named_locations = BTreeMap::new();
        for (abbreviation, name) in locations {
            let path = format!("time_zone_locations.{abbreviation}");
            if let Some(zone) = named(&path, name, &mut faults) {
                named_locations.insert(abbreviation.clone(), zone);
            }
        }
        match location {
            Some(location) => faults.or(|| Self { location, locations: named_locations }),
            None => Err(faults),
        }
    }

    /// Nanoseconds since 1970. Where no year was read, it is the one that lies nearest before
    /// `now_unix_nano`.
    pub(super) fn unix_nanos(&self, moment: &Moment, now_unix_nano: u64) -> Result<i128, String> {
        if let Some(year) = moment.year {
            return self.of_year(moment, year);
        }
        let now = i128::from(now_unix_nano);
        let today = jiff::Timestamp::from_nanosecond(now).unwrap_or_default();
        let year = today.to_zoned(self.location.clone()).year();
        match self.of_year(moment, year) {
            Ok(nanos) if nanos <= now + AHEAD_MAX_NANOS => Ok(nanos),
            // The 29th of February was last year, or there is none this year.
            _ => self.of_year(moment, year - 1),
        }
    }

    fn of_year(&self, moment: &Moment, year: i16) -> Result<i128, String> {
        let (month, day) = (moment.month.unwrap_or(1), moment.day.unwrap_or(1));
        // A leap second is the last moment of its minute.
        let (second, nanosecond) = match moment.second {
            60 => (59, 999_999_999),
            second => (second, moment.nanosecond),
        };
        let civil = DateTime::new(year, month, day, moment.hour, moment.minute, second, nanosecond);
        let mut civil = civil.map_err(|error| format!("no such time: {error}"))?;
        if let Some(day) = moment.day_of_year {
            let date = civil.date().with().day_of_year(day).build();
            let date = date.map_err(|error| format!("no such day: {error}"))?;
            civil = DateTime::from_parts(date, civil.time());
        }
        let (zone, offset) = self.place_of(moment);
        if let Some(Offset(seconds)) = offset {
            let utc = TimeZone::UTC.to_timestamp(civil);
            let utc = utc.map_err(|error| format!("no such time: {error}"))?;
            return Ok(utc.as_nanosecond() - i128::from(seconds) * 1_000_000_000);
        }
        let found = zone.to_timestamp(civil);
        Ok(found.map_err(|error| format!("no such time: {error}"))?.as_nanosecond())
    }

    fn place_of(&self, moment: &Moment) -> (&TimeZone, Option<Offset>) {
        if moment.offset.is_some() {
            return (&self.location, moment.offset);
        }
        let Some(name) = moment.zone_name.as_deref() else { return (&self.location, None) };
        if let Some(zone) = self.locations.get(name) {
            return (zone, None);
        }
        let known = KNOWN.iter().find(|(known, _)| *known == name);
        (&self.location, known.map(|(_, hours)| Offset(hours * 3600)))
    }
}

impl Offset {
    /// Reads `Z`, `+02`, `+0200`, `+02:00` or with seconds; nothing at the end is no offset.
    pub(super) fn read(text: &str) -> Option<(Self, &str)> {
        if let Some(rest) = text.strip_prefix('Z') {
            return Some((Self(0), rest));
        }
        let sign = match text.as_bytes().first()? {
            b'+' => 1,
            b'-' => -1,
            _ => return None,
        };
        let (hours, mut rest) = two_digits(&text[1..])?;
        let mut seconds = hours * 3600;
        for unit in [60, 1] {
            let after = rest.strip_prefix(':').unwrap_or(rest);
            let Some((value, next)) = two_digits(after) else { break };
            seconds += value * unit;
            rest = next;
        }
        (seconds <= 86_400).then_some((Self(sign * seconds), rest))
    }
}

fn two_digits(text: &str) -> Option<(i32, &str)> {
    let digits = text.get(..2).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))?;
    Some((digits.parse().ok()?, &text[2..]))
}

fn named(path: &str, name: &str, faults: &mut Faults) -> Option<TimeZone> {
    let zone = if name == "UTC" { Some(TimeZone::UTC) } else { TimeZone::get(name).ok() };
    if zone.is_none() {
        let remedy = "write the name of a city, such as `America/New_York`, `UTC` or `Local`";
        faults.add_with_remedy(path, format!("there is no time zone `{name}`"), remedy);
    }
    zone
}
