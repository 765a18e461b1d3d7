use super::*;

#[test]
fn traceparent_round_trips() {
    let text = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    assert_eq!(SpanContext::from_traceparent(text).unwrap().to_string(), text);
}

#[test]
fn malformed_traceparent_is_ignored() {
    for text in [
        "",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
        "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
        "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-extra",
    ] {
        assert_eq!(SpanContext::from_traceparent(text), None, "{text}");
    }
}

#[test]
fn metadata_keys_ignore_case_and_keep_all_values() {
    let pairs = [("X-Tenant", "a"), ("x-tenant", "b"), ("Other", "c")];
    let metadata: Metadata =
        pairs.into_iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
    assert_eq!(metadata.values("X-TENANT"), ["a", "b"]);
    let only = metadata.only(&["x-tenant".to_owned(), "absent".to_owned()]);
    assert_eq!(only.iter().count(), 1);
    assert_eq!(only.first("x-tenant"), Some("a"));
    let all = ["OTHER".to_owned(), "x-tenant".to_owned()];
    assert_eq!(metadata.only(&all), metadata, "nothing is left out");
    assert_eq!(metadata.only(&[]), Metadata::default());
}
