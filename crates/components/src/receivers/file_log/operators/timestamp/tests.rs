use config::Faults;

use super::*;
use crate::receivers::file_log::entry::{Origin, Value};

/// 2024-03-01T12:00:00Z, when nothing else is known.
const NOW: u64 = 1_709_294_400_000_000_000;

fn read(words: TimeWords, value: Value) -> Result<String, String> {
    let words = TimeWords { parse_from: Some("body".to_owned()), ..words };
    let parser = words.validate().map_err(|faults| format!("{:?}", Faults::into_vec(faults)))?;
    let mut entry = Entry::new(value, Origin { file: Default::default(), range: 0..1 });
    entry.observed_time_unix_nano = NOW;
    parser.apply(&mut entry)?;
    let time = jiff::Timestamp::from_nanosecond(entry.time_unix_nano.into()).unwrap();
    Ok(time.to_string())
}

fn words(layout_type: LayoutType, layout: &str, location: &str) -> TimeWords {
    let location = Some(location).filter(|location| !location.is_empty()).map(str::to_owned);
    TimeWords { layout_type, layout: Some(layout.to_owned()), location, ..TimeWords::default() }
}

fn check(layout: &str, location: &str, text: &str, expected: &str) {
    let found = read(words(LayoutType::Strptime, layout, location), text.into());
    assert_eq!(found.as_deref(), Ok(expected), "{layout} of {text}");
}

fn check_go(layout: &str, location: &str, text: &str, expected: &str) {
    let found = read(words(LayoutType::Gotime, layout, location), text.into());
    assert_eq!(found.as_deref(), Ok(expected), "{layout} of {text}");
}

#[test]
fn strptime_layouts_are_read() {
    check("%Y-%m-%d", "UTC", "2024-02-03", "2024-02-03T00:00:00Z");
    check("%Y-%m-%d %H:%M:%S", "UTC", "2023-06-19 05:20:50", "2023-06-19T05:20:50Z");
    check(
        "%Y-%m-%d %H:%M:%S.%f %z",
        "",
        "2022-01-02 07:24:56,123 -0700",
        "2022-01-02T14:24:56.123Z",
    );
    check(
        "%Y-%m-%dT%H:%M:%S.%LZ",
        "",
        "2022-01-02T14:24:56.123123123Z",
        "2022-01-02T14:24:56.123123123Z",
    );
    check("%a %b %e %H:%M:%S %Z %Y", "", "Fri Jun  5 13:50:27 EST 2020", "2020-06-05T18:50:27Z");
    check("%d/%b/%Y:%H:%M:%S %z", "", "10/Oct/2000:13:55:36 -0700", "2000-10-10T20:55:36Z");
    check("%Y%m%d%H%M%S%L", "UTC", "20240203040506789", "2024-02-03T04:05:06.789Z");
    check("%I:%M:%S %p %D", "UTC", "12:05:06 am 02/03/2024", "2024-02-03T00:05:06Z");
    check("%l:%M %P %d %B %y", "UTC", "1:05 PM 3 february 99", "1999-02-03T13:05:00Z");
    check("%F %T", "UTC", "2024-02-03 04:05:06.5", "2024-02-03T04:05:06.5Z");
    check("%c", "UTC", "Sat Feb 03 04:05:06 2024", "2024-02-03T04:05:06Z");
    check("%F %T%j", "", "2024-02-03 04:05:06+05:30", "2024-02-02T22:35:06Z");
    check("%%%n%Y", "UTC", "%\n2024", "2024-01-01T00:00:00Z");
}

#[test]
fn layouts_of_go_are_read() {
    check_go("2006-01-02T15:04:05Z07:00", "", "2024-02-03T04:05:06+01:00", "2024-02-03T03:05:06Z");
    check_go(
        "2006-01-02T15:04:05.999999999Z07:00",
        "",
        "2024-02-03T04:05:06.000000001Z",
        "2024-02-03T04:05:06.000000001Z",
    );
    check_go("Jan 2 15:04:05 MST 2006", "", "Jun 5 13:50:27 EST 2020", "2020-06-05T18:50:27Z");
    check_go(
        "02/Jan/2006:15:04:05 -0700",
        "",
        "10/Oct/2000:13:55:36 -0700",
        "2000-10-10T20:55:36Z",
    );
    check_go(
        "2006-01-02 03:04:05.000 PM",
        "UTC",
        "2024-02-03 04:05:06.789 PM",
        "2024-02-03T16:05:06.789Z",
    );
    check_go(
        "Monday, January _2 2006",
        "UTC",
        "Saturday, February  3 2024",
        "2024-02-03T00:00:00Z",
    );
    check_go("2006.002", "UTC", "2024.366", "2024-12-31T00:00:00Z");
    check_go("06-1-2", "UTC", "24-2-3", "2024-02-03T00:00:00Z");
}

#[test]
fn a_time_without_a_zone_is_of_the_location() {
    check("%F %T", "America/New_York", "2024-07-01 12:00:00", "2024-07-01T16:00:00Z");
    check("%F %T", "Asia/Kolkata", "2024-07-01 12:00:00", "2024-07-01T06:30:00Z");
    // Twice on that night: the first of them. Never on that night: an hour later.
    check("%F %T", "Europe/Berlin", "2024-10-27 02:30:00", "2024-10-27T00:30:00Z");
    check("%F %T", "Europe/Berlin", "2024-03-31 02:30:00", "2024-03-31T01:30:00Z");
}

#[test]
fn abbreviations_are_of_the_locations_that_are_given() {
    let mut words = words(LayoutType::Strptime, "%a %b %d %H:%M:%S %Z %Y", "Asia/Kolkata");
    for (name, location) in [("PDT", "America/Los_Angeles"), ("NZST", "Pacific/Auckland")] {
        words.time_zone_locations.insert(name.to_owned(), location.to_owned());
    }
    for (text, expected) in [
        ("Wed Aug 27 15:08:58 IST 2025", "2025-08-27T09:38:58Z"),
        ("Wed Aug 20 14:08:48 PDT 2025", "2025-08-20T21:08:48Z"),
        ("Fri Aug 15 10:00:00 NZST 2025", "2025-08-14T22:00:00Z"),
    ] {
        assert_eq!(read(words.clone(), text.into()).as_deref(), Ok(expected));
    }
}

#[test]
fn a_time_without_a_year_is_the_nearest_one_before_now() {
    check("%b %d %H:%M:%S", "UTC", "Feb 29 10:00:00", "2024-02-29T10:00:00Z");
    check("%b %d %H:%M:%S", "UTC", "Mar 05 10:00:00", "2024-03-05T10:00:00Z");
    check("%b %d %H:%M:%S", "UTC", "Dec 31 23:59:59", "2023-12-31T23:59:59Z");
}

#[test]
fn times_since_1970_are_read() {
    let epoch = |unit: &str, value: Value| read(words(LayoutType::Epoch, unit, ""), value);
    let whole = Ok("2006-01-02T22:04:05Z");
    let parts = Ok("2006-01-02T22:04:05.123456789Z");
    assert_eq!(epoch("s", Value::Int(1_136_239_445)).as_deref(), whole);
    assert_eq!(epoch("s", "1136239445".into()).as_deref(), whole);
    assert_eq!(epoch("ms", Value::Double(1_136_239_445_000.0)).as_deref(), whole);
    assert_eq!(epoch("us", "1136239445000000".into()).as_deref(), whole);
    assert_eq!(epoch("ns", Value::Int(1_136_239_445_123_456_789)).as_deref(), parts);
    assert_eq!(epoch("s.ns", "1136239445.123456789".into()).as_deref(), parts);
    assert_eq!(
        epoch("s.ms", Value::Double(1_136_239_445.5)).as_deref(),
        Ok("2006-01-02T22:04:05.5Z")
    );
    for wrong in ["", "x", "1.x", "-5", "1e9", "99999999999999999999"] {
        assert!(epoch("s", wrong.into()).is_err(), "{wrong}");
    }
    assert!(epoch("s", Value::Double(f64::NAN)).is_err());
    assert!(epoch("s", Value::Bool(true)).is_err());
}

#[test]
fn what_is_not_of_the_layout_is_told() {
    for text in ["", "2024", "2024-02-30", "2024-13-01", "2024-02-03x", "x2024-02-03", "２０２４"]
    {
        let found = read(words(LayoutType::Strptime, "%F", "UTC"), text.into());
        assert!(found.is_err(), "{text}: {found:?}");
    }
    let found = read(words(LayoutType::Strptime, "%F", "UTC"), Value::Int(1));
    assert_eq!(found.unwrap_err(), "`body` is a number, not text");
}

#[test]
fn wrong_words_are_refused() {
    for (layout_type, layout, location) in [
        (LayoutType::Strptime, "%Q", "UTC"),
        (LayoutType::Strptime, "%", "UTC"),
        (LayoutType::Strptime, "", "UTC"),
        (LayoutType::Strptime, "%F", "Nowhere/Land"),
        (LayoutType::Gotime, "yyyy-mm-dd", "UTC"),
        (LayoutType::Epoch, "h", ""),
        (LayoutType::Epoch, "s", "UTC"),
    ] {
        let words = words(layout_type, layout, location);
        assert!(read(words, "2024-02-03".into()).is_err(), "{layout}");
    }
}
