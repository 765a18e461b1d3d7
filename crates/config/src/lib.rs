//! OpenTelemetry Collector YAML as a typed tree with positions.

pub mod gates;
pub mod id;
pub mod problem;
pub mod section;

pub use gates::Gates;
pub use id::ComponentId;
pub use problem::{Fault, Faults, Position, Problem};
pub use section::Section;
