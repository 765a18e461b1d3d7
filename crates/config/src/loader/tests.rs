use std::collections::HashMap;
use std::io;
use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::render;

struct World(HashMap<&'static str, Vec<u8>>);

impl Outside for World {
    fn variable(&self, name: &str) -> Option<String> {
        self.0.get(name).and_then(|value| String::from_utf8(value.clone()).ok())
    }

    fn file(&self, path: &str, bytes_max: usize) -> io::Result<Vec<u8>> {
        let bytes = self.0.get(path).ok_or(io::ErrorKind::NotFound)?;
        assert!(bytes.len() <= bytes_max);
        Ok(bytes.clone())
    }
}

fn load(sources: &[&str], sets: &[&str], things: &[(&'static str, &str)]) -> Result<Tree, Refusal> {
    let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
    let loader = Loader { sources: owned(sources), sets: owned(sets) };
    let things = things.iter().map(|(name, value)| (*name, value.as_bytes().to_vec()));
    loader.load(&World(things.collect()))
}

#[track_caller]
fn check(sources: &[&str], sets: &[&str], things: &[(&'static str, &str)], expected: &str) {
    let tree = load(sources, sets, things).unwrap_or_else(|refusal| panic!("{refusal}"));
    let expected = parse::parse(&Arc::from("expected"), expected.as_bytes()).unwrap();
    assert!(tree.root.is_equal(&expected), "{}", render::yaml(&tree.root));
}

#[track_caller]
fn check_refused(sources: &[&str], sets: &[&str], expected: &str) {
    let things = [("b.yaml", "a: ["), ("list.yaml", "[a]"), ("good.yaml", "a: 1")];
    let refusal = load(sources, sets, &things).unwrap_err();
    assert_eq!(refusal.to_string(), expected);
}

#[test]
fn reads_every_kind_of_source() {
    let things = [("a.yaml", "a: 1"), ("CONF", "b: 2")];
    check(&["a.yaml"], &[], &things, "a: 1");
    check(&["file:a.yaml", "env:CONF", "yaml:c::d: 3"], &[], &things, "{a: 1, b: 2, c: {d: 3}}");
    check(&["env:NONE:-{x: 1}"], &[], &things, "x: 1");
    check(&["yaml:"], &[], &[], "{}");
}

#[test]
fn lets_later_sources_win_and_sets_over_all() {
    let things = [("a.yaml", "a: {b: 1, c: [1, 2]}"), ("b.yaml", "a: {b: 2, c: [3]}")];
    check(&["a.yaml", "b.yaml"], &[], &things, "a: {b: 2, c: [3]}");
    check(
        &["a.yaml", "b.yaml"],
        &["a.b=4", "a.d.e=[x]"],
        &things,
        "a: {b: 4, c: [3], d: {e: [x]}}",
    );
    check(&["a.yaml"], &["a::b=", "a.c=x=y"], &things, "a: {b: , c: 'x=y'}");
}

#[test]
fn expands_after_merging() {
    let things = [("a.yaml", "a: ${env:X}"), ("X", "1")];
    check(&["a.yaml"], &[], &things, "a: 1");
    check(&["a.yaml"], &["a=b${env:X}"], &things, "a: b1");
    check(&["yaml:a: ${env:NONE_HERE:-[b]}"], &[], &things, "a: [b]");
}

#[test]
fn tells_the_problems_of_all_sources() {
    let refusal = load(
        &["none.yaml", "http://h/c", "yaml:a: ${x:y}", "yaml:a: 1\na: 2"],
        &["a", "b.c=[", "=secret"],
        &[],
    )
    .unwrap_err();
    let problems: Vec<_> =
        refusal.problems.iter().map(|problem| problem.message.as_str()).collect();
    assert_eq!(problems.len(), 7, "{problems:?}");
    assert!(!refusal.to_string().contains("secret"));
}

#[test]
fn says_what_is_wrong_with_a_source() {
    check_refused(
        &["none.yaml"],
        &[],
        "cannot read the configuration `none.yaml`: entity not found\n  \
         help: check the path and its permissions\n",
    );
    check_refused(
        &["https://h/c.yaml"],
        &[],
        "configuration over `https:` is not supported\n  help: download it to a file first\n",
    );
    check_refused(
        &["list.yaml"],
        &[],
        "list.yaml:1:1: a configuration is a map of `receivers`, `exporters`, `service` and \
         others; this is not\n  1 | [a]\n    | ^\n",
    );
    check_refused(
        &["good.yaml"],
        &["a.b"],
        "`--set` takes `key.key=value`\n  help: such as `--set service.telemetry.logs.level=debug`\n",
    );
    check_refused(&[], &[], "there is no configuration\n  help: name a file with `--config`\n");
    check_refused(
        &["good.yaml"],
        &["a.b={c"],
        "--set a.b:1:1: a.b: not valid YAML: unclosed bracket '{'\n  1 | {c\n    | ^\n",
    );
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..Default::default() })]

    #[test]
    fn takes_any_bytes_without_panic(bytes in prop::collection::vec(any::<u8>(), 0..256)) {
        let loader = Loader { sources: vec!["a".to_owned()], sets: Vec::new() };
        drop(loader.load(&World([("a", bytes)].into())));
    }

    #[test]
    fn takes_any_yaml_like_text_without_panic(
        text in "([a-c]: |\\$\\{|\\}|\\$|env:|file:|yaml:|:-|::|[A-C\\n'\"&*\\[\\]{},#|>-]|<<: | ){0,40}",
        a in "(\\$\\{|\\}|[A-Ca:\\[{'-]){0,12}",
        set in "[a-c.=:$\\[]{0,12}",
    ) {
        let loader = Loader { sources: vec!["f".to_owned()], sets: vec![set] };
        let world = World([("f", text.into_bytes()), ("A", a.into_bytes())].into());
        if let Err(refusal) = loader.load(&world) {
            prop_assert!(!refusal.to_string().is_empty());
        }
    }
}
