//! Feature gates: switches of the command line, `--feature-gates a,+b,-c`.

use std::collections::BTreeSet;

/// The gates that are on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Gates {
    on: BTreeSet<&'static str>,
}

/// A gate that exists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gate {
    pub id: &'static str,
    pub about: &'static str,
}

/// Lets a queue answer before delivery without storage, for unmodified OpenTelemetry configurations.
pub const QUEUE_ALLOW_IN_MEMORY: Gate = Gate {
    id: "queue.allowInMemory",
    about: "a queue without storage may answer before delivery, as in the OpenTelemetry Collector",
};

/// All gates.
pub const ALL: &[Gate] = &[QUEUE_ALLOW_IN_MEMORY];

impl Gates {
    /// Whether `gate` is on.
    #[must_use]
    pub fn is_on(&self, gate: Gate) -> bool {
        self.on.contains(gate.id)
    }

    /// Turns `gate` on.
    pub fn turn_on(&mut self, gate: Gate) {
        self.on.insert(gate.id);
    }

    /// Turns `gate` off.
    pub fn turn_off(&mut self, gate: Gate) {
        self.on.remove(gate.id);
    }
}
