use std::ops::Range;
use std::time::Duration;

use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::logs::v1::LogRecord;
use prost::Message as _;

use super::*;
use crate::receivers::file_log::content::{ContentSettings, ContentWords};
use crate::receivers::file_log::split::{Flush, Splitter};

fn now() -> Now {
    Now { instant: runtime::clock::Clock.now(), unix_nano: 7 }
}

fn content(words: ContentWords) -> ContentSettings {
    words.validate().unwrap()
}

fn operators(yaml: &str) -> ContentWords {
    let operators = serde_json::from_str(yaml).unwrap();
    ContentWords { operators, ..ContentWords::default() }
}

fn source(key: u64) -> FileSource {
    let attributes = [("log.file.name".to_owned(), Value::from("a.log"))].into_iter().collect();
    FileSource::new(FileKey(key), attributes, Map::new())
}

/// A file of `bytes`, read whole.
fn read(words: ContentWords, bytes: &[u8]) -> (Assembler, Option<Batch>) {
    let settings = content(words);
    let mut assembler = Assembler::new(settings.assemble);
    let mut source = source(1);
    let mut splitter = Splitter::new(settings.split, 0);
    splitter.feed(bytes, |token| assembler.token(&mut source, &token, now()));
    splitter.flush(Flush::End, |token| assembler.token(&mut source, &token, now()));
    assembler.end_of_file(FileKey(1), now());
    let batch = assembler.take();
    (assembler, batch)
}

fn records(batch: &Batch) -> Vec<LogRecord> {
    let request = ExportLogsServiceRequest::decode(batch.payload.to_bytes()).unwrap();
    let scopes = request.resource_logs.into_iter().flat_map(|logs| logs.scope_logs);
    scopes.flat_map(|scope| scope.log_records).collect()
}

fn text(record: &LogRecord) -> String {
    match record.body.as_ref().and_then(|body| body.value.clone()) {
        Some(Any::StringValue(text)) => text,
        other => panic!("{other:?} is no text"),
    }
}

fn check(words: ContentWords, bytes: &[u8], expected: &[&str]) -> Counts {
    let (mut assembler, batch) = read(words, bytes);
    let found: Vec<_> = batch.iter().flat_map(records).map(|record| text(&record)).collect();
    assert_eq!(found, expected);
    assembler.take_counts()
}

fn ranges(batch: &Batch) -> Vec<(usize, u64, Range<u64>)> {
    let of = |one: &ItemOrigin| (one.item, one.origin.file.0, one.origin.range.clone());
    batch.origins.iter().map(of).collect()
}

#[test]
fn lines_become_records_with_the_attributes_of_their_file() {
    let (mut assembler, batch) = read(ContentWords::default(), b"one\n  two  \r\nthree");
    let batch = batch.unwrap();
    let records = records(&batch);
    assert_eq!(records.iter().map(text).collect::<Vec<_>>(), ["one", "two", "three"]);
    assert!(records.iter().all(|record| record.observed_time_unix_nano == 7));
    assert!(records.iter().all(|record| record.attributes[0].key == "log.file.name"));
    assert_eq!(ranges(&batch), [(0, 1, 0..4), (1, 1, 4..13), (2, 1, 13..18)]);
    assert_eq!(assembler.take_counts(), Counts { records: 3, ..Counts::default() });
    assert!(assembler.take().is_none(), "taken once");
}

#[test]
fn lines_with_and_without_operators_are_the_same_records() {
    let input = "one\n  two é \n\nthree";
    let (_, plain) = read(ContentWords::default(), input.as_bytes());
    let (_, chained) = read(operators(r#"[{"type":"noop"}]"#), input.as_bytes());
    let (plain, chained) = (plain.unwrap(), chained.unwrap());
    assert_eq!(plain.payload.to_bytes(), chained.payload.to_bytes());
    assert_eq!(plain.origins, chained.origins);
}

#[test]
fn blank_lines_say_nothing_and_are_counted() {
    let counts = check(ContentWords::default(), b"\n\n \t\nx\n", &["x"]);
    assert_eq!(counts, Counts { records: 1, blank: 3, ..Counts::default() });
}

#[test]
fn white_space_stays_where_it_is_wanted() {
    let leading = ContentWords { preserve_leading_whitespaces: true, ..Default::default() };
    check(leading, b"  a  \n", &["  a"]);
    let trailing = ContentWords { preserve_trailing_whitespaces: true, ..Default::default() };
    check(trailing, b"  a  \r\n", &["a  "]);
}

#[test]
fn what_is_not_valid_is_replaced_and_bounded() {
    let counts = check(ContentWords::default(), b"a\xffb\n", &["a\u{fffd}b"]);
    assert_eq!(counts.repaired, 1);
    let mut bytes = vec![0xff; 1 << 20];
    bytes.push(b'\n');
    let (_, batch) = read(ContentWords::default(), &bytes);
    let batch = batch.unwrap();
    let texts: Vec<_> = records(&batch).iter().map(text).collect();
    assert!(texts.iter().all(|text| text.len() <= 1 << 20), "limits hold after replacing");
    assert_eq!(texts.iter().map(|text| text.chars().count()).sum::<usize>(), 1 << 20);
    assert!(ranges(&batch).iter().all(|(_, _, range)| *range == (0..(1 << 20) + 1)));
    let truncating = ContentWords { on_oversize: OnOversize::Truncate, ..Default::default() };
    let (_, batch) = read(truncating, &bytes);
    assert_eq!(records(&batch.unwrap()).len(), 1);
}

#[test]
fn a_head_of_nuls_is_taken_off() {
    let mut bytes = vec![0; 4096];
    bytes.extend_from_slice(b"one\ntwo\n");
    check(ContentWords::default(), &bytes, &["one", "two"]);
}

#[test]
fn lines_of_two_byte_characters_are_decoded() {
    let units = || "\u{feff}ein\r\nzwö\n😀".encode_utf16();
    let little: Vec<u8> = units().flat_map(u16::to_le_bytes).collect();
    let big: Vec<u8> = units().flat_map(u16::to_be_bytes).collect();
    for (name, bytes) in [("utf-16le", little), ("utf-16be", big)] {
        let words = ContentWords { encoding: Some(name.into()), ..Default::default() };
        check(words, &bytes, &["ein", "zwö", "😀"]);
    }
}

#[test]
fn a_truncated_line_is_marked_and_counted() {
    let words = ContentWords {
        max_log_size: Some(config::value::ByteSize::from_bytes(16)),
        on_oversize: OnOversize::Truncate,
        ..Default::default()
    };
    let (mut assembler, batch) = read(words, b"0123456789abcdefghij\nnext\n");
    let batch = batch.unwrap();
    let records = records(&batch);
    assert_eq!(records.iter().map(text).collect::<Vec<_>>(), ["0123456789abcdef", "next"]);
    let is_marked =
        |record: &LogRecord| record.attributes.iter().any(|one| one.key == "log.truncated");
    assert_eq!(records.iter().map(is_marked).collect::<Vec<_>>(), [true, false]);
    assert_eq!(ranges(&batch)[0].2, 0..21, "what was left out is done with");
    assert_eq!(assembler.take_counts().truncated, 1);
}

#[test]
fn records_are_numbered_where_that_is_wanted() {
    let settings = content(ContentWords::default());
    let mut assembler = Assembler::new(settings.assemble);
    let mut source = source(1);
    source.record_number = Some(41);
    let mut splitter = Splitter::new(settings.split, 0);
    splitter.feed(b"a\n\nb\n", |token| assembler.token(&mut source, &token, now()));
    assert_eq!(source.record_number, Some(43));
    let records = records(&assembler.take().unwrap());
    let number = records[0].attributes.iter().find(|one| one.key == "log.file.record_number");
    assert_eq!(number.unwrap().value.as_ref().unwrap().value, Some(Any::IntValue(42)));
}

#[test]
fn without_an_encoding_bodies_are_bytes() {
    let words = ContentWords { encoding: Some("nop".into()), ..Default::default() };
    let (_, batch) = read(words, b"a\n\xff\0");
    let body = records(&batch.unwrap())[0].body.clone().unwrap().value;
    assert_eq!(body, Some(Any::BytesValue(b"a\n\xff\0".to_vec())));
}

#[test]
fn filtered_lines_are_done_with_and_others_keep_their_ranges() {
    let words = operators(r#"[{"type":"filter","expr":"body contains 'debug'"}]"#);
    let (mut assembler, batch) = read(words, b"a\ndebug\nb\ndebug\n");
    assert_eq!(ranges(&batch.unwrap()), [(0, 1, 0..2), (1, 1, 8..10)]);
    assert_eq!(assembler.held(FileKey(1)), None, "nothing keeps the offset back");
    assert_eq!(assembler.take_reports()[0].dropped, 2);
}

#[test]
fn what_waits_keeps_the_offset_of_its_file_back() {
    let words = operators(
        r#"[{"type":"recombine","combine_field":"body","is_first_entry":"body startsWith 'A'","force_flush_period":"1s"}]"#,
    );
    let settings = content(words);
    let mut assembler = Assembler::new(settings.assemble);
    let (mut first, mut second) = (source(1), source(2));
    let now = now();
    let feed = |assembler: &mut Assembler, source: &mut FileSource, bytes: &[u8]| {
        let mut splitter = Splitter::new(Arc::clone(&settings.split), 0);
        splitter.feed(bytes, |token| assembler.token(source, &token, now));
    };
    feed(&mut assembler, &mut first, b"A1\n b\nA2\n c\n");
    feed(&mut assembler, &mut second, b"A3\n");
    assert_eq!((assembler.held(FileKey(1)), assembler.held(FileKey(2))), (Some(6), Some(0)));
    assert_eq!(ranges(&assembler.take().unwrap()), [(0, 1, 0..6)]);
    let later = now.instant + Duration::from_secs(1);
    assert_eq!(assembler.next_deadline(), Some(later));
    assembler.tick(Now { instant: later, ..now });
    let batch = assembler.take().unwrap();
    assert_eq!(ranges(&batch), [(0, 1, 6..12), (1, 2, 0..3)]);
    assert_eq!(records(&batch).iter().map(text).collect::<Vec<_>>(), ["A2\nc", "A3"]);
    assert_eq!(assembler.held(FileKey(1)), None);
}

#[test]
fn records_of_one_resource_stand_together_with_their_origins() {
    let words = operators(
        r#"[{"type":"move","from":"attributes['x']","to":"resource.x","if":"attributes.x != nil"},
        {"type":"regex_parser","regex":"^(?P<pod>\\w)","parse_to":"resource"}]"#,
    );
    let (_, batch) = read(words, b"a1\nb2\na3\nb4\n");
    let batch = batch.unwrap();
    assert_eq!(records(&batch).iter().map(text).collect::<Vec<_>>(), ["a1", "a3", "b2", "b4"]);
    assert_eq!(
        ranges(&batch),
        [(0, 1, 0..3), (1, 1, 6..9), (2, 1, 3..6), (3, 1, 9..12)],
        "origins follow the items"
    );
}

#[test]
fn an_entry_arrives_with_all_its_parts() {
    let words = operators(
        r#"[{"type":"json_parser","parse_ints":true,"parse_to":"body",
            "timestamp":{"parse_from":"body.t","layout_type":"epoch","layout":"s"},
            "severity":{"parse_from":"body.s"},
            "trace":{"trace_id":{"parse_from":"body.trace"}}}]"#,
    );
    let line = br#"{"t":1,"s":"error","trace":"0102030405060708090a0b0c0d0e0f10","deep":{"a":[1,{"b":null}]}}"#;
    let (_, batch) = read(words, line);
    let record = &records(&batch.unwrap())[0];
    assert_eq!((record.time_unix_nano, record.severity_number), (1_000_000_000, 17));
    assert_eq!(record.severity_text, "error");
    assert_eq!(record.trace_id.len(), 16);
    assert!(matches!(record.body.as_ref().unwrap().value, Some(Any::KvlistValue(_))));
}

#[test]
fn values_that_nest_too_deep_arrive_as_json() {
    let line = format!("{}1{}", "{\"a\":".repeat(40), "}".repeat(40));
    let (_, batch) =
        read(operators(r#"[{"type":"json_parser","parse_to":"body"}]"#), line.as_bytes());
    let payload = batch.unwrap().payload;
    let again = Payload::parse(wire::Signal::Logs, payload.to_bytes()).unwrap();
    assert_eq!(again.items(), 1);
    assert!(String::from_utf8_lossy(&payload.to_bytes()).contains("{\"a\":{\"a\":1.0}}"));
}
