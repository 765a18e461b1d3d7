//! Parse: sections become blueprints, by the factories of their names.

use super::{
    BTreeMap, BTreeSet, Blueprint, ComponentId, ConnectorBlueprint, Definitions, ExporterBlueprint,
    ExtensionBlueprint, Factory, Gates, Kind, Plan, Planned, PlannedPipeline, Plans, Problem,
    ProcessorBlueprint, ReceiverBlueprint, Section, Stability,
};

/// Every component of the configuration that could be read.
#[derive(Debug, Default)]
pub(super) struct Parsed {
    pub receivers: BTreeMap<ComponentId, Entry<dyn ReceiverBlueprint>>,
    pub processors: BTreeMap<ComponentId, Entry<dyn ProcessorBlueprint>>,
    pub exporters: BTreeMap<ComponentId, Entry<dyn ExporterBlueprint>>,
    pub connectors: BTreeMap<ComponentId, Entry<dyn ConnectorBlueprint>>,
    pub extensions: BTreeMap<ComponentId, Entry<dyn ExtensionBlueprint>>,
}

/// A component that could be read.
#[derive(Debug)]
pub(super) struct Entry<B: ?Sized> {
    pub factory: Factory,
    pub fingerprint: u64,
    pub blueprint: Box<B>,
}

impl Parsed {
    pub(super) fn of(
        definitions: &Definitions,
        factories: &[Factory],
        gates: &Gates,
        problems: &mut Vec<Problem>,
    ) -> Self {
        let mut parsed = Self::default();
        let reader = Reader { factories, gates };
        for (kind, sections) in sections_by_kind(definitions) {
            for (id, section) in sections {
                match reader.read(kind, id, section) {
                    Ok((factory, blueprint)) => parsed.add(id, factory, section, blueprint),
                    Err(found) => problems.extend(found),
                }
            }
        }
        parsed
    }

    fn add(&mut self, id: &ComponentId, factory: Factory, section: &Section, read: Blueprint) {
        let fingerprint = section.fingerprint();
        let id = id.clone();
        match read {
            Blueprint::Receiver(blueprint) => {
                self.receivers.insert(id, Entry { factory, fingerprint, blueprint });
            }
            Blueprint::Processor(blueprint) => {
                self.processors.insert(id, Entry { factory, fingerprint, blueprint });
            }
            Blueprint::Exporter(blueprint) => {
                self.exporters.insert(id, Entry { factory, fingerprint, blueprint });
            }
            Blueprint::Connector(blueprint) => {
                self.connectors.insert(id, Entry { factory, fingerprint, blueprint });
            }
            Blueprint::Extension(blueprint) => {
                self.extensions.insert(id, Entry { factory, fingerprint, blueprint });
            }
        }
    }

    /// Keeps what the pipelines use, and warns about the rest.
    pub(super) fn into_plan(self, definitions: &Definitions, order: &[usize]) -> Plan {
        let service = &definitions.service;
        let pipelines: Vec<_> =
            order.iter().map(|index| PlannedPipeline::of(&service.pipelines[*index])).collect();
        let extensions: Vec<ComponentId> =
            service.extensions.iter().map(|reference| reference.id.clone()).collect();
        let fingerprints: BTreeMap<ComponentId, u64> =
            self.extensions.iter().map(|(id, entry)| (id.clone(), entry.fingerprint)).collect();
        let mut sieve = Sieve { fingerprints, warnings: Vec::new() };
        let used = |pick: fn(&PlannedPipeline) -> &Vec<ComponentId>| -> BTreeSet<ComponentId> {
            pipelines.iter().flat_map(|pipeline| pick(pipeline).iter().cloned()).collect()
        };
        let mut by_id =
            sieve.keep(Kind::Extension, self.extensions, &extensions.iter().cloned().collect());
        Plan {
            extensions: extensions
                .into_iter()
                .filter_map(|id| by_id.remove(&id).map(|planned| (id, planned)))
                .collect(),
            receivers: sieve.keep(Kind::Receiver, self.receivers, &used(|one| &one.receivers)),
            processors: sieve.keep(Kind::Processor, self.processors, &used(|one| &one.processors)),
            exporters: sieve.keep(Kind::Exporter, self.exporters, &used(|one| &one.exporters)),
            connectors: sieve.keep(Kind::Connector, self.connectors, &used(|one| &one.exporters)),
            pipelines,
            warnings: sieve.warnings,
        }
    }
}

impl PlannedPipeline {
    fn of(definition: &super::PipelineDefinition) -> Self {
        let ids = |references: &[super::Reference]| -> Vec<ComponentId> {
            references.iter().map(|reference| reference.id.clone()).collect()
        };
        Self {
            id: definition.id.clone(),
            receivers: ids(&definition.receivers),
            processors: ids(&definition.processors),
            exporters: ids(&definition.exporters),
        }
    }
}

/// Separates the components that are used from those that are not.
struct Sieve {
    /// Of the extensions, because a component changes when an extension it uses does.
    fingerprints: BTreeMap<ComponentId, u64>,
    warnings: Vec<String>,
}

impl Sieve {
    fn keep<B: Plans + ?Sized>(
        &mut self,
        kind: Kind,
        entries: BTreeMap<ComponentId, Entry<B>>,
        used: &BTreeSet<ComponentId>,
    ) -> BTreeMap<ComponentId, Planned<B>> {
        let mut kept = BTreeMap::new();
        for (id, entry) in entries {
            if used.contains(&id) {
                self.warn(kind, &id, &entry);
                let fingerprint = self.fingerprint(&entry);
                kept.insert(id, Planned { blueprint: entry.blueprint, fingerprint });
            } else {
                self.warnings.push(format!("{} `{id}` is defined but not used", kind.name()));
            }
        }
        kept
    }

    fn warn<B: Plans + ?Sized>(&mut self, kind: Kind, id: &ComponentId, entry: &Entry<B>) {
        if entry.factory.stability == Stability::Reserved {
            let name = kind.name();
            self.warnings.push(format!("{name} `{id}` is accepted but does nothing yet"));
        }
        let warnings = entry.blueprint.warnings();
        self.warnings
            .extend(warnings.into_iter().map(|text| format!("{} `{id}`: {text}", kind.name())));
    }

    fn fingerprint<B: Plans + ?Sized>(&self, entry: &Entry<B>) -> u64 {
        let used = entry.blueprint.extensions().into_iter().map(|(id, _)| id);
        let stores = entry.blueprint.stores().into_iter().map(|one| one.extension);
        let others = used.chain(stores).filter_map(|id| self.fingerprints.get(&id));
        // Multiplying keeps the order of the extensions apart; the constant is FNV-1a's prime.
        others.fold(entry.fingerprint, |sum, other| {
            sum.wrapping_mul(0x0100_0000_01b3).wrapping_add(*other)
        })
    }
}

/// Reads sections by the factories of their names.
struct Reader<'a> {
    factories: &'a [Factory],
    gates: &'a Gates,
}

impl Reader<'_> {
    fn read(
        &self,
        kind: Kind,
        id: &ComponentId,
        section: &Section,
    ) -> Result<(Factory, Blueprint), Vec<Problem>> {
        let of_kind = self.factories.iter().filter(|factory| factory.kind == kind);
        match of_kind.clone().find(|factory| factory.is_named(id.kind())) {
            Some(factory) => (factory.parse)(section, self.gates).map(|read| (*factory, read)),
            None => {
                let known: Vec<&Factory> = of_kind.collect();
                Err(vec![unknown(kind, id, section, &known)])
            }
        }
    }
}

fn unknown(kind: Kind, id: &ComponentId, section: &Section, known: &[&Factory]) -> Problem {
    let names: Vec<&str> = known.iter().map(|factory| factory.name).collect();
    let aliases = known.iter().flat_map(|factory| factory.aliases);
    let remedy = match config::nearest(id.kind(), names.iter().chain(aliases).copied()) {
        Some(name) => format!("did you mean `{name}`?"),
        None => format!("known {}: {}", kind.section(), names.join(", ")),
    };
    Problem {
        position: section.position().cloned(),
        path: format!("{}.{id}", kind.section()),
        message: format!("there is no {} `{}`", kind.name(), id.kind()),
        remedy: Some(remedy),
    }
}

fn sections_by_kind(definitions: &Definitions) -> [(Kind, &BTreeMap<ComponentId, Section>); 5] {
    [
        (Kind::Receiver, &definitions.receivers),
        (Kind::Processor, &definitions.processors),
        (Kind::Exporter, &definitions.exporters),
        (Kind::Connector, &definitions.connectors),
        (Kind::Extension, &definitions.extensions),
    ]
}
