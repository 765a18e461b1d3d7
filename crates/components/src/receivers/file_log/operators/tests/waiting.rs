use std::time::{Duration, Instant};

use super::*;

fn bodies(entries: &[Entry]) -> Vec<String> {
    entries.iter().map(|entry| entry.body.to_string()).collect()
}

fn lines(chain: &mut Chain, texts: &[&str]) -> Vec<String> {
    let texts: Vec<_> = texts.iter().map(|text| format!("{{\"body\":\"{text}\"}}")).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    bodies(&run(chain, &texts))
}

fn now() -> Instant {
    runtime::clock::Clock.now()
}

const FIRST: &str = "- {type: recombine, combine_field: body, is_first_entry: 'body == \"log1\"'";
const LAST: &str = "- {type: recombine, combine_field: body, is_last_entry: 'body == \"log1\"'";

#[test]
fn entries_come_together_from_the_first_on() {
    let mut chain = chain(
        "- {type: recombine, combine_field: body, is_first_entry: 'body matches \"^[^\\\\s]\"'}",
    );
    assert_eq!(
        lines(&mut chain, &["Log 1", "Error: x", " at a", " at b", "Another"]),
        ["Log 1", "Error: x\n at a\n at b", "Another"]
    );
}

#[test]
fn entries_come_together_up_to_the_last() {
    let yaml = "- {type: regex_parser, parse_to: body, regex: '^(?P<tag>\\w) (?P<message>.*)'}
- {type: recombine, combine_field: body.message, combine_with: '', is_last_entry: \"body.tag == 'F'\"}";
    assert_eq!(
        lines(&mut chain(yaml), &["F one", "P this is ", "P a long ", "F line"]),
        [r#"{"tag":"F","message":"one"}"#, r#"{"tag":"F","message":"this is a long line"}"#]
    );
    let oldest = yaml.replace("combine_with", "overwrite_with: oldest, combine_with");
    assert_eq!(lines(&mut chain(&oldest), &["P a", "F b"]), [r#"{"tag":"P","message":"ab"}"#]);
}

#[test]
fn what_comes_before_the_first_match_comes_in_parts() {
    let input = ["log2", "log3", "log4", "log5", "log1", "log6", "log7", "log1", "log8", "log1"];
    let mut three = chain(&format!("{FIRST}, max_unmatched_batch_size: 3}}"));
    assert_eq!(
        lines(&mut three, &input),
        ["log2\nlog3\nlog4", "log5", "log1\nlog6\nlog7", "log1\nlog8", "log1"]
    );
    let mut none = chain(&format!("{FIRST}, max_unmatched_batch_size: 1}}"));
    assert_eq!(
        lines(&mut none, &input),
        ["log2", "log3", "log4", "log5", "log1\nlog6\nlog7", "log1\nlog8", "log1"]
    );
    let mut last = chain(&format!("{LAST}, max_unmatched_batch_size: 3}}"));
    assert_eq!(
        lines(&mut last, &input),
        ["log2\nlog3\nlog4", "log5\nlog1", "log6\nlog7\nlog1", "log8\nlog1"]
    );
}

#[test]
fn sizes_are_limited() {
    let mut few = chain(&format!("{FIRST}, max_batch_size: 2}}"));
    assert_eq!(lines(&mut few, &["log1", "a", "b", "c"]), ["log1\na", "b\nc"]);
    let mut small = chain(&format!("{FIRST}, max_log_size: 6}}"));
    assert_eq!(lines(&mut small, &["log1", "abc", "d", "log1"]), ["log1\nabc", "d", "log1"]);
}

#[test]
fn sources_are_told_apart() {
    let yaml = format!("{FIRST}, source_identifier: attributes.s, max_sources: 2}}");
    let entry = |source: &str, body: &str| {
        format!("{{\"body\":\"{body}\",\"attributes\":{{\"s\":\"{source}\"}}}}")
    };
    let entries = [
        entry("a", "log1"),
        entry("b", "log1"),
        entry("a", "1"),
        entry("b", "2"),
        entry("c", "log1"),
        entry("b", "3"),
    ];
    let entries: Vec<&str> = entries.iter().map(String::as_str).collect();
    let left = run(&mut chain(&yaml), &entries);
    assert_eq!(bodies(&left), ["log1\n1", "log1\n2\n3", "log1"], "the oldest makes room");
}

#[test]
fn what_waits_too_long_goes() {
    let start = now();
    let mut chain = chain(&format!("{LAST}, force_flush_period: 2s}}"));
    let mut out = Vec::new();
    chain.process(entry(r#"{"body":"a"}"#, 100..110), start, &mut out);
    chain.process(entry(r#"{"body":"b"}"#, 110..120), start + Duration::from_secs(1), &mut out);
    assert_eq!(chain.next_deadline(), Some(start + Duration::from_secs(2)));
    assert_eq!(chain.held(FileKey(1)), Some(100), "what is held must be read again after a crash");
    assert_eq!(chain.held(FileKey(2)), None);
    assert!(0 < chain.held_bytes());
    chain.tick(start + Duration::from_millis(1999), &mut out);
    assert!(out.is_empty());
    chain.tick(start + Duration::from_secs(2), &mut out);
    assert_eq!(bodies(&out), ["a\nb"]);
    assert_eq!(out[0].origin.range, 100..120);
    assert_eq!(
        (chain.held(FileKey(1)), chain.next_deadline(), chain.held_bytes()),
        (None, None, 0)
    );
}

#[test]
fn an_entry_of_several_files_stands_for_all_of_them() {
    let yaml = "- {type: recombine, combine_field: body, is_last_entry: 'body == \"z\"', source_identifier: attributes.s}";
    let mut chain = chain(yaml);
    let mut out = Vec::new();
    for (file, body) in [(1, "a"), (2, "b"), (1, "z")] {
        let text = format!("{{\"body\":\"{body}\",\"attributes\":{{\"s\":\"same\"}}}}");
        let mut entry = entry(&text, file * 100..file * 100 + 10);
        entry.origin.file = FileKey(file);
        chain.process(entry, now(), &mut out);
    }
    let origins: Vec<_> =
        out[0].origins().map(|origin| (origin.file.0, origin.range.start)).collect();
    assert_eq!(bodies(&out), ["a\nb\nz"]);
    assert_eq!(origins, [(1, 100), (2, 200)]);
}

#[test]
fn an_entry_without_a_text_to_put_together_is_kept() {
    let recombine = "- {type: recombine, combine_field: body.m, is_first_entry: 'true'}";
    check_error(recombine, r#"{"body":"x"}"#, "there is no text in `body.m`");
}

#[test]
fn words_that_make_no_sense_are_refused() {
    check_refused("- {type: recombine, combine_field: body}", &["exactly one of `is_first_entry`"]);
    check_refused(
        "- {type: recombine, is_first_entry: 'x', max_sources: 0, force_flush_period: 0s}",
        &[
            "`combine_field` is needed",
            "there is no `x` here",
            "at least one source",
            "without a time",
        ],
    );
}
