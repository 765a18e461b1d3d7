use std::collections::HashMap;
use std::io;

use super::*;

/// An environment of variables, and of files whose names start with a slash.
struct World(HashMap<String, String>);

impl Outside for World {
    fn variable(&self, name: &str) -> Option<String> {
        self.0.get(name).cloned()
    }

    fn file(&self, path: &str, _bytes_max: usize) -> io::Result<Vec<u8>> {
        let text = self.0.get(path).ok_or(io::ErrorKind::NotFound)?;
        Ok(text.as_bytes().to_vec())
    }
}

fn world(things: &[(&str, &str)]) -> World {
    World(things.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
}

fn usual() -> World {
    world(&[
        ("P", "/x/p"),
        ("NUM", "0123"),
        ("MAP", "{a: \"1\", b: yes}"),
        ("EMPTY", ""),
        ("WHICH", "P"),
        ("INDIRECT", "${env:P}"),
        ("QUOTED", "\"q\""),
        ("PASSWORD", "a$b${c"),
        ("DOLLARS", "a$$b"),
        ("PEM", "-----BEGIN-----\nMII=\n-----END-----\n"),
        ("/token", "s3cret\n"),
        ("/port", "4317\n"),
        ("/part.yaml", "a:\n  b: ${env:NUM}\n"),
    ])
}

fn expanded(text: &str, world: &World) -> (Node, Vec<String>, Vec<String>) {
    let mut texts = Texts::default();
    let name = texts.keep("c.yaml", text.as_bytes());
    let root = parse::parse(&name, text.as_bytes()).unwrap();
    let mut expander = Expander::new(world, &mut texts);
    let root = expander.expand(root);
    let shown = |list: &[Problem]| list.iter().map(ToString::to_string).collect();
    (root, shown(&expander.problems), shown(&expander.warnings))
}

#[track_caller]
fn check(text: &str, expected: &str) {
    let (root, problems, _) = expanded(text, &usual());
    assert_eq!(problems, <[String; 0]>::default());
    let expected = parse::parse(&Arc::from("expected"), expected.as_bytes()).unwrap();
    let shown = |node: &Node| crate::render::yaml(node);
    assert!(root.is_equal(&expected), "{} is not {}", shown(&root), shown(&expected));
}

#[track_caller]
fn check_problem(text: &str, expected: &str) {
    let (_, problems, _) = expanded(text, &usual());
    assert_eq!(problems, [expected]);
}

#[test]
fn replaces_as_the_go_binary_does() {
    check("a: ${env:P}", "a: '/x/p'");
    check("a: ${P}", "a: '/x/p'");
    check("a: $P", "a: $P");
    check("a: $$P", "a: '$P'");
    check("a: $${env:P}", "a: '${env:P}'");
    check("a: a-${env:P}-${env:Q:-def}", "a: 'a-/x/p-def'");
    check("a: ${env:UNSET}", "a:");
    check("a: ${env:UNSET:-}", "a:");
    check("a: ${env:NUM}", "a: 0123");
    check("a: x${env:NUM}", "a: 'x0123'");
    check("headers: ${env:MAP}", "headers: {a: '1', b: 'yes'}");
}

#[test]
fn gives_whole_values_their_type_whatever_the_quotes() {
    check("a: '${env:NUM}'", "a: 0123");
    check("a: ${env:T:-true}", "a: true");
    check("a: ${env:L:-[1, b]}", "a: [1, 'b']");
    check("a: ${yaml:[b, 1]}", "a: [b, 1]");
    // The first brace ends an expansion, as in the Go Collector.
    check("a: '${yaml:{b: 1}}'", "a: '{b: 1}'");
    check("a: ${env:EMPTY}", "a:");
    check("a: x${env:EMPTY}", "a: 'x'");
    check("a: ${env:NUM}0", "a: '01230'");
}

#[test]
fn keeps_text_as_it_came_in() {
    check("a: ${env:QUOTED}", "a: '\"q\"'");
    check("a: ${env:PASSWORD}", "a: 'a$b${c'");
    check("a: x${env:PASSWORD}", "a: 'xa$b${c'");
    check("a: ${env:DOLLARS}", "a: 'a$b'");
    check("a: ${env:PEM}", "a: \"-----BEGIN-----\\nMII=\\n-----END-----\\n\"");
}

#[test]
fn reads_files() {
    check("a: ${file:/token}", "a: 's3cret'");
    check("a: Bearer ${file:/token}", "a: 'Bearer s3cret'");
    check("a: ${file:/port}", "a: 4317");
    check("c: ${file:/part.yaml}", "c: {a: {b: 0123}}");
}

#[test]
fn follows_expansions_in_expansions() {
    check("a: ${env:${env:WHICH}}", "a: '/x/p'");
    check("a: ${env:INDIRECT}", "a: '/x/p'");
    check("a: x${env:INDIRECT}", "a: 'x/x/p'");
    check("a: ${env:Q:-${env:NUM}}", "a: 0123");
}

#[test]
fn points_at_the_expansion() {
    check_problem(
        "a:\n  - 'b ${env:P} ${nope:x}'",
        "c.yaml:2:17: a[0]: `nope:` is not a source of configuration\n  \
         help: known are `file:`, `env:` and `yaml:`",
    );
    check_problem(
        "a: ${file:/none}",
        "c.yaml:1:4: a: cannot read the file `/none`: entity not found\n  \
         help: check the path and its permissions",
    );
    check_problem(
        "a: |\n  x\n  ${env:P} ${env:1}",
        "c.yaml:3:12: a: `1` is not the name of an environment variable\n  \
         help: a name has letters, digits and `_`, and no digit first",
    );
    check_problem(
        "a: x ${env:P",
        "c.yaml:1:6: a: `${` has no `}`\n  help: close it, or write `$${` for the letters",
    );
    check_problem(
        "a: ${http://h}",
        "c.yaml:1:4: a: configuration over `http:` is not supported\n  \
         help: download it to a file first",
    );
    check_problem(
        "a: ${}",
        "c.yaml:1:4: a: the name of the source is missing\n  \
         help: write `file:path`, `env:NAME` or `yaml:text`",
    );
}

#[test]
fn gives_values_a_place_that_exists() {
    let (root, _, _) = expanded("a: 1\nb: ${env:MAP}\nc: ${file:/part.yaml}", &usual());
    let position = |key: &str, below: &str| {
        let value = &root.entry(key).unwrap().value;
        let Position { source, line, column } = value.entry(below).unwrap().key_position.clone();
        (source.to_string(), line, column)
    };
    assert_eq!(position("b", "a"), ("c.yaml".to_owned(), 2, 4));
    assert_eq!(position("c", "a"), ("/part.yaml".to_owned(), 1, 1));
}

#[test]
fn warns_of_variables_that_are_not_set() {
    let (_, problems, warnings) = expanded("a: x${env:UNSET}", &usual());
    assert!(problems.is_empty());
    let expected = "c.yaml:1:5: a: the environment variable `UNSET` is not set\n  \
                    help: write `${env:UNSET:-}` if it may be missing";
    assert_eq!(warnings, [expected]);
}

#[test]
fn ends_when_values_refer_to_themselves() {
    let world = world(&[
        ("A", "${env:B}"),
        ("B", "x${env:A}"),
        ("C", "${C}${C}"),
        ("/f.yaml", "a: ${file:/f.yaml}"),
    ]);
    for text in ["a: ${env:A}", "a: ${env:C}", "a: ${file:/f.yaml}"] {
        let (_, problems, _) = expanded(text, &world);
        assert!(problems[0].contains("expansions lead to expansions"), "{problems:?}");
        assert!(problems.len() <= 2, "{problems:?}");
    }
}

#[test]
fn bounds_how_much_comes_in() {
    let twice = |name: &str| format!("${{env:{name}}}").repeat(10);
    let (b, c, d, e) = (twice("B"), twice("C"), twice("D"), twice("E"));
    let mut things = vec![("A", &*b), ("B", &*c), ("C", &*d), ("D", &*e), ("E", "x")];
    let (_, problems, _) = expanded("a: ${env:A}", &world(&things));
    assert!(problems[0].contains("there are over 10000 expansions"), "{problems:?}");
    let large = "x".repeat(4 << 20);
    things = vec![("A", &large)];
    let (_, problems, _) = expanded(&format!("a: {}", "${A}".repeat(5)), &world(&things));
    assert!(problems[0].contains("over 16 MiB come in"), "{problems:?}");
}
