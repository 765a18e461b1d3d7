use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::resource::v1::Resource;
use pipeline::{Answer, Blueprint, Built, Code};
use prost::Message;
use runtime::clock::Clock;
use tempfile::TempDir;
use wire::{Signal, json};

use super::FACTORY;
use super::config::Rotation;
use super::rotation::{backup_path, backups, prune};
use crate::testing::{attribute, check_config, deliver, environment, logs_of, parse, payload};

#[test]
fn configuration_is_checked() {
    for (yaml, expected) in [
        ("path: /tmp/a.json", &[][..]),
        ("{path: a, format: proto, compression: zstd, fsync: false, append: false}", &[]),
        ("{path: a, rotation: {max_megabytes: 10, max_days: 3, max_backups: 3}}", &[]),
        ("{path: a, rotation:}", &[]),
        ("{path: a, flush_interval: 2s, create_directory: true}", &[]),
        ("{path: a, group_by: {enabled: false, max_open_files: 10}}", &[]),
        ("", &["`path` must name a file"]),
        ("{path: a, format: xml}", &["xml"]),
        ("{path: a, compression: gzip}", &["gzip"]),
        ("{path: a, flush_interval: 0s}", &["must be greater than zero"]),
        ("{path: a, rotation: {max_megabytes: 0}}", &["must be greater than zero"]),
        ("{path: a, directory_permissions: '9'}", &["octal"]),
        ("{path: 'a/*.json', group_by: {enabled: true, resource_attribute: tenant}}", &[]),
        ("{path: 'a/*/b.json', create_directory: true, group_by: {enabled: true}}", &[]),
        ("{path: a, group_by: {enabled: true}}", &["must contain one `*`"]),
        ("{path: '*a*', group_by: {enabled: true}}", &["must contain one `*`"]),
        ("{path: 'a/*/b', group_by: {enabled: true}}", &["create_directory: true"]),
        ("{path: 'a*', append: false, group_by: {enabled: true}}", &["append: false"]),
        ("{path: 'a*', group_by: {enabled: true, max_open_files: 0}}", &["greater than zero"]),
        ("{path: 'a*', group_by: {enabled: true, resource_attribute: ''}}", &["not be empty"]),
        ("{path: a, encoding: otlp_json}", &["encoding"]),
    ] {
        check_config(&FACTORY, yaml, expected);
    }
}

fn folder() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out.json");
    (folder, path)
}

fn exporter(path: &Path, words: &str) -> Built {
    let yaml =
        format!("{{path: '{}', retry_on_failure: {{enabled: false}}{words}}}", path.display());
    let Ok(Blueprint::Exporter(blueprint)) = parse(&FACTORY, &yaml) else { panic!("{yaml}") };
    blueprint.build(environment("file", None)).unwrap()
}

/// Sends a request with one log record and holds that it is delivered.
async fn send(exporter: &Built, body: &str) {
    let answer = deliver(exporter.consumer.as_ref(), payload(&logs_of(&[body]))).await;
    assert_eq!(answer, Answer::Delivered { rejected: 0, warning: None });
}

fn request_of_line(line: &str) -> ExportLogsServiceRequest {
    let request = json::to_protobuf(Signal::Logs, line.as_bytes()).unwrap();
    ExportLogsServiceRequest::decode(request.as_slice()).unwrap()
}

/// Holds that the lines of the file are requests with these bodies.
fn check_lines(path: &Path, bodies: &[&str]) {
    let text = std::fs::read_to_string(path).unwrap();
    assert!(text.is_empty() || text.ends_with('\n'), "{text}");
    let requests: Vec<_> = text.lines().map(request_of_line).collect();
    let expected: Vec<_> = bodies.iter().map(|body| logs_of(&[body])).collect();
    assert_eq!(requests, expected);
}

#[tokio::test]
async fn requests_become_json_lines() {
    for words in ["", ", fsync: false"] {
        let (_folder, path) = folder();
        let file = exporter(&path, words);
        send(&file, "one\ntwo").await;
        send(&file, "three").await;
        check_lines(&path, &["one\ntwo", "three"]);
    }
}

#[tokio::test]
async fn concurrent_requests_are_all_written_whole() {
    let (_folder, path) = folder();
    let file = Arc::new(exporter(&path, ""));
    let bodies: Vec<String> = (0..50).map(|number| format!("record {number}")).collect();
    let sends = bodies.iter().map(|body| send(&file, body));
    futures_util::future::join_all(sends).await;
    let text = std::fs::read_to_string(&path).unwrap();
    let mut lines: Vec<_> = text.lines().map(request_of_line).collect();
    let mut expected: Vec<_> = bodies.iter().map(|body| logs_of(&[body])).collect();
    let by_body = |request: &ExportLogsServiceRequest| format!("{request:?}");
    lines.sort_by_key(by_body);
    expected.sort_by_key(by_body);
    assert_eq!(lines, expected);
}

#[tokio::test]
async fn protobuf_and_compressed_requests_are_framed() {
    for (words, is_json, is_compressed) in [
        (", format: proto", false, false),
        (", format: proto, compression: zstd", false, true),
        (", compression: zstd", true, true),
    ] {
        let (_folder, path) = folder();
        let file = exporter(&path, words);
        for body in ["one", "two"] {
            send(&file, body).await;
        }
        let bytes = std::fs::read(&path).unwrap();
        let mut rest = bytes.as_slice();
        for body in ["one", "two"] {
            let (length, after) = rest.split_first_chunk::<4>().unwrap();
            let (frame, after) = after.split_at(u32::from_be_bytes(*length) as usize);
            rest = after;
            let frame = match is_compressed {
                true => zstd::bulk::decompress(frame, 1 << 20).unwrap(),
                false => frame.to_vec(),
            };
            let request = match is_json {
                true => request_of_line(std::str::from_utf8(&frame).unwrap()),
                false => ExportLogsServiceRequest::decode(frame.as_slice()).unwrap(),
            };
            assert_eq!(request, logs_of(&[body]), "{words}");
        }
        assert!(rest.is_empty());
    }
}

#[tokio::test]
async fn restart_appends_behind_whole_records() {
    let (_folder, path) = folder();
    send(&exporter(&path, ""), "one").await;
    let mut torn = std::fs::read(&path).unwrap();
    torn.extend_from_slice(b"{\"resourceLogs\":[{\"sc");
    std::fs::write(&path, torn).unwrap();
    send(&exporter(&path, ""), "two").await;
    check_lines(&path, &["one", "two"]);
    send(&exporter(&path, ", append: false"), "three").await;
    check_lines(&path, &["three"]);

    let frames = path.with_extension("pb");
    send(&exporter(&frames, ", format: proto"), "one").await;
    let whole = std::fs::read(&frames).unwrap();
    std::fs::write(&frames, [&whole[..], &[0, 0, 0, 9, 1]].concat()).unwrap();
    send(&exporter(&frames, ", format: proto"), "one").await;
    assert_eq!(std::fs::read(&frames).unwrap(), [&whole[..], &whole[..]].concat());
}

#[tokio::test]
async fn missing_folder_is_made_if_wanted() {
    let (folder, _) = folder();
    let path = folder.path().join("a/b/out.json");
    send(&exporter(&path, ", create_directory: true"), "one").await;
    check_lines(&path, &["one"]);
    let yaml = format!("path: '{}/c/out.json'", folder.path().display());
    let Ok(Blueprint::Exporter(blueprint)) = parse(&FACTORY, &yaml) else { panic!("{yaml}") };
    let error = blueprint.build(environment("file", None)).unwrap_err().to_string();
    assert!(error.contains("write `create_directory: true`"), "{error}");
}

#[tokio::test]
async fn full_disk_asks_to_retry() {
    let file = exporter(Path::new("/dev/full"), "");
    let answer = deliver(file.consumer.as_ref(), payload(&logs_of(&["one"]))).await;
    let Answer::RetryAfter { delay, status } = answer else { panic!("{answer:?}") };
    assert_eq!((delay, status.code), (Some(Duration::from_secs(1)), Code::Unavailable));
    assert!(status.message.contains("/dev/full"), "{status}");
}

#[tokio::test]
async fn file_that_was_moved_away_is_made_again() {
    let (folder, path) = folder();
    let file = exporter(&path, "");
    send(&file, "one").await;
    let moved = folder.path().join("moved.json");
    std::fs::rename(&path, &moved).unwrap();
    send(&file, "two").await;
    check_lines(&moved, &["one"]);
    check_lines(&path, &["two"]);
}

#[tokio::test]
async fn rotation_keeps_order_and_a_number_of_files() {
    let (_folder, path) = folder();
    let file = exporter(&path, ", rotation: {max_megabytes: 1, max_backups: 2}");
    let large = |name: &str| format!("{name} {}", "x".repeat(600 << 10));
    for name in ["a", "b", "c", "d"] {
        send(&file, &large(name)).await;
    }
    check_lines(&path, &[&large("d")]);
    let old = backups(&path).unwrap();
    assert_eq!(old.len(), 2);
    check_lines(&old[0], &[&large("b")]);
    check_lines(&old[1], &[&large("c")]);
}

#[test]
fn old_files_are_named_by_time_and_removed_by_age() {
    let (folder, path) = folder();
    let now = UNIX_EPOCH + Duration::from_millis(1_500_000_000_007);
    let first = backup_path(&path, now).unwrap();
    assert_eq!(first, folder.path().join("out-2017-07-14T02-40-00.007.json"));
    std::fs::write(&first, "").unwrap();
    let second = backup_path(&path, now - Duration::from_secs(60)).unwrap();
    assert_eq!(second, folder.path().join("out-2017-07-14T02-40-00.008.json"), "later by name");
    std::fs::write(folder.path().join("out-other.json"), "").unwrap();
    assert_eq!(backups(&path).unwrap(), [first]);
    let age_max = Some(Duration::from_hours(24));
    let rotation = Rotation { bytes_max: 1, age_max, backups_max: None };
    prune(&path, rotation, Clock.wall()).unwrap();
    assert_eq!(backups(&path).unwrap().len(), 1);
    prune(&path, rotation, Clock.wall() + Duration::from_hours(25)).unwrap();
    assert!(backups(&path).unwrap().is_empty());
    assert!(folder.path().join("out-other.json").exists());
}

/// Log records with these bodies from a resource of this tenant.
fn logs_of_tenant(tenant: &str, bodies: &[&str]) -> ExportLogsServiceRequest {
    let mut logs = logs_of(bodies);
    let attributes = vec![attribute("tenant", tenant)];
    logs.resource_logs[0].resource = Some(Resource { attributes, ..Resource::default() });
    logs
}

#[tokio::test]
async fn groups_have_files_of_their_own() {
    let folder = tempfile::tempdir().unwrap();
    let words = ", create_directory: true, \
                 group_by: {enabled: true, resource_attribute: tenant, max_open_files: 1}";
    let file = exporter(&folder.path().join("*/out.json"), words);
    for round in ["1", "2"] {
        let mut both = logs_of_tenant("a", &[round]);
        both.resource_logs.extend(logs_of_tenant("../b", &[round]).resource_logs);
        let answer = deliver(file.consumer.as_ref(), payload(&both)).await;
        assert_eq!(answer, Answer::Delivered { rejected: 0, warning: None });
    }
    for (name, tenant) in [("a", "a"), ("%2E.%2Fb", "../b")] {
        let text = std::fs::read_to_string(folder.path().join(name).join("out.json")).unwrap();
        let requests: Vec<_> = text.lines().map(request_of_line).collect();
        let expected = ["1", "2"].map(|round| logs_of_tenant(tenant, &[round]));
        assert_eq!(requests, expected);
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2, "nothing stands elsewhere");
    file.component.close(Clock.now() + Duration::from_secs(10)).await;
}

#[tokio::test]
async fn a_request_of_which_a_part_was_written_is_not_known_to_be_undone() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("b.json")).unwrap();
    let words = ", group_by: {enabled: true, resource_attribute: tenant}";
    let file = exporter(&folder.path().join("*.json"), words);
    let mut both = logs_of_tenant("a", &["1"]);
    both.resource_logs.extend(logs_of_tenant("b", &["1"]).resource_logs);
    let answer = deliver(file.consumer.as_ref(), payload(&both)).await;
    assert!(matches!(answer, Answer::Unknown { .. }), "{answer:?}");
    let only = payload(&logs_of_tenant("b", &["1"]));
    let answer = deliver(file.consumer.as_ref(), only).await;
    assert!(matches!(answer, Answer::RetryAfter { .. }), "{answer:?}");
}
