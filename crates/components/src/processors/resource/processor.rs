//! The edit behind the `resource` processor.

use std::sync::Arc;

use pipeline::factory::{Plans, ProcessorBlueprint};
use pipeline::{Built, Envelope, Environment, Outlet, StartError};
use wire::edit::{self, Level};

use super::config::Settings;
use crate::processors::actions::Action;
use crate::processors::stage::{Edit, Stage};

impl Plans for Settings {}

impl ProcessorBlueprint for Settings {
    fn build(&self, _env: Environment, next: Outlet) -> Result<Built, StartError> {
        let edit = EditResources { actions: self.actions.clone() };
        Ok(Built::stateless(Arc::new(Stage { edit, next })))
    }
}

#[derive(Debug)]
struct EditResources {
    actions: Vec<Action>,
}

impl Edit for EditResources {
    fn edit(&self, mut envelope: Envelope) -> Option<Envelope> {
        let context = &envelope.context;
        envelope.payload = edit::attributes(&envelope.payload, Level::Resource, |_, list| {
            self.actions.iter().for_each(|action| action.apply(list, context));
        });
        Some(envelope)
    }
}
