//! Two ends, a wire that cuts where it likes, and a model of what has to arrive.

use std::collections::{BTreeMap, VecDeque};

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, HeaderValue, Method, Request, Response};
use proptest::prelude::*;

use crate::http2::{Connection, Event, Limits, Reason};

/// What happens next.
#[derive(Clone, Debug)]
enum Step {
    /// The client begins a request with a body of these pieces.
    Ask(Vec<usize>),
    /// The server answers the oldest request that it has seen whole, in pieces.
    Answer(Vec<usize>),
    /// One end takes a stream back.
    TakeBack {
        by_client: bool,
        which: usize,
    },
    /// The bytes of one direction move on, at most so many.
    Move {
        to_server: bool,
        bytes: usize,
    },
    AskToGo,
}

fn step() -> impl Strategy<Value = Step> {
    let pieces = || prop::collection::vec(prop_oneof![0..10_usize, 1_000..60_000_usize], 0..4);
    prop_oneof![
        4 => pieces().prop_map(Step::Ask),
        4 => pieces().prop_map(Step::Answer),
        1 => (any::<bool>(), 0..5_usize)
            .prop_map(|(by_client, which)| Step::TakeBack { by_client, which }),
        12 => (any::<bool>(), prop_oneof![1..40_usize, 1_000..100_000_usize])
            .prop_map(|(to_server, bytes)| Step::Move { to_server, bytes }),
        1 => Just(Step::AskToGo),
    ]
}

fn limits() -> impl Strategy<Value = Limits> {
    (1..5_u32, 65_535..200_000_u32, 65_535..200_000_u32, 16_384..40_000_u32).prop_map(
        |(streams_max, stream_window, connection_window, frame_bytes_max)| Limits {
            streams_max,
            header_bytes_max: 4_000,
            frame_bytes_max,
            stream_window,
            connection_window,
        },
    )
}

/// What one end has of a stream.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Seen {
    bytes: Vec<u8>,
    is_whole: bool,
    is_reset: bool,
}

/// One end, and what is on the wire towards it.
struct End {
    connection: Connection,
    wire: VecDeque<u8>,
    input: BytesMut,
    seen: BTreeMap<u32, Seen>,
}

impl End {
    fn new(connection: Connection) -> Self {
        let (wire, input, seen) = (VecDeque::new(), BytesMut::new(), BTreeMap::new());
        Self { connection, wire, input, seen }
    }

    fn flush_to(&mut self, other: &mut Self) {
        let mut pieces = VecDeque::new();
        self.connection.take_output(50_000, &mut pieces);
        other.wire.extend(pieces.iter().flatten());
    }

    fn take(&mut self, bytes: usize) {
        let bytes = bytes.min(self.wire.len());
        let moved = self.wire.drain(..bytes).collect::<Vec<_>>();
        self.input.extend_from_slice(&moved);
        self.connection.receive(&mut self.input).unwrap();
        while let Some(event) = self.connection.next_event() {
            self.note(event);
        }
    }

    fn note(&mut self, event: Event) {
        match event {
            Event::Request { stream, is_end, .. } | Event::Response { stream, is_end, .. } => {
                self.seen.entry(stream).or_default().is_whole = is_end;
            }
            Event::Data { stream, bytes, is_end } => {
                self.connection.release(stream, bytes.len());
                let seen = self.seen.entry(stream).or_default();
                seen.bytes.extend_from_slice(&bytes);
                seen.is_whole = is_end;
            }
            Event::Trailers { stream, trailers } => {
                assert_eq!(trailers["grpc-status"], "0");
                self.seen.entry(stream).or_default().is_whole = true;
            }
            Event::Reset { stream, .. } => self.seen.entry(stream).or_default().is_reset = true,
            Event::Pinged => {}
        }
    }
}

/// Bytes that tell where they belong.
fn body(stream: u32, pieces: &[usize]) -> Vec<Bytes> {
    let mut at = 0_u32;
    let mut byte = || {
        at += 1;
        (at.wrapping_mul(31) ^ stream) as u8
    };
    pieces.iter().map(|length| (0..*length).map(|_| byte()).collect()).collect()
}

struct Pair {
    client: End,
    server: End,
    asked: BTreeMap<u32, Vec<u8>>,
    answered: BTreeMap<u32, Vec<u8>>,
    taken_back: Vec<u32>,
}

impl Pair {
    fn run(&mut self, step: Step) {
        match step {
            Step::Ask(pieces) if self.client.connection.has_room() => self.ask(&pieces),
            Step::Answer(pieces) => self.answer(&pieces),
            Step::TakeBack { by_client, which } => {
                let streams = self.asked.keys().copied().collect::<Vec<_>>();
                let Some(stream) = streams.iter().rev().nth(which) else { return };
                let end = if by_client { &mut self.client } else { &mut self.server };
                end.connection.reset(*stream, Reason::CANCEL);
                self.taken_back.push(*stream);
            }
            Step::Move { to_server: true, bytes } => {
                self.client.flush_to(&mut self.server);
                self.server.take(bytes);
            }
            Step::Move { to_server: false, bytes } => {
                self.server.flush_to(&mut self.client);
                self.client.take(bytes);
            }
            Step::AskToGo => self.server.connection.ask_to_go(),
            Step::Ask(_) => {}
        }
    }

    fn ask(&mut self, pieces: &[usize]) {
        let request = Request::builder().method(Method::POST).uri("http://host/path");
        let (head, ()) = request.body(()).unwrap().into_parts();
        let client = &mut self.client.connection;
        let stream = client.request(&head, pieces.is_empty());
        let body = body(stream, pieces);
        self.asked.insert(stream, body.concat());
        if !pieces.is_empty() {
            body.into_iter().for_each(|piece| client.send(stream, piece));
            client.finish(stream, None);
        }
    }

    fn answer(&mut self, pieces: &[usize]) {
        let is_next =
            |(stream, seen): &(&u32, &Seen)| seen.is_whole && !self.answered.contains_key(stream);
        let Some((&stream, _)) = self.server.seen.iter().find(is_next) else { return };
        let (head, ()) = Response::new(()).into_parts();
        let server = &mut self.server.connection;
        server.respond(stream, &head, false);
        let body = body(stream, pieces);
        self.answered.insert(stream, body.concat());
        body.into_iter().for_each(|piece| server.send(stream, piece));
        let status = (http::HeaderName::from_static("grpc-status"), HeaderValue::from_static("0"));
        server.finish(stream, Some(HeaderMap::from_iter([status])));
    }

    /// Everything that is under way arrives, and every request is answered.
    fn settle(&mut self) {
        let mut idle = 0;
        while idle < 5 {
            self.client.flush_to(&mut self.server);
            self.server.flush_to(&mut self.client);
            let is_idle = self.client.wire.is_empty() && self.server.wire.is_empty();
            idle = if is_idle { idle + 1 } else { 0 };
            self.server.take(usize::MAX);
            self.client.take(usize::MAX);
            self.answer(&[7]);
        }
    }

    fn check(&self) {
        for (stream, asked) in &self.asked {
            let is_clean = !self.taken_back.contains(stream)
                && !self.client.seen.get(stream).is_some_and(|seen| seen.is_reset);
            let server = self.server.seen.get(stream).cloned().unwrap_or_default();
            let client = self.client.seen.get(stream).cloned().unwrap_or_default();
            assert!(asked.starts_with(&server.bytes), "stream {stream} was mixed up");
            if is_clean {
                assert_eq!((server.is_whole, &server.bytes), (true, asked), "stream {stream}");
                let answered = &self.answered[stream];
                assert_eq!((client.is_whole, &client.bytes), (true, answered), "stream {stream}");
            }
        }
        for end in [&self.client, &self.server] {
            assert_eq!(end.connection.streams(), 0, "no stream is left");
            assert!(!end.connection.has_output() && !end.connection.is_stuck());
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, ..ProptestConfig::default() })]

    #[test]
    fn what_is_sent_arrives_however_the_wire_cuts_it(
        limits in limits(),
        steps in prop::collection::vec(step(), 1..60),
    ) {
        let client = End::new(Connection::client(limits));
        let server = End::new(Connection::server(limits));
        let mut pair = Pair {
            client,
            server,
            asked: BTreeMap::new(),
            answered: BTreeMap::new(),
            taken_back: Vec::new(),
        };
        steps.into_iter().for_each(|step| pair.run(step));
        pair.settle();
        pair.check();
    }
}
