//! Pattern: regular expressions as Go writes them, for a library that is stricter about brackets.

/// The same pattern with those brackets escaped that Go takes for themselves: a brace that repeats
/// nothing, and in a class a bracket or a doubled `-`, `&` or `~`.
pub(super) fn from_go(pattern: &str) -> String {
    let mut out = String::with_capacity(pattern.len() + 8);
    let mut rest = pattern;
    let mut is_class = false;
    while let Some(letter) = rest.chars().next() {
        let after = &rest[letter.len_utf8()..];
        let len = match letter {
            '\\' => 1 + after.chars().next().map_or(0, char::len_utf8),
            '[' if !is_class => {
                is_class = true;
                class_start_len(after)
            }
            ']' => {
                is_class = false;
                1
            }
            '[' if after.starts_with(':') => after.find(":]").map_or(1, |end| end + 3),
            '[' => {
                out.push('\\');
                1
            }
            '{' if !is_class && (out.is_empty() || !is_repetition(after)) => {
                out.push('\\');
                1
            }
            '-' | '&' | '~' if is_class && after.starts_with(letter) => {
                out.push(letter);
                out.push('\\');
                rest = after;
                1
            }
            other => other.len_utf8(),
        };
        let (taken, left) = rest.split_at(len);
        out.push_str(taken);
        rest = left;
    }
    out
}

/// How much of a class is its beginning: `[`, `[^`, and a bracket that stands first.
fn class_start_len(after: &str) -> usize {
    let negated = usize::from(after.starts_with('^'));
    1 + negated + usize::from(after[negated..].starts_with(']'))
}

/// Whether `3}`, `3,}` or `3,5}` comes next.
fn is_repetition(after: &str) -> bool {
    let Some((counts, _)) = after.split_once('}') else { return false };
    let (min, max) = counts.split_once(',').unwrap_or((counts, "0"));
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    !min.is_empty() && is_number(min) && is_number(max)
}

#[cfg(test)]
mod tests;
