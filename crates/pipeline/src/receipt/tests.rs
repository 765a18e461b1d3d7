use super::*;
use crate::outcome::Answer;

/// A piece of consecutive items.
fn run(items: Range<usize>) -> Vec<Range<usize>> {
    std::iter::once(items).collect()
}

#[derive(Default)]
struct Told(AtomicU64);

impl Holder for Told {
    fn left(&self, token: u64) {
        self.0.fetch_add(token, Ordering::Relaxed);
    }
}

fn refused() -> Verdict {
    Verdict::Refused(Status::new(Code::InvalidArgument, "bad"))
}

#[tokio::test]
async fn sorted_receipt_answers_once_with_the_parents_item_numbers() {
    let (receipt, waiter) = pair(10);
    let [first, second] = receipt.sort(&[run(0..4), run(4..10)]).try_into().unwrap();
    second.answer(Outcome::all(6, refused()));
    first.answer(Outcome::delivered(4));
    let outcome = waiter.wait().await.unwrap();
    assert_eq!(outcome.parts, [(4..10, refused()), (0..4, Verdict::Delivered)]);
    let warning = Some(Arc::from("bad"));
    assert_eq!(outcome.answer(), Answer::Delivered { rejected: 6, warning });
}

#[tokio::test]
async fn sorted_receipt_maps_each_piece_back_to_its_items() {
    let (receipt, waiter) = pair(6);
    let [even, odd] =
        receipt.sort(&[vec![0..1, 2..3, 4..5], vec![1..2, 3..4, 5..6]]).try_into().unwrap();
    even.answer(Outcome::delivered(3));
    odd.answer(Outcome {
        parts: vec![(0..2, Verdict::Delivered), (2..3, refused())],
        ..Outcome::default()
    });
    let mut parts = waiter.wait().await.unwrap().parts;
    parts.sort_by_key(|(range, _)| range.start);
    assert_eq!(parts.len(), 6);
    assert_eq!(parts.last(), Some(&(5..6, refused())));
    assert!(parts[..5].iter().all(|(_, verdict)| *verdict == Verdict::Delivered));
}

#[tokio::test]
async fn narrowed_receipt_maps_back_to_the_kept_items() {
    let (receipt, waiter) = pair(10);
    receipt.narrow(&[1..3, 7..9]).answer(Outcome::all(4, refused()));
    let outcome = waiter.wait().await.unwrap();
    assert_eq!(outcome.parts, [(1..3, refused()), (7..9, refused())]);
}

#[tokio::test]
async fn worst_branch_wins() {
    let (receipt, waiter) = pair(2);
    let [first, second] = receipt.branch(2).try_into().unwrap();
    first.answer_all(Verdict::Delivered);
    let status = Status::new(Code::Unavailable, "later");
    second.answer_all(Verdict::RetryAfter { delay: None, status: status.clone() });
    let answer = waiter.wait().await.unwrap().answer();
    assert_eq!(answer, Answer::RetryAfter { delay: None, status });
}

#[tokio::test]
async fn lost_receipt_answers_unknown_and_is_counted() {
    let before = lost_total();
    let (receipt, waiter) = pair(1);
    drop(receipt);
    assert!(matches!(waiter.wait().await.unwrap().answer(), Answer::Unknown(_)));
    assert!(before < lost_total());
}

#[test]
fn leaving_reaches_the_holder_of_every_piece_once() {
    let (receipt, waiter) = pair(3);
    let told = Arc::new(Told::default());
    let children = receipt.sort(&[run(0..1), run(1..3)]);
    children[0].held_by(told.clone(), 1);
    drop(waiter);
    assert!(children.iter().all(Receipt::has_left));
    children[1].held_by(told.clone(), 10);
    assert_eq!(told.0.load(Ordering::Relaxed), 11);
    children.into_iter().for_each(|child| child.answer_all(Verdict::Delivered));
}
