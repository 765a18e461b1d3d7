mod commits;
mod crashes;
mod model;
pub(crate) mod world;
