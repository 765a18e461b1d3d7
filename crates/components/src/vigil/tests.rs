use super::*;

const SECOND: Duration = Duration::from_secs(1);

fn patience() -> Patience {
    Patience {
        head: 10 * SECOND,
        idle: 300 * SECOND,
        write: 30 * SECOND,
        age: None,
        grace: 5 * SECOND,
    }
}

/// A vigil and a way to say "so many seconds later".
fn vigil(preface: Option<u64>) -> (Vigil, impl Fn(u32) -> Instant) {
    let start = runtime::clock::Clock.now();
    (Vigil::new(patience(), preface, start), move |seconds| start + SECOND * seconds)
}

#[test]
fn a_client_that_says_nothing_is_cut() {
    let (vigil, at) = vigil(None);
    assert_eq!(vigil.ask(at(0)), Verdict::WaitUntil(at(10)));
    assert_eq!(vigil.ask(at(10)), Verdict::Cut);
}

#[test]
fn an_http2_client_only_has_to_send_its_preface() {
    let (mut vigil, at) = vigil(Some(33));
    vigil.read(32, at(1));
    assert_eq!(vigil.ask(at(9)), Verdict::WaitUntil(at(10)));
    vigil.read(1, at(9));
    assert_eq!(vigil.ask(at(299)), Verdict::WaitUntil(at(300)));
    assert_eq!(vigil.ask(at(300)), Verdict::Close);
}

#[test]
fn the_next_head_is_timed_from_its_first_byte() {
    let (mut vigil, at) = vigil(None);
    vigil.read(100, at(0));
    vigil.request_began();
    vigil.request_ended(at(1));
    assert_eq!(vigil.ask(at(100)), Verdict::WaitUntil(at(301)));
    vigil.read(1, at(200));
    vigil.read(1, at(209));
    assert_eq!(vigil.ask(at(209)), Verdict::WaitUntil(at(210)));
    assert_eq!(vigil.ask(at(210)), Verdict::Cut);
}

#[test]
fn an_idle_client_is_asked_to_go_and_then_cut() {
    let (mut vigil, at) = vigil(None);
    vigil.request_began();
    vigil.request_ended(at(2));
    assert_eq!(vigil.ask(at(302)), Verdict::Close);
    vigil.closing(at(302));
    assert_eq!(vigil.ask(at(303)), Verdict::WaitUntil(at(307)));
    assert_eq!(vigil.ask(at(307)), Verdict::Cut);
}

#[test]
fn a_request_in_progress_has_its_own_deadline() {
    let (mut vigil, at) = vigil(None);
    vigil.request_began();
    assert_eq!(vigil.ask(at(100_000)), Verdict::WaitUntil(at(100_030)));
}

#[test]
fn an_old_connection_is_asked_to_go_with_its_requests_in_progress() {
    let (mut vigil, at) = vigil(None);
    vigil.patience.age = Some(60 * SECOND);
    vigil.request_began();
    assert_eq!(vigil.ask(at(60)), Verdict::Close);
}

#[test]
fn a_client_that_takes_back_a_thousand_requests_in_10_s_is_cut() {
    let (mut vigil, at) = vigil(Some(33));
    vigil.read(33, at(0));
    let mut take_back = |count: usize, now: Instant| {
        for _ in 0..count {
            vigil.request_began();
            vigil.request_was_reset(now);
            vigil.request_ended(now);
        }
        vigil.ask(now)
    };
    assert_ne!(take_back(1_000, at(9)), Verdict::Cut);
    assert_ne!(take_back(1_000, at(10)), Verdict::Cut);
    assert_eq!(take_back(1, at(19)), Verdict::Cut);
}

#[test]
fn a_client_that_takes_nothing_of_what_was_written_is_cut() {
    let (mut vigil, at) = vigil(None);
    vigil.request_began();
    vigil.wrote(true, at(1));
    vigil.request_ended(at(2));
    vigil.wrote(true, at(20));
    assert_eq!(vigil.ask(at(30)), Verdict::WaitUntil(at(31)));
    assert_eq!(vigil.ask(at(31)), Verdict::Cut);
    vigil.wrote(false, at(31));
    assert_eq!(vigil.ask(at(31)), Verdict::WaitUntil(at(302)));
}

#[test]
fn a_client_that_opens_no_window_for_its_replies_is_cut() {
    let (mut vigil, at) = vigil(Some(33));
    vigil.read(33, at(0));
    vigil.requests_are(2, at(0));
    vigil.sent(100, true, at(1));
    vigil.sent(0, true, at(20));
    assert_eq!(vigil.ask(at(20)), Verdict::WaitUntil(at(31)));
    vigil.sent(1, true, at(30));
    assert_eq!(vigil.ask(at(59)), Verdict::WaitUntil(at(60)));
    assert_eq!(vigil.ask(at(60)), Verdict::Cut);
    vigil.sent(1, false, at(60));
    vigil.requests_are(0, at(60));
    assert_eq!(vigil.ask(at(60)), Verdict::WaitUntil(at(360)));
}
