use super::*;

fn at(secs: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(secs)
}

#[test]
fn writes_and_reads_the_times_of_signatures() {
    for (secs, stamp) in [
        (0, "19700101T000000Z"),
        (951_782_400, "20000229T000000Z"),
        (1_440_938_160, "20150830T123600Z"),
        (4_107_542_399, "21000228T235959Z"),
    ] {
        assert_eq!(amz_stamp(at(secs)), stamp);
        assert_eq!(parse_utc(stamp), Some(at(secs)), "{stamp}");
    }
}

#[test]
fn reads_the_expiry_of_credentials_in_all_its_forms() {
    for text in ["2015-08-30T12:36:00Z", "2015-08-30T12:36:00.123Z", "2015-08-30T12:36:00+00:00"] {
        assert_eq!(parse_utc(text), Some(at(1_440_938_160)), "{text}");
    }
    for text in ["", "Z", "2015-08-30", "2015-13-30T12:36:00Z", "tomorrow", "2015-08-30T12:36:00"] {
        assert_eq!(parse_utc(text), None, "{text}");
    }
}
