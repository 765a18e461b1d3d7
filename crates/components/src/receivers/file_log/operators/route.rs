//! Route: what all operators have in common: a name, a condition, and where entries go.

use config::Faults;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::receivers::file_log::entry::Field;
use crate::receivers::file_log::expression::Expression;

/// What becomes of an entry that an operator cannot handle.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OnError {
    #[default]
    Send,
    SendQuiet,
    Drop,
    DropQuiet,
}

impl OnError {
    /// Whether the entry goes on.
    pub(super) fn sends(self) -> bool {
        matches!(self, Self::Send | Self::SendQuiet)
    }

    /// Whether nobody is told.
    pub(super) fn is_quiet(self) -> bool {
        matches!(self, Self::SendQuiet | Self::DropQuiet)
    }
}

/// The ids of the operators that come next: one, or a list.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum OutputWords {
    One(String),
    Many(Vec<String>),
}

impl OutputWords {
    pub(super) fn ids(&self) -> &[String] {
        match self {
            Self::One(id) => std::slice::from_ref(id),
            Self::Many(ids) => ids,
        }
    }
}

/// The words that all operators share.
#[derive(Clone, Debug, Default)]
pub(super) struct RouteWords {
    pub(super) id: Option<String>,
    pub(super) output: Option<OutputWords>,
    pub(super) on_error: OnError,
    pub(super) condition: Option<String>,
}

/// Declares the words of an operator, with those that all operators share.
macro_rules! operator_words {
    (
        $(#[$about:meta])*
        pub struct $name:ident {
            $($(#[$doc:meta])* pub $field:ident: $type:ty,)*
        }
    ) => {
        $(#[$about])*
        #[derive(Clone, Debug, Default, serde::Deserialize, schemars::JsonSchema)]
        #[serde(default, deny_unknown_fields)]
        pub struct $name {
            /// The name by which `output` and `routes` find it; its `type`, unless it is written.
            pub id: Option<String>,
            /// Where entries go: an id or a list of ids; the next operator, unless it is written.
            pub output: Option<$crate::receivers::file_log::operators::route::OutputWords>,
            /// What becomes of an entry that cannot be handled: `send` passes it on as it is and
            /// tells of it, `send_quiet` tells nothing, `drop` and `drop_quiet` end it.
            pub on_error: $crate::receivers::file_log::operators::route::OnError,
            /// An expression; an entry for which it does not hold passes unchanged.
            #[serde(rename = "if")]
            pub condition: Option<String>,
            $($(#[$doc])* pub $field: $type,)*
        }

        impl $name {
            pub(super) fn take_route(
                &mut self,
            ) -> $crate::receivers::file_log::operators::route::RouteWords {
                $crate::receivers::file_log::operators::route::RouteWords {
                    id: self.id.take(),
                    output: self.output.take(),
                    on_error: self.on_error,
                    condition: self.condition.take(),
                }
            }
        }
    };
}
pub(super) use operator_words;

/// Reads the field that stands at `key`.
pub(super) fn field(key: &str, text: Option<String>, faults: &mut Faults) -> Option<Field> {
    match text.map(|text| Field::parse(&text)) {
        Some(Ok(field)) => Some(field),
        Some(Err(message)) => {
            faults.add(key, message);
            None
        }
        None => {
            let remedy = "name a field, such as `body.message` or `attributes[\"a.b\"]`";
            faults.add_with_remedy(key, format!("`{key}` is needed"), remedy);
            None
        }
    }
}

/// The same where a field need not be named.
pub(super) fn field_or(
    key: &str,
    text: Option<String>,
    default: Field,
    faults: &mut Faults,
) -> Option<Field> {
    match text {
        Some(text) => field(key, Some(text), faults),
        None => Some(default),
    }
}

/// Reads the expression that stands at `key`.
pub(super) fn expression(key: &str, text: &str, faults: &mut Faults) -> Option<Expression> {
    match Expression::parse(text) {
        Ok(expression) => Some(expression),
        Err(message) => {
            faults.add(key, message);
            None
        }
    }
}
