use super::*;

#[track_caller]
fn check(text: &str, nanoseconds: u64) {
    assert_eq!(text.parse(), Ok(Duration(time::Duration::from_nanos(nanoseconds))), "{text}");
}

#[track_caller]
fn check_refused(text: &str, expected: fn(String) -> InvalidDuration) {
    assert_eq!(text.parse::<Duration>(), Err(expected(text.to_owned())), "{text}");
}

#[test]
fn reads_what_go_writes() {
    check("0", 0);
    check("0s", 0);
    check("-0s", 0);
    check("+5s", 5_000_000_000);
    check("100ms", 100_000_000);
    check("1h2m3.5s", 3_723_500_000_000);
    check("1.5h", 5_400_000_000_000);
    check(".5s", 500_000_000);
    check("1.s", 1_000_000_000);
    check("3us", 3_000);
    check("3µs", 3_000);
    check("3μs4ns", 3_004);
    check("0.0000000005s", 0);
    check("0.00000000000000000000000001h", 0);
    check("9223372036854775807ns", 9_223_372_036_854_775_807);
}

#[test]
fn refuses_everything_else() {
    for text in ["", "s", ".s", "1..5s", "1s5", "abc", "-", "5s-", "1.2.3s"] {
        assert!(text.parse::<Duration>().is_err(), "{text}");
    }
    check_refused("30", InvalidDuration::Unitless);
    check_refused("1.5", InvalidDuration::Unitless);
    check_refused("1d", InvalidDuration::UnknownUnit);
    check_refused("5 s", InvalidDuration::UnknownUnit);
    check_refused("-5s", InvalidDuration::Negative);
    check_refused("9223372036854775808ns", InvalidDuration::TooLong);
    check_refused("99999999999999999999h", InvalidDuration::TooLong);
    check_refused("2562048h", InvalidDuration::TooLong);
}

#[test]
fn prints_what_it_reads() {
    for text in [
        "0s", "5s", "1.5s", "100ms", "1.5us", "7ns", "1m30s", "2h", "1h5m", "1h0m0.5s", "1m", "24h",
    ] {
        assert_eq!(text.parse::<Duration>().unwrap().to_string(), text);
    }
}

#[test]
fn takes_no_bare_number_but_zero() {
    let read = |text: &str| serde_json::from_str::<Duration>(text).map_err(|e| e.to_string());
    assert_eq!(read("0"), Ok(Duration::default()));
    assert_eq!(read("\"5s\""), Ok(Duration::from_secs(5)));
    assert!(read("30").unwrap_err().contains("write `30s` for seconds"));
    assert!(read("-3").unwrap_err().contains("is negative"));
    assert!(read("1.5").unwrap_err().contains("has no unit"));
    assert!(read("[]").unwrap_err().contains("a duration such as `30s`"));
}
