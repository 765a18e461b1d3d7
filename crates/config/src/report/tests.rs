use std::sync::Arc;

use super::*;
use crate::Position;

#[track_caller]
fn check(line: usize, column: usize, path: &str, remedy: Option<&str>, expected: &str) {
    let mut texts = Texts::default();
    let text = "a:\n  token: s3cret\n  limit: many\n  \"quoted\": 1\n  list: [x]\n";
    let source: Arc<str> = texts.keep("c.yaml", text.as_bytes());
    let position = Some(Position { source, line, column });
    let remedy = remedy.map(str::to_owned);
    let problem = Problem { position, path: path.to_owned(), message: "bad".to_owned(), remedy };
    assert_eq!(report(&[problem], &texts), expected);
}

#[test]
fn shows_the_line_and_the_place() {
    check(
        3,
        10,
        "a.limit",
        Some("write fewer"),
        "c.yaml:3:10: a.limit: bad\n  3 |   limit: many\n    |          ^\n  help: write fewer\n",
    );
}

#[test]
fn shows_no_value_for_a_key() {
    check(2, 3, "a.token", None, "c.yaml:2:3: a.token: bad\n  2 |   token: …\n    |   ^\n");
    check(4, 3, "a.quoted", None, "c.yaml:4:3: a.quoted: bad\n  4 |   \"quoted\": …\n    |   ^\n");
    check(1, 1, "a", None, "c.yaml:1:1: a: bad\n  1 | a:\n    | ^\n");
}

#[test]
fn leaves_out_a_line_that_is_not_there() {
    check(9, 1, "a", None, "c.yaml:9:1: a: bad\n");
    check(2, 99, "a", None, "c.yaml:2:99: a: bad\n");
    assert_eq!(report(&[], &Texts::default()), "");
}
