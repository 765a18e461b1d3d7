use std::time::Duration;

use pipeline::{Blueprint, Storage};

use super::FACTORY;
use crate::testing::{check_config, environment, parse};

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

#[test]
fn it_offers_a_folder_and_how_it_is_kept() {
    let yaml = "{directory: /var/lib/x, fsync: false, timeout: 3s, max_size: 5MiB, recreate: true}";
    let Blueprint::Extension(blueprint) = parse(&FACTORY, yaml).unwrap() else { unreachable!() };
    assert!(blueprint.is_storage());
    assert!(blueprint.warnings()[0].contains("fsync"), "{:?}", blueprint.warnings());
    let storage = blueprint.build(environment("file_storage", None)).unwrap().storage();
    let expected = Storage {
        directory: "/var/lib/x".into(),
        is_synced: false,
        folder_permissions: 0o700,
        lock_timeout: Duration::from_secs(3),
        is_recreated: true,
        bytes_max: 5 << 20,
    };
    assert_eq!(storage, Some(expected));
}

#[test]
fn writes_are_synced_and_kept_below_the_data_directory_by_default() {
    let Blueprint::Extension(blueprint) = parse(&FACTORY, "").unwrap() else { unreachable!() };
    assert_eq!(blueprint.warnings(), [""; 0]);
    let env = environment("file_storage", None);
    let data_dir = env.data_dir.clone();
    let storage = blueprint.build(env).unwrap().storage().unwrap();
    assert!(storage.is_synced);
    assert_eq!(storage.directory, data_dir.join("storage"));
}

#[test]
fn a_missing_folder_that_may_not_be_made_is_an_error_at_start() {
    let yaml = "{directory: /nowhere/at/all, create_directory: false}";
    let Blueprint::Extension(blueprint) = parse(&FACTORY, yaml).unwrap() else { unreachable!() };
    let error = blueprint.build(environment("file_storage", None)).unwrap_err();
    assert!(error.to_string().contains("create_directory"), "{error}");
}
