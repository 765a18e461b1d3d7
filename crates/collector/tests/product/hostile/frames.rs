//! Frames: an HTTP/2 client that writes whatever it is told to (RFC 9113, sections 4 and 6).

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use super::client;

pub(crate) const DATA: u8 = 0;
pub(crate) const HEADERS: u8 = 1;
pub(crate) const RST_STREAM: u8 = 3;
pub(crate) const SETTINGS: u8 = 4;
pub(crate) const PING: u8 = 6;
pub(crate) const GOAWAY: u8 = 7;
pub(crate) const WINDOW_UPDATE: u8 = 8;
pub(crate) const CONTINUATION: u8 = 9;

pub(crate) const END_STREAM: u8 = 1;
pub(crate) const END_HEADERS: u8 = 4;

/// The setting for the window that streams begin with.
pub(crate) const INITIAL_WINDOW_SIZE: u16 = 4;

/// An attacker that is not let in any more notices after this time.
const STALL: Duration = Duration::from_millis(500);

/// How a flood ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flooded {
    /// The server closed the connection.
    Closed,
    /// The server no longer reads.
    Stalled,
    /// The server took it all.
    Taken,
}

/// One frame of the server.
#[derive(Debug)]
pub(crate) struct Frame {
    pub kind: u8,
    pub payload: Vec<u8>,
}

/// A connection that speaks HTTP/2 in raw frames.
pub(crate) struct Raw {
    stream: TcpStream,
}

impl Raw {
    pub(crate) fn open(port: u16) -> Self {
        Self::open_with(port, &[])
    }

    /// Opens with these settings.
    pub(crate) fn open_with(port: u16, settings: &[(u16, u32)]) -> Self {
        let mut raw = Self { stream: client::connect(port) };
        raw.send(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
        raw.send(&frame(SETTINGS, 0, 0, &encode_settings(settings)));
        raw
    }

    pub(crate) fn send(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).unwrap();
    }

    /// Writes `bytes` so many times, without reading a thing.
    pub(crate) fn flood(&mut self, bytes: &[u8], times: usize) -> Flooded {
        self.stream.set_write_timeout(Some(STALL)).unwrap();
        for _ in 0..times {
            match self.stream.write_all(bytes) {
                Ok(()) => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Flooded::Stalled,
                Err(_) => return Flooded::Closed,
            }
        }
        Flooded::Taken
    }

    /// The same while somebody reads and throws away what comes back.
    pub(crate) fn flood_reading(&mut self, bytes: &[u8], times: usize) -> Flooded {
        let mut back = self.stream.try_clone().unwrap();
        std::thread::scope(|scope| {
            scope.spawn(move || std::io::copy(&mut back, &mut std::io::sink()).ok());
            let flooded = self.flood(bytes, times);
            self.stream.shutdown(std::net::Shutdown::Both).ok();
            flooded
        })
    }

    /// The next frame; `None` if the connection is over.
    pub(crate) fn next(&mut self) -> Option<Frame> {
        let mut head = [0; 9];
        self.read(&mut head)?;
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
        let mut payload = vec![0; usize::try_from(length).unwrap()];
        self.read(&mut payload)?;
        Some(Frame { kind: head[3], payload })
    }

    fn read(&mut self, buffer: &mut [u8]) -> Option<()> {
        match self.stream.read_exact(buffer) {
            Ok(()) => Some(()),
            Err(error) if error.kind() == ErrorKind::WouldBlock => panic!("the server hangs"),
            Err(_) => None,
        }
    }

    /// The first frame of this kind; `None` if the connection ends before.
    pub(crate) fn until(&mut self, kind: u8) -> Option<Frame> {
        loop {
            let frame = self.next()?;
            if frame.kind == kind {
                return Some(frame);
            }
        }
    }

    /// Reads until the server closes; gives the error code of its GOAWAY, if it sent one.
    pub(crate) fn until_closed(&mut self) -> Option<u32> {
        let mut code = None;
        while let Some(frame) = self.next() {
            if frame.kind == GOAWAY {
                code = Some(u32::from_be_bytes(frame.payload[4..8].try_into().unwrap()));
            }
        }
        code
    }
}

pub(crate) fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let head = [length[1], length[2], length[3], kind, flags];
    [head.as_slice(), &stream.to_be_bytes(), payload].concat()
}

pub(crate) fn encode_settings(settings: &[(u16, u32)]) -> Vec<u8> {
    let pairs = settings.iter();
    pairs.flat_map(|(id, value)| [&id.to_be_bytes()[..], &value.to_be_bytes()].concat()).collect()
}

/// A header as HPACK writes one that is not to be remembered (RFC 7541, section 6.2.2).
pub(crate) fn header(name: &str, value: &str) -> Vec<u8> {
    let mut encoded = vec![0];
    for text in [name, value] {
        encoded.extend(hpack_length(text.len()));
        encoded.extend_from_slice(text.as_bytes());
    }
    encoded
}

/// An integer with a prefix of seven bits (RFC 7541, section 5.1).
fn hpack_length(length: usize) -> Vec<u8> {
    if length < 127 {
        return vec![length as u8];
    }
    let mut encoded = vec![127];
    let mut rest = length - 127;
    while 128 <= rest {
        encoded.push((rest % 128) as u8 | 128);
        rest /= 128;
    }
    encoded.push(rest as u8);
    encoded
}

/// The header block of a gRPC export.
pub(crate) fn export_block() -> Vec<u8> {
    [
        header(":method", "POST"),
        header(":scheme", "http"),
        header(":path", client::EXPORT_LOGS),
        header(":authority", "localhost"),
        header("content-type", "application/grpc"),
        header("te", "trailers"),
    ]
    .concat()
}
