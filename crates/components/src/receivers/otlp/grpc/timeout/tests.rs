use super::*;

#[test]
fn reads_every_unit() {
    for (text, expected) in [
        ("2H", Duration::from_secs(7200)),
        ("3M", Duration::from_secs(180)),
        ("4S", Duration::from_secs(4)),
        ("5m", Duration::from_millis(5)),
        ("6u", Duration::from_micros(6)),
        ("7n", Duration::from_nanos(7)),
        ("99999999H", Duration::from_secs(99_999_999 * 3600)),
    ] {
        assert_eq!(parse(text), Some(expected), "{text}");
    }
}

#[test]
fn anything_else_is_no_timeout() {
    for text in ["", "S", "1", "1s", "-1S", "+1S", " 1S", "123456789S", "1 S", "é"] {
        assert_eq!(parse(text), None, "{text}");
    }
}
