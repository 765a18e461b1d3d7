use std::sync::Arc;

use super::*;
use crate::parse::parse;

fn node(name: &str, text: &str) -> Node {
    parse(&Arc::from(name), text.as_bytes()).unwrap()
}

#[track_caller]
fn check(base: &str, over: &str, expected: &str) {
    let merged = merge(node("base", base), node("over", over));
    assert!(merged.is_equal(&node("expected", expected)), "{base} + {over}");
}

#[test]
fn joins_maps_and_replaces_all_else() {
    check("{a: 1, b: {c: 1}}", "{b: {d: 2}, e: 3}", "{a: 1, b: {c: 1, d: 2}, e: 3}");
    check("a: [1, 2]", "a: [3]", "a: [3]");
    check("a: 1", "a: {b: 2}", "a: {b: 2}");
    check("a: {b: 2}", "a: 1", "a: 1");
    check("a: {b: 2}", "a:", "a:");
    check("a:", "a: {b: 2}", "a: {b: 2}");
    check("a: {b: 2}", "a: {}", "a: {b: 2}");
}

#[test]
fn points_at_the_source_that_won() {
    let merged = merge(node("base", "a: {b: 1}"), node("over", "a: {b: 2, c: 3}"));
    let a = merged.entry("a").unwrap();
    assert_eq!(&*a.key_position.source, "base");
    assert_eq!(&*a.value.entry("b").unwrap().key_position.source, "over");
    assert_eq!(&*a.value.entry("c").unwrap().value.position.source, "over");
}

#[test]
fn unfolds_paths_in_top_level_keys() {
    let unfolded = unfold(node("a", "{a::b: 1, a::c::d: 2, a: {e: 3}, f: {g::h: 4}}"));
    let expected = "{a: {b: 1, c: {d: 2}, e: 3}, f: {'g::h': 4}}";
    assert!(unfolded.is_equal(&node("b", expected)));
    assert!(unfold(node("a", "text")).is_equal(&node("b", "text")));
}
