//! Check: references lead somewhere, signals fit, and data flows one way.

use std::collections::VecDeque;

use super::parse::{Entry, Parsed};
use super::{
    BTreeMap, BTreeSet, ComponentId, Definitions, Kind, PipelineDefinition, Position, Problem,
    Reference, Section, Signal,
};
use crate::factory::{ExtensionBlueprint, Plans};
use crate::storage::{ContextKey, StorageUse};

/// Checks every reference of `service` and of the components to each other.
pub(super) fn references(definitions: &Definitions, parsed: &Parsed, problems: &mut Vec<Problem>) {
    let mut checker = Checker { definitions, parsed, problems };
    checker.extensions();
    checker.pipelines();
    checker.connectors();
    checker.extension_uses();
    checker.listeners();
}

struct Checker<'a> {
    definitions: &'a Definitions,
    parsed: &'a Parsed,
    problems: &'a mut Vec<Problem>,
}

impl Checker<'_> {
    fn extensions(&mut self) {
        let known = &self.definitions.extensions;
        for reference in &self.definitions.service.extensions {
            if !known.contains_key(&reference.id) {
                let problem = undefined("service.extensions", Kind::Extension, reference, &[known]);
                self.problems.push(problem);
            }
        }
    }

    fn pipelines(&mut self) {
        let service = &self.definitions.service;
        if service.pipelines.is_empty() {
            self.problems.push(Problem {
                position: service.position.clone(),
                path: "service.pipelines".to_owned(),
                message: "there is no pipeline".to_owned(),
                remedy: Some(
                    "add one, such as `logs: {receivers: [otlp], exporters: [debug]}`".to_owned(),
                ),
            });
        }
        for pipeline in &service.pipelines {
            self.pipeline(pipeline);
        }
    }

    fn pipeline(&mut self, pipeline: &PipelineDefinition) {
        let path = format!("service.pipelines.{}", pipeline.id);
        for (list, key) in [(&pipeline.receivers, "receivers"), (&pipeline.exporters, "exporters")]
        {
            if list.is_empty() {
                let message = format!("pipeline `{}` has no {key}", pipeline.id);
                self.add(pipeline.position.as_ref(), &path, message);
            }
        }
        let definitions = self.definitions;
        let connectors = &definitions.connectors;
        let ends = [
            (&pipeline.receivers, Kind::Receiver, vec![&definitions.receivers, connectors]),
            (&pipeline.processors, Kind::Processor, vec![&definitions.processors]),
            (&pipeline.exporters, Kind::Exporter, vec![&definitions.exporters, connectors]),
        ];
        for (references, kind, known) in ends {
            let path = format!("{path}.{}", kind.section());
            self.list(&List { signal: pipeline.id.signal, path, kind, references, known });
        }
    }

    fn list(&mut self, list: &List<'_>) {
        let List { signal, path, kind, .. } = list;
        let mut seen = BTreeSet::new();
        for reference in list.references {
            let id = &reference.id;
            if !seen.insert(id) {
                self.add(reference.position.as_ref(), path, format!("`{id}` stands here twice"));
            }
            if !list.known.iter().any(|sections| sections.contains_key(id)) {
                self.problems.push(undefined(path, *kind, reference, &list.known));
            } else if !self.takes(*kind, id, *signal) {
                let message = format!("{} `{id}` does not handle {signal}", kind.name());
                self.add(reference.position.as_ref(), path, message);
            }
        }
    }

    /// Whether the component handles the signal; one that could not be read is given the benefit.
    fn takes(&self, kind: Kind, id: &ComponentId, signal: Signal) -> bool {
        let parsed = self.parsed;
        let factory = match kind {
            Kind::Receiver => parsed.receivers.get(id).map(|entry| entry.factory),
            Kind::Processor => parsed.processors.get(id).map(|entry| entry.factory),
            Kind::Exporter => parsed.exporters.get(id).map(|entry| entry.factory),
            Kind::Connector | Kind::Extension => None,
        };
        factory.is_none_or(|factory| factory.signals.contains(&signal))
    }

    fn connectors(&mut self) {
        for (id, entry) in &self.parsed.connectors {
            let ends = Ends::of(&self.definitions.service.pipelines, id);
            let translates =
                |from: &Signal| ends.out_of.iter().any(|to| entry.blueprint.translates(*from, *to));
            let message = match (ends.into.is_empty(), ends.out_of.is_empty()) {
                (true, false) => "is read from, but no pipeline exports to it".to_owned(),
                (false, true) => "is exported to, but no pipeline receives from it".to_owned(),
                _ => match ends.into.iter().find(|from| !translates(from)) {
                    Some(from) => format!("cannot turn {from} into what its pipelines receive"),
                    None => continue,
                },
            };
            let position = self.definitions.connectors[id].position();
            let message = format!("connector `{id}` {message}");
            self.add(position, &format!("connectors.{id}"), message);
        }
    }

    /// No two components that run may listen on the same address: they would share its socket, as
    /// a component and its successor do, and clients would reach either.
    fn listeners(&mut self) {
        let service = &self.definitions.service;
        let mut listening = Vec::new();
        for (id, entry) in &self.parsed.receivers {
            let lists = service.pipelines.iter().map(|pipeline| &pipeline.receivers);
            if lists.flatten().any(|reference| reference.id == *id) {
                let section = &self.definitions.receivers[id];
                listening.push((Kind::Receiver, id, section, entry.blueprint.listens()));
            }
        }
        for (id, entry) in &self.parsed.extensions {
            if service.extensions.iter().any(|reference| reference.id == *id) {
                let section = &self.definitions.extensions[id];
                listening.push((Kind::Extension, id, section, entry.blueprint.listens()));
            }
        }
        let mut taken = BTreeMap::new();
        for (kind, id, section, addresses) in listening {
            for (address, key) in addresses {
                let path = format!("{}.{id}.{key}", kind.section());
                if let Some(other) = taken.get(&address) {
                    let message = format!("`{address}` is what `{other}` listens on");
                    self.add(section.position(), &path, message);
                } else {
                    taken.insert(address, path);
                }
            }
        }
    }

    /// The extensions that components name must be defined, and started by `service.extensions`.
    fn extension_uses(&mut self) {
        let parsed = self.parsed;
        for (id, entry) in &parsed.receivers {
            self.uses_of(Kind::Receiver, id, &*entry.blueprint);
        }
        for (id, entry) in &parsed.processors {
            self.uses_of(Kind::Processor, id, &*entry.blueprint);
        }
        for (id, entry) in &parsed.exporters {
            self.uses_of(Kind::Exporter, id, &*entry.blueprint);
        }
        for (id, entry) in &parsed.extensions {
            self.uses_of(Kind::Extension, id, &*entry.blueprint);
        }
    }

    fn uses_of<B: Plans + ?Sized>(&mut self, kind: Kind, id: &ComponentId, blueprint: &B) {
        let definitions = self.definitions;
        let sections = match kind {
            Kind::Receiver => &definitions.receivers,
            Kind::Processor => &definitions.processors,
            Kind::Exporter => &definitions.exporters,
            Kind::Connector => &definitions.connectors,
            Kind::Extension => &definitions.extensions,
        };
        let section = &sections[id];
        let used = blueprint.extensions();
        let stores = blueprint.stores();
        for store in &stores {
            self.store(kind, id, section, store);
            self.credentials((kind, id, section), store, &used);
        }
        let stores = stores.into_iter().map(|one| (one.extension, one.key));
        self.uses(kind, id, section, used.into_iter().chain(stores).collect());
    }

    /// What is named as storage must be one.
    fn store(&mut self, kind: Kind, user: &ComponentId, section: &Section, store: &StorageUse) {
        let StorageUse { extension, key, .. } = store;
        let is_other = |entry: &Entry<dyn ExtensionBlueprint>| !entry.blueprint.is_storage();
        if self.parsed.extensions.get(extension).is_some_and(is_other) {
            self.problems.push(Problem {
                position: section.position_of(key),
                path: format!("{}.{user}.{key}", kind.section()),
                message: format!("extension `{extension}` is no storage"),
                remedy: Some("name a `file_storage` extension".to_owned()),
            });
        }
    }

    /// Stored data is sent when its client is long gone, so credentials can be made only of what
    /// is stored with it.
    fn credentials(
        &mut self,
        (kind, user, section): (Kind, &ComponentId, &Section),
        store: &StorageUse,
        used: &[(ComponentId, String)],
    ) {
        let Some(kept) = &store.metadata_keys else { return };
        for (id, key) in used {
            let Some(entry) = self.parsed.extensions.get(id) else { continue };
            for needed in entry.blueprint.context_keys() {
                let (what, remedy) = match &needed {
                    ContextKey::Metadata(key) if kept.contains(key) => continue,
                    ContextKey::Metadata(key) => (
                        format!("metadata `{key}`"),
                        "list it in `sending_queue.batch.partition.metadata_keys` if it is no \
                         secret, or use fixed credentials",
                    ),
                    ContextKey::Identity(key) => (
                        format!("attribute `{key}`"),
                        "use credentials that do not depend on the client",
                    ),
                };
                self.problems.push(Problem {
                    position: section.position_of(key),
                    path: format!("{}.{user}.{key}", kind.section()),
                    message: format!(
                        "`{id}` needs the client's {what}, which is not stored with its data"
                    ),
                    remedy: Some(remedy.to_owned()),
                });
            }
        }
    }

    fn uses(
        &mut self,
        kind: Kind,
        user: &ComponentId,
        section: &Section,
        used: Vec<(ComponentId, String)>,
    ) {
        for (id, key) in used {
            let started = &self.definitions.service.extensions;
            if started.iter().any(|reference| reference.id == id) {
                continue;
            }
            let message = if self.definitions.extensions.contains_key(&id) {
                format!("extension `{id}` is not started: add it to `service.extensions`")
            } else {
                format!("extension `{id}` is not defined")
            };
            let position = section.position_of(&key);
            let path = format!("{}.{user}.{key}", kind.section());
            self.add(position.as_ref(), &path, message);
        }
    }

    fn add(&mut self, position: Option<&Position>, path: &str, message: String) {
        let path = path.to_owned();
        self.problems.push(Problem { position: position.cloned(), path, message, remedy: None });
    }
}

/// One list of a pipeline, and where its members may be defined.
struct List<'a> {
    signal: Signal,
    path: String,
    kind: Kind,
    references: &'a [Reference],
    known: Vec<&'a BTreeMap<ComponentId, Section>>,
}

/// The signals of the pipelines before and behind a connector.
struct Ends {
    into: Vec<Signal>,
    out_of: Vec<Signal>,
}

impl Ends {
    fn of(pipelines: &[PipelineDefinition], id: &ComponentId) -> Self {
        let names = |references: &[Reference]| references.iter().any(|one| one.id == *id);
        let into = pipelines.iter().filter(|one| names(&one.exporters)).map(|one| one.id.signal);
        let out_of = pipelines.iter().filter(|one| names(&one.receivers)).map(|one| one.id.signal);
        Self { into: into.collect(), out_of: out_of.collect() }
    }
}

fn undefined(
    path: &str,
    kind: Kind,
    reference: &Reference,
    known: &[&BTreeMap<ComponentId, Section>],
) -> Problem {
    let names: Vec<String> =
        known.iter().flat_map(|sections| sections.keys()).map(ToString::to_string).collect();
    let wanted = reference.id.to_string();
    let nearest = config::nearest(&wanted, names.iter().map(String::as_str));
    Problem {
        position: reference.position.clone(),
        path: path.to_owned(),
        message: format!("{} `{wanted}` is not defined", kind.name()),
        remedy: Some(match nearest {
            Some(name) => format!("did you mean `{name}`?"),
            None => format!("define it under `{}`", kind.section()),
        }),
    }
}

/// The pipelines' indices with upstream before downstream; a cycle through connectors is a problem.
pub(super) fn flow_order(
    definitions: &Definitions,
    parsed: &Parsed,
    problems: &mut Vec<Problem>,
) -> Vec<usize> {
    let pipelines = &definitions.service.pipelines;
    let feeds = |up: &PipelineDefinition, down: &PipelineDefinition| {
        let mut connectors =
            up.exporters.iter().filter_map(|one| Some((&one.id, parsed.connectors.get(&one.id)?)));
        connectors.any(|(id, entry)| {
            let is_read = down.receivers.iter().any(|receiver| receiver.id == *id);
            is_read && entry.blueprint.translates(up.id.signal, down.id.signal)
        })
    };
    let upstream_count = |down| pipelines.iter().filter(|up| feeds(up, down)).count();
    let mut pending: Vec<usize> = pipelines.iter().map(upstream_count).collect();
    let mut ready: VecDeque<usize> = (0..pipelines.len()).filter(|at| pending[*at] == 0).collect();
    let mut order = Vec::with_capacity(pipelines.len());
    while let Some(up) = ready.pop_front() {
        order.push(up);
        for down in 0..pipelines.len() {
            if feeds(&pipelines[up], &pipelines[down]) {
                pending[down] -= 1;
                if pending[down] == 0 {
                    ready.push_back(down);
                }
            }
        }
    }
    if order.len() < pipelines.len() {
        let in_cycle = pipelines.iter().zip(&pending).filter(|(_, count)| 0 < **count);
        let names: Vec<String> = in_cycle.map(|(one, _)| one.id.to_string()).collect();
        problems.push(Problem {
            position: definitions.service.position.clone(),
            path: "service.pipelines".to_owned(),
            message: format!("connectors form a cycle through {}", names.join(", ")),
            remedy: Some("data must flow one way: remove a connector from one of them".to_owned()),
        });
    }
    order
}
