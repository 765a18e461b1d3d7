//! The cost of 10,000 lines on their way from the bytes of a file to a payload.

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use components::receivers::file_log::assemble::{Assembler, FileSource, Now};
use components::receivers::file_log::content::{ContentSettings, ContentWords, MultilineWords};
use components::receivers::file_log::entry::{FileKey, Map, Value};
use components::receivers::file_log::split::Splitter;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

const LINES: usize = 10_000;
/// What a reader hands over at once.
const CHUNK_BYTES: usize = 64 << 10;

/// A file of lines of 256 bytes, line end included.
fn plain() -> Vec<u8> {
    let line = |at: usize| {
        let text = format!("2024-05-06 07:08:09.123 INFO request {at:06} answered in 12 ms ");
        format!("{text:x<255}\n")
    };
    (0..LINES).flat_map(|at| line(at).into_bytes()).collect()
}

fn json() -> Vec<u8> {
    let line = |at: usize| {
        format!(
            "{{\"time\":\"2024-05-06T07:08:09.123Z\",\"level\":\"info\",\"msg\":\"request answered\",\
             \"id\":{at},\"path\":\"/api/v1/orders\",\"status\":200,\"user\":{{\"name\":\"ann\"}}}}\n"
        )
    };
    (0..LINES).flat_map(|at| line(at).into_bytes()).collect()
}

fn container() -> Vec<u8> {
    let line = |at: usize| {
        let text = format!("2024-05-06T07:08:09.123456789Z stdout F request {at:06} answered ");
        format!("{text:x<255}\n")
    };
    (0..LINES).flat_map(|at| line(at).into_bytes()).collect()
}

fn operators(json: &str) -> ContentWords {
    let operators = serde_json::from_str(json).expect("operators of a bench are right");
    ContentWords { operators, ..ContentWords::default() }
}

fn run(settings: &ContentSettings, bytes: &[u8], start: Instant) -> usize {
    let mut assembler = Assembler::new(settings.assemble.clone());
    let attributes: Map = [("log.file.name".to_owned(), Value::from("app.log"))].into();
    let mut source = FileSource::new(FileKey(1), attributes, Map::new());
    let mut splitter = Splitter::new(Arc::clone(&settings.split), 0);
    let now = Now { instant: start, unix_nano: 1_700_000_000_000_000_000 };
    let mut items = 0;
    for chunk in bytes.chunks(CHUNK_BYTES) {
        splitter.feed(chunk, |token| assembler.token(&mut source, &token, now));
        items += assembler.take().map_or(0, |batch| black_box(batch).payload.items());
    }
    items
}

fn lines(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("file_log");
    group.throughput(Throughput::Elements(LINES as u64)).measurement_time(Duration::from_secs(3));
    let start = runtime::clock::Clock.now();
    let multiline = MultilineWords {
        line_start_pattern: Some(r"^\d{4}-".to_owned()),
        ..MultilineWords::default()
    };
    let regex = r#"[{"type":"regex_parser",
        "regex":"^(?P<time>\\S+ \\S+) (?P<sev>[A-Z]+) (?P<msg>.*)$",
        "timestamp":{"parse_from":"attributes.time","layout":"%Y-%m-%d %H:%M:%S.%L","location":"UTC"},
        "severity":{"parse_from":"attributes.sev"}}]"#;
    let json_parser = r#"[{"type":"json_parser",
        "timestamp":{"parse_from":"attributes.time","layout_type":"gotime","layout":"2006-01-02T15:04:05Z07:00"},
        "severity":{"parse_from":"attributes.level"}}]"#;
    for (name, words, bytes) in [
        ("lines of 256 bytes", ContentWords::default(), plain()),
        (
            "multiline",
            ContentWords { multiline: Some(multiline), ..ContentWords::default() },
            plain(),
        ),
        ("noop", operators(r#"[{"type":"noop"}]"#), plain()),
        ("json_parser", operators(json_parser), json()),
        ("regex_parser", operators(regex), plain()),
        (
            "container",
            operators(r#"[{"type":"container","add_metadata_from_filepath":false}]"#),
            container(),
        ),
    ] {
        let settings = words.validate().expect("the words of a bench are right");
        group.bench_function(name, |bencher| {
            bencher.iter(|| assert!(LINES - 1 <= run(&settings, &bytes, start)));
        });
    }
    group.finish();
}

criterion_group!(benches, lines);
criterion_main!(benches);
