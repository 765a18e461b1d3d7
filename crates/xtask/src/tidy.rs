//! Tidy: the rules of the house that no compiler holds.

mod crates;
mod documents;
mod sources;

use crate::workspace::{Workspace, conclude};

pub(crate) fn run(workspace: &Workspace) -> anyhow::Result<()> {
    let mut findings = Vec::new();
    sources::check(workspace, &mut findings)?;
    crates::check(workspace, &mut findings)?;
    documents::check(workspace, &mut findings)?;
    conclude("tidy", &findings)
}
