use bytes::Bytes;

use super::compose::{Composer, Span};
use super::*;

fn buffer(len: usize, byte: u8) -> Bytes {
    vec![byte; len].into()
}

fn lens(rope: &Rope) -> Vec<usize> {
    rope.segments().iter().map(Bytes::len).collect()
}

#[test]
fn joining_shares_large_slices_and_copies_small_ones_together() {
    let large = buffer(SMALL_BYTES, 1);
    let ropes = [buffer(3, 2), buffer(4, 3), large.clone(), buffer(5, 4)].map(Rope::of);
    let joined = Writer::join(ropes.to_vec());
    assert_eq!(lens(&joined), [7, SMALL_BYTES, 5]);
    assert_eq!(joined.segments()[1].as_ptr(), large.as_ptr());
    assert_eq!(&joined.segments()[0][..], [2, 2, 2, 3, 3, 3, 3]);
}

#[test]
fn blocks_are_whole_top_level_fields() {
    let blocks = [buffer(9 * SMALL_BYTES, 7)];
    let slice = |at: usize| Span { block: 0, start: at * SMALL_BYTES, end: (at + 3) * SMALL_BYTES };
    let mut composer = Composer::new(&blocks);
    composer.open(1);
    composer.fresh(|out| out.extend([1, 2, 3]));
    composer.slice(slice(0));
    composer.slice(slice(3));
    composer.close();
    composer.slice(slice(0));
    let rope = composer.take();
    // The prefix and the fresh bytes, the two slices that touch, and a field of its own.
    assert_eq!(lens(&rope), [3 + 3, 6 * SMALL_BYTES, 3 * SMALL_BYTES]);
    assert_eq!(&rope.segments()[0][..], [0x0a, 0x83, 0x60, 1, 2, 3].as_slice());
    let joined: Vec<usize> = rope.blocks().iter().map(Bytes::len).collect();
    assert_eq!(joined, [6 + 6 * SMALL_BYTES, 3 * SMALL_BYTES]);
    assert_eq!(rope.to_bytes().len(), rope.bytes_len());
}

#[test]
fn small_results_do_not_pin_large_buffers() {
    let blocks = [buffer(100 * SMALL_BYTES, 7)];
    let mut composer = Composer::new(&blocks);
    composer.slice(Span { block: 0, start: 0, end: 2 * SMALL_BYTES });
    let rope = composer.take();
    assert_eq!(lens(&rope), [2 * SMALL_BYTES]);
    assert_ne!(rope.segments()[0].as_ptr(), blocks[0].as_ptr());
    composer.slice(Span { block: 0, start: 0, end: 50 * SMALL_BYTES });
    assert_eq!(composer.take().segments()[0].as_ptr(), blocks[0].as_ptr());
}

#[test]
fn an_unchanged_message_is_the_old_one() {
    let blocks = [buffer(4 * SMALL_BYTES, 7)];
    let mut composer = Composer::new(&blocks);
    composer.open(1);
    composer.fresh(|out| out.push(9));
    composer.slice(Span { block: 0, start: 5, end: 9 });
    composer.close_unchanged(Span { block: 0, start: 0, end: 4 * SMALL_BYTES });
    let rope = composer.take();
    assert_eq!(rope.segments()[0].as_ptr(), blocks[0].as_ptr());
    assert_eq!(lens(&rope), [4 * SMALL_BYTES]);
}
