//! Control: frames about the connection and about the course of its streams, each of a few bytes.

use super::{Connection, Departure, Event, FAREWELL_PING, Role, Why};
use crate::http2::frame::{ACK, Fault, Head, Kind, NUMBER_MAX, Reason, put};

/// What a priority takes, in a frame of its own or before a header block.
pub(super) const PRIORITY_BYTES: usize = 5;

impl Connection {
    pub(super) fn reset_stream(&mut self, head: Head, payload: &[u8]) -> Result<(), Fault> {
        let reason = Reason(number(payload, "a reset of the wrong size")?);
        self.lose(head.stream, Why::ByPeer(reason));
        if self.role == Role::Server { self.guard.was_reset(head.stream) } else { Ok(()) }
    }

    pub(super) fn settings(&mut self, head: Head, payload: &[u8]) -> Result<(), Fault> {
        if head.has(ACK) {
            let is_empty = payload.is_empty();
            return is_empty.then_some(()).ok_or(Fault::size("an acknowledgement with a payload"));
        }
        let window_before = i64::from(self.peer.stream_window);
        self.peer.update(payload)?;
        self.encoder.allow(self.peer.table_bytes as usize);
        let more = i64::from(self.peer.stream_window) - window_before;
        if more != 0 {
            for stream in self.streams.values_mut() {
                let what = "a window for streams that is too large";
                let overflow = |_| Fault::new(Reason::FLOW_CONTROL_ERROR, what);
                stream.send_window.grow(more).map_err(overflow)?;
            }
            let ids = self.streams.keys().copied().collect::<Vec<_>>();
            ids.into_iter().for_each(|id| self.window_moved(id));
        }
        put(Kind::Settings, ACK, 0, &[], self.output.tail());
        Ok(())
    }

    pub(super) fn pinged(&mut self, head: Head, payload: &[u8]) -> Result<(), Fault> {
        if payload.len() != FAREWELL_PING.len() {
            return Err(Fault::size("a ping of the wrong size"));
        }
        if !head.has(ACK) {
            put(Kind::Ping, ACK, 0, payload, self.output.tail());
            self.events.push_back(Event::Pinged);
            return Ok(());
        }
        if payload == FAREWELL_PING && self.departure == Departure::Announced {
            self.departure = Departure::Final;
            self.put_go_away(self.last_stream, Reason::NO_ERROR, b"");
        }
        Ok(())
    }

    pub(super) fn go_away(&mut self, _head: Head, payload: &[u8]) -> Result<(), Fault> {
        let Some((bytes, _what)) = payload.split_first_chunk::<8>() else {
            return Err(Fault::size("a farewell of the wrong size"));
        };
        let [a, b, c, d, reason @ ..] = *bytes;
        let last = u32::from_be_bytes([a & 0x7f, b, c, d]);
        self.dismissed = Some((last, Reason(u32::from_be_bytes(reason))));
        if self.role == Role::Client {
            let above = self.streams.range(last.saturating_add(1)..).map(|(id, _)| *id);
            for stream in above.collect::<Vec<_>>() {
                self.lose(stream, Why::Unprocessed);
            }
        }
        Ok(())
    }

    pub(super) fn window_update(&mut self, head: Head, payload: &[u8]) -> Result<(), Fault> {
        let bytes = number(payload, "a window update of the wrong size")? & NUMBER_MAX;
        if head.stream == 0 {
            if bytes == 0 {
                return Err(Fault::protocol("a window that grows by nothing"));
            }
            let what = "a window beyond what there can be";
            let overflow = |_| Fault::new(Reason::FLOW_CONTROL_ERROR, what);
            return self.send_window.grow(i64::from(bytes)).map_err(overflow);
        }
        let Some(stream) = self.streams.get_mut(&head.stream) else { return Ok(()) };
        if bytes == 0 {
            return self.break_stream(head.stream, Reason::PROTOCOL_ERROR);
        }
        if stream.send_window.grow(i64::from(bytes)).is_err() {
            return self.break_stream(head.stream, Reason::FLOW_CONTROL_ERROR);
        }
        self.window_moved(head.stream);
        Ok(())
    }

    pub(super) fn priority(&mut self, head: Head) -> Result<(), Fault> {
        if head.length == PRIORITY_BYTES {
            return Ok(());
        }
        if self.is_idle(head.stream) {
            return Err(Fault::size("a priority of the wrong size"));
        }
        self.break_stream(head.stream, Reason::FRAME_SIZE_ERROR)
    }
}

/// The one number of a payload.
fn number(payload: &[u8], fault: &'static str) -> Result<u32, Fault> {
    let bytes = payload.try_into().map_err(|_| Fault::size(fault))?;
    Ok(u32::from_be_bytes(bytes))
}
