//! Pattern: a time taken apart, item by item.

use super::zone::Offset;

/// One part of a layout.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Item {
    Literal(String),
    /// One or more spaces.
    Space,
    Year,
    /// The last two digits.
    ShortYear,
    Month,
    MonthName,
    ShortMonthName,
    Day,
    DayOfYear,
    WeekdayName,
    ShortWeekdayName,
    Hour,
    /// From 1 to 12.
    HalfHour,
    HalfOfDay,
    Minute,
    Second,
    /// Parts of a second, perhaps after a point or comma; so many digits without one.
    Fraction {
        has_point: bool,
        digits: usize,
    },
    ZoneName,
    Offset,
}

/// A layout, ready to read times.
#[derive(Clone, Debug)]
pub(in super::super) struct Pattern {
    items: Vec<Item>,
}

/// What was read; what was not is nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Moment {
    pub(super) year: Option<i16>,
    pub(super) month: Option<i8>,
    pub(super) day: Option<i8>,
    pub(super) day_of_year: Option<i16>,
    pub(super) hour: i8,
    pub(super) minute: i8,
    pub(super) second: i8,
    pub(super) nanosecond: i32,
    is_afternoon: Option<bool>,
    pub(super) zone_name: Option<String>,
    pub(super) offset: Option<Offset>,
}

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const WEEKDAYS: [&str; 7] =
    ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

impl Pattern {
    pub(super) fn new(items: Vec<Item>) -> Self {
        Self { items }
    }

    /// Takes a time apart.
    pub(super) fn read(&self, text: &str) -> Result<Moment, String> {
        let mut moment = Moment::default();
        let mut rest = text;
        let mut items = self.items.iter().peekable();
        while let Some(item) = items.next() {
            let read = read_item(item, rest, &mut moment);
            rest = read.ok_or_else(|| format!("`{text}` is not of the layout, at `{rest}`"))?;
            // Parts of a second may follow though the layout does not say so.
            let has_own = |next: &&&Item| match next {
                Item::Fraction { .. } => true,
                Item::Literal(literal) => rest.starts_with(literal.as_str()),
                _ => false,
            };
            if *item == Item::Second && items.peek().filter(has_own).is_none() {
                rest = fraction(rest, true, 0, &mut moment).unwrap_or(rest);
            }
        }
        if !rest.trim_start_matches(' ').is_empty() {
            return Err(format!("`{text}` goes on after the layout, with `{rest}`"));
        }
        moment.hour = match (moment.is_afternoon, moment.hour) {
            (Some(true), hour @ ..12) => hour + 12,
            (Some(false), 12) => 0,
            (_, hour) => hour,
        };
        Ok(moment)
    }
}

/// Reads one item; returns what is left.
fn read_item<'t>(item: &Item, text: &'t str, moment: &mut Moment) -> Option<&'t str> {
    match item {
        Item::Literal(literal) => text.strip_prefix(literal.as_str()),
        Item::Space => {
            let rest = text.trim_start_matches(' ');
            (rest.len() < text.len() || text.is_empty()).then_some(rest)
        }
        Item::Year => put(number(text, 4, 4)?, |year| moment.year = Some(year)),
        Item::ShortYear => put(number(text, 2, 2)?, |year| {
            moment.year = Some(if 69 <= year { 1900 + year } else { 2000 + year });
        }),
        Item::Month => put(number(text, 1, 2)?, |month| moment.month = Some(month as i8)),
        Item::MonthName | Item::ShortMonthName => {
            let (at, rest) = name(text, &MONTHS, *item == Item::ShortMonthName)?;
            moment.month = Some(at as i8 + 1);
            Some(rest)
        }
        Item::Day => {
            let text = text.trim_start_matches(' ');
            put(number(text, 1, 2)?, |day| moment.day = Some(day as i8))
        }
        Item::DayOfYear => put(number(text, 3, 3)?, |day| moment.day_of_year = Some(day)),
        Item::WeekdayName | Item::ShortWeekdayName => {
            name(text, &WEEKDAYS, *item == Item::ShortWeekdayName).map(|(_, rest)| rest)
        }
        Item::Hour => put(number(text, 1, 2)?, |hour| moment.hour = hour as i8),
        Item::HalfHour => {
            let (hour, rest) = number(text, 1, 2)?;
            moment.hour = hour as i8;
            (hour <= 12).then_some(rest)
        }
        Item::HalfOfDay => {
            let half = text.get(..2)?;
            moment.is_afternoon = Some(half.eq_ignore_ascii_case("pm"));
            let is_half = half.eq_ignore_ascii_case("pm") || half.eq_ignore_ascii_case("am");
            is_half.then_some(&text[2..])
        }
        Item::Minute => put(number(text, 1, 2)?, |minute| moment.minute = minute as i8),
        Item::Second => put(number(text, 1, 2)?, |second| moment.second = second as i8),
        Item::Fraction { has_point, digits } => {
            let is_absent = *has_point && !text.starts_with(['.', ',']);
            if is_absent { Some(text) } else { fraction(text, *has_point, *digits, moment) }
        }
        Item::ZoneName => {
            let end = text.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(text.len());
            let (name, rest) = text.split_at(end);
            moment.zone_name = Some(name.to_owned());
            (2 < end || name == "Z").then_some(rest)
        }
        Item::Offset => {
            let (offset, rest) = Offset::read(text)?;
            moment.offset = Some(offset);
            Some(rest)
        }
    }
}

fn put((value, rest): (i16, &str), set: impl FnOnce(i16)) -> Option<&str> {
    set(value);
    Some(rest)
}

/// Reads a number of `min` to `max` digits.
fn number(text: &str, min: usize, max: usize) -> Option<(i16, &str)> {
    let len = text.bytes().take(max).take_while(u8::is_ascii_digit).count();
    let number = Some(&text[..len]).filter(|_| min <= len)?.parse().ok()?;
    Some((number, &text[len..]))
}

/// Reads one of `names`, or its first three letters; in whatever case.
fn name<'t>(text: &'t str, names: &[&str], is_short: bool) -> Option<(usize, &'t str)> {
    let len_of = |name: &str| if is_short { 3 } else { name.len() };
    names.iter().enumerate().find_map(|(at, name)| {
        let len = len_of(name);
        let found = text.get(..len)?;
        found.eq_ignore_ascii_case(&name[..len]).then(|| (at, &text[len..]))
    })
}

/// Reads parts of a second: all digits after a point or comma, or as many as the layout says.
fn fraction<'t>(
    text: &'t str,
    has_point: bool,
    digits: usize,
    moment: &mut Moment,
) -> Option<&'t str> {
    let text = if has_point { text.strip_prefix(['.', ','])? } else { text };
    let max = if has_point { text.len() } else { digits };
    let len = text.bytes().take(max).take_while(u8::is_ascii_digit).count();
    let (found, rest) = Some(text).filter(|_| 0 < len)?.split_at(len);
    let nanos = found.bytes().chain(std::iter::repeat(b'0')).take(9);
    moment.nanosecond = nanos.fold(0, |nanos, digit| nanos * 10 + i32::from(digit - b'0'));
    Some(rest)
}
