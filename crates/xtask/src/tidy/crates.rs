//! Crates: the dependency table of ARCHITECTURE.md is what cargo sees.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Context as _;

use crate::workspace::Workspace;

/// The heading under which the table stands.
const HEADING: &str = "## Crates";

type Arrows = BTreeMap<String, BTreeSet<String>>;

pub(super) fn check(workspace: &Workspace, findings: &mut Vec<String>) -> anyhow::Result<()> {
    let allowed = allowed(&workspace.read("ARCHITECTURE.md")?);
    let real = real(workspace)?;
    for (name, uses) in &real {
        match allowed.get(name) {
            None => findings.push(format!("ARCHITECTURE.md: crate `{name}` is not in the table")),
            Some(may_use) => findings.extend(
                uses.difference(may_use)
                    .map(|other| format!("crate `{name}` may not use `{other}`")),
            ),
        }
    }
    let gone = allowed.keys().filter(|name| !real.contains_key(*name));
    findings.extend(gone.map(|name| format!("ARCHITECTURE.md: there is no crate `{name}`")));
    Ok(())
}

/// Reads rows such as "| `wire` | what it is | `runtime`, `config` |".
fn allowed(architecture: &str) -> Arrows {
    let section = architecture.split_once(HEADING).map_or("", |(_, after)| after);
    let rows = section.lines().skip(1).take_while(|line| !line.starts_with("## "));
    rows.filter(|line| line.starts_with("| `")).filter_map(row).collect()
}

fn row(line: &str) -> Option<(String, BTreeSet<String>)> {
    let mut cells = line.split('|').skip(1);
    let name = names(cells.next()?).into_iter().next()?;
    Some((name, names(cells.nth(1)?)))
}

fn names(cell: &str) -> BTreeSet<String> {
    cell.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

fn real(workspace: &Workspace) -> anyhow::Result<Arrows> {
    let metadata = workspace.cargo_metadata(&["--no-deps"])?;
    let packages = metadata["packages"].as_array().context("metadata lists packages")?;
    let name_of = |value: &serde_json::Value| value["name"].as_str().unwrap_or("").to_owned();
    let members: BTreeSet<String> = packages.iter().map(name_of).collect();
    let arrows = packages.iter().map(|package| {
        let dependencies = package["dependencies"].as_array().map_or(&[][..], Vec::as_slice);
        let normal = dependencies.iter().filter(|one| one["kind"].is_null());
        let inside = normal.map(name_of).filter(|name| members.contains(name));
        (name_of(package), inside.collect())
    });
    Ok(arrows.collect())
}
