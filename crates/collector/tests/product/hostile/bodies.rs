//! Bodies: bytes that are no request, requests that are too large, and bombs.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::{GzEncoder, ZlibEncoder};

use super::client::{
    self, Answered, EXPORT_LOGS, Grpc, PROTOBUF, Rpc, block, connect, field, large_log, log_of,
    message_frame, one_log, read_all,
};
use super::target::{LIMIT_MIB, Target};

const KIB: usize = 1 << 10;
const MIB: usize = 1 << 20;

/// What 48 connections at a time take besides, and what the allocator keeps for a second.
const CONNECTIONS_MIB: u64 = 32;

const ENCODINGS: [&str; 5] = ["identity", "gzip", "zstd", "snappy", "deflate"];

fn compress(encoding: &str, plain: &[u8]) -> Vec<u8> {
    match encoding {
        "gzip" => {
            let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
            encoder.write_all(plain).unwrap();
            encoder.finish().unwrap()
        }
        "deflate" => {
            let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
            encoder.write_all(plain).unwrap();
            encoder.finish().unwrap()
        }
        "zstd" => zstd::stream::encode_all(plain, 1).unwrap(),
        "snappy" => snap::raw::Encoder::new().compress_vec(plain).unwrap(),
        _ => plain.to_vec(),
    }
}

fn post(port: u16, encoding: &str, body: &[u8]) -> Answered {
    client::post(port, PROTOBUF, &[("content-encoding", encoding)], body)
}

fn export(port: u16, encoding: &str, message: &[u8]) -> Rpc {
    block(async { Grpc::connect(port).await.export(EXPORT_LOGS, encoding, message).await })
}

/// Bytes without a pattern, the same in every run.
fn noise(seed: u32, count: usize) -> Vec<u8> {
    let mut state = seed;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    (0..count).map(|_| next()).collect()
}

#[test]
fn garbage_on_the_sockets_is_survived() {
    let target = Target::start();
    let head = "POST /v1/logs HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-protobuf\r\n";
    let mut attacks: Vec<Vec<u8>> = (1..40).map(|seed| noise(seed, 997)).collect();
    attacks.push(b"GET / HTTP/9.9\r\n\r\n".to_vec());
    attacks.push(vec![0; 64 * KIB]);
    attacks.push(vec![b'A'; MIB]);
    attacks.push(format!("{head}content-length: -1\r\n\r\n").into_bytes());
    attacks.push(format!("{head}content-length: 99999999999999999999999\r\n\r\n").into_bytes());
    attacks.push(format!("{head}content-length: 1\r\ncontent-length: 2\r\n\r\n").into_bytes());
    attacks.push(format!("{head}transfer-encoding: chunked\r\n\r\nffffffffffffffffff\r\n").into());
    attacks.push(format!("{head}transfer-encoding: chunked\r\n\r\nzz\r\n").into_bytes());
    attacks.push(format!("{head}x-large: {}\r\n\r\n", "x".repeat(20 * KIB)).into_bytes());
    attacks.push(format!("{head}{}\r\n", "x: y\r\n".repeat(1_000)).into_bytes());
    for port in [target.grpc, target.http] {
        for bytes in &attacks {
            let mut stream = connect(port);
            stream.write_all(bytes).ok();
            stream.shutdown(std::net::Shutdown::Write).ok();
            let answer = read_all(&mut stream).unwrap();
            assert!(!answer.windows(12).any(|text| text == b"HTTP/1.1 200"), "{bytes:?}");
        }
    }
    target.assert_unharmed();
}

#[test]
fn requests_that_end_early_are_answered_or_closed() {
    let target = Target::start();
    let body = one_log();
    let head = format!(
        "POST /v1/logs HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-protobuf\r\n\
         content-length: {}\r\n\r\n",
        body.len()
    );
    let whole = [head.as_bytes(), &body].concat();
    for length in 0..whole.len() {
        let mut stream = connect(target.http);
        stream.write_all(&whole[..length]).unwrap();
        stream.shutdown(std::net::Shutdown::Write).unwrap();
        let answer = read_all(&mut stream).unwrap();
        assert!(Answered::parse(&answer).is_none_or(|answer| answer.status != 200), "{length}");
    }
    // A message that is cut, or longer or shorter than it says, is none.
    let framed = message_frame(0, &body);
    let longer = [framed.as_slice(), b"x"].concat();
    let cut = (0..framed.len()).map(|length| &framed[..length]);
    for bytes in cut.chain([longer.as_slice()]) {
        let rpc = block(async {
            let mut grpc = Grpc::connect(target.grpc).await;
            let (response, mut stream) = grpc.open(EXPORT_LOGS, "identity").await.unwrap();
            stream.send_data(bytes.to_vec().into(), true).unwrap();
            client::answer(response).await
        });
        assert!(matches!(rpc.code, Some(13 | 3)), "{rpc:?}");
    }
    target.assert_unharmed();
}

#[test]
fn what_is_too_large_is_refused_in_every_encoding() {
    let target = Target::start();
    let (over_http, over_grpc) = (large_log(25 * MIB), large_log(9 * MIB));
    for encoding in ENCODINGS {
        let answered = post(target.http, encoding, &compress(encoding, &over_http));
        assert_eq!(answered.status, 413, "{encoding}: {}", answered.head);
        assert!(!answered.has_delay(), "{encoding}");
        let rpc = export(target.grpc, encoding, &compress(encoding, &over_grpc));
        assert_eq!((rpc.code, rpc.details.as_ref()), (Some(8), None), "{encoding}: {rpc:?}");
    }
    target.assert_unharmed();
}

/// A gibibyte of zeros in 1.1 MiB: the same compressed mebibyte over and over. What follows says
/// that there is almost nothing in it.
fn gzip_bomb() -> Vec<u8> {
    let mut deflate = flate2::Compress::new(Compression::best(), false);
    let mut mebibyte = Vec::with_capacity(64 * KIB);
    deflate.compress_vec(&vec![0; MIB], &mut mebibyte, flate2::FlushCompress::Full).unwrap();
    let header = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];
    [header.as_slice(), &mebibyte.repeat(1024), &[3, 0, 0, 0, 0, 0, 1, 0, 0, 0]].concat()
}

/// A gibibyte of zeros in 32 KiB: blocks that repeat one byte 128 Ki times (RFC 8878, 3.1.1.2).
fn zstd_bomb() -> Vec<u8> {
    let header = [0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x50];
    let block = (128 * KIB as u32) << 3 | 0b010;
    let [low, middle, high, _] = block.to_le_bytes();
    let block = [low, middle, high, 0];
    [header.as_slice(), &block.repeat(8192)].concat()
}

#[test]
fn bombs_are_cut_at_the_limit() {
    let target = Target::start();
    let declares_4_gib = vec![0xff, 0xff, 0xff, 0xff, 0x0f, 0, 0, 0, 0, 0];
    let bombs = [("gzip", gzip_bomb()), ("zstd", zstd_bomb()), ("snappy", declares_4_gib)];
    for (encoding, bomb) in &bombs {
        let answered = post(target.http, encoding, bomb);
        assert_eq!(answered.status, 413, "{encoding}: {}", answered.head);
        let rpc = export(target.grpc, encoding, bomb);
        assert_eq!((rpc.code, rpc.details.as_ref()), (Some(8), None), "{encoding}: {rpc:?}");
    }
    target.assert_unharmed();
}

/// A gibibyte of zeros in the format of zlib; it ends early, far behind every limit.
fn zlib_bomb() -> Vec<u8> {
    [&[0x78, 0xda][..], &gzip_bomb()[10..]].concat()
}

/// 20 MiB of zeros, which a block of snappy holds in a megabyte.
fn snappy_bomb() -> Vec<u8> {
    compress("snappy", &vec![0; 20 * MIB - 1])
}

/// Sends all of them at once, over and over.
fn wave(attacks: &[(&'static str, Vec<u8>)], attack: impl Fn(&str, &[u8]) + Copy + Send) {
    for _ in 0..3 {
        std::thread::scope(|scope| {
            for index in 0..48 {
                let (encoding, body) = &attacks[index % attacks.len()];
                scope.spawn(move || attack(encoding, body));
            }
        });
    }
}

fn bombs() -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("gzip", gzip_bomb()),
        ("zstd", zstd_bomb()),
        ("deflate", zlib_bomb()),
        ("snappy", snappy_bomb()),
    ]
}

#[test]
fn many_bombs_at_a_time_share_the_memory_of_all() {
    let target = Target::start();
    target.assert_serving();
    let idle = target.peak_mib();
    let (http, grpc) = (target.http, target.grpc);
    wave(&bombs(), |encoding, bomb| {
        let answered = post(http, encoding, bomb);
        // Who finds no memory is asked to come again.
        let is_turned_away = matches!(answered.status, 429 | 503) && answered.has_delay();
        assert!(matches!(answered.status, 400 | 413) || is_turned_away, "{}", answered.head);
    });
    wave(&bombs(), |encoding, bomb| {
        let rpc = export(grpc, encoding, bomb);
        let is_turned_away = matches!(rpc.code, Some(8 | 14)) && rpc.details.is_some();
        assert!(matches!(rpc.code, Some(8)) || is_turned_away, "{rpc:?}");
    });
    target.assert_serving();
    target.assert_bounded(idle + LIMIT_MIB + LIMIT_MIB / 10 + CONNECTIONS_MIB);
}

#[test]
fn many_large_requests_at_a_time_share_the_memory_of_all() {
    let target = Target::start();
    target.assert_serving();
    let idle = target.peak_mib();
    let (http, grpc) = (target.http, target.grpc);
    let large = |size: usize| -> Vec<_> {
        let plain = large_log(size);
        ENCODINGS.map(|encoding| (encoding, compress(encoding, &plain))).into()
    };
    wave(&large(19 * MIB), |encoding, body| {
        let answered = post(http, encoding, body);
        let is_turned_away = matches!(answered.status, 429 | 503) && answered.has_delay();
        assert!(answered.status == 200 || is_turned_away, "{}", answered.head);
    });
    wave(&large(4 * MIB - KIB), |encoding, body| {
        let rpc = export(grpc, encoding, body);
        let is_turned_away = matches!(rpc.code, Some(8 | 14)) && rpc.details.is_some();
        assert!(rpc.code == Some(0) || is_turned_away, "{rpc:?}");
    });
    target.assert_serving();
    target.assert_bounded(idle + LIMIT_MIB + LIMIT_MIB / 10 + CONNECTIONS_MIB);
}

#[test]
fn nested_values_do_not_nest_for_ever() {
    let target = Target::start();
    // An array of an array of an array...; and the same through key-value lists.
    let array = |inner: &[u8]| field(5, &field(1, inner));
    let pairs = |inner: &[u8]| field(6, &field(1, &field(2, inner)));
    for nest in [&array as &dyn Fn(&[u8]) -> Vec<u8>, &pairs] {
        let bomb = (0..5_000).fold(field(1, b"x"), |value, _| nest(&value));
        let bomb = log_of(&bomb);
        let answered = client::post(target.http, PROTOBUF, &[], &bomb);
        assert_eq!(answered.status, 400, "{}", answered.head);
        let rpc = export(target.grpc, "identity", &bomb);
        assert_eq!(rpc.code, Some(3), "{rpc:?}");
    }
    let json = |open: &str, close: &str| {
        let (open, close) = (open.repeat(100_000), close.repeat(100_000));
        format!(
            r#"{{"resourceLogs":[{{"scopeLogs":[{{"logRecords":[{{"body":{open}{close}}}]}}]}}]}}"#
        )
    };
    for bomb in [json(r#"{"arrayValue":{"values":["#, "]}}"), json("[", "]"), "[".repeat(MIB)] {
        let answered = client::post(target.http, "application/json", &[], bomb.as_bytes());
        assert_eq!(answered.status, 400, "{}", answered.head);
    }
    target.assert_unharmed();
}
