mod commits;
mod crashes;
mod world;
