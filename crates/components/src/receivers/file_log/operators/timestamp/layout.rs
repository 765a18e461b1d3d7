//! Layout: how the layout of a time is written, for `strptime` and in Go.

use super::pattern::Item;
use crate::syntax::SyntaxError;

/// Reads a layout such as `%Y-%m-%d`.
pub(super) fn strptime(layout: &str) -> Result<Vec<Item>, SyntaxError> {
    let mut draft = Draft::default();
    let mut at = 0;
    while let Some(letter) = layout[at..].chars().next() {
        if letter != '%' {
            draft.literal(letter);
            at += letter.len_utf8();
            continue;
        }
        let Some(directive) = layout[at + 1..].chars().next() else {
            return Err(SyntaxError::new(at, "the layout ends inside a directive"));
        };
        if !draft.directive(directive) {
            let message = format!("there is no directive `%{directive}`");
            return Err(SyntaxError::new(at, message));
        }
        at += 1 + directive.len_utf8();
    }
    Ok(draft.items)
}

/// Reads a layout such as `2006-01-02`.
pub(super) fn gotime(layout: &str) -> Result<Vec<Item>, SyntaxError> {
    let mut draft = Draft::default();
    let mut rest = layout;
    while let Some(letter) = rest.chars().next() {
        if let Some(len) = go_fraction(rest, &mut draft) {
            rest = &rest[len..];
            continue;
        }
        let found = GO.iter().find(|(written, _)| is_go_part(rest, written));
        match found {
            Some((written, item)) => {
                draft.items.push(item.clone());
                rest = &rest[written.len()..];
            }
            None => {
                draft.literal(letter);
                rest = &rest[letter.len_utf8()..];
            }
        }
    }
    if !draft.items.iter().any(|item| !matches!(item, Item::Literal(_) | Item::Space)) {
        let message = "the layout has no part of a time in it, such as `2006` or `15:04:05`";
        return Err(SyntaxError::new(0, message));
    }
    Ok(draft.items)
}

/// How Go writes the parts of a time; longer ones first.
const GO: &[(&str, Item)] = &[
    ("January", Item::MonthName),
    ("Jan", Item::ShortMonthName),
    ("Monday", Item::WeekdayName),
    ("Mon", Item::ShortWeekdayName),
    ("MST", Item::ZoneName),
    ("Z07:00:00", Item::Offset),
    ("Z070000", Item::Offset),
    ("Z07:00", Item::Offset),
    ("Z0700", Item::Offset),
    ("Z07", Item::Offset),
    ("-07:00:00", Item::Offset),
    ("-070000", Item::Offset),
    ("-07:00", Item::Offset),
    ("-0700", Item::Offset),
    ("-07", Item::Offset),
    ("2006", Item::Year),
    ("002", Item::DayOfYear),
    ("01", Item::Month),
    ("02", Item::Day),
    ("03", Item::HalfHour),
    ("04", Item::Minute),
    ("05", Item::Second),
    ("06", Item::ShortYear),
    ("15", Item::Hour),
    ("_2", Item::Day),
    ("PM", Item::HalfOfDay),
    ("pm", Item::HalfOfDay),
    ("1", Item::Month),
    ("2", Item::Day),
    ("3", Item::HalfHour),
    ("4", Item::Minute),
    ("5", Item::Second),
];

fn is_go_part(text: &str, written: &str) -> bool {
    // "Januar" and "Month" are words of their own.
    let goes_on = |rest: &str| rest.starts_with(|c: char| c.is_ascii_lowercase());
    let is_short_name = written == "Jan" || written == "Mon";
    text.strip_prefix(written).is_some_and(|rest| !is_short_name || !goes_on(rest))
}

/// Parts of a second: a point or comma and a row of one digit, `0` or `9`.
fn go_fraction(text: &str, draft: &mut Draft) -> Option<usize> {
    let digits = text.strip_prefix(['.', ','])?;
    let first = digits.chars().next().filter(|first| ['0', '9'].contains(first))?;
    let rest = digits.trim_start_matches(first);
    if rest.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let len = digits.len() - rest.len();
    draft.items.push(Item::Fraction { has_point: true, digits: len });
    Some(1 + len)
}

#[derive(Debug, Default)]
struct Draft {
    items: Vec<Item>,
}

impl Draft {
    fn literal(&mut self, letter: char) {
        match (letter, self.items.last_mut()) {
            (' ', Some(Item::Space)) => {}
            (' ', _) => self.items.push(Item::Space),
            (_, Some(Item::Literal(literal))) => literal.push(letter),
            _ => self.items.push(Item::Literal(letter.to_string())),
        }
    }

    /// Whether there is such a directive.
    fn directive(&mut self, letter: char) -> bool {
        let parts = match letter {
            'D' => "%m/%d/%Y",
            'F' => "%Y-%m-%d",
            'T' => "%H:%M:%S",
            'r' => "%I:%M:%S %p",
            'R' => "%H:%M",
            'c' => "%a %b %d %H:%M:%S %Y",
            _ => return self.single(letter),
        };
        let mut is_directive = false;
        for letter in parts.chars() {
            match (is_directive, letter) {
                (false, '%') => is_directive = true,
                (false, _) => self.literal(letter),
                (true, _) => is_directive = !self.single(letter),
            }
        }
        true
    }

    fn single(&mut self, letter: char) -> bool {
        let item = match letter {
            'Y' => Item::Year,
            'y' => Item::ShortYear,
            'm' | 'o' | 'q' => Item::Month,
            'b' | 'h' => Item::ShortMonthName,
            'B' => Item::MonthName,
            'd' | 'e' | 'g' => Item::Day,
            'a' => Item::ShortWeekdayName,
            'A' => Item::WeekdayName,
            'H' => Item::Hour,
            'I' | 'l' => Item::HalfHour,
            'p' | 'P' => Item::HalfOfDay,
            'M' => Item::Minute,
            'S' => Item::Second,
            'L' => self.fraction(3),
            'f' => self.fraction(6),
            's' => self.fraction(9),
            'Z' => Item::ZoneName,
            'z' | 'i' | 'j' | 'k' => Item::Offset,
            'n' => Item::Literal("\n".to_owned()),
            't' => Item::Literal("\t".to_owned()),
            '%' => Item::Literal("%".to_owned()),
            _ => return false,
        };
        self.items.push(item);
        true
    }

    /// The point or comma before parts of a second may be either, so it is a part of them.
    fn fraction(&mut self, digits: usize) -> Item {
        let has_point = match self.items.last_mut() {
            Some(Item::Literal(literal)) if literal.ends_with(['.', ',']) => {
                literal.pop();
                true
            }
            _ => false,
        };
        if matches!(self.items.last(), Some(Item::Literal(literal)) if literal.is_empty()) {
            self.items.pop();
        }
        Item::Fraction { has_point, digits }
    }
}
