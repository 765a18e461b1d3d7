use std::io::Write;

use flate2::Compression;
use flate2::write::{GzEncoder, ZlibEncoder};
use proptest::prelude::*;

use super::*;

const ALL: [Algorithm; 5] =
    [Algorithm::Gzip, Algorithm::Zlib, Algorithm::Zstd, Algorithm::Snappy, Algorithm::SnappyFramed];

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

#[test]
fn gives_back_what_was_compressed_in_room_of_that_very_size() {
    for algorithm in ALL {
        for size in [0, 1, 65_535, 65_536, 65_537, 3_000_000] {
            let plain: Vec<u8> = (0..size).map(|index| (index % 251) as u8).collect();
            let compressed = compress(algorithm, &plain);
            let inflated = inflate(algorithm, &compressed, size);
            assert_eq!(inflated.as_deref(), Ok(plain.as_slice()), "{algorithm:?} of {size}");
        }
    }
}

#[test]
fn refuses_one_byte_more_than_there_is_room_for() {
    for algorithm in ALL {
        let compressed = compress(algorithm, &vec![7; 100_001]);
        let inflated = inflate(algorithm, &compressed, 100_000);
        assert_eq!(inflated, Err(Flaw::Longer { room: 100_000 }), "{algorithm:?}");
    }
}

#[test]
fn expects_what_a_body_declares_or_else_what_its_format_allows() {
    let plain = vec![7; 100_000];
    let of = |algorithm| expected(algorithm, &compress(algorithm, &plain));
    assert_eq!(of(Algorithm::Gzip), Expected::Guessed(100_000));
    let zstd = ::zstd::bulk::compress(&plain, 1).unwrap();
    assert_eq!(expected(Algorithm::Zstd, &zstd), Expected::Declared(100_000));
    assert_eq!(of(Algorithm::Snappy), Expected::Declared(100_000));
    for algorithm in [Algorithm::Zlib, Algorithm::SnappyFramed] {
        let Expected::Guessed(bytes) = of(algorithm) else { panic!("{algorithm:?}") };
        assert!((100_000..2_000_000).contains(&bytes), "{algorithm:?}: {bytes}");
    }
    assert_eq!(of(Algorithm::Zstd), Expected::Guessed(usize::MAX));
}

#[test]
fn a_bomb_ends_where_its_room_does() {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    let mut zstd = ::zstd::stream::write::Encoder::new(Vec::new(), 1).unwrap();
    for encoder in [&mut gzip as &mut dyn Write, &mut zstd] {
        let chunk = vec![0; 1 << 20];
        for _ in 0..64 {
            encoder.write_all(&chunk).unwrap();
        }
    }
    let (gzip, zstd) = (gzip.finish().unwrap(), zstd.finish().unwrap());
    for (algorithm, bomb) in [(Algorithm::Gzip, gzip), (Algorithm::Zstd, zstd)] {
        let inflated = inflate(algorithm, &bomb, 1 << 20);
        assert_eq!(inflated, Err(Flaw::Longer { room: 1 << 20 }), "{algorithm:?}");
    }
}

#[test]
fn a_zstd_frame_with_a_large_window_needs_no_more_than_its_content() {
    let mut encoder = ::zstd::stream::write::Encoder::new(Vec::new(), 1).unwrap();
    encoder.window_log(27).unwrap();
    encoder.write_all(&vec![7; 100_000]).unwrap();
    let bytes = encoder.finish().unwrap();
    assert_eq!(inflate(Algorithm::Zstd, &bytes, 100_000), Ok(vec![7; 100_000].into()));
}

#[test]
fn a_snappy_block_that_declares_4_gib_is_known_for_that_before() {
    let block = [0xff, 0xff, 0xff, 0xff, 0x0f, 0, 0, 0, 0, 0];
    assert_eq!(expected(Algorithm::Snappy, &block), Expected::Declared(u32::MAX as usize));
    let inflated = inflate(Algorithm::Snappy, &block, 1 << 20);
    assert_eq!(inflated, Err(Flaw::Longer { room: 1 << 20 }));
}

#[test]
fn a_small_snappy_block_cannot_declare_much() {
    let block = [0x80, 0x80, 0x80, 0x08, 0, 0];
    let inflated = inflate(Algorithm::Snappy, &block, 20 << 20);
    assert!(matches!(inflated, Err(Flaw::Corrupt(_))), "{inflated:?}");
}

#[test]
fn framed_snappy_is_recognised_under_the_name_of_the_block_format() {
    let framed = compress(Algorithm::SnappyFramed, b"spans");
    let inflated = inflate(Algorithm::Snappy, &framed, 100);
    assert_eq!(inflated.as_deref(), Ok(b"spans".as_slice()));
}

#[test]
fn all_members_of_a_gzip_body_count() {
    let mut compressed = compress(Algorithm::Gzip, b"one ");
    compressed.extend(compress(Algorithm::Gzip, b"two"));
    let inflated = inflate(Algorithm::Gzip, &compressed, 100);
    assert_eq!(inflated.as_deref(), Ok(b"one two".as_slice()));
}

#[test]
fn a_body_that_ends_early_is_corrupt() {
    for algorithm in ALL {
        let plain: Vec<u8> = (0..50_000u32).map(|index| (index * index % 251) as u8).collect();
        let compressed = compress(algorithm, &plain);
        let cut = &compressed[..compressed.len() - 9];
        let inflated = inflate(algorithm, cut, 1 << 20);
        assert!(matches!(inflated, Err(Flaw::Corrupt(_))), "{algorithm:?}: {inflated:?}");
    }
}

proptest! {
    #[test]
    fn garbage_ends_within_its_room(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        for algorithm in ALL {
            let inflated = inflate(algorithm, &bytes, 1_000);
            prop_assert!(inflated.map_or(0, |plain| plain.len()) <= 1_000);
        }
    }
}

/// Members of gzip, some with names, and what else may be in a body.
fn gzip_body() -> impl Strategy<Value = Vec<u8>> {
    let plain = || {
        let text = proptest::collection::vec(prop_oneof![Just(b'a'), any::<u8>()], 0..300);
        let magic = Just(b"x\x1f\x8b\x08\x00y".repeat(3));
        prop_oneof![3 => text, 1 => magic]
    };
    let member = (plain(), 0..10_u32, any::<bool>()).prop_map(|(plain, level, is_named)| {
        let name = if is_named { "a name" } else { "" };
        let builder = flate2::GzBuilder::new();
        let builder = if name.is_empty() { builder } else { builder.filename(name) };
        let mut encoder = builder.write(Vec::new(), Compression::new(level));
        encoder.write_all(&plain).unwrap();
        encoder.finish().unwrap()
    });
    let other = proptest::collection::vec(any::<u8>(), 0..12);
    proptest::collection::vec(prop_oneof![8 => member, 1 => other], 1..4)
        .prop_map(|pieces| pieces.concat())
}

/// What a stream makes of a body.
fn streamed(body: &[u8]) -> Option<Vec<u8>> {
    let mut plain = Vec::new();
    let mut decoder = flate2::bufread::MultiGzDecoder::new(body);
    decoder.read_to_end(&mut plain).ok().map(|_| plain)
}

proptest! {
    #[test]
    fn gzip_at_once_and_as_a_stream_are_the_same(
        body in gzip_body(),
        change in proptest::option::weighted(0.3, (any::<prop::sample::Index>(), any::<u8>())),
        room in 0..1_000_usize,
    ) {
        let mut body = body;
        if let Some((place, byte)) = change && !body.is_empty() {
            let place = place.index(body.len());
            body[place] = byte;
        }
        let expected = streamed(&body).filter(|plain| plain.len() <= room);
        let inflated = inflate(Algorithm::Gzip, &body, room).ok();
        prop_assert_eq!(inflated.as_deref(), expected.as_deref());
    }
}

#[test]
fn the_same_gzip_member_twice_counts_twice() {
    let member = compress(Algorithm::Gzip, b"again ");
    let inflated = inflate(Algorithm::Gzip, &member.repeat(2), 100);
    assert_eq!(inflated.as_deref(), Ok(b"again again ".as_slice()));
}
