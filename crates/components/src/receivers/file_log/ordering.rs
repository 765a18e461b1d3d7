//! Ordering: which of many files are followed, when only the first few are.
//!
//! Pure. Files are put into groups by a part of their paths, each group is sorted, and its first
//! files are kept.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use regex::Regex;

use super::tracker::Candidate;

/// Which files come first.
#[derive(Clone, Debug)]
pub(super) struct Ordering {
    pub regex: Option<Regex>,
    pub group_by: Option<Regex>,
    pub top: usize,
    pub rules: Vec<Rule>,
}

/// One thing to sort by; later ones decide where earlier ones are equal.
#[derive(Clone, Debug)]
pub(super) struct Rule {
    pub by: By,
    pub is_ascending: bool,
}

/// What files are sorted by.
#[derive(Clone, Debug)]
pub(super) enum By {
    Number { group: String },
    Text { group: String },
    Modified,
}

/// What one file is sorted by, under one rule.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Value {
    /// Digits without leading zeros: more of them are more.
    Number(usize, String),
    Text(String),
    Modified(u64),
}

impl Ordering {
    /// Keeps the first files of each group, best first.
    pub(super) fn apply(&self, files: &mut Vec<Candidate>) {
        let mut groups = BTreeMap::<String, Vec<(Vec<Value>, Candidate)>>::new();
        for file in files.drain(..) {
            let Some(values) = self.values(&file) else { continue };
            groups.entry(self.group(&file)).or_default().push((values, file));
        }
        for mut group in groups.into_values() {
            for (at, rule) in self.rules.iter().enumerate().rev() {
                if rule.is_ascending {
                    group.sort_by(|(one, _), (two, _)| one[at].cmp(&two[at]));
                } else {
                    group.sort_by(|(one, _), (two, _)| Reverse(&one[at]).cmp(&Reverse(&two[at])));
                }
            }
            files.extend(group.into_iter().take(self.top).map(|(_, file)| file));
        }
    }

    /// What the rules look at; `None` leaves the file out.
    fn values(&self, file: &Candidate) -> Option<Vec<Value>> {
        let path = file.path.to_string_lossy();
        let captures = self.regex.as_ref().map(|regex| regex.captures(&path));
        let part =
            |group: &String| Some(captures.as_ref()?.as_ref()?.name(group)?.as_str().to_owned());
        let values = self.rules.iter().map(|rule| match &rule.by {
            By::Number { group } => number(&part(group)?),
            By::Text { group } => Some(Value::Text(part(group)?)),
            By::Modified => Some(Value::Modified(file.facts.modified)),
        });
        values.collect()
    }

    fn group(&self, file: &Candidate) -> String {
        let Some(regex) = &self.group_by else { return String::new() };
        let path = file.path.to_string_lossy();
        let Some(captures) = regex.captures(&path) else { return String::new() };
        let parts = captures.iter().skip(1).flatten().map(|part| part.as_str());
        parts.collect::<Vec<_>>().join("\0")
    }
}

fn number(text: &str) -> Option<Value> {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let digits = text.trim_start_matches('0');
    Some(Value::Number(digits.len(), digits.to_owned()))
}

#[cfg(test)]
mod tests;
