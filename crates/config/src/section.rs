//! Section: the part of a configuration that belongs to one component.

use schemars::JsonSchema;
use serde::de::DeserializeOwned;

use crate::problem::Faults;
use crate::{Fault, Gates, Problem};

/// The words of a user for one component, and how they become complete settings.
///
/// Implementors deserialise with `#[serde(default, deny_unknown_fields)]`; doc comments on fields
/// become the reference documentation, with unit and meaning.
pub trait Words: DeserializeOwned + Default + JsonSchema {
    type Settings;

    /// Checks everything at once and completes it.
    fn validate(self, gates: &Gates) -> Result<Self::Settings, Faults>;
}

/// The part of a configuration that belongs to one component.
#[derive(Clone, Debug, Default)]
pub struct Section {}

impl Section {
    /// Reads the section into `W` and validates it; every problem has its position.
    pub fn read<W: Words>(&self, _gates: &Gates) -> Result<W::Settings, Vec<Problem>> {
        unimplemented!("the section reader is being written")
    }

    /// Gives a fault the position of the key it names.
    #[must_use]
    pub fn locate(&self, fault: Fault) -> Problem {
        Problem { position: None, path: fault.path, message: fault.message, remedy: fault.remedy }
    }

    /// A section read from YAML text, for tests.
    pub fn from_yaml(_text: &str) -> Result<Self, Vec<Problem>> {
        Ok(Self::default())
    }
}
