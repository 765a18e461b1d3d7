//! Schema: the JSON schema of a configuration, for editors, the reference and masking.
//!
//! Written down by `cargo xtask docs`, with its parts under names that are known here.
//! See `examples/schema`, which makes it.

use config::ComponentId;
use config::mask::Description;
use pipeline::Kind;

use crate::inspect::of_kind;

/// One JSON schema (draft 2020-12) of the whole configuration.
pub(crate) const OF_CONFIGURATION: &str = include_str!("../../../docs/configuration.schema.json");

/// What says which values of a configuration are secret.
pub(crate) fn description() -> serde_json::Result<Description> {
    Ok(Description { schema: serde_json::from_str(OF_CONFIGURATION)?, pointer_of })
}

/// Where the schema describes the component `id` of a top-level section.
fn pointer_of(section: &str, id: &ComponentId) -> Option<String> {
    let kind = Kind::ALL.into_iter().find(|kind| kind.section() == section)?;
    let factory = of_kind(kind).find(|factory| factory.is_named(id.kind()))?;
    Some(format!("/$defs/{} {}", kind.name(), factory.name))
}
