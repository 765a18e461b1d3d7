//! Raw: the other end, frame by frame.

use std::collections::VecDeque;

use bytes::{Buf, Bytes, BytesMut};

use super::LIMITS;
use crate::http2::frame::{HEAD_BYTES, PREFACE};
use crate::http2::hpack::Decoder;
use crate::http2::{Connection, Event, Fault, Why};

pub(super) const DATA: u8 = 0;
pub(super) const HEADERS: u8 = 1;
pub(super) const PRIORITY: u8 = 2;
pub(super) const RST_STREAM: u8 = 3;
pub(super) const SETTINGS: u8 = 4;
pub(super) const PUSH_PROMISE: u8 = 5;
pub(super) const PING: u8 = 6;
pub(super) const GOAWAY: u8 = 7;
pub(super) const WINDOW_UPDATE: u8 = 8;
pub(super) const CONTINUATION: u8 = 9;

/// POST, http, `/`.
pub(super) const POST: &[u8] = &[0x83, 0x86, 0x84];
/// 200.
pub(super) const OK: &[u8] = &[0x88];

/// Flags: the end of a stream, the end of a header block (which an acknowledgement shares with the
/// former), padding.
pub(super) const END: u8 = 1;
pub(super) const ACK: u8 = 1;
pub(super) const WHOLE: u8 = 4;
pub(super) const PADDED: u8 = 8;

pub(super) fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let head = [length[1], length[2], length[3], kind, flags];
    [head.as_slice(), &stream.to_be_bytes(), payload].concat()
}

pub(super) fn setting(id: u16, value: u32) -> Vec<u8> {
    [id.to_be_bytes().as_slice(), &value.to_be_bytes()].concat()
}

/// A literal that is in no table.
pub(super) fn literal(name: &str, value: &str) -> Vec<u8> {
    assert!(name.len() < 127 && value.len() < 127);
    let (name, value) = (name.as_bytes(), value.as_bytes());
    [&[0, name.len() as u8], name, &[value.len() as u8], value].concat()
}

/// An end under test, past the first words of both ends.
pub(super) struct Tested {
    pub(super) connection: Connection,
    decoder: Decoder,
}

impl Tested {
    pub(super) fn server() -> Self {
        let mut tested = Self { connection: Connection::server(LIMITS), decoder: Decoder::new() };
        let hello = [PREFACE.as_slice(), &frame(SETTINGS, 0, 0, &[])].concat();
        assert_eq!(tested.receive(&hello), Ok(Vec::new()));
        assert_eq!(tested.sent(), ["settings", "window_update 0: 65535", "settings ack"]);
        tested
    }

    pub(super) fn client() -> Self {
        let mut tested = Self { connection: Connection::client(LIMITS), decoder: Decoder::new() };
        let mut pieces = VecDeque::new();
        tested.connection.take_output(usize::MAX, &mut pieces);
        assert!(pieces[0].starts_with(PREFACE));
        assert_eq!(tested.receive(&frame(SETTINGS, 0, 0, &[])), Ok(Vec::new()));
        assert_eq!(tested.sent(), ["settings ack"]);
        tested
    }

    /// What the end makes of these bytes.
    pub(super) fn receive(&mut self, bytes: &[u8]) -> Result<Vec<String>, Fault> {
        self.connection.receive(&mut BytesMut::from(bytes))?;
        Ok(std::iter::from_fn(|| self.connection.next_event()).map(|event| told(&event)).collect())
    }

    /// What the end has to say, a line for each frame.
    pub(super) fn sent(&mut self) -> Vec<String> {
        let mut pieces = VecDeque::new();
        self.connection.take_output(usize::MAX, &mut pieces);
        let mut bytes = Bytes::from(Vec::from(pieces).concat());
        let mut lines = Vec::new();
        while !bytes.is_empty() {
            let head = bytes.split_to(HEAD_BYTES);
            let length =
                usize::from(head[1]) << 8 | usize::from(head[2]) | usize::from(head[0]) << 16;
            let stream = u32::from_be_bytes([head[5], head[6], head[7], head[8]]);
            let payload = bytes.split_to(length);
            lines.push(self.line(head[3], head[4], stream, payload));
        }
        lines
    }

    fn line(&mut self, kind: u8, flags: u8, stream: u32, mut payload: Bytes) -> String {
        let end = if flags & END != 0 { " end" } else { "" };
        match kind {
            DATA => format!("data {stream}: {}{end}", payload.len()),
            HEADERS => {
                let mut text = format!("headers {stream}:");
                let fields = |field| text.push_str(&format!(" {field:?}"));
                self.decoder.decode(payload, fields).unwrap();
                text.replace("Pseudo", "").replace("Header", "") + end
            }
            RST_STREAM => format!("reset {stream}: {:?}", crate::http2::Reason(payload.get_u32())),
            SETTINGS if flags & ACK != 0 => "settings ack".to_owned(),
            SETTINGS => "settings".to_owned(),
            PING => format!("ping{}", if flags & ACK != 0 { " ack" } else { "" }),
            GOAWAY => {
                let last = payload.get_u32();
                let reason = crate::http2::Reason(payload.get_u32());
                format!("goaway {last}: {reason:?}")
            }
            WINDOW_UPDATE => format!("window_update {stream}: {}", payload.get_u32()),
            _ => format!("{kind} {stream}"),
        }
    }
}

fn told(event: &Event) -> String {
    let end = |is_end: &bool| if *is_end { " end" } else { "" };
    match event {
        Event::Request { stream, head, is_end } => {
            format!("{} {} {stream}{}", head.method, head.uri, end(is_end))
        }
        Event::Response { stream, head, is_end } => {
            format!("{} {stream}{}", head.status.as_u16(), end(is_end))
        }
        Event::Data { stream, bytes, is_end } => {
            format!("data {stream}: {}{}", bytes.len(), end(is_end))
        }
        Event::Trailers { stream, .. } => format!("trailers {stream}"),
        Event::Reset { stream, why, was_sent } => {
            let sent = if *was_sent { ", sent" } else { "" };
            match why {
                Why::ByPeer(reason) => format!("taken back {stream}: {reason}{sent}"),
                Why::ByUs(reason) => format!("broken {stream}: {reason}{sent}"),
                Why::Unprocessed => format!("unprocessed {stream}{sent}"),
            }
        }
        Event::Pinged => "pinged".to_owned(),
    }
}
