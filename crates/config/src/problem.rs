//! Problems: what is wrong in a configuration, where, and what to do.

use std::fmt;
use std::sync::Arc;

/// A place in a configuration source; line and column count from one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// The file's path, or `env:NAME`, `yaml:…`, `--set`.
    pub source: Arc<str>,
    pub line: usize,
    pub column: usize,
}

/// One thing that is wrong, as shown to the operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    pub position: Option<Position>,
    /// Keys from the root, such as `exporters.otlp.endpoint`.
    pub path: String,
    pub message: String,
    pub remedy: Option<String>,
}

/// One thing that is wrong, as a component sees it: its path starts at the component's own section.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    pub path: String,
    pub message: String,
    pub remedy: Option<String>,
}

/// Everything that validation found wrong; never empty when returned as an error.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Faults(Vec<Fault>);

impl Faults {
    /// Adds a fault at `path`, which starts at the component's own section (`""` is the section).
    pub fn add(&mut self, path: impl Into<String>, message: impl Into<String>) {
        self.0.push(Fault { path: path.into(), message: message.into(), remedy: None });
    }

    /// Adds a fault that says what to do.
    pub fn add_with_remedy(
        &mut self,
        path: impl Into<String>,
        message: impl Into<String>,
        remedy: impl Into<String>,
    ) {
        let remedy = Some(remedy.into());
        self.0.push(Fault { path: path.into(), message: message.into(), remedy });
    }

    /// Takes over the faults of a part whose section is `prefix`.
    pub fn take<T>(&mut self, prefix: &str, part: Result<T, Self>) -> Option<T> {
        match part {
            Ok(value) => Some(value),
            Err(faults) => {
                self.0.extend(faults.0.into_iter().map(|fault| fault.below(prefix)));
                None
            }
        }
    }

    /// `Ok(value)` when nothing was found.
    pub fn or<T>(self, value: impl FnOnce() -> T) -> Result<T, Self> {
        if self.0.is_empty() { Ok(value()) } else { Err(self) }
    }

    /// Whether nothing was found.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What was found.
    #[must_use]
    pub fn into_vec(self) -> Vec<Fault> {
        self.0
    }
}

/// Sorts problems by where they stand; those without a place come last.
pub fn sort(problems: &mut [Problem]) {
    problems.sort_by(|a, b| {
        let place = |problem: &Problem| (problem.position.is_none(), problem.position.clone());
        place(a).cmp(&place(b)).then_with(|| a.path.cmp(&b.path))
    });
}

impl Fault {
    fn below(mut self, prefix: &str) -> Self {
        self.path = match (prefix, self.path.as_str()) {
            ("", _) => self.path,
            (_, "") => prefix.to_owned(),
            (_, path) => format!("{prefix}.{path}"),
        };
        self
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(at) = &self.position {
            write!(f, "{}:{}:{}: ", at.source, at.line, at.column)?;
        }
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        f.write_str(&self.message)?;
        self.remedy.iter().try_for_each(|remedy| write!(f, "\n  help: {remedy}"))
    }
}
