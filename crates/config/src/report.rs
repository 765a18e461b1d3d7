//! Report: problems as people read them, each with the line it is about.
//!
//! Invariant: of a line that is shown for its key, the value is not shown; it may be a secret.

use std::fmt::Write;

use crate::problem::Problem;
use crate::source::Texts;

/// The longest part of a line that is shown.
const COLUMNS_MAX: usize = 120;

/// All problems, in the order given.
#[must_use]
pub fn report(problems: &[Problem], texts: &Texts) -> String {
    let mut report = String::new();
    for problem in problems {
        let remedy = problem.remedy.as_ref().map(|remedy| format!("  help: {remedy}\n"));
        let head = Problem { remedy: None, ..problem.clone() };
        let excerpt = excerpt(problem, texts).unwrap_or_default();
        // Writing into a text cannot fail.
        let written = write!(report, "{head}\n{excerpt}{}", remedy.unwrap_or_default());
        debug_assert!(written.is_ok());
    }
    report
}

/// The line that the problem is about, and a mark below the place.
fn excerpt(problem: &Problem, texts: &Texts) -> Option<String> {
    let position = problem.position.as_ref()?;
    let line = texts.line(position)?;
    let before: String = line.chars().take(position.column.checked_sub(1)?).collect();
    let from = line.get(before.len()..)?;
    let shown = match key_length(from, &problem.path) {
        Some(length) => {
            let is_more = !from[length..].trim_matches([':', ' ', '{', '[']).is_empty();
            format!("{before}{}{}", &from[..length], if is_more { ": …" } else { ":" })
        }
        None => line.to_owned(),
    };
    let is_beyond = line.chars().count() + 1 < position.column;
    if is_beyond || COLUMNS_MAX < position.column {
        return None;
    }
    let shown: String = shown.chars().take(COLUMNS_MAX).collect();
    // Tabs stay tabs, so that the mark stands below its letter.
    let indent: String = before.chars().map(|c| if c == '\t' { '\t' } else { ' ' }).collect();
    let number = position.line;
    let margin = " ".repeat(number.to_string().len());
    Some(format!("  {number} | {}\n  {margin} | {indent}^\n", shown.trim_end()))
}

/// The length of the key at the start of `text`, if the problem's path ends with it.
fn key_length(text: &str, path: &str) -> Option<usize> {
    let key = text.split(':').next()?;
    let name = key.trim_matches(['"', '\'', ' ']);
    let is_key = key.len() < text.len() && !name.is_empty() && path.ends_with(name);
    is_key.then(|| key.trim_end().len())
}

#[cfg(test)]
mod tests;
