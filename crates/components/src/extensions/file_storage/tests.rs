use super::FACTORY;
use crate::testing::check_config;

#[test]
fn keys_are_checked() {
    for (yaml, expected) in [
        ("", &[][..]),
        ("{directory: /var/lib/x, timeout: 1s, fsync: true, recreate: true}", &[]),
        ("{directory_permissions: '0700', create_directory: false}", &[]),
        ("compaction: {on_start: true, directory: /tmp, max_transaction_size: 65536}", &[]),
        ("directory_permissions: '999'", &["octal"]),
        ("compaction: {on_rebound: true, check_interval: 0s}", &["greater than zero"]),
        (
            "compaction: {on_rebound: true, rebound_needed_threshold_mib: 1}",
            &["rebound_trigger_threshold_mib"],
        ),
        ("folder: /tmp", &["folder"]),
    ] {
        check_config(&FACTORY, yaml, expected);
    }
}
