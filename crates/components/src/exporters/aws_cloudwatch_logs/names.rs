//! Names: what CloudWatch Logs takes as the name of a log group or stream, as tags and retention.

/// The longest name of a group or stream, in characters.
const LEN_MAX: usize = 512;

/// Days for which a group can keep its events.
const RETENTION_DAYS: &[u32] = &[
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922,
    3288, 3653,
];

/// What a name is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Group,
    Stream,
}

impl Kind {
    /// Whether a name may have this character.
    pub(super) fn allows(self, c: char) -> bool {
        match self {
            Self::Group => c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | '/' | '#'),
            Self::Stream => !matches!(c, ':' | '*') && !c.is_control(),
        }
    }

    /// What is wrong with this text as a part of a name.
    pub(super) fn flaw(self, text: &str) -> Option<String> {
        let wrong = text.chars().find(|c| !self.allows(*c))?;
        let allowed = match self {
            Self::Group => "letters, digits and `.-_/#`",
            Self::Stream => "everything but `:` and `*`",
        };
        Some(format!("the name has `{wrong}`; it may have {allowed}"))
    }

    /// The nearest name that is allowed.
    pub(super) fn mended(self, name: &str) -> String {
        let allowed = |c| if self.allows(c) { c } else { '_' };
        let mut mended = name.chars().map(allowed).take(LEN_MAX).collect::<String>();
        if mended.is_empty() {
            mended.push_str("undefined");
        }
        if self == Self::Group && mended.starts_with("aws/") {
            mended.replace_range(..3, "_aws");
        }
        mended
    }
}

/// Whether a group can keep its events for that many days.
pub(super) fn is_retention(days: u32) -> bool {
    RETENTION_DAYS.contains(&days)
}

/// What is wrong with a tag.
pub(super) fn tag_flaw(key: &str, value: &str) -> Option<String> {
    let is_mark = |c: char| "_.:/=+-@".contains(c);
    let is_allowed = |c: char| c.is_alphanumeric() || c == ' ' || is_mark(c);
    let (key_len, value_len) = (key.chars().count(), value.chars().count());
    if !(1..=128).contains(&key_len) {
        return Some("a key has 1 to 128 characters".to_owned());
    }
    if 256 < value_len {
        return Some("a value has at most 256 characters".to_owned());
    }
    if key.starts_with("aws:") {
        return Some("keys that begin with `aws:` are reserved".to_owned());
    }
    let is_wrong = !key.chars().chain(value.chars()).all(is_allowed);
    is_wrong.then(|| "keys and values have letters, digits, blanks and `_.:/=+-@`".to_owned())
}
