use super::*;

fn check(text: &str, expected: Meaning<'_>) {
    assert_eq!(resolve(text), expected, "{text}");
}

#[test]
fn resolves_as_the_go_binary_does() {
    check("yes", Meaning::Text("yes"));
    check("on", Meaning::Text("on"));
    check("1_000", Meaning::Integer(1000));
    check("017", Meaning::Integer(15));
    check("0123", Meaning::Integer(83));
    check("0o17", Meaning::Integer(15));
    check("0x1F", Meaning::Integer(31));
    check("1e3", Meaning::Float(1000.0));
    check(".5", Meaning::Float(0.5));
    check("+3", Meaning::Integer(3));
    check("~", Meaning::Null);
    check("12:30:45", Meaning::Text("12:30:45"));
    check("2026-01-01", Meaning::Text("2026-01-01"));
}

#[test]
fn resolves_numbers_at_their_edges() {
    check("0", Meaning::Integer(0));
    check("-0", Meaning::Integer(0));
    check("0b101", Meaning::Integer(5));
    check("-0x10", Meaning::Integer(-16));
    check("9223372036854775808", Meaning::Integer(9_223_372_036_854_775_808));
    check("18446744073709551615", Meaning::Integer(u64::MAX.into()));
    check("18446744073709551616", Meaning::Float(18_446_744_073_709_551_616.0));
    check("-9223372036854775809", Meaning::Float(-9_223_372_036_854_775_809.0));
    check("08", Meaning::Float(8.0));
    check("1.", Meaning::Float(1.0));
    check("-.inf", Meaning::Float(f64::NEG_INFINITY));
    check("1e999", Meaning::Text("1e999"));
}

#[test]
fn leaves_all_else_as_text() {
    for text in [
        "-",
        "+",
        ".",
        "--1",
        "+-1",
        "0x",
        "0x-1",
        "1.2.3",
        "10s",
        "1e",
        "127.0.0.1",
        "_1",
        "tRUE",
        "+inf",
        "-nan",
        "+infinity",
        "4317/tcp",
        "é",
        "0é",
    ] {
        check(text, Meaning::Text(text));
    }
}

#[test]
fn takes_as_a_float_what_the_pattern_of_go_takes() {
    let pattern = r"^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$";
    let pattern = regex::Regex::new(pattern).unwrap();
    let mut texts = vec![String::new()];
    for _ in 0..5 {
        let longer =
            texts.iter().flat_map(|text| "+-.eE10 ".chars().map(move |c| format!("{text}{c}")));
        texts = longer.collect();
        for text in &texts {
            assert_eq!(float(text).is_some(), pattern.is_match(text), "{text}");
        }
    }
}

#[test]
fn knows_truth_and_nothing_in_three_spellings() {
    for text in ["true", "True", "TRUE"] {
        check(text, Meaning::Bool(true));
    }
    for text in ["false", "False", "FALSE"] {
        check(text, Meaning::Bool(false));
    }
    for text in ["", "null", "Null", "NULL"] {
        check(text, Meaning::Null);
    }
    assert!(matches!(resolve(".NaN"), Meaning::Float(value) if value.is_nan()));
}

#[test]
fn takes_quoted_scalars_as_text() {
    assert_eq!(Scalar::quoted("true").meaning(), Meaning::Text("true"));
    assert!(!Scalar::quoted("").is_null());
}
