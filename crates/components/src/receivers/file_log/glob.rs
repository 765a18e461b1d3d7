//! Glob: patterns of paths, with `*`, `?`, `[a-z]`, `{a,b}` and `**` for any depth.
//!
//! Pure. A pattern is a list of steps, one for each part of a path, so that a walk opens only those
//! folders that can lead to a match.

use std::path::{Component, Path, PathBuf};

use regex::bytes::Regex;

/// How many alternatives the braces of one pattern may make.
const ALTERNATIVES_MAX: usize = 256;

/// One pattern without alternatives across folders.
#[derive(Clone, Debug)]
pub(super) struct Glob {
    /// As it was written, but for alternatives.
    pub text: String,
    /// Absolute, or relative to the working folder.
    pub root: PathBuf,
    pub steps: Vec<Step>,
}

/// What one part of a path must be.
#[derive(Clone, Debug)]
pub(super) enum Step {
    Name(String),
    Like(Regex),
    /// Any number of folders, none included.
    AnyDepth,
}

/// Why a text is no pattern.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum GlobError {
    #[error("the pattern is empty")]
    Empty,
    #[error("`{0}` is never closed")]
    Unclosed(char),
    #[error("the braces make more than {ALTERNATIVES_MAX} patterns")]
    TooMany,
    #[error("`{0}` is no valid part of a pattern")]
    Part(String),
}

impl Glob {
    /// The patterns that `text` stands for: one for each choice of its braces.
    pub(super) fn parse(text: &str) -> Result<Vec<Self>, GlobError> {
        if text.is_empty() {
            return Err(GlobError::Empty);
        }
        let mut texts = Vec::new();
        expand(text, &mut texts)?;
        texts.iter().map(|text| Self::parse_one(text)).collect()
    }

    fn parse_one(text: &str) -> Result<Self, GlobError> {
        let root = if text.starts_with('/') { PathBuf::from("/") } else { PathBuf::new() };
        let mut steps: Vec<Step> = Vec::new();
        for part in text.split('/').filter(|part| !part.is_empty() && *part != ".") {
            let step = Step::parse(part)?;
            // Any depth twice is any depth.
            if !(matches!(step, Step::AnyDepth) && matches!(steps.last(), Some(Step::AnyDepth))) {
                steps.push(step);
            }
        }
        Ok(Self { text: text.to_owned(), root, steps })
    }

    /// Whether the whole of `path` is like the pattern.
    pub(super) fn matches(&self, path: &Path) -> bool {
        if path.is_absolute() != self.root.is_absolute() {
            return false;
        }
        let parts: Vec<&[u8]> = path
            .components()
            .filter(|part| !matches!(part, Component::RootDir | Component::CurDir))
            .map(|part| part.as_os_str().as_encoded_bytes())
            .collect();
        matches_steps(&self.steps, &parts)
    }
}

impl Step {
    fn parse(part: &str) -> Result<Self, GlobError> {
        if part == "**" {
            return Ok(Self::AnyDepth);
        }
        if !part.contains(['*', '?', '[', '\\']) {
            return Ok(Self::Name(part.to_owned()));
        }
        let regex = Regex::new(&translate(part)?);
        regex.map(Self::Like).map_err(|_| GlobError::Part(part.to_owned()))
    }

    /// Whether one part of a path is like this; any depth is for the caller to try.
    pub(super) fn is_like(&self, name: &[u8]) -> bool {
        match self {
            Self::Name(wanted) => wanted.as_bytes() == name,
            Self::Like(regex) => regex.is_match(name),
            Self::AnyDepth => false,
        }
    }
}

/// Tries `**` short first: each further folder is one more try, so the work is bounded by the
/// product of the lengths.
fn matches_steps(steps: &[Step], parts: &[&[u8]]) -> bool {
    // Which prefixes of `parts` the steps so far can take.
    let mut reached = vec![false; parts.len() + 1];
    reached[0] = true;
    for step in steps {
        let mut next = vec![false; parts.len() + 1];
        let mut is_open = false;
        for at in 0..=parts.len() {
            match step {
                Step::AnyDepth => {
                    is_open |= reached[at];
                    next[at] = is_open;
                }
                _ => {
                    let is_taken = at
                        .checked_sub(1)
                        .is_some_and(|before| reached[before] && step.is_like(parts[before]));
                    next[at] = is_taken;
                }
            }
        }
        reached = next;
    }
    reached[parts.len()]
}

/// The regular expression of one part of a path.
fn translate(part: &str) -> Result<String, GlobError> {
    let mut regex = String::from("(?s-u)^");
    let mut rest = part.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '*' => {
                // `**` inside a part is the same as `*`.
                while rest.next_if_eq(&'*').is_some() {}
                regex.push_str(".*");
            }
            '?' => regex.push_str("(?u:.)"),
            '[' => translate_class(&mut rest, &mut regex)?,
            '\\' => push_literal(rest.next().unwrap_or('\\'), &mut regex),
            c => push_literal(c, &mut regex),
        }
    }
    regex.push('$');
    Ok(regex)
}

fn translate_class(
    rest: &mut std::iter::Peekable<std::str::Chars<'_>>,
    regex: &mut String,
) -> Result<(), GlobError> {
    regex.push_str("(?u:[");
    if rest.next_if(|c| matches!(c, '!' | '^')).is_some() {
        regex.push('^');
    }
    let mut is_empty = true;
    loop {
        match rest.next().ok_or(GlobError::Unclosed('['))? {
            ']' if !is_empty => break,
            '\\' => push_class_literal(rest.next().ok_or(GlobError::Unclosed('['))?, regex),
            '-' if !is_empty => regex.push('-'),
            c => push_class_literal(c, regex),
        }
        is_empty = false;
    }
    regex.push_str("])");
    Ok(())
}

fn push_literal(c: char, regex: &mut String) {
    let mut buffer = [0; 4];
    regex.push_str("(?u:");
    regex.push_str(&regex::escape(c.encode_utf8(&mut buffer)));
    regex.push(')');
}

fn push_class_literal(c: char, regex: &mut String) {
    if c.is_ascii_punctuation() {
        regex.push('\\');
    }
    regex.push(c);
}

/// Writes out the alternatives of the first braces, and goes on with what comes of each.
fn expand(text: &str, texts: &mut Vec<String>) -> Result<(), GlobError> {
    let Some((before, alternatives, after)) = first_braces(text)? else {
        if texts.len() == ALTERNATIVES_MAX {
            return Err(GlobError::TooMany);
        }
        texts.push(text.to_owned());
        return Ok(());
    };
    alternatives.iter().try_for_each(|one| expand(&format!("{before}{one}{after}"), texts))
}

type Braces<'a> = (&'a str, Vec<&'a str>, &'a str);

fn first_braces(text: &str) -> Result<Option<Braces<'_>>, GlobError> {
    let (mut depth, mut open, mut start) = (0_usize, 0, 0);
    let mut alternatives = Vec::new();
    let (mut is_escaped, mut is_in_class) = (false, false);
    for (at, c) in text.char_indices() {
        match c {
            _ if is_escaped => {}
            '[' => is_in_class = true,
            ']' => is_in_class = false,
            _ if is_in_class => {}
            '{' => {
                depth += 1;
                if depth == 1 {
                    (open, start) = (at, at + 1);
                }
            }
            ',' if depth == 1 => {
                alternatives.push(&text[start..at]);
                start = at + 1;
            }
            '}' if 0 < depth => {
                depth -= 1;
                if depth == 0 {
                    alternatives.push(&text[start..at]);
                    return Ok(Some((&text[..open], alternatives, &text[at + 1..])));
                }
            }
            _ => {}
        }
        is_escaped = c == '\\' && !is_escaped;
    }
    if 0 < depth { Err(GlobError::Unclosed('{')) } else { Ok(None) }
}

#[cfg(test)]
mod tests;
