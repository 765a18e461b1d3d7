use super::*;

#[test]
fn fields_are_moved_copied_added_and_removed() {
    check(
        r#"- {type: move, from: body.a, to: 'attributes["x.y"]'}
- {type: copy, from: body, to: attributes.all}
- {type: add, field: resource.host, value: shop}
- {type: add, field: attributes.list, value: [1, {b: true}]}
- {type: add, field: attributes.sum, value: EXPR(body.b + 1)}
- {type: remove, field: body.b}"#,
        &[r#"{"body":{"a":"1","b":2}}"#],
        &[r#"{"body":{},"attributes":{"x.y":"1","all":{"b":2},"list":[1,{"b":true}],"sum":3},
             "resource":{"host":"shop"}}"#],
    );
    check_error(
        "- {type: move, from: body.x, to: body.y}",
        r#"{"body":{"a":1}}"#,
        "there is no `body.x`",
    );
    check_error(
        "- {type: move, from: body.a, to: attributes}",
        r#"{"body":{"a":1}}"#,
        "`attributes` can only be a map, not a number",
    );
    check_refused("- {type: add, field: attributes, value: 1}", &["can only be a map"]);
    check_refused("- {type: add, field: body.x}", &["`value` is needed"]);
    check_refused(
        "- {type: add, field: x, value: EXPR(1 +)}",
        &["`x` is no field", "a value is expected at column"],
    );
}

#[test]
fn fields_are_retained_flattened_and_named() {
    check(
        "- {type: retain, fields: [body.a.b, attributes.x]}",
        &[r#"{"body":{"a":{"b":1,"c":2},"d":3},"attributes":{"x":1,"y":2},"resource":{"z":1}}"#],
        &[r#"{"body":{"a":{"b":1}},"attributes":{"x":1},"resource":{"z":1}}"#],
    );
    check(
        "- {type: flatten, field: body.w.k}",
        &[r#"{"body":{"w":{"k":{"a":1,"b":2},"c":3}}}"#],
        &[r#"{"body":{"w":{"c":3,"a":1,"b":2}}}"#],
    );
    check(
        "- {type: assign_keys, field: body, keys: [foo, bar]}",
        &[r#"{"body":[1,"debug"]}"#],
        &[r#"{"body":{"foo":1,"bar":"debug"}}"#],
    );
    check_error(
        "- {type: assign_keys, field: body, keys: [a]}",
        r#"{"body":[1,2]}"#,
        "2 values for 1 keys",
    );
    check_error(
        "- {type: flatten, field: body.a}",
        r#"{"body":{"a":1}}"#,
        "`body.a` is a number, not a map",
    );
    check_refused("- {type: flatten, field: body}", &["there is nothing above `body`"]);
}

#[test]
fn texts_are_replaced_and_unquoted() {
    check(
        "- {type: regex_replace, field: body, regex: ' +', replace_with: ' '}",
        &[r#"{"body":"a  b   c"}"#],
        &[r#"{"body":"a b c"}"#],
    );
    check(
        "- {type: regex_replace, field: body, regex: '\\{(.*?)\\}', replace_with: '${1}'}",
        &[r#"{"body":"{a}{bb}"}"#],
        &[r#"{"body":"abb"}"#],
    );
    check(
        "- {type: regex_replace, field: body, regex_name: ansi_control_sequences}",
        &["{\"body\":\"\\u001b[31mred\\u001b[0m\"}"],
        &[r#"{"body":"red"}"#],
    );
    for (text, expected) in
        [(r#""a\tb""#, "a\tb"), ("`a\\t`", "a\\t"), ("'x'", "x"), (r#""\u00e9""#, "é")]
    {
        let text = serde_json::to_string(text).unwrap();
        let left =
            run(&mut chain("- {type: unquote, field: body}"), &[&format!("{{\"body\":{text}}}")]);
        assert_eq!(left[0].body.as_text(), Some(expected));
    }
    for wrong in ["plain", "", "`", "'ab'"] {
        check_error(
            "- {type: unquote, field: body}",
            &format!("{{\"body\":\"{wrong}\"}}"),
            "the text is not in quotes",
        );
    }
    check_refused(
        "- {type: regex_replace, field: body}",
        &["exactly one of `regex` and `regex_name`"],
    );
}

#[test]
fn a_router_sends_each_entry_one_way() {
    let yaml = "- type: router
  routes:
    - {expr: 'body.format == \"json\"', output: json, attributes: {way: 'EXPR(body.format + \"!\")'}}
    - {expr: 'body.format == \"drop\"', output: [gone]}
  default: other
- {id: json, type: add, field: attributes.json, value: true, output: end}
- {id: gone, type: filter, expr: 'true'}
- {id: other, type: add, field: attributes.other, value: true}
- {id: end, type: noop}";
    check(
        yaml,
        &[
            r#"{"body":{"format":"json"}}"#,
            r#"{"body":{"format":"drop"}}"#,
            r#"{"body":{"format":"x"}}"#,
        ],
        &[
            r#"{"body":{"format":"json"},"attributes":{"way":"json!","json":true}}"#,
            r#"{"body":{"format":"x"},"attributes":{"other":true}}"#,
        ],
    );
    let mut chain = chain(
        "- {type: router, routes: [{expr: 'body == \"a\"', output: end}]}\n- {id: end, type: noop}",
    );
    assert_eq!(run(&mut chain, &[r#"{"body":"a"}"#, r#"{"body":"b"}"#]).len(), 1);
    assert_eq!(chain.take_reports()[0].dropped, 1, "what finds no way is counted");
}

#[test]
fn several_outputs_get_the_entry_each() {
    check(
        "- {type: noop, output: [a, b]}
- {id: a, type: add, field: attributes.a, value: 1, output: end}
- {id: b, type: add, field: attributes.b, value: 2}
- {id: end, type: noop}",
        &[r#"{"body":"x"}"#],
        &[r#"{"body":"x","attributes":{"a":1}}"#, r#"{"body":"x","attributes":{"b":2}}"#],
    );
}

#[test]
fn a_filter_drops_a_share() {
    let mut all = chain("- {type: filter, expr: 'body contains \"debug\"'}");
    assert_eq!(run(&mut all, &[r#"{"body":"debug"}"#, r#"{"body":"info"}"#]).len(), 1);
    assert_eq!(
        all.take_reports(),
        [Report { id: "filter".into(), dropped: 1, ..Report::default() }]
    );
    let mut part = chain("- {type: filter, expr: 'true', drop_ratio: 0.3}");
    assert_eq!(run(&mut part, &[r#"{"body":"x"}"#; 100]).len(), 70);
    check_refused("- {type: filter, drop_ratio: 2}", &["between 0 and 1", "`expr` is needed"]);
}

#[test]
fn a_condition_that_does_not_hold_passes_the_entry() {
    check(
        "- {type: json_parser, if: 'body matches \"^{.*}$\"', parse_to: body}",
        &[r#"{"body":"{\"key\":\"val\"}"}"#, r#"{"body":"notjson"}"#],
        &[r#"{"body":{"key":"val"}}"#, r#"{"body":"notjson"}"#],
    );
    check_error("- {type: noop, if: 'body.x.y == 1'}", r#"{"body":"a"}"#, "text has no `x`");
}

#[test]
fn what_becomes_of_errors_is_chosen() {
    for (on_error, left, is_told, dropped) in [
        ("send", 1, true, 0),
        ("send_quiet", 1, false, 0),
        ("drop", 0, true, 1),
        ("drop_quiet", 0, false, 1),
    ] {
        let mut chain = chain(&format!("- {{type: json_parser, on_error: {on_error}}}"));
        assert_eq!(run(&mut chain, &[r#"{"body":"x"}"#]).len(), left, "{on_error}");
        let reports = chain.take_reports();
        assert_eq!((reports[0].errors, reports[0].dropped), (1, dropped), "{on_error}");
        assert_eq!(reports[0].first_error.is_some(), is_told, "{on_error}");
        assert!(chain.take_reports().is_empty(), "told once");
    }
}

#[test]
fn all_problems_are_told_at_once_with_their_places() {
    check_refused(
        "- type: json_parser
  parse_from: message
  timestamp: {parse_from: attributes.t, layout: '%Q'}
  severity: {}
- type: move
  form: body.a
- {type: parse, id: a}
- {type: noop, if: 'body =='}
- {type: noop, output: jsn_parser}
- {type: noop, id: x}
- {type: noop, id: x}",
        &[
            "yaml:7:5: operators[1].form: there is no key `form` here",
            "did you mean `from`?",
            "`parse` is not known; valid are",
        ],
    );
    check_refused(
        "- type: json_parser
  parse_from: message
  timestamp: {parse_from: attributes.t, layout: '%Q'}
  severity: {}
- {type: noop, if: 'body =='}
- {type: noop, output: jsn_parser}
- {type: noop, id: x}
- {type: noop, id: x}",
        &[
            "yaml:3:17: operators[0].parse_from: `message` is no field",
            "operators[0].timestamp.layout: there is no directive `%Q` at column 1",
            "operators[0].severity.parse_from: `parse_from` is needed",
            "operators[1].if: a value is expected at column 8",
            "there is no operator `jsn_parser`",
            "did you mean `json_parser`?",
            "two operators are named `x`",
        ],
    );
}

#[test]
fn circles_and_islands_are_refused() {
    check_refused(
        "- {type: noop, id: a, output: b}\n- {type: noop, id: b, output: a}",
        &["lead in a circle"],
    );
    check_refused("- {type: noop, id: a, output: a}", &["lead in a circle"]);
    check_refused(
        "- {type: noop, output: c}\n- {type: noop, id: b}\n- {type: noop, id: c}",
        &["operators[1]", "nothing leads to this operator"],
    );
}

#[test]
fn operators_of_one_type_are_numbered() {
    let yaml = "- {type: noop, output: noop1}\n- {type: noop}\n- {type: noop}";
    check(yaml, &[r#"{"body":"x"}"#], &[r#"{"body":"x"}"#]);
    check_refused(
        "- {type: noop, output: noop3}\n- {type: noop}",
        &["there is no operator `noop3`"],
    );
}
