//! Settings: what each end asks of the other (RFC 9113, section 6.5).

use bytes::{BufMut, BytesMut};

use super::frame::{Fault, Kind, NUMBER_MAX, PAYLOAD_BYTES, Reason, put};

const HEADER_TABLE_SIZE: u16 = 1;
const ENABLE_PUSH: u16 = 2;
const MAX_CONCURRENT_STREAMS: u16 = 3;
const INITIAL_WINDOW_SIZE: u16 = 4;
const MAX_FRAME_SIZE: u16 = 5;
const MAX_HEADER_LIST_SIZE: u16 = 6;

/// The window that everything begins with.
pub(super) const WINDOW_BYTES: u32 = 65_535;
const PAYLOAD_BYTES_END: u32 = 1 << 24;
const SETTING_BYTES: usize = 6;

/// How many streams a client opens before it knows how many it may.
const STREAMS_UNTIL_TOLD: u32 = 100;

/// What we take from a peer.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Requests at a time.
    pub streams_max: u32,
    /// A header list, as HPACK counts it.
    pub header_bytes_max: u32,
    /// The payload of a frame.
    pub frame_bytes_max: u32,
    /// What a stream may carry before it is released.
    pub stream_window: u32,
    /// The same for all streams together.
    pub connection_window: u32,
}

impl Limits {
    /// Appends them as the first frame of a server or a client.
    pub(super) fn encode(&self, is_client: bool, out: &mut BytesMut) {
        let mut payload = BytesMut::with_capacity(5 * SETTING_BYTES);
        let mut set = |id: u16, value: u32| {
            payload.put_u16(id);
            payload.put_u32(value);
        };
        if is_client {
            set(ENABLE_PUSH, 0);
        } else {
            set(MAX_CONCURRENT_STREAMS, self.streams_max);
        }
        set(INITIAL_WINDOW_SIZE, self.stream_window);
        set(MAX_FRAME_SIZE, self.frame_bytes_max);
        set(MAX_HEADER_LIST_SIZE, self.header_bytes_max);
        put(Kind::Settings, 0, 0, &payload, out);
    }
}

/// What the peer takes from us.
#[derive(Clone, Copy, Debug)]
pub(super) struct Peer {
    pub(super) table_bytes: u32,
    pub(super) streams_max: u32,
    pub(super) stream_window: u32,
    pub(super) frame_bytes_max: u32,
}

impl Default for Peer {
    fn default() -> Self {
        Self {
            table_bytes: 4096,
            streams_max: STREAMS_UNTIL_TOLD,
            stream_window: WINDOW_BYTES,
            frame_bytes_max: PAYLOAD_BYTES,
        }
    }
}

impl Peer {
    /// Takes the payload of a frame in.
    pub(super) fn update(&mut self, payload: &[u8]) -> Result<(), Fault> {
        let (settings, rest) = payload.as_chunks::<SETTING_BYTES>();
        if !rest.is_empty() {
            return Err(Fault::size("settings of the wrong size"));
        }
        for [a, b, value @ ..] in settings {
            self.set(u16::from_be_bytes([*a, *b]), u32::from_be_bytes(*value))?;
        }
        Ok(())
    }

    fn set(&mut self, id: u16, value: u32) -> Result<(), Fault> {
        match id {
            HEADER_TABLE_SIZE => self.table_bytes = value,
            ENABLE_PUSH if 1 < value => return Err(Fault::protocol("push is neither on nor off")),
            MAX_CONCURRENT_STREAMS => self.streams_max = value,
            INITIAL_WINDOW_SIZE if NUMBER_MAX < value => {
                let what = "a window for streams that is too large";
                return Err(Fault::new(Reason::FLOW_CONTROL_ERROR, what));
            }
            INITIAL_WINDOW_SIZE => self.stream_window = value,
            MAX_FRAME_SIZE if !(PAYLOAD_BYTES..PAYLOAD_BYTES_END).contains(&value) => {
                return Err(Fault::protocol("a size of frames that cannot be"));
            }
            MAX_FRAME_SIZE => self.frame_bytes_max = value,
            _ => {}
        }
        Ok(())
    }
}
