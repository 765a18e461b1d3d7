//! A receiver on free ports, in front of a sink.

use std::sync::Arc;
use std::time::Duration;

use pipeline::{Environment, Extensions, Outlet, Outlets};
use runtime::budget::Budget;
use wire::Signal;

use super::client::{Grpc, Http};
use super::sink::Sink;
use crate::receivers::otlp::config::Config;
use crate::receivers::otlp::receiver::Receiver;
use crate::receivers::otlp::settings::Settings;
use crate::testing;
use ::config::{Gates, Section};

/// A running receiver and what it sends to.
pub(super) struct World {
    pub receiver: Arc<Receiver>,
    pub sink: Arc<Sink>,
    pub env: Environment,
}

/// A world under construction.
pub(super) struct Builder {
    yaml: String,
    env: Environment,
}

impl World {
    /// A receiver with this configuration.
    pub(super) fn with(yaml: &str) -> Builder {
        Builder { yaml: yaml.to_owned(), env: testing::environment("otlp/test", None) }
    }

    /// A receiver with both protocols and no other configuration.
    pub(super) fn start() -> Self {
        Self::with(
            "protocols:\n  grpc: {endpoint: '127.0.0.1:0'}\n  http: {endpoint: 'localhost:0'}",
        )
        .start()
    }

    pub(super) async fn grpc(&self) -> Grpc {
        Grpc::connect(&self.receiver.address("grpc")).await
    }

    pub(super) async fn http(&self) -> Http {
        Http::connect(&self.receiver.address("http")).await
    }

    /// The value of a counter of the receiver.
    pub(super) fn counted(&self, name: &'static str, transport: &str) -> u64 {
        let labels =
            vec![("receiver", self.env.id.to_string()), ("transport", transport.to_owned())];
        self.env.metrics.counter(name, "", labels).value()
    }

    /// Ends the receiver; nothing of it is left.
    pub(super) async fn end(self) {
        use pipeline::Component as _;
        let clock = self.env.clock;
        let deadline = clock.now() + Duration::from_secs(5);
        self.receiver.close(deadline).await;
        drop(self.receiver);
        assert_eq!(self.env.budget.bytes_used(), 0, "{:?}", self.env.budget.explain());
    }
}

impl Builder {
    pub(super) fn budget(mut self, bytes_max: usize) -> Self {
        self.env.budget = Budget::root("test", bytes_max);
        self
    }

    pub(super) fn extensions(mut self, extensions: Extensions) -> Self {
        self.env.extensions = extensions;
        self
    }

    /// In the same process as `other`: it has the same network and memory.
    pub(super) fn beside(mut self, other: &World) -> Self {
        self.env.network = other.env.network.clone();
        self
    }

    pub(super) fn start(self) -> World {
        let Self { yaml, env } = self;
        let sink = Arc::new(Sink::default());
        let outlet = Outlet::to(sink.clone());
        let outlets: Outlets =
            Signal::ALL.map(|signal| (signal, outlet.clone())).into_iter().collect();
        let receiver = Receiver::start(&settings(&yaml), &env, outlets).unwrap();
        World { receiver: Arc::new(receiver), sink, env }
    }
}

fn settings(yaml: &str) -> Settings {
    let section = Section::from_yaml(yaml).unwrap();
    section.read::<Config>(&Gates::default()).unwrap()
}
