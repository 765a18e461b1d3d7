//! The storage behind the `file_storage` extension.

use std::sync::Arc;

use pipeline::factory::{ExtensionBlueprint, Plans};
use pipeline::{Environment, Extension, StartError, Storage};

use super::config::Settings;
use crate::extensions::offer::Offer;

impl Plans for Settings {
    fn is_storage(&self) -> bool {
        true
    }

    fn warnings(&self) -> Vec<String> {
        self.warnings.clone()
    }
}

impl ExtensionBlueprint for Settings {
    fn build(&self, env: Environment) -> Result<Arc<dyn Extension>, StartError> {
        let directory = self.directory.clone().unwrap_or_else(|| env.data_dir.join("storage"));
        if !self.is_folder_made && !directory.is_dir() {
            let message = format!(
                "there is no folder `{}`, and `create_directory: false` forbids to make it",
                directory.display()
            );
            return Err(StartError::new(message));
        }
        let storage = Storage {
            directory,
            is_synced: self.is_synced,
            folder_permissions: self.folder_permissions,
            lock_timeout: self.lock_timeout,
            is_recreated: self.is_recreated,
        };
        Ok(Arc::new(Offer { storage: Some(storage), ..Offer::default() }))
    }
}
