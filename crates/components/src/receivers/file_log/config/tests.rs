use crate::receivers::file_log::FACTORY;
use crate::testing::{check_config, parse};

#[test]
fn keys_are_checked() {
    for (yaml, expected) in [
        ("include: [/var/log/*.log]", &[][..]),
        ("{include: ['/a/**/{b,c}.log'], exclude: [/a/x/*], exclude_older_than: 24h}", &[]),
        ("{include: [/a], start_at: beginning, poll_interval: 1s, storage: file_storage}", &[]),
        ("{include: [/a], multiline: {line_start_pattern: '^x'}, encoding: utf-16le}", &[]),
        ("{include: [/a], operators: [{type: json_parser}], max_log_size: 4KiB}", &[]),
        ("{include: [/a], max_log_size_behavior: truncate, compression: gzip}", &[]),
        ("{include: [/a], attributes: {a: b}, resource: {service.name: x}}", &[]),
        ("", &["include", "must name files"]),
        ("include: ['/a/[b']", &["include[0]", "never closed"]),
        ("{include: [/a], exclude: ['']}", &["exclude[0]", "empty"]),
        ("{include: [/a], poll_interval: 0s}", &["poll_interval"]),
        ("{include: [/a], fingerprint_size: 15}", &["fingerprint_size"]),
        ("{include: [/a], max_concurrent_files: 0}", &["max_concurrent_files"]),
        ("{include: [/a], delete_after_read: true, start_at: beginning}", &[]),
        ("{include: [/a], delete_after_read: true}", &["delete_after_read", "start_at: beginning"]),
        (
            "{include: [/a], delete_after_read: true, start_at: beginning, on_oversize: truncate}",
            &["delete_after_read", "on_oversize: split"],
        ),
        (
            "{include: [/a], delete_after_read: true, start_at: beginning, on_truncate: read_new}",
            &["delete_after_read", "read_whole_file"],
        ),
        ("{include: [/a], include_file_record_number: true}", &["record_number", "offset"]),
        ("{include: [/a], encoding: klingon}", &["klingon"]),
        ("{include: [/a], start_at: middle}", &["start_at"]),
        ("{include: [/a], retry_on_failure: {max_interval: 1ms}}", &["max_interval"]),
        ("{include: [/a], includes: [/b]}", &["includes"]),
    ] {
        check_config(&FACTORY, yaml, expected);
    }
}

#[test]
fn ordering_is_checked() {
    for (ordering, expected) in [
        ("{regex: '(?P<n>\\d+)', sort_by: [{sort_type: numeric, regex_key: n}]}", &[][..]),
        ("{sort_by: [{sort_type: mtime}], top_n: 3, group_by: '/(a|b)'}", &[]),
        (
            "{regex: '(?P<t>\\d+)', sort_by: [{sort_type: timestamp, regex_key: t, layout: '%Y%m%d'}]}",
            &[],
        ),
        (
            "{regex: '(?P<t>\\d+)', sort_by: [{sort_type: timestamp, regex_key: t, layout: '%d%m%Y'}]}",
            &["layout", "year"],
        ),
        ("{regex: '(', sort_by: [{sort_type: mtime}]}", &["regex"]),
        ("{regex: 'x', sort_by: [{sort_type: numeric, regex_key: n}]}", &["named group"]),
        ("{top_n: 0}", &["top_n"]),
    ] {
        let yaml = format!("{{include: [/a], ordering_criteria: {ordering}}}");
        check_config(&FACTORY, &yaml, expected);
    }
}

#[test]
fn what_has_no_effect_is_told() {
    for (yaml, expected) in [
        ("include: [/a]", 0),
        ("{include: [/a], max_batches: 2}", 0),
        ("{include: [/a], polls_to_archive: 2}", 1),
        ("{include: [/a], on_truncate: ignore}", 1),
        ("{include: [/a], on_truncate: read_new}", 0),
        ("{include: [/a], retry_on_failure: {enabled: false}}", 1),
        (
            "{include: [/a], ordering_criteria: {regex: '(?P<t>[0-9]+)', sort_by: [{sort_type: timestamp, \
             regex_key: t, layout: '%Y%m%d', location: UTC}]}}",
            1,
        ),
    ] {
        let pipeline::factory::Blueprint::Receiver(blueprint) = parse(&FACTORY, yaml).unwrap()
        else {
            panic!("a receiver")
        };
        assert_eq!(blueprint.warnings().len(), expected, "{yaml}");
    }
}
