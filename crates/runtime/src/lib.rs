//! The outside world and the vital signs: the only crate that touches clocks, sockets and threads.
//!
//! Everything above asks it for time, tasks, channels, memory and network, so that every wait has a
//! name and a bound, and a test can put another world underneath.
//!
//! What runs here, and who talks to whom (`=>` a task, `->` a thread, `~` a wake-up):
//!
//! ```text
//!  edges            enter   +------+   admits   => door (the porter, one for each door)
//!  (receivers) -----------> | Door | <---------------+
//!       ^                   +------+                 ~ bytes went back
//!       | Permit                | try_take           |
//!       |                   +--------+   drop of any Permit
//!       +------------------ | Budget | <------------------------ envelopes, wherever they end
//!                           +--------+
//!  accept, connect      +---------+  run  -> resolve-0 .. 3   (names to addresses)
//!  ---------------------| Network |------>
//!                       +---------+
//!  run a job            +------+  queue   -> NAME-0 .. N      (blocking and long computing)
//!  ---------------------| Pool |--------->
//!                       +------+
//!  append, rename ...   +------+  queue   -> disk NAME        (one for each set of files)
//!  ---------------------| Disk |--------->
//!                       +------+
//!  send                 +-------+  take   -> an owner's own thread, which may use a `volume`
//!  ---------------------| Inbox |-------->
//!                       +-------+
//!  spawn                +-------+  list   => SCOPE/NAME ...   (all tasks of the product)
//!  ---------------------| Scope |-------->
//!                       +-------+
//!  every wait of these and of `channel`, `clock`, `shutdown` is on record in `waits` while it blocks
//! ```

#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "this crate is the one place that wraps the raw world"
)]
#![cfg_attr(
    test,
    allow(
        clippy::await_holding_invalid_type,
        reason = "tests hold permits on purpose, to see what waits for them"
    )
)]

pub mod budget;
pub mod channel;
pub mod clock;
pub mod disk;
pub mod door;
pub mod file_handle;
pub mod health;
pub mod host;
pub mod inbox;
pub mod mailbox;
pub mod metrics;
pub mod net;
pub mod random;
pub mod region;
pub mod shutdown;
pub mod signals;
pub mod task;
pub mod threads;
pub mod volume;
pub mod waits;
pub mod watch;

mod slab;
