//! Scan: the one pass over bytes from outside, which checks them against the schema and counts items.
//!
//! Cost: each byte is looked at once (text by vector instructions), nothing is allocated or copied;
//! a field costs one table access by tag: a tenth of what a full decode by prost takes.
//! Bounds: 64 messages deep, 2 GiB. Invariant: what passes, every protobuf decoder accepts.

use crate::payload::Malformed;
use crate::protobuf::{Fault, read_bytes, read_tag, read_varint};
use crate::{Signal, schema};

mod plain;
mod plan;
mod text;

use plan::{Action, Plan, Plans, Step};

/// How deep messages may nest below the request.
pub const DEPTH_MAX: usize = 64;

/// The longest request: protobuf's own limit.
pub const BYTES_MAX: usize = i32::MAX as usize;

/// Checks an encoded export request and counts its items.
pub fn scan(signal: Signal, request: &[u8]) -> Result<usize, Malformed> {
    let plans = Plans::shared();
    let mut scanner = Scanner {
        request,
        plans: plans.all(),
        stack: [Frame::default(); DEPTH_MAX],
        depth: 0,
        field_start: 0,
        items: 0,
        metric: Metric::default(),
    };
    match scanner.run(plans.root(signal)) {
        Ok(()) => Ok(scanner.items),
        Err(fault) => Err(scanner.malformed(signal, fault)),
    }
}

/// A message around the one that is being read.
#[derive(Clone, Copy, Default)]
struct Frame {
    end: usize,
    plan: u8,
    /// Where the field in it that is gone into begins.
    field_start: usize,
}

/// What a decoder would have kept so far of the metric that is being read.
#[derive(Clone, Copy, Default)]
struct Metric {
    items_before: usize,
    /// The tag of its data; when another follows, that one replaces it.
    data: u8,
}

struct Scanner<'a> {
    request: &'a [u8],
    plans: &'static [Plan],
    stack: [Frame; DEPTH_MAX],
    depth: usize,
    field_start: usize,
    items: usize,
    metric: Metric,
}

impl Scanner<'_> {
    fn run(&mut self, root: u8) -> Result<(), Fault> {
        if BYTES_MAX < self.request.len() {
            return Err(Fault::TooLarge);
        }
        let mut end = self.request.len();
        let mut place = root;
        let mut plan = &self.plans[usize::from(root)];
        let mut at = 0;
        loop {
            if at == end {
                let Some(depth) = self.depth.checked_sub(1) else { return Ok(()) };
                self.depth = depth;
                Frame { end, plan: place, .. } = self.stack[depth];
                plan = &self.plans[usize::from(place)];
                continue;
            }
            let message = &self.request[..end];
            self.field_start = at;
            let tag = message[at];
            let mut action = plan.action(tag);
            if action.step == Step::LongTag {
                action = long_tag(plan, message, &mut at)?;
            } else {
                at += 1;
            }
            let inner_start = match action.step {
                Step::Varint => passed(skip_varint(message, &mut at))?,
                Step::Fixed64 => passed(skip(message, &mut at, 8))?,
                Step::Fixed32 => passed(skip(message, &mut at, 4))?,
                Step::Bytes => passed(read_length(message, &mut at).map(|_| ()))?,
                Step::Text => passed(skip_text(message, &mut at))?,
                Step::PackedVarint => passed(packed_varints(read_bytes(message, &mut at)?))?,
                Step::PackedFixed64 => passed(packed_fixed64(read_bytes(message, &mut at)?))?,
                // An attribute and its value are two messages, one in the other.
                Step::Attribute => {
                    let start = read_length(message, &mut at)?;
                    let has_room = self.depth + 2 <= DEPTH_MAX;
                    let is_plain = has_room && plain::is_attribute(&message[start..at]);
                    (!is_plain).then_some(start)
                }
                Step::AnyValue => {
                    let start = read_length(message, &mut at)?;
                    let has_room = self.depth < DEPTH_MAX;
                    let is_plain = has_room && plain::is_value(&message[start..at]);
                    (!is_plain).then_some(start)
                }
                Step::Message => Some(read_length(message, &mut at)?),
                Step::Item | Step::Metric | Step::Data => {
                    self.count(action.step, tag);
                    Some(read_length(message, &mut at)?)
                }
                Step::Refuse | Step::LongTag => return Err(action.fault()),
            };
            let Some(inner_start) = inner_start else { continue };
            let inner_end = std::mem::replace(&mut at, inner_start);
            let Some(frame) = self.stack.get_mut(self.depth) else { return Err(Fault::TooDeep) };
            *frame = Frame { end, plan: place, field_start: self.field_start };
            self.depth += 1;
            end = inner_end;
            place = action.target;
            plan = &self.plans[usize::from(place)];
        }
    }

    #[inline(always)]
    fn count(&mut self, step: Step, tag: u8) {
        match step {
            Step::Item => self.items += 1,
            Step::Metric => self.metric = Metric { items_before: self.items, data: 0 },
            Step::Data if self.metric.data != tag => {
                // Data of another kind replaces what came before it.
                self.items = self.metric.items_before;
                self.metric.data = tag;
            }
            _ => {}
        }
    }

    #[cold]
    fn malformed(&self, signal: Signal, fault: Fault) -> Malformed {
        let mut message = schema::request(signal);
        let mut path = String::new();
        let around = self.stack[..self.depth].iter().map(|frame| frame.field_start);
        for mut start in around.chain([self.field_start]) {
            let tag = read_tag(self.request, &mut start);
            let Some(field) = tag.ok().and_then(|(number, _)| message.field(number)) else { break };
            if !path.is_empty() {
                path.push('.');
            }
            path.push_str(field.name);
            let Some(inner) = field.kind.message() else { break };
            message = inner;
        }
        if path.is_empty() {
            path.push_str("request");
        }
        Malformed { signal, offset: self.field_start, path, what: fault.message() }
    }
}

#[inline(never)]
fn long_tag(plan: &Plan, message: &[u8], at: &mut usize) -> Result<Action, Fault> {
    let (number, wire_type) = read_tag(message, at)?;
    Ok(plan.action_of(number, wire_type))
}

/// A field that was passed over holds no message to go into.
#[inline(always)]
fn passed(result: Result<(), Fault>) -> Result<Option<usize>, Fault> {
    result.map(|()| None)
}

/// Passes over a length and as many bytes; returns where they begin.
#[inline(always)]
fn read_length(message: &[u8], at: &mut usize) -> Result<usize, Fault> {
    let len = match message.get(*at..) {
        Some(&[len @ ..0x80, ..]) => {
            *at += 1;
            usize::from(len)
        }
        Some(&[low, high @ ..0x80, ..]) => {
            *at += 2;
            usize::from(low & 0x7f) | usize::from(high) << 7
        }
        _ => long_length(message, at)?,
    };
    let start = *at;
    if message.len() - start < len {
        return Err(Fault::LengthPastEnd);
    }
    *at += len;
    Ok(start)
}

#[cold]
#[inline(never)]
fn long_length(message: &[u8], at: &mut usize) -> Result<usize, Fault> {
    usize::try_from(read_varint(message, at)?).map_err(|_| Fault::LengthPastEnd)
}

#[inline(always)]
fn skip_text(message: &[u8], at: &mut usize) -> Result<(), Fault> {
    let start = read_length(message, at)?;
    if text::is_utf8(&message[start..*at]) { Ok(()) } else { Err(Fault::NotUtf8) }
}

#[inline(always)]
fn skip(message: &[u8], at: &mut usize, len: usize) -> Result<(), Fault> {
    *at += len;
    if message.len() < *at { Err(Fault::Truncated) } else { Ok(()) }
}

#[inline(always)]
fn skip_varint(message: &[u8], at: &mut usize) -> Result<(), Fault> {
    match message.get(*at) {
        Some(0x80..) | None => read_varint(message, at).map(|_| ()),
        Some(_) => {
            *at += 1;
            Ok(())
        }
    }
}

fn packed_varints(packed: &[u8]) -> Result<(), Fault> {
    let mut at = 0;
    while at < packed.len() {
        read_varint(packed, &mut at).map_err(|fault| match fault {
            Fault::Truncated => Fault::PackedRemainder,
            other => other,
        })?;
    }
    Ok(())
}

fn packed_fixed64(packed: &[u8]) -> Result<(), Fault> {
    if packed.len().is_multiple_of(8) { Ok(()) } else { Err(Fault::PackedRemainder) }
}
