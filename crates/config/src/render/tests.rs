use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::Position;
use crate::parse::parse;

fn node(text: &str) -> Node {
    parse(&Arc::from("test"), text.as_bytes()).unwrap()
}

#[track_caller]
fn check(text: &str, expected: &str) {
    assert_eq!(yaml(&node(text)), expected);
}

#[test]
fn writes_blocks() {
    check(
        "{a: {b: [1, {c: d, e: ~}, [], {}]}}",
        "a:\n  b:\n    - 1\n    - c: d\n      e: null\n    - []\n    - {}\n",
    );
    check("[[1, 2], [a: b]]", "- - 1\n  - 2\n- - a: b\n");
    check("", "null\n");
    check("{}", "{}\n");
}

#[test]
fn keeps_numbers_as_written_and_quotes_what_would_change() {
    check(
        "{a: 0x1F, b: '31', c: 'yes', d: 'true'}",
        "a: 0x1F\nb: \"31\"\nc: \"yes\"\nd: \"true\"\n",
    );
    check(
        "{a: 'b: c', d: \"e\\nf\", g: ' h', i: '#j'}",
        "a: \"b: c\"\nd: \"e\\nf\"\ng: \" h\"\ni: \"#j\"\n",
    );
    check("{a: localhost:4317, b: /var/log/*.log}", "a: localhost:4317\nb: \"/var/log/*.log\"\n");
}

#[test]
fn writes_json() {
    let value = json(&node("{a: [1, 2.5, true, ~, x], b: .inf, c: 0123, d: 18446744073709551615}"));
    let expected = serde_json::json!({
        "a": [1, 2.5, true, null, "x"], "b": ".inf", "c": 83, "d": 18_446_744_073_709_551_615_u64
    });
    assert_eq!(value, expected);
}

fn any_scalar() -> impl Strategy<Value = Scalar> {
    let odd = prop::sample::select(vec![
        "",
        "~",
        "null",
        "yes",
        "- a",
        "a: b",
        "#",
        "[",
        "{",
        "<<",
        "0123",
        "1_000",
        ".5",
        "---",
        "...",
        "'",
        "\"",
        "%a",
        "&a",
        "*a",
        "!a",
        "| a",
        "a #b",
        "\u{85}",
        "é",
        "2026-01-01",
        "=",
        "\t",
        "a\n\n b\n",
        "$",
        "@x",
        "`",
        "?",
        "? a",
        ":",
        "-",
    ]);
    prop_oneof![
        odd.prop_map(Scalar::quoted),
        any::<String>().prop_map(Scalar::quoted),
        "[a-z0-9_.:/ -]{0,12}".prop_map(Scalar::quoted),
        prop::sample::select(vec!["~", "1", "-0x1F", "1e3", ".inf", "true", "null", "1_0"])
            .prop_map(Scalar::plain),
    ]
}

fn any_node() -> impl Strategy<Value = Node> {
    let position = Position { source: Arc::from("test"), line: 1, column: 1 };
    let at = move |content| Node { position: position.clone(), content };
    let leaf = any_scalar().prop_map(Content::Scalar).prop_map(at.clone());
    leaf.prop_recursive(4, 32, 4, move |inner| {
        let at = at.clone();
        let key = prop_oneof!["[a-z/_]{1,6}", any::<String>()];
        let entries = prop::collection::btree_map(key, inner.clone(), 0..4);
        prop_oneof![
            prop::collection::vec(inner, 0..4).prop_map(Content::List),
            entries.prop_map(|entries| {
                let entry = |(key, value): (String, Node)| Entry {
                    key,
                    key_position: value.position.clone(),
                    value,
                };
                Content::Map(entries.into_iter().map(entry).collect())
            }),
        ]
        .prop_map(at)
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..Default::default() })]

    #[test]
    fn parses_what_it_writes(tree in any_node()) {
        let text = yaml(&tree);
        let parsed = parse(&Arc::from("test"), text.as_bytes());
        let parsed = parsed.map_err(|problems| TestCaseError::fail(format!("{text}: {problems:?}")))?;
        prop_assert!(parsed.is_equal(&tree) , "{}", text);
    }
}
