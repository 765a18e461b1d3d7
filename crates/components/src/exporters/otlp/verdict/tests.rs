use http::HeaderValue;

use super::*;

fn grpc(code: Code, retry_info: Option<u64>) -> String {
    let verdict = of_grpc(Status::new(code, "said"), retry_info.map(Duration::from_secs));
    match verdict {
        Verdict::RetryAfter { delay, status } => {
            assert_eq!(status.code, code);
            format!("retry {}", delay.map_or(0, |delay| delay.as_secs()))
        }
        Verdict::Refused(_) => "refused".to_owned(),
        other => format!("{other:?}"),
    }
}

fn http(status: u16, retry_after: Option<&'static str>) -> (Verdict, String) {
    let mut headers = HeaderMap::new();
    if let Some(value) = retry_after {
        headers.insert(http::header::RETRY_AFTER, HeaderValue::from_static(value));
    }
    let wall = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777);
    let verdict = of_http(StatusCode::from_u16(status).unwrap(), "said", &headers, wall);
    let text = match &verdict {
        Verdict::RetryAfter { delay, .. } => {
            format!("retry {}", delay.map_or(0, |delay| delay.as_secs()))
        }
        Verdict::Refused(status) => format!("refused {:?}", status.code),
        other => format!("{other:?}"),
    };
    (verdict, text)
}

#[test]
fn grpc_codes_are_retried_as_the_specification_says() {
    use Code::*;
    for code in [Cancelled, DeadlineExceeded, Aborted, OutOfRange, Unavailable, DataLoss] {
        assert_eq!(grpc(code, None), "retry 0", "{code:?}");
        assert_eq!(grpc(code, Some(7)), "retry 7", "{code:?}");
    }
    let final_codes = [
        Unknown,
        InvalidArgument,
        NotFound,
        AlreadyExists,
        PermissionDenied,
        FailedPrecondition,
        Unimplemented,
        Internal,
        Unauthenticated,
    ];
    for code in final_codes {
        assert_eq!(grpc(code, Some(7)), "refused", "{code:?}");
    }
    assert_eq!(grpc(ResourceExhausted, None), "refused");
    assert_eq!(grpc(ResourceExhausted, Some(0)), "retry 0");
    assert_eq!(grpc(ResourceExhausted, Some(3)), "retry 3");
}

#[test]
fn http_statuses_are_retried_as_the_specification_says() {
    for (status, expected) in [
        (400, "refused InvalidArgument"),
        (401, "refused Unauthenticated"),
        (402, "refused Unknown"),
        (403, "refused PermissionDenied"),
        (404, "refused Unimplemented"),
        (405, "refused Unknown"),
        (413, "refused Unknown"),
        (414, "refused Unknown"),
        (431, "refused Unknown"),
        (500, "refused Unknown"),
        (429, "retry 0"),
        (502, "retry 0"),
        (503, "retry 0"),
        (504, "retry 0"),
    ] {
        let (verdict, text) = http(status, None);
        assert_eq!(text, expected, "{status}");
        let (Verdict::Refused(said) | Verdict::RetryAfter { status: said, .. }) = verdict else {
            panic!("neither refused nor to be retried")
        };
        assert_eq!(said.http, Some(status));
    }
}

#[test]
fn retry_after_is_read_as_seconds_or_date_and_ignored_otherwise() {
    for (value, expected) in [
        ("30", "retry 30"),
        ("Sun, 06 Nov 1994 08:50:37 GMT", "retry 60"),
        ("Sun, 06 Nov 1994 08:00:00 GMT", "retry 0"),
        ("soon", "retry 0"),
        ("-5", "retry 0"),
        ("99999999999999999999", "retry 0"),
    ] {
        assert_eq!(http(503, Some(value)).1, expected, "{value}");
        assert_eq!(http(429, Some(value)).1, expected, "{value}");
    }
    assert_eq!(http(502, Some("30")).1, "retry 0");
}

#[test]
fn silence_is_unknown_only_when_the_request_may_have_arrived() {
    let error = |is_late| CallError::NotSent { reason: "refused".into(), is_late };
    assert!(matches!(of_silence(error(false)), Verdict::RetryAfter { .. }));
    let late = CallError::Unknown { reason: "no answer".into(), is_late: true };
    let Verdict::Unknown(status) = of_silence(late) else { panic!("not unknown") };
    assert_eq!(status.code, Code::DeadlineExceeded);
}
