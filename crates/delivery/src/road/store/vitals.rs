//! Vitals: how the journals of a queue stand, for operators: as metrics, and as the exporter's health.

use std::fmt;

use config::ComponentId;
use journal::{Hang, Journal};
use pipeline::Environment;
use runtime::health::Health;
use runtime::metrics::Registry;

use crate::road::{Signal, ToOwner};

#[derive(Clone)]
pub(in crate::road) struct Vitals {
    id: ComponentId,
    metrics: Registry,
    health: Health,
}

impl Vitals {
    pub(in crate::road) fn of(env: &Environment) -> Self {
        let (id, metrics) = (env.id.clone(), env.metrics.clone());
        Self { id, metrics, health: env.health.clone() }
    }

    /// Shows how `journal` stands, which keeps `what`.
    pub(super) fn show(&self, journal: &Journal, what: &'static str, post: ToOwner) {
        let labels = vec![("exporter", self.id.to_string()), ("keeps", what.to_owned())];
        journal.register(&self.metrics, &labels);
        let sign = self.health.sign(format!("exporter `{}`", self.id));
        journal.on_hang(move |hang| {
            sign.set(hang.map(|hang| format!("the disk of its {what} hangs: {}", described(hang))));
            post.signal(Signal::Hangs);
        });
    }
}

/// A call that hangs, in words.
pub(super) fn described(Hang { call, age }: Hang) -> String {
    format!("a {call} has not ended for {} s", age.as_secs())
}

impl fmt::Debug for Vitals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Vitals({})", self.id)
    }
}
