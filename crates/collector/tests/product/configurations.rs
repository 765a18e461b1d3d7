//! Configurations: examples load, and what is wrong is told at once, with places and remedies.

use super::process::{command, repository, tidegate};

fn problems_of(yaml: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.yaml");
    std::fs::write(&path, yaml).unwrap();
    let output = tidegate(&["validate", "--config", path.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8(output.stderr).unwrap();
    text.replace(folder.path().to_str().unwrap(), "FOLDER")
}

#[test]
fn every_example_is_valid() {
    let examples = repository().join("examples");
    let mut count = 0;
    for entry in std::fs::read_dir(examples).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "yaml") {
            let output = command(&["validate", "--config", path.to_str().unwrap()])
                .current_dir(repository())
                .output()
                .unwrap();
            let errors = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "{}: {errors}", path.display());
            count += 1;
        }
    }
    assert!(0 < count);
}

#[test]
fn the_embedded_default_is_valid() {
    assert!(tidegate(&["validate"]).status.success());
}

#[test]
fn all_problems_are_told_at_once_with_place_and_remedy() {
    let text = problems_of(
        "receivers:
  otlp:
    protocols:
      grpc:
        endpiont: localhost:4317
exporters:
  otlp:
    endpoint: localhost:4317
    timeout: soon
  debgu:
service:
  pipelines:
    logs:
      receivers: [otlp]
      exporters: [otpl]
",
    );
    for expected in [
        "FOLDER/config.yaml:5:9",
        "did you mean `endpoint`?",
        "FOLDER/config.yaml:9:14",
        "FOLDER/config.yaml:10:3",
        "did you mean `debug`?",
        "FOLDER/config.yaml:15:",
        "did you mean `otlp`?",
    ] {
        assert!(text.contains(expected), "`{expected}` is not in\n{text}");
    }
}

#[test]
fn real_world_configurations_load_and_only_their_queues_are_refused_without_the_gate() {
    let folder = repository().join("crates/collector/tests/configurations");
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let arguments = ["validate", "--config", path.to_str().unwrap()];
        let gate = ["--feature-gates", "queue.allowInMemory"];
        let output = tidegate(&[&arguments[..], &gate].concat());
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{}: {errors}", path.display());

        let output = tidegate(&arguments);
        let errors = String::from_utf8_lossy(&output.stderr);
        let problems = errors.lines().filter(|line| line.contains(": exporters."));
        for problem in problems {
            assert!(problem.contains("sending_queue"), "{problem}");
        }
        assert!(output.status.success() || errors.contains("sending_queue"), "{errors}");
    }
}

#[test]
fn two_components_on_one_address_are_refused() {
    let yaml = "yaml:
receivers:
  otlp: {protocols: {grpc: {endpoint: '127.0.0.1:4999'}, http: {endpoint: '127.0.0.1:4998'}}}
  otlp/2: {protocols: {http: {endpoint: '127.0.0.1:4999'}}}
exporters: {nop: }
extensions: {health_check: {endpoint: '127.0.0.1:4998'}}
service:
  extensions: [health_check]
  pipelines: {logs: {receivers: [otlp, otlp/2], exporters: [nop]}}
";
    let output = tidegate(&["validate", "--config", yaml]);
    let errors = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success());
    for text in [
        "receivers.otlp/2.protocols.http.endpoint: `127.0.0.1:4999` is what \
         `receivers.otlp.protocols.grpc.endpoint` listens on",
        "extensions.health_check.endpoint: `127.0.0.1:4998` is what \
         `receivers.otlp.protocols.http.endpoint` listens on",
    ] {
        assert!(errors.contains(text), "{errors}");
    }
}
