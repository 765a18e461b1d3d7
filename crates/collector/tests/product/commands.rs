//! Commands that run to their end.

use serde_json::Value;

use super::process::{command, free_port, tidegate};

fn printed(arguments: &[&str]) -> String {
    let output = tidegate(arguments);
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{arguments:?}: {errors}");
    String::from_utf8(output.stdout).unwrap()
}

fn refused(arguments: &[&str]) -> String {
    let output = tidegate(arguments);
    assert_eq!(output.status.code(), Some(1), "{arguments:?}");
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn demo_delivers_everything_it_acknowledges() {
    let text = printed(&["demo", "--seconds", "1"]);
    assert!(text.contains("verdict      0 acknowledged items are missing at the sink"), "{text}");
}

#[test]
fn components_lists_every_kind_with_its_aliases() {
    let text = printed(&["components"]);
    for line in ["receivers:", "- name: otlp", "aliases: [otlphttp]", "extensions:"] {
        assert!(text.contains(line), "{line} is not in\n{text}");
    }
}

#[test]
fn schema_is_json_and_describes_every_component() {
    let schema: Value = serde_json::from_str(&printed(&["schema"])).unwrap();
    let otlp = &schema["x-components"]["receivers"]["otlp"]["schema"]["$ref"];
    let pointer = otlp.as_str().unwrap().trim_start_matches('#');
    assert!(schema.pointer(pointer).unwrap()["properties"]["protocols"].is_object());
    assert!(schema["properties"]["service"].is_object());
}

#[test]
fn feature_gates_are_listed_and_unknown_ones_refused() {
    assert!(printed(&["featuregate"]).contains("queue.allowInMemory"));
    assert!(refused(&["featuregate", "nope"]).contains("there is no feature gate `nope`"));
    let message = refused(&["validate", "--feature-gates", "queue.allowInMemori"]);
    assert!(message.contains("did you mean `queue.allowInMemory`"), "{message}");
}

#[test]
fn completions_and_manual_are_printed() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        assert!(printed(&["completion", shell]).contains("print-config"), "{shell}");
    }
    assert!(printed(&["man"]).contains(".TH tidegate"));
    let page = printed(&["man", "generate"]);
    assert!(page.contains(".TH tidegate-generate") && page.contains("connections"), "{page}");
    assert!(refused(&["man", "nope"]).contains("there is no command `nope`"));
}

#[test]
fn options_of_the_collector_are_refused_where_they_do_nothing() {
    for (option, value) in [
        ("--config", "x.yaml"),
        ("--set", "a=b"),
        ("--feature-gates", "queue.allowInMemory"),
        ("--data-dir", "x"),
        ("--drain-timeout", "1"),
    ] {
        for command in ["generate", "sink", "demo", "components"] {
            for words in [[option, value, command], [command, option, value]] {
                let output = tidegate(&words);
                let message = String::from_utf8_lossy(&output.stderr).into_owned();
                assert_eq!(output.status.code(), Some(2), "{words:?}: {message}");
                assert!(message.contains(&format!("`{option}` has no effect")), "{message}");
            }
        }
    }
}

#[test]
fn a_closed_loop_does_not_spin_where_nobody_answers() {
    let endpoint = format!("127.0.0.1:{}", free_port());
    let output = tidegate(&["generate", "--endpoint", &endpoint, "--seconds", "1", "--json"]);
    let summary: Value = serde_json::from_slice(&output.stdout).unwrap();
    // 8 callers, 100 ms apart, for a second.
    let requests = summary["requests"].as_u64().unwrap();
    assert!((8..=100).contains(&requests), "{summary}");
}

#[test]
fn a_port_that_is_taken_is_named_with_what_to_do() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let yaml = format!(
        "yaml:{{receivers: {{otlp: {{protocols: {{grpc: {{endpoint: '127.0.0.1:{port}'}}}}}}}}, \
         exporters: {{nop: }}, service: {{telemetry: {{metrics: {{level: none}}}}, pipelines: \
         {{logs: {{receivers: [otlp], exporters: [nop]}}}}}}}}"
    );
    let message = refused(&["--config", &yaml]);
    let place =
        format!("receiver `otlp`: cannot listen (protocols.grpc.endpoint `127.0.0.1:{port}`)");
    assert!(message.contains(&place) && message.contains("choose another port"), "{message}");
}

#[test]
fn output_that_cannot_be_written_is_an_error() {
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let output = command(&["components"]).stdout(full).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let message = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(message.contains("write to standard output"), "{message}");
}

#[test]
fn generate_says_why_nothing_was_acknowledged() {
    let endpoint = format!("127.0.0.1:{}", free_port());
    for (protocol, prefix) in [("grpc", ""), ("http", "http://")] {
        let endpoint = format!("{prefix}{endpoint}");
        let message = refused(&[
            "generate",
            "--endpoint",
            &endpoint,
            "--protocol",
            protocol,
            "--requests",
            "1",
        ]);
        assert!(
            message.contains("nothing was acknowledged: Unavailable: cannot connect"),
            "{message}"
        );
    }
}

#[test]
fn secrets_are_masked_when_the_configuration_is_shown() {
    let yaml = "yaml:{receivers: {otlp: {protocols: {grpc: }}}, exporters: {otlp: {endpoint: \
                'h:1', headers: {authorization: canary}}}, service: {pipelines: {logs: \
                {receivers: [otlp], exporters: [otlp]}}}}";
    for format in ["yaml", "json"] {
        let arguments = ["print-config", "--format", format, "--config", yaml];
        let text = printed(&arguments);
        assert!(text.contains("authorization") && !text.contains("canary"), "{text}");
        let shown = printed(&[&arguments[..], &["--mode", "unredacted"]].concat());
        assert!(shown.contains("canary"), "{shown}");
    }
}
