use std::io::Write;

use flate2::Compression;
use flate2::write::{GzEncoder, ZlibEncoder};
use proptest::prelude::*;

use super::*;

const ALL: [Algorithm; 5] =
    [Algorithm::Gzip, Algorithm::Zlib, Algorithm::Zstd, Algorithm::Snappy, Algorithm::SnappyFramed];

/// Room up to a limit, that remembers the most it was asked for.
struct Limited {
    bytes_max: usize,
    bytes_peak: usize,
}

impl Room for Limited {
    fn grow(&mut self, bytes: usize) -> Result<(), Flaw> {
        if self.bytes_max < bytes {
            return Err(Flaw::NoRoom);
        }
        self.bytes_peak = self.bytes_peak.max(bytes);
        Ok(())
    }
}

fn room(bytes_max: usize) -> Limited {
    Limited { bytes_max, bytes_peak: 0 }
}

fn compress(algorithm: Algorithm, plain: &[u8]) -> Vec<u8> {
    match algorithm {
        Algorithm::Gzip => {
            let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
            encoder.write_all(plain).unwrap();
            encoder.finish().unwrap()
        }
        Algorithm::Zlib => {
            let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
            encoder.write_all(plain).unwrap();
            encoder.finish().unwrap()
        }
        Algorithm::Zstd => ::zstd::stream::encode_all(plain, 1).unwrap(),
        Algorithm::Snappy => snap::raw::Encoder::new().compress_vec(plain).unwrap(),
        Algorithm::SnappyFramed => {
            let mut encoder = snap::write::FrameEncoder::new(Vec::new());
            encoder.write_all(plain).unwrap();
            encoder.into_inner().unwrap()
        }
    }
}

/// A gigabyte of zeros, in the memory of one chunk.
fn bomb(encoder: &mut dyn Write, chunks: usize) {
    let chunk = vec![0; 1 << 20];
    for _ in 0..chunks {
        encoder.write_all(&chunk).unwrap();
    }
}

#[test]
fn gives_back_what_was_compressed_at_the_very_limit() {
    for algorithm in ALL {
        for size in [0, 1, STEP_BYTES - 1, STEP_BYTES, STEP_BYTES + 1, 300_000] {
            let plain: Vec<u8> = (0..size).map(|index| (index % 251) as u8).collect();
            let compressed = compress(algorithm, &plain);
            let inflated = inflate(algorithm, &compressed, size, &mut room(usize::MAX));
            assert_eq!(inflated.as_deref(), Ok(plain.as_slice()), "{algorithm:?} of {size}");
        }
    }
}

#[test]
fn refuses_one_byte_more_than_the_limit() {
    for algorithm in ALL {
        let compressed = compress(algorithm, &vec![7; 100_001]);
        let inflated = inflate(algorithm, &compressed, 100_000, &mut room(usize::MAX));
        assert_eq!(inflated, Err(Flaw::TooLarge { bytes_max: 100_000 }), "{algorithm:?}");
    }
}

#[test]
fn a_gzip_bomb_is_cut_within_the_limit() {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    bomb(&mut encoder, 64);
    let mut bytes = encoder.finish().unwrap();
    let end = bytes.len() - 4;
    bytes[end..].copy_from_slice(&1_000u32.to_le_bytes());
    let mut room = room(usize::MAX);
    let inflated = inflate(Algorithm::Gzip, &bytes, 1 << 20, &mut room);
    assert_eq!(inflated, Err(Flaw::TooLarge { bytes_max: 1 << 20 }));
    assert!(room.bytes_peak <= 1 << 20);
}

#[test]
fn a_zstd_bomb_without_a_declared_size_is_cut_within_the_limit() {
    let mut encoder = ::zstd::stream::write::Encoder::new(Vec::new(), 1).unwrap();
    bomb(&mut encoder, 64);
    let bytes = encoder.finish().unwrap();
    assert_eq!(declared_size(Algorithm::Zstd, &bytes), None);
    let mut room = room(usize::MAX);
    let inflated = inflate(Algorithm::Zstd, &bytes, 1 << 20, &mut room);
    assert_eq!(inflated, Err(Flaw::TooLarge { bytes_max: 1 << 20 }));
    assert!(room.bytes_peak <= 1 << 20);
}

#[test]
fn a_zstd_frame_with_a_window_of_more_than_8_mib_is_refused() {
    let mut encoder = ::zstd::stream::write::Encoder::new(Vec::new(), 1).unwrap();
    encoder.window_log(27).unwrap();
    bomb(&mut encoder, 1);
    let bytes = encoder.finish().unwrap();
    let inflated = inflate(Algorithm::Zstd, &bytes, 4 << 20, &mut room(usize::MAX));
    assert!(matches!(inflated, Err(Flaw::Corrupt(_))), "{inflated:?}");
}

#[test]
fn a_snappy_block_that_declares_4_gib_takes_no_memory() {
    let block = [0xff, 0xff, 0xff, 0xff, 0x0f, 0, 0, 0, 0, 0];
    let mut room = room(usize::MAX);
    let inflated = inflate(Algorithm::Snappy, &block, 20 << 20, &mut room);
    assert_eq!(inflated, Err(Flaw::TooLarge { bytes_max: 20 << 20 }));
    assert_eq!(room.bytes_peak, 0);
}

#[test]
fn a_small_snappy_block_cannot_declare_much() {
    let block = [0x80, 0x80, 0x80, 0x08, 0, 0];
    let mut room = room(usize::MAX);
    let inflated = inflate(Algorithm::Snappy, &block, 20 << 20, &mut room);
    assert!(matches!(inflated, Err(Flaw::Corrupt(_))), "{inflated:?}");
    assert_eq!(room.bytes_peak, 0);
}

#[test]
fn framed_snappy_is_recognised_under_the_name_of_the_block_format() {
    let framed = compress(Algorithm::SnappyFramed, b"spans");
    let inflated = inflate(Algorithm::Snappy, &framed, 100, &mut room(usize::MAX));
    assert_eq!(inflated.as_deref(), Ok(b"spans".as_slice()));
}

#[test]
fn all_members_of_a_gzip_body_count() {
    let mut compressed = compress(Algorithm::Gzip, b"one ");
    compressed.extend(compress(Algorithm::Gzip, b"two"));
    let inflated = inflate(Algorithm::Gzip, &compressed, 100, &mut room(usize::MAX));
    assert_eq!(inflated.as_deref(), Ok(b"one two".as_slice()));
}

#[test]
fn stops_where_its_room_ends() {
    for algorithm in ALL {
        let compressed = compress(algorithm, &vec![7; 100_000]);
        let inflated = inflate(algorithm, &compressed, 1 << 20, &mut room(50_000));
        assert_eq!(inflated, Err(Flaw::NoRoom), "{algorithm:?}");
    }
}

#[test]
fn a_body_that_ends_early_is_corrupt() {
    for algorithm in ALL {
        let plain: Vec<u8> = (0..50_000u32).map(|index| (index * index % 251) as u8).collect();
        let compressed = compress(algorithm, &plain);
        let cut = &compressed[..compressed.len() - 9];
        let inflated = inflate(algorithm, cut, 1 << 20, &mut room(usize::MAX));
        assert!(matches!(inflated, Err(Flaw::Corrupt(_))), "{algorithm:?}: {inflated:?}");
    }
}

proptest! {
    #[test]
    fn garbage_ends_within_the_limit(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        for algorithm in ALL {
            let mut room = room(usize::MAX);
            let inflated = inflate(algorithm, &bytes, 1_000, &mut room);
            prop_assert!(inflated.map_or(0, |plain| plain.len()) <= 1_000);
            prop_assert!(room.bytes_peak <= 1_000);
        }
    }
}
