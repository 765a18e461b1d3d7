//! Graph: the running components and how they are joined.
//!
//! Owner: the collector's main task; everyone else holds outlets. A new plan is applied by building
//! what changed beside what runs, then leading the outlets over, then draining what was replaced.
//! Invariant: a plan that cannot be built leaves the running graph as it was, and a plan that can
//! turns no request away.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use config::ComponentId;
use futures_util::future::join_all;
use runtime::budget::Budget;
use runtime::clock::Clock;
use runtime::health::Health;
use runtime::metrics::Registry;
use runtime::net::Network;
use runtime::task::Scope;
use wire::Signal;

use crate::component::{Component, Environment, Extension, Extensions, Outlets, StartError};
use crate::consumer::{Consumer, Outlet};
use crate::factory::Kind;
use crate::plan::{PipelineId, Plan};
use crate::trace::Tracer;
use gate::Gated;

mod assembly;
mod gate;
mod meter;

/// What all components of a process share.
#[derive(Clone, Debug)]
pub struct World {
    pub clock: Clock,
    pub scope: Scope,
    pub metrics: Registry,
    pub health: Health,
    pub tracer: Tracer,
    pub budget: Budget,
    pub network: Network,
    pub data_dir: PathBuf,
}

/// The running components of one process.
#[derive(Debug)]
pub struct Graph {
    world: World,
    parts: Parts,
}

/// Components that no longer get new data, but still hold some.
#[derive(Debug)]
#[must_use = "what was replaced is to be ended"]
pub struct Retired {
    clock: Clock,
    parts: Parts,
}

/// A component could not be started.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("cannot start {} `{id}`: {error}", kind.name())]
pub struct GraphError {
    pub kind: Kind,
    pub id: ComponentId,
    pub error: StartError,
}

/// Time set aside before the deadline for edges to send the answers that engines gave.
const EDGE_MARGIN_MAX: Duration = Duration::from_millis(500);

/// Where a processor stands.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    pipeline: PipelineId,
    id: ComponentId,
}

/// One running component with what it was built from.
#[derive(Clone, Debug)]
struct Node<C> {
    running: C,
    fingerprint: u64,
    /// Where its output goes: empty for exporters and extensions.
    outlets: Outlets,
}

/// The nodes of one plan.
#[derive(Clone, Debug, Default)]
struct Parts {
    /// In the order in which they started.
    extensions: Vec<(ComponentId, Node<Arc<dyn Extension>>)>,
    exporters: BTreeMap<ComponentId, Node<Gated>>,
    connectors: BTreeMap<ComponentId, Node<Gated>>,
    processors: BTreeMap<Place, Node<Gated>>,
    receivers: BTreeMap<ComponentId, Node<Arc<dyn Component>>>,
    /// The order in which components close: upstream before downstream.
    flow: Vec<Stage>,
}

/// A component on the way of the data, by where it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Stage {
    Processor(Place),
    Connector(ComponentId),
}

impl Graph {
    /// Builds the plan and starts it.
    pub async fn start(world: World, plan: &Plan) -> Result<Self, GraphError> {
        let now = world.clock.now();
        let mut graph = Self { world, parts: Parts::default() };
        let (retired, result) = graph.apply(plan);
        retired.end(now).await;
        result.map(|()| graph)
    }

    /// Applies a new plan: what has equal settings runs on, what changed starts before its
    /// predecessor drains. When a part cannot be built, everything runs on as it was.
    /// Gives what is to be ended now: the parts replaced, or those built in vain.
    pub fn apply(&mut self, plan: &Plan) -> (Retired, Result<(), GraphError>) {
        let (assembly, result) = assembly::Assembly::of(&self.world, &self.parts, plan);
        if result.is_ok() {
            assembly.connect();
        }
        let next = assembly.into_parts();
        let parts = if result.is_ok() {
            let previous = std::mem::replace(&mut self.parts, next);
            self.tell_extensions(true);
            previous.without(&self.parts)
        } else {
            next.without(&self.parts)
        };
        self.forget_series(&parts);
        (Retired { clock: self.world.clock, parts }, result)
    }

    /// Ends everything by `deadline`; what was accepted is delivered, or its caller is told.
    pub async fn shut_down(self, deadline: Instant) {
        self.tell_extensions(false);
        self.parts.end(self.world.clock, deadline).await;
    }

    /// What is held now, by component, a line each.
    #[must_use]
    pub fn explain(&self) -> Vec<(String, Vec<String>)> {
        let named = self.parts.components();
        named.map(|(name, component)| (name, component.explain())).collect()
    }

    /// Drops the metric series of components that are gone for good.
    fn forget_series(&self, retired: &Parts) {
        for (kind, id) in retired.ids() {
            if !self.parts.ids().any(|other| other == (kind, id)) {
                self.world.metrics.remove(kind.name(), &id.to_string());
            }
        }
    }

    fn tell_extensions(&self, is_ready: bool) {
        for (_, node) in &self.parts.extensions {
            node.running.ready(is_ready);
        }
    }
}

impl Retired {
    /// Ends what was replaced, by `deadline` at the latest: upstream first, each part only when
    /// nobody can hand anything to it any more, so that no request is turned away.
    pub async fn end(self, deadline: Instant) {
        let Self { clock, parts } = self;
        let Parts { extensions, exporters, mut connectors, mut processors, receivers, flow } =
            parts;
        let now = clock.now();
        // Receivers wait for clients; the parts behind them need time of their own.
        let receivers_deadline = now + deadline.saturating_duration_since(now) / 2;
        receivers.values().for_each(|node| node.running.drain(receivers_deadline));
        join_all(receivers.values().map(|node| node.running.close(receivers_deadline))).await;
        drop(receivers);
        for stage in &flow {
            let node = match stage {
                Stage::Processor(place) => processors.remove(place),
                Stage::Connector(id) => connectors.remove(id),
            };
            if let Some(node) = node {
                node.running.retire(clock, deadline).await;
            }
        }
        join_all(exporters.into_values().map(|node| node.running.retire(clock, deadline))).await;
        for (_, node) in extensions.iter().rev() {
            node.running.drain(deadline);
            node.running.close(deadline).await;
        }
    }
}

impl Parts {
    fn components(&self) -> impl Iterator<Item = (String, &dyn Component)> {
        let receivers =
            self.receivers.iter().map(|(id, node)| (format!("receiver {id}"), &*node.running));
        let processors = self.processors.iter().map(|(place, node)| {
            (format!("processor {} of {}", place.id, place.pipeline), &*node.running.component)
        });
        let connectors = self
            .connectors
            .iter()
            .map(|(id, node)| (format!("connector {id}"), &*node.running.component));
        let exporters = self
            .exporters
            .iter()
            .map(|(id, node)| (format!("exporter {id}"), &*node.running.component));
        let extensions = self
            .extensions
            .iter()
            .map(|(id, node)| (format!("extension {id}"), &*node.running as &dyn Component));
        receivers.chain(processors).chain(connectors).chain(exporters).chain(extensions)
    }

    fn ids(&self) -> impl Iterator<Item = (Kind, &ComponentId)> {
        let receivers = self.receivers.keys().map(|id| (Kind::Receiver, id));
        let processors = self.processors.keys().map(|place| (Kind::Processor, &place.id));
        let connectors = self.connectors.keys().map(|id| (Kind::Connector, id));
        let exporters = self.exporters.keys().map(|id| (Kind::Exporter, id));
        let extensions = self.extensions.iter().map(|(id, _)| (Kind::Extension, id));
        receivers.chain(processors).chain(connectors).chain(exporters).chain(extensions)
    }

    /// What is here but does not run on in `next`.
    fn without(mut self, next: &Self) -> Self {
        let is_other = |a: &Arc<dyn Component>, b: Option<&Arc<dyn Component>>| {
            b.is_none_or(|b| !Arc::ptr_eq(a, b))
        };
        self.receivers.retain(|id, node| {
            is_other(&node.running, next.receivers.get(id).map(|other| &other.running))
        });
        for (mine, theirs) in
            [(&mut self.exporters, &next.exporters), (&mut self.connectors, &next.connectors)]
        {
            mine.retain(|id, node| {
                is_other(&node.running.component, theirs.get(id).map(|it| &it.running.component))
            });
        }
        self.processors.retain(|place, node| {
            let other = next.processors.get(place).map(|other| &other.running.component);
            is_other(&node.running.component, other)
        });
        self.extensions.retain(|(id, node)| {
            let other = next.extensions.iter().find(|(other, _)| other == id);
            other.is_none_or(|(_, other)| !Arc::ptr_eq(&node.running, &other.running))
        });
        self
    }

    /// Drains all at once, then closes in the order of the flow, receivers after those they feed.
    async fn end(self, clock: Clock, deadline: Instant) {
        for (_, component) in self.components() {
            component.drain(deadline);
        }
        let left = deadline.saturating_duration_since(clock.now());
        let inner_deadline = deadline - EDGE_MARGIN_MAX.min(left / 10);
        for stage in &self.flow {
            if let Some(component) = self.at(stage) {
                component.close(inner_deadline).await;
            }
        }
        let exporters = self.exporters.values();
        join_all(exporters.map(|node| node.running.component.close(inner_deadline))).await;
        join_all(self.receivers.values().map(|node| node.running.close(deadline))).await;
        for (_, node) in self.extensions.iter().rev() {
            node.running.close(deadline).await;
        }
    }

    fn at(&self, stage: &Stage) -> Option<&dyn Component> {
        let node = match stage {
            Stage::Processor(place) => self.processors.get(place),
            Stage::Connector(id) => self.connectors.get(id),
        };
        node.map(|node| &*node.running.component)
    }
}

#[cfg(test)]
mod tests;
