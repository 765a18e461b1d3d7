//! The storage behind the `file_storage` extension.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use futures_util::future::BoxFuture;
use pipeline::factory::{ExtensionBlueprint, Plans};
use pipeline::{Component, Environment, Extension, StartError, Storage};
use runtime::volume::Directory;

use super::config::Settings;

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
            bytes_max: self.bytes_max,
        };
        Ok(Arc::new(Folder { storage, id: env.id.to_string() }))
    }
}

/// A folder for journals.
#[derive(Debug)]
struct Folder {
    storage: Storage,
    id: String,
}

impl Folder {
    /// The journals of queues that no component uses any more.
    fn left_behind(&self) -> Vec<PathBuf> {
        let inner = Directory::inner(&self.storage.directory).unwrap_or_default();
        let is_left = |folder: &PathBuf| {
            let name = folder.file_name().map(|name| name.to_string_lossy().into_owned());
            let is_queue = name.is_some_and(|name| name.ends_with("-queue"));
            is_queue && !delivery::is_in_use(folder)
        };
        inner.into_iter().filter(is_left).collect()
    }
}

impl Component for Folder {
    fn drain(&self, _deadline: Instant) {}

    fn close(&self, _deadline: Instant) -> BoxFuture<'_, ()> {
        Box::pin(std::future::ready(()))
    }
}

impl Extension for Folder {
    fn storage(&self) -> Option<Storage> {
        Some(self.storage.clone())
    }

    fn ready(&self, is_ready: bool) {
        for folder in self.left_behind().iter().filter(|_| is_ready) {
            tracing::warn!(
                component = self.id,
                folder = %folder.display(),
                "A queue is kept on disk that no exporter uses; what it holds is not delivered."
            );
        }
    }
}
