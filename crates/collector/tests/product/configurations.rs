//! Configurations: examples load, and what is wrong is told at once, with places and remedies.

use std::path::PathBuf;

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
fn components_that_there_are_not_are_all_named_with_those_that_there_are() {
    let text = problems_of(
        "receivers:
  kafka: {brokers: [localhost:9092]}
exporters:
  kafka: {brokers: [localhost:9092]}
  prometheusremotewrite: {endpoint: 'https://metrics.example'}
processors:
  k8sattributes:
service:
  pipelines:
    logs: {receivers: [kafka], processors: [k8sattributes], exporters: [kafka]}
",
    );
    for expected in [
        "FOLDER/config.yaml:2:3: receivers.kafka: there is no receiver `kafka`",
        "known receivers: otlp, file_log",
        "FOLDER/config.yaml:4:3: exporters.kafka: there is no exporter `kafka`",
        "FOLDER/config.yaml:5:3: exporters.prometheusremotewrite:",
        "FOLDER/config.yaml:7:3: processors.k8sattributes:",
    ] {
        assert!(text.contains(expected), "`{expected}` is not in\n{text}");
    }
    assert!(text.contains("4 problems"), "their uses in pipelines are no problems more: {text}");
}

/// A configuration as people write them, and what its comments say to expect of it.
struct RealWorld {
    name: String,
    text: String,
}

impl RealWorld {
    fn all() -> Vec<Self> {
        let entries = std::fs::read_dir(folder()).unwrap().flatten().map(|entry| entry.path());
        let is_yaml = |path: &PathBuf| path.extension().is_some_and(|kind| kind == "yaml");
        let read = |path: PathBuf| Self {
            name: path.file_name().unwrap().to_string_lossy().into_owned(),
            text: std::fs::read_to_string(path).unwrap(),
        };
        entries.filter(is_yaml).map(read).collect()
    }

    /// What the comments `# key: ...` say, sorted.
    fn said(&self, key: &str) -> Vec<&str> {
        let comments = self.text.lines().filter_map(|line| line.strip_prefix("# "));
        let mut said: Vec<_> =
            comments.filter_map(|line| line.strip_prefix(key)?.strip_prefix(": ")).collect();
        said.sort_unstable();
        said
    }

    fn validate(&self, more: &[&str]) -> (bool, String) {
        let mut arguments = vec!["validate", "--config", &self.name];
        self.said("with").into_iter().for_each(|file| arguments.extend(["--config", file]));
        self.said("set").into_iter().for_each(|pair| arguments.extend(["--set", pair]));
        arguments.extend(more);
        let output = command(&arguments).current_dir(folder()).output().unwrap();
        (output.status.success(), String::from_utf8(output.stderr).unwrap())
    }
}

fn folder() -> PathBuf {
    repository().join("crates/collector/tests/configurations")
}

#[test]
fn real_world_configurations_load_with_exactly_the_expected_warnings() {
    let all = RealWorld::all();
    assert!(25 <= all.len());
    for configuration in all {
        let (is_valid, told) = configuration.validate(&["--feature-gates", "queue.allowInMemory"]);
        assert!(is_valid, "{}: {told}", configuration.name);
        let mut warnings: Vec<_> =
            told.lines().filter_map(|line| line.strip_prefix("warning: ")).collect();
        warnings.sort_unstable();
        assert_eq!(warnings, configuration.said("warns"), "{}", configuration.name);
    }
}

#[test]
fn without_the_gate_only_queues_that_answer_too_early_are_refused() {
    for configuration in RealWorld::all() {
        let (is_valid, told) = configuration.validate(&[]);
        // `file.yaml:line:column: path: what`
        let problems = told.lines().filter_map(|line| {
            let (place, what) = line.split_once(": ")?;
            place.contains(".yaml:").then(|| what.split_once(':').unwrap().0)
        });
        let mut problems: Vec<_> = problems.collect();
        problems.sort_unstable();
        let expected = configuration.said("refuses");
        assert_eq!(problems, expected, "{}: {told}", configuration.name);
        assert!(expected.iter().all(|path| path.contains(".sending_queue")));
        assert_eq!(is_valid, expected.is_empty(), "{}", configuration.name);
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
