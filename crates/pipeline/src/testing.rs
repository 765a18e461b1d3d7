//! Testing: components whose every step can be seen, for the tests of plans and graphs.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use config::gates::Gates;
use config::section::Words;
use config::{ComponentId, Faults, Section};
use futures_util::future::BoxFuture;
use schemars::JsonSchema;
use serde::Deserialize;
use wire::Signal;

use crate::component::{Built, Component, Environment, Extension, Outlets, StartError};
use crate::consumer::{Consumer, Need, Outlet, Refusal, Reservation};
use crate::envelope::Envelope;
use crate::factory::{
    About, ConnectorBlueprint, ExporterBlueprint, ExtensionBlueprint, Factory, Plans,
    ProcessorBlueprint, ReceiverBlueprint, Stability,
};
use crate::outcome::Verdict;
use crate::plan::{Definitions, PipelineDefinition, Reference, ServiceDefinition};
use crate::storage::{ContextKey, StorageUse};

/// What the components of one test did, in order; found by the `journal` key of their sections.
static JOURNALS: Mutex<BTreeMap<String, Vec<String>>> = Mutex::new(BTreeMap::new());
static INSTANCES: AtomicUsize = AtomicUsize::new(0);

pub(crate) fn journal(name: &str) -> Vec<String> {
    JOURNALS.lock().unwrap().get(name).cloned().unwrap_or_default()
}

fn note(journal: &str, line: String) {
    JOURNALS.lock().unwrap().entry(journal.to_owned()).or_default().push(line);
}

/// The keys of every test component.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Keys {
    journal: String,
    /// Any text; a change of it is a change of settings.
    text: String,
    fails: bool,
    uses: String,
    /// The storage that it names, and the metadata key that it keeps there.
    stores: String,
    keeps: String,
    is_storage: bool,
    is_replaying: bool,
    is_removing: bool,
    answers_from_memory: bool,
    /// The metadata key that its credentials are made of.
    needs: Option<String>,
}

impl Words for Keys {
    type Settings = Self;

    fn validate(self, _gates: &Gates) -> Result<Self, Faults> {
        Ok(self)
    }
}

impl Plans for Keys {
    fn extensions(&self) -> Vec<(ComponentId, String)> {
        self.uses.parse().ok().map(|id| (id, "uses".to_owned())).into_iter().collect()
    }

    fn stores(&self) -> Vec<StorageUse> {
        let extension = self.stores.parse().ok().into_iter();
        let (key, metadata_keys) = ("stores".to_owned(), Some(vec![self.keeps.clone()]));
        extension
            .map(|extension| StorageUse {
                extension,
                key: key.clone(),
                metadata_keys: metadata_keys.clone(),
            })
            .collect()
    }

    fn is_storage(&self) -> bool {
        self.is_storage
    }

    fn is_replaying(&self) -> bool {
        self.is_replaying
    }

    fn removes_by(&self) -> Option<&'static str> {
        self.is_removing.then_some("is_removing")
    }

    fn answers_from_memory(&self) -> bool {
        self.answers_from_memory
    }

    fn context_keys(&self) -> Vec<ContextKey> {
        self.needs.iter().map(|key| ContextKey::Metadata(key.clone())).collect()
    }
}

impl Keys {
    fn start(&self, env: &Environment, next: Vec<Outlet>) -> Result<Arc<Part>, StartError> {
        if self.fails {
            return Err(StartError::new("asked to fail"));
        }
        let name = format!("{}{}", env.id, self.text);
        let number = INSTANCES.fetch_add(1, Ordering::Relaxed);
        note(&self.journal, format!("start {name}"));
        Ok(Arc::new(Part { name, journal: self.journal.clone(), number, next }))
    }

    fn built(&self, env: &Environment, next: Vec<Outlet>) -> Result<Built, StartError> {
        let part = self.start(env, next)?;
        Ok(Built { component: part.clone(), consumer: part })
    }
}

impl ReceiverBlueprint for Keys {
    fn build(&self, env: Environment, outlets: Outlets) -> Result<Arc<dyn Component>, StartError> {
        let next = outlets.signals().filter_map(|signal| outlets.of(signal).cloned()).collect();
        let part = self.start(&env, next)?;
        ENTRANCES.lock().unwrap().insert(format!("{}/{}", self.journal, env.id), part.clone());
        Ok(part)
    }
}

/// The receivers that are running, by journal and id, so that tests can send through them.
static ENTRANCES: Mutex<BTreeMap<String, Arc<Part>>> = Mutex::new(BTreeMap::new());

/// What a receiver would hand its next envelope to.
pub(crate) fn next_of(journal: &str, receiver: &str) -> Arc<dyn Consumer> {
    ENTRANCES.lock().unwrap()[&format!("{journal}/{receiver}")].next[0].consumer()
}

/// Sends an envelope in through a receiver.
pub(crate) fn send(journal: &str, receiver: &str, envelope: Envelope) {
    let part = ENTRANCES.lock().unwrap()[&format!("{journal}/{receiver}")].clone();
    part.next[0].consume(envelope);
}

impl ProcessorBlueprint for Keys {
    fn build(&self, env: Environment, next: Outlet) -> Result<Built, StartError> {
        self.built(&env, vec![next])
    }
}

impl ExporterBlueprint for Keys {
    fn build(&self, env: Environment) -> Result<Built, StartError> {
        self.built(&env, Vec::new())
    }
}

impl ConnectorBlueprint for Keys {
    fn build(&self, env: Environment, outlets: Outlets) -> Result<Built, StartError> {
        let next = outlets.signals().filter_map(|signal| outlets.of(signal).cloned()).collect();
        self.built(&env, next)
    }
}

impl ExtensionBlueprint for Keys {
    fn build(&self, env: Environment) -> Result<Arc<dyn Extension>, StartError> {
        Ok(self.start(&env, Vec::new())?)
    }
}

/// A component that passes envelopes on, or answers "delivered" at the end of a pipeline.
#[derive(Debug)]
struct Part {
    name: String,
    journal: String,
    number: usize,
    next: Vec<Outlet>,
}

impl Component for Part {
    fn drain(&self, _deadline: Instant) {
        note(&self.journal, format!("drain {}", self.name));
    }

    fn close(&self, _deadline: Instant) -> BoxFuture<'_, ()> {
        Box::pin(async { note(&self.journal, format!("close {}", self.name)) })
    }

    fn explain(&self) -> Vec<String> {
        vec![format!("instance {}", self.number)]
    }
}

impl Extension for Part {}

impl Consumer for Part {
    fn reserve(&self, need: &Need<'_>) -> Result<Reservation, Refusal> {
        self.next.first().map_or(Ok(Reservation::Nothing), |next| next.consumer().reserve(need))
    }

    fn commit(&self, envelope: Envelope, reservation: Reservation) {
        note(&self.journal, format!("{} items at {}", envelope.payload.items(), self.name));
        match self.next.first() {
            Some(next) => next.consumer().commit(envelope, reservation),
            None => envelope.answer_all(&Verdict::Delivered),
        }
    }
}

const ABOUT: About = About {
    name: "test",
    aliases: &["alias"],
    signals: &[Signal::Logs, Signal::Traces],
    stability: Stability::Stable,
    about: "Records what happens to it.",
};

/// One test component of each kind.
pub(crate) const FACTORIES: &[Factory] = &[
    Factory::receiver::<Keys>(ABOUT),
    Factory::processor::<Keys>(ABOUT),
    Factory::exporter::<Keys>(ABOUT),
    Factory::connector::<Keys>(About { name: "join", ..ABOUT }),
    Factory::extension::<Keys>(ABOUT),
];

/// Definitions from words such as `receivers: a {text: x}` and `pipeline: logs a > p > e`.
pub(crate) fn definitions(journal: &str, text: &str) -> Definitions {
    let mut definitions = Definitions::default();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (what, rest) = line.split_once(": ").unwrap();
        let sections = match what {
            "receiver" => &mut definitions.receivers,
            "processor" => &mut definitions.processors,
            "exporter" => &mut definitions.exporters,
            "connector" => &mut definitions.connectors,
            "extension" => &mut definitions.extensions,
            "service" => {
                definitions.service.extensions = references(rest);
                continue;
            }
            _ => {
                add_pipeline(&mut definitions.service, rest);
                continue;
            }
        };
        let (id, keys) = rest.split_once(' ').unwrap_or((rest, ""));
        let keys = keys.trim_start_matches('{').trim_end_matches('}');
        let yaml = format!("{{journal: {journal}, {keys}}}");
        sections.insert(id.parse().unwrap(), Section::from_yaml(&yaml).unwrap());
    }
    definitions
}

fn add_pipeline(service: &mut ServiceDefinition, text: &str) {
    let (id, flow) = text.split_once(' ').unwrap();
    let [receivers, processors, exporters] =
        flow.split('>').map(references).collect::<Vec<_>>().try_into().unwrap();
    service.pipelines.push(PipelineDefinition {
        id: id.parse().unwrap(),
        position: None,
        receivers,
        processors,
        exporters,
    });
}

fn references(text: &str) -> Vec<Reference> {
    let ids = text.split_whitespace().map(|id| id.parse().unwrap());
    ids.map(|id| Reference { id, position: None }).collect()
}
