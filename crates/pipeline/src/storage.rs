//! Storage: where components keep what must survive the process, as an extension says it.

use std::path::PathBuf;
use std::time::Duration;

use config::ComponentId;

/// A folder for journals, and how they are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Storage {
    pub directory: PathBuf,
    /// Whether what was written survives the loss of power before it is answered.
    pub is_synced: bool,
    /// The permissions of folders that are made.
    pub folder_permissions: u32,
    /// How long to wait for a journal that another process has open.
    pub lock_timeout: Duration,
    /// Whether a journal that cannot be read is moved out of the way and begun anew.
    pub is_recreated: bool,
    /// What one journal may take of the disk.
    pub bytes_max: u64,
}

/// A use of a storage extension by a component.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StorageUse {
    pub extension: ComponentId,
    /// The key that names the extension, below the component's section.
    pub key: String,
    /// The metadata keys that are kept beside clients' data; `None` when none of that is kept.
    pub metadata_keys: Option<Vec<String>>,
}

/// What credentials are made of that belongs to a client's request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ContextKey {
    /// A key of the request's metadata.
    Metadata(String),
    /// What the receiver's authenticator found out.
    Identity(String),
}

impl Storage {
    /// The folder of the journal that `component`, of the kind `kind`, keeps for `purpose`.
    #[must_use]
    pub fn folder_of(&self, kind: &str, component: &ComponentId, purpose: &str) -> PathBuf {
        let component = component.to_string();
        let name = component.bytes().fold(String::new(), |name, byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' | b'.' => {
                name + &char::from(byte).to_string()
            }
            byte => format!("{name}%{byte:02x}"),
        });
        self.directory.join(format!("{kind}-{name}-{purpose}"))
    }
}

#[cfg(test)]
mod tests;
