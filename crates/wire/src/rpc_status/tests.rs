use prost::Message as _;

use super::*;

/// `google.rpc.Status` as an independent library sees it.
#[derive(Clone, PartialEq, prost::Message)]
struct PublishedStatus {
    #[prost(int32, tag = "1")]
    code: i32,
    #[prost(string, tag = "2")]
    message: String,
    #[prost(message, repeated, tag = "3")]
    details: Vec<prost_types::Any>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct PublishedRetryInfo {
    #[prost(message, optional, tag = "1")]
    retry_delay: Option<prost_types::Duration>,
}

fn status(code: u32, message: &str, retry_after: Option<Duration>) -> Status {
    Status { code, message: message.to_owned(), retry_after }
}

fn published_retry_info(seconds: i64, nanos: i32) -> prost_types::Any {
    let info = PublishedRetryInfo { retry_delay: Some(prost_types::Duration { seconds, nanos }) };
    prost_types::Any { type_url: RETRY_INFO.to_owned(), value: info.encode_to_vec() }
}

#[test]
fn writes_what_prost_reads() {
    let ours = status(14, "busy", Some(Duration::new(3, 250)));
    let read = PublishedStatus::decode(ours.encode()).unwrap();
    assert_eq!((read.code, read.message.as_str()), (14, "busy"));
    assert_eq!(read.details, [published_retry_info(3, 250)]);
}

#[test]
fn reads_what_prost_writes() {
    let unknown = prost_types::Any { type_url: "x/google.rpc.Help".into(), value: vec![0xff] };
    let theirs = PublishedStatus {
        code: 8,
        message: "full".into(),
        details: vec![unknown, published_retry_info(1, 0), published_retry_info(9, 0)],
    };
    let read = Status::decode(&theirs.encode_to_vec()).unwrap();
    assert_eq!(read, status(8, "full", Some(Duration::from_secs(1))));
}

#[test]
fn every_form_round_trips() {
    let delays = [0, 1, 999, 1_000, 1_500_000, 2_000_000_000, 61_123_456_789];
    let delays = delays.map(Duration::from_nanos).map(Some);
    for retry_after in delays.into_iter().chain([None]) {
        let status = status(14, "try \"later\"\n", retry_after);
        assert_eq!(Status::decode(&status.encode()).unwrap(), status);
        assert_eq!(Status::from_json(&status.to_json()).unwrap(), status);
        assert_eq!(Status::from_header(&status.to_header()).unwrap(), status);
    }
}

#[test]
fn writes_the_json_of_the_specification() {
    let json = status(14, "busy", Some(Duration::from_millis(1500))).to_json();
    let expected = concat!(
        r#"{"code":14,"message":"busy","details":["#,
        r#"{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"1.500s"}]}"#
    );
    assert_eq!(String::from_utf8(json).unwrap(), expected);
}

#[test]
fn reads_json_of_other_writers() {
    let retry = |delay: &str| {
        format!(r#"{{"code":"8","details":[{{}},1,{{"@type":"google.rpc.RetryInfo"{delay}}}]}}"#)
    };
    let check = |text: &str, expected: Status| {
        assert_eq!(Status::from_json(text.as_bytes()), Ok(expected), "{text}");
    };
    let after = |millis| status(8, "", Some(Duration::from_millis(millis)));
    check("{}", status(0, "", None));
    check(r#"{"code":-4,"message":null,"more":[1]}"#, status(2, "", None));
    check(&retry(""), after(0));
    check(&retry(r#","retryDelay":"30s""#), after(30_000));
    check(&retry(r#","retry_delay":"0.5s""#), after(500));
    check(&retry(r#","retryDelay":"-5s""#), after(0));
    check(&retry(r#","retryDelay":"soon""#), status(8, "", None));
    check(&retry(r#","retryDelay":"1.2.3s""#), status(8, "", None));
}

#[test]
fn clamps_delays_to_the_range_of_protobuf() {
    let read = |seconds, nanos| {
        let theirs = PublishedStatus {
            details: vec![published_retry_info(seconds, nanos)],
            ..Default::default()
        };
        Status::decode(&theirs.encode_to_vec()).unwrap().retry_after.unwrap()
    };
    assert_eq!(read(-1, 0), Duration::ZERO);
    assert_eq!(read(0, -1), Duration::ZERO);
    assert_eq!(read(i64::MAX, i32::MAX), Duration::from_secs(315_576_000_000));
    assert_eq!(delay::from_text(&format!("{}s", "9".repeat(40))), Some(read(i64::MAX, 0)));
    let longest = status(14, "", Some(Duration::MAX));
    assert_eq!(Status::decode(&longest.encode()).unwrap().retry_after, Some(read(i64::MAX, 0)));
}

#[test]
fn cuts_long_messages_at_a_character() {
    let long = status(3, &"é".repeat(MESSAGE_BYTES_MAX), None);
    for read in [Status::decode(&long.encode()), Status::from_json(&long.to_json())] {
        assert_eq!(read.unwrap().message.len(), MESSAGE_BYTES_MAX);
    }
    let odd = status(3, &format!("a{}", "é".repeat(MESSAGE_BYTES_MAX)), None);
    assert_eq!(Status::decode(&odd.encode()).unwrap().message.len(), MESSAGE_BYTES_MAX - 1);
}

#[test]
fn refuses_what_is_no_status() {
    for encoded in [&b"\x0a"[..], b"\x12\x05ab", b"\x0b", b"\x08"] {
        assert!(matches!(Status::decode(encoded), Err(StatusError::Malformed(_))));
    }
    for text in ["", "[]", "{", r#"{"code":true}"#, r#"{"message":1}"#, "{}x"] {
        assert!(matches!(Status::from_json(text.as_bytes()), Err(StatusError::Malformed(_))));
    }
    assert!(matches!(Status::from_header("%"), Err(StatusError::Malformed(_))));
    let large = vec![b' '; BYTES_MAX + 1];
    assert_eq!(Status::decode(&large), Err(StatusError::TooLarge));
    assert_eq!(Status::from_json(&large), Err(StatusError::TooLarge));
}

proptest::proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes: Vec<u8>, at: usize, flipped: u8) {
        let mut damaged = status(14, "busy", Some(Duration::from_millis(1500))).encode().to_vec();
        let place = at % damaged.len();
        damaged[place] ^= flipped;
        for encoded in [bytes, damaged] {
            let is_too_long = |read: Result<Status, StatusError>| {
                read.is_ok_and(|status| MESSAGE_BYTES_MAX < status.message.len())
            };
            assert!(!is_too_long(Status::decode(&encoded)));
            assert!(!is_too_long(Status::from_json(&encoded)));
            assert!(!is_too_long(Status::from_header(&String::from_utf8_lossy(&encoded))));
        }
    }
}

#[test]
fn keeps_a_message_that_is_not_utf8_readable() {
    assert_eq!(Status::decode(b"\x12\x03a\xffb").unwrap().message, "a\u{fffd}b");
}
