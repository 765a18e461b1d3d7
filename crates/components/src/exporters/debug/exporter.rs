//! The destination behind the `debug` exporter.

use std::fs::OpenOptions;
use std::io::{self, BufWriter, Write};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use delivery::{Attempt, Destination, Reply};
use pipeline::factory::{ExporterBlueprint, Plans};
use pipeline::{Built, Code, Environment, StartError, Status, StorageUse, Verdict};
use runtime::clock::Clock;
use runtime::threads::Pool;
use wire::{Payload, Signal};

use super::config::{Output, Settings, Verbosity};
use super::sampler::Sampler;
use super::text::Text;

const QUEUE_MAX: usize = 1024;
const BUFFER_BYTES: usize = 64 << 10;
const RETRY_DELAY: Duration = Duration::from_secs(1);

impl Plans for Settings {
    fn stores(&self) -> Vec<StorageUse> {
        self.road.stores()
    }

    fn answers_from_memory(&self) -> bool {
        self.road.answers_from_memory()
    }
}

impl ExporterBlueprint for Settings {
    fn build(&self, env: Environment) -> Result<Built, StartError> {
        let outputs = self.outputs.iter().map(open).collect::<Result<Vec<_>, _>>()?;
        let console = Console::new(env.id.to_string(), self.verbosity, outputs);
        let pool = Pool::new("debug", 1, QUEUE_MAX)
            .map_err(|error| StartError::new(format!("start the thread that writes: {error}")))?;
        let sampler = Sampler::new(self.sampling_initial, self.sampling_thereafter);
        let samplers = Mutex::new(Signal::ALL.map(|signal| (signal, sampler)));
        let debug = Debug { console: Arc::new(console), pool, samplers, clock: env.clock };
        delivery::start(&env, self.road.clone(), debug)
    }
}

fn open(output: &Output) -> Result<Box<dyn Write + Send>, StartError> {
    Ok(match output {
        Output::Stdout => Box::new(io::stdout()),
        Output::Stderr => Box::new(io::stderr()),
        Output::File(path) => {
            let file = OpenOptions::new().append(true).create(true).open(path);
            Box::new(file.map_err(|error| {
                StartError::new(format!("open output `{}`: {error}", path.display()))
            })?)
        }
    })
}

/// Where the road leads: a thread that writes.
struct Debug {
    console: Arc<Console>,
    pool: Pool,
    samplers: Mutex<[(Signal, Sampler); 4]>,
    clock: Clock,
}

impl Destination for Debug {
    async fn send(&self, attempt: Attempt) -> Reply {
        if !self.is_sampled(attempt.payload.signal()) {
            return Verdict::Delivered.into();
        }
        let console = Arc::clone(&self.console);
        let clock = self.clock;
        let written = self.pool.run(move || console.write(&attempt.payload, clock)).await;
        match written {
            Ok(Ok(())) => Verdict::Delivered,
            Ok(Err(error)) => verdict_of(&error),
            Err(error) => {
                let status = Status::new(Code::Unavailable, error.to_string());
                Verdict::RetryAfter { delay: Some(RETRY_DELAY), status }
            }
        }
        .into()
    }
}

impl Debug {
    fn is_sampled(&self, signal: Signal) -> bool {
        let now = self.clock.now();
        let mut samplers = self.samplers.lock().unwrap_or_else(PoisonError::into_inner);
        let sampler = samplers.iter_mut().find(|(of, _)| *of == signal);
        sampler.is_none_or(|(_, sampler)| sampler.takes(now))
    }
}

pub(super) fn verdict_of(error: &io::Error) -> Verdict {
    let message = format!("write to the console: {error}");
    // Whoever read the other end is gone for good.
    if error.kind() == io::ErrorKind::BrokenPipe {
        return Verdict::Refused(Status::new(Code::Internal, message));
    }
    let status = Status::new(Code::Unavailable, message);
    Verdict::RetryAfter { delay: Some(RETRY_DELAY), status }
}

/// The outputs, and how text for them is made.
pub(super) struct Console {
    id: String,
    verbosity: Verbosity,
    outputs: Mutex<Vec<Box<dyn Write + Send>>>,
}

impl Console {
    pub(super) fn new(
        id: String,
        verbosity: Verbosity,
        outputs: Vec<Box<dyn Write + Send>>,
    ) -> Self {
        Self { id, verbosity, outputs: Mutex::new(outputs) }
    }

    /// Writes about `payload` to all outputs.
    pub(super) fn write(&self, payload: &Payload, clock: Clock) -> io::Result<()> {
        let request = payload.to_bytes();
        let (signal, items) = (payload.signal(), payload.items());
        let text = Text { id: &self.id, signal, request: &request, items };
        let mut outputs = self.outputs.lock().unwrap_or_else(PoisonError::into_inner);
        for output in outputs.iter_mut() {
            let mut buffered = BufWriter::with_capacity(BUFFER_BYTES, output);
            let written = text
                .summary(&mut buffered, clock.wall())
                .and_then(|()| text.items(&mut buffered, self.verbosity))
                .and_then(|()| buffered.flush());
            // What did not go out must not be tried again on drop.
            drop(buffered.into_parts());
            written?;
        }
        Ok(())
    }
}
