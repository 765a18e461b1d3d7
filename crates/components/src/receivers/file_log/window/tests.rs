use std::time::Duration;

use pipeline::{Code, Outcome, Status, Verdict};
use proptest::prelude::*;

use super::{SENT_MAX, Span, Token, Window};

fn spans(bounds: &[u64]) -> Vec<Span> {
    bounds.windows(2).map(|pair| Span { start: pair[0], end: pair[1] }).collect()
}

fn later() -> Verdict {
    Verdict::RetryAfter { delay: Some(Duration::from_secs(3)), status: status() }
}

fn status() -> Status {
    Status::new(Code::Unavailable, "busy")
}

#[test]
fn the_contiguous_beginning_is_committed() {
    let mut window = Window::default();
    window.push(Token(1), spans(&[0, 10, 20]));
    window.push(Token(2), spans(&[20, 30]));
    window.answer(Token(2), &Outcome::delivered(1));
    assert_eq!(window.commit(0, 30, None), 0, "the first is still on its way");
    window.answer(Token(1), &Outcome::delivered(2));
    assert_eq!(window.commit(0, 30, None), 30);
    assert!(window.is_empty());
}

#[test]
fn what_operators_hold_is_not_committed() {
    let mut window = Window::default();
    window.push(Token(1), spans(&[0, 10, 20]));
    window.answer(Token(1), &Outcome::delivered(2));
    let committed = window.commit(0, 40, Some(20));
    assert_eq!(committed, 20);
}

#[test]
fn a_part_that_failed_is_where_reading_goes_on_and_the_rest_is_remembered() {
    let mut window = Window::default();
    window.push(Token(1), spans(&[0, 10, 20, 30, 40]));
    let parts = vec![
        (0..1, Verdict::Delivered),
        (1..2, later()),
        (2..3, Verdict::Refused(status())),
        (3..4, Verdict::Unknown(status())),
    ];
    let ended = window.answer(Token(1), &Outcome { parts, ..Outcome::default() });
    assert_eq!((ended.delivered, ended.refused, ended.again, ended.unknown), (1, 1, 2, 1));
    assert_eq!(ended.delay, Some(Duration::from_secs(3)));
    assert!(window.has_failed() && window.is_full(SENT_MAX) && !window.is_waiting());
    assert_eq!(window.commit(0, 40, None), 10);
    assert_eq!(window.take_done(10, 100), [Span { start: 20, end: 30 }]);
    assert!(window.is_empty());
}

#[test]
fn the_worst_verdict_of_several_branches_counts() {
    let mut window = Window::default();
    window.push(Token(1), spans(&[0, 10]));
    let parts = vec![(0..1, later()), (0..1, Verdict::Delivered)];
    window.answer(Token(1), &Outcome { parts, ..Outcome::default() });
    assert!(window.has_failed());
}

#[test]
fn items_that_no_verdict_names_are_not_done() {
    let mut window = Window::default();
    window.push(Token(1), spans(&[0, 10, 20]));
    window.answer(Token(1), &Outcome::delivered(1));
    assert_eq!(window.commit(0, 20, None), 10);
    assert!(window.has_failed());
}

#[test]
fn rejected_items_of_a_delivery_are_not_counted_as_delivered() {
    let mut window = Window::default();
    window.push(Token(1), spans(&[0, 10, 20]));
    let ended = window.answer(Token(1), &Outcome { rejected: 1, ..Outcome::delivered(2) });
    assert_eq!((ended.delivered, ended.refused), (1, 1));
}

proptest! {
    /// Whatever is answered in whatever order: nothing before the committed offset is open, and
    /// everything is committed once all has ended.
    #[test]
    fn commits_exactly_what_has_ended(
        sizes in prop::collection::vec(1_usize..4, 1..8),
        order in prop::collection::vec(any::<prop::sample::Index>(), 8),
        verdicts in prop::collection::vec(0_u8..3, 32),
    ) {
        let mut window = Window::default();
        let (mut end, mut open) = (0, Vec::new());
        for (number, items) in (0..).zip(&sizes) {
            let bounds: Vec<u64> = (0..=*items as u64).map(|item| end + item).collect();
            end += *items as u64;
            window.push(Token(number), spans(&bounds));
            open.extend(spans(&bounds));
        }
        let mut committed = 0;
        let mut left: Vec<u64> = (0..sizes.len() as u64).collect();
        let mut verdict = verdicts.iter().cycle();
        for pick in order {
            if left.is_empty() { break }
            let number = left.remove(pick.index(left.len()));
            let start: usize = sizes[..number as usize].iter().sum();
            let parts = (0..sizes[number as usize]).map(|item| {
                let verdict = match verdict.next().unwrap() {
                    0 => later(),
                    1 => Verdict::Refused(status()),
                    _ => Verdict::Delivered,
                };
                if !matches!(verdict, Verdict::RetryAfter { .. }) {
                    open.retain(|span| span.start != (start + item) as u64);
                }
                (item..item + 1, verdict)
            });
            let outcome = Outcome { parts: parts.collect(), ..Outcome::default() };
            window.answer(Token(number), &outcome);
            let before = committed;
            committed = window.commit(committed, end, None);
            prop_assert!(before <= committed);
            let first_open = open.iter().map(|span| span.start).min().unwrap_or(end);
            prop_assert_eq!(committed, first_open);
        }
    }
}
