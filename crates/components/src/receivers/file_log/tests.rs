//! The parts together: over a simulated file system, and over real files.

mod conformance;
mod copying;
mod following;
mod random;
mod real;
mod removing;
mod standing;
mod stopping;
mod world;
