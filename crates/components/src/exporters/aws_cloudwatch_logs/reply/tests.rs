use std::time::UNIX_EPOCH;

use bytes::Bytes;
use http::HeaderValue;

use super::*;

fn answer(status: u16, headers: &[(&'static str, &str)], body: &str) -> Answer {
    let headers = headers
        .iter()
        .map(|(name, value)| {
            let name = http::HeaderName::from_static(name);
            (name, HeaderValue::from_str(value).unwrap())
        })
        .collect();
    let status = StatusCode::from_u16(status).unwrap();
    let body = Ok(Bytes::copy_from_slice(body.as_bytes()));
    Answer { status, headers, body, trailers: HeaderMap::new() }
}

fn named(status: u16, name: &str) -> Answer {
    answer(status, &[], &format!(r#"{{"__type":"{name}","message":"because"}}"#))
}

fn failure(operation: Operation, answer: &Answer) -> Failure {
    read(operation, answer, UNIX_EPOCH).unwrap_err()
}

fn scopes() -> Scopes {
    Scopes {
        credential: Scope::new("credential"),
        operation: Scope::new("operation"),
        endpoint: Scope::new("endpoint"),
    }
}

/// Verdict and scope of a put that was answered so.
fn judged(answer: &Answer) -> (&'static str, String) {
    let reply = failure(Operation::PutLogEvents, answer).reply(&scopes());
    let verdict = match reply.verdict {
        Verdict::Delivered => "delivered",
        Verdict::Refused(_) => "refused",
        Verdict::RetryAfter { .. } => "retry",
        Verdict::Unknown(_) => "unknown",
    };
    (verdict, reply.scope.map_or_else(|| "target".to_owned(), |scope| scope.to_string()))
}

#[test]
fn each_error_has_its_verdict_and_its_scope() {
    for (status, name, verdict, scope) in [
        (400, "AccessDeniedException", "retry", "target"),
        (400, "ResourceNotFoundException", "retry", "target"),
        (400, "ThrottlingException", "retry", "operation"),
        (400, "RequestLimitExceeded", "retry", "operation"),
        (429, "Whatever", "retry", "operation"),
        (503, "ServiceUnavailableException", "retry", "endpoint"),
        (500, "InternalFailure", "retry", "endpoint"),
        (502, "", "retry", "endpoint"),
        (400, "UnrecognizedClientException", "retry", "credential"),
        (400, "InvalidSignatureException", "retry", "credential"),
        (400, "ExpiredTokenException", "retry", "credential"),
        (403, "ExpiredToken", "retry", "credential"),
        (400, "RequestExpired", "retry", "credential"),
        (400, "InvalidParameterException", "refused", "target"),
        (413, "", "refused", "target"),
        (400, "OperationAbortedException", "retry", "target"),
        (400, "InvalidSequenceTokenException", "retry", "target"),
        (400, "SomethingNewException", "retry", "target"),
    ] {
        let got = judged(&named(status, name));
        assert_eq!(got, (verdict, scope.to_owned()), "{status} {name}");
    }
}

#[test]
fn a_refusal_for_content_can_be_narrowed_down_and_one_of_a_name_cannot() {
    let invalid = named(400, "InvalidParameterException");
    let status_of = |operation| match failure(operation, &invalid).reply(&scopes()).verdict {
        Verdict::Refused(status) => (status.code, status.http),
        other => panic!("{other:?}"),
    };
    assert_eq!(status_of(Operation::PutLogEvents), (Code::InvalidArgument, Some(400)));
    assert_eq!(status_of(Operation::CreateLogStream), (Code::FailedPrecondition, None));
}

#[test]
fn the_status_of_a_failure_says_whether_someone_has_to_mend_it() {
    for (status, name, code) in [
        (400, "AccessDeniedException", Code::PermissionDenied),
        (400, "ResourceNotFoundException", Code::NotFound),
        (400, "UnrecognizedClientException", Code::Unauthenticated),
        (400, "ThrottlingException", Code::ResourceExhausted),
        (400, "OperationAbortedException", Code::Aborted),
        (503, "ServiceUnavailableException", Code::Unavailable),
    ] {
        let said = failure(Operation::PutLogEvents, &named(status, name)).status;
        assert_eq!((said.code, said.http), (code, Some(status)), "{name}");
    }
}

#[test]
fn the_name_of_an_error_stands_in_the_body_or_in_a_header_with_more_around_it() {
    for answer in [
        answer(400, &[], r#"{"__type":"com.amazonaws.logs#AccessDeniedException"}"#),
        answer(400, &[("x-amzn-errortype", "AccessDeniedException:http://x/")], "{}"),
        answer(400, &[], r#"{"__type":"AccessDeniedException","Message":"big M"}"#),
    ] {
        assert_eq!(failure(Operation::PutLogEvents, &answer).kind, Kind::Denied);
    }
}

#[test]
fn only_the_service_can_say_that_data_was_taken() {
    assert!(read(Operation::PutLogEvents, &answer(200, &[], "{}"), UNIX_EPOCH).is_ok());
    assert!(read(Operation::CreateLogStream, &answer(200, &[], ""), UNIX_EPOCH).is_ok());
    for (status, body) in [(200, "<html>log in</html>"), (403, "<html>no</html>"), (302, "")] {
        let failure = failure(Operation::PutLogEvents, &answer(status, &[], body));
        assert_eq!(failure.kind, Kind::Unavailable, "{status} {body}");
    }
}

#[test]
fn making_groups_has_limits_of_its_own() {
    let limit = named(400, "LimitExceededException");
    assert_eq!(failure(Operation::CreateLogGroup, &limit).kind, Kind::Exhausted);
    let throttled = failure(Operation::CreateLogStream, &named(400, "ThrottlingException"));
    assert_eq!(throttled.reply(&scopes()).scope, None, "puts do not feel it");
}

#[test]
fn a_delay_that_the_service_asks_for_is_kept() {
    let answer = answer(400, &[("retry-after", "7")], r#"{"__type":"ThrottlingException"}"#);
    let reply = failure(Operation::PutLogEvents, &answer).reply(&scopes());
    let Verdict::RetryAfter { delay, .. } = reply.verdict else { panic!("{reply:?}") };
    assert_eq!(delay, Some(Duration::from_secs(7)));
}

#[test]
fn a_signature_out_of_its_time_is_a_matter_of_clocks() {
    let text = r#"{"__type":"InvalidSignatureException","message":"Signature expired: 20150830"}"#;
    assert_eq!(failure(Operation::PutLogEvents, &answer(400, &[], text)).kind, Kind::Skewed);
}

#[test]
fn silence_is_about_the_target_and_no_connection_about_the_endpoint() {
    let reason = "why".to_owned();
    let lost = CallError::Unknown { reason: reason.clone(), is_late: true };
    let lost = silence(Operation::PutLogEvents, &lost).reply(&scopes());
    assert!(matches!(lost.verdict, Verdict::Unknown(_)) && lost.scope.is_none());
    let refused = CallError::NotSent { reason, is_late: false };
    let refused = silence(Operation::PutLogEvents, &refused).reply(&scopes());
    assert!(matches!(refused.verdict, Verdict::RetryAfter { .. }));
    assert_eq!(refused.scope, Some(Scope::new("endpoint")));
}
