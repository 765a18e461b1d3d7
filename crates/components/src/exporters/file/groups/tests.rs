use std::collections::BTreeSet;
use std::path::Path;

use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::resource::v1::Resource;
use proptest::prelude::*;
use prost::Message;

use super::{GROUPS_MAX, Grouping, TooManyGroups, name};
use crate::testing::{attribute, logs_of, payload};

fn grouping() -> Grouping {
    let (before, after) = ("/data/".to_owned(), ".json".to_owned());
    Grouping { before, after, attribute: "tenant".to_owned(), open_max: 2 }
}

/// A resource for each tenant, with one record that names it.
fn logs(tenants: &[Option<&str>]) -> ExportLogsServiceRequest {
    let resource_logs = tenants.iter().map(|tenant| {
        let mut logs = logs_of(&[tenant.unwrap_or("none")]).resource_logs.remove(0);
        let attributes = tenant.iter().map(|tenant| attribute("tenant", tenant)).collect();
        logs.resource = Some(Resource { attributes, ..Resource::default() });
        logs
    });
    ExportLogsServiceRequest { resource_logs: resource_logs.collect() }
}

#[test]
fn parts_of_a_request_go_by_the_attribute_of_their_resource() {
    let request = payload(&logs(&[Some("a"), Some("b"), None, Some("a")]));
    let parts = grouping().parts(&request).unwrap();
    let parts: Vec<_> = parts
        .iter()
        .map(|(path, part)| {
            let part = ExportLogsServiceRequest::decode(part.to_bytes()).unwrap();
            (path.as_path(), part)
        })
        .collect();
    assert_eq!(
        parts,
        [
            (Path::new("/data/MISSING.json"), logs(&[None])),
            (Path::new("/data/a.json"), logs(&[Some("a"), Some("a")])),
            (Path::new("/data/b.json"), logs(&[Some("b")])),
        ]
    );
}

#[test]
fn requests_for_too_many_files_are_refused() {
    let tenants: Vec<String> = (0..=GROUPS_MAX).map(|at| at.to_string()).collect();
    let tenants: Vec<_> = tenants.iter().map(|tenant| Some(tenant.as_str())).collect();
    assert!(grouping().parts(&payload(&logs(&tenants[1..]))).is_ok());
    assert_eq!(grouping().parts(&payload(&logs(&tenants))).unwrap_err(), TooManyGroups);
}

#[test]
fn values_cannot_lead_out_of_the_folder() {
    for (value, expected) in [
        ("shop.example-1_a", "shop.example-1_a"),
        ("../../etc/passwd", "%2E.%2F..%2Fetc%2Fpasswd"),
        ("..", "%2E."),
        ("a/b", "a%2Fb"),
        ("a%2Fb", "a%252Fb"),
        ("", "%"),
        ("\0", "%00"),
        ("é", "%C3%A9"),
    ] {
        assert_eq!(name(value), expected);
    }
}

proptest! {
    #[test]
    fn names_are_short_and_one_segment(value in "\\PC{0,300}") {
        let name = name(&value);
        prop_assert!(!name.is_empty() && name.len() <= 121 && !name.starts_with('.'));
        prop_assert!(name.is_ascii() && !name.contains(['/', '\0', '*']));
    }

    #[test]
    fn different_values_have_different_names(
        values in proptest::collection::btree_set("[a/%.~]{0,4}|a{100,140}", 2..20)
    ) {
        let names: BTreeSet<_> = values.iter().map(|value| name(value)).collect();
        prop_assert_eq!(names.len(), values.len());
    }
}
