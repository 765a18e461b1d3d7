use super::*;

fn unavailable() -> Status {
    Status::new(Code::Unavailable, "busy")
}

fn bad() -> Status {
    Status::new(Code::InvalidArgument, "bad")
}

#[test]
fn longest_delay_wins() {
    let mut outcome = Outcome::delivered(3);
    for seconds in [Some(2), None, Some(5), Some(1)] {
        let delay = seconds.map(Duration::from_secs);
        outcome.join(Outcome::all(1, Verdict::RetryAfter { delay, status: unavailable() }));
    }
    let delay = Some(Duration::from_secs(5));
    assert_eq!(outcome.answer(), Answer::RetryAfter { delay, status: unavailable() });
}

#[test]
fn unknown_wins_over_refused() {
    let mut outcome = Outcome::all(1, Verdict::Refused(bad()));
    outcome.join(Outcome::all(1, Verdict::Unknown(unavailable())).shifted(1));
    assert_eq!(outcome.answer(), Answer::Unknown(unavailable()));
}

#[test]
fn refused_beside_delivered_is_a_partial_success() {
    let mut outcome = Outcome::delivered(5);
    outcome.join(Outcome::all(2, Verdict::Refused(bad())).shifted(5));
    let warning = Some(Arc::from("bad"));
    assert_eq!(outcome.answer(), Answer::Delivered { rejected: 2, warning });
    let all = Outcome::all(2, Verdict::Refused(bad()));
    assert_eq!(all.answer(), Answer::Refused(bad()));
}
