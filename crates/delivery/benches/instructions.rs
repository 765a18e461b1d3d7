//! The road out, for counting its instructions: `cargo xtask instructions`.
//!
//! `instructions PATH REPETITIONS` does the same work again and again, so that the difference of two
//! runs is what one repetition takes. It prints nothing and measures nothing itself. `PATH` is
//! `deliver`, or `deliver/CALLERS/LANES` for others than usual: see `bench/engine.py`.

use std::collections::VecDeque;
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

/// Callers whose items fill one batch.
const CALLERS: usize = 100;
/// The same where callers and lanes are counted: so few that ten callers fill a batch.
const CALLERS_OF_MANY: usize = 10;
/// Items of each.
const ITEMS: usize = 10;
/// The key by which lanes are told apart.
const KEY: &str = "tenant";
const BUDGET: usize = 1 << 40;

/// The allocator of the product.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|one| one != "--bench").collect();
    let [path, repetitions] = arguments.as_slice() else { return ExitCode::SUCCESS };
    let Ok(repetitions) = repetitions.parse::<usize>() else { return ExitCode::FAILURE };
    let Some(crowd) = Crowd::of(path) else { return ExitCode::FAILURE };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
    let Ok(runtime) = runtime else { return ExitCode::FAILURE };
    runtime.block_on(async {
        let way = Way::new(crowd);
        way.fill().await;
        way.deliver(repetitions).await;
    });
    ExitCode::SUCCESS
}

/// Who sends.
#[derive(Clone, Copy)]
struct Crowd {
    /// How many wait for their answers at any time.
    callers: usize,
    /// Callers whose items fill one batch; they use the same lane.
    merged: usize,
    /// Such groups use the lanes in turn.
    lanes: usize,
}

impl Crowd {
    fn of(path: &str) -> Option<Self> {
        let mut words = path.strip_prefix("deliver")?.split('/').skip(1);
        let Some(callers) = words.next() else {
            return Some(Self { callers: CALLERS, merged: CALLERS, lanes: 1 });
        };
        let (callers, lanes) = (callers.parse().ok()?, words.next()?.parse().ok()?);
        Some(Self { callers, merged: CALLERS_OF_MANY, lanes })
    }

    /// The lane of a request.
    fn lane(self, request: usize) -> usize {
        request / self.merged % self.lanes
    }
}

/// A batch processor before an exporter.
struct Way {
    env: Environment,
    relay: Built,
    _road: Built,
    request: Payload,
    crowd: Crowd,
}

impl Way {
    fn new(crowd: Crowd) -> Self {
        let env = environment();
        let direct = settings(None);
        let road = delivery::start(&env, direct, Takes).expect("nothing is opened");
        let next = Outlet::to(Arc::clone(&road.consumer));
        let relay = delivery::start_relay(&env, settings(Some(crowd.merged * ITEMS)), next);
        Self { env, relay, _road: road, request: request(), crowd }
    }

    /// Has every lane used once.
    async fn fill(&self) {
        let waiters: Vec<_> = (0..self.crowd.lanes).map(|lane| self.send(lane)).collect();
        for waiter in waiters {
            black_box(waiter.wait().await);
        }
    }

    /// Has every caller send so many requests; who was answered sends the next.
    async fn deliver(&self, repetitions: usize) {
        let requests = self.crowd.callers * repetitions;
        let mut waiters = VecDeque::with_capacity(self.crowd.callers);
        for request in 0..requests {
            if waiters.len() == self.crowd.callers {
                answered(&mut waiters).await;
            }
            waiters.push_back(self.send(self.crowd.lane(request)));
        }
        while !waiters.is_empty() {
            answered(&mut waiters).await;
        }
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

/// Waits for the answer to whoever waits for longest.
async fn answered(waiters: &mut VecDeque<Waiter>) {
    if let Some(waiter) = waiters.pop_front() {
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
