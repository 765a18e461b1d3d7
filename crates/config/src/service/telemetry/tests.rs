use super::*;
use crate::service::Service;

fn read(text: &str) -> Result<Service, Vec<String>> {
    let section = Section::from_yaml(text).unwrap();
    Service::read(&section).map_err(|problems| problems.iter().map(ToString::to_string).collect())
}

#[track_caller]
fn telemetry(text: &str) -> Telemetry {
    read(text).unwrap().telemetry
}

#[track_caller]
fn check_prometheus(metrics: &str, expected: &[(&str, u16)]) {
    let telemetry = telemetry(&format!("telemetry: {{metrics: {metrics}}}"));
    let found = telemetry.prometheus();
    let found: Vec<_> = found.iter().map(|one| (one.host.as_str(), one.port)).collect();
    assert_eq!(found, expected, "{metrics}");
}

#[test]
fn reads_logs() {
    let logs = telemetry(
        "telemetry: {logs: {level: DEBUG, encoding: json, output_paths: [stdout, /var/log/x], \
         initial_fields: {a: 1}}}",
    )
    .logs;
    assert_eq!(logs.level, LogLevel::Debug);
    assert_eq!(logs.encoding, Some(Encoding::Json));
    assert_eq!(logs.output_paths, ["stdout", "/var/log/x"]);
    assert_eq!(logs.initial_fields["a"], "1");
    assert_eq!(telemetry("telemetry: {logs: }").logs, Logs::default());
}

#[test]
fn knows_where_metrics_are_served() {
    check_prometheus("", &[("localhost", 8888)]);
    check_prometheus("{level: none}", &[]);
    check_prometheus("{address: '0.0.0.0:9999'}", &[("0.0.0.0", 9999)]);
    check_prometheus("{address: ':9999'}", &[("0.0.0.0", 9999)]);
    check_prometheus("{address: '[::1]:9999'}", &[("::1", 9999)]);
    check_prometheus("{readers: []}", &[]);
    let readers = "{readers: [{pull: {exporter: {prometheus: {host: '::', port: 9}}}}]}";
    check_prometheus(readers, &[("::", 9)]);
    check_prometheus("{readers: [{periodic: {interval: 10}}]}", &[]);
}

#[test]
fn reads_the_own_resource() {
    let resource = telemetry("telemetry: {resource: {a: b, c: 1, d: , e: [x], f: true}}").resource;
    let text = |text: &str| ResourceValue::Text(text.to_owned());
    let expected = [
        ("a", text("b")),
        ("c", text("1")),
        ("d", ResourceValue::Removed),
        ("e", ResourceValue::Unused),
        ("f", text("true")),
    ];
    let expected = expected.map(|(key, value)| (key.to_owned(), value));
    assert_eq!(resource, expected.into());
}

#[test]
fn warns_of_keys_without_effect() {
    let service = read(
        "telemetry:\n  traces: {limits: x}\n  logs: {sampling: {enabled: true}, processors: }\n  \
         metrics:\n    readers:\n      - periodic: {interval: 1}\n",
    )
    .unwrap();
    let warnings: Vec<_> = service.warnings.iter().map(|one| one.path.as_str()).collect();
    assert_eq!(
        warnings,
        [
            "telemetry.traces.limits",
            "telemetry.logs.sampling",
            "telemetry.metrics.readers[0].periodic"
        ]
    );
    assert_eq!(service.warnings[2].position.as_ref().map(|at| (at.line, at.column)), Some((6, 9)));
}

#[test]
fn serves_metrics_at_the_address_of_every_reader() {
    let reader = |host, port: u16| {
        format!("{{pull: {{exporter: {{prometheus: {{host: '{host}', port: {port}}}}}}}}}")
    };
    let readers = format!("{{readers: [{}, {}]}}", reader("localhost", 1), reader("::1", 2));
    check_prometheus(&readers, &[("localhost", 1), ("::1", 2)]);
}

#[test]
fn refuses_what_it_does_not_know() {
    let problems =
        read("telemetry: {logs: {level: verbose, output_path: x}, metrics: {address: nowhere}}")
            .unwrap_err();
    assert_eq!(problems.len(), 2, "{problems:?}");
    let problems = read("telemetry: {metrics: {address: nowhere}}").unwrap_err();
    assert!(problems[0].contains("write a host and a port"), "{problems:?}");
}
