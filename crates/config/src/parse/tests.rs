use super::*;

#[track_caller]
fn tree(text: &str) -> Node {
    parse(&Arc::from("test.yaml"), text.as_bytes()).unwrap()
}

#[track_caller]
fn problems(bytes: &[u8]) -> Vec<String> {
    let problems = parse(&Arc::from("test.yaml"), bytes).unwrap_err();
    problems.iter().map(ToString::to_string).collect()
}

#[track_caller]
fn check_equal(text: &str, expected: &str) {
    assert!(tree(text).is_equal(&tree(expected)), "{text}");
}

#[test]
fn knows_where_everything_stands() {
    let root = tree("a:\n  b: [x, 'yé', z]\n  c: d\n");
    let a = root.entry("a").unwrap();
    assert_eq!((a.key_position.line, a.key_position.column), (1, 1));
    let b = a.value.entry("b").unwrap();
    assert_eq!((b.key_position.line, b.key_position.column), (2, 3));
    let Content::List(items) = &b.value.content else { panic!("{b:?}") };
    assert_eq!((items[2].position.line, items[2].position.column), (2, 16));
    assert_eq!(&*items[2].position.source, "test.yaml");
}

#[test]
fn takes_nothing_as_null() {
    assert!(tree("").is_null());
    assert!(tree("# only a comment\n").is_null());
    assert!(tree("---\n...\n").is_null());
    assert!(tree("\u{feff}a: 1").entry("a").is_some());
}

#[test]
fn keeps_the_text_of_scalars() {
    let root = tree("a: 0123\nb: '0123'\nc: !!str 0123\nd: |\n  x\n  y\n");
    let text = |key| match &root.entry(key).unwrap().value.content {
        Content::Scalar(scalar) => scalar.clone(),
        other => panic!("{other:?}"),
    };
    assert_eq!(text("a"), Scalar::plain("0123"));
    assert_eq!(text("b"), Scalar::quoted("0123"));
    assert_eq!(text("c"), Scalar::quoted("0123"));
    assert_eq!(text("d"), Scalar::quoted("x\ny\n"));
}

#[test]
fn resolves_aliases_and_merges() {
    check_equal("a: &x {b: 1}\nc: *x", "{a: {b: 1}, c: {b: 1}}");
    check_equal("a: &x {b: 1, c: 2}\nd: {<<: *x, b: 3}", "{a: {b: 1, c: 2}, d: {b: 3, c: 2}}");
    check_equal("<<: [{a: 1}, {a: 2, b: 2}]\nc: 3", "{c: 3, a: 1, b: 2}");
    check_equal("'<<': 1", "{'<<': 1}");
    check_equal("&k a: *k", "{a: a}");
}

#[test]
fn refuses_what_cannot_be_merged() {
    assert_eq!(problems(b"a:\n  <<: 1"), ["test.yaml:2:7: a: `<<` takes a map or a list of maps"]);
}

#[test]
fn refuses_keys_that_are_written_twice() {
    let text = b"a: 1\nb:\n  c: 1\n  c: 2\na: 3\n";
    assert_eq!(
        problems(text),
        [
            "test.yaml:4:3: b.c: the key `c` is written twice; first in line 3, column 3\n  \
             help: remove one, or join them",
            "test.yaml:5:1: a: the key `a` is written twice; first in line 1, column 1\n  \
             help: remove one, or join them",
        ]
    );
}

#[test]
fn refuses_what_is_not_one_document() {
    let found = problems(b"a: 1\n---\nb: 2\n");
    assert!(found[0].starts_with("test.yaml:2:1: a second document starts here"), "{found:?}");
}

#[test]
fn refuses_bytes_that_are_not_text() {
    let found = problems(b"a: 1\nb: x\xff\n");
    assert!(found[0].starts_with("test.yaml:2:5: byte 0xff is not UTF-8"), "{found:?}");
    assert!(problems(b"a: \0")[0].starts_with("test.yaml:1:4"));
}

#[test]
fn says_what_to_do_about_tabs() {
    let found = problems(b"a:\n\tb: 1\n");
    assert!(found[0].ends_with("help: indent with spaces, not tabs"), "{found:?}");
}

#[test]
fn refuses_bombs() {
    let deep = "[".repeat(5000);
    assert!(problems(deep.as_bytes())[0].contains("recursion limit"));
    let deep_by_alias = (1..=60).fold("a0: &a0 [[x]]\n".to_owned(), |text, level| {
        format!("{text}a{level}: &a{level} [[*a{}]]\n", level - 1)
    });
    assert!(problems(deep_by_alias.as_bytes())[0].contains("nested over 100 levels deep"));
    let laughs = (1..=9).fold("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned(), |text, n| {
        let aliases = vec![format!("*a{}", n - 1); 10].join(", ");
        format!("{text}a{n}: &a{n} [{aliases}]\n")
    });
    assert!(problems(laughs.as_bytes())[0].contains("grows over 32 MiB"));
    assert!(problems(&vec![b' '; BYTES_MAX + 1])[0].contains("longer than 4 MiB"));
    assert!(problems(b"a: &a [*a]")[0].contains("inside the part that it names"));
}

#[test]
fn refuses_keys_and_tags_that_mean_nothing_here() {
    assert!(problems(b"? [a]\n: 1")[0].contains("a key must be a single value"));
    assert!(problems(b"~: 1")[0].contains("a key is missing"));
    assert!(problems(b"a: !secret x")[0].contains("the tag `!secret` cannot be used here"));
    assert!(problems(b"a: !!map x")[0].contains("cannot be used here"));
}
