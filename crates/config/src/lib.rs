//! OpenTelemetry Collector YAML as a typed tree with positions.

pub mod gates;
pub mod id;
pub mod mask;
pub mod nearest;
pub mod node;
pub mod parse;
pub mod path;
pub mod problem;
mod reader;
pub mod scalar;
pub mod section;
pub mod value;

pub use gates::Gates;
pub use id::ComponentId;
pub use nearest::nearest;
pub use problem::{Fault, Faults, Position, Problem};
pub use section::Section;
