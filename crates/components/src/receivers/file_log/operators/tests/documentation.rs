use super::*;

const PAGE: &str = include_str!("../../../../../../../docs/operators.md");
/// The blocks of an example, in order.
const BLOCKS: [&str; 3] = ["yaml", "json in", "json out"];

/// The sections of the page by their titles.
fn sections() -> Vec<(&'static str, &'static str)> {
    PAGE.split("\n## ").skip(1).map(|part| part.split_once('\n').unwrap()).collect()
}

/// What stands in the blocks of a section, with their kinds.
fn blocks(section: &'static str) -> Vec<(&'static str, &'static str)> {
    section.split("```").skip(1).step_by(2).map(|block| block.split_once('\n').unwrap()).collect()
}

#[test]
fn the_examples_of_the_page_are_true() {
    let mut examples = 0;
    for (title, section) in sections() {
        for example in blocks(section).chunks(3) {
            let kinds: Vec<_> = example.iter().map(|(kind, _)| *kind).collect();
            assert_eq!(kinds, BLOCKS, "{title}");
            let lines = |at: usize| example[at].1.lines().collect::<Vec<&str>>();
            check(example[0].1, &lines(1), &lines(2));
            examples += 1;
        }
    }
    assert!(20 < examples);
}

/// What is said in words about what happens without a key, and the value that says the same; nothing
/// where no value does.
const IN_WORDS: [(&str, Option<&str>); 10] = [
    ("a line end", Some("\n")),
    ("nothing", Some("")),
    ("white space", Some("")),
    ("the `type`", None),
    ("the next operator", None),
    ("the file", None),
    ("found out by each line", None),
    ("nowhere", None),
    ("that of the host", None),
    ("", None),
];

/// A row about a key: the key, and what is said to happen without it.
type Row = (&'static str, &'static str);

/// An operator as it is written.
type Written = serde_json::Map<String, serde_json::Value>;

/// The rows of the keys of a section.
fn rows(section: &'static str) -> Vec<Row> {
    let lines = section.lines().filter(|line| line.starts_with("| `"));
    let cells = lines.map(|line| line.split('|').map(str::trim).collect::<Vec<_>>());
    cells.map(|cells| (cells[1].trim_matches('`'), cells[2])).collect()
}

/// Whether one of several keys must be written.
fn is_alternative(without: &str) -> bool {
    without.starts_with("this or") || without.starts_with("one of")
}

/// The operators of the first example of a section.
fn written(section: &'static str) -> Vec<Written> {
    Section::from_yaml(blocks(section)[0].1).unwrap().read_as().unwrap()
}

/// The first operator of that type, changed, and what becomes of all.
fn plan_with(
    section: &'static str,
    kind: &str,
    change: impl FnOnce(&mut Written),
) -> Result<String, String> {
    let mut operators = written(section);
    let operator = operators.iter_mut().find(|operator| operator["type"] == kind);
    change(operator.unwrap_or_else(|| panic!("the example of {kind} has none")));
    plan(&serde_json::to_string(&operators).unwrap()).map(|plan| format!("{plan:?}"))
}

/// Calls `check` with each operator, its section, and each row about one of its keys.
fn for_all_rows(check: impl Fn(&str, &'static str, Row)) -> usize {
    let sections = sections();
    let common = sections.iter().filter(|(title, _)| title.starts_with("Keys of all"));
    let common: Vec<Row> = common.flat_map(|(_, section)| rows(section)).collect();
    let mut checked = 0;
    for (title, section) in sections.iter().filter(|(title, _)| title.starts_with('`')) {
        let kind = title.trim_matches('`');
        let is_parser = section.contains("is a\nparser") || section.contains("is a parser");
        // A parser shows what all have in common; a router has other ways out.
        let shared = if is_parser && kind == "json_parser" { &common[..] } else { &[] };
        for row in rows(section).iter().chain(shared).filter(|(key, _)| *key != "type") {
            check(kind, section, *row);
            checked += 1;
        }
    }
    checked
}

#[test]
fn what_the_page_calls_needed_is_needed_and_nothing_else() {
    let checked = for_all_rows(|kind, section, (key, without)| {
        let built = plan_with(section, kind, |operator| drop(operator.remove(key)));
        match built {
            Err(error) if without == "needed" => assert!(error.contains(key), "{kind}: {error}"),
            // What the key led to may be missing instead.
            Err(error) => {
                assert!(is_alternative(without) || !error.contains(key), "{kind}: {error}")
            }
            Ok(_) => assert_ne!(without, "needed", "{kind} does not need {key}"),
        }
    });
    assert!(60 < checked, "{checked}");
}

#[test]
fn of_two_keys_of_which_one_is_needed_one_is_written() {
    let both = [
        ("csv_parser", "header", "id", "header_attribute", "names"),
        ("recombine", "is_first_entry", "true", "is_last_entry", "true"),
        ("regex_replace", "regex", "a", "regex_name", "ansi_control_sequences"),
    ];
    let mut found = Vec::new();
    for (kind, one, one_value, other, other_value) in both {
        let sections = sections();
        let section = sections.iter().find(|(title, _)| title.trim_matches('`') == kind).unwrap().1;
        for (has_one, has_other) in [(false, false), (true, false), (false, true), (true, true)] {
            let built = plan_with(section, kind, |operator| {
                operator.retain(|key, _| key != one && key != other);
                has_one.then(|| operator.insert(one.to_owned(), one_value.into()));
                has_other.then(|| operator.insert(other.to_owned(), other_value.into()));
            });
            assert_eq!(built.is_ok(), has_one != has_other, "{kind}: {one} {other}");
        }
        found.extend([one, other].map(|key| (kind.to_owned(), key)));
    }
    let listed = std::cell::RefCell::new(Vec::new());
    for_all_rows(|kind, _, (key, without)| {
        let is_one_of_two = without.starts_with("this or");
        is_one_of_two.then(|| listed.borrow_mut().push((kind.to_owned(), key)));
    });
    assert_eq!(listed.into_inner(), found, "the pairs of the page");
}

#[test]
fn the_defaults_of_the_page_are_those_of_the_code() {
    let compared = std::cell::Cell::new(0);
    for_all_rows(|kind, section, (key, without)| {
        if without == "needed" || is_alternative(without) {
            return;
        }
        let code = without.strip_prefix('`').and_then(|rest| rest.strip_suffix('`'));
        let default = match (code, IN_WORDS.iter().find(|(words, _)| *words == without)) {
            (_, Some((_, value))) => value.map(Into::into),
            // Some keys have the value of another one.
            (Some(text), _) => {
                let other = rows(section).into_iter().find(|(key, _)| *key == text);
                Some(scalar(other.map_or(text, |(_, default)| default.trim_matches('`'))))
            }
            (None, None) => panic!("{kind}: what is {without:?} without {key}?"),
        };
        let Some(default) = default else { return };
        let build = |value: Option<&serde_json::Value>| {
            plan_with(section, kind, |operator| {
                operator.remove(key);
                value.map(|value| operator.insert(key.to_owned(), value.clone()));
            })
        };
        let plain = build(None).unwrap();
        assert_eq!(build(Some(&default)).unwrap(), plain, "{kind}: {key} is not {default}");
        let is_other = |value| build(Some(value)).is_ok_and(|plan| plan != plain);
        // A layout of the other types would have to come with it.
        let has_effect = key == "layout_type" || others(&default).iter().any(is_other);
        assert!(has_effect, "{kind}: {key} has no effect");
        compared.set(compared.get() + 1);
    });
    assert!(20 < compared.get(), "{}", compared.get());
}

/// A scalar as YAML reads it; what is no YAML is a text.
fn scalar(text: &str) -> serde_json::Value {
    let read = Section::from_yaml(&format!("[{text}]")).ok();
    let values = read.and_then(|section| section.read_as::<Vec<serde_json::Value>>().ok());
    let single = values.filter(|values| values.len() == 1).map(|mut values| values.remove(0));
    single.filter(|value| !value.is_object()).unwrap_or_else(|| text.into())
}

/// Values that some key takes, but for this one.
fn others(value: &serde_json::Value) -> Vec<serde_json::Value> {
    let texts = ["drop", "none", "oldest", "gotime", "docker", "body.other", "~", "7s", "2MiB"];
    let texts = texts.iter().map(|text| serde_json::Value::from(*text));
    let others = [true.into(), false.into(), 7.into(), 0.5.into()].into_iter().chain(texts);
    others.filter(|other| other != value).collect()
}

#[test]
fn every_operator_and_key_is_on_the_page() {
    let schema = schemars::schema_for!(OperatorsWords).to_value();
    let variants = schema["$defs"]["OperatorWords"]["oneOf"].as_array().unwrap();
    assert!(20 < variants.len());
    let sections = sections();
    let text_of = |title: &str| {
        let found = sections.iter().find(|(own, _)| *own == title);
        found.unwrap_or_else(|| panic!("there is no section {title}")).1
    };
    let common = format!("{}{}", text_of("Keys of all operators"), text_of("Keys of all parsers"));
    for variant in variants {
        let name = variant["properties"]["type"]["const"].as_str().unwrap();
        let text = text_of(&format!("`{name}`"));
        assert_eq!(blocks(text).len() % 3, 0, "{name} has whole examples");
        assert!(!blocks(text).is_empty(), "{name} has an example");
        let reference = variant["$ref"].as_str();
        let words = reference.and_then(|path| schema.pointer(path.trim_start_matches('#')));
        let keys = words.unwrap_or(variant)["properties"].as_object().unwrap();
        for key in keys.keys() {
            let mark = format!("| `{key}` |");
            assert!(text.contains(&mark) || common.contains(&mark), "{name} says nothing of {key}");
        }
    }
}
