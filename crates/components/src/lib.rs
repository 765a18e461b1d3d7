//! What users name in YAML: receivers, processors, exporters, connectors, extensions.

use pipeline::Factory;

/// Every component there is, in the order of the documentation.
pub const FACTORIES: &[Factory] = &[];
