//! Value: the kinds of values that components share beyond those of YAML.

mod byte_size;
mod duration;
mod headers;
mod secret;

pub use byte_size::{ByteSize, InvalidByteSize};
pub use duration::{Duration, InvalidDuration};
pub use headers::Headers;
pub use secret::Secret;
