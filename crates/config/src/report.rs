//! Report: problems as people read them, each with the line it is about.
//!
//! Invariant: a line that is shown for its key is shown without the value, and values whose keys
//! sound secret are not shown at all. Nothing here knows schemas, so this errs on the safe side.

use std::fmt::Write;
use std::sync::LazyLock;

use regex::Regex;

use crate::problem::Problem;
use crate::source::Texts;

/// The longest part of a line that is shown.
const COLUMNS_MAX: usize = 120;
/// What stands for a value that is not shown.
const HIDDEN: &str = "…";

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
    let at = match line.char_indices().nth(position.column.checked_sub(1)?) {
        Some((at, _)) => at,
        None if line.chars().count() + 1 == position.column => line.len(),
        None => return None,
    };
    let (before, from) = line.split_at(at);
    let from = match key_length(from, &problem.path) {
        Some(length) => {
            let is_more = !from[length..].trim_matches([':', ' ', '{', '[']).is_empty();
            format!("{}{}", &from[..length], if is_more { ": …" } else { ":" })
        }
        // An expansion as written is no secret, what it leads to may be one.
        None if sounds_secret(&problem.path) => match from.find('}') {
            Some(end) if from.starts_with("${") => from[..=end].to_owned(),
            _ => HIDDEN.to_owned(),
        },
        None => from.to_owned(),
    };
    let (before, from) = without_secrets(before, &from);
    let column = before.chars().count();
    if COLUMNS_MAX <= column {
        return None;
    }
    let shown: String = before.chars().chain(from.chars()).take(COLUMNS_MAX).collect();
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

/// Words in keys whose values are not shown.
const SECRETS: &str = "passw|secret|token|api_?key|key_pem|private_key|authorization|credential|cookie|inline|headers";

fn sounds_secret(path: &str) -> bool {
    static WORDS: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(&format!("(?i){SECRETS}")).expect("the pattern is valid"));
    WORDS.is_match(path)
}

/// Both parts of a line without what sounds secret; the place between them stays a place.
fn without_secrets(before: &str, from: &str) -> (String, String) {
    static VALUES: LazyLock<Regex> = LazyLock::new(|| {
        let key = format!(r#"(?:{SECRETS})[\w.-]*["']?\s*:\s+"#);
        let value = r"\{[^}]*\}?|\[[^\]]*\]?|[^\s,}\]][^,}\]]*";
        let pattern = format!(r"(?i)(?P<key>{key})(?:{value})");
        Regex::new(&pattern).expect("the pattern is valid")
    });
    static USERS: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"://[^/@\s]+@").expect("the pattern is valid"));
    let hide = |text: &str| {
        let text = VALUES.replace_all(text, format!("${{key}}{HIDDEN}"));
        USERS.replace_all(&text, format!("://{HIDDEN}@")).into_owned()
    };
    (hide(before), hide(from))
}

#[cfg(test)]
mod tests;
