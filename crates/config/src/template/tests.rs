use super::*;

fn text(text: &str) -> Piece {
    Piece::Text(text.to_owned())
}

fn expansion(number: usize, inner: &[Piece]) -> Piece {
    Piece::Expansion { inner: inner.to_vec(), number }
}

#[track_caller]
fn check(template: &str, expected: &[Piece]) {
    assert_eq!(parse(template).as_deref(), Ok(expected), "{template}");
}

#[test]
fn finds_expansions() {
    check("", &[]);
    check("a", &[text("a")]);
    check("${a}", &[expansion(0, &[text("a")])]);
    check(
        "x${a}y${b}",
        &[text("x"), expansion(0, &[text("a")]), text("y"), expansion(1, &[text("b")])],
    );
    check("${a:-${b}}}", &[expansion(0, &[text("a:-"), expansion(1, &[text("b")])]), text("}")]);
    check("${}", &[expansion(0, &[])]);
}

#[test]
fn takes_two_dollars_as_one() {
    check("$P", &[text("$P")]);
    check("$$P", &[text("$P")]);
    check("$${a}", &[text("${a}")]);
    check("$$${a}", &[text("$"), expansion(0, &[text("a")])]);
    check("$$$${a}", &[text("$${a}")]);
    check("100$", &[text("100$")]);
    check("{a}", &[text("{a}")]);
}

#[test]
fn refuses_a_expansion_without_end() {
    let refused = |number| Err(InvalidTemplate::Unclosed { number });
    assert_eq!(parse("a${b"), refused(0));
    assert_eq!(parse("${a} ${b"), refused(1));
    assert_eq!(parse("${a${b}"), refused(0));
}

#[test]
fn bounds_the_depth() {
    let nested = |depth: usize| format!("{}a{}", "${".repeat(depth), "}".repeat(depth));
    assert!(parse(&nested(20)).is_ok());
    let error = parse(&nested(21));
    assert_eq!(error, Err(InvalidTemplate::TooDeep { number: 20 }));
}
