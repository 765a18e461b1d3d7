//! The stored inputs of the fuzz targets: seeds, and every input that once crashed one.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::random::Random;
use crate::scan::request;
use crate::{exercise, exercise_answers, exercise_http1, exercise_http2, exercise_json};
use wire::rpc_status::Status;
use wire::{Format, Payload, Signal, json, response};

struct Target {
    name: &'static str,
    run: fn(&[u8]),
    /// A small input about a signal.
    seed: fn(Signal, &mut Random) -> Vec<u8>,
}

const TARGETS: [Target; 8] = [
    Target { name: "otlp_parse", run: exercise::parse, seed: encoded },
    Target { name: "otlp_cut_merge", run: exercise::cut_merge, seed: encoded },
    Target { name: "otlp_edit", run: exercise::edit, seed: encoded },
    Target { name: "json_read", run: exercise_json::read, seed: text },
    Target { name: "json_write", run: exercise_json::write, seed: encoded },
    Target { name: "answers", run: exercise_answers::read, seed: small },
    Target { name: "http2", run: exercise_http2::talk, seed: conversation },
    Target { name: "http1", run: exercise_http1::talk, seed: requests },
];

fn folder(target: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus").join(target)
}

#[test]
fn stored_inputs_are_handled() {
    for Target { name, run, .. } in TARGETS {
        let mut count = 0;
        for entry in fs::read_dir(folder(name)).unwrap() {
            let path = entry.unwrap().path();
            println!("{}", path.display());
            run(&fs::read(path).unwrap());
            count += 1;
        }
        assert!(0 < count, "{name} has seeds");
    }
}

/// Writes the seeds: `cargo test -p wire --test otlp -- --ignored write_the_seeds`.
#[test]
#[ignore = "writes into the source tree"]
fn write_the_seeds() {
    for (at, target) in TARGETS.iter().enumerate() {
        fs::create_dir_all(folder(target.name)).unwrap();
        for signal in Signal::ALL {
            for round in 0..3 {
                let input = (target.seed)(signal, &mut Random::new((at * 3 + round) as u64));
                fs::write(folder(target.name).join(format!("{signal}-{round}")), input).unwrap();
            }
        }
    }
}

/// A small request in some encoding, behind the byte that chooses its signal.
fn encoded(signal: Signal, random: &mut Random) -> Vec<u8> {
    let bytes = loop {
        let bytes = request(signal, random.next(), 3);
        if (50..1500).contains(&bytes.len()) {
            break bytes;
        }
    };
    let first = Signal::ALL.iter().position(|other| *other == signal).unwrap() as u8;
    let high = (random.next() as u8) & 0xfc;
    [&[high | first][..], &bytes].concat()
}

/// The same in JSON.
fn text(signal: Signal, random: &mut Random) -> Vec<u8> {
    let encoded = encoded(signal, random);
    let payload = Payload::parse(signal, encoded[1..].to_vec().into()).unwrap();
    [&encoded[..1], &json::from_payload(&payload)].concat()
}

/// A response, a status or a question about a service.
fn small(signal: Signal, random: &mut Random) -> Vec<u8> {
    let retry_after = Some(Duration::from_millis(random.next() % 100_000));
    let status = Status { code: 14, message: format!("no {signal} now"), retry_after };
    match (random.next() + signal as u64) % 5 {
        0 => response::encode(signal, random.next() % 100, "too old", Format::Protobuf).into(),
        1 => response::encode(signal, random.next() % 100, "too old", Format::Json).into(),
        2 => status.encode().into(),
        3 => status.to_json(),
        _ => [&b"\x22\x15"[..], b"grpc.health.v1.Health"].concat(),
    }
}

/// What a client or a server says first, in frames as the target builds them.
fn conversation(signal: Signal, random: &mut Random) -> Vec<u8> {
    let frame = |kind: u8, flags: u8, stream: u8, payload: &[u8]| {
        [&[kind, flags, stream, payload.len() as u8], payload].concat()
    };
    let is_client = random.next() % 2;
    let block: &[u8] = if is_client == 1 {
        &[0x88, 0x40, 1, b'a', 0x83, 0x1c, 0x64, 0xff, 0xbe]
    } else {
        &[
            0x83, 0x86, 0x44, 2, b'/', b'a', 0x41, 0x8c, 0xf1, 0xe3, 0xc2, 0xe5, 0xf2, 0x3a, 0x6b,
            0xa0, 0xab, 0x90, 0xf4, 0xff,
        ]
    };
    let settings = [0, 4, 0, 0, random.next() as u8, 0];
    let frames = [
        frame(4, 0, 0, &settings),
        frame(1, 4, 1, block),
        frame(0, 0, 1, &[signal as u8; 100]),
        frame(8, 0, 0, &[0, 0, 255, 255]),
        frame(8, 0, 3, &[0, 0, 255, 255]),
        frame(1, 0, 3, &block[..2]),
        frame(9, 4, 3, &block[2..]),
        frame(6, 0, 0, &[signal as u8; 8]),
        frame(0, 1, 1, b"end"),
        frame(3, 0, 3, &[0, 0, 0, 8]),
        frame(7, 0, 0, &[0; 8]),
    ];
    let choice = is_client as u8 | 2 | (random.next() as u8 & 4);
    [vec![choice, random.next() as u8], frames.concat()].concat()
}

/// Requests over HTTP/1.1.
fn requests(signal: Signal, random: &mut Random) -> Vec<u8> {
    let length = random.next() % 40;
    let body = "x".repeat(length as usize);
    let sized = format!(
        "POST /v1/{signal} HTTP/1.1\r\nHost: a:4318\r\nContent-Type: application/x-protobuf\r\n\
         Content-Length: {length}\r\nExpect: 100-continue\r\n\r\n{body}"
    );
    let chunked = format!(
        "POST http://a/v1/{signal}?b=c HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\
         Connection: close\r\n\r\n3;d=\"e\"\r\nabc\r\n0\r\nF: g\r\n\r\n"
    );
    let old = "\r\nGET / HTTP/1.0\nConnection: keep-alive\n\n";
    let text = [sized.as_str(), &chunked, old][random.next() as usize % 3].repeat(2);
    [vec![0, random.next() as u8], text.into_bytes()].concat()
}
