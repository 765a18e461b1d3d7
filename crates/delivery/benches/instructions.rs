//! The road out, for counting its instructions: `cargo xtask instructions`.
//!
//! `instructions PATH REPETITIONS` does the same work again and again, so that the difference of two
//! runs is what one repetition takes. It prints nothing and measures nothing itself. `PATH` is
//! `deliver`, or `deliver/CALLERS/LANES` for others than usual: see `bench/engine.py`.

use std::hint::black_box;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use config::ComponentId;
use delivery::settings::{Batch, Halving, Lanes, LanesMax, Queue, Retry, Sizer};
use delivery::{Attempt, Destination, Reply, Settings};
use pipeline::{
    Built, Charge, Consumer, Context, Contributor, Envelope, Environment, Extensions, Metadata,
    Outlet, Tracer, Verdict, Waiter, Waiting, consume, receipt,
};
use runtime::budget::Budget;
use runtime::clock::Clock;
use runtime::metrics::Registry;
use runtime::net::Network;
use runtime::task::Scope;
use wire::{Payload, Signal};

/// Callers whose items fill one batch, if there are so many.
const CALLERS: usize = 100;
/// Items of each.
const ITEMS: usize = 10;
/// The key by which lanes are told apart.
const KEY: &str = "tenant";
const BUDGET: usize = 1 << 40;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|one| one != "--bench").collect();
    let [path, repetitions] = arguments.as_slice() else { return ExitCode::SUCCESS };
    let Ok(repetitions) = repetitions.parse::<usize>() else { return ExitCode::FAILURE };
    let Some((callers, lanes)) = crowd(path) else { return ExitCode::FAILURE };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
    let Ok(runtime) = runtime else { return ExitCode::FAILURE };
    runtime.block_on(async {
        let way = Way::new(callers, lanes);
        way.fill().await;
        for _ in 0..repetitions {
            way.deliver(callers).await;
        }
    });
    ExitCode::SUCCESS
}

/// How many callers send at the same time and wait for their answers, and how many lanes there are
/// beside the one that they use.
fn crowd(path: &str) -> Option<(usize, usize)> {
    let mut words = path.strip_prefix("deliver")?.split('/').skip(1);
    let Some(callers) = words.next() else { return Some((CALLERS, 0)) };
    Some((callers.parse().ok()?, words.next()?.parse().ok()?))
}

/// A batch processor before an exporter.
struct Way {
    env: Environment,
    relay: Built,
    _road: Built,
    request: Payload,
    lanes: usize,
}

impl Way {
    fn new(callers: usize, lanes: usize) -> Self {
        let env = environment();
        let direct = settings(None);
        let road = delivery::start(&env, direct, Takes).expect("nothing is opened");
        let next = Outlet::to(Arc::clone(&road.consumer));
        let relay = delivery::start_relay(&env, settings(Some(callers.min(CALLERS) * ITEMS)), next);
        Self { env, relay, _road: road, request: request(), lanes }
    }

    /// Has every lane used once.
    async fn fill(&self) {
        wait((0..self.lanes).map(|lane| self.send(lane + 1)).collect()).await;
    }

    async fn deliver(&self, callers: usize) {
        wait((0..callers).map(|_| self.send(0)).collect()).await;
    }

    fn send(&self, lane: usize) -> Waiter {
        let (receipt, waiter) = receipt::pair(self.request.items());
        let permit = self.env.budget.try_take(self.request.bytes_len()).expect("there is room");
        let contributor = Contributor {
            receipt,
            deadline: Clock.now() + Duration::from_hours(1),
            waiting: Waiting::Blocked,
            trace: None,
            charge: Charge::from(permit),
        };
        let metadata = [(KEY.to_owned(), lane.to_string())].into_iter().collect::<Metadata>();
        let context = Context { metadata, ..Context::default() };
        let payload = self.request.clone();
        let envelope = Envelope { payload, context, contributors: vec![contributor] };
        consume(self.relay.consumer.as_ref() as &dyn Consumer, envelope);
        waiter
    }
}

async fn wait(waiters: Vec<Waiter>) {
    for waiter in waiters {
        black_box(waiter.wait().await);
    }
}

fn settings(batch: Option<usize>) -> Settings {
    let queue = batch.map(|size| Queue {
        num_consumers: 10,
        wait_for_result: true,
        block_on_overflow: false,
        sizer: Sizer::Items,
        queue_size: usize::MAX,
        batch: Some(Batch {
            flush_timeout: Some(Duration::from_millis(200)),
            min_size: size,
            max_size: Some(size),
            sizer: Sizer::Items,
        }),
        store: None,
    });
    let keys = queue.iter().map(|_| KEY.to_owned()).collect();
    let lanes = Lanes { metadata_keys: keys, max: LanesMax::Unlimited, ..Lanes::default() };
    let timeout = Some(Duration::from_secs(5));
    Settings { timeout, retry: Some(Retry::default()), queue, halving: Halving::Callers, lanes }
}

fn environment() -> Environment {
    Environment {
        id: ComponentId::of_kind("bench"),
        signal: None,
        clock: Clock,
        scope: Scope::root("bench"),
        metrics: Registry::default(),
        tracer: Tracer::default(),
        budget: Budget::root("bench", BUDGET),
        network: Network::default(),
        data_dir: std::path::PathBuf::new(),
        extensions: Extensions::default(),
        health: Default::default(),
    }
}

/// A log request of records without contents.
fn request() -> Payload {
    let field = |number, body: &[u8]| {
        let mut out = Vec::new();
        wire::protobuf::put_bytes_field(&mut out, number, body);
        out
    };
    let records = field(2, &[]).repeat(ITEMS);
    let encoded = Bytes::from(field(1, &field(2, &records)));
    Payload::parse(Signal::Logs, encoded).expect("the request is well-formed")
}

/// A destination that takes everything at once.
struct Takes;

impl Destination for Takes {
    async fn send(&self, attempt: Attempt) -> Reply {
        black_box(attempt);
        Verdict::Delivered.into()
    }
}
