//! Floods: frames that cost their sender little and a careless server much.

use std::net::TcpStream;

use super::client::{message_frame, one_log};
use super::frames::{
    CONTINUATION, DATA, END_HEADERS, END_STREAM, Flooded, GOAWAY, HEADERS, INITIAL_WINDOW_SIZE,
    PING, RST_STREAM, Raw, SETTINGS, WINDOW_UPDATE, encode_settings, export_block, frame, header,
};
use super::target::{Setup, Target, eventually};

/// ENHANCE_YOUR_CALM.
const CALM: u32 = 11;
/// What is written at once.
const CHUNK: usize = 1_000;

/// Streams `first`, `first + 2`, ... of `count`, each with these frames.
fn streams(first: u32, count: u32, frames: impl Fn(u32) -> Vec<u8>) -> Vec<u8> {
    (0..count).flat_map(|index| frames(first + 2 * index)).collect()
}

fn open_stream(id: u32) -> Vec<u8> {
    frame(HEADERS, END_HEADERS, id, &export_block())
}

#[test]
fn streams_that_are_reset_at_once_cost_the_connection() {
    let target = Target::start();
    let mut raw = Raw::open(target.grpc);
    let reset = |id| [open_stream(id), frame(RST_STREAM, 0, id, &8_u32.to_be_bytes())].concat();
    let mut flooded = Flooded::Taken;
    for round in 0..100 {
        flooded = raw.flood(&streams(1 + round * 400, 200, reset), 1);
        if flooded != Flooded::Taken {
            break;
        }
    }
    assert_eq!(flooded, Flooded::Closed);
    target.assert_unharmed();
}

#[test]
fn answers_that_nobody_waits_for_cost_the_connection_too() {
    // Each stream makes the server reset it, by a window that grows by nothing (CVE-2025-8671).
    let target = Target::start();
    let mut raw = Raw::open(target.grpc);
    let made = |id| [open_stream(id), frame(WINDOW_UPDATE, 0, id, &0_u32.to_be_bytes())].concat();
    let mut flooded = Flooded::Taken;
    for round in 0..100 {
        flooded = raw.flood(&streams(1 + round * 400, 200, made), 1);
        if flooded != Flooded::Taken {
            break;
        }
    }
    assert_eq!(flooded, Flooded::Closed);
    target.assert_unharmed();
}

#[test]
fn pings_and_settings_are_answered_without_hoarding_the_answers() {
    let target = Target::start();
    let pings = frame(PING, 0, 0, &[7; 8]).repeat(CHUNK);
    let settings = frame(SETTINGS, 0, 0, &encode_settings(&[(INITIAL_WINDOW_SIZE, 65_535)]));
    let settings = settings.repeat(CHUNK);
    for flood in [pings, settings] {
        // Who does not read the answers is not read from either; who does keeps nobody busy long.
        assert_ne!(Raw::open(target.grpc).flood(&flood, 2_000), Flooded::Taken);
        Raw::open(target.grpc).flood_reading(&flood, 100);
        target.assert_unharmed();
    }
}

#[test]
fn a_client_that_pings_more_often_than_it_may_is_sent_away() {
    let keepalive = "keepalive: {enforcement_policy: {min_time: 60s, permit_without_stream: true}}";
    let target = Target::with(&Setup { grpc: keepalive, ..Setup::default() });
    let ping = frame(PING, 0, 0, &[7; 8]);
    let mut patient = Raw::open(target.grpc);
    patient.send(&ping.repeat(3));
    let mut hasty = Raw::open(target.grpc);
    hasty.send(&ping.repeat(4));
    assert_eq!(hasty.until_closed(), Some(CALM));
    // The other was counted too, and is served.
    for _ in 0..3 {
        assert!(patient.until(PING).is_some());
    }
    target.assert_unharmed();
}

#[test]
fn empty_frames_end_the_connection() {
    let target = Target::start();
    let mut raw = Raw::open(target.grpc);
    raw.send(&open_stream(1));
    assert_eq!(raw.flood(&frame(DATA, 0, 1, &[]).repeat(CHUNK), 1_000), Flooded::Closed);
    target.assert_unharmed();
}

#[test]
fn headers_without_end_end_the_connection() {
    let target = Target::start();
    let mut raw = Raw::open(target.grpc);
    raw.send(&frame(HEADERS, 0, 1, &export_block()));
    let more = frame(CONTINUATION, 0, 1, &header("x-padding", &"x".repeat(1_000)));
    assert_eq!(raw.flood(&more, 100_000), Flooded::Closed);

    let mut raw = Raw::open(target.grpc);
    raw.send(&frame(HEADERS, 0, 1, &export_block()));
    assert_eq!(raw.flood(&frame(CONTINUATION, 0, 1, &[]).repeat(CHUNK), 1_000), Flooded::Closed);
    target.assert_unharmed();
}

#[test]
fn header_lists_beyond_the_limit_are_refused() {
    let target = Target::start();
    let mut raw = Raw::open(target.grpc);
    let large = [export_block(), header("x-large", &"x".repeat(15_900))].concat();
    for id in [1, 3, 5] {
        raw.send(&frame(HEADERS, END_HEADERS | END_STREAM, id, &large));
    }
    // They are answered, with 431, and the connection lives on.
    for _ in 0..3 {
        assert!(raw.until(HEADERS).is_some());
    }

    // A dictionary that expands: one entry, referred to ten thousand times.
    let mut raw = Raw::open(target.grpc);
    let mut entry = header("x-large", &"x".repeat(3_000));
    entry[0] = 0x40;
    let bomb = [export_block(), entry, vec![0x80 | 62; 10_000]].concat();
    raw.send(&frame(HEADERS, END_HEADERS | END_STREAM, 1, &bomb));
    let answered = std::iter::from_fn(|| raw.next())
        .find(|answer| answer.kind == HEADERS || answer.kind == GOAWAY);
    assert!(answered.is_some());
    target.assert_unharmed();
}

#[test]
fn a_client_that_never_takes_its_reply_is_cut() {
    let patience = "write_timeout: 500ms, keepalive: {server_parameters: {max_connection_idle: \
                    500ms, max_connection_age_grace: 500ms}}";
    let target = Target::with(&Setup { grpc: patience, ..Setup::default() });
    for window in [0, 1] {
        let mut raw = Raw::open_with(target.grpc, &[(INITIAL_WINDOW_SIZE, window)]);
        raw.send(&streams(1, 150, |id| {
            let message = message_frame(0, &one_log());
            [open_stream(id), frame(DATA, END_STREAM, id, &message)].concat()
        }));
        raw.until_closed();
    }
    target.assert_unharmed();
}

#[test]
fn frames_that_break_the_protocol_end_their_connection_only() {
    let target = Target::start();
    let too_long = [&[0xff, 0xff, 0xff, DATA, 0][..], &1_u32.to_be_bytes(), &[0; 64]].concat();
    let half_frame = frame(HEADERS, END_HEADERS, 1, &export_block())[..20].to_vec();
    let attacks = [
        ("a frame longer than allowed", too_long),
        ("data on an idle stream", frame(DATA, 0, 1, b"data")),
        ("an even stream", frame(HEADERS, END_HEADERS, 2, &export_block())),
        ("settings of the wrong size", frame(SETTINGS, 0, 0, &[1])),
        ("a window beyond 2^31", frame(WINDOW_UPDATE, 0, 0, &0x7fff_ffff_u32.to_be_bytes())),
        ("a ping of the wrong size", frame(PING, 0, 0, &[1])),
        ("a broken header block", frame(HEADERS, END_HEADERS, 1, &[0xff; 40])),
        ("a continuation of nothing", frame(CONTINUATION, END_HEADERS, 1, &export_block())),
    ];
    for (name, bytes) in attacks {
        let mut raw = Raw::open(target.grpc);
        raw.send(&bytes);
        let code = raw.until_closed();
        assert!(code.is_some_and(|code| code != 0 && code != CALM), "{name}: {code:?}");
    }
    // Truncated: the client leaves in the middle of a frame.
    for length in 0..half_frame.len() {
        Raw::open(target.grpc).send(&half_frame[..length]);
    }
    target.assert_unharmed();
    eventually("no connection is left", || open_sockets(&target) <= 1);
}

/// How many accepted connections the gRPC port has, as the kernel counts them; one is the
/// listening socket.
fn open_sockets(target: &Target) -> usize {
    assert!(TcpStream::connect(("127.0.0.1", target.grpc)).is_ok());
    let table = std::fs::read_to_string("/proc/net/tcp").unwrap();
    let local = format!(":{:04X} ", target.grpc);
    let established = |line: &&str| line[..24].contains(&local) && line[34..36] == *"01";
    table.lines().skip(1).filter(established).count()
}
