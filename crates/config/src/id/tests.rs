use super::*;

#[track_caller]
fn check(text: &str, kind: &str, name: Option<&str>) {
    let id: ComponentId = text.parse().unwrap();
    assert_eq!((id.kind(), id.name()), (kind, name));
    assert_eq!(id.to_string().parse(), Ok(id));
}

#[test]
fn reads_types_and_names() {
    check("otlp", "otlp", None);
    check("otlp/2", "otlp", Some("2"));
    check(" otlp / a/b ", "otlp", Some("a/b"));
    check("k8s_Attributes/é-1.2", "k8s_Attributes", Some("é-1.2"));
}

#[test]
fn refuses_everything_else() {
    let long = "a".repeat(64);
    for text in ["", "/", "otlp/", "/a", "1otlp", "ot-lp", "otlp/a b", "otlp/a\u{1}", &long] {
        assert_eq!(text.parse::<ComponentId>(), Err(InvalidId(text.to_owned())), "{text}");
    }
}
