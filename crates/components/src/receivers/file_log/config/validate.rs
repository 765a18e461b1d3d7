//! Validate: the user's words become settings, or every fault at once.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use config::section::Words;
use config::{Faults, Gates};
use regex::Regex;

use super::{
    Compression, Config, Constants, FileAttributes, OnTruncate, OrderingWords, RetryWords,
    Settings, SortType, StartAt,
};
use crate::receivers::file_log::content::{ContentSettings, ContentWords};
use crate::receivers::file_log::discovery::Wanted;
use crate::receivers::file_log::file_system::{self, Options};
use crate::receivers::file_log::glob::Glob;
use crate::receivers::file_log::ordering::{By, Ordering, Rule};
use crate::receivers::file_log::split::OnOversize;
use crate::receivers::file_log::tracker::{Limits, Retry, Truncated};

/// How long after its last byte a file is removed with `delete_after_read`.
const REMOVED_AFTER: Duration = Duration::from_mins(1);
/// The most that is read at a time.
const CHUNK_MAX: usize = 256 << 10;
/// The most bytes that a file is known again by.
const FINGERPRINT_MAX: usize = 64 << 10;
/// How long the position of a file that is nowhere is kept.
const FORGOTTEN_AFTER: Duration = Duration::from_hours(7 * 24);

impl Words for Config {
    type Settings = Settings;

    fn validate(mut self, _gates: &Gates) -> Result<Settings, Faults> {
        let mut faults = Faults::default();
        let warnings = self.warnings();
        self.refuse(&mut faults);
        if self.include.is_empty() {
            let remedy = "such as `include: [/var/log/*.log]`";
            faults.add_with_remedy("include", "`include` must name files", remedy);
        }
        let include = globs("include", &self.include, &mut faults);
        let exclude = globs("exclude", &self.exclude, &mut faults);
        let ordering = self.ordering_criteria.take();
        let ordering =
            ordering.and_then(|words| faults.take("ordering_criteria", words.validate()));
        let retry = faults.take("retry_on_failure", self.retry_on_failure.clone().validate());
        let wanted = Wanted {
            include,
            exclude,
            modified_after: None,
            ordering: ordering.map(Arc::new),
            skips_compressed: matches!(self.compression, None | Some(Compression::None)),
            own_folder: PathBuf::new(),
        };
        let content = ContentWords {
            encoding: Some(std::mem::take(&mut self.encoding)),
            multiline: self.multiline.take(),
            max_log_size: Some(self.max_log_size),
            on_oversize: self.on_oversize,
            preserve_leading_whitespaces: self.preserve_leading_whitespaces,
            preserve_trailing_whitespaces: self.preserve_trailing_whitespaces,
            header: self.header.take(),
            operators: std::mem::take(&mut self.operators),
        };
        let content = faults.take("", content.validate());
        let (Some(retry), Some(content)) = (retry, content) else { return Err(faults) };
        let made = Made { wanted, retry, content, warnings };
        faults.or(|| self.complete(made))
    }
}

impl Config {
    fn refuse(&self, faults: &mut Faults) {
        if self.poll_interval.is_zero() {
            faults.add("poll_interval", "`poll_interval` must be greater than zero");
        }
        if !(16..=FINGERPRINT_MAX).contains(&self.fingerprint_size.as_usize()) {
            faults.add("fingerprint_size", "`fingerprint_size` must be 16 bytes to 64 KiB");
        }
        if self.initial_buffer_size.as_usize() == 0 {
            faults.add("initial_buffer_size", "`initial_buffer_size` must be greater than zero");
        }
        if self.max_concurrent_files == 0 {
            faults.add("max_concurrent_files", "`max_concurrent_files` must be greater than zero");
        }
        if self.delete_after_read {
            self.refuse_removal(faults);
        }
        if self.include_file_record_number {
            let message = "`include_file_record_number` is not supported: the number would not be \
                           known after a restart";
            let remedy = "use `include_file_record_offset`";
            faults.add_with_remedy("include_file_record_number", message, remedy);
        }
    }

    /// What was not read must not be removed.
    fn refuse_removal(&self, faults: &mut Faults) {
        let mut refuse = |is_so: bool, why: &str, remedy: &str| {
            if is_so {
                let message = format!("`delete_after_read` would lose {why}");
                faults.add_with_remedy("delete_after_read", message, remedy);
            }
        };
        refuse(
            self.start_at != StartAt::Beginning,
            "what files hold at the first start",
            "add `start_at: beginning`",
        );
        refuse(
            self.on_truncate == Some(OnTruncate::ReadNew),
            "what `on_truncate: read_new` passes over",
            "use `on_truncate: read_whole_file`",
        );
        refuse(
            self.on_oversize == OnOversize::Truncate,
            "what `on_oversize: truncate` leaves out",
            "use `on_oversize: split`",
        );
    }

    fn warnings(&self) -> Vec<String> {
        let ordering = self.ordering_criteria.iter();
        let mut sorted_by = ordering.flat_map(|ordering| &ordering.sort_by);
        let lines = [
            (
                sorted_by.any(|words| !words.location.is_empty()),
                "`ordering_criteria.sort_by.location` has no effect: names are sorted as they are \
                 written, in whatever zone",
            ),
            (
                self.polls_to_archive != 0,
                "`polls_to_archive` has no effect, remove it: positions are always on disk, for a \
                 week after a file was last seen",
            ),
            (
                self.on_truncate == Some(OnTruncate::Ignore),
                "`on_truncate: ignore` is taken for `read_whole_file`, because it would lose what is \
                 written after a cut",
            ),
            (
                !self.retry_on_failure.enabled,
                "`retry_on_failure.enabled: false` has no effect: a position never passes what was \
                 not accepted",
            ),
        ];
        lines.into_iter().filter(|(is_so, _)| *is_so).map(|(_, line)| line.to_owned()).collect()
    }

    fn complete(self, made: Made) -> Settings {
        let Made { wanted, retry, content, warnings } = made;
        let compression = match self.compression {
            None | Some(Compression::None) => file_system::Compression::None,
            Some(Compression::Gzip) => file_system::Compression::Gzip,
            Some(Compression::Auto) => file_system::Compression::ByName,
        };
        let truncated = match self.on_truncate {
            Some(OnTruncate::ReadNew) => Truncated::NewOnly,
            _ => Truncated::Whole,
        };
        Settings {
            wanted,
            excluded_age: self.exclude_older_than.and_then(DurationOf::unless_zero),
            limits: Limits {
                starts_at_end: self.start_at == StartAt::End,
                open_max: self.max_concurrent_files,
                batches_max: (0 < self.max_batches).then_some(self.max_batches),
                poll_interval: self.poll_interval.into(),
                flush_after: self.force_flush_period.unless_zero(),
                chunk_min: self.initial_buffer_size.as_usize().min(CHUNK_MAX),
                chunk_max: CHUNK_MAX,
                trial_max: 1,
                retry,
                truncated,
                removed_after: self.delete_after_read.then_some(REMOVED_AFTER),
                forgotten_after: FORGOTTEN_AFTER,
            },
            options: Options {
                compression,
                locks: self.acquire_fs_lock,
                advises: self.file_cache_advise,
            },
            fingerprint: self.fingerprint_size.as_usize(),
            storage: self.storage,
            attributes: FileAttributes {
                name: self.include_file_name,
                path: self.include_file_path,
                name_resolved: self.include_file_name_resolved,
                path_resolved: self.include_file_path_resolved,
                owner: self.include_file_owner_name,
                group: self.include_file_owner_group_name,
                permissions: self.include_file_permissions,
                offset: self.include_file_record_offset,
            },
            constants: Constants { attributes: self.attributes, resource: self.resource },
            content,
            warnings,
        }
    }
}

/// The parts that were checked on their own.
struct Made {
    wanted: Wanted,
    retry: Retry,
    content: ContentSettings,
    warnings: Vec<String>,
}

type DurationOf = config::value::Duration;

impl RetryWords {
    fn validate(self) -> Result<Retry, Faults> {
        let mut faults = Faults::default();
        if self.initial_interval.is_zero() {
            faults.add("initial_interval", "`initial_interval` must be greater than zero");
        }
        let (initial, max) = (self.initial_interval.into(), self.max_interval.into());
        if max < initial {
            faults.add("max_interval", "`max_interval` must not be less than `initial_interval`");
        }
        let give_up = self.max_elapsed_time.unless_zero();
        faults.or(|| Retry { initial, max, give_up })
    }
}

impl OrderingWords {
    fn validate(self) -> Result<Ordering, Faults> {
        let mut faults = Faults::default();
        let regex = regex("regex", &self.regex, &mut faults);
        let group_by = self::regex("group_by", &self.group_by, &mut faults);
        if self.top_n == 0 {
            faults.add("top_n", "`top_n` must be greater than zero");
        }
        let mut rules = Vec::new();
        for (at, words) in self.sort_by.into_iter().enumerate() {
            let group = words.regex_key;
            let is_known =
                regex.as_ref().is_some_and(|one| one.capture_names().flatten().any(|n| n == group));
            if words.sort_type != SortType::Mtime && !is_known {
                let message = format!("`{group}` is no named group of `regex`");
                faults.add(format!("sort_by[{at}].regex_key"), message);
            }
            let by = match words.sort_type {
                SortType::Numeric => By::Number { group },
                SortType::Alphabetical => By::Text { group },
                SortType::Mtime => By::Modified,
                SortType::Timestamp if is_sortable(&words.layout) => By::Text { group },
                SortType::Timestamp => {
                    let message = "only layouts whose text sorts as its time are supported: year, \
                                   month, day, hour, minute, second, in digits and in this order";
                    let remedy = "such as `%Y%m%d`, or use `sort_type: mtime`";
                    faults.add_with_remedy(format!("sort_by[{at}].layout"), message, remedy);
                    By::Modified
                }
            };
            rules.push(Rule { by, is_ascending: words.ascending });
        }
        faults.or(|| Ordering { regex, group_by, top: self.top_n, rules })
    }
}

/// Whether texts of this layout are in the order of their times.
fn is_sortable(layout: &str) -> bool {
    let codes = layout.split('%').skip(1).filter_map(|rest| rest.chars().next());
    let ranks: Option<Vec<usize>> = codes.map(|code| "YmdHMSfL".find(code)).collect();
    ranks.is_some_and(|ranks| !ranks.is_empty() && ranks.is_sorted() && ranks[0] == 0)
}

fn regex(key: &str, text: &str, faults: &mut Faults) -> Option<Regex> {
    if text.is_empty() {
        return None;
    }
    let regex = Regex::new(text);
    regex.inspect_err(|error| faults.add(key, format!("`{key}`: {error}"))).ok()
}

fn globs(key: &str, patterns: &[String], faults: &mut Faults) -> Vec<Glob> {
    let mut globs = Vec::new();
    for (at, pattern) in patterns.iter().enumerate() {
        match Glob::parse(pattern) {
            Ok(more) => globs.extend(more),
            Err(error) => faults.add(format!("{key}[{at}]"), format!("`{pattern}`: {error}")),
        }
    }
    globs
}
