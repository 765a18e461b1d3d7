//! Policy: what may be depended on. Advisories, licences, duplicates and the reason for each.
//!
//! `deny.toml` says the same for those who have cargo-deny; this check needs nothing but cargo and
//! the dated snapshot in `policy/advisories.txt`.

use std::collections::BTreeMap;

use anyhow::Context as _;
use semver::{Version, VersionReq};
use serde_json::Value;

use crate::workspace::{Workspace, conclude};

/// Licences that a dependency may be under; one of an `OR` is enough, all of an `AND` are needed.
const LICENCES: &[&str] = &[
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "MIT",
    "MIT-0",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "ISC",
    "Zlib",
    "Unicode-3.0",
    "0BSD",
    "CC0-1.0",
    "Unlicense",
    "CDLA-Permissive-2.0",
    "BSL-1.0",
    "OpenSSL",
];

pub(crate) fn run(workspace: &Workspace) -> anyhow::Result<()> {
    let metadata = workspace.cargo_metadata(&[])?;
    let packages = metadata["packages"].as_array().context("metadata lists packages")?;
    let foreign: Vec<Package> = packages.iter().filter_map(Package::of).collect();
    let mut findings = Vec::new();
    advisories(workspace, &foreign, &mut findings)?;
    licences(&foreign, &mut findings);
    duplicates(workspace, &foreign, &mut findings)?;
    reasons(workspace, &mut findings)?;
    conclude("policy", &findings)
}

/// A dependency from the registry.
struct Package {
    name: String,
    version: Version,
    licence: String,
}

impl Package {
    fn of(value: &Value) -> Option<Self> {
        value["source"].as_str()?;
        Some(Self {
            name: value["name"].as_str()?.to_owned(),
            version: value["version"].as_str()?.parse().ok()?,
            licence: value["license"].as_str().unwrap_or("none").to_owned(),
        })
    }
}

/// Lines of `ID package fixed-in...`, where `fixed-in` are version requirements, or `never`.
fn advisories(
    workspace: &Workspace,
    packages: &[Package],
    findings: &mut Vec<String>,
) -> anyhow::Result<()> {
    let text = workspace.read("policy/advisories.txt")?;
    for line in text.lines().filter(|line| !line.starts_with('#') && !line.is_empty()) {
        let (id, rest) = line.split_once(' ').context("an advisory has an id")?;
        let (name, fixed) = rest.split_once(' ').context("an advisory names a package")?;
        let fixed = requirements(fixed).with_context(|| format!("read advisory {id}"))?;
        let affected = packages.iter().filter(|package| package.name == name);
        let affected =
            affected.filter(|package| !fixed.iter().any(|req| req.matches(&package.version)));
        findings.extend(affected.map(|one| format!("{id}: {name} {} is affected", one.version)));
    }
    Ok(())
}

fn requirements(text: &str) -> anyhow::Result<Vec<VersionReq>> {
    if text.trim() == "never" {
        return Ok(Vec::new());
    }
    text.split(';').map(|one| VersionReq::parse(one.trim()).map_err(Into::into)).collect()
}

fn licences(packages: &[Package], findings: &mut Vec<String>) {
    for package in packages {
        let terms = package.licence.replace('/', " OR ").replace(['(', ')'], "");
        let is_allowed = terms
            .split(" AND ")
            .all(|all| all.split(" OR ").any(|one| LICENCES.contains(&one.trim())));
        if !is_allowed {
            findings.push(format!("{} is under {}", package.name, package.licence));
        }
    }
}

/// Two versions of one crate, unless `policy/duplicates.txt` says why (`name: reason`).
fn duplicates(
    workspace: &Workspace,
    packages: &[Package],
    findings: &mut Vec<String>,
) -> anyhow::Result<()> {
    let excused = workspace.read("policy/duplicates.txt")?;
    let excused: Vec<&str> =
        excused.lines().filter_map(|line| line.split_once(':')).map(|(name, _)| name).collect();
    let mut versions = BTreeMap::<&str, usize>::new();
    for package in packages {
        *versions.entry(&package.name).or_default() += 1;
    }
    for (name, count) in versions.iter().filter(|(_, count)| 1 < **count) {
        if !excused.contains(name) {
            findings.push(format!("{name} is there in {count} versions"));
        }
    }
    let unused = excused.iter().filter(|name| versions.get(**name).is_none_or(|count| *count < 2));
    findings.extend(unused.map(|name| format!("policy/duplicates.txt: `{name}` is no duplicate")));
    Ok(())
}

/// Every dependency is argued for in one line of the manifest.
fn reasons(workspace: &Workspace, findings: &mut Vec<String>) -> anyhow::Result<()> {
    let manifest = workspace.read("Cargo.toml")?;
    let table = manifest.split_once("[workspace.dependencies]").map_or("", |(_, after)| after);
    let table = table.split("\n[").next().unwrap_or("");
    for line in table.lines().filter(|line| line.contains(" = ") && !line.contains("path = ")) {
        if !line.contains(" # ") {
            let name = line.split(' ').next().unwrap_or(line);
            findings.push(format!("Cargo.toml: no reason is given for `{name}`"));
        }
    }
    Ok(())
}
