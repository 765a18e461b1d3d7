use super::*;
use crate::receivers::file_log::entry::Origin;

fn entry(body: &str) -> Entry {
    let origin = Origin { file: Default::default(), range: 0..1 };
    Entry::new(Value::from_json(body, true).unwrap(), origin)
}

fn field(text: &str) -> Field {
    Field::parse(text).unwrap()
}

#[test]
fn fields_are_written_with_dots_or_brackets() {
    for (text, keys) in [
        ("body", &[][..]),
        ("body.a.b", &["a", "b"]),
        ("attributes[\"a.b\"]", &["a.b"]),
        ("attributes['a.b'].c", &["a.b", "c"]),
        ("resource.a[\"b\"]", &["a", "b"]),
    ] {
        assert_eq!(field(text).keys, keys, "{text}");
        assert_eq!(field(&field(text).to_string()), field(text), "{text}");
    }
    for text in ["", "message", "body.", "body..a", "body[a]", "body[\"a\"", "bodya", "body a"] {
        assert!(Field::parse(text).is_err(), "{text}");
    }
}

#[test]
fn setting_makes_the_maps_on_its_way() {
    let mut entry = entry("\"text\"");
    field("body.a.b").set(&mut entry, Value::Int(1));
    assert_eq!(entry.body.to_string(), r#"{"a":{"b":1}}"#);
    field("attributes.x.y").set(&mut entry, Value::Bool(true));
    assert_eq!(entry.attributes["x"].to_string(), r#"{"y":true}"#);
}

#[test]
fn a_map_is_merged_with_the_map_that_is_there() {
    let mut entry = entry(r#"{"a":1,"b":{"c":2}}"#);
    let map = Value::from_json(r#"{"d":3}"#, true).unwrap();
    field("body.b").set(&mut entry, map.clone());
    field("body").set(&mut entry, map.clone());
    field("attributes").set(&mut entry, map);
    assert_eq!(entry.body.to_string(), r#"{"a":1,"b":{"c":2,"d":3},"d":3}"#);
    assert_eq!(entry.attributes["d"], Value::Int(3));
}

#[test]
fn what_is_removed_is_handed_out() {
    let mut entry = entry(r#"{"a":{"b":1},"c":2}"#);
    assert_eq!(field("body.a.b").remove(&mut entry), Some(Value::Int(1)));
    assert_eq!(field("body.a.b").remove(&mut entry), None);
    assert_eq!(field("body.c.d").remove(&mut entry), None);
    assert_eq!(field("body").remove(&mut entry).unwrap().to_string(), r#"{"a":{},"c":2}"#);
    assert_eq!(entry.body, Value::Nil);
}
