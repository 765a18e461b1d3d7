//! The configuration of the `headers_setter` extension.

use config::section::Words;
use config::value::Secret;
use config::{Faults, Gates};
use http::{HeaderName, HeaderValue};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Which headers to set.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The headers, at least one.
    pub headers: Vec<HeaderWords>,
}

/// One header, and where its value comes from: one of `value`, `from_context`, `from_attribute`;
/// none for `delete`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct HeaderWords {
    /// `insert` sets a header that is not there, `update` one that is there, `upsert` both; `delete`
    /// removes it. There is what `headers` of the exporter and earlier entries of this list set; what
    /// the protocol itself needs cannot be changed.
    pub action: Action,
    /// The name of the header.
    pub key: String,
    /// A fixed value.
    pub value: Option<Secret>,
    /// The metadata key of the client's request that the value is taken from. Receivers need
    /// `include_metadata`.
    pub from_context: Option<String>,
    /// The attribute that the receiver's authenticator found out about the client.
    pub from_attribute: Option<String>,
    /// What to send when the client sent nothing; without it, the header is left out then.
    pub default_value: Option<Secret>,
}

/// What to do with a header.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    #[default]
    Upsert,
    Insert,
    Update,
    Delete,
}

/// The headers to set.
#[derive(Clone, Debug)]
pub struct Settings {
    pub(super) headers: Vec<Header>,
}

/// One header to set.
#[derive(Clone, Debug)]
pub(super) struct Header {
    pub(super) name: HeaderName,
    pub(super) change: Change,
}

/// What is done to it.
#[derive(Clone, Debug)]
pub(super) enum Change {
    Delete,
    Set { when: When, source: Source, default: Option<HeaderValue> },
}

/// When a header is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum When {
    Absent,
    Present,
    Always,
}

/// Where a value comes from.
#[derive(Clone, Debug)]
pub(super) enum Source {
    Fixed(HeaderValue),
    Metadata(String),
    Identity(String),
}

impl Words for Config {
    type Settings = Settings;

    fn validate(self, _gates: &Gates) -> Result<Settings, Faults> {
        let mut faults = Faults::default();
        if self.headers.is_empty() {
            faults.add("headers", "there must be at least one header");
        }
        let headers = self.headers.into_iter().enumerate();
        let headers = headers.filter_map(|(index, words)| {
            faults.take(&format!("headers[{index}]"), words.validate())
        });
        let headers = headers.collect();
        faults.or(|| Settings { headers })
    }
}

impl HeaderWords {
    fn validate(self) -> Result<Header, Faults> {
        let mut faults = Faults::default();
        let name = HeaderName::from_bytes(self.key.as_bytes()).ok();
        if name.is_none() {
            faults.add("key", "`key` must be the name of a header");
        }
        let change = match self.action {
            Action::Insert => self.set(When::Absent, &mut faults),
            Action::Update => self.set(When::Present, &mut faults),
            Action::Upsert => self.set(When::Always, &mut faults),
            Action::Delete => self.delete(&mut faults),
        };
        match (name, change) {
            (Some(name), Some(change)) => faults.or(|| Header { name, change }),
            _ => Err(faults),
        }
    }

    fn delete(self, faults: &mut Faults) -> Option<Change> {
        for (key, is_written) in [
            ("value", self.value.is_some()),
            ("from_context", self.from_context.is_some()),
            ("from_attribute", self.from_attribute.is_some()),
            ("default_value", self.default_value.is_some()),
        ] {
            if is_written {
                faults.add(key, format!("`delete` does not use `{key}`"));
            }
        }
        Some(Change::Delete)
    }

    fn set(self, when: When, faults: &mut Faults) -> Option<Change> {
        let fixed = self.value.and_then(|value| header_value("value", &value, faults));
        let sources = [
            fixed.map(Source::Fixed),
            self.from_context.map(|key| Source::Metadata(key.to_ascii_lowercase())),
            self.from_attribute.map(Source::Identity),
        ];
        let mut sources = sources.into_iter().flatten();
        let source = sources.next();
        if (source.is_none() || sources.next().is_some()) && faults.is_empty() {
            faults.add("", "one of `value`, `from_context` and `from_attribute` is needed");
        }
        let default =
            self.default_value.and_then(|value| header_value("default_value", &value, faults));
        Some(Change::Set { when, source: source?, default })
    }
}

fn header_value(key: &str, value: &Secret, faults: &mut Faults) -> Option<HeaderValue> {
    let parsed = HeaderValue::from_str(value.expose()).ok();
    if parsed.is_none() {
        faults.add(key, format!("`{key}` has characters that a header cannot have"));
    }
    parsed.map(|mut value| {
        value.set_sensitive(true);
        value
    })
}
