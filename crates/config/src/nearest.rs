//! Nearest: which known name was probably meant.

/// The candidate that `name` is probably a misspelling of.
#[must_use]
pub fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // A third of the letters may be wrong; beyond that a suggestion misleads.
    let distance_max = (name.chars().count() / 3).max(1);
    candidates
        .into_iter()
        .map(|candidate| (distance(&fold(name), &fold(candidate)), candidate))
        .filter(|(distance, _)| *distance <= distance_max)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// A remedy that names the nearest candidate, or lists them all when none is near.
#[must_use]
pub fn remedy(name: &str, candidates: &[&str]) -> Option<String> {
    if let Some(near) = nearest(name, candidates.iter().copied()) {
        return Some(format!("did you mean `{near}`?"));
    }
    const SHOWN_MAX: usize = 25;
    let shown = candidates.iter().take(SHOWN_MAX);
    let quoted: Vec<_> = shown.map(|known| format!("`{known}`")).collect();
    let more = if SHOWN_MAX < candidates.len() { ", …" } else { "" };
    (!quoted.is_empty()).then(|| format!("known are {}{more}", quoted.join(", ")))
}

/// `maxSize`, `max-size` and `max_size` are the same word to a reader; very long names are cut.
fn fold(name: &str) -> Vec<char> {
    const LETTERS_MAX: usize = 64;
    let letters = name.chars().filter(|c| !matches!(c, '_' | '-' | ' '));
    letters.flat_map(char::to_lowercase).take(LETTERS_MAX).collect()
}

/// Insertions, deletions, substitutions and swaps of neighbours that lead from `a` to `b`.
fn distance(a: &[char], b: &[char]) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=b.len()).collect();
    for i in 0..a.len() {
        let mut row = vec![i + 1];
        for j in 0..b.len() {
            let substituted = above[j] + usize::from(a[i] != b[j]);
            let mut best = substituted.min(above[j + 1] + 1).min(row[j] + 1);
            if 0 < i && 0 < j && a[i] == b[j - 1] && a[i - 1] == b[j] {
                best = best.min(before[j - 1] + 1);
            }
            row.push(best);
        }
        before = std::mem::replace(&mut above, row);
    }
    above[b.len()]
}

#[cfg(test)]
mod tests;
