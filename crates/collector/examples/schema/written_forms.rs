//! Written forms: what else may stand in YAML where a value of some type is meant.
//!
//! Reading takes more than the plain type, as upstream: an expansion such as `${env:NAME}`, a number
//! where text is meant, one element in place of a list, nothing in place of a section. A schema for
//! editors must not find fault with them.

use serde_json::{Value, json};

/// The text of an expansion.
const EXPANSION: &str = r"\$\{";

/// Expansions, and numbers that are written as text.
const NUMBER_OR_EXPANSION: &str = r"^\s*[-+]?[0-9]|\$\{";

/// The keywords that hold schemas by name.
const BY_NAME: [&str; 3] = ["properties", "patternProperties", "$defs"];

/// The keywords that hold a list of schemas.
const LISTS: [&str; 4] = ["anyOf", "oneOf", "allOf", "prefixItems"];

/// The keywords that hold one schema.
const ONES: [&str; 2] = ["items", "additionalProperties"];

/// Lets `schema`, and every schema in it, take what reading takes.
pub(super) fn admit(schema: &mut Value) {
    for keyword in BY_NAME {
        let schemas = schema.get_mut(keyword).and_then(Value::as_object_mut);
        schemas.into_iter().flat_map(|all| all.values_mut()).for_each(admit);
    }
    for keyword in LISTS {
        let schemas = schema.get_mut(keyword).and_then(Value::as_array_mut);
        schemas.into_iter().flatten().for_each(admit);
    }
    for keyword in ONES {
        schema.get_mut(keyword).into_iter().for_each(admit);
    }
    admit_types(schema);
    admit_in_choice(schema);
}

/// Widens `type`, and `pattern` with it.
fn admit_types(schema: &mut Value) {
    if schema.get("const").is_some() {
        return;
    }
    let types = schema.get("type").map(names_of).unwrap_or_default();
    let has = |name: &str| types.iter().any(|known| known == name);
    let (more, pattern): (&[&str], _) = match () {
        () if has("string") => (&["number", "boolean", "null"], None),
        () if has("integer") || has("number") => (&["string", "null"], Some(NUMBER_OR_EXPANSION)),
        () if has("array") => (&["string", "null"], None),
        () if has("boolean") || has("object") => (&["string", "null"], Some(EXPANSION)),
        () => return,
    };
    let added = more.iter().copied().filter(|name| !has(name));
    let all: Vec<&str> = types.iter().map(String::as_str).chain(added).collect();
    let pattern = match schema.get("pattern").and_then(Value::as_str) {
        Some(own) => Some(format!("(?:{own})|{EXPANSION}")),
        None => pattern.map(str::to_owned),
    };
    schema["type"] = all.into();
    if let Some(pattern) = pattern {
        schema["pattern"] = pattern.into();
    }
}

/// Lets an expansion, and nothing at all, stand where one of several values is meant.
fn admit_in_choice(schema: &mut Value) {
    let expansion = json!({ "type": ["string", "null"], "pattern": EXPANSION });
    let original = schema.clone();
    let Some(fields) = schema.as_object_mut() else { return };
    if fields.remove("enum").is_some() {
        fields.remove("type");
        fields.insert("anyOf".to_owned(), json!([original, expansion]));
    } else if let Some(Value::Array(branches)) = fields.get_mut("oneOf") {
        // A branch with several values takes an expansion already, and only one may.
        if branches.iter().all(|branch| branch.get("const").is_some()) {
            branches.push(expansion);
        }
    }
}

fn names_of(types: &Value) -> Vec<String> {
    match types {
        Value::String(name) => vec![name.clone()],
        Value::Array(names) => names.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests;
