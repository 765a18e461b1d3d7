use super::*;
use crate::testing::{FACTORIES, definitions};

fn problems(text: &str) -> Vec<String> {
    let found = Plan::of(&definitions("plan", text), FACTORIES, &Gates::default());
    found.unwrap_err().iter().map(|problem| problem.to_string()).collect()
}

fn plan(text: &str) -> Plan {
    Plan::of(&definitions("plan", text), FACTORIES, &Gates::default()).unwrap()
}

const SIMPLE: &str = "
    receiver: test
    exporter: test
    pipeline: logs test > > test";

#[test]
fn every_problem_is_found_at_once() {
    let found = problems(
        "
        receiver: test
        receiver: tset/2
        exporter: test {uses: absent}
        connector: join
        pipeline: logs test > test > testt
        pipeline: metrics test > > test test
        pipeline: traces > > test join",
    );
    let expected = [
        "receivers.tset/2: there is no receiver `tset`\n  help: did you mean `test`?",
        "service.pipelines.logs.processors: processor `test` is not defined\n  help: define it under `processors`",
        "service.pipelines.logs.exporters: exporter `testt` is not defined\n  help: did you mean `test`?",
        "service.pipelines.metrics.receivers: receiver `test` does not handle metrics",
        "service.pipelines.metrics.exporters: `test` stands here twice",
        "service.pipelines.traces: pipeline `traces` has no receivers",
        "connectors.join: connector `join` is exported to, but no pipeline receives from it",
        "exporters.test.uses: extension `absent` is not defined",
    ];
    for text in expected {
        assert!(found.iter().any(|problem| problem.ends_with(text)), "{text}\n{found:#?}");
    }
}

#[test]
fn an_alias_is_suggested_too() {
    assert!(problems("receiver: aliaz")[0].ends_with("did you mean `alias`?"));
}

#[test]
fn a_configuration_without_pipelines_is_refused() {
    assert!(problems("receiver: test")[0].contains("there is no pipeline"));
}

#[test]
fn an_extension_that_is_used_must_be_started() {
    let text = format!("{SIMPLE}\nextension: test\nprocessor: test {{uses: test}}");
    assert!(problems(&text)[0].contains("add it to `service.extensions`"));
    plan(&format!("{text}\nservice: test"));
}

#[test]
fn what_is_named_as_storage_must_be_one_that_is_started() {
    let text = "
        receiver: test
        exporter: test {stores: test/disk}
        pipeline: logs test > > test";
    let found = problems(text);
    assert!(found[0].ends_with("exporters.test.stores: extension `test/disk` is not defined"));
    let text = format!("{text}\nextension: test/disk\nservice: test/disk");
    let found = problems(&text);
    assert!(found[0].contains("exporters.test.stores: extension `test/disk` is no storage"));
    plan(&text.replace("extension: test/disk", "extension: test/disk {is_storage: true}"));
}

#[test]
fn credentials_of_stored_data_are_made_of_what_is_stored_with_it() {
    let text = |keeps: &str| {
        format!(
            "
            receiver: test
            extension: test/disk {{is_storage: true}}
            extension: test/setter {{needs: tenant}}
            service: test/disk test/setter
            exporter: test {{stores: test/disk, keeps: {keeps}, uses: test/setter}}
            pipeline: logs test > > test"
        )
    };
    let found = problems(&text("region"));
    let expected = "exporters.test.uses: `test/setter` needs the client's metadata `tenant`, which \
                    is not stored with its data";
    assert!(found[0].contains(expected), "{found:?}");
    plan(&text("tenant"));
}

#[test]
fn unused_components_are_warned_about() {
    let plan = plan(&format!("{SIMPLE}\nprocessor: test/2\nreceiver: alias"));
    assert_eq!(
        plan.warnings,
        ["receiver `alias` is defined but not used", "processor `test/2` is defined but not used"]
    );
    assert!(plan.processors.is_empty());
}

#[test]
fn who_forgets_what_was_accepted_is_warned_of_who_accepts_it_into_memory() {
    let text = |keys: &str| {
        format!(
            "
            receiver: test
            receiver: test/files {{is_replaying: true}}
            processor: test {{answers_from_memory: true}}
            exporter: test {{answers_from_memory: true}}
            exporter: test/safe
            connector: join
            pipeline: logs test/files > > join test/safe
            pipeline: logs/2 join > {keys} > test
            pipeline: logs/3 test > test > test/safe"
        )
    };
    let warning = |other: &str| {
        format!(
            "receiver `test/files` counts as delivered what {other} `test` holds in memory, and the \
             end of the process loses: let it wait for the result, or give it a `storage`"
        )
    };
    assert_eq!(plan(&text("")).warnings, [warning("exporter")]);
    assert_eq!(plan(&text("test")).warnings, [warning("processor"), warning("exporter")]);
    let safe = text("").replace("exporter: test {answers_from_memory: true}", "exporter: test");
    assert!(plan(&safe).warnings.is_empty());
}

#[test]
fn nothing_is_removed_from_where_it_came_for_who_holds_it_in_memory() {
    let text = "
        receiver: test {is_removing: true}
        exporter: test {answers_from_memory: true}
        pipeline: logs test > > test";
    let expected =
        "receivers.test.is_removing: exporter `test` holds in memory what is removed then";
    let found = problems(text);
    assert!(found[0].contains(expected), "{found:?}");
    plan(&text.replace("answers_from_memory: true", ""));
}

#[test]
fn pipelines_are_ordered_along_the_flow() {
    let plan = plan(
        "
        receiver: test
        exporter: test
        connector: join/a
        connector: join/b
        pipeline: logs/3 join/b > > test
        pipeline: logs/2 join/a > > join/b
        pipeline: logs/1 test > > join/a",
    );
    let order: Vec<String> = plan.pipelines.iter().map(|one| one.id.to_string()).collect();
    assert_eq!(order, ["logs/1", "logs/2", "logs/3"]);
}

#[test]
fn connectors_that_form_a_cycle_are_refused() {
    let found = problems(
        "
        receiver: test
        connector: join/a
        connector: join/b
        pipeline: logs/1 test join/b > > join/a
        pipeline: logs/2 join/a > > join/b",
    );
    assert!(found[0].contains("connectors form a cycle through logs/1, logs/2"), "{found:#?}");
}

#[test]
fn a_component_changes_when_an_extension_it_uses_does() {
    let with = |text: &str| {
        let text = format!(
            "receiver: test {{uses: test}}\nexporter: test\nextension: test {{text: {text}}}\n\
             service: test\npipeline: logs test > > test"
        );
        let plan = plan(&text);
        let of = |id: &str| plan.receivers[&id.parse().unwrap()].fingerprint;
        (of("test"), plan.exporters[&"test".parse().unwrap()].fingerprint)
    };
    assert_ne!(with("a").0, with("b").0);
    assert_eq!(with("a"), with("a"));
    assert_eq!(with("a").1, with("b").1);
}

#[test]
fn pipeline_ids_name_a_signal() {
    assert_eq!("traces/2".parse::<PipelineId>().unwrap().to_string(), "traces/2");
    let error = "spans".parse::<PipelineId>().unwrap_err();
    assert_eq!(error, "`spans` is not a signal: expected one of logs, traces, metrics, profiles");
}
