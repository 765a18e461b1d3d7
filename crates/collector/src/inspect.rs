//! Inspect: what the binary can tell about itself without running anything.

use anyhow::Context as _;
use clap::CommandFactory as _;
use clap_complete::Shell;
use config::gates;
use pipeline::{Factory, Kind};
use serde_json::Value;

use crate::cli::Cli;

/// Every component as YAML, in the form of the OpenTelemetry Collector's `components`.
pub(crate) fn components() -> String {
    let mut text = format!(
        "buildinfo:\n    command: tidegate\n    description: Tidegate telemetry collector\n    version: {}\n",
        env!("CARGO_PKG_VERSION")
    );
    for kind in Kind::ALL {
        text += &format!("{}:\n", kind.section());
        for factory in of_kind(kind) {
            text += &format!("    - name: {}\n", factory.name);
            if !factory.aliases.is_empty() {
                text += &format!("      aliases: [{}]\n", factory.aliases.join(", "));
            }
            text += &format!("      about: {}\n", Value::from(factory.about));
            text += &stability(factory);
        }
    }
    text
}

fn stability(factory: &Factory) -> String {
    let level = factory.stability.name();
    let signals = factory.signals.iter().map(|signal| format!("        {signal}: {level}\n"));
    let lines: String = signals.collect();
    if lines.is_empty() {
        format!("      stability:\n        extension: {level}\n")
    } else {
        format!("      stability:\n{lines}")
    }
}

/// The feature gates as a table, or one of them.
pub(crate) fn feature_gates(id: Option<&str>) -> anyhow::Result<String> {
    let shown: Vec<_> =
        gates::ALL.iter().filter(|gate| id.is_none_or(|id| id == gate.id)).collect();
    if let (Some(id), true) = (id, shown.is_empty()) {
        let known: Vec<&str> = gates::ALL.iter().map(|gate| gate.id).collect();
        anyhow::bail!("there is no feature gate `{id}`; known: {}", known.join(", "));
    }
    let rows = shown.iter().map(|gate| format!("{:<28} off by default  {}\n", gate.id, gate.about));
    Ok(rows.collect())
}

/// A completion script for the shell.
pub(crate) fn completion(shell: Shell) -> Vec<u8> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "tidegate", &mut script);
    script
}

/// A page of the manual, in roff: of the product, or of one of its commands.
pub(crate) fn manual(command: Option<&str>) -> anyhow::Result<Vec<u8>> {
    let mut product = Cli::command();
    // Only a command that is built knows its full name and the options it shares.
    product.build();
    let shown = match command {
        None => product,
        Some(name) => {
            let found = product.find_subcommand(name).cloned();
            found.with_context(|| format!("there is no command `{name}`"))?
        }
    };
    let mut page = Vec::new();
    clap_mangen::Man::new(shown).render(&mut page)?;
    Ok(page)
}

/// The components of one kind.
pub(crate) fn of_kind(kind: Kind) -> impl Iterator<Item = &'static Factory> {
    components::FACTORIES.iter().filter(move |factory| factory.kind == kind)
}
