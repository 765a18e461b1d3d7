//! The edit behind the `attributes` processor.

use std::sync::Arc;

use pipeline::factory::{Plans, ProcessorBlueprint};
use pipeline::{Built, Envelope, Environment, Outlet, StartError};
use wire::edit::{self, Level};

use super::config::Settings;
use crate::processors::stage::{Edit, Stage};

impl Plans for Settings {}

impl ProcessorBlueprint for Settings {
    fn build(&self, env: Environment, next: Outlet) -> Result<Built, StartError> {
        if let Some(signal) = env.signal {
            self.selection.check(signal).map_err(StartError::new)?;
        }
        let edit = EditItems { settings: self.clone() };
        Ok(Built::stateless(Arc::new(Stage { edit, next })))
    }
}

#[derive(Debug)]
struct EditItems {
    settings: Settings,
}

impl Edit for EditItems {
    fn edit(&self, mut envelope: Envelope) -> Option<Envelope> {
        let Settings { actions, selection } = &self.settings;
        let context = &envelope.context;
        let mut selecting = selection.start();
        envelope.payload = edit::attributes(&envelope.payload, Level::Item, |place, list| {
            if selecting.takes(place) {
                actions.iter().for_each(|action| action.apply(list, context));
            }
        });
        Some(envelope)
    }
}
