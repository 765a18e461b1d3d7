use super::*;

#[test]
fn json_is_read_into_attributes_and_errors_keep_the_line() {
    let parser = "- type: json_parser";
    check(
        parser,
        &[r#"{"body":"{\"a\":1,\"b\":{\"c\":[true,null,\"é\"]}}"}"#],
        &[r#"{"body":"{\"a\":1,\"b\":{\"c\":[true,null,\"é\"]}}",
             "attributes":{"a":1.0,"b":{"c":[true,null,"é"]}}}"#],
    );
    check(
        "- {type: json_parser, parse_ints: true, parse_to: body}",
        &[r#"{"body":"{\"a\":1,\"b\":1.5,\"c\":18446744073709551615}"}"#],
        &[r#"{"body":{"a":1,"b":1.5,"c":18446744073709551615.0}}"#],
    );
    check(parser, &[r#"{"body":"no json"}"#], &[r#"{"body":"no json"}"#]);
    check_error(parser, r#"{"body":"[1]"}"#, "the JSON is a list, not an object");
    check_error(parser, r#"{"body":{"a":1}}"#, "`body` is a map, not text");
    check_error(
        "- {type: json_parser, parse_from: attributes.x}",
        r#"{"body":"x"}"#,
        "there is no `attributes.x`",
    );
    let deep = format!(r#"{{"body":"{}"}}"#, "[".repeat(200));
    assert_eq!(run(&mut chain(parser), &[&deep]).len(), 1, "deep JSON is an error like others");
}

#[test]
fn a_parser_reads_time_severity_trace_and_scope_of_its_result() {
    check(
        "- type: json_parser
  parse_to: body
  timestamp: {parse_from: body.t, layout_type: epoch, layout: s}
  severity: {parse_from: body.s}
  trace:
    trace_id: {parse_from: body.trace}
    span_id: {parse_from: body.span}
    trace_flags: {parse_from: body.flags}
  scope_name: {parse_from: body.logger}
  body: body.m",
        &[r#"{"body":"{\"t\":1136239445,\"s\":\"Warning\",\"m\":\"hi\"}"}"#],
        &[r#"{"body":"hi"}"#],
    );
    check(
        "- type: json_parser
  timestamp: {parse_from: attributes.t, layout_type: epoch, layout: s}
  severity: {parse_from: attributes.s}
  trace:
    trace_id: {parse_from: attributes.trace}
    span_id: {parse_from: attributes.span}
    trace_flags: {parse_from: attributes.flags}
  scope_name: {parse_from: attributes.logger}
- {type: retain, fields: [attributes.m]}",
        &[
            r#"{"body":"{\"t\":1136239445,\"s\":\"Warning\",\"m\":\"hi\",\"logger\":\"main\",\"trace\":\"0102030405060708090a0b0c0d0e0f10\",\"span\":\"0102030405060708\",\"flags\":\"01\"}"}"#,
        ],
        &[
            r#"{"body":"{\"t\":1136239445,\"s\":\"Warning\",\"m\":\"hi\",\"logger\":\"main\",\"trace\":\"0102030405060708090a0b0c0d0e0f10\",\"span\":\"0102030405060708\",\"flags\":\"01\"}",
             "timestamp":"2006-01-02T22:04:05Z","severity_number":13,"severity_text":"Warning",
             "attributes":{"m":"hi"},"scope":"main","trace_id":"0102030405060708090a0b0c0d0e0f10",
             "span_id":"0102030405060708","trace_flags":1}"#,
        ],
    );
}

#[test]
fn named_groups_are_taken_out() {
    let parser = r"- type: regex_parser
  regex: '^(?P<time>\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}) (?P<sev>[A-Z]*)(?: (?P<msg>.*))?$'
  timestamp: {parse_from: attributes.time, layout: '%Y-%m-%d %H:%M:%S', location: UTC}
  severity: {parse_from: attributes.sev}";
    check(
        parser,
        &[r#"{"body":"2023-06-19 05:20:50 ERROR test"}"#, r#"{"body":"2023-06-19 05:20:50 X"}"#],
        &[
            r#"{"body":"2023-06-19 05:20:50 ERROR test","timestamp":"2023-06-19T05:20:50Z",
                "severity_number":17,"severity_text":"ERROR",
                "attributes":{"time":"2023-06-19 05:20:50","sev":"ERROR","msg":"test"}}"#,
            r#"{"body":"2023-06-19 05:20:50 X","timestamp":"2023-06-19T05:20:50Z","severity_text":"X",
                "attributes":{"time":"2023-06-19 05:20:50","sev":"X","msg":""}}"#,
        ],
    );
    check_error(parser, r#"{"body":"other"}"#, "the pattern does not match");
    check_refused("- {type: regex_parser, regex: '(a'}", &["operators[0].regex: not a regular"]);
    check_refused("- {type: regex_parser, regex: 'a'}", &["`regex` has no named groups"]);
    check_refused("- {type: regex_parser}", &["`regex` is needed"]);
}

#[test]
fn values_with_delimiters_are_taken_apart() {
    let csv = |more: &str| format!("- {{type: csv_parser, header: 'id,severity,message'{more}}}");
    check(
        &csv(", parse_to: body"),
        &[r#"{"body":"1,debug,\"a, \"\"b\"\"\nc\""}"#, r#"{"body":",,"}"#],
        &[
            r#"{"body":{"id":"1","severity":"debug","message":"a, \"b\"\nc"}}"#,
            r#"{"body":{"id":"","severity":"","message":""}}"#,
        ],
    );
    check_error(&csv(""), r#"{"body":"1,2"}"#, "2 values for 3 names");
    check_error(&csv(""), r#"{"body":"1,a\"b,3"}"#, "a quote stands in a value without quotes");
    check_error(&csv(""), r#"{"body":"1,\"a,3"}"#, "a quote is not closed");
    check_error(&csv(""), r#"{"body":"1,\"a\"b,3"}"#, "text follows a closing quote");
    check(
        &csv(", lazy_quotes: true, parse_to: body"),
        &[r#"{"body":"1,a\"b,\"c\"d\""}"#],
        &[r#"{"body":{"id":"1","severity":"a\"b","message":"c\"d"}}"#],
    );
    check(
        &csv(", ignore_quotes: true, parse_to: body, delimiter: \"\\t\", header_delimiter: ','"),
        &[r#"{"body":"1\t\"a\t3"}"#],
        &[r#"{"body":{"id":"1","severity":"\"a","message":"3"}}"#],
    );
    check(
        "- {type: csv_parser, header_attribute: Fields, parse_to: body}",
        &[r#"{"body":"1,2","attributes":{"Fields":"a, b"}}"#],
        &[r#"{"body":{"a":"1","b":"2"},"attributes":{"Fields":"a, b"}}"#],
    );
    check_refused(
        "- {type: csv_parser, delimiter: ab}",
        &["delimiter: the delimiter must be", "exactly one of `header` and `header_attribute`"],
    );
}

#[test]
fn pairs_are_taken_apart() {
    check(
        "- {type: key_value_parser, parse_to: body}",
        &[r#"{"body":"name=stanza  age=2 msg=\"a = b\" q='x y'\tz="}"#],
        &[r#"{"body":{"name":"stanza","age":"2","msg":"a = b","q":"x y","z":""}}"#],
    );
    check(
        "- {type: key_value_parser, delimiter: ':', pair_delimiter: '!', parse_to: body}",
        &[r#"{"body":"name:stanza ! org:otel      ! url:http://x"}"#],
        &[r#"{"body":{"name":"stanza","org":"otel","url":"http://x"}}"#],
    );
    let parser = "- type: key_value_parser";
    check_error(parser, r#"{"body":"a=1 b"}"#, "`b` is no pair with `=` in it");
    check_error(parser, r#"{"body":"a=\"1"}"#, "a quote is not closed");
    check_error(parser, r#"{"body":" "}"#, "there are no pairs");
    check_refused(
        "- {type: key_value_parser, delimiter: '=', pair_delimiter: '='}",
        &["both delimiters are the same"],
    );
}

#[test]
fn uris_are_taken_apart() {
    let parser = "- {type: uri_parser, parse_to: body}";
    for (uri, expected) in [
        (
            "https://dev:pass@Google.com:8443/app%20x?user_id=2&token=001&token=a+b#top",
            r#"{"scheme":"https","user":"dev","host":"Google.com","port":"8443","path":"/app x",
                "query":{"user_id":["2"],"token":["001","a b"]}}"#,
        ),
        ("/app?user=admin", r#"{"path":"/app","query":{"user":["admin"]}}"#),
        ("?env=stage&env=dev", r#"{"query":{"env":["stage","dev"]}}"#),
        ("http://[::1]:80/", r#"{"scheme":"http","host":"::1","port":"80","path":"/"}"#),
        ("mailto:a@b.c", r#"{"scheme":"mailto","path":"a@b.c"}"#),
    ] {
        let expected = format!("{{\"body\":{expected}}}");
        check(parser, &[&format!("{{\"body\":\"{uri}\"}}")], &[&expected]);
    }
    check_error(parser, r#"{"body":"not a uri"}"#, "not a URI");
    check_error(parser, r#"{"body":"http://x:y/"}"#, "`y` is no port");
}

#[test]
fn severities_are_mapped() {
    let parser = "- type: severity_parser
  parse_from: body
  mapping:
    error: oops
    warn: [hey!, YSK]
    info:
      - {min: 300, max: 399}
    debug: 2xx
    info3: medium
    fatal: [really serious, {min: 9050, max: 9001}, 5xx]";
    for (text, number) in [
        ("\"oops\"", 17),
        ("\"ysk\"", 13),
        ("300", 9),
        ("\"399\"", 9),
        ("400", 0),
        ("250", 5),
        ("\"Medium\"", 11),
        ("9001", 21),
        ("599.0", 21),
        ("\"ERROR3\"", 19),
        ("\"warning2\"", 14),
        ("24", 24),
        ("\"unknown\"", 0),
    ] {
        let left = run(&mut chain(parser), &[&format!("{{\"body\":{text}}}")]);
        assert_eq!(left[0].severity_number, number, "{text}");
    }
    check(
        "- {type: severity, parse_from: body, preset: none, overwrite_text: true, mapping: {error2: bad}}",
        &[r#"{"body":"bad"}"#, r#"{"body":"error"}"#],
        &[
            r#"{"body":"bad","severity_number":18,"severity_text":"ERROR2"}"#,
            r#"{"body":"error","severity_text":"error"}"#,
        ],
    );
    check_error(parser, r#"{"body":true}"#, "a truth value is no severity");
    check_refused(
        "- {type: severity_parser, mapping: {loud: x, info: {min: 1}}}",
        &["`parse_from` is needed", "`loud` is no severity", "mapping.info: a text, a whole"],
    );
}

#[test]
fn lines_of_container_runtimes_are_read() {
    let path = "/var/log/pods/some-ns_kube-controller-kind-control-plane_49cc7c1fd3702c40b2686ea7486091d6/kube-controller/1.log";
    let entry = |body: &str| {
        let attributes =
            Value::Map([("log.file.path".to_owned(), path.into())].into_iter().collect());
        format!("{{\"body\":{},\"attributes\":{attributes}}}", serde_json::to_string(body).unwrap())
    };
    let expected = |body: &str, time: &str, tag: &str| {
        format!(
            r#"{{"body":"{body}","timestamp":"{time}",
                "attributes":{{"log.file.path":"{path}","log.iostream":"stdout"{tag}}},
                "resource":{{"k8s.namespace.name":"some-ns","k8s.container.name":"kube-controller",
                "k8s.pod.name":"kube-controller-kind-control-plane","k8s.container.restart_count":"1",
                "k8s.pod.uid":"49cc7c1fd3702c40b2686ea7486091d6"}}}}"#
        )
    };
    let container = "- type: container";
    let docker = r#"{"log":"INFO: log line here","stream":"stdout","time":"2024-03-30T08:31:20.545192187Z"}"#;
    check(
        container,
        &[&entry(docker)],
        &[&expected("INFO: log line here", "2024-03-30T08:31:20.545192187Z", "")],
    );
    let tag = r#","logtag":"F""#;
    let crio = "2024-04-13T07:59:37.505201169-05:00 stdout F standalone crio line";
    check(
        container,
        &[&entry(crio)],
        &[&expected("standalone crio line", "2024-04-13T12:59:37.505201169Z", tag)],
    );
    let containerd = [
        "2023-06-22T10:27:25.813799277Z stdout P multiline containerd line that i",
        "2023-06-22T10:27:25.813799277Z stdout F s super awesome",
    ];
    let inputs = containerd.map(entry);
    let inputs: Vec<&str> = inputs.iter().map(String::as_str).collect();
    let whole = "multiline containerd line that is super awesome";
    check(container, &inputs, &[&expected(whole, "2023-06-22T10:27:25.813799277Z", tag)]);
    let left = run(&mut chain(container), &inputs);
    assert_eq!(left[0].origin.range, 0..20, "it stands for both lines");
}

#[test]
fn parts_of_two_streams_of_a_container_are_not_mixed() {
    let line = |stream: &str, tag: &str, text: &str| {
        format!(r#"{{"body":"2023-06-22T10:27:25Z {stream} {tag} {text}"}}"#)
    };
    let lines = [
        line("stdout", "P", "out 1 "),
        line("stderr", "P", "err 1 "),
        line("stdout", "F", "out 2"),
        line("stderr", "F", "err 2"),
    ];
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let mut chain = chain("- {type: container, add_metadata_from_filepath: false}");
    let left = run(&mut chain, &lines);
    let bodies: Vec<_> = left.iter().map(|entry| entry.body.to_string()).collect();
    assert_eq!(bodies, ["out 1 out 2", "err 1 err 2"]);
}

#[test]
fn what_no_container_runtime_wrote_is_kept() {
    let container = "- {type: container, add_metadata_from_filepath: false}";
    check_error(
        container,
        r#"{"body":"hello world"}"#,
        "the line is none that a container runtime writes",
    );
    check_error(container, r#"{"body":"{\"log\":1}"}"#, "a line of Docker has a text `log`");
    let message = "there is no attribute `log.file.path`: `include_file_path: true` is needed";
    check_error("- type: container", r#"{"body":"2023-06-22T10:27:25Z stdout F x"}"#, message);
}
