use std::collections::BTreeMap;

use proptest::prelude::*;

use super::{QUANTUM, Queue, Ticket};

fn admit_all(queue: &mut Queue) -> Vec<Ticket> {
    let mut order = Vec::new();
    while let Some((ticket, _)) = queue.first() {
        queue.admitted(ticket);
        order.push(ticket);
    }
    order
}

#[test]
fn keeps_the_order_of_arrival_of_one_peer() {
    let mut queue = Queue::new(10, usize::MAX);
    let tickets: Vec<_> =
        [100, 9_000_000, 1, 5_000].map(|bytes| queue.push("a", bytes).unwrap()).into();
    assert_eq!(tickets, admit_all(&mut queue));
    assert!(queue.is_empty());
}

#[test]
fn lets_a_quiet_peer_go_before_the_rest_of_a_busy_one() {
    let mut queue = Queue::new(100, usize::MAX);
    let busy: Vec<_> = (0..20).map(|_| queue.push("busy", QUANTUM).unwrap()).collect();
    let quiet = queue.push("quiet", QUANTUM).unwrap();
    let order = admit_all(&mut queue);
    let place = order.iter().position(|ticket| *ticket == quiet).unwrap();
    assert!(place <= 1, "place {place}");
    assert_eq!(busy.len() + 1, order.len());
}

#[test]
fn keeps_the_turn_until_the_first_is_gone() {
    let mut queue = Queue::new(10, usize::MAX);
    let big = queue.push("a", 50 * QUANTUM).unwrap();
    let first = queue.first();
    let small = queue.push("b", 1).unwrap();
    assert_eq!(first, queue.first());
    assert_eq!(Some(50 * QUANTUM), queue.remove(big));
    assert_eq!(Some((small, 1)), queue.first());
    assert_eq!(None, queue.remove(big));
}

#[test]
fn refuses_beyond_its_bounds() {
    let mut queue = Queue::new(2, 100);
    assert_eq!(None, queue.push("a", 101));
    queue.push("a", 60).unwrap();
    assert_eq!(None, queue.push("a", 41));
    queue.push("b", 40).unwrap();
    assert_eq!(None, queue.push("c", 0));
    assert_eq!((2, 100), (queue.waiters(), queue.bytes()));
}

#[derive(Clone, Debug)]
enum Step {
    Push { peer: u8, bytes: usize },
    Admit,
    Leave { nth: usize },
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0u8..4, 1usize..10 * QUANTUM).prop_map(|(peer, bytes)| Step::Push { peer, bytes }),
        3 => Just(Step::Admit),
        1 => (0usize..20).prop_map(|nth| Step::Leave { nth }),
    ]
}

proptest! {
    /// The model: a list per peer; the queue takes from the front of one of them and loses nothing.
    #[test]
    fn agrees_with_a_list_per_peer(steps in prop::collection::vec(step(), 1..100)) {
        let mut queue = Queue::new(16, 80 * QUANTUM);
        let mut model = BTreeMap::<u8, Vec<(Ticket, usize)>>::new();
        for step in steps {
            let waiters: usize = model.values().map(Vec::len).sum();
            let bytes_waiting: usize = model.values().flatten().map(|(_, bytes)| bytes).sum();
            match step {
                Step::Push { peer, bytes } => {
                    let pushed = queue.push(&peer.to_string(), bytes);
                    let has_room = waiters < 16 && bytes_waiting + bytes <= 80 * QUANTUM;
                    prop_assert_eq!(has_room, pushed.is_some());
                    let place = pushed.map(|ticket| (ticket, bytes));
                    model.entry(peer).or_default().extend(place);
                }
                Step::Admit => {
                    let first = queue.first();
                    prop_assert_eq!(waiters == 0, first.is_none());
                    prop_assert_eq!(first, queue.first());
                    let Some(first) = first else { continue };
                    let line = model.values_mut().find(|line| line.first() == Some(&first));
                    prop_assert!(line.is_some(), "took {:?} out of turn", first);
                    line.unwrap().remove(0);
                    queue.admitted(first.0);
                }
                Step::Leave { nth } => {
                    let Some((ticket, bytes)) = model.values().flatten().nth(nth).copied() else {
                        continue;
                    };
                    model.values_mut().for_each(|line| line.retain(|(other, _)| *other != ticket));
                    prop_assert_eq!(Some(bytes), queue.remove(ticket));
                }
            }
            let bytes_left: usize = model.values().flatten().map(|(_, bytes)| bytes).sum();
            prop_assert_eq!(bytes_left, queue.bytes());
        }
        let left: usize = model.values().map(Vec::len).sum();
        prop_assert_eq!(left, admit_all(&mut queue).len());
        prop_assert!(queue.peers.is_empty() && queue.round.is_empty() && queue.tickets.is_empty());
    }

    /// While all peers wait, none is ahead of another by more than a quantum and a request.
    #[test]
    fn is_fair_in_bytes(sizes in prop::collection::vec(1usize..4 * QUANTUM, 2..6)) {
        let mut queue = Queue::new(usize::MAX, usize::MAX);
        let mut owners = BTreeMap::new();
        for (peer, bytes) in sizes.iter().enumerate() {
            for _ in 0..(64 * QUANTUM / bytes).clamp(16, 2_000) {
                owners.insert(queue.push(&peer.to_string(), *bytes).unwrap(), peer);
            }
        }
        let mut admitted = vec![0; sizes.len()];
        while queue.peers.len() == sizes.len() {
            let (ticket, bytes) = queue.first().unwrap();
            queue.admitted(ticket);
            admitted[owners[&ticket]] += bytes;
            let (least, most) = (admitted.iter().min().unwrap(), admitted.iter().max().unwrap());
            let bound = QUANTUM + 2 * sizes.iter().max().unwrap();
            prop_assert!(most - least <= bound, "{:?} with {:?}", admitted, sizes);
        }
    }
}
