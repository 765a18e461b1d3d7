//! What users name in YAML: receivers, processors, exporters, connectors, extensions.

pub mod connectors;
pub mod exporters;
pub mod tls;

use pipeline::Factory;

/// Every component there is, in the order of the documentation.
pub const FACTORIES: &[Factory] = &[exporters::nop::FACTORY, connectors::forward::FACTORY];

#[cfg(test)]
mod testing;
