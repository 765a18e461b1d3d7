//! The configuration of the `file_log` receiver.

mod validate;

use std::collections::BTreeMap;
use std::time::Duration;

use config::ComponentId;
use config::value::{ByteSize, Duration as DurationWord};
use schemars::JsonSchema;
use serde::Deserialize;

use super::content::{ContentSettings, MultilineWords};
use super::discovery::Wanted;
use super::file_system::Options;
use super::header::HeaderWords;
use super::operators::OperatorWords;
use super::split::OnOversize;
use super::tracker::Limits;

/// Which files to follow, and how.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Patterns of the files to follow, with `*`, `?`, `[a-z]`, `{a,b}` and `**` for any number of
    /// folders. Required.
    pub include: Vec<String>,
    /// Patterns of files to leave out of those.
    pub exclude: Vec<String>,
    /// Leaves out files that were not written to for so long.
    pub exclude_older_than: Option<DurationWord>,
    /// Where to begin in files that are there at the very first start: `end` or `beginning`. Files that
    /// come later, and all files once positions are known, are read from their beginning.
    pub start_at: StartAt,
    /// How long the last line may wait for its end before it is passed on without; 0s: for ever. The
    /// last line of a file that was rotated away waits for a second at most.
    pub force_flush_period: DurationWord,
    /// Adds the name of the file as the attribute `log.file.name`.
    pub include_file_name: bool,
    /// Adds the path of the file as the attribute `log.file.path`.
    pub include_file_path: bool,
    /// Adds the name behind symbolic links as the attribute `log.file.name_resolved`.
    pub include_file_name_resolved: bool,
    /// Adds the path behind symbolic links as the attribute `log.file.path_resolved`.
    pub include_file_path_resolved: bool,
    /// Adds the name of the file's owner as the attribute `log.file.owner.name`.
    pub include_file_owner_name: bool,
    /// Adds the name of the file's group as the attribute `log.file.owner.group.name`.
    pub include_file_owner_group_name: bool,
    /// Adds the permissions of the file, in octal, as the attribute `log.file.permissions`.
    pub include_file_permissions: bool,
    /// Adds the offset at which the record begins as the attribute `log.file.record_offset`.
    pub include_file_record_offset: bool,
    /// Refused when enabled: a number cannot be told after a restart without reading all before it.
    pub include_file_record_number: bool,
    /// How often to look for changes where the kernel does not tell of them; it tells on Linux, except
    /// of what other hosts write to network mounts.
    pub poll_interval: DurationWord,
    /// How many bytes before an offset a file is known again by, at least 16.
    pub fingerprint_size: ByteSize,
    /// How much is read at a time from a file that has nothing much new; it grows up to 256 KiB.
    pub initial_buffer_size: ByteSize,
    /// How many files may be open at a time; the others take turns.
    pub max_concurrent_files: usize,
    /// How many times `max_concurrent_files` files may be opened in one `poll_interval`, when there are
    /// more than may be open at a time: the others wait for the next one. 0: as many as there are.
    pub max_batches: usize,
    /// Removes a file a minute after its last byte, when all of it was delivered and nothing refused.
    /// For files that are written once: nobody may keep one open for longer and write to it then.
    /// Refused with settings under which something would be lost.
    pub delete_after_read: bool,
    /// Reads only files that no other process has locked for itself.
    pub acquire_fs_lock: bool,
    /// Advises the kernel that files are read from their beginning to their end.
    pub file_cache_advise: bool,
    /// `gzip`: all files are compressed; `auto`: those whose names end in `.gz`. Without it, files with
    /// the ending of a compressed one are left out.
    pub compression: Option<Compression>,
    /// Where to read on in a file that was cut: `read_whole_file` or `read_new`, which passes over what
    /// was written before the cut was seen. `ignore` is taken for the first.
    pub on_truncate: Option<OnTruncate>,
    /// Has no effect, which is told: positions are on disk, for a week after a file was last seen.
    pub polls_to_archive: usize,
    /// Follows only some of the files, picked by their names.
    pub ordering_criteria: Option<OrderingWords>,
    /// The extension that says where positions are kept; without it, they are kept below the data
    /// directory.
    pub storage: Option<ComponentId>,
    /// When to read again what was not accepted.
    pub retry_on_failure: RetryWords,
    /// Attributes that every record gets.
    pub attributes: BTreeMap<String, String>,
    /// Attributes of the resource of every record.
    pub resource: BTreeMap<String, String>,
    /// The longest record in bytes.
    pub max_log_size: ByteSize,
    /// What becomes of a longer one: `split` makes several of it, `truncate` leaves out the rest, which
    /// is counted and marked with the attribute `log.truncated`.
    #[serde(alias = "max_log_size_behavior")]
    pub on_oversize: OnOversize,
    /// The encoding of the files, as IANA names it.
    pub encoding: String,
    /// Records of several lines.
    pub multiline: Option<MultilineWords>,
    /// Keeps white space before the text of a record.
    pub preserve_leading_whitespaces: bool,
    /// Keeps white space behind the text of a record.
    pub preserve_trailing_whitespaces: bool,
    /// Lines at the start of a file that say something about all others.
    pub header: Option<HeaderWords>,
    /// What is done with each record, in order.
    pub operators: Vec<OperatorWords>,
}

/// Where to begin.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum StartAt {
    #[default]
    End,
    Beginning,
}

/// Which files are compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Compression {
    #[serde(alias = "")]
    None,
    Gzip,
    Auto,
}

/// Where to read on in a file that was cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OnTruncate {
    Ignore,
    ReadWholeFile,
    ReadNew,
}

/// Which files are followed.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct OrderingWords {
    /// A regular expression with named groups, which `sort_by` refers to; other paths are left out.
    pub regex: String,
    /// A regular expression; paths with the same groups are sorted among themselves.
    pub group_by: String,
    /// How many files of each group are followed.
    pub top_n: usize,
    /// What to sort by, the most important first.
    pub sort_by: Vec<SortWords>,
}

/// What to sort by.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SortWords {
    /// `numeric`, `alphabetical`, `timestamp` or `mtime` (the time of the last write).
    pub sort_type: SortType,
    /// The group of `regex` to sort by.
    pub regex_key: String,
    /// Smallest or oldest first.
    pub ascending: bool,
    /// For `timestamp`: how it is written, in the codes of strptime.
    pub layout: String,
    /// For `timestamp`: has no effect, as all names of a group have the same zone.
    pub location: String,
}

/// What is sorted by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum SortType {
    Numeric,
    #[default]
    Alphabetical,
    Timestamp,
    Mtime,
}

/// When to read again what was not accepted.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RetryWords {
    /// `false` has no effect: a position never passes what was not accepted.
    pub enabled: bool,
    /// The first pause; each further one is twice as long.
    pub initial_interval: DurationWord,
    /// The longest pause.
    pub max_interval: DurationWord,
    /// After that, what is still not accepted is given up and counted; 0s: never.
    pub max_elapsed_time: DurationWord,
}

/// The checked configuration.
#[derive(Clone, Debug)]
pub struct Settings {
    pub(super) wanted: Wanted,
    pub(super) excluded_age: Option<Duration>,
    pub(super) limits: Limits,
    pub(super) options: Options,
    pub(super) fingerprint: usize,
    pub(super) storage: Option<ComponentId>,
    pub(super) attributes: FileAttributes,
    pub(super) constants: Constants,
    pub(super) content: ContentSettings,
    pub(super) warnings: Vec<String>,
}

/// What every record gets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Constants {
    pub attributes: BTreeMap<String, String>,
    pub resource: BTreeMap<String, String>,
}

/// What is told of the file of a record.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct FileAttributes {
    pub name: bool,
    pub path: bool,
    pub name_resolved: bool,
    pub path_resolved: bool,
    pub owner: bool,
    pub group: bool,
    pub permissions: bool,
    pub offset: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            include: Vec::new(),
            exclude: Vec::new(),
            exclude_older_than: None,
            start_at: StartAt::End,
            force_flush_period: DurationWord::from_millis(500),
            include_file_name: true,
            include_file_path: false,
            include_file_name_resolved: false,
            include_file_path_resolved: false,
            include_file_owner_name: false,
            include_file_owner_group_name: false,
            include_file_permissions: false,
            include_file_record_offset: false,
            include_file_record_number: false,
            poll_interval: DurationWord::from_millis(200),
            fingerprint_size: ByteSize::from_bytes(1000),
            initial_buffer_size: ByteSize::from_bytes(16 << 10),
            max_concurrent_files: 1024,
            max_batches: 0,
            delete_after_read: false,
            acquire_fs_lock: false,
            file_cache_advise: false,
            compression: None,
            on_truncate: None,
            polls_to_archive: 0,
            ordering_criteria: None,
            storage: None,
            retry_on_failure: RetryWords::default(),
            attributes: BTreeMap::new(),
            resource: BTreeMap::new(),
            max_log_size: ByteSize::from_bytes(1 << 20),
            on_oversize: OnOversize::Split,
            encoding: "utf-8".to_owned(),
            multiline: None,
            preserve_leading_whitespaces: false,
            preserve_trailing_whitespaces: false,
            header: None,
            operators: Vec::new(),
        }
    }
}

impl Default for RetryWords {
    fn default() -> Self {
        Self {
            enabled: true,
            initial_interval: DurationWord::from_secs(1),
            max_interval: DurationWord::from_secs(30),
            max_elapsed_time: DurationWord::from_secs(0),
        }
    }
}

impl Default for OrderingWords {
    fn default() -> Self {
        Self { regex: String::new(), group_by: String::new(), top_n: 1, sort_by: Vec::new() }
    }
}

#[cfg(test)]
mod tests;
