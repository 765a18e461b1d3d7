//! Target: where a destination puts an item. Each target has a lane of its own.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

/// One place that a destination sends to, such as a log group and stream; by default the
/// destination as a whole.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Target(Option<Arc<Place>>);

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Place {
    names: Vec<Arc<str>>,
    scopes: Vec<Scope>,
}

/// What several targets rely on, such as a credential, an operation of an account, or an endpoint.
/// While it is known to fail, one probe at a time goes to any of them.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Scope(Arc<str>);

/// Where the items of a payload go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Targets {
    One(Target),
    /// Each target once, with its items in order; together they cover the payload.
    Several(Vec<(Target, Vec<Range<usize>>)>),
}

impl Target {
    /// The target of these names, which the destination finds again in its attempts, and the
    /// scopes that it is known to rely on. It joins others when it fails because of them.
    pub fn new<N: Into<Arc<str>>>(
        names: impl IntoIterator<Item = N>,
        scopes: impl IntoIterator<Item = Scope>,
    ) -> Self {
        let names = names.into_iter().map(Into::into).collect();
        Self(Some(Arc::new(Place { names, scopes: scopes.into_iter().collect() })))
    }

    /// Its names; none for the destination as a whole.
    #[must_use]
    pub fn names(&self) -> &[Arc<str>] {
        self.0.as_ref().map_or(&[], |place| &place.names)
    }

    /// The scopes that it is known to rely on.
    #[must_use]
    pub fn scopes(&self) -> &[Scope] {
        self.0.as_ref().map_or(&[], |place| &place.scopes)
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.names().join("/"))
    }
}

impl Scope {
    /// The scope of this name, which operators read.
    pub fn new(name: impl Into<Arc<str>>) -> Self {
        Self(name.into())
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Default for Targets {
    fn default() -> Self {
        Self::One(Target::default())
    }
}
