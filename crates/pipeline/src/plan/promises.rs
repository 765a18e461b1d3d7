//! Promises: what one component may lose of what another one keeps.
//!
//! A receiver that reads again what was not accepted forgets what was. Behind it, a component that
//! answers from memory makes it forget what the end of the process loses. Before one that removes what
//! was accepted from where it came, none may stand.

use std::collections::BTreeSet;

use super::{ComponentId, Definitions, Kind, Plan, PlannedPipeline, Problem};

/// A sentence for each receiver whose data somebody answers for from memory.
pub(super) fn warnings(plan: &Plan) -> Vec<String> {
    let replaying = plan.receivers.iter().filter(|(_, one)| one.blueprint.is_replaying());
    let found = replaying.flat_map(|(id, _)| {
        forgetful(plan, id).into_iter().map(move |(kind, other)| {
            format!(
                "receiver `{id}` counts as delivered what {} `{other}` holds in memory, and the end \
                 of the process loses: let it wait for the result, or give it a `storage`",
                kind.name()
            )
        })
    });
    found.collect()
}

/// A problem for each component that answers from memory for a receiver that removes what it read.
pub(super) fn problems(plan: &Plan, definitions: &Definitions) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (id, receiver) in &plan.receivers {
        let Some(key) = receiver.blueprint.removes_by() else { continue };
        let section = definitions.receivers.get(id);
        let position = section.and_then(|section| section.position_of(key));
        problems.extend(forgetful(plan, id).into_iter().map(|(kind, other)| Problem {
            position: position.clone(),
            path: format!("{}.{id}.{key}", Kind::Receiver.section()),
            message: format!(
                "{} `{other}` holds in memory what is removed then, and the end of the process \
                 loses it",
                kind.name()
            ),
            remedy: Some("let it wait for the result, or give it a `storage`".to_owned()),
        }));
    }
    problems
}

/// Those that the data of a receiver reaches and that answer from memory.
fn forgetful<'a>(plan: &'a Plan, receiver: &'a ComponentId) -> BTreeSet<(Kind, &'a ComponentId)> {
    let mut found = BTreeSet::new();
    for pipeline in reached(plan, receiver) {
        let processors = pipeline.processors.iter().filter(|id| {
            plan.processors.get(*id).is_some_and(|one| one.blueprint.answers_from_memory())
        });
        found.extend(processors.map(|id| (Kind::Processor, id)));
        let exporters = pipeline.exporters.iter().filter(|id| {
            plan.exporters.get(*id).is_some_and(|one| one.blueprint.answers_from_memory())
        });
        found.extend(exporters.map(|id| (Kind::Exporter, id)));
    }
    found
}

/// The pipelines that a receiver feeds, through connectors as well.
fn reached<'a>(plan: &'a Plan, receiver: &'a ComponentId) -> Vec<&'a PlannedPipeline> {
    let mut sources = BTreeSet::from([receiver]);
    let mut pipelines = Vec::new();
    // Upstream stands before downstream, so that one pass finds all.
    for pipeline in &plan.pipelines {
        if pipeline.receivers.iter().any(|id| sources.contains(id)) {
            sources
                .extend(pipeline.exporters.iter().filter(|id| plan.connectors.contains_key(*id)));
            pipelines.push(pipeline);
        }
    }
    pipelines
}
