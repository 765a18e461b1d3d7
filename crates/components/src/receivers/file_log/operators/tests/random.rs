use std::sync::{Arc, LazyLock};

use proptest::prelude::*;

use super::*;

static PLANS: LazyLock<Vec<Arc<Plan>>> =
    LazyLock::new(|| CHAINS.iter().map(|yaml| Arc::new(plan(yaml).unwrap())).collect());

const CHAINS: [&str; 8] = [
    "- {type: json_parser, timestamp: {parse_from: attributes.t, layout: '%c %f %z'}}",
    "- {type: regex_parser, regex: '(?P<a>\\w+)=(?P<b>\\S*)', severity: {parse_from: attributes.a}}",
    "- {type: csv_parser, header: 'a,b', lazy_quotes: true}",
    "- {type: key_value_parser}",
    "- {type: container, add_metadata_from_filepath: false}",
    "- {type: uri_parser}",
    "- {type: unquote, field: body}\n- {type: time_parser, parse_from: body, layout_type: gotime, layout: 'Jan _2 15:04:05.000 MST'}",
    "- {type: time_parser, parse_from: body, layout_type: epoch, layout: s.ns}\n- {type: trace_parser, trace_id: {parse_from: body}}",
];

fn any_line() -> impl Strategy<Value = String> {
    let parts = prop::sample::select(vec![
        "{",
        "}",
        "\"",
        "'",
        "`",
        ":",
        ",",
        "=",
        " ",
        "a",
        "1",
        "-",
        "\\",
        "\\u00",
        "é",
        "€",
        "[",
        "]",
        "2024-01-02T03:04:05Z",
        "stdout",
        "P",
        "F",
        "null",
        "1e999",
        "http://",
        "%",
        "%4",
        "?",
        "&",
        "@",
        "Jan",
        "Mon",
        "\t",
        "\0",
        ".",
        "+",
        "99999999999",
    ]);
    prop_oneof![prop::collection::vec(parts, 0..15).prop_map(|parts| parts.concat()), ".{0,30}",]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3000, ..ProptestConfig::default() })]

    #[test]
    fn no_line_makes_a_chain_panic_or_lose_it(lines in prop::collection::vec(any_line(), 1..5)) {
        for (yaml, plan) in CHAINS.iter().zip(PLANS.iter()) {
            let mut chain = Chain::new(Arc::clone(plan));
            let now = runtime::clock::Clock.now();
            let mut out = Vec::new();
            for (at, line) in (0..).zip(&lines) {
                let origin = Origin { file: FileKey(1), range: at..at + 1 };
                chain.process(Entry::new(line.as_str().into(), origin), now, &mut out);
            }
            chain.end_of_file(FileKey(1), now, &mut out);
            let mut covered: Vec<u64> = out.iter().flat_map(|entry| entry.origin.range.clone()).collect();
            covered.sort_unstable();
            covered.dedup();
            prop_assert_eq!(covered, (0..lines.len() as u64).collect::<Vec<_>>(), "{}", yaml);
        }
    }

    #[test]
    fn recombine_conserves_lines(
        lines in prop::collection::vec((0..3_u64, prop::sample::select(vec!["a", "b", "F", "long line"])), 0..60),
        is_first in any::<bool>(),
        max_batch in 0..5_usize,
        max_unmatched in 0..5_usize,
        max_sources in 1..4_usize,
        max_size in 0..30_usize,
    ) {
        let which = if is_first { "is_first_entry" } else { "is_last_entry" };
        let mut chain = chain(&format!(
            "- {{type: recombine, combine_field: body, {which}: \"body == 'F'\", max_batch_size: {max_batch}, \
             max_unmatched_batch_size: {max_unmatched}, max_sources: {max_sources}, max_log_size: {max_size}}}"
        ));
        let now = runtime::clock::Clock.now();
        let mut out = Vec::new();
        for (at, (file, line)) in (0..).zip(&lines) {
            let origin = Origin { file: FileKey(*file), range: at..at + 1 };
            chain.process(Entry::new((*line).into(), origin), now, &mut out);
            let held = (0..3).filter_map(|file| chain.held(FileKey(file))).min();
            prop_assert!(held.is_none_or(|held| held <= at));
        }
        (0..3).for_each(|file| chain.end_of_file(FileKey(file), now, &mut out));
        prop_assert_eq!(chain.held_bytes(), 0);
        for file in 0..3 {
            let of_file = out.iter().filter(|entry| entry.origin.file == FileKey(file));
            let left: Vec<_> = of_file.flat_map(|entry| entry.body.as_text().unwrap().lines()).collect();
            let came: Vec<_> = lines.iter().filter(|(own, _)| *own == file).map(|(_, line)| *line).collect();
            prop_assert_eq!(left, came);
        }
    }
}
