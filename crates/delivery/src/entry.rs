//! Entry: how one request stands in the journal of a queue, and how a lane names its stream.
//!
//! An entry is a head and the encoded OTLP request, unchanged, so that nothing is copied to write it.
//! Only what was configured to be stored is in the head: metadata, never credentials. Numbers are
//! varints (LEB128), texts have their length before them.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::{Buf, Bytes};
use pipeline::{Code, Metadata, SpanContext, Status};
use wire::{Malformed, Payload, Signal};

use crate::target::{Scope, Target};

/// What every entry begins with.
const VERSION: u8 = 1;
/// What every record of a refusal begins with.
const VERSION_REFUSED: u8 = 129;

/// One request as it is stored.
#[derive(Clone, Debug)]
pub struct Entry {
    pub stored_at: SystemTime,
    pub metadata: Metadata,
    /// Whose items it has, in order.
    pub contributors: Vec<Owner>,
    pub payload: Payload,
    /// Why it was refused, if this is the record of a refusal.
    pub refused: Option<Status>,
}

/// One caller's share of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Owner {
    pub items: usize,
    pub trace: Option<SpanContext>,
}

/// Bytes that are no entry.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoEntry {
    #[error("the entry has version {0} of the format, this program knows {VERSION}")]
    Version(u8),
    #[error("the head of the entry ends too early or says what cannot be")]
    Head,
    #[error("the entry has {items} items, and its head says {expected}")]
    Items { items: usize, expected: usize },
    #[error(transparent)]
    Payload(#[from] Malformed),
}

impl Entry {
    /// The entry in pieces: its head, and the request as it is.
    #[must_use]
    pub fn encode(&self) -> Vec<Bytes> {
        let mut head = Writer::default();
        head.byte(if self.refused.is_some() { VERSION_REFUSED } else { VERSION });
        if let Some(status) = &self.refused {
            head.number(u64::from(status.code.number()));
            head.number(u64::from(status.http.unwrap_or(0)));
            head.text(&status.message);
        }
        head.byte(number_of(self.payload.signal()));
        let since = self.stored_at.duration_since(UNIX_EPOCH).unwrap_or_default();
        head.number(u64::try_from(since.as_millis()).unwrap_or(u64::MAX));
        head.metadata(&self.metadata);
        head.number(self.contributors.len() as u64);
        for Owner { items, trace } in &self.contributors {
            head.number(*items as u64);
            head.trace(*trace);
        }
        let head = std::iter::once(Bytes::from(head.0));
        head.chain(self.payload.segments().iter().cloned()).collect()
    }

    /// Reads an entry; the request is checked anew.
    pub fn decode(mut body: Bytes) -> Result<Self, NoEntry> {
        let body = &mut body;
        let version = byte(body)?;
        let refused = match version {
            VERSION => None,
            VERSION_REFUSED => Some(status(body)?),
            other => return Err(NoEntry::Version(other)),
        };
        let signal = signal_of(byte(body)?)?;
        let stored_at = UNIX_EPOCH + Duration::from_millis(number(body)?);
        let metadata = metadata(body)?;
        let count = size(body)?;
        let mut contributors = Vec::new();
        for _ in 0..count {
            let (items, trace) = (size(body)?, trace(body)?);
            contributors.push(Owner { items, trace });
        }
        let payload = Payload::parse(signal, std::mem::take(body))?;
        let sum = |sum: usize, owner: &Owner| sum.checked_add(owner.items);
        let expected = contributors.iter().try_fold(0, sum).ok_or(NoEntry::Head)?;
        if payload.items() != expected {
            return Err(NoEntry::Items { items: payload.items(), expected });
        }
        Ok(Self { stored_at, metadata, contributors, payload, refused })
    }
}

/// The name of the stream of a lane: its signal, and the metadata and target that keep it apart.
#[must_use]
pub fn stream_name(signal: Signal, metadata: &Metadata, target: &Target) -> Bytes {
    let mut name = Writer::default();
    name.byte(VERSION);
    name.byte(number_of(signal));
    name.metadata(metadata);
    if *target != Target::default() {
        let scopes: Vec<String> = target.scopes().iter().map(ToString::to_string).collect();
        name.number(target.names().len() as u64);
        target.names().iter().for_each(|text| name.text(text));
        name.number(scopes.len() as u64);
        scopes.iter().for_each(|text| name.text(text));
    }
    Bytes::from(name.0)
}

/// The signal, metadata and target of a stream.
pub fn lane_of_stream(name: &Bytes) -> Result<(Signal, Metadata, Target), NoEntry> {
    let mut name = name.clone();
    let name = &mut name;
    match byte(name)? {
        VERSION => Ok((signal_of(byte(name)?)?, metadata(name)?, target(name)?)),
        other => Err(NoEntry::Version(other)),
    }
}

/// The signals by their numbers on disk, which never change.
const SIGNALS: [Signal; 4] = [Signal::Logs, Signal::Traces, Signal::Metrics, Signal::Profiles];

fn number_of(signal: Signal) -> u8 {
    match signal {
        Signal::Logs => 0,
        Signal::Traces => 1,
        Signal::Metrics => 2,
        Signal::Profiles => 3,
    }
}

fn signal_of(number: u8) -> Result<Signal, NoEntry> {
    SIGNALS.get(usize::from(number)).copied().ok_or(NoEntry::Head)
}

#[derive(Default)]
struct Writer(Vec<u8>);

impl Writer {
    fn byte(&mut self, byte: u8) {
        self.0.push(byte);
    }

    fn number(&mut self, mut number: u64) {
        while 0x7f < number {
            self.0.push((number & 0x7f) as u8 | 0x80);
            number >>= 7;
        }
        self.0.push((number & 0x7f) as u8);
    }

    fn text(&mut self, text: &str) {
        self.number(text.len() as u64);
        self.0.extend_from_slice(text.as_bytes());
    }

    fn metadata(&mut self, metadata: &Metadata) {
        let pairs =
            || metadata.iter().flat_map(|(key, values)| values.iter().map(move |v| (key, v)));
        self.number(pairs().count() as u64);
        for (key, value) in pairs() {
            self.text(key);
            self.text(value);
        }
    }

    fn trace(&mut self, trace: Option<SpanContext>) {
        self.byte(u8::from(trace.is_some()));
        if let Some(SpanContext { trace_id, span_id, flags }) = trace {
            self.0.extend_from_slice(&trace_id);
            self.0.extend_from_slice(&span_id);
            self.byte(flags);
        }
    }
}

fn byte(body: &mut Bytes) -> Result<u8, NoEntry> {
    if body.is_empty() { Err(NoEntry::Head) } else { Ok(body.get_u8()) }
}

fn number(body: &mut Bytes) -> Result<u64, NoEntry> {
    let mut number = 0u64;
    for shift in (0..64).step_by(7) {
        let next = byte(body)?;
        number |= u64::from(next & 0x7f).checked_shl(shift).ok_or(NoEntry::Head)?;
        if next < 0x80 {
            return Ok(number);
        }
    }
    Err(NoEntry::Head)
}

fn size(body: &mut Bytes) -> Result<usize, NoEntry> {
    usize::try_from(number(body)?).map_err(|_| NoEntry::Head)
}

fn text(body: &mut Bytes) -> Result<String, NoEntry> {
    let len = size(body)?;
    if body.len() < len {
        return Err(NoEntry::Head);
    }
    String::from_utf8(body.split_to(len).into()).map_err(|_| NoEntry::Head)
}

fn metadata(body: &mut Bytes) -> Result<Metadata, NoEntry> {
    let count = size(body)?;
    (0..count).map(|_| Ok((text(body)?, text(body)?))).collect::<Result<Metadata, _>>()
}

fn texts(body: &mut Bytes) -> Result<Vec<String>, NoEntry> {
    let count = size(body)?;
    (0..count).map(|_| text(body)).collect()
}

fn target(body: &mut Bytes) -> Result<Target, NoEntry> {
    if body.is_empty() {
        return Ok(Target::default());
    }
    let names = texts(body)?;
    let scopes = texts(body)?;
    Ok(Target::new(names, scopes.into_iter().map(Scope::new)))
}

fn array<const N: usize>(body: &mut Bytes) -> Result<[u8; N], NoEntry> {
    if body.len() < N {
        return Err(NoEntry::Head);
    }
    let mut array = [0; N];
    body.copy_to_slice(&mut array);
    Ok(array)
}

fn trace(body: &mut Bytes) -> Result<Option<SpanContext>, NoEntry> {
    match byte(body)? {
        0 => Ok(None),
        1 => {
            let (trace_id, span_id) = (array(body)?, array(body)?);
            Ok(Some(SpanContext { trace_id, span_id, flags: byte(body)? }))
        }
        _ => Err(NoEntry::Head),
    }
}

fn status(body: &mut Bytes) -> Result<Status, NoEntry> {
    let code = u32::try_from(number(body)?).map_err(|_| NoEntry::Head)?;
    let http = u16::try_from(number(body)?).map_err(|_| NoEntry::Head)?;
    let message = text(body)?;
    Ok(Status {
        http: (http != 0).then_some(http),
        ..Status::new(Code::from_number(code), message)
    })
}

#[cfg(test)]
mod tests;
