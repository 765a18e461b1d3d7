//! Load: from the command line to a plan that can run.
//!
//! The one place of the product that reads the environment and configuration files.

use std::io::{self, Read as _};
use std::path::Path;

use config::Problem;
use config::document::Document;
use config::gates::{self, Gates};
use config::loader::{Loader, Tree};
use config::service::{self, Telemetry};
use config::source::Outside;
use pipeline::plan::{self, Definitions, PipelineDefinition, Plan, Reference, ServiceDefinition};

use crate::cli::{PrintFormat, SourceOptions};
use crate::print::{print_aside, print_line};
use crate::{embedded, schema};

/// A configuration that can run.
#[derive(Debug)]
pub(crate) struct Loaded {
    pub(crate) plan: Plan,
    pub(crate) telemetry: Telemetry,
    /// What the operator should know, a sentence each.
    warnings: Vec<String>,
}

impl Loaded {
    /// Writes the warnings to the log.
    pub(crate) fn report(&self) {
        for warning in self.warnings.iter().chain(&self.plan.warnings) {
            tracing::warn!("{warning}");
        }
    }
}

/// Reads the configuration and checks it as a whole; the error has every problem.
pub(crate) fn load(source: &SourceOptions, data_dir: &Path) -> anyhow::Result<Loaded> {
    let gates = gates_of(source)?;
    let tree = tree_of(source, data_dir)?;
    let (document, mut problems) = Document::read(&tree);
    let definitions = definitions_of(&document);
    let plan = if problems.is_empty() {
        Plan::of(&definitions, components::FACTORIES, &gates)
    } else {
        Err(plan::component_problems(&definitions, components::FACTORIES, &gates))
    };
    match plan {
        Ok(plan) => {
            let warnings = document.warnings.iter().map(ToString::to_string).collect();
            Ok(Loaded { plan, telemetry: document.service.telemetry, warnings })
        }
        Err(found) => {
            problems.extend(found);
            Err(refused(&tree, problems))
        }
    }
}

/// `tidegate validate`
pub(crate) fn validate(source: &SourceOptions, data_dir: &Path) -> anyhow::Result<()> {
    let loaded = load(source, data_dir)?;
    for warning in loaded.warnings.iter().chain(&loaded.plan.warnings) {
        print_aside(&format!("warning: {warning}"));
    }
    print_line("the configuration is valid")
}

/// `tidegate print-config`
pub(crate) fn render(
    source: &SourceOptions,
    data_dir: &Path,
    is_masked: bool,
    format: PrintFormat,
) -> anyhow::Result<String> {
    let tree = tree_of(source, data_dir)?;
    let root = if is_masked { tree.masked(&schema::description()?) } else { tree.root };
    Ok(match format {
        PrintFormat::Yaml => config::render::yaml(&root),
        PrintFormat::Json => {
            format!("{}\n", serde_json::to_string_pretty(&config::render::json(&root))?)
        }
    })
}

fn tree_of(source: &SourceOptions, data_dir: &Path) -> anyhow::Result<Tree> {
    let sources = if source.config.is_empty() {
        vec![format!("yaml:{}", embedded::yaml(data_dir))]
    } else {
        source.config.clone()
    };
    let loader = Loader { sources, sets: source.set.clone() };
    Ok(loader.load(&Process)?)
}

fn refused(tree: &Tree, mut problems: Vec<Problem>) -> anyhow::Error {
    config::problem::sort(&mut problems);
    let count = problems.len();
    let noun = if count == 1 { "problem" } else { "problems" };
    anyhow::anyhow!("{count} {noun} in the configuration\n{}", tree.report(&problems))
}

/// The document in the words of the graph.
fn definitions_of(document: &Document) -> Definitions {
    let service = &document.service;
    let references = |all: &[service::Reference]| -> Vec<Reference> {
        let one = |one: &service::Reference| Reference {
            id: one.id.clone(),
            position: one.position.clone(),
        };
        all.iter().map(one).collect()
    };
    let pipeline = |one: &service::Pipeline| {
        // Reading the service refused every other signal already.
        let id = one.id.to_string().parse().ok()?;
        Some(PipelineDefinition {
            id,
            position: one.position.clone(),
            receivers: references(&one.receivers),
            processors: references(&one.processors),
            exporters: references(&one.exporters),
        })
    };
    Definitions {
        receivers: document.receivers.clone(),
        processors: document.processors.clone(),
        exporters: document.exporters.clone(),
        connectors: document.connectors.clone(),
        extensions: document.extensions.clone(),
        service: ServiceDefinition {
            extensions: references(&service.extensions),
            pipelines: service.pipelines.iter().filter_map(pipeline).collect(),
            position: service.position.clone(),
        },
    }
}

/// Reads `a,+b,-c`.
fn gates_of(source: &SourceOptions) -> anyhow::Result<Gates> {
    let mut gates = Gates::default();
    let words = source.feature_gates.iter().flat_map(|list| list.split(','));
    for word in words.map(str::trim).filter(|word| !word.is_empty()) {
        let id = word.trim_start_matches(['+', '-']);
        let Some(gate) = gates::ALL.iter().find(|gate| gate.id == id) else {
            let known = gates::ALL.iter().map(|gate| gate.id);
            let hint = config::nearest(id, known).map(|name| format!(": did you mean `{name}`?"));
            anyhow::bail!("there is no feature gate `{id}`{}", hint.unwrap_or_default());
        };
        if word.starts_with('-') {
            gates.turn_off(*gate);
        } else {
            gates.turn_on(*gate);
        }
    }
    Ok(gates)
}

/// The process's own environment and files.
struct Process;

impl Outside for Process {
    fn variable(&self, name: &str) -> Option<String> {
        std::env::var(name).ok()
    }

    fn file(&self, path: &str, bytes_max: usize) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        let limit = u64::try_from(bytes_max).unwrap_or(u64::MAX).saturating_add(1);
        std::fs::File::open(path)?.take(limit).read_to_end(&mut bytes)?;
        if bytes_max < bytes.len() {
            return Err(io::Error::other(format!("longer than {bytes_max} bytes")));
        }
        Ok(bytes)
    }
}
