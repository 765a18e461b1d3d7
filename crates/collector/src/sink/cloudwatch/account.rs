//! Account: the log groups and streams that there are, and what was put into them.
//!
//! Pure: the time comes in as an argument. Bounds: [`TARGETS_MAX`] streams; events are counted and
//! entered into the ledger, not kept.

use std::collections::BTreeMap;

use http::StatusCode;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::entries::{Entries, Sequences};
use super::put::{self, InputEvent, Rejected};
use super::rules::Rules;
use super::totals::Totals;
use crate::ledger::Ledger;

/// Streams of all groups together.
pub(super) const TARGETS_MAX: usize = 100_000;

const RETENTION_DAYS: &[u32] = &[
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922,
    3288, 3653,
];

/// One account in one region.
#[derive(Debug)]
pub(crate) struct Account {
    groups: BTreeMap<String, Group>,
    streams: usize,
    pub(crate) rules: Rules,
    pub(crate) ledger: Ledger,
    pub(super) counted: Totals,
    creates_missing: bool,
}

#[derive(Debug, Default)]
struct Group {
    streams: BTreeMap<String, Stream>,
    retention_days: Option<u32>,
    class: Option<String>,
    tags: BTreeMap<String, String>,
}

/// What was put into one stream.
#[derive(Debug, Default)]
pub(crate) struct Stream {
    pub(crate) events: u64,
    pub(crate) bytes: u64,
    sequences: Sequences,
}

/// An error of the API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ApiError {
    pub(super) status: StatusCode,
    pub(super) name: String,
    pub(super) message: String,
}

/// The names that most requests carry.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Names {
    pub(super) log_group_name: String,
    pub(super) log_stream_name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PutLogEvents {
    log_events: Vec<InputEvent>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct CreateLogGroup {
    log_group_class: Option<String>,
    #[serde(default)]
    tags: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PutRetentionPolicy {
    retention_in_days: u32,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct TagResource {
    resource_arn: String,
    tags: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Describe {
    log_group_name_prefix: Option<String>,
    log_stream_name_prefix: Option<String>,
}

impl ApiError {
    pub(super) fn new(name: &str, message: impl Into<String>) -> Self {
        Self { status: StatusCode::BAD_REQUEST, name: name.to_owned(), message: message.into() }
    }

    pub(super) fn invalid(message: &str) -> Self {
        Self::new("InvalidParameterException", message)
    }

    fn missing(what: &str) -> Self {
        Self::new("ResourceNotFoundException", format!("The specified {what} does not exist."))
    }

    fn exists(what: &str) -> Self {
        let message = format!("The specified {what} already exists");
        Self::new("ResourceAlreadyExistsException", message)
    }
}

impl Account {
    pub(super) fn new(creates_missing: bool) -> Self {
        Self {
            groups: BTreeMap::new(),
            streams: 0,
            rules: Rules::none(),
            ledger: Ledger::default(),
            counted: Totals::default(),
            creates_missing,
        }
    }

    /// What was put into a stream.
    #[cfg(test)]
    pub(crate) fn stream(&self, group: &str, stream: &str) -> Option<&Stream> {
        self.groups.get(group)?.streams.get(stream)
    }

    /// What was counted until now.
    pub(crate) fn totals(&self) -> Totals {
        let mut totals = self.counted.clone();
        totals.groups = self.groups.len();
        totals.streams = self.streams;
        totals.distinct = self.ledger.runs().map(|(_, run)| run.distinct).sum();
        totals.doubled = self.ledger.runs().map(|(_, run)| run.doubled).sum();
        totals.unnumbered = self.ledger.unnumbered;
        totals
    }

    /// Serves one request; `now` is in milliseconds since 1970.
    pub(super) fn serve(
        &mut self,
        operation: &str,
        body: &[u8],
        now: i64,
    ) -> Result<Value, ApiError> {
        let names: Names = read(body)?;
        match operation {
            "PutLogEvents" => self.put_log_events(&names, read(body)?, now),
            "CreateLogGroup" => self.create_log_group(&names.log_group_name, read(body)?),
            "CreateLogStream" => self.create_log_stream(&names),
            "DeleteLogStream" => self.delete_log_stream(&names),
            "PutRetentionPolicy" => self.put_retention_policy(&names, &read(body)?),
            "TagResource" => self.tag_resource(read(body)?),
            "DescribeLogGroups" => self.describe_log_groups(&read(body)?),
            "DescribeLogStreams" => self.describe_log_streams(&names, &read(body)?),
            _ => {
                let message = format!("the sink does not know `{operation}`");
                Err(ApiError::new("UnknownOperationException", message))
            }
        }
    }

    /// Answers a put as accepted, with all events rejected.
    pub(super) fn reject(&mut self, body: &[u8]) -> Result<Value, ApiError> {
        let request: PutLogEvents = read(body)?;
        let count = request.log_events.len();
        self.counted.rejected += count as u64;
        Ok(Rejected::all(count).answer())
    }

    fn put_log_events(
        &mut self,
        names: &Names,
        request: PutLogEvents,
        now: i64,
    ) -> Result<Value, ApiError> {
        if self.creates_missing {
            self.make(names)?;
        }
        let group = self.groups.get_mut(&names.log_group_name);
        let group = group.ok_or_else(|| ApiError::missing("log group"))?;
        let stream = group.streams.get_mut(&names.log_stream_name);
        let stream = stream.ok_or_else(|| ApiError::missing("log stream"))?;
        let events = request.log_events;
        let rejected = put::check(&events, now, group.retention_days)?;
        let taken = rejected.taken(events.len());
        self.counted.rejected += (events.len() - taken.len()) as u64;
        for event in &events[taken] {
            let bytes = event.message.len() as u64;
            stream.events += 1;
            stream.bytes += bytes;
            self.counted.events += 1;
            self.counted.bytes += bytes;
            Entries { ledger: &mut self.ledger, totals: &mut self.counted }
                .enter(&event.message, &mut stream.sequences);
        }
        Ok(rejected.answer())
    }

    fn make(&mut self, names: &Names) -> Result<(), ApiError> {
        let is_known = |error: &ApiError| error.name == "ResourceAlreadyExistsException";
        let request = CreateLogGroup { log_group_class: None, tags: BTreeMap::new() };
        for made in
            [self.create_log_group(&names.log_group_name, request), self.create_log_stream(names)]
        {
            match made {
                Err(error) if !is_known(&error) => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }

    fn create_log_group(&mut self, name: &str, request: CreateLogGroup) -> Result<Value, ApiError> {
        let is_allowed = |c: char| c.is_ascii_alphanumeric() || "._-/#".contains(c);
        let is_reserved = name.starts_with("aws/");
        if name.is_empty() || 512 < name.len() || !name.chars().all(is_allowed) || is_reserved {
            return Err(ApiError::invalid("'logGroupName' is not a valid name"));
        }
        let classes = ["STANDARD", "INFREQUENT_ACCESS", "DELIVERY"];
        let class = request.log_group_class;
        if class.as_deref().is_some_and(|class| !classes.contains(&class))
            || 50 < request.tags.len()
        {
            return Err(ApiError::invalid("'logGroupClass' or 'tags' is not valid"));
        }
        if self.groups.contains_key(name) {
            return Err(ApiError::exists("log group"));
        }
        let group = Group { class, tags: request.tags, ..Group::default() };
        self.groups.insert(name.to_owned(), group);
        Ok(json!({}))
    }

    fn create_log_stream(&mut self, names: &Names) -> Result<Value, ApiError> {
        let name = &names.log_stream_name;
        let is_allowed = |c: char| !matches!(c, ':' | '*');
        if name.is_empty() || 512 < name.chars().count() || !name.chars().all(is_allowed) {
            return Err(ApiError::invalid("'logStreamName' is not a valid name"));
        }
        let group = self.groups.get_mut(&names.log_group_name);
        let group = group.ok_or_else(|| ApiError::missing("log group"))?;
        if group.streams.contains_key(name) {
            return Err(ApiError::exists("log stream"));
        }
        if TARGETS_MAX <= self.streams {
            return Err(ApiError::new("LimitExceededException", "the sink keeps no more streams"));
        }
        group.streams.insert(name.clone(), Stream::default());
        self.streams += 1;
        Ok(json!({}))
    }

    fn delete_log_stream(&mut self, names: &Names) -> Result<Value, ApiError> {
        let group = self.groups.get_mut(&names.log_group_name);
        let group = group.ok_or_else(|| ApiError::missing("log group"))?;
        let removed = group.streams.remove(&names.log_stream_name);
        removed.ok_or_else(|| ApiError::missing("log stream"))?;
        self.streams -= 1;
        Ok(json!({}))
    }

    fn put_retention_policy(
        &mut self,
        names: &Names,
        request: &PutRetentionPolicy,
    ) -> Result<Value, ApiError> {
        let days = request.retention_in_days;
        if !RETENTION_DAYS.contains(&days) {
            return Err(ApiError::invalid("'retentionInDays' is not one of the allowed values"));
        }
        let group = self.groups.get_mut(&names.log_group_name);
        group.ok_or_else(|| ApiError::missing("log group"))?.retention_days = Some(days);
        Ok(json!({}))
    }

    fn tag_resource(&mut self, request: TagResource) -> Result<Value, ApiError> {
        let name = request.resource_arn.rsplit("log-group:").next().unwrap_or_default();
        let group = self.groups.get_mut(name.trim_end_matches(":*"));
        group.ok_or_else(|| ApiError::missing("log group"))?.tags.extend(request.tags);
        Ok(json!({}))
    }

    fn describe_log_groups(&self, request: &Describe) -> Result<Value, ApiError> {
        let prefix = request.log_group_name_prefix.as_deref().unwrap_or_default();
        let fitting = self.groups.iter().filter(|(name, _)| name.starts_with(prefix)).take(50);
        let described = fitting.map(|(name, group)| {
            let mut described = json!({
                "logGroupName": name,
                "logGroupClass": group.class.as_deref().unwrap_or("STANDARD"),
                "storedBytes": group.streams.values().map(|stream| stream.bytes).sum::<u64>(),
            });
            if let Some(days) = group.retention_days {
                described["retentionInDays"] = days.into();
            }
            described
        });
        Ok(json!({ "logGroups": described.collect::<Vec<_>>() }))
    }

    fn describe_log_streams(&self, names: &Names, request: &Describe) -> Result<Value, ApiError> {
        let group = self.groups.get(&names.log_group_name);
        let group = group.ok_or_else(|| ApiError::missing("log group"))?;
        let prefix = request.log_stream_name_prefix.as_deref().unwrap_or_default();
        let fitting = group.streams.iter().filter(|(name, _)| name.starts_with(prefix)).take(50);
        let described = fitting
            .map(|(name, stream)| json!({ "logStreamName": name, "storedBytes": stream.bytes }));
        Ok(json!({ "logStreams": described.collect::<Vec<_>>() }))
    }
}

/// Reads a request; fields that are not known are not looked at.
pub(super) fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, ApiError> {
    serde_json::from_slice(body)
        .map_err(|error| ApiError::new("SerializationException", error.to_string()))
}
