mod cutting;
mod exhaustive;
mod fairness;
mod properties;
mod retrying;
mod world;
