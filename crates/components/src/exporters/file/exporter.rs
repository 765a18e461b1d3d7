//! The destination behind the `file` exporter.
//!
//! Bounds: `QUEUE_MAX` requests wait for the thread; more are asked to come back.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use delivery::{Attempt, Destination, Reply};
use pipeline::factory::{ExporterBlueprint, Plans};
use pipeline::{Built, Code, Environment, StartError, Status, Verdict};
use runtime::channel::{self, Ends, OnceSender};
use runtime::clock::Clock;
use runtime::threads::Pool;
use wire::Payload;

use super::config::Settings;
use super::output::{Output, WriteError};
use super::record;

const QUEUE_MAX: usize = 4096;
const RETRY_DELAY: Duration = Duration::from_secs(1);

impl Plans for Settings {
    fn warnings(&self) -> Vec<String> {
        let warning = "`rotation.localtime` has no effect: old files are named in UTC";
        self.wants_local_time.then(|| warning.to_owned()).into_iter().collect()
    }
}

impl ExporterBlueprint for Settings {
    fn build(&self, env: Environment) -> Result<Built, StartError> {
        let output = Output::open(self.clone())
            .map_err(|error| StartError::new(format!("open `{}`: {error}", self.path.display())))?;
        let pool = Pool::new("file", 1, QUEUE_MAX)
            .map_err(|error| StartError::new(format!("start the thread that writes: {error}")))?;
        let writer = Writer {
            settings: self.clone(),
            pending: Mutex::default(),
            output: Mutex::new(output),
            clock: env.clock,
        };
        let file = AppendTo { writer: Arc::new(writer), pool };
        Ok(delivery::start(&env, self.road.clone(), file))
    }
}

/// Where the road leads: requests are committed in groups.
struct AppendTo {
    writer: Arc<Writer>,
    pool: Pool,
}

struct Writer {
    settings: Settings,
    pending: Mutex<VecDeque<Pending>>,
    /// Used by the thread only.
    output: Mutex<Output>,
    clock: Clock,
}

/// A request that is to be written.
struct Pending {
    payload: Payload,
    verdict: OnceSender<Verdict>,
}

impl Destination for AppendTo {
    async fn send(&self, attempt: Attempt) -> Reply {
        let ends = Ends { from: "file writer", to: "sender" };
        let (sender, mut verdict) = channel::once(ends);
        let pending = Pending { payload: attempt.payload, verdict: sender };
        lock(&self.writer.pending).push_back(pending);
        let writer = Arc::clone(&self.writer);
        if let Err(error) = self.pool.run(move || writer.commit()).await {
            return retry(error.to_string()).into();
        }
        // An earlier turn of the thread may have written it already.
        let verdict = verdict.recv().await;
        verdict.unwrap_or_else(|| retry("the writer is gone".to_owned())).into()
    }
}

impl Writer {
    /// Writes all that is pending and answers it.
    fn commit(&self) {
        let pending = std::mem::take(&mut *lock(&self.pending));
        let mut records = Vec::with_capacity(pending.len());
        let mut waiting = Vec::with_capacity(pending.len());
        for Pending { payload, verdict } in pending.into_iter().filter(Pending::is_awaited) {
            match record::encode(&self.settings, &payload) {
                Ok(record) => {
                    records.push(record);
                    waiting.push(verdict);
                }
                Err(error) => {
                    let message = format!("encode a request: {error}");
                    let status = Status::new(Code::InvalidArgument, message);
                    answer(verdict, Verdict::Refused(status));
                }
            }
        }
        if records.is_empty() {
            return;
        }
        let written = lock(&self.output).append(&records, self.clock.wall());
        let verdict = match written {
            Ok(()) => Verdict::Delivered,
            Err(error) => self.failed(&error),
        };
        waiting.into_iter().for_each(|waiting| answer(waiting, verdict.clone()));
    }

    fn failed(&self, error: &WriteError) -> Verdict {
        let message = format!("write `{}`: {error}", self.settings.path.display());
        match error {
            WriteError::Undone(_) => retry(message),
            WriteError::Torn(_) => Verdict::Unknown(Status::new(Code::Unavailable, message)),
        }
    }
}

impl Pending {
    fn is_awaited(&self) -> bool {
        self.verdict.is_awaited()
    }
}

fn answer(waiting: OnceSender<Verdict>, verdict: Verdict) {
    // Who left meanwhile hears from the road that its data may have been written.
    drop(waiting.send(verdict));
}

fn retry(message: String) -> Verdict {
    let status = Status::new(Code::Unavailable, message);
    Verdict::RetryAfter { delay: Some(RETRY_DELAY), status }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
