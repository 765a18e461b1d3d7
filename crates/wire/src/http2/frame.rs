//! Frames: what goes before each payload, and the codes in it (RFC 9113, sections 4, 6 and 7).

use std::fmt;

use bytes::{BufMut, BytesMut};

/// The length of a frame's head.
pub(super) const HEAD_BYTES: usize = 9;
/// What a client says first.
pub(super) const PREFACE: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// The largest payload that everybody takes.
pub(super) const PAYLOAD_BYTES: u32 = 16 << 10;
/// Where window sizes end, and stream numbers.
pub(super) const NUMBER_MAX: u32 = (1 << 31) - 1;

pub(super) const END_STREAM: u8 = 0x1;
pub(super) const ACK: u8 = 0x1;
pub(super) const END_HEADERS: u8 = 0x4;
pub(super) const PADDED: u8 = 0x8;
pub(super) const PRIORITY: u8 = 0x20;

/// The kinds of frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Data,
    Headers,
    Priority,
    ResetStream,
    Settings,
    PushPromise,
    Ping,
    GoAway,
    WindowUpdate,
    Continuation,
    Unknown,
}

impl Kind {
    fn from_number(number: u8) -> Self {
        match number {
            0 => Self::Data,
            1 => Self::Headers,
            2 => Self::Priority,
            3 => Self::ResetStream,
            4 => Self::Settings,
            5 => Self::PushPromise,
            6 => Self::Ping,
            7 => Self::GoAway,
            8 => Self::WindowUpdate,
            9 => Self::Continuation,
            _ => Self::Unknown,
        }
    }
}

/// The head of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) length: usize,
    pub(super) kind: Kind,
    pub(super) flags: u8,
    pub(super) stream: u32,
}

impl Head {
    pub(super) fn decode(bytes: &[u8; HEAD_BYTES]) -> Self {
        let [a, b, c, kind, flags, stream @ ..] = *bytes;
        Self {
            length: usize::from(a) << 16 | usize::from(b) << 8 | usize::from(c),
            kind: Kind::from_number(kind),
            flags,
            stream: u32::from_be_bytes(stream) & NUMBER_MAX,
        }
    }

    pub(super) fn encode(self) -> [u8; HEAD_BYTES] {
        debug_assert!(self.kind != Kind::Unknown && self.length < 1 << 24);
        let [_, a, b, c] = (self.length as u32).to_be_bytes();
        let [d, e, f, g] = self.stream.to_be_bytes();
        [a, b, c, self.kind as u8, self.flags, d, e, f, g]
    }

    pub(super) fn has(&self, flag: u8) -> bool {
        self.flags & flag != 0
    }
}

/// Appends a frame with a short payload.
pub(super) fn put(kind: Kind, flags: u8, stream: u32, payload: &[u8], out: &mut BytesMut) {
    out.put_slice(&Head { length: payload.len(), kind, flags, stream }.encode());
    out.put_slice(payload);
}

/// Why a stream or a connection ends.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Reason(pub u32);

impl Reason {
    pub const NO_ERROR: Self = Self(0x0);
    pub const PROTOCOL_ERROR: Self = Self(0x1);
    pub const INTERNAL_ERROR: Self = Self(0x2);
    pub const FLOW_CONTROL_ERROR: Self = Self(0x3);
    pub const STREAM_CLOSED: Self = Self(0x5);
    pub const FRAME_SIZE_ERROR: Self = Self(0x6);
    pub const REFUSED_STREAM: Self = Self(0x7);
    pub const CANCEL: Self = Self(0x8);
    pub const COMPRESSION_ERROR: Self = Self(0x9);
    pub const ENHANCE_YOUR_CALM: Self = Self(0xb);
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const NAMES: [&str; 14] = [
            "NO_ERROR",
            "PROTOCOL_ERROR",
            "INTERNAL_ERROR",
            "FLOW_CONTROL_ERROR",
            "SETTINGS_TIMEOUT",
            "STREAM_CLOSED",
            "FRAME_SIZE_ERROR",
            "REFUSED_STREAM",
            "CANCEL",
            "COMPRESSION_ERROR",
            "CONNECT_ERROR",
            "ENHANCE_YOUR_CALM",
            "INADEQUATE_SECURITY",
            "HTTP_1_1_REQUIRED",
        ];
        match usize::try_from(self.0).ok().and_then(|number| NAMES.get(number)) {
            Some(name) => f.write_str(name),
            None => write!(f, "reason {}", self.0),
        }
    }
}

impl fmt::Debug for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// What the peer did that ends the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what} ({reason})")]
pub struct Fault {
    pub reason: Reason,
    pub what: &'static str,
}

impl Fault {
    pub(super) fn new(reason: Reason, what: &'static str) -> Self {
        Self { reason, what }
    }

    pub(super) fn protocol(what: &'static str) -> Self {
        Self::new(Reason::PROTOCOL_ERROR, what)
    }

    pub(super) fn size(what: &'static str) -> Self {
        Self::new(Reason::FRAME_SIZE_ERROR, what)
    }

    pub(super) fn calm(what: &'static str) -> Self {
        Self::new(Reason::ENHANCE_YOUR_CALM, what)
    }
}
