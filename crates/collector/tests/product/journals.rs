//! `tidegate journal` on directories that are whole, in use, and damaged.

use std::path::{Path, PathBuf};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use journal::{Journal, Opened, Position, Settings};
use runtime::volume::{Directory, Permissions};
use serde_json::Value;

use super::process::{Running, free_port, pause, tidegate};

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn open(path: &Path) -> Journal {
    let directory = Arc::new(Directory::open(path, Permissions::default()).unwrap());
    let Opened { journal, .. } = journal::open(directory, Settings::sized(1 << 20)).unwrap();
    journal
}

/// A journal of two streams with ten records each, of which the first is done with.
fn journal_in(folder: &Path) -> (Journal, PathBuf) {
    let path = folder.join("journal");
    let journal = open(&path);
    let (sender, done) = mpsc::sync_channel(100);
    for name in ["one", "two"] {
        let stream = journal.stream(name).unwrap();
        for number in 0..10 {
            let (sender, body) = (sender.clone(), format!("{name} {number:0>200}"));
            journal.append(stream, 3, vec![body.into()], move |result| {
                result.unwrap();
                sender.send(()).unwrap();
            });
        }
        (0..10).for_each(|_| done.recv().unwrap());
        journal.forget(stream, vec![Position(0)..=Position(0)]);
    }
    (journal, path)
}

fn run(arguments: &[&str]) -> (bool, String, String) {
    let output = tidegate(&[&["journal"], arguments].concat());
    let shown = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    (output.status.success(), shown(output.stdout), shown(output.stderr))
}

#[test]
fn lists_dumps_and_exports_what_is_stored() {
    let folder = tempfile::tempdir().unwrap();
    let (journal, path) = journal_in(folder.path());
    let (is_well, _, aside) = run(&["ls", text(&path)]);
    assert!(is_well && aside.contains("in use"), "{aside}");
    let (is_well, _, aside) = run(&["repair", text(&path)]);
    assert!(!is_well && aside.contains("another process"), "{aside}");
    journal.close();
    let (_, listing, _) = run(&["ls", "--json", text(&path)]);
    let listing: Value = serde_json::from_str(&listing).unwrap();
    let streams = listing["streams"].as_array().unwrap();
    assert_eq!(
        (streams.len(), &streams[0]["records"], &streams[0]["weight"]),
        (2, &9.into(), &27.into())
    );
    let (_, dump, _) = run(&["dump", text(&path), "--stream", "two", "--limit", "4"]);
    let positions: Vec<_> = dump
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["position"].clone())
        .collect();
    assert_eq!(positions, [1, 2, 3, 4]);
    let exported = folder.path().join("exported");
    let (is_well, _, aside) = run(&["export", text(&path), "--output", text(&exported)]);
    assert!(is_well && aside.contains("18 records"), "{aside}");
    let bytes = std::fs::read(&exported).unwrap();
    let first = format!("one {:0>200}", 1);
    assert_eq!(bytes[..2], [0x80 | (204 & 0x7f), 1], "the length, as a varint");
    assert_eq!(&bytes[2..206], first.as_bytes());
    assert_eq!(bytes.len(), 18 * 206);
    let (is_well, _, aside) = run(&["export", text(&path), "--output", text(&exported)]);
    assert!(!is_well && aside.contains("make"), "never over another file: {aside}");
}

#[test]
fn finds_damage_and_saves_what_is_whole() {
    let folder = tempfile::tempdir().unwrap();
    let (journal, path) = journal_in(folder.path());
    journal.close();
    let (is_well, said, _) = run(&["verify", text(&path)]);
    assert!(is_well && said.contains("whole"), "{said}");
    let segment = segment_in(&path);
    let mut bytes = std::fs::read(&segment).unwrap();
    let at = bytes.windows(4).position(|four| four == b"two ").unwrap() + 1000;
    bytes[at] ^= 1;
    std::fs::write(&segment, &bytes).unwrap();
    let (is_well, said, aside) = run(&["verify", text(&path)]);
    assert!(!is_well && said.contains("record 4 of stream 1 (stored)"), "{said}{aside}");
    let (is_well, said, aside) = run(&["repair", text(&path)]);
    assert!(is_well && said.contains("lost:") && said.contains(".damaged"), "{said}{aside}");
    let (is_well, _, aside) = run(&["verify", text(&path)]);
    assert!(is_well, "{aside}");
    let (_, dump, _) = run(&["dump", text(&path)]);
    assert_eq!(dump.lines().count(), 17);
}

fn segment_in(path: &Path) -> PathBuf {
    let mut files = std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path());
    let is_segment = |path: &PathBuf| path.extension().is_some_and(|end| end == "segment");
    files.find(is_segment).unwrap()
}

#[test]
fn a_segment_behind_a_symbolic_link_is_told_and_not_passed_over() {
    let folder = tempfile::tempdir().unwrap();
    let (journal, path) = journal_in(folder.path());
    journal.close();
    let (segment, elsewhere) = (segment_in(&path), folder.path().join("elsewhere"));
    std::fs::rename(&segment, &elsewhere).unwrap();
    std::os::unix::fs::symlink(&elsewhere, &segment).unwrap();
    for command in ["ls", "verify", "repair", "export"] {
        let (is_well, said, aside) = run(&[command, text(&path)]);
        assert!(!is_well && aside.contains("symbolic link"), "{command}: {said}{aside}");
    }
    let linked = folder.path().join("linked");
    std::os::unix::fs::symlink(&path, &linked).unwrap();
    let (is_well, _, aside) = run(&["ls", text(&linked)]);
    assert!(!is_well && aside.contains("symbolic link"), "{aside}");
}

#[test]
fn a_directory_without_a_journal_is_told() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("below")).unwrap();
    let (is_well, _, aside) = run(&["ls", text(folder.path())]);
    assert!(!is_well && aside.contains("no segment file; try"), "{aside}");
}

/// The collector between two ports, with a queue on disk and what was refused beside it.
fn refusing_collector(folder: &Path, port: u16, sink: u16) -> Running {
    let storage = folder.join("storage");
    let yaml = format!(
        "yaml:receivers:
  otlp: {{protocols: {{grpc: {{endpoint: '127.0.0.1:{port}'}}}}}}
extensions:
  file_storage: {{directory: '{storage}', max_size: 64MiB}}
exporters:
  otlp:
    endpoint: 127.0.0.1:{sink}
    tls: {{insecure: true}}
    sending_queue:
      storage: file_storage
      refused: {{storage: file_storage}}
service:
  extensions: [file_storage]
  telemetry: {{metrics: {{level: none}}}}
  pipelines:
    logs: {{receivers: [otlp], exporters: [otlp]}}
",
        storage = storage.display(),
    );
    let mut running = Running::start(&["--config", &yaml]);
    running.wait_for("Everything is ready");
    running
}

fn sink(port: u16, words: &[&str]) -> Running {
    let address = format!("--grpc=127.0.0.1:{port}");
    let mut sink = Running::start(&[&["sink", &address, "--http=", "--json"], words].concat());
    sink.wait_for("listening");
    sink
}

#[test]
fn what_was_refused_is_sent_again_once_its_reason_is_mended() {
    let folder = tempfile::tempdir().unwrap();
    let [port, refusing, mended] = [free_port(), free_port(), free_port()];
    let refuses = sink(refusing, &["--fail-percent=100", "--fail-with=invalid"]);
    let collector = refusing_collector(folder.path(), port, refusing);
    let endpoint = format!("--endpoint=127.0.0.1:{port}");
    let load = ["generate", "--json", &endpoint, "--requests=5", "--items=7", "--concurrency=1"];
    assert!(tidegate(&load).status.success());
    let refused = folder.path().join("storage/exporter-otlp-refused");
    let stored = || {
        let (_, listing, _) = run(&["ls", "--json", text(&refused)]);
        let listing: Value = serde_json::from_str(&listing).unwrap_or_default();
        let streams = listing["streams"].as_array().cloned().unwrap_or_default();
        assert!(streams.iter().all(|stream| stream["name"] == "logs"), "{listing}");
        streams.iter().map(|stream| stream["weight"].as_u64().unwrap()).sum::<u64>()
    };
    let is_recorded = (0..1200).any(|_| {
        pause(Duration::from_millis(50));
        stored() == 35
    });
    assert!(is_recorded, "{} of 35 items were recorded as refused", stored());
    collector.signal("TERM");
    collector.end();
    drop(refuses);
    // Nobody listens: nothing is passed over.
    let endpoint = format!("--endpoint=127.0.0.1:{mended}");
    let (is_well, _, aside) = run(&["replay", text(&refused), &endpoint]);
    assert!(!is_well && aside.contains("record 0 of stream"), "{aside}");
    assert_eq!(35, stored());
    let largest = || {
        let files = std::fs::read_dir(&refused).unwrap();
        files.map(|file| file.unwrap().metadata().unwrap().len()).max()
    };
    let before = largest();
    let takes = sink(mended, &[]);
    let (is_well, _, aside) = run(&["replay", text(&refused), &endpoint]);
    assert!(is_well && aside.contains("5 requests were sent"), "{aside}");
    takes.signal("TERM");
    let (_, _, printed) = takes.end();
    let totals: Value = serde_json::from_str(&printed).unwrap();
    assert_eq!((&totals["distinct"], &totals["doubled"]), (&35.into(), &0.into()), "{totals}");
    assert_eq!(0, stored(), "what was taken is forgotten");
    assert!(largest() <= before.max(Some(1 << 20)), "a small disk may have room for no more");
}
