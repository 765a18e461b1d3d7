use std::sync::Arc;

use super::*;
use crate::parse::parse;

fn node(text: &str) -> Node {
    parse(&Arc::from("test"), text.as_bytes()).unwrap()
}

#[track_caller]
fn check(a: &str, b: &str, is_equal: bool) {
    let (a, b) = (node(a), node(b));
    assert_eq!(a.is_equal(&b), is_equal);
    assert_eq!(b.is_equal(&a), is_equal);
    assert_eq!(a.fingerprint() == b.fingerprint(), is_equal);
}

#[test]
fn is_equal_to_what_says_the_same() {
    check("{a: 1, b: [x, ~]}", "# other\nb:\n  - x\n  -\na: 1", true);
    check("a: &x {b: 1}\nc: *x", "c: {b: 1}\na: {b: 1}", true);
    check("'text'", "text", true);
}

#[test]
fn differs_from_what_says_something_else() {
    check("a: 1", "a: '1'", false);
    check("a: 1", "a: 2", false);
    check("a: 31", "a: 0x1F", false);
    check("a: ''", "a:", false);
    check("[1, 2]", "[2, 1]", false);
    check("{a: 1}", "{a: 1, b: 2}", false);
    check("{a: }", "{}", false);
    check("[]", "{}", false);
}

#[test]
fn does_not_show_secrets_when_printed() {
    let printed = format!("{:?}", node("{password: hunter2, list: [hunter2]}"));
    assert!(!printed.contains("hunter2"), "{printed}");
}
