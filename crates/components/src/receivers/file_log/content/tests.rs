use super::super::assemble::Now;
use super::super::entry::{Map, Value};
use super::super::header::HeaderReader;
use super::super::split::Splitter;
use super::*;

fn faults(words: ContentWords) -> Vec<String> {
    let faults = words.validate().expect_err("it should be refused").into_vec();
    faults.into_iter().map(|fault| format!("{}: {}", fault.path, fault.message)).collect()
}

#[test]
fn all_that_is_wrong_is_told_at_once() {
    let found = faults(ContentWords {
        encoding: Some("klingon".to_owned()),
        multiline: Some(MultilineWords {
            line_start_pattern: Some("(".to_owned()),
            ..MultilineWords::default()
        }),
        max_log_size: Some(ByteSize::from_bytes(1)),
        header: Some(HeaderWords { pattern: "(".to_owned(), ..HeaderWords::default() }),
        operators: vec![serde_json::from_str(r#"{"type":"move"}"#).unwrap()],
        ..ContentWords::default()
    });
    for expected in [
        "encoding: there is no encoding `klingon`",
        "multiline.line_start_pattern: not a regular expression",
        "max_log_size: `max_log_size` must be at least 16 bytes",
        "header.pattern: not a regular expression",
        "header.metadata_operators: at least one is needed",
        "operators[0].from: `from` is needed",
        "operators[0].to: `to` is needed",
    ] {
        assert!(found.iter().any(|fault| fault.starts_with(expected)), "{expected} in {found:#?}");
    }
}

#[test]
fn exactly_one_pattern_is_needed() {
    let both = MultilineWords {
        line_start_pattern: Some("a".to_owned()),
        line_end_pattern: Some("b".to_owned()),
        omit_pattern: false,
    };
    for multiline in [MultilineWords::default(), both] {
        let words = ContentWords { multiline: Some(multiline), ..ContentWords::default() };
        let expected =
            "multiline: exactly one of `line_start_pattern` and `line_end_pattern` is needed";
        assert_eq!(faults(words), [expected]);
    }
}

#[test]
fn a_header_tells_of_all_other_lines() {
    let header = r##"{"pattern":"^#","metadata_operators":[
        {"type":"regex_parser","regex":"^#(?P<key>\\w+): (?P<value>.*)"},
        {"type":"noop"}]}"##;
    let words = ContentWords {
        header: Some(serde_json::from_str(header).unwrap()),
        ..ContentWords::default()
    };
    let settings = words.validate().unwrap();
    let mut reader = HeaderReader::new(settings.header.unwrap());
    let now = Now { instant: runtime::clock::Clock.now(), unix_nano: 0 };
    let mut splitter = Splitter::new(settings.split, 0);
    let mut rest = Vec::new();
    splitter.feed(b"#Fields: a,b\n#odd\nline\n#no header\n", |token| {
        let is_header = rest.is_empty() && reader.take(&token, now);
        if !is_header {
            rest.push(token.range.start);
        }
    });
    assert_eq!(rest, [18, 23], "the header ends with the first line that is none");
    let (attributes, reports) = reader.finish(now);
    let expected: Map = [("key", "Fields"), ("value", "a,b")]
        .map(|(key, value)| (key.to_owned(), Value::from(value)))
        .into_iter()
        .collect();
    assert_eq!(attributes, expected);
    assert_eq!(reports[0].errors, 1, "the odd line is told of");
}
