use serde_json::{Value, json};

fn check(mut schema: Value, expected: &Value) {
    super::admit(&mut schema);
    assert_eq!(&schema, expected);
}

fn expansion() -> Value {
    json!({ "type": ["string", "null"], "pattern": r"\$\{" })
}

#[test]
fn text_may_be_written_as_a_number_or_left_out() {
    check(
        json!({ "type": "string", "pattern": "^a$" }),
        &json!({ "type": ["string", "number", "boolean", "null"], "pattern": r"(?:^a$)|\$\{" }),
    );
}

#[test]
fn numbers_and_switches_may_be_expansions() {
    check(
        json!({ "type": ["integer", "null"], "minimum": 0 }),
        &json!({
            "type": ["integer", "null", "string"],
            "minimum": 0,
            "pattern": r"^\s*[-+]?[0-9]|\$\{",
        }),
    );
    check(
        json!({ "type": "boolean" }),
        &json!({ "type": ["boolean", "string", "null"], "pattern": r"\$\{" }),
    );
}

#[test]
fn a_list_may_be_one_element_and_a_section_empty() {
    check(
        json!({
            "type": "object",
            "properties": { "names": { "type": "array", "items": { "type": "boolean" } } },
            "additionalProperties": false,
        }),
        &json!({
            "type": ["object", "string", "null"],
            "pattern": r"\$\{",
            "properties": {
                "names": {
                    "type": ["array", "string", "null"],
                    "items": { "type": ["boolean", "string", "null"], "pattern": r"\$\{" },
                },
            },
            "additionalProperties": false,
        }),
    );
}

#[test]
fn one_of_several_values_may_be_an_expansion() {
    let choice = json!({ "type": "string", "enum": ["gzip", "none"] });
    let mut widened = choice.clone();
    widened["type"] = json!(["string", "number", "boolean", "null"]);
    check(choice, &json!({ "anyOf": [widened, expansion()] }));
    let one = json!({ "type": "string", "const": "gzip" });
    check(json!({ "oneOf": [one] }), &json!({ "oneOf": [one, expansion()] }));
}
