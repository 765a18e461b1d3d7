//! Watch: looks how long calls of the disk take, and says when one hangs, and when the disk goes on.
//!
//! Owner: a thread of its own, from before the journal is opened until its owner has ended.

use std::fmt;
use std::io;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use runtime::volume::Calls;

use super::lock;

/// How often somebody looks whether a call of the disk hangs.
const EVERY: Duration = Duration::from_secs(1);

/// A call of the disk that has not ended for long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hang {
    pub call: &'static str,
    pub age: Duration,
}

/// Told when a call of the disk is found to hang, and with `None` when the disk goes on. It must not
/// wait.
pub type ToldOfHang = Arc<dyn Fn(Option<Hang>) + Send + Sync>;

pub(super) struct Watch {
    calls: Calls,
    hangs_after: Duration,
    told: ToldOfHang,
    has_ended: Mutex<bool>,
    ended: Condvar,
}

impl Watch {
    /// Looks from now on; the thread ends after [`Watch::end`].
    pub(super) fn start(
        calls: Calls,
        hangs_after: Duration,
        told: ToldOfHang,
    ) -> io::Result<(Arc<Self>, JoinHandle<()>)> {
        let (has_ended, ended) = (Mutex::new(false), Condvar::new());
        let watch = Arc::new(Self { calls, hangs_after, told, has_ended, ended });
        let looking = Arc::clone(&watch);
        let thread = std::thread::Builder::new().name("journal watch".to_owned());
        Ok((watch, thread.spawn(move || looking.run())?))
    }

    /// The call that hangs now.
    pub(super) fn hang(&self) -> Option<Hang> {
        let longest = self.calls.longest().map(|(call, age)| Hang { call, age });
        longest.filter(|hang| self.hangs_after <= hang.age)
    }

    pub(super) fn end(&self) {
        *lock(&self.has_ended) = true;
        self.ended.notify_all();
    }

    fn run(&self) {
        let mut has_ended = lock(&self.has_ended);
        let mut is_hanging = false;
        while !*has_ended {
            let waited = self.ended.wait_timeout(has_ended, EVERY);
            has_ended = waited.unwrap_or_else(PoisonError::into_inner).0;
            let hang = self.hang();
            if hang.is_some() != is_hanging {
                is_hanging = hang.is_some();
                self.tell(hang);
            }
        }
        if is_hanging {
            self.tell(None);
        }
    }

    fn tell(&self, hang: Option<Hang>) {
        match hang {
            Some(Hang { call, age }) => {
                tracing::error!(call, ?age, "A call of the journal's disk hangs.");
            }
            None => tracing::info!("The journal's disk goes on."),
        }
        (self.told)(hang);
    }
}

impl fmt::Display for Hang {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a {} has not ended for {} s", self.call, self.age.as_secs())
    }
}
