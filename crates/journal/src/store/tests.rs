mod commits;
mod crashes;
mod model;
mod reuse;
pub(crate) mod world;
