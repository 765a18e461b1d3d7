//! Plan: what the configuration asks for, checked as a whole before anything is built.
//!
//! Pure: definitions in, a plan or every problem at once out.
//! Invariant: a plan's references all lead somewhere, and its pipelines form no cycle.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

use config::{ComponentId, Gates, Position, Problem, Section};
use wire::Signal;

use crate::factory::{
    Blueprint, ConnectorBlueprint, ExporterBlueprint, ExtensionBlueprint, Factory, Kind, Plans,
    ProcessorBlueprint, ReceiverBlueprint, Stability,
};

mod check;
mod parse;
mod promises;

/// The id of a pipeline: a signal and perhaps a name, as in `traces/2`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PipelineId {
    pub signal: Signal,
    pub name: Option<String>,
}

/// The sections of a configuration, as the user wrote them.
#[derive(Clone, Debug, Default)]
pub struct Definitions {
    pub receivers: BTreeMap<ComponentId, Section>,
    pub processors: BTreeMap<ComponentId, Section>,
    pub exporters: BTreeMap<ComponentId, Section>,
    pub connectors: BTreeMap<ComponentId, Section>,
    pub extensions: BTreeMap<ComponentId, Section>,
    pub service: ServiceDefinition,
}

/// What `service` says about the graph.
#[derive(Clone, Debug, Default)]
pub struct ServiceDefinition {
    pub extensions: Vec<Reference>,
    pub pipelines: Vec<PipelineDefinition>,
    /// Where `service.pipelines` stands.
    pub position: Option<Position>,
}

/// One entry of `service.pipelines`.
#[derive(Clone, Debug)]
pub struct PipelineDefinition {
    pub id: PipelineId,
    pub position: Option<Position>,
    pub receivers: Vec<Reference>,
    pub processors: Vec<Reference>,
    pub exporters: Vec<Reference>,
}

/// A component named in `service`.
#[derive(Clone, Debug)]
pub struct Reference {
    pub id: ComponentId,
    pub position: Option<Position>,
}

/// A component that is used, and what its instances are told apart by.
#[derive(Debug)]
pub struct Planned<B: ?Sized> {
    pub blueprint: Box<B>,
    /// Equal fingerprints mean equal settings, of the component and of the extensions it uses.
    pub fingerprint: u64,
}

/// A pipeline whose references all lead somewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlannedPipeline {
    pub id: PipelineId,
    pub receivers: Vec<ComponentId>,
    pub processors: Vec<ComponentId>,
    pub exporters: Vec<ComponentId>,
}

/// What the configuration asks for.
#[derive(Debug, Default)]
pub struct Plan {
    /// In the order in which they start.
    pub extensions: Vec<(ComponentId, Planned<dyn ExtensionBlueprint>)>,
    pub receivers: BTreeMap<ComponentId, Planned<dyn ReceiverBlueprint>>,
    pub processors: BTreeMap<ComponentId, Planned<dyn ProcessorBlueprint>>,
    pub exporters: BTreeMap<ComponentId, Planned<dyn ExporterBlueprint>>,
    pub connectors: BTreeMap<ComponentId, Planned<dyn ConnectorBlueprint>>,
    /// Upstream before downstream.
    pub pipelines: Vec<PlannedPipeline>,
    /// What the operator should know, a sentence each.
    pub warnings: Vec<String>,
}

impl Plan {
    /// Checks the definitions and makes the plan, or tells everything that is wrong.
    pub fn of(
        definitions: &Definitions,
        factories: &[Factory],
        gates: &Gates,
    ) -> Result<Self, Vec<Problem>> {
        let mut problems = Vec::new();
        let parsed = parse::Parsed::of(definitions, factories, gates, &mut problems);
        check::references(definitions, &parsed, &mut problems);
        let order = check::flow_order(definitions, &parsed, &mut problems);
        if !problems.is_empty() {
            return Err(problems);
        }
        let mut plan = parsed.into_plan(definitions, &order);
        let broken = promises::problems(&plan, definitions);
        if !broken.is_empty() {
            return Err(broken);
        }
        plan.warnings.extend(promises::warnings(&plan));
        Ok(plan)
    }

    /// The smallest memory limit that a component sets for the process, in bytes.
    #[must_use]
    pub fn memory_limit(&self) -> Option<usize> {
        self.processors.values().filter_map(|planned| planned.blueprint.memory_limit()).min()
    }

    /// The signals for which pipelines take the output of a receiver or connector.
    pub fn signals_out_of<'a>(&'a self, id: &'a ComponentId) -> impl Iterator<Item = Signal> + 'a {
        let fed = self.pipelines.iter().filter(move |pipeline| pipeline.receivers.contains(id));
        fed.map(|pipeline| pipeline.id.signal)
    }
}

/// The problems of the components alone, for a configuration whose `service` could not be read.
#[must_use]
pub fn component_problems(
    definitions: &Definitions,
    factories: &[Factory],
    gates: &Gates,
) -> Vec<Problem> {
    let mut problems = Vec::new();
    parse::Parsed::of(definitions, factories, gates, &mut problems);
    problems
}

impl FromStr for PipelineId {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let id: ComponentId = text.parse().map_err(|error| format!("{error}"))?;
        let Some(signal) = Signal::from_name(id.kind()) else {
            let names = Signal::ALL.map(Signal::name).join(", ");
            return Err(format!("`{}` is not a signal: expected one of {names}", id.kind()));
        };
        Ok(Self { signal, name: id.name().map(str::to_owned) })
    }
}

impl fmt::Display for PipelineId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.signal.name())?;
        self.name.iter().try_for_each(|name| write!(f, "/{name}"))
    }
}

impl Kind {
    /// All of them, in the order of a configuration file.
    pub const ALL: [Self; 5] =
        [Self::Receiver, Self::Processor, Self::Exporter, Self::Connector, Self::Extension];

    /// The key of the configuration under which components of this kind stand.
    #[must_use]
    pub const fn section(self) -> &'static str {
        match self {
            Self::Receiver => "receivers",
            Self::Processor => "processors",
            Self::Exporter => "exporters",
            Self::Connector => "connectors",
            Self::Extension => "extensions",
        }
    }

    /// The kind in words.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Receiver => "receiver",
            Self::Processor => "processor",
            Self::Exporter => "exporter",
            Self::Connector => "connector",
            Self::Extension => "extension",
        }
    }
}

#[cfg(test)]
mod tests;
