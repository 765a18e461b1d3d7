//! Watch: looks how long calls of the disk take and what room it lacks, and says when one hangs or no
//! data can be taken, and when the disk goes on.
//!
//! Owner: a thread of its own, from before the journal is opened until its owner has ended.

use std::fmt;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use runtime::volume::{Calls, Volume as _, Watched};

use super::lock;

/// How often somebody looks.
const EVERY: Duration = Duration::from_secs(1);

/// What keeps a journal from its work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// Its disk hangs.
    Hang(Hang),
    /// It takes no data before so many bytes more are free on its disk.
    Lack { bytes: u64 },
}

/// A call of the disk that has not ended for long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hang {
    pub call: &'static str,
    pub age: Duration,
}

/// Told when a journal has trouble with its disk, and with `None` when it has none any more. It must
/// not wait.
pub type ToldOfTrouble = Arc<dyn Fn(Option<Trouble>) + Send + Sync>;

pub(super) struct Watch {
    volume: String,
    calls: Calls,
    hangs_after: Duration,
    lacks: AtomicU64,
    told: ToldOfTrouble,
    has_ended: Mutex<bool>,
    ended: Condvar,
}

impl Watch {
    /// Looks from now on; the thread ends after [`Watch::end`].
    pub(super) fn start(
        volume: &Watched,
        hangs_after: Duration,
        told: ToldOfTrouble,
    ) -> io::Result<(Arc<Self>, JoinHandle<()>)> {
        let (volume, calls) = (volume.name(), volume.calls());
        let (lacks, has_ended, ended) = Default::default();
        let watch = Arc::new(Self { volume, calls, hangs_after, lacks, told, has_ended, ended });
        let looking = Arc::clone(&watch);
        let thread = std::thread::Builder::new().name("journal watch".to_owned());
        Ok((watch, thread.spawn(move || looking.run())?))
    }

    /// The call that hangs now.
    pub(super) fn hang(&self) -> Option<Hang> {
        let longest = self.calls.longest().map(|(call, age)| Hang { call, age });
        longest.filter(|hang| self.hangs_after <= hang.age)
    }

    /// What must become free on the disk before data is taken; 0 when data is.
    pub(super) fn lacks(&self) -> u64 {
        self.lacks.load(Ordering::Relaxed)
    }

    pub(super) fn set_lacks(&self, bytes: u64) {
        self.lacks.store(bytes, Ordering::Relaxed);
    }

    pub(super) fn end(&self) {
        *lock(&self.has_ended) = true;
        self.ended.notify_all();
    }

    fn run(&self) {
        let mut has_ended = lock(&self.has_ended);
        let mut told = None;
        while !*has_ended {
            let waited = self.ended.wait_timeout(has_ended, EVERY);
            has_ended = waited.unwrap_or_else(PoisonError::into_inner).0;
            let trouble = self.trouble();
            if !is_same(trouble, told) {
                told = trouble;
                self.tell(trouble);
            }
        }
        if told.is_some() {
            self.tell(None);
        }
    }

    fn trouble(&self) -> Option<Trouble> {
        let lack = Some(self.lacks()).filter(|bytes| 0 < *bytes);
        let lack = lack.map(|bytes| Trouble::Lack { bytes });
        self.hang().map(Trouble::Hang).or(lack)
    }

    fn tell(&self, trouble: Option<Trouble>) {
        let volume = &self.volume;
        match trouble {
            Some(Trouble::Hang(Hang { call, age })) => {
                tracing::error!(volume, call, ?age, "A call of the journal's disk hangs.");
            }
            Some(Trouble::Lack { bytes }) => tracing::error!(
                volume,
                bytes,
                "The journal's disk is full: it takes no data before so many bytes more are free."
            ),
            None => tracing::info!(volume, "The journal's disk goes on."),
        }
        (self.told)(trouble);
    }
}

/// Whether there is nothing to tell of `now` to who knows `before`.
fn is_same(now: Option<Trouble>, before: Option<Trouble>) -> bool {
    matches!((now, before), (Some(Trouble::Hang(_)), Some(Trouble::Hang(_)))) || now == before
}

impl Trouble {
    /// A clause about the disk that is called `disk`.
    #[must_use]
    pub fn of(&self, disk: &str) -> String {
        match self {
            Self::Hang(hang) => format!("{disk} hangs: {hang}"),
            Self::Lack { bytes } => {
                format!("{disk} is full: no data is taken before {bytes} bytes more are free")
            }
        }
    }
}

impl fmt::Display for Hang {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a {} has not ended for {} s", self.call, self.age.as_secs())
    }
}
