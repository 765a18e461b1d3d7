use super::*;

#[track_caller]
fn check(text: &str, bytes: u64) {
    assert_eq!(text.parse(), Ok(ByteSize(bytes)), "{text}");
}

#[test]
fn reads_plain_and_with_units() {
    check("0", 0);
    check("20971520", 20 << 20);
    check("20MiB", 20 << 20);
    check("20 MiB", 20 << 20);
    check("512Mi", 512 << 20);
    check("1.5GiB", 3 << 29);
    check("1GB", 1_000_000_000);
    check("64kB", 64_000);
    check("16777215TiB", 16_777_215 << 40);
}

#[test]
fn refuses_everything_else() {
    for text in ["", "MiB", "-1", "1.MiB", ".5MiB", "20mib", "1QB", "99999999TiB", "1.5.5MB", "é"]
    {
        assert_eq!(text.parse::<ByteSize>(), Err(InvalidByteSize(text.to_owned())), "{text}");
    }
}

#[test]
fn prints_what_it_reads() {
    for text in ["0", "1000", "1KiB", "20MiB", "3GiB", "1TiB"] {
        assert_eq!(text.parse::<ByteSize>().unwrap().to_string(), text);
    }
}

#[test]
fn takes_numbers_and_text() {
    assert_eq!(serde_json::from_str::<ByteSize>("4096").unwrap(), ByteSize(4096));
    assert_eq!(serde_json::from_str::<ByteSize>("\"4KiB\"").unwrap(), ByteSize(4096));
    assert!(serde_json::from_str::<ByteSize>("-1").is_err());
}
