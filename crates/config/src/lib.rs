//! OpenTelemetry Collector YAML as a typed tree with positions.

pub mod gates;
pub mod id;
pub mod problem;

pub mod node;
pub mod parse;
pub mod path;
pub mod scalar;

mod expand;
pub mod loader;
mod merge;
pub mod source;
mod template;

pub mod nearest;
mod reader;
pub mod section;
pub mod value;

pub mod document;
pub mod service;

pub mod mask;
pub mod render;
pub mod report;

pub use document::Document;
pub use gates::Gates;
pub use id::ComponentId;
pub use loader::{Loader, Refusal, Tree};
pub use nearest::nearest;
pub use problem::{Fault, Faults, Position, Problem};
pub use section::Section;
pub use source::Outside;
