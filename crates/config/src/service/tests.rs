use super::*;

fn read(text: &str) -> Result<Service, Vec<Problem>> {
    Service::read(&Section::from_yaml(text).unwrap())
}

#[track_caller]
fn check_refused(text: &str, expected: &[&str]) {
    let problems: Vec<_> = read(text).unwrap_err().iter().map(ToString::to_string).collect();
    assert_eq!(problems, expected);
}

fn names(references: &[Reference]) -> Vec<String> {
    references.iter().map(|reference| reference.id.to_string()).collect()
}

#[test]
fn reads_pipelines_and_where_they_name_components() {
    let service = read(
        "extensions: [health_check]\npipelines:\n  traces/2:\n    receivers: [otlp, otlp/b]\n    \
         processors:\n      - batch\n    exporters: nop, debug\n  logs:\n",
    )
    .unwrap();
    assert_eq!(names(&service.extensions), ["health_check"]);
    assert_eq!(service.position.as_ref().map(|at| at.line), Some(2));
    let ids: Vec<_> = service.pipelines.iter().map(|pipeline| pipeline.id.to_string()).collect();
    assert_eq!(ids, ["logs", "traces/2"]);
    let traces = &service.pipelines[1];
    assert_eq!(traces.position.as_ref().map(|at| (at.line, at.column)), Some((3, 3)));
    assert_eq!(names(&traces.receivers), ["otlp", "otlp/b"]);
    assert_eq!(names(&traces.exporters), ["nop", "debug"]);
    let places = traces.receivers.iter().chain(&traces.processors).map(|one| {
        let at = one.position.clone().unwrap();
        (at.line, at.column)
    });
    assert_eq!(places.collect::<Vec<_>>(), [(4, 17), (4, 23), (6, 9)]);
}

#[test]
fn refuses_what_is_not_a_pipeline() {
    check_refused(
        "pipelines:\n  trace: {}\n  logs/: {}\n  logs/a: {}\n  logs / a: {}\n",
        &[
            "yaml:2:3: pipelines.trace: there is no signal `trace`\n  help: did you mean `traces`?",
            "yaml:3:3: pipelines.logs/: `logs/` is not a pipeline id\n  \
             help: write a signal, or a signal and a name: `logs`, `logs/audit`",
            "yaml:5:3: pipelines.logs / a: the pipeline `logs/a` is defined twice",
        ],
    );
    check_refused(
        "pipelines: {logs: {receivers: [otlp, 'a b'], exporter: [nop]}}",
        &[
            "yaml:1:38: pipelines.logs.receivers[1]: `a b` is not a component id: expected `type` or \
             `type/name`",
            "yaml:1:46: pipelines.logs.exporter: there is no key `exporter` here\n  \
             help: did you mean `exporters`?",
        ],
    );
}
