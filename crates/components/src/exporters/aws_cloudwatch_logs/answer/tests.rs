use super::*;

fn events(items: &[usize]) -> Vec<Event> {
    let event = |item: &usize| Event { item: *item, timestamp: 0, message: "x".to_owned() };
    items.iter().map(event).collect()
}

fn tally(items: usize, kept: &[Event], set_aside: &[(usize, Reason)]) -> Tally {
    let events = Events { kept: kept.to_vec(), set_aside: set_aside.to_vec(), ..Events::default() };
    Tally::new(items, &events)
}

fn refused(reason: Reason) -> Verdict {
    Fate::Refused(reason).verdict()
}

#[test]
fn all_put_is_a_delivery_without_exceptions() {
    let events = events(&[0, 1]);
    let mut tally = tally(2, &events, &[]);
    tally.put(&events, Rejections::default());
    assert_eq!(tally.accepted(), Verdict::Delivered.into());
}

#[test]
fn what_the_service_rejected_and_what_was_set_apart_is_refused_item_by_item() {
    let body = br#"{"nextSequenceToken":"1","rejectedLogEventsInfo":
        {"tooOldLogEventEndIndex":3,"tooNewLogEventStartIndex":8}}"#;
    let events = events(&[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    let mut tally = tally(11, &events, &[(10, Reason::Empty)]);
    tally.put(&events, Rejections::read(body));
    let reply = tally.accepted();
    assert_eq!(reply.verdict, Verdict::Delivered);
    assert_eq!(
        reply.done,
        [
            (0..3, refused(Reason::TooOld)),
            (8..10, refused(Reason::TooNew)),
            (10..11, refused(Reason::Empty))
        ]
    );
    assert_eq!(tally.refused().count(), 6);
}

#[test]
fn expired_events_are_those_behind_the_too_old_ones() {
    let body =
        br#"{"rejectedLogEventsInfo":{"tooOldLogEventEndIndex":1,"expiredLogEventEndIndex":2}}"#;
    let events = events(&[0, 1, 2]);
    let mut tally = tally(3, &events, &[]);
    tally.put(&events, Rejections::read(body));
    let expected = [(0..1, refused(Reason::TooOld)), (1..2, refused(Reason::Expired))];
    assert_eq!(tally.accepted().done, expected);
}

#[test]
fn a_failure_is_about_what_was_not_put_yet_only() {
    let events = events(&[0, 1, 2, 3]);
    let mut tally = tally(5, &events, &[(4, Reason::TooNew)]);
    tally.put(&events[..2], Rejections::default());
    let verdict = Verdict::Unknown(Status::new(Code::Unavailable, "gone"));
    let reply = tally.broken_off(verdict.clone().into());
    assert_eq!(reply.verdict, verdict);
    assert_eq!(reply.done, [(0..2, Verdict::Delivered), (4..5, refused(Reason::TooNew))]);
}

#[test]
fn a_record_of_several_events_has_ended_when_all_of_them_were_put() {
    let events = events(&[0, 0, 0, 1]);
    let mut tally = tally(2, &events, &[]);
    tally.put(&events[..2], Rejections::default());
    let reply = tally.broken_off(Verdict::Delivered.into());
    assert_eq!(reply.done, []);
    tally.put(&events[2..], Rejections::default());
    assert_eq!(tally.accepted().done, []);
}

#[test]
fn answers_that_say_nothing_reject_nothing() {
    for body in [&b""[..], b"{}", b"{\"rejectedEntityInfo\":{\"errorType\":\"x\"}}"] {
        assert_eq!(Rejections::read(body), Rejections::default());
    }
}
