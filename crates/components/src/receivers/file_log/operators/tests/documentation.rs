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
