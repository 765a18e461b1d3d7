//! The configuration of the `file_storage` extension.

use std::path::PathBuf;
use std::time;

use config::section::Words;
use config::value::{ByteSize, Duration};
use config::{Faults, Gates};
use schemars::JsonSchema;
use serde::Deserialize;

/// The smallest journal.
const SIZE_MIN: usize = 1 << 20;

/// Where and how queues and positions are kept.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The folder to keep journals in, one folder for each queue; by default `storage` in the data
    /// directory.
    pub directory: PathBuf,
    /// How long a start waits for a journal that another process has open.
    pub timeout: Duration,
    /// Makes each write survive the loss of power before it is answered. Without it, a crash of the
    /// machine loses what was acknowledged; a crash of the process does not.
    pub fsync: bool,
    /// How much one journal may take of the disk; what a queue counts (`queue_size`) is held as long
    /// as there is room for it here.
    pub max_size: ByteSize,
    /// Makes the folder when it is missing; without it, a missing folder is an error at start.
    pub create_directory: bool,
    /// The permissions of a folder that is made, in octal.
    pub directory_permissions: String,
    /// Moves a journal that cannot be opened out of the way at start, and begins a new one. Without
    /// it, such a journal is an error at start.
    pub recreate: bool,
    /// Accepted for compatibility: journals are compacted while they run, as soon as most of a file
    /// is not needed any more.
    pub compaction: Compaction,
}

/// Accepted for compatibility; nothing here has an effect.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Compaction {
    /// At each start.
    pub on_start: bool,
    /// While running, when much was freed.
    pub on_rebound: bool,
    /// The folder for files that are being written; by default the temporary folder.
    pub directory: PathBuf,
    /// Bytes of a transaction that moves data; 0 means no limit.
    pub max_transaction_size: u64,
    /// A file must have been this large before it is compacted, in MiB.
    pub rebound_needed_threshold_mib: u64,
    /// A file is compacted when less than this is in use, in MiB.
    pub rebound_trigger_threshold_mib: u64,
    /// How often to look.
    pub check_interval: Duration,
    /// Removes files of a compaction that did not end.
    pub cleanup_on_start: bool,
}

/// The checked configuration.
#[derive(Clone, Debug)]
pub struct Settings {
    /// `None` means below the data directory.
    pub(super) directory: Option<PathBuf>,
    pub(super) lock_timeout: time::Duration,
    pub(super) is_synced: bool,
    pub(super) folder_permissions: u32,
    pub(super) is_folder_made: bool,
    pub(super) is_recreated: bool,
    pub(super) bytes_max: u64,
    pub(super) warnings: Vec<String>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            directory: PathBuf::new(),
            timeout: Duration::from_secs(1),
            fsync: true,
            max_size: ByteSize::from_bytes(10 << 30),
            create_directory: true,
            directory_permissions: "0700".to_owned(),
            recreate: false,
            compaction: Compaction::default(),
        }
    }
}

impl Default for Compaction {
    fn default() -> Self {
        Self {
            on_start: false,
            on_rebound: false,
            directory: PathBuf::new(),
            max_transaction_size: 65_536,
            rebound_needed_threshold_mib: 100,
            rebound_trigger_threshold_mib: 10,
            check_interval: Duration::from_secs(5),
            cleanup_on_start: false,
        }
    }
}

impl Words for Config {
    type Settings = Settings;

    fn validate(self, _gates: &Gates) -> Result<Settings, Faults> {
        let mut faults = Faults::default();
        let permissions = u32::from_str_radix(&self.directory_permissions, 8);
        let permissions = permissions.ok().filter(|permissions| *permissions <= 0o777);
        if permissions.is_none() {
            let message = "`directory_permissions` must be octal digits, at most `0777`";
            faults.add_with_remedy("directory_permissions", message, "write `\"0700\"`");
        }
        if self.max_size.as_usize() < SIZE_MIN {
            faults.add("max_size", "must be at least 1MiB");
        }
        if self.compaction.on_rebound {
            self.compaction.check_rebound(&mut faults);
        }
        let warnings = self.warnings();
        let directory = Some(self.directory).filter(|path| !path.as_os_str().is_empty());
        faults.or(|| Settings {
            directory,
            lock_timeout: self.timeout.get(),
            is_synced: self.fsync,
            folder_permissions: permissions.unwrap_or(0o700),
            is_folder_made: self.create_directory,
            is_recreated: self.recreate,
            bytes_max: self.max_size.as_usize() as u64,
            warnings,
        })
    }
}

impl Config {
    fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        if !self.fsync {
            let text = "`fsync: false`: a crash of the machine loses what was acknowledged";
            warnings.push(text.to_owned());
        }
        if self.compaction != Compaction::default() {
            let text = "`compaction` has no effect: journals are compacted while they run";
            warnings.push(text.to_owned());
        }
        warnings
    }
}

impl Compaction {
    fn check_rebound(&self, faults: &mut Faults) {
        if self.check_interval.is_zero() {
            let message = "`check_interval` must be greater than zero with `on_rebound`";
            faults.add("compaction.check_interval", message);
        }
        if self.rebound_needed_threshold_mib < self.rebound_trigger_threshold_mib {
            let message = "`rebound_trigger_threshold_mib` must not be greater than \
                           `rebound_needed_threshold_mib`";
            faults.add("compaction.rebound_trigger_threshold_mib", message);
        }
    }
}
