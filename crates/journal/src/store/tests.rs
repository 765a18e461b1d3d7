mod commits;
mod crashes;
pub(crate) mod world;
