//! The `container` operator: lines as container runtimes write them.

use std::sync::LazyLock;
use std::time::Duration;

use config::Faults;
use regex::Regex;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Transform as _;
use super::Work;
use super::parsing::{After, parser_words};
use super::recombine::{Keeps, Role, Settings, Source, unlimited};
use super::route::field_or;
use super::timestamp::Rfc3339;
use crate::receivers::file_log::entry::{Entry, Field, Value};

parser_words! {
    /// Reads lines as Docker, CRI-O and containerd write them, and puts partial lines together.
    pub struct Words {
        /// The format; found out by each line, unless it is written.
        pub format: Option<Format>,
        /// Whether pod, container and namespace are taken from the path of the file, which is
        /// needed as attribute `log.file.path` then. `true`, unless it is written.
        pub add_metadata_from_filepath: Option<bool>,
        /// How large a line becomes that is put together; 0 is no limit. 1 MiB, unless it is
        /// written.
        pub max_log_size: Option<config::value::ByteSize>,
    }
}

/// How a container runtime writes lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    Docker,
    Crio,
    Containerd,
}

/// The operator.
#[derive(Debug)]
pub(super) struct Container {
    from: Field,
    format: Option<Format>,
    has_metadata: bool,
    after: After,
    time: Rfc3339,
    /// How partial lines are put together.
    pub(super) settings: Settings,
}

const PATH: &str = "log.file.path";

/// `…/namespace_pod_uid/container/restarts.log`
static POD_PATH: LazyLock<Regex> = LazyLock::new(|| {
    let pattern = r"[/\\]([^_/\\]+)_([^_/\\]+)_([0-9a-f-]+)[/\\]([^._/\\]+)[/\\](\d+)\.log$";
    Regex::new(pattern).expect("the pattern is a constant")
});

const METADATA: [&str; 5] = [
    "k8s.namespace.name",
    "k8s.pod.name",
    "k8s.pod.uid",
    "k8s.container.name",
    "k8s.container.restart_count",
];

impl Words {
    pub(super) fn build(mut self, faults: &mut Faults) -> Option<Work> {
        let max = self.max_log_size.map_or(1 << 20, config::value::ByteSize::as_usize);
        let (format, has_metadata) = (self.format, self.add_metadata_from_filepath.unwrap_or(true));
        let mut parsing = self.take_parsing();
        if parsing.parse_to.as_deref().is_some_and(|to| to != "attributes") {
            faults.add("parse_to", "`container` writes to `attributes` and `body` only");
        }
        if parsing.body.is_some() {
            faults.add("body", "`container` writes the line itself to `body`");
        }
        let from = field_or("parse_from", parsing.parse_from.take(), Field::body(), faults);
        let after = parsing.after(faults);
        let settings = Settings {
            field: Field::body(),
            between: String::new(),
            source: None,
            keeps: Keeps::Newest,
            entries_max: usize::MAX,
            unmatched_max: usize::MAX,
            text_bytes_max: unlimited(max),
            sources_max: 1000,
            wait: Duration::from_secs(5),
        };
        let time = Rfc3339::new();
        let from = from?;
        let container = Container { from, format, has_metadata, after, time, settings };
        Some(Work::Container(Box::new(container)))
    }
}

impl Container {
    /// Reads a line; returns where it stands among its parts, if it can have several.
    pub(super) fn read(&self, entry: &mut Entry) -> Result<Option<(Role, Source)>, String> {
        let found = self.from.of(entry).ok_or_else(|| format!("there is no `{}`", self.from))?;
        let text = found.as_text();
        let text = text.ok_or_else(|| format!("`{}` is {}, not text", self.from, found.kind()))?;
        let line = match self.format.unwrap_or_else(|| Format::of(text)) {
            Format::Docker => Line::docker(text)?,
            Format::Crio | Format::Containerd => Line::cri(text)?,
        };
        entry.time_unix_nano = self.time.read(&line.time)?;
        let role = line.tag.as_ref().map(|tag| {
            // A tag may have more after a colon; `P` alone is a part.
            let is_part = tag.split(':').next() == Some("P");
            let source = Source::PartOfFile(entry.origin.file, line.stream.clone());
            (if is_part { Role::Middle } else { Role::Last }, source)
        });
        entry.body = Value::Text(line.text);
        entry.attributes.extend(line.attributes);
        if let Some(tag) = line.tag {
            entry.attributes.insert("logtag".to_owned(), Value::Text(tag));
        }
        entry.attributes.insert("log.iostream".to_owned(), Value::Text(line.stream));
        let metadata = self.has_metadata.then(|| add_metadata(entry)).transpose();
        self.after.apply(entry)?;
        metadata.map(|_| role)
    }
}

impl Format {
    fn of(text: &str) -> Self {
        if text.starts_with('{') { Self::Docker } else { Self::Containerd }
    }
}

/// A line, taken apart.
#[derive(Debug)]
struct Line {
    time: String,
    stream: String,
    tag: Option<String>,
    text: String,
    attributes: Vec<(String, Value)>,
}

impl Line {
    fn docker(text: &str) -> Result<Self, String> {
        let json = Value::from_json(text, false).map_err(|error| format!("not JSON: {error}"))?;
        let Value::Map(mut map) = json else { return Err("not a JSON object".to_owned()) };
        let mut take = |key: &str| match map.shift_remove(key) {
            Some(Value::Text(text)) => Ok(text),
            _ => Err(format!("a line of Docker has a text `{key}`")),
        };
        let (text, stream, time) = (take("log")?, take("stream")?, take("time")?);
        Ok(Self { time, stream, tag: None, text, attributes: map.into_iter().collect() })
    }

    fn cri(text: &str) -> Result<Self, String> {
        let mut parts = text.splitn(4, ' ');
        let (time, stream, tag) = (parts.next(), parts.next(), parts.next());
        let text = parts.next().unwrap_or("").to_owned();
        match (time, stream, tag) {
            (Some(time), Some(stream @ ("stdout" | "stderr")), Some(tag)) => Ok(Self {
                time: time.to_owned(),
                stream: stream.to_owned(),
                tag: Some(tag.to_owned()),
                text,
                attributes: Vec::new(),
            }),
            _ => Err("the line is none that a container runtime writes".to_owned()),
        }
    }
}

/// Takes the names of pod, container and namespace from the path of the file.
fn add_metadata(entry: &mut Entry) -> Result<(), String> {
    let path = entry.attributes.get(PATH).and_then(Value::as_text);
    let path = path.ok_or_else(|| {
        format!("there is no attribute `{PATH}`: `include_file_path: true` is needed")
    })?;
    let found = POD_PATH.captures(path);
    let found = found.ok_or_else(|| format!("`{path}` is not the path of a pod's log"))?;
    for (key, group) in METADATA.iter().zip(found.iter().skip(1)) {
        let text = group.map_or("", |group| group.as_str());
        entry.resource.insert((*key).to_owned(), text.into());
    }
    Ok(())
}
