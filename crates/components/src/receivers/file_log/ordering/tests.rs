use std::path::Path;

use regex::Regex;

use super::{By, Ordering, Rule};
use crate::receivers::file_log::file_system::Facts;
use crate::receivers::file_log::tracker::Candidate;

fn check(ordering: &Ordering, names: &[&str], expected: &[&str]) {
    let mut files: Vec<Candidate> = (1..)
        .zip(names)
        .map(|(modified, name)| Candidate {
            path: Path::new(name).into(),
            resolved: None,
            facts: Facts { modified, ..Facts::default() },
        })
        .collect();
    ordering.apply(&mut files);
    let kept: Vec<_> = files.iter().map(|file| file.path.to_str().unwrap()).collect();
    assert_eq!(kept, expected);
}

fn ordering(by: By, is_ascending: bool, top: usize) -> Ordering {
    let regex = Some(Regex::new(r"(?<name>[a-z]+)\.(?<number>\d+)").unwrap());
    Ordering { regex, group_by: None, top, rules: vec![Rule { by, is_ascending }] }
}

#[test]
fn numbers_are_compared_as_numbers() {
    let by = || By::Number { group: "number".to_owned() };
    let names = ["/a.9", "/a.10", "/a.007", "/other"];
    check(&ordering(by(), false, 2), &names, &["/a.10", "/a.9"]);
    check(&ordering(by(), true, 9), &names, &["/a.007", "/a.9", "/a.10"]);
}

#[test]
fn groups_are_sorted_among_themselves() {
    let mut ordering = ordering(By::Number { group: "number".to_owned() }, false, 1);
    ordering.group_by = Some(Regex::new("/([a-z]+)").unwrap());
    check(&ordering, &["/a.1", "/b.5", "/a.3", "/b.2"], &["/a.3", "/b.5"]);
}

#[test]
fn texts_and_times_of_the_last_write_sort_too() {
    check(
        &ordering(By::Text { group: "name".to_owned() }, true, 2),
        &["/c.1", "/a.1", "/b.1"],
        &["/a.1", "/b.1"],
    );
    let by_time = Ordering { regex: None, ..ordering(By::Modified, false, 1) };
    check(&by_time, &["/x", "/y", "/z"], &["/z"]);
}

#[test]
fn later_rules_decide_between_equals() {
    let mut ordering = ordering(By::Text { group: "name".to_owned() }, true, 9);
    let by = By::Number { group: "number".to_owned() };
    ordering.rules.push(Rule { by, is_ascending: false });
    check(&ordering, &["/b.1", "/a.1", "/a.2"], &["/a.2", "/a.1", "/b.1"]);
}
