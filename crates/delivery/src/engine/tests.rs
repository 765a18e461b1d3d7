mod cutting;
mod exhaustive;
mod fairness;
mod merging;
mod properties;
mod retrying;
mod world;
