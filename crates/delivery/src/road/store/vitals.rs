//! Vitals: how the journals of a queue stand, for operators: as metrics, and as the exporter's health.

use std::fmt;
use std::sync::Arc;

use config::ComponentId;
use journal::{Journal, ToldOfTrouble};
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
    pub(super) fn show(&self, journal: &Journal, what: &'static str) {
        let labels = vec![("exporter", self.id.to_string()), ("keeps", what.to_owned())];
        journal.register(&self.metrics, &labels);
    }

    /// Makes the trouble known that a journal which keeps `what` has with its disk.
    pub(in crate::road) fn of_trouble(&self, what: &'static str, post: ToOwner) -> ToldOfTrouble {
        let sign = self.health.sign(format!("exporter `{}`", self.id));
        Arc::new(move |trouble| {
            sign.set(trouble.map(|trouble| trouble.of(&format!("the disk of its {what}"))));
            post.signal(Signal::Trouble);
        })
    }
}

impl fmt::Debug for Vitals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Vitals({})", self.id)
    }
}
