//! The world of the generator and the sink: components of the product, run by themselves.

use std::path::PathBuf;
use std::str::FromStr as _;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use config::{ComponentId, Gates, Section};
use pipeline::{Blueprint, Built, Component, Environment, Extensions, Kind, Outlets, Tracer};
use runtime::budget::Budget;
use runtime::clock::Clock;
use runtime::metrics::Registry;
use runtime::net::{Listener, Network};
use runtime::signals::{Signal, Signals};
use runtime::task::Scope;

/// Memory for payloads of a generator or sink.
const MEMORY_MAX: usize = 1 << 30;

/// What the components of one tool share.
#[derive(Clone, Debug)]
pub(crate) struct BenchWorld {
    pub(crate) clock: Clock,
    pub(crate) scope: Scope,
    pub(crate) metrics: Registry,
    pub(crate) network: Network,
    /// Where components keep things.
    pub(crate) data_dir: PathBuf,
    budget: Budget,
}

impl BenchWorld {
    pub(crate) fn new() -> Self {
        Self {
            clock: Clock,
            scope: Scope::root("tools"),
            metrics: Registry::default(),
            network: Network::default(),
            data_dir: std::env::temp_dir(),
            budget: Budget::root("tools", MEMORY_MAX),
        }
    }

    /// Listens at an address.
    pub(crate) fn listen(&self, address: &str) -> std::io::Result<Arc<Listener>> {
        self.network.listen(address)
    }

    /// Starts a receiver of the product from its YAML.
    pub(crate) fn receiver(
        &self,
        id: &str,
        yaml: &str,
        outlets: Outlets,
    ) -> anyhow::Result<Arc<dyn Component>> {
        let id = ComponentId::from_str(id)?;
        match blueprint(Kind::Receiver, &id, yaml)? {
            Blueprint::Receiver(blueprint) => Ok(blueprint.build(self.environment(id), outlets)?),
            _ => anyhow::bail!("`{id}` is not a receiver"),
        }
    }

    /// Starts an exporter of the product from its YAML.
    pub(crate) fn exporter(&self, id: &str, yaml: &str) -> anyhow::Result<Built> {
        let id = ComponentId::from_str(id)?;
        match blueprint(Kind::Exporter, &id, yaml)? {
            Blueprint::Exporter(blueprint) => Ok(blueprint.build(self.environment(id))?),
            _ => anyhow::bail!("`{id}` is not an exporter"),
        }
    }

    /// Waits until the time is over, or someone asks to end.
    pub(crate) async fn until(&self, period: Option<Duration>) -> anyhow::Result<()> {
        let mut signals = Signals::listen().context("listen for signals")?;
        let ended = async { while signals.next().await != Signal::Terminate {} };
        match period {
            Some(period) => {
                self.clock.by(self.clock.now() + period, ended).await.ok();
            }
            None => ended.await,
        }
        Ok(())
    }

    fn environment(&self, id: ComponentId) -> Environment {
        Environment {
            scope: self.scope.child(&id.to_string()),
            id,
            signal: None,
            clock: self.clock,
            metrics: self.metrics.clone(),
            health: Default::default(),
            tracer: Tracer::default(),
            budget: self.budget.clone(),
            network: self.network.clone(),
            data_dir: self.data_dir.clone(),
            extensions: Extensions::default(),
        }
    }
}

/// Reads the YAML of one component of the product.
pub(crate) fn blueprint(kind: Kind, id: &ComponentId, yaml: &str) -> anyhow::Result<Blueprint> {
    let factory = components::FACTORIES
        .iter()
        .find(|factory| factory.kind == kind && factory.is_named(id.kind()))
        .with_context(|| format!("there is no {} `{}`", kind.name(), id.kind()))?;
    let read =
        Section::from_yaml(yaml).and_then(|section| (factory.parse)(&section, &Gates::default()));
    read.map_err(|problems| {
        let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
        anyhow::anyhow!("{}", lines.join("\n"))
    })
}
