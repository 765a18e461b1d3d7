use std::collections::BTreeMap;

use serde::Deserialize;

use super::*;

#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
struct Pump {
    endpoint: String,
    depth: u16,
    ratio: f64,
    is_open: bool,
    mode: Mode,
    tls: Option<Tls>,
    valves: Vec<Valve>,
    labels: BTreeMap<String, String>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Mode {
    #[default]
    Slow,
    Fast,
}

#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
struct Tls {
    file: String,
    retries: u8,
}

impl Default for Tls {
    fn default() -> Self {
        Self { file: "/etc/pump".to_owned(), retries: 3 }
    }
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Valve {
    name: String,
    width: u32,
}

impl Words for Pump {
    type Settings = Self;

    fn validate(self, _gates: &Gates) -> Result<Self, Faults> {
        let mut faults = Faults::default();
        if self.endpoint == "nowhere" {
            faults.add_with_remedy("endpoint", "nowhere is no place", "name a host");
        }
        if self.labels.contains_key("a.b") {
            faults.add("labels.a.b", "no dots");
        }
        if self.valves.iter().any(|valve| valve.width == 0) {
            faults.add("valves[0].width", "too narrow");
            faults.add("tls.file", "a file is needed");
        }
        faults.or(|| self)
    }
}

fn read(text: &str) -> Result<Pump, Vec<Problem>> {
    Section::from_yaml(text).unwrap().read::<Pump>(&Gates::default())
}

#[track_caller]
fn problems(text: &str) -> Vec<String> {
    read(text).unwrap_err().iter().map(ToString::to_string).collect()
}

#[test]
fn reads_what_is_written() {
    let pump = read(
        "endpoint: a:1\ndepth: 0x10\nratio: 2\nis_open: true\nmode: fast\n\
         valves: [{name: 01, width: 1e3}]\nlabels: {a: true, b: 1_0}",
    );
    let labels = [("a", "true"), ("b", "1_0")];
    let expected = Pump {
        endpoint: "a:1".to_owned(),
        depth: 16,
        ratio: 2.0,
        is_open: true,
        mode: Mode::Fast,
        tls: None,
        valves: vec![Valve { name: "01".to_owned(), width: 1000 }],
        labels: labels.map(|(k, v)| (k.to_owned(), v.to_owned())).into(),
    };
    assert_eq!(pump, Ok(expected));
}

#[test]
fn takes_nothing_as_the_default() {
    assert_eq!(read(""), Ok(Pump::default()));
    assert_eq!(read("endpoint:\ndepth: ~\nmode: null\nvalves:\nlabels:"), Ok(Pump::default()));
    assert_eq!(Section::default().read::<Pump>(&Gates::default()), Ok(Pump::default()));
}

#[test]
fn takes_an_empty_optional_struct_as_present() {
    let expected = Pump { tls: Some(Tls::default()), ..Pump::default() };
    assert_eq!(read("tls:"), Ok(expected.clone()));
    assert_eq!(read("tls: {}"), Ok(expected.clone()));
    assert_eq!(read("tls: {retries: }"), Ok(expected));
}

#[test]
fn tells_all_problems_at_once() {
    let text = "endpont: a\ndepth: deep\nmode: fats\ntls: {fil: x, retries: 256}\n\
                valves: [{name: a, width: -1}, {width: 3}]\nis_open: yes\nratio: '2'";
    assert_eq!(
        problems(text),
        [
            "yaml:1:1: endpont: there is no key `endpont` here\n  help: did you mean `endpoint`?",
            "yaml:2:8: depth: a whole number, 0 or more, expected, found the text `deep`",
            "yaml:3:7: mode: `fats` is not known; valid are `slow`, `fast`\n  \
             help: did you mean `fast`?",
            "yaml:4:7: tls.fil: there is no key `fil` here\n  help: did you mean `file`?",
            "yaml:4:24: tls.retries: 256 is out of range: 0 to 255",
            "yaml:5:27: valves[0].width: -1 is out of range: 0 to 4294967295",
            "yaml:5:32: valves[1]: `name` is required",
            "yaml:6:10: is_open: `true` or `false` expected, found the text `yes`\n  \
             help: write `true`, without quotes",
            "yaml:7:8: ratio: a number expected, found the text `2`\n  \
             help: write it without quotes",
        ]
    );
}

#[test]
fn gives_faults_the_place_of_what_they_name() {
    let text = "endpoint: nowhere\nlabels:\n  a.b: c\nvalves:\n  - name: a\n    width: 0\ntls:\n";
    assert_eq!(
        problems(text),
        [
            "yaml:1:11: endpoint: nowhere is no place\n  help: name a host",
            "yaml:3:8: labels.a.b: no dots",
            "yaml:6:12: valves[0].width: too narrow",
            "yaml:7:1: tls.file: a file is needed",
        ]
    );
}

#[test]
fn validates_what_stands_beside_unknown_keys() {
    assert_eq!(
        problems("endpoint: nowhere\nmod: fast\nvalves: [{name: a, width: 0}]"),
        [
            "yaml:1:11: endpoint: nowhere is no place\n  help: name a host",
            "yaml:2:1: mod: there is no key `mod` here\n  help: did you mean `mode`?",
            "yaml:3:27: valves[0].width: too narrow",
        ]
    );
}

#[test]
fn tells_faults_beside_what_cannot_be_read() {
    assert_eq!(
        problems("endpoint: nowhere\ndepth: deep"),
        [
            "yaml:1:11: endpoint: nowhere is no place\n  help: name a host",
            "yaml:2:8: depth: a whole number, 0 or more, expected, found the text `deep`",
        ]
    );
    // Whether the second valve is too narrow is not known: without the first, it is the first.
    assert_eq!(
        problems("valves: [{name: a, width: x}, {name: b, width: 0}]"),
        ["yaml:1:27: valves[0].width: a whole number, 0 or more, expected, found the text `x`"]
    );
}

#[test]
fn finds_places_along_paths() {
    let text = "a:\n  b.c: 1\n  b: {c: 2}\n  list:\n    - x\n    - key: y\n  none:\n";
    let section = Section::from_yaml(text).unwrap();
    let at = |position: Option<Position>| position.map(|at| (at.line, at.column)).unwrap();
    assert_eq!(at(section.position_of("a.b.c")), (2, 8));
    assert_eq!(at(section.key_position("a.b.c")), (2, 3));
    assert_eq!(at(section.position_of("a.list[1].key")), (6, 12));
    assert_eq!(at(section.key_position("a.list[1].key")), (6, 7));
    assert_eq!(at(section.position_of("a.list.0")), (5, 7));
    assert_eq!(at(section.position_of("a.list[7]")), (4, 3));
    assert_eq!(at(section.position_of("a.none")), (7, 3));
    assert_eq!(at(section.position_of("a.other")), (1, 1));
    assert!(section.node_at("a.other").is_none());
    assert!(section.node_at("a.none").is_some_and(Node::is_null));
    assert!(section.node_at("a.list.é").is_none());
    assert!(Section::default().position_of("a").is_none());
}

#[test]
fn is_equal_to_a_section_that_says_the_same() {
    let section = |text| Section::from_yaml(text).unwrap();
    let (a, b) = (section("a: 1\nb: [x]"), section("{b: ['x'], a: 1}"));
    assert!(a.is_equal(&b));
    assert_eq!(a.fingerprint(), b.fingerprint());
    assert!(!a.is_equal(&section("a: 2\nb: [x]")));
    assert!(section("").is_equal(&Section::default()));
    assert_eq!(section("").fingerprint(), Section::default().fingerprint());
    assert!(!section("{}").is_equal(&Section::default()));
}
