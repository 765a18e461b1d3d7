//! Hostile: attacks over sockets on the real binary, which must give the documented answer, stay
//! within its memory, and serve the next good request.
//!
//! Every test starts a collector of its own, so its peak of memory is that of one attack.

mod bodies;
mod client;
mod fairness;
mod floods;
mod frames;
mod overload;
mod security;
mod slow;
mod target;
