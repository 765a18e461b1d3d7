use proptest::prelude::*;

use super::*;

fn told(answer: Answer) -> TurnedAway {
    match Reply::from(answer) {
        Reply::TurnedAway(turned_away) => turned_away,
        Reply::Accepted { .. } => panic!("accepted"),
    }
}

fn check(answer: Answer, code: Code, http: u16, retry_after: Option<u64>) {
    let told = told(answer.clone());
    let seen = (told.code(), told.http_status().as_u16(), told.retry_after_seconds());
    assert_eq!(seen, (code, http, retry_after), "{answer:?}");
}

fn retry(code: Code, seconds: Option<u64>) -> Answer {
    let delay = seconds.map(Duration::from_secs);
    Answer::RetryAfter { delay, status: Status::new(code, "later") }
}

fn refused(code: Code, http: Option<u16>) -> Answer {
    Answer::Refused(Status { http, ..Status::new(code, "never") })
}

#[test]
fn follows_the_table() {
    check(retry(Code::DeadlineExceeded, None), Code::DeadlineExceeded, 503, None);
    check(retry(Code::ResourceExhausted, Some(0)), Code::ResourceExhausted, 429, Some(0));
    check(retry(Code::ResourceExhausted, Some(13)), Code::ResourceExhausted, 429, Some(13));
    check(retry(Code::ResourceExhausted, None), Code::Unavailable, 429, None);
    check(retry(Code::Unknown, Some(12)), Code::Unavailable, 503, Some(12));
    check(Answer::Unknown(Status::new(Code::Internal, "?")), Code::Unavailable, 503, None);
    check(refused(Code::Internal, None), Code::Internal, 500, None);
    check(refused(Code::InvalidArgument, None), Code::InvalidArgument, 400, None);
    check(refused(Code::Unauthenticated, None), Code::Unauthenticated, 401, None);
    check(refused(Code::PermissionDenied, None), Code::PermissionDenied, 403, None);
    check(refused(Code::Unimplemented, None), Code::Unimplemented, 404, None);
    check(refused(Code::ResourceExhausted, None), Code::ResourceExhausted, 500, None);
    check(refused(Code::Unavailable, Some(503)), Code::Internal, 500, None);
    check(refused(Code::InvalidArgument, Some(422)), Code::InvalidArgument, 422, None);
}

#[test]
fn what_is_too_large_is_413_and_final() {
    let told = TurnedAway::too_large(4 << 20);
    assert_eq!(told.http_status(), StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!((told.code(), told.delay()), (Code::ResourceExhausted, None));
}

#[test]
fn part_of_a_second_counts_as_a_whole_one() {
    let told = TurnedAway::for_now(Duration::from_millis(1001), "later");
    assert_eq!(told.retry_after_seconds(), Some(2));
    assert_eq!(told.rpc_status().retry_after, Some(Duration::from_millis(1001)));
}

/// What the OTLP specification lets a gRPC client send again.
fn grpc_retries(told: &TurnedAway) -> bool {
    let has_retry_info = told.rpc_status().retry_after.is_some();
    is_retryable(told.code()) || (told.code() == Code::ResourceExhausted && has_retry_info)
}

/// What it lets an HTTP client send again.
fn http_retries(told: &TurnedAway) -> bool {
    matches!(told.http_status().as_u16(), 429 | 502 | 503 | 504)
}

proptest! {
    #[test]
    fn clients_retry_exactly_what_may_be_retried(
        number in 0u32..20,
        seconds in proptest::option::of(0u64..100),
        http in proptest::option::of(0u16..700),
        is_refused in any::<bool>(),
    ) {
        let code = Code::from_number(number);
        let answer = if is_refused { refused(code, http) } else { retry(code, seconds) };
        let told = told(answer);
        prop_assert_eq!(grpc_retries(&told), !is_refused);
        prop_assert_eq!(http_retries(&told), !is_refused);
        prop_assert!(told.code() != Code::Ok && !told.http_status().is_success());
    }
}
