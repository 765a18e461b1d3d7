//! The limits of the service, one by one.

use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::{Value, json};

use super::super::account::{Account, ApiError};
use super::super::rules::{Behaviour, Rule, Rules};
use super::super::signature;
use runtime::clock::Clock;
use std::time::Duration;

const NOW: i64 = 1_700_000_000_000;
const HOUR: i64 = 3_600_000;

fn account() -> Account {
    let mut account = Account::new(false);
    serve(&mut account, "CreateLogGroup", &json!({"logGroupName": "g"})).unwrap();
    let stream = json!({"logGroupName": "g", "logStreamName": "s"});
    serve(&mut account, "CreateLogStream", &stream).unwrap();
    account
}

fn serve(account: &mut Account, operation: &str, request: &Value) -> Result<Value, ApiError> {
    account.serve(operation, request.to_string().as_bytes(), NOW)
}

fn put(account: &mut Account, events: &[(i64, usize)]) -> Result<Value, ApiError> {
    let events = events
        .iter()
        .map(|(ahead, len)| json!({"timestamp": NOW + ahead, "message": "x".repeat(*len)}));
    let request = json!({
        "logGroupName": "g",
        "logStreamName": "s",
        "logEvents": events.collect::<Vec<_>>(),
    });
    serve(account, "PutLogEvents", &request)
}

fn refused(events: &[(i64, usize)]) -> String {
    let error = put(&mut account(), events).unwrap_err();
    assert_eq!(error.name, "InvalidParameterException");
    error.message
}

#[test]
fn a_put_within_all_limits_is_taken_and_one_beyond_any_is_not() {
    let quarter = 1_048_576 / 4 - 26;
    assert_eq!(put(&mut account(), &[(0, quarter); 4]), Ok(json!({})));
    assert!(
        refused(&[(0, quarter), (0, quarter), (0, quarter), (0, quarter + 1)])
            .contains("Upload too large")
    );
    assert_eq!(put(&mut account(), &[(0, 1_048_550)]), Ok(json!({})));
    assert!(refused(&[(0, 1_048_551)]).contains("Log event too large"));
    assert_eq!(put(&mut account(), &vec![(0, 1); 10_000]), Ok(json!({})));
    assert!(refused(&vec![(0, 1); 10_001]).contains("10001 members"));
    assert!(refused(&[]).contains("0 members"));
    assert!(refused(&[(0, 0)]).contains("at least 1 character"));
    assert!(refused(&[(0, 1), (-1, 1)]).contains("chronological"));
    assert_eq!(put(&mut account(), &[(-24 * HOUR, 1), (0, 1)]), Ok(json!({})));
    assert!(refused(&[(-24 * HOUR - 1, 1), (0, 1)]).contains("24 hours"));
}

#[test]
fn events_out_of_the_window_are_rejected_and_the_rest_is_taken() {
    let mut account = account();
    let days = |days: i64| days * 24 * HOUR;
    let events = [(-days(15), 1), (-days(15), 1), (0, 1), (2 * HOUR, 1), (2 * HOUR + 1, 1)];
    let answer = put(&mut account, &events).unwrap();
    let expected = json!({"tooOldLogEventEndIndex": 2, "tooNewLogEventStartIndex": 4});
    assert_eq!(answer["rejectedLogEventsInfo"], expected);
    assert_eq!(account.stream("g", "s").unwrap().events, 2);
    let retention = json!({"logGroupName": "g", "retentionInDays": 1});
    serve(&mut account, "PutRetentionPolicy", &retention).unwrap();
    let answer = put(&mut account, &[(-days(3), 1), (0, 1)]).unwrap();
    assert_eq!(answer["rejectedLogEventsInfo"], json!({"expiredLogEventEndIndex": 1}));
}

#[test]
fn names_retention_and_classes_are_checked() {
    let mut account = account();
    for (operation, request, name) in [
        ("CreateLogGroup", json!({"logGroupName": "g"}), "ResourceAlreadyExistsException"),
        ("CreateLogGroup", json!({"logGroupName": "a b"}), "InvalidParameterException"),
        ("CreateLogGroup", json!({"logGroupName": "aws/x"}), "InvalidParameterException"),
        (
            "CreateLogGroup",
            json!({"logGroupName": "h", "logGroupClass": "GOLD"}),
            "InvalidParameterException",
        ),
        (
            "CreateLogStream",
            json!({"logGroupName": "g", "logStreamName": "a:b"}),
            "InvalidParameterException",
        ),
        (
            "CreateLogStream",
            json!({"logGroupName": "h", "logStreamName": "s"}),
            "ResourceNotFoundException",
        ),
        (
            "PutRetentionPolicy",
            json!({"logGroupName": "g", "retentionInDays": 2}),
            "InvalidParameterException",
        ),
        ("FilterLogEvents", json!({}), "UnknownOperationException"),
    ] {
        assert_eq!(serve(&mut account, operation, &request).unwrap_err().name, name, "{request}");
    }
}

#[test]
fn what_there_is_can_be_described_and_tagged() {
    let mut account = account();
    put(&mut account, &[(0, 5)]).unwrap();
    let arn = "arn:aws:logs:eu-west-1:000000000000:log-group:g";
    let tags = json!({"resourceArn": arn, "tags": {"a": "b"}});
    assert!(serve(&mut account, "TagResource", &tags).is_ok());
    let groups = serve(&mut account, "DescribeLogGroups", &json!({})).unwrap();
    assert_eq!(groups["logGroups"][0]["storedBytes"], 5);
    let request = json!({"logGroupName": "g", "logStreamNamePrefix": "s"});
    let streams = serve(&mut account, "DescribeLogStreams", &request).unwrap();
    assert_eq!(streams["logStreams"][0]["logStreamName"], "s");
}

#[test]
fn the_first_rule_that_fits_counts_until_its_limit() {
    let now = Clock.now();
    let rule = |text: &str| text.parse::<Rule>().unwrap();
    let mut rules = Rules::none();
    let texts = ["bad*,PutLogEvents=deny@2", "bad1:s*=reset@30s", "slow=throttle:1"];
    rules.replace(texts.map(rule).to_vec(), now);
    let mut of = |group: &str, operation: &str, secs| {
        rules.behaviour((group, "s1"), operation, now + Duration::from_secs(secs))
    };
    assert_eq!(of("good", "PutLogEvents", 0), None);
    assert_eq!(of("bad1", "CreateLogStream", 0), Some(Behaviour::Reset));
    assert_eq!(of("bad2", "PutLogEvents", 0), Some(Behaviour::Deny));
    assert_eq!(of("bad1", "PutLogEvents", 0), Some(Behaviour::Deny));
    assert_eq!(of("bad1", "PutLogEvents", 1), Some(Behaviour::Reset), "denied twice, as asked");
    assert_eq!(of("bad1", "PutLogEvents", 31), None);
    assert_eq!(of("slow", "PutLogEvents", 31), None);
    assert_eq!(of("slow", "PutLogEvents", 31), Some(Behaviour::Throttle { per_second: 1 }));
}

#[test]
fn rules_that_say_nothing_are_refused() {
    for text in ["deny", "g=", "g=status:200", "g=stall", "g=deny@soon", "g=error:"] {
        assert!(text.parse::<Rule>().is_err(), "{text}");
    }
}

/// A request that botocore 1.43 signed.
fn signed() -> HeaderMap {
    let pairs = [
        ("host", "127.0.0.1:4599"),
        ("x-amz-date", "20150830T123600Z"),
        ("content-type", "application/x-amz-json-1.1"),
        ("x-amz-target", "Logs_20140328.PutLogEvents"),
        ("content-encoding", "gzip"),
        ("my-header", "  a   b  c "),
        ("x-amz-security-token", "TOKEN/+="),
        (
            "authorization",
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/eu-central-1/logs/aws4_request, \
             SignedHeaders=content-encoding;content-type;host;my-header;x-amz-date;\
             x-amz-security-token;x-amz-target, \
             Signature=3e8130da902c2fc2a16a374d8c5adb10c7d8fa8290133c83ef8abc1fce934da9",
        ),
    ];
    let pair = |(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value));
    pairs.into_iter().map(pair).collect()
}

#[test]
fn signatures_are_checked_with_the_key_the_body_and_the_time() {
    let key = |text: &str| text.parse::<signature::Key>().unwrap();
    let right = key("AKIDEXAMPLE:wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY");
    let body = br#"{"logGroupName":"g"}"#;
    let at = components::aws::signature::time_of_stamp("20150830T123600Z").unwrap();
    let check = |key: &signature::Key, body: &[u8], at| {
        signature::check(key, "/", &signed(), body, at).map_err(|error| error.name + &error.message)
    };
    assert_eq!(check(&right, body, at), Ok(()));
    let other = check(&key("OTHER:x"), body, at).unwrap_err();
    assert!(other.contains("UnrecognizedClient"), "{other}");
    for (key, body, at, words) in [
        (&key("AKIDEXAMPLE:x"), &body[..], at, "does not match"),
        (&right, b"{}", at, "does not match"),
        (&right, body, at + Duration::from_secs(301), "Signature expired"),
        (&right, body, at - Duration::from_secs(301), "not yet current"),
    ] {
        let error = check(key, body, at).unwrap_err();
        assert!(error.contains(words), "{error}");
    }
    let unsigned = signature::check(&right, "/", &HeaderMap::new(), body, at).unwrap_err();
    assert_eq!(unsigned.name, "MissingAuthenticationTokenException");
}
