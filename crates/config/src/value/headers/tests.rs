use super::*;

fn read(text: &str) -> Result<Headers, String> {
    serde_json::from_str(text).map_err(|error| error.to_string())
}

#[test]
fn reads_maps_and_lists_alike() {
    let expected = Headers(vec![
        ("X-Scope".to_owned(), Secret::from("b")),
        ("authorization".to_owned(), Secret::from("a")),
    ]);
    assert_eq!(read(r#"{"X-Scope": "b", "authorization": "a"}"#), Ok(expected.clone()));
    let list = r#"[{"name": "X-Scope", "value": "b"}, {"name": "authorization", "value": "a"}]"#;
    assert_eq!(read(list), Ok(expected));
}

#[test]
fn knows_names_in_any_case() {
    let headers = read(r#"{"X-Scope": "b"}"#).unwrap();
    assert_eq!(headers.value_of("x-scope").map(Secret::expose), Some("b"));
    assert!(read(r#"{"X-Scope": "b", "x-scope": "c"}"#).unwrap_err().contains("written twice"));
}
