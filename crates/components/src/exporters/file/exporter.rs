//! The destination behind the `file` exporter.
//!
//! Bounds: `QUEUE_MAX` requests wait for the thread; more are asked to come back.

use std::collections::{BTreeMap, VecDeque};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use delivery::{Attempt, Destination, Reply};
use pipeline::factory::{ExporterBlueprint, Plans};
use pipeline::{Built, Code, Environment, StartError, Status, StorageUse, Verdict};
use runtime::channel::{self, Ends, OnceSender};
use runtime::clock::Clock;
use runtime::threads::Pool;
use wire::Payload;

use super::config::Settings;
use super::output::WriteError;
use super::outputs::Outputs;
use super::record;

const QUEUE_MAX: usize = 4096;
const RETRY_DELAY: Duration = Duration::from_secs(1);

impl Plans for Settings {
    fn stores(&self) -> Vec<StorageUse> {
        self.road.stores()
    }

    fn answers_from_memory(&self) -> bool {
        self.road.answers_from_memory()
    }

    fn warnings(&self) -> Vec<String> {
        let warning = "`rotation.localtime` has no effect: old files are named in UTC";
        self.wants_local_time.then(|| warning.to_owned()).into_iter().collect()
    }
}

impl ExporterBlueprint for Settings {
    fn build(&self, env: Environment) -> Result<Built, StartError> {
        let outputs = Outputs::open(self.clone()).map_err(|error| {
            let remedy = self.remedy(error.kind());
            StartError::new(format!("cannot open `{}`: {error}{remedy}", self.path.display()))
        })?;
        let pool = Pool::new("file", 1, QUEUE_MAX)
            .map_err(|error| StartError::new(format!("start the thread that writes: {error}")))?;
        let writer = Writer {
            settings: self.clone(),
            pending: Mutex::default(),
            outputs: Mutex::new(outputs),
            clock: env.clock,
        };
        let file = AppendTo { writer: Arc::new(writer), pool };
        delivery::start(&env, self.road.clone(), file)
    }
}

impl Settings {
    /// What an operator can do about a file that cannot be opened.
    fn remedy(&self, kind: ErrorKind) -> &'static str {
        match kind {
            ErrorKind::NotFound if self.directory_mode.is_none() => {
                "\n  help: make its folder, or write `create_directory: true`"
            }
            ErrorKind::PermissionDenied => {
                "\n  help: let the user that the process runs as write there"
            }
            ErrorKind::IsADirectory => "\n  help: `path` names the file, not its folder",
            _ => "",
        }
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
    outputs: Mutex<Outputs>,
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

/// What goes into one file, and which requests it is of.
#[derive(Default)]
struct Share {
    records: Vec<Vec<u8>>,
    requests: Vec<usize>,
}

impl Writer {
    /// Writes all that is pending and answers it.
    fn commit(&self) {
        let pending = std::mem::take(&mut *lock(&self.pending));
        let mut shares: BTreeMap<PathBuf, Share> = BTreeMap::new();
        let mut waiting = Vec::with_capacity(pending.len());
        for Pending { payload, verdict } in pending.into_iter().filter(Pending::is_awaited) {
            match self.records(&payload) {
                Ok(records) => {
                    for (path, record) in records {
                        let share = shares.entry(path).or_default();
                        share.records.push(record);
                        share.requests.push(waiting.len());
                    }
                    waiting.push((verdict, None));
                }
                Err(message) => {
                    let status = Status::new(Code::InvalidArgument, message);
                    answer(verdict, Verdict::Refused(status));
                }
            }
        }
        for (path, share) in shares {
            let written = lock(&self.outputs).append(&path, &share.records, self.clock.wall());
            for request in share.requests {
                let (_, verdict) = &mut waiting[request];
                *verdict = Some(joined(verdict.take(), verdict_of(&path, &written)));
            }
        }
        for (waiting, verdict) in waiting {
            answer(waiting, verdict.unwrap_or(Verdict::Delivered));
        }
    }

    /// The records of a request, each with its file; or why it cannot be written.
    fn records(&self, payload: &Payload) -> Result<Vec<(PathBuf, Vec<u8>)>, String> {
        let parts = match &self.settings.grouping {
            None => vec![(self.settings.path.clone(), payload.clone())],
            Some(grouping) => grouping.parts(payload).map_err(|error| error.to_string())?,
        };
        let records = parts.into_iter().map(|(path, part)| {
            let record = record::encode(&self.settings, &part);
            Ok((path, record.map_err(|error| format!("encode a request: {error}"))?))
        });
        records.collect()
    }
}

fn verdict_of(path: &Path, written: &Result<(), WriteError>) -> Verdict {
    let Err(error) = written else { return Verdict::Delivered };
    let message = format!("write `{}`: {error}", path.display());
    match error {
        WriteError::Undone(_) => retry(message),
        WriteError::Torn(_) => Verdict::Unknown(Status::new(Code::Unavailable, message)),
    }
}

/// The verdict on a request whose parts stand in several files: if only some of them were written,
/// sending it again would double those.
fn joined(one: Option<Verdict>, other: Verdict) -> Verdict {
    match (one, other) {
        (None, other) => other,
        (Some(Verdict::Delivered), Verdict::Delivered) => Verdict::Delivered,
        (Some(Verdict::RetryAfter { status, .. }), Verdict::Delivered | Verdict::Unknown(_))
        | (Some(Verdict::Delivered), Verdict::RetryAfter { status, .. })
        | (Some(Verdict::Unknown(status)), _) => Verdict::Unknown(status),
        (Some(_), other) => other,
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
