use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::Arc;

use proptest::prelude::*;
use serde::Deserialize;

use super::*;
use crate::parse::parse;
use crate::value::{Duration, Headers, Secret};

fn read_text<T: DeserializeOwned>(text: &str) -> Result<T, Vec<String>> {
    let root = parse(&Arc::from("c"), text.as_bytes()).unwrap();
    read(&root, &Origin::default())
        .into_result()
        .map_err(|problems: Vec<Problem>| problems.iter().map(ToString::to_string).collect())
}

#[track_caller]
fn check<T: DeserializeOwned + PartialEq + Debug>(text: &str, expected: T) {
    assert_eq!(read_text::<T>(text), Ok(expected), "{text}");
}

#[track_caller]
fn check_refused<T: DeserializeOwned + PartialEq + Debug>(text: &str, expected: &[&str]) {
    let expected = expected.iter().map(|line| (*line).to_owned()).collect();
    assert_eq!(read_text::<T>(text), Err(expected), "{text}");
}

/// A struct with a part that serde buffers before reading it.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Joined {
    endpoint: String,
    #[serde(flatten)]
    shared: Shared,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(default)]
struct Shared {
    name: String,
    limit: u64,
    timeout: Duration,
    token: Secret,
    headers: Headers,
    queue: Option<Queue>,
    inner: BTreeMap<String, Queue>,
}

impl Default for Shared {
    fn default() -> Self {
        Self {
            name: "none".to_owned(),
            limit: 7,
            timeout: Duration::from_secs(5),
            token: Secret::default(),
            headers: Headers::default(),
            queue: None,
            inner: BTreeMap::new(),
        }
    }
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Queue {
    size: u8,
}

#[test]
fn reads_joined_structs_as_if_they_were_one() {
    check("", Joined::default());
    let shared = Shared {
        name: "0123".to_owned(),
        limit: 1000,
        timeout: Duration::from_secs(3),
        token: Secret::from("0x1F"),
        ..Shared::default()
    };
    let joined = Joined { endpoint: "1".to_owned(), shared };
    check("{endpoint: 1, name: 0123, limit: 1e3, timeout: 3s, token: 0x1F}", joined);
}

#[test]
fn takes_nothing_in_joined_structs_as_elsewhere() {
    let shared = Shared { queue: Some(Queue::default()), ..Shared::default() };
    let expected = Joined { shared, ..Joined::default() };
    check("{queue: , name: , limit: , timeout: , token: , headers: }", expected);
}

#[test]
fn finds_the_place_of_problems_in_joined_structs() {
    check_refused::<Joined>(
        "limit: many\nqueue:\n  size: 256\ninner:\n  a: {size: 1}\n  b: {siz: 1}\n\
         headers:\n  a: [b]\ntimeout: 30\n",
        &[
            "c:1:8: limit: a whole number, 0 or more, expected, found the text `many`",
            "c:3:9: queue.size: a whole number, 0 or more, expected, found the number 256",
            "c:6:7: inner.b.siz: there is no key `siz` here\n  help: did you mean `size`?",
            "c:8:3: headers.a: text expected, found a list",
            "c:9:10: timeout: the duration `30` has no unit\n  \
             help: write `30s` for seconds or `30ms` for milliseconds",
        ],
    );
    let problems = read_text::<Joined>("limit: 1\nlimt: 2").unwrap_err();
    assert_eq!(problems.len(), 1);
    assert!(problems[0].starts_with("c:2:"), "{problems:?}");
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Shape {
    Point,
    Circle(u8),
    Square { width: u8 },
}

#[test]
fn reads_enums_with_and_without_content() {
    check("point", Shape::Point);
    check("circle: 3", Shape::Circle(3));
    check("square: {width: 4}", Shape::Square { width: 4 });
    check("[point, {circle: 1}]", vec![Shape::Point, Shape::Circle(1)]);
    check_refused::<Shape>(
        "poin",
        &[
            "`poin` is not known; valid are `point`, `circle`, `square`\n  help: did you mean `point`?",
        ],
    );
    check_refused::<Vec<Shape>>(
        "- circl: 3\n- square: {with: 1, width: 1}\n- circle: 300",
        &[
            "c:1:3: [0]: `circl` is not known; valid are `point`, `circle`, `square`\n  \
         help: did you mean `circle`?",
            "c:2:12: [1].square.with: there is no key `with` here\n  help: did you mean `width`?",
            "c:3:11: [2].circle: 300 is out of range: 0 to 255",
        ],
    );
    check_refused::<Vec<Shape>>(
        "- {point: , circle: 1}\n- [point]",
        &[
            "c:1:3: [0]: a map with one key expected, found a map",
            "c:2:3: [1]: a single value expected, found a list",
        ],
    );
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(untagged)]
enum Either {
    Number(u64),
    Text(String),
    Queue(Queue),
}

#[test]
fn reads_untagged_enums() {
    let expected =
        vec![Either::Number(1), Either::Text("a".to_owned()), Either::Queue(Queue { size: 2 })];
    check("[1, a, {size: 2}]", expected);
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Strict {
    name: String,
    #[serde(default)]
    ports: Vec<u16>,
}

#[test]
fn tells_of_keys_that_are_missing() {
    check_refused::<Strict>("ports: [1]", &["`name` is required"]);
    check_refused::<Strict>("name:", &["`name` is required"]);
    check_refused::<BTreeMap<String, Strict>>(
        "a:\n  ports: [1]\nb: {name: c}",
        &["c:1:1: a: `name` is required"],
    );
}

#[test]
fn does_not_tell_the_same_twice() {
    check_refused::<Strict>("name: [a]", &["c:1:1: name: text expected, found a list"]);
    check_refused::<Strict>(
        "nam: a",
        &[
            "c:1:1: nam: there is no key `nam` here\n  help: did you mean `name`?",
            "`name` is required",
        ],
    );
}

#[test]
fn takes_text_with_commas_as_a_list() {
    check("a, b,c", vec!["a".to_owned(), "b".to_owned(), "c".to_owned()]);
    check("''", Vec::<String>::new());
    check("1, 2", vec![1_u16, 2]);
    check_refused::<Strict>(
        "name: a\nports: 1,b",
        &["c:2:8: ports: a whole number, 0 or more, expected, found the text `b`"],
    );
    check_refused::<Strict>(
        "name: a\nports: 1",
        &["c:2:8: ports: a list expected, found the number 1"],
    );
}

#[test]
fn reads_every_number_in_its_range() {
    check("[-128, 127]", vec![-128_i8, 127]);
    check("[-9223372036854775808]", vec![i64::MIN]);
    check("[18446744073709551615]", vec![u64::MAX]);
    check("[1, 1.5, -2, 1e300]", vec![1.0_f64, 1.5, -2.0, 1e300]);
    check("[3.0]", vec![3_u8]);
    check_refused::<Vec<i64>>(
        "[9223372036854775808]",
        &[
            "c:1:2: [0]: 9223372036854775808 is out of range: -9223372036854775808 to 9223372036854775807",
        ],
    );
    check_refused::<Vec<u64>>(
        "[1.5, .inf, '7', ~, true]",
        &[
            "c:1:2: [0]: a whole number, 0 or more, expected, found the number 1.5",
            "c:1:7: [1]: a whole number, 0 or more, expected, found the number inf",
            "c:1:13: [2]: a whole number, 0 or more, expected, found the text `7`\n  \
         help: write it without quotes",
            "c:1:18: [3]: a whole number, 0 or more, expected, found nothing",
            "c:1:21: [4]: a whole number, 0 or more, expected, found `true`",
        ],
    );
}

#[test]
fn reads_what_has_no_type() {
    let value: serde_json::Value =
        read_text("{a: [1, 0x10, 1.5, true, ~, x, '1'], 2: {}}").unwrap();
    let expected = serde_json::json!({"a": [1, 16, 1.5, true, null, "x", "1"], "2": {}});
    assert_eq!(value, expected);
}

#[test]
fn shows_neither_long_texts_nor_texts_in_place_of_maps() {
    let long = "x".repeat(100);
    let problems = read_text::<Strict>(&format!("{{name: a, ports: [{long}]}}")).unwrap_err();
    assert!(problems[0].ends_with(&format!("`{}…`", "x".repeat(60))), "{problems:?}");
    check_refused::<BTreeMap<String, Strict>>(
        "auth: s3cret",
        &["c:1:7: auth: a map expected, found text"],
    );
}

#[test]
fn gives_up_after_a_bounded_number_of_problems() {
    let list = vec!["x"; 2 * PROBLEMS_MAX].join(", ");
    let problems = read_text::<Vec<u8>>(&format!("[{list}]")).unwrap_err();
    assert_eq!(problems.len(), PROBLEMS_MAX);
}

#[test]
fn gives_up_on_what_is_all_empty() {
    let list = vec!["{size: }"; 300].join(", ");
    check(&format!("[{list}]"), vec![Queue::default(); 300]);
    let list = vec!["{size: }"; READS_MAX].join(", ");
    check_refused::<Vec<Queue>>(&format!("[{list}]"), &["over 1000 values are empty here"]);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..Default::default() })]

    #[test]
    fn reads_any_text_without_panic(
        text in "(endpoint|name|limit|timeout|token|headers|queue|inner|size|: |, |\n|- |[a-z0-9.~'\\[\\]{}]){0,30}",
    ) {
        if let Ok(root) = parse(&Arc::from("c"), text.as_bytes()) {
            for problem in read::<Joined>(&root, &Origin::default()).problems {
                prop_assert!(!problem.message.is_empty());
            }
            drop(read::<Vec<Shape>>(&root, &Origin::default()));
            drop(read::<Either>(&root, &Origin::default()));
        }
    }
}
