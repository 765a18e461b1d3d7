//! Memory: what was found out about the resource, scope, metric, span or profile around an item.
//!
//! Owner: the evaluation of one condition for one payload. Bounds: one copy of a value for each part
//! of the condition that is kept, and a limit on what is read of a dictionary.
//! Invariant: a finding counts only for the serial number it was made under.

use std::cell::Cell;

use super::error::EvaluationError;
use super::value::Value;

/// How many bytes of a dictionary may be read for each byte of the request.
const READ_PER_BYTE_MAX: usize = 256;
const READ_MIN: usize = 16 << 20;

/// Findings of one condition.
#[derive(Debug)]
pub(crate) struct Memory {
    slots: Vec<Slot>,
    /// How many bytes were looked at.
    work: Cell<usize>,
    /// How many more bytes of the dictionary may be looked at.
    room: Cell<usize>,
}

#[derive(Debug, Default)]
struct Slot {
    serial: u64,
    finding: Option<Finding>,
}

#[derive(Debug)]
enum Finding {
    Verdict(Result<bool, EvaluationError>),
    Value(Result<Value<'static>, EvaluationError>),
}

impl Memory {
    /// A memory for a payload of `bytes`.
    pub(crate) fn for_payload(bytes: usize) -> Self {
        let room = bytes.saturating_mul(READ_PER_BYTE_MAX).max(READ_MIN);
        Self { slots: Vec::new(), work: Cell::new(0), room: Cell::new(room) }
    }

    pub(super) fn make_room(&mut self, slots: usize) {
        if self.slots.len() < slots {
            self.slots.resize_with(slots, Slot::default);
        }
    }

    /// The verdict that was found under this serial number.
    pub(super) fn verdict(
        &self,
        slot: usize,
        serial: u64,
    ) -> Option<Result<bool, EvaluationError>> {
        match self.slots.get(slot).filter(|slot| slot.serial == serial)?.finding.as_ref()? {
            Finding::Verdict(verdict) => Some(verdict.clone()),
            Finding::Value(_) => None,
        }
    }

    pub(super) fn keep_verdict(
        &mut self,
        slot: usize,
        serial: u64,
        verdict: Result<bool, EvaluationError>,
    ) {
        self.slots[slot] = Slot { serial, finding: Some(Finding::Verdict(verdict)) };
    }

    /// Whether a value was found under this serial number.
    pub(super) fn has_value(&self, slot: usize, serial: u64) -> bool {
        self.slots.get(slot).is_some_and(|slot| slot.serial == serial && slot.finding.is_some())
    }

    pub(super) fn keep_value(
        &mut self,
        slot: usize,
        serial: u64,
        value: Result<Value<'static>, EvaluationError>,
    ) {
        self.slots[slot] = Slot { serial, finding: Some(Finding::Value(value)) };
    }

    /// The value that was kept last.
    pub(super) fn value(&self, slot: usize) -> Result<Value<'_>, EvaluationError> {
        match self.slots.get(slot).and_then(|slot| slot.finding.as_ref()) {
            Some(Finding::Value(Ok(value))) => Ok(value.borrowed()),
            Some(Finding::Value(Err(error))) => Err(error.clone()),
            Some(Finding::Verdict(_)) | None => Ok(Value::Nil),
        }
    }

    /// Notes that so many bytes were looked at.
    pub(super) fn note(&self, bytes: usize) {
        self.work.set(self.work.get() + bytes);
    }

    /// Notes that so many bytes of a dictionary were looked at, which others look at as well.
    pub(super) fn spend(&self, bytes: usize) -> Result<(), EvaluationError> {
        let Some(room) = self.room.get().checked_sub(bytes) else {
            self.room.set(0);
            return Err(EvaluationError::TooCostly);
        };
        self.room.set(room);
        self.note(bytes);
        Ok(())
    }

    /// How many bytes were looked at.
    #[cfg(test)]
    pub(crate) fn work(&self) -> usize {
        self.work.get()
    }
}
