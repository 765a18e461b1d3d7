//! Scalar: what a YAML scalar means, decided as the Go Collector's YAML library decides it.
//!
//! It mixes YAML 1.1 (octal `017`, `1_000`) with 1.2 (`0o17`; `yes` and `on` are text).
//! Invariant: the text as written is never lost, so that `0123` read into a string stays `0123`.

/// A scalar as written, and whether it may mean anything but text.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Scalar {
    pub text: String,
    pub style: Style,
}

/// Whether a scalar was quoted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Style {
    /// Without quotes: a number, a truth value or nothing, if it looks like one.
    Plain,
    /// Quoted, a block, or tagged `!!str`: always text.
    Quoted,
}

/// What a scalar means where nothing says what it should be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Meaning<'a> {
    Null,
    Bool(bool),
    /// Between the least `i64` and the greatest `u64`.
    Integer(i128),
    Float(f64),
    Text(&'a str),
}

impl Scalar {
    /// A scalar without quotes.
    #[must_use]
    pub fn plain(text: impl Into<String>) -> Self {
        Self { text: text.into(), style: Style::Plain }
    }

    /// A scalar that is text, whatever it looks like.
    #[must_use]
    pub fn quoted(text: impl Into<String>) -> Self {
        Self { text: text.into(), style: Style::Quoted }
    }

    /// What it means.
    #[must_use]
    pub fn meaning(&self) -> Meaning<'_> {
        match self.style {
            Style::Quoted => Meaning::Text(&self.text),
            Style::Plain => resolve(&self.text),
        }
    }

    /// Whether both say the same; `0x1F` and `31` do not, as they differ when read into text.
    #[must_use]
    pub fn is_equal(&self, other: &Self) -> bool {
        match (self.meaning(), other.meaning()) {
            (Meaning::Null, Meaning::Null) => true,
            (Meaning::Text(a), Meaning::Text(b)) => a == b,
            (Meaning::Null | Meaning::Text(_), _) | (_, Meaning::Null | Meaning::Text(_)) => false,
            _ => self.text == other.text,
        }
    }

    /// Whether it says nothing.
    #[must_use]
    pub fn is_null(&self) -> bool {
        self.meaning() == Meaning::Null
    }
}

/// What the text of a plain scalar means.
#[must_use]
pub fn resolve(text: &str) -> Meaning<'_> {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Meaning::Null,
        "true" | "True" | "TRUE" => return Meaning::Bool(true),
        "false" | "False" | "FALSE" => return Meaning::Bool(false),
        ".nan" | ".NaN" | ".NAN" => return Meaning::Float(f64::NAN),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => {
            return Meaning::Float(f64::INFINITY);
        }
        "-.inf" | "-.Inf" | "-.INF" => return Meaning::Float(f64::NEG_INFINITY),
        _ => {}
    }
    if !text.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '+' | '-' | '.')) {
        return Meaning::Text(text);
    }
    number(&text.replace('_', "")).unwrap_or(Meaning::Text(text))
}

fn number(text: &str) -> Option<Meaning<'static>> {
    integer(text).map(Meaning::Integer).or_else(|| float(text).map(Meaning::Float))
}

fn integer(text: &str) -> Option<i128> {
    let (is_negative, digits) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let magnitude = i128::try_from(magnitude(digits)?).ok()?;
    let value = if is_negative { -magnitude } else { magnitude };
    (i128::from(i64::MIN)..=i128::from(u64::MAX)).contains(&value).then_some(value)
}

fn magnitude(digits: &str) -> Option<u128> {
    let lower = digits.to_ascii_lowercase();
    let (radix, digits) = match lower.as_bytes() {
        [b'0', b'x', ..] => (16, &lower[2..]),
        [b'0', b'o', ..] => (8, &lower[2..]),
        [b'0', b'b', ..] => (2, &lower[2..]),
        [b'0', _, ..] => (8, &lower[1..]),
        _ => (10, lower.as_str()),
    };
    // `from_str_radix` alone would take a second sign.
    if !digits.starts_with(|c: char| c.is_ascii_alphanumeric()) {
        return None;
    }
    u128::from_str_radix(digits, radix).ok()
}

fn float(text: &str) -> Option<f64> {
    // Rust would also take `inf` and `nan` in letters, which YAML writes otherwise.
    let is_figures = text.bytes().all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte));
    let value: f64 = is_figures.then(|| text.parse().ok())??;
    // Go refuses what does not fit, so the text stays text.
    value.is_finite().then_some(value)
}

#[cfg(test)]
mod tests;
