use proptest::prelude::*;

use super::*;

fn event(item: usize, timestamp: i64, message_len: usize) -> Event {
    Event { item, timestamp, message: "x".repeat(message_len) }
}

fn lens(events: &mut [Event]) -> Vec<usize> {
    portions(events).into_iter().map(|portion| portion.len()).collect()
}

#[test]
fn a_request_is_filled_to_the_last_byte() {
    let quarter = BYTES_MAX / 4 - 26;
    let mut events = (0..4).map(|item| event(item, 0, quarter)).collect::<Vec<_>>();
    assert_eq!(lens(&mut events), [4]);
    events[3].message.push('x');
    assert_eq!(lens(&mut events), [3, 1]);
}

#[test]
fn a_request_has_ten_thousand_events() {
    let mut events = (0..10_001).map(|item| event(item, 0, 1)).collect::<Vec<_>>();
    assert_eq!(lens(&mut events[..10_000]), [10_000]);
    assert_eq!(lens(&mut events), [10_000, 1]);
}

#[test]
fn a_request_spans_a_day_and_not_a_millisecond_more() {
    let mut events = [event(0, 7, 1), event(1, 7 + SPAN_MAX, 1), event(2, 8 + SPAN_MAX, 1)];
    assert_eq!(lens(&mut events), [2, 1]);
}

#[test]
fn events_are_sorted_by_time_and_those_of_one_time_keep_their_order() {
    let mut events =
        [event(0, 5, 1), event(1, 3, 1), event(2, 5, 1), event(3, 3, 1), event(4, 4, 1)];
    portions(&mut events);
    assert_eq!(events.map(|event| event.item), [1, 3, 4, 0, 2]);
}

#[test]
fn nothing_makes_no_request() {
    assert_eq!(lens(&mut []), [0_usize; 0]);
}

proptest! {
    #[test]
    fn portions_keep_every_limit_lose_nothing_and_are_as_long_as_they_can_be(
        plan in prop::collection::vec((0_i64..4 * SPAN_MAX, 1_usize..300_000), 0..60)
    ) {
        let events = plan.iter().enumerate().map(|(item, (at, len))| event(item, *at, *len));
        let mut events = events.collect::<Vec<_>>();
        let portions = portions(&mut events);
        let covered = portions.iter().flat_map(Clone::clone).collect::<Vec<_>>();
        prop_assert_eq!(covered, (0..events.len()).collect::<Vec<_>>());
        let fits = |range: &Range<usize>| {
            let part = &events[range.clone()];
            let bytes = part.iter().map(Event::size).sum::<usize>();
            let span = part[part.len() - 1].timestamp - part[0].timestamp;
            bytes <= BYTES_MAX && part.len() <= EVENTS_MAX && span <= SPAN_MAX
        };
        for portion in &portions {
            prop_assert!(fits(portion) && !portion.is_empty());
            let longer = portion.start..portion.end + 1;
            prop_assert!(portion.end == events.len() || !fits(&longer));
        }
        for pair in events.windows(2) {
            let is_sorted = pair[0].timestamp < pair[1].timestamp
                || (pair[0].timestamp == pair[1].timestamp && pair[0].item < pair[1].item);
            prop_assert!(is_sorted);
        }
    }
}
