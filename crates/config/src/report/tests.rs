use std::sync::Arc;

use super::*;
use crate::Position;

const TEXT: &str = "\
a:
  token: s3cret
  limit: many
  \"quoted\": 1
  flow: {password: s3cret, limit: many, headers: {x: s3cret}}
  list: [http://u:s3cret@h/x, b]
  headers:
    x-note: s3cret
";

#[track_caller]
fn check(line: usize, column: usize, path: &str, expected: &str) {
    let mut texts = Texts::default();
    let source: Arc<str> = texts.keep("c.yaml", TEXT.as_bytes());
    let position = Some(Position { source, line, column });
    let message = "bad".to_owned();
    let problem = Problem { position, path: path.to_owned(), message, remedy: None };
    let report = report(&[problem], &texts);
    assert_eq!(report, format!("c.yaml:{line}:{column}: {path}: bad\n{expected}"));
    assert!(!report.contains("s3cret"));
}

#[test]
fn shows_the_line_and_the_place() {
    check(3, 10, "a.limit", "  3 |   limit: many\n    |          ^\n");
}

#[test]
fn says_what_to_do() {
    let remedy = Some("write fewer".to_owned());
    let message = "bad".to_owned();
    let problem = Problem { position: None, path: String::new(), message, remedy };
    assert_eq!(report(&[problem], &Texts::default()), "bad\n  help: write fewer\n");
    assert_eq!(report(&[], &Texts::default()), "");
}

#[test]
fn shows_no_value_for_a_key() {
    check(2, 3, "a.token", "  2 |   token: …\n    |   ^\n");
    check(4, 3, "a.quoted", "  4 |   \"quoted\": …\n    |   ^\n");
    check(1, 1, "a", "  1 | a:\n    | ^\n");
}

#[test]
fn hides_values_that_sound_secret() {
    check(2, 10, "a.token", "  2 |   token: …\n    |          ^\n");
    check(
        5,
        35,
        "a.flow.limit",
        "  5 |   flow: {password: …, limit: many, headers: …}\n    |                              ^\n",
    );
    check(6, 31, "a.list[1]", "  6 |   list: [http://…@h/x, b]\n    |                        ^\n");
    check(8, 13, "a.headers.x-note", "  8 |     x-note: …\n    |             ^\n");
}

#[test]
fn leaves_out_a_line_that_is_not_there() {
    check(99, 1, "a", "");
    check(2, 99, "a", "");
}
