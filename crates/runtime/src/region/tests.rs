use std::future::poll_fn;

use super::*;

/// Sizes around those at which a region is another.
const SIZES: [usize; 6] = [0, 1, STEP_BYTES, STEP_BYTES + 1, PAGES_BYTES_MIN, 3 * PAGES_BYTES_MIN];

fn pattern(size: usize) -> Vec<u8> {
    (0..size).map(|at| (at % 251) as u8).collect()
}

#[test]
fn gives_back_what_was_pushed() {
    for size in SIZES {
        let bytes = pattern(size);
        for mut region in [Region::of(size), Region::up_to(size)] {
            for chunk in bytes.chunks(10_007) {
                region.push(chunk).unwrap();
            }
            assert!(region[..] == bytes, "{size}");
            assert_eq!(region.push(b"x"), Err(Full { bytes_max: size }));
            assert!(region.into_bytes() == bytes, "{size}");
        }
    }
}

#[tokio::test]
async fn gives_back_what_was_read() {
    for size in SIZES {
        let bytes = pattern(size + 1);
        for mut region in [Region::of(size), Region::up_to(size)] {
            let mut source = bytes.as_slice();
            while region.len() < size {
                let read = poll_fn(|cx| region.poll_read(cx, &mut source, 100_003)).await;
                assert!((1..=100_003).contains(&read.unwrap()));
            }
            let read = poll_fn(|cx| region.poll_read(cx, &mut source, 1)).await;
            assert_eq!((read.unwrap(), source.len()), (0, 1), "{size}");
            assert!(region.into_bytes() == bytes[..size], "{size}");
        }
    }
}

#[test]
fn gives_back_what_was_written_into_its_room() {
    for size in SIZES {
        let bytes = pattern(size);
        for mut region in [Region::of(size), Region::up_to(size)] {
            while region.len() < size {
                let filled = region.len();
                let room = region.room();
                let count = room.len().min(10_007);
                room[..count].copy_from_slice(&bytes[filled..filled + count]);
                region.fill(count);
            }
            assert!(region.room().is_empty());
            assert!(region.into_bytes() == bytes, "{size}");
        }
        let mut region = Region::of(size);
        region.all_room().copy_from_slice(&bytes);
        region.fill(size);
        assert!(region.into_bytes() == bytes, "{size}");
    }
}

#[test]
fn a_large_region_never_moves() {
    let mut region = Region::of(4 * PAGES_BYTES_MIN);
    region.push(b"x").unwrap();
    let place = region.as_ptr();
    while !region.room().is_empty() {
        let count = region.room().len();
        region.fill(count);
    }
    assert_eq!((region.as_ptr(), region.into_bytes().as_ptr()), (place, place));
}

#[test]
fn a_few_bytes_do_not_keep_their_pages() {
    let mut region = Region::of(16 * PAGES_BYTES_MIN);
    region.push(&pattern(100)).unwrap();
    let place = region.as_ptr();
    let bytes = region.into_bytes();
    assert!(bytes == pattern(100) && bytes.as_ptr() != place);
}
