use opentelemetry_proto::tonic::logs::v1::LogRecord;
use opentelemetry_proto::tonic::resource::v1::Resource;

use super::*;
use crate::testing::{attribute, logs_of, payload};

/// The name that `template` gives a record with `own` attributes of a resource with `resource`.
fn expanded(kind: Kind, template: &str, resource: &[(&str, &str)], own: &[(&str, &str)]) -> String {
    let pairs = |pairs: &[(&str, &str)]| pairs.iter().map(|(k, v)| attribute(k, v)).collect();
    let mut request = logs_of(&["text"]);
    let group = &mut request.resource_logs[0];
    group.resource = Some(Resource { attributes: pairs(resource), ..Resource::default() });
    let record = LogRecord { attributes: pairs(own), ..LogRecord::default() };
    group.scope_logs[0].log_records = vec![record];
    let payload = payload(&request);
    let view = payload.view();
    let resource = view.resources().next().unwrap();
    let record = resource.scopes().next().unwrap().log_records().next().unwrap();
    let template = Template::parse(kind, template).unwrap();
    template.expand(&resource.attributes(), Some(&record.attributes()))
}

#[test]
fn places_of_the_collector_are_filled_from_the_resource_by_either_name() {
    let name = |resource| expanded(Kind::Group, "/ecs/{ClusterName}/{TaskId}", resource, &[]);
    assert_eq!(name(&[("aws.ecs.cluster.name", "main"), ("TaskId", "t-1")]), "/ecs/main/t-1");
    assert_eq!(name(&[("TaskId", "t-1")]), "/ecs/undefined/t-1");
    let record = [("TaskId", "of the record")];
    assert_eq!(expanded(Kind::Stream, "{TaskId}", &[], &record), "undefined");
}

#[test]
fn other_places_are_attributes_of_the_record_before_those_of_its_resource() {
    let resource = [("service.name", "shop"), ("host.name", "a")];
    let name = |own| expanded(Kind::Stream, "{service.name}-{host.name}", &resource, own);
    assert_eq!(name(&[]), "shop-a");
    assert_eq!(name(&[("host.name", "b")]), "shop-b");
    assert_eq!(name(&[("host.name", "")]), "shop-a");
}

#[test]
fn values_are_mended_to_what_a_name_may_be() {
    let long = "x".repeat(600);
    for (kind, value, expected) in [
        (Kind::Group, "a b:c*d", "a_b_c_d".to_owned()),
        (Kind::Stream, "a b:c*d", "a b_c_d".to_owned()),
        (Kind::Group, "aws/mine", "_aws/mine".to_owned()),
        (Kind::Stream, "übermut", "übermut".to_owned()),
        (Kind::Group, &long, "x".repeat(512)),
    ] {
        assert_eq!(expanded(kind, "{name}", &[("name", value)], &[]), expected);
    }
}

#[test]
fn what_is_written_out_must_be_a_valid_name() {
    for (kind, text, words) in [
        (Kind::Stream, "a:b", "`:`"),
        (Kind::Stream, "a*", "`*`"),
        (Kind::Group, "a b", "` `"),
        (Kind::Group, "aws/x", "reserved"),
        (Kind::Group, "a{b", "not closed"),
        (Kind::Group, "a{}", "no attribute"),
    ] {
        let error = Template::parse(kind, text).unwrap_err();
        assert!(error.contains(words), "{text}: {error}");
    }
}

#[test]
fn a_template_knows_what_it_depends_on() {
    let depth = |text| Template::parse(Kind::Group, text).unwrap().depth();
    assert_eq!(depth("plain"), Depth::Nothing);
    assert_eq!(depth("{ClusterName}"), Depth::Resource);
    assert_eq!(depth("{ClusterName}/{user}"), Depth::Record);
    assert_eq!(Template::parse(Kind::Group, "plain").unwrap().literal().as_deref(), Some("plain"));
    assert_eq!(Template::parse(Kind::Group, "{x}").unwrap().literal(), None);
}
