//! The configuration of one action, and its checks.

use std::borrow::Cow;

use config::Faults;
use regex::Regex;
use schemars::JsonSchema;
use serde::Deserialize;
use wire::view::AnyValue;

/// One thing to do; actions are done in order.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ActionWords {
    /// The key of the attribute.
    pub key: String,
    /// `insert` sets what is absent, `update` what is there, `upsert` both; `delete` removes;
    /// `hash` replaces the value by its SHA-256 in hex; `extract` sets an attribute for each named
    /// group of `pattern`; `convert` changes the type.
    pub action: Option<ActionKind>,
    /// The value to set.
    pub value: Option<Scalar>,
    /// The key of the attribute whose value is set.
    pub from_attribute: Option<String>,
    /// Where the value is taken from: `metadata.<key>` of the client's request, `auth.<attribute>`
    /// of its authentication, or `client.address`.
    pub from_context: Option<String>,
    /// For `extract` a regular expression with named groups; for `delete` and `hash` one for keys.
    pub pattern: Option<String>,
    /// The type to convert to: `int`, `double` or `string`.
    pub converted_type: Option<ConvertedType>,
}

/// What an action does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ActionKind {
    #[serde(alias = "INSERT")]
    Insert,
    #[serde(alias = "UPDATE")]
    Update,
    #[serde(alias = "UPSERT")]
    Upsert,
    #[serde(alias = "DELETE")]
    Delete,
    #[serde(alias = "HASH")]
    Hash,
    #[serde(alias = "EXTRACT")]
    Extract,
    #[serde(alias = "CONVERT")]
    Convert,
}

/// The type to convert to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ConvertedType {
    Int,
    Double,
    String,
}

/// A value written in the configuration; its type is that of YAML.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Scalar {
    Bool(bool),
    Int(i64),
    Double(f64),
    Text(String),
}

/// A checked action.
#[derive(Clone, Debug)]
pub(crate) enum Action {
    Set { key: String, when: When, source: Source },
    Delete(Keys),
    Hash(Keys),
    Extract { key: String, pattern: Regex },
    Convert { key: String, to: ConvertedType },
}

/// When a value is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum When {
    Absent,
    Present,
    Always,
}

/// Where a value comes from.
#[derive(Clone, Debug)]
pub(crate) enum Source {
    Value(Scalar),
    Attribute(String),
    Metadata(String),
    Identity(String),
    PeerAddress,
}

/// Which attributes are meant.
#[derive(Clone, Debug)]
pub(crate) struct Keys {
    pub(crate) key: Option<String>,
    pub(crate) pattern: Option<Regex>,
}

/// Checks a list of actions that stands at `path`.
pub(crate) fn validate(path: &str, words: Vec<ActionWords>, faults: &mut Faults) -> Vec<Action> {
    if words.is_empty() {
        faults.add(path, format!("`{path}` needs at least one action"));
    }
    let words = words.into_iter().enumerate();
    let actions = words
        .filter_map(|(index, words)| faults.take(&format!("{path}[{index}]"), words.validate()));
    actions.collect()
}

impl Scalar {
    pub(crate) fn view(&self) -> AnyValue<'_> {
        match self {
            Self::Bool(value) => AnyValue::Bool(*value),
            Self::Int(value) => AnyValue::Int(*value),
            Self::Double(value) => AnyValue::Double(*value),
            Self::Text(text) => AnyValue::Text(text),
        }
    }
}

impl ActionWords {
    fn validate(mut self) -> Result<Action, Faults> {
        let mut faults = Faults::default();
        let Some(action) = self.action else {
            faults.add("action", "`action` is needed");
            return Err(faults);
        };
        let is_keyed = matches!(action, ActionKind::Delete | ActionKind::Hash);
        if self.key.is_empty() && !(is_keyed && self.pattern.is_some()) {
            let remedy: Cow<'_, str> =
                if is_keyed { "set `key` or `pattern`".into() } else { "set `key`".into() };
            faults.add_with_remedy("key", "`key` is needed", remedy);
        }
        self.check_superfluous(action, &mut faults);
        let checked = match action {
            ActionKind::Insert => self.set(When::Absent, &mut faults),
            ActionKind::Update => self.set(When::Present, &mut faults),
            ActionKind::Upsert => self.set(When::Always, &mut faults),
            ActionKind::Delete => self.keys(&mut faults).map(Action::Delete),
            ActionKind::Hash => self.keys(&mut faults).map(Action::Hash),
            ActionKind::Extract => self.extract(&mut faults),
            ActionKind::Convert => self.convert(&mut faults),
        };
        match checked {
            Some(action) => faults.or(|| action),
            None => Err(faults),
        }
    }

    fn check_superfluous(&self, action: ActionKind, faults: &mut Faults) {
        let sets = matches!(action, ActionKind::Insert | ActionKind::Update | ActionKind::Upsert);
        let has_pattern =
            matches!(action, ActionKind::Delete | ActionKind::Hash | ActionKind::Extract);
        for (key, is_written, is_used) in [
            ("value", self.value.is_some(), sets),
            ("from_attribute", self.from_attribute.is_some(), sets),
            ("from_context", self.from_context.is_some(), sets),
            ("pattern", self.pattern.is_some(), has_pattern),
            ("converted_type", self.converted_type.is_some(), action == ActionKind::Convert),
        ] {
            if is_written && !is_used {
                faults.add(key, format!("this action does not use `{key}`"));
            }
        }
    }

    fn set(&mut self, when: When, faults: &mut Faults) -> Option<Action> {
        let from_context = self.from_context.take();
        let from_context = from_context.and_then(|from| {
            let source = Source::of_context(&from);
            if source.is_none() {
                let message = format!("`{from}` is not a part of the context");
                let remedy = "write `metadata.<key>`, `auth.<attribute>` or `client.address`";
                faults.add_with_remedy("from_context", message, remedy);
            }
            source
        });
        let sources = [
            self.value.take().map(Source::Value),
            self.from_attribute.take().map(Source::Attribute),
            from_context,
        ];
        let mut sources = sources.into_iter().flatten();
        let source = sources.next();
        if (source.is_none() || sources.next().is_some()) && faults.is_empty() {
            let message = "exactly one of `value`, `from_attribute` and `from_context` is needed";
            faults.add("", message);
        }
        Some(Action::Set { key: std::mem::take(&mut self.key), when, source: source? })
    }

    fn keys(&mut self, faults: &mut Faults) -> Option<Keys> {
        let key = Some(std::mem::take(&mut self.key)).filter(|key| !key.is_empty());
        let pattern = match self.pattern.take() {
            Some(pattern) => Some(regex("pattern", &pattern, faults)?),
            None => None,
        };
        Some(Keys { key, pattern })
    }

    fn extract(&mut self, faults: &mut Faults) -> Option<Action> {
        let Some(pattern) = self.pattern.take() else {
            faults.add("pattern", "`extract` needs a `pattern`");
            return None;
        };
        let pattern = regex("pattern", &pattern, faults)?;
        if pattern.capture_names().flatten().next().is_none() {
            let remedy = "name what is to be extracted: `(?P<name>...)`";
            faults.add_with_remedy("pattern", "`pattern` has no named groups", remedy);
        }
        Some(Action::Extract { key: std::mem::take(&mut self.key), pattern })
    }

    fn convert(&mut self, faults: &mut Faults) -> Option<Action> {
        let Some(to) = self.converted_type else {
            faults.add("converted_type", "`convert` needs a `converted_type`");
            return None;
        };
        Some(Action::Convert { key: std::mem::take(&mut self.key), to })
    }
}

impl Source {
    fn of_context(from: &str) -> Option<Self> {
        match from.split_once('.')? {
            ("metadata", key) => Some(Self::Metadata(key.to_ascii_lowercase())),
            ("auth", key) => Some(Self::Identity(key.to_owned())),
            ("client", "address") => Some(Self::PeerAddress),
            _ => None,
        }
    }
}

/// Compiles a pattern that stands at `key`.
pub(crate) fn regex(key: &str, pattern: &str, faults: &mut Faults) -> Option<Regex> {
    match Regex::new(pattern) {
        Ok(regex) => Some(regex),
        Err(error) => {
            faults.add(key, format!("not a regular expression: {error}"));
            None
        }
    }
}
