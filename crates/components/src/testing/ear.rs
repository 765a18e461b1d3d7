//! Ear: hears what a test's components tell operators.

use std::fmt;
use std::sync::{Arc, Mutex};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::DefaultGuard;
use tracing::{Event, Level, Metadata, Subscriber};

/// Keeps what is told at level `info` or above.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ear(Arc<Mutex<Vec<(Level, String)>>>);

impl Subscriber for Ear {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() <= Level::INFO
    }

    fn event(&self, event: &Event<'_>) {
        struct Text(String);
        impl Visit for Text {
            fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
                if field.name() == "message" {
                    self.0 = format!("{value:?}");
                }
            }
        }
        let mut text = Text(String::new());
        event.record(&mut text);
        self.0.lock().unwrap().push((*event.metadata().level(), text.0));
    }

    fn new_span(&self, _span: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _span: &Id, _values: &Record<'_>) {}

    fn record_follows_from(&self, _span: &Id, _follows: &Id) {}

    fn enter(&self, _span: &Id) {}

    fn exit(&self, _span: &Id) {}
}

impl Ear {
    /// Hears what is told on this thread for as long as the guard is there.
    pub(crate) fn open() -> (Self, DefaultGuard) {
        let ear = Self::default();
        (ear.clone(), tracing::subscriber::set_default(ear))
    }

    /// How often something was told that begins like this.
    pub(crate) fn count(&self, text: &str) -> usize {
        self.0.lock().unwrap().iter().filter(|(_, told)| told.starts_with(text)).count()
    }

    /// The same, of what was told at one level.
    pub(crate) fn count_at(&self, level: Level, text: &str) -> usize {
        let is_such = |(at, told): &&(Level, String)| *at == level && told.starts_with(text);
        self.0.lock().unwrap().iter().filter(is_such).count()
    }
}
