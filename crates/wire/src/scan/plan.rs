//! Plan: the schema turned into one table per message, looked up by tag.
//!
//! Owner: built once per process from `schema`, then only read.
//! Cost: two bytes for each of 256 tags and some 40 messages.

use std::sync::LazyLock;

use crate::Signal;
use crate::protobuf::{FIXED32, FIXED64, Fault, LEN, VARINT};
use crate::schema::{self, Field, Kind, Message};

/// What to do with a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Varint,
    Fixed64,
    Fixed32,
    Bytes,
    Text,
    PackedVarint,
    PackedFixed64,
    Message,
    Attribute,
    AnyValue,
    /// A message that is counted.
    Item,
    Metric,
    /// The data of a metric: a oneof, so another kind replaces it.
    Data,
    Refuse,
    /// The tag takes several bytes, or is none.
    LongTag,
}

/// What to do with a field, and for messages the plan of its fields.
#[derive(Clone, Copy, Debug)]
pub(super) struct Action {
    pub(super) step: Step,
    pub(super) target: u8,
}

/// The actions of one message.
#[derive(Debug)]
pub(super) struct Plan {
    /// By the first byte of the tag.
    by_byte: [Action; 256],
    /// By the tag, for field numbers below 32.
    by_tag: [Action; 256],
}

/// The plans of all messages.
#[derive(Debug)]
pub(super) struct Plans {
    plans: Vec<Plan>,
    roots: [u8; Signal::ALL.len()],
}

static PLANS: LazyLock<Plans> = LazyLock::new(Plans::from_schema);

const REFUSALS: [Fault; 3] = [Fault::Group, Fault::UnknownWireType, Fault::WrongWireType];

impl Action {
    /// Why the field is refused.
    pub(super) fn fault(self) -> Fault {
        REFUSALS[usize::from(self.target)]
    }

    fn refuse(fault: Fault) -> Self {
        let target = REFUSALS.iter().position(|known| *known == fault);
        Self { step: Step::Refuse, target: target.expect("the fault is listed") as u8 }
    }

    /// For a field that OTLP does not know.
    fn unknown(wire_type: u8) -> Self {
        let step = match wire_type {
            VARINT => Step::Varint,
            FIXED64 => Step::Fixed64,
            LEN => Step::Bytes,
            FIXED32 => Step::Fixed32,
            3 | 4 => return Self::refuse(Fault::Group),
            _ => return Self::refuse(Fault::UnknownWireType),
        };
        Self { step, target: 0 }
    }

    fn of(field: &Field, wire_type: u8, target: u8) -> Self {
        let is_packable = field.is_packed() && wire_type == LEN;
        let step = match (field.kind, field.kind.wire_type()) {
            (Kind::String, LEN) if wire_type == LEN => Step::Text,
            (Kind::Message(message), LEN) if wire_type == LEN => message_step(field, message),
            (_, VARINT) if is_packable => Step::PackedVarint,
            (_, FIXED64) if is_packable => Step::PackedFixed64,
            (_, expected) if expected == wire_type => return Self::unknown(wire_type),
            _ if matches!(wire_type, VARINT | FIXED64 | LEN | FIXED32) => {
                return Self::refuse(Fault::WrongWireType);
            }
            _ => return Self::unknown(wire_type),
        };
        Self { step, target }
    }
}

fn message_step(field: &Field, message: &'static Message) -> Step {
    let is = |other: &'static Message| std::ptr::eq(message, other);
    let items = [
        &schema::LOG_RECORD,
        &schema::SPAN,
        &schema::NUMBER_DATA_POINT,
        &schema::HISTOGRAM_DATA_POINT,
        &schema::EXPONENTIAL_HISTOGRAM_DATA_POINT,
        &schema::SUMMARY_DATA_POINT,
        &schema::SAMPLE,
    ];
    if items.into_iter().any(is) {
        Step::Item
    } else if is(&schema::KEY_VALUE) {
        Step::Attribute
    } else if is(&schema::ANY_VALUE) {
        Step::AnyValue
    } else if is(&schema::METRIC) {
        Step::Metric
    } else if field.oneof() == Some("data") {
        Step::Data
    } else {
        Step::Message
    }
}

impl Plan {
    /// What to do with a field whose tag begins with this byte.
    #[inline(always)]
    pub(super) fn action(&self, first: u8) -> Action {
        self.by_byte[usize::from(first)]
    }

    /// What to do with a field of any number.
    pub(super) fn action_of(&self, number: u32, wire_type: u8) -> Action {
        match u8::try_from(number << 3 | u32::from(wire_type)) {
            Ok(tag) => self.by_tag[usize::from(tag)],
            Err(_) => Action::unknown(wire_type),
        }
    }
}

impl Plans {
    /// The plans of this process.
    pub(super) fn shared() -> &'static Self {
        &PLANS
    }

    pub(super) fn all(&self) -> &[Plan] {
        &self.plans
    }

    /// The plan of a signal's request.
    pub(super) fn root(&self, signal: Signal) -> u8 {
        self.roots[signal as usize]
    }

    fn from_schema() -> Self {
        let mut messages = Vec::new();
        let roots = Signal::ALL.map(|signal| place(&mut messages, schema::request(signal)));
        let mut plans = Vec::new();
        while let Some(message) = messages.get(plans.len()).copied() {
            plans.push(plan(&mut messages, message));
        }
        Self { plans, roots }
    }
}

/// The place of `message` in the list; put at its end if it is new.
fn place(messages: &mut Vec<&'static Message>, message: &'static Message) -> u8 {
    let known = messages.iter().position(|other| std::ptr::eq(*other, message));
    let place = known.unwrap_or_else(|| {
        messages.push(message);
        messages.len() - 1
    });
    u8::try_from(place).expect("OTLP has fewer than 256 messages")
}

fn plan(messages: &mut Vec<&'static Message>, message: &'static Message) -> Plan {
    let mut by_tag = [Action::refuse(Fault::UnknownWireType); 256];
    for (tag, action) in (0..=u8::MAX).zip(&mut by_tag) {
        let wire_type = tag & 7;
        *action = match message.field(u32::from(tag >> 3)) {
            Some(field) => {
                let target = field.kind.message().map_or(0, |inner| place(messages, inner));
                Action::of(field, wire_type, target)
            }
            None => Action::unknown(wire_type),
        };
    }
    let mut by_byte = [Action { step: Step::LongTag, target: 0 }; 256];
    by_byte[8..0x80].copy_from_slice(&by_tag[8..0x80]);
    Plan { by_byte, by_tag }
}
