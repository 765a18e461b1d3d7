use proptest::prelude::*;

use super::*;
use crate::receivers::file_log::entry::{Map, Origin};

fn entry() -> Entry {
    let map =
        |json: &str| -> Map { Value::from_json(json, true).unwrap().as_map().unwrap().clone() };
    let body = r#"{"msg":"LOG: hello END","n":5,"list":[1,"two"],"in":{"k.d":"v"},"none":null}"#;
    let mut entry =
        Entry::new(Value::Map(map(body)), Origin { file: Default::default(), range: 0..1 });
    entry.attributes = map(r#"{"level":"error","code":404,"ratio":1.5,"ok":true}"#);
    entry.resource = map(r#"{"service.name":"shop"}"#);
    entry.severity_text = "WARN".to_owned();
    entry.severity_number = 13;
    entry
}

/// The value as JSON, or the error with a mark before it.
fn check(expression: &str, expected: &str) {
    let value = match Expression::parse(expression) {
        Ok(parsed) => parsed.value(&entry()).map_or_else(
            |error| format!("! {error}"),
            |value| serde_json::to_string(&value).unwrap(),
        ),
        Err(error) => format!("!! {}", error.lines().next().unwrap()),
    };
    assert_eq!(value, expected, "{expression}");
}

#[test]
fn fields_are_looked_up() {
    check("body.msg", r#""LOG: hello END""#);
    check("$.n", "5");
    check("body['in'][\"k.d\"]", r#""v""#);
    check("body.in.missing", "null");
    check("resource['service.name']", r#""shop""#);
    check("body.list[1]", r#""two""#);
    check("body.list[-1]", r#""two""#);
    check("severity_text + '/' + string(severity_number)", r#""WARN/13""#);
    check("body.list[2]", "! a list of 2 has no element 2");
    check("body.none.x", "! nil has no `x`");
    check("body.none?.x", "null");
    check("body?.in?.k", "null");
    check("body.msg.x", "! text has no `x`");
}

#[test]
fn comparisons_and_logic() {
    check("attributes.level == 'error' and attributes.code >= 400", "true");
    check("attributes.level == \"error\" && !(attributes.code < 400)", "true");
    check("attributes.code == 404.0", "true");
    check("attributes.code == '404'", "false");
    check("attributes.missing == nil", "true");
    check("attributes.missing != nil or attributes.ok", "true");
    check("attributes.ok and attributes.missing.x", "! nil has no `x`");
    check("false and attributes.missing.x", "false");
    check("true or attributes.missing.x", "true");
    check("attributes.level < 5", "! text and a number have no order");
    check("attributes.level and true", "! true or false is needed, found text");
    check("not attributes.ok", "false");
    check("attributes.level in ['error', 'fatal']", "true");
    check("attributes.level not in ['error', 'fatal']", "false");
    check("'level' in attributes", "true");
    check("'x' in attributes.missing", "false");
    check("[1, 2] == [1.0, 2]", "true");
}

#[test]
fn texts_are_searched() {
    check(r#"body.msg matches "^LOG: .* END$""#, "true");
    check(r#"body.msg not matches "^LOG: .* END$""#, "false");
    check("body.msg matches '^\\\\w+:'", "true");
    check("body.msg contains 'hello'", "true");
    check("body.msg startsWith 'LOG' and body.msg endsWith 'END'", "true");
    check("not (body.msg contains 'x')", "true");
    check("body.msg not contains 'x'", "true");
    check("body.n matches '5'", "! text is needed, found a number");
}

#[test]
fn values_are_chosen_and_computed() {
    check("attributes.missing ?? 'default'", r#""default""#);
    check("attributes.missing ?? 'a' + 'b'", r#""ab""#);
    check("attributes.ok ? 'yes' : 'no'", r#""yes""#);
    check("false ? 1 : true ? 2 : 3", "2");
    check("1 + 2 * 3 - 4", "3");
    check("2 ** 3 ** 2", "512.0");
    check("-2 + 7 % 4", "1");
    check("7 / 2", "3.5");
    check("7 % 0", "! division by zero");
    check("len(body.msg)", "14");
    check("len(body.list) + len(attributes)", "6");
    check("upper(attributes.level)", r#""ERROR""#);
    check("trimPrefix(body.msg, 'LOG: ')", r#""hello END""#);
    check("split('a,b', ',')[1]", r#""b""#);
    check("join(split('a,b', ','), '-')", r#""a-b""#);
    check("int('42') + 1", "43");
    check("type(body) + type(nil)", r#""mapnil""#);
    check("`raw \\n`", r#""raw \\n""#);
    check("'it\\'s'", r#""it's""#);
}

#[test]
fn what_is_not_known_is_told_with_its_place() {
    let known = "`body`, `$`, `attributes`, `resource`, `severity_text`, `severity_number`, \
                 `timestamp`";
    check("bdy.x == 1", &format!("!! there is no `bdy` here; there are {known} at column 1"));
    check("body == ", "!! a value is expected at column 9");
    check("body.x == 1 1", "!! an operator or the end is expected at column 13");
    check("(body.x", "!! `)` is expected at column 8");
    check("body matches body.x", "!! `matches` needs a pattern in quotes at column 14");
    check("body | len", "!! pipes are not supported at column 6");
    check("len()", "!! `len` takes 1 arguments, not 0 at column 1");
    check("'open", "!! the string does not end at column 1");
    check("body.x.toUpper()", "!! values have no methods at column 15");
    check("{'a': 1}", "!! maps are not supported at column 1");
    check("body # 1", "!! an expression cannot contain `#` here at column 6");
    let error = Expression::parse("body.a matches '('").unwrap_err();
    assert!(error.contains("not a regular expression"), "{error}");
    assert!(error.ends_with("\n                 ^") || error.contains('^'), "{error}");
    assert!(Expression::parse("nothing()").unwrap_err().contains("there is no function `nothing`"));
}

#[test]
fn the_environment_is_read_at_start() {
    check("env('TIDEGATE_NO_SUCH_VARIABLE')", r#""""#);
    check("env(body.n)", "!! `env` takes the name of a variable in quotes at column 1");
}

#[test]
fn nesting_is_bounded() {
    let deep = format!("{}1{}", "(".repeat(10_000), ")".repeat(10_000));
    check(&deep, "!! the expression nests too deep at column 33");
    assert!(Expression::parse(&"!".repeat(10_000)).is_err());
    assert!(Expression::parse(&format!("{}1", "-".repeat(10_000))).is_err());
}

#[test]
fn embedded_expressions_are_recognized() {
    assert!(Expression::embedded("plain").is_none());
    assert!(Expression::embedded("EXPR(body.x").is_none());
    let embedded = Expression::embedded("EXPR(body.n + 1)").unwrap().unwrap();
    assert_eq!(embedded.value(&entry()), Ok(Value::Int(6)));
    assert!(Expression::embedded("EXPR(1 +)").unwrap().is_err());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3000, ..ProptestConfig::default() })]

    #[test]
    fn no_text_makes_an_expression_panic(
        parts in prop::collection::vec(prop::sample::select(vec![
            "body", "attributes", ".", "list", "[", "]", "0", "-1", "1.5", "'a'", "(", ")", "not",
            "in", "matches", "and", "??", "?.", "?", ":", "+", "-", "*", "/", "%", "**", "==", "<",
            "len", "split", ",", "nil", "true", "é", "\\", "\"", "9223372036854775807",
        ]), 0..20),
        space in any::<bool>(),
    ) {
        let text = parts.join(if space { " " } else { "" });
        if let Ok(expression) = Expression::parse(&text) {
            let _value = expression.value(&entry());
        }
    }

    #[test]
    fn no_characters_make_the_lexer_panic(text in ".{0,40}") {
        let _parsed = Expression::parse(&text);
    }
}
