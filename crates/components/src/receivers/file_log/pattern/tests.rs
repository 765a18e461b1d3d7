use regex::Regex;

use super::*;

#[test]
fn brackets_that_go_takes_for_themselves_are_escaped() {
    for (pattern, text) in [
        (r"^{.*}$", "{a}"),
        (r"a{2}b{1,}c{0,3}", "aabccc"),
        (r"a{,2}", "a{,2}"),
        (r"{2}", "{2}"),
        (r"x{y}", "x{y}"),
        (r"^[^[]+$", "a]b"),
        (r"^[[:alpha:]_]+$", "ab_"),
        (r"^[]a]+$", "]a"),
        (r"^[^]]+$", "ab"),
        (r"^[a&&b]+$", "a&b"),
        (r"^[+--]+$", "+,-"),
        (r"^\{é\[\]$", "{é[]"),
        (r"^[{]$", "{"),
    ] {
        let converted = from_go(pattern);
        let regex = Regex::new(&converted).unwrap_or_else(|error| panic!("{pattern}: {error}"));
        assert!(regex.is_match(text), "{pattern} as {converted} of {text}");
    }
    for plain in [r"^(?P<a>\S+) \[(?P<b>[^\]]*)\]$", r"\d{4}-\d{2}", "", r"a|b\\", "\\"] {
        assert_eq!(from_go(plain), plain);
    }
}
