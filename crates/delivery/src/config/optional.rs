//! Optional: a section that is off until its key is written, be it with nothing below it.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Deserializer, Serialize};

/// A section that counts as written when its key is there, even when it is empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Optional<T>(Option<T>);

impl<T> Optional<T> {
    /// A section that is there.
    pub fn written(words: T) -> Self {
        Self(Some(words))
    }

    /// The words, if the key was written.
    #[must_use]
    pub fn into_inner(self) -> Option<T> {
        self.0
    }

    /// The words, if the key was written.
    #[must_use]
    pub fn as_ref(&self) -> Option<&T> {
        self.0.as_ref()
    }
}

impl<T> Default for Optional<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<'de, T: Deserialize<'de> + Default> Deserialize<'de> for Optional<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let words = Option::<T>::deserialize(deserializer)?;
        Ok(Self(Some(words.unwrap_or_default())))
    }
}

impl<T: JsonSchema> JsonSchema for Optional<T> {
    fn inline_schema() -> bool {
        Option::<T>::inline_schema()
    }

    fn schema_name() -> Cow<'static, str> {
        Option::<T>::schema_name()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        Option::<T>::json_schema(generator)
    }
}
