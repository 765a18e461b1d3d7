//! The configuration of the `file` exporter.

use std::path::PathBuf;
use std::time::Duration;

use config::section::Words;
use config::{Faults, Gates};
use delivery::config::{QueueWords, RetryWords, RoadWords, TIMEOUT};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::groups::Grouping;

const DAY: Duration = Duration::from_hours(24);

/// Where and how to write.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The file. Required. With `group_by`, a `*` in it stands for the value of the attribute.
    pub path: PathBuf,
    /// `json`: a request in each line. `proto`: requests as protobuf, each behind its length in four
    /// bytes, highest first.
    pub format: Format,
    /// `zstd` compresses each request by itself; JSON has a length in front then, too.
    pub compression: Option<Compression>,
    /// Keeps the file small by renaming it and starting a new one.
    pub rotation: Option<RotationWords>,
    /// Accepted for compatibility: each request is written before it is answered.
    pub flush_interval: config::value::Duration,
    /// Keeps what is in the file at start. With `rotation`, it is always kept.
    pub append: bool,
    /// Makes the folder of the file when it is missing.
    pub create_directory: bool,
    /// The permissions of a folder that is made, in octal.
    pub directory_permissions: String,
    /// Writes a file for each value of an attribute of the resource.
    pub group_by: GroupByWords,
    /// Answers after the data is durable (`fdatasync`); without it, after it was written.
    pub fsync: bool,
    /// How long one write may take.
    pub timeout: config::value::Duration,
    /// When to try again, such as after the disk was full.
    pub retry_on_failure: RetryWords,
    /// Holds requests while earlier ones are written.
    pub sending_queue: Option<QueueWords>,
}

/// What a request becomes in the file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    #[default]
    Json,
    Proto,
}

/// How requests are compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Compression {
    #[serde(alias = "")]
    None,
    Zstd,
}

/// When a new file is started, and which old ones are kept.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RotationWords {
    /// The largest size of a file, in MB of 1,048,576 bytes.
    pub max_megabytes: u32,
    /// Old files are removed after this many days; 0 keeps them.
    pub max_days: u32,
    /// How many old files are kept; 0 keeps all.
    pub max_backups: u32,
    /// Accepted for compatibility: old files are named by their time in UTC.
    pub localtime: bool,
}

/// A file for each value of an attribute.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct GroupByWords {
    /// Whether there is a file for each value.
    pub enabled: bool,
    /// The attribute of the resource. What is not a letter, digit, `-`, `_` or inner `.` in its value
    /// is written as `%` and two digits; without the attribute, the value is `MISSING`.
    pub resource_attribute: String,
    /// How many files are kept open; the one that was not used for longest is closed.
    pub max_open_files: u32,
}

/// The checked configuration.
#[derive(Clone, Debug)]
pub struct Settings {
    pub path: PathBuf,
    pub format: Format,
    pub is_compressed: bool,
    pub rotation: Option<Rotation>,
    pub is_kept: bool,
    /// The permissions of a folder that is made; `None` makes none.
    pub directory_mode: Option<u32>,
    pub is_synced: bool,
    pub(super) grouping: Option<Grouping>,
    pub(super) wants_local_time: bool,
    pub(super) road: delivery::Settings,
}

/// When a new file is started, and which old ones are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rotation {
    pub bytes_max: u64,
    pub age_max: Option<Duration>,
    pub backups_max: Option<usize>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            path: PathBuf::new(),
            format: Format::Json,
            compression: None,
            rotation: None,
            flush_interval: config::value::Duration::from_secs(1),
            append: true,
            create_directory: false,
            directory_permissions: "0755".to_owned(),
            group_by: GroupByWords::default(),
            fsync: true,
            timeout: TIMEOUT,
            retry_on_failure: RetryWords::default(),
            sending_queue: None,
        }
    }
}

impl Default for GroupByWords {
    fn default() -> Self {
        let resource_attribute = "fileexporter.path_segment".to_owned();
        Self { enabled: false, resource_attribute, max_open_files: 100 }
    }
}

impl Default for RotationWords {
    fn default() -> Self {
        Self { max_megabytes: 100, max_days: 0, max_backups: 100, localtime: false }
    }
}

impl Words for Config {
    type Settings = Settings;

    fn validate(self, gates: &Gates) -> Result<Settings, Faults> {
        let mut faults = Faults::default();
        if self.path.file_name().is_none() {
            faults.add("path", "`path` must name a file");
        }
        if self.flush_interval.is_zero() {
            faults.add("flush_interval", "`flush_interval` must be greater than zero");
        }
        let mode = u32::from_str_radix(&self.directory_permissions, 8);
        let mode = mode.ok().filter(|mode| *mode <= 0o777);
        if mode.is_none() {
            let message = "`directory_permissions` must be octal digits, at most `0777`";
            faults.add_with_remedy("directory_permissions", message, "write `\"0755\"`");
        }
        let grouping = self.grouping(&mut faults);
        let rotation = self.rotation;
        let wants_local_time = rotation.as_ref().is_some_and(|words| words.localtime);
        let rotation = rotation.and_then(|words| faults.take("rotation", words.validate()));
        let road = RoadWords {
            timeout: self.timeout,
            retry_on_failure: self.retry_on_failure,
            sending_queue: self.sending_queue,
        };
        let Some(road) = faults.take("", road.validate(gates)) else { return Err(faults) };
        faults.or(|| Settings {
            path: self.path,
            format: self.format,
            is_compressed: self.compression == Some(Compression::Zstd),
            is_kept: self.append || rotation.is_some(),
            rotation,
            directory_mode: mode.filter(|_| self.create_directory),
            is_synced: self.fsync,
            grouping,
            wants_local_time,
            road,
        })
    }
}

impl Config {
    fn grouping(&self, faults: &mut Faults) -> Option<Grouping> {
        if !self.group_by.enabled {
            return None;
        }
        let path = self.path.to_string_lossy();
        let Some((before, after)) = path.split_once('*').filter(|(_, after)| !after.contains('*'))
        else {
            let message = "with `group_by`, `path` must contain one `*`";
            faults.add_with_remedy("path", message, "write `/folder/*.json`");
            return None;
        };
        if after.contains('/') && !self.create_directory {
            let message = "a folder for each group has to be made";
            faults.add_with_remedy("path", message, "write `create_directory: true`");
        }
        if !self.append {
            let message = "with `group_by`, files are closed and opened again, so that what is in \
                           them is kept";
            faults.add_with_remedy("append", message, "remove `append: false`");
        }
        if self.group_by.resource_attribute.is_empty() {
            faults.add("group_by.resource_attribute", "`resource_attribute` must not be empty");
        }
        if self.group_by.max_open_files == 0 {
            faults.add("group_by.max_open_files", "`max_open_files` must be greater than zero");
        }
        Some(Grouping {
            before: before.to_owned(),
            after: after.to_owned(),
            attribute: self.group_by.resource_attribute.clone(),
            open_max: usize::try_from(self.group_by.max_open_files).unwrap_or(usize::MAX),
        })
    }
}

impl RotationWords {
    fn validate(self) -> Result<Rotation, Faults> {
        let mut faults = Faults::default();
        if self.max_megabytes == 0 {
            faults.add("max_megabytes", "`max_megabytes` must be greater than zero");
        }
        let backups_max = usize::try_from(self.max_backups).unwrap_or(usize::MAX);
        faults.or(|| Rotation {
            bytes_max: u64::from(self.max_megabytes) << 20,
            age_max: (self.max_days != 0).then(|| DAY * self.max_days),
            backups_max: (backups_max != 0).then_some(backups_max),
        })
    }
}
