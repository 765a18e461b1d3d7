use std::future::poll_fn;

use super::*;

fn connection(share: usize, cap: usize) -> (Budget, Arc<Connection>) {
    let budget = Budget::root("receive", share);
    let connection = Arc::new(Connection::new(budget.child("connection", cap)));
    (budget, connection)
}

#[test]
fn memory_is_free_again_when_the_request_ends() {
    let (budget, connection) = connection(1 << 20, 1 << 20);
    let (holding, _eviction) = connection.hold();
    assert_eq!(holding.grow(10_000), Ok(()));
    assert_eq!(budget.bytes_used(), 10_000);
    drop(holding);
    assert_eq!(budget.bytes_used(), 0);
}

#[tokio::test]
async fn at_the_cap_the_youngest_has_to_go() {
    let (_budget, connection) = connection(1 << 20, 30_000);
    let (oldest, _) = connection.hold();
    let (middle, _) = connection.hold();
    let (youngest, mut eviction) = connection.hold();
    for holding in [&oldest, &middle, &youngest] {
        assert_eq!(holding.grow(10_000), Ok(()));
    }
    assert_eq!(oldest.grow(8_000), Ok(()));
    assert_eq!(eviction.happened().await, Full::Now);
    assert_eq!(youngest.grow(1), Err(Full::Now));
    assert_eq!(middle.grow(20_000), Err(Full::Now), "the youngest left does not evict the oldest");
}

#[test]
fn a_request_that_could_never_fit_is_told_so_and_evicts_nobody() {
    let (_budget, connection) = connection(1 << 20, 30_000);
    let (oldest, _) = connection.hold();
    let (younger, _eviction) = connection.hold();
    assert_eq!(younger.grow(10_000), Ok(()));
    assert_eq!(oldest.grow(31_000), Err(Full::Always { bytes_max: 30_000 }));
    assert_eq!(younger.grow(10_000), Ok(()));
}

#[test]
fn connections_share_the_share_of_the_listener() {
    let budget = Budget::root("receive", 30_000);
    let [one, two] = [0, 0].map(|_| Arc::new(Connection::new(budget.child("connection", 20_000))));
    let ((first, _), (second, _)) = (one.hold(), two.hold());
    assert_eq!(first.grow(20_000), Ok(()));
    assert_eq!(second.grow(20_000), Err(Full::Now));
    assert_eq!(second.grow(10_000), Ok(()));
}

#[test]
fn a_buffer_takes_what_comes_and_no_more_than_is_expected() {
    let (budget, connection) = connection(1 << 20, 1 << 20);
    let (holding, _eviction) = connection.hold();
    let mut buffer = Buffer::new(&holding, 1 << 20);
    for _ in 0..10 {
        assert_eq!(buffer.push(&[7; 1_000], Some(10_000)), Ok(()));
        assert!(budget.bytes_used() <= 10_000);
    }
    assert_eq!(budget.bytes_used(), 10_000);
    assert_eq!(buffer.finish(), vec![7; 10_000]);
}

#[test]
fn a_body_of_known_size_stays_in_place_and_is_accounted_for_as_it_fills() {
    let (budget, connection) = connection(1 << 20, 1 << 20);
    let (holding, _eviction) = connection.hold();
    let mut buffer = Buffer::new(&holding, 1 << 20);
    assert_eq!(buffer.push(&[7; 1_000], Some(300_000)), Ok(()));
    assert_eq!(budget.bytes_used(), PIECE_BYTES);
    let place = buffer.filled().as_ptr();
    for _ in 0..299 {
        assert_eq!(buffer.push(&[7; 1_000], Some(300_000)), Ok(()));
        assert!(budget.bytes_used() <= (2 * buffer.filled().len()).max(PIECE_BYTES));
    }
    assert_eq!(buffer.filled().as_ptr(), place);
}

#[tokio::test]
async fn what_is_read_in_place_is_accounted_for_before_it_comes_in_ever_larger_steps() {
    let (budget, connection) = connection(1 << 20, 1 << 20);
    let (holding, _eviction) = connection.hold();
    let mut buffer = Buffer::new(&holding, 1 << 20);
    let (source, mut reads) = (vec![7; 300_000], 0);
    let mut source = source.as_slice();
    while !source.is_empty() {
        let filled = buffer.filled().len();
        let (region, bytes_max) = buffer.room(source.len(), Some(300_000)).unwrap();
        let read = poll_fn(|cx| region.poll_read(cx, &mut source, bytes_max)).await.unwrap();
        assert!(0 < read && budget.bytes_used() <= (TRUST * filled).max(PIECE_BYTES));
        reads += 1;
    }
    assert_eq!((budget.bytes_used(), reads), (300_000, 5));
    assert_eq!(buffer.finish(), vec![7; 300_000]);
}

#[test]
fn with_little_memory_left_the_steps_are_small() {
    let (budget, connection) = connection(20_000, 20_000);
    let (holding, _eviction) = connection.hold();
    let mut buffer = Buffer::new(&holding, 1 << 20);
    assert_eq!(buffer.push(&[7; 8_000], None), Ok(()));
    let (_, bytes_max) = buffer.room(6_000, None).unwrap();
    assert_eq!((bytes_max, budget.bytes_used()), (PIECE_BYTES, 8_000 + PIECE_BYTES));
}
