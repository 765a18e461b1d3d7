//! The words of `aws_cloudwatch_logs`: those of the Collector's exporter, and some of our own.

mod complete;
mod settings;

use std::collections::BTreeMap;
use std::path::PathBuf;

use config::section::Words;
use config::value::{ByteSize, Duration, Secret};
use config::{Faults, Gates};
use delivery::config::{BatchWords, QueueWords, RetryWords};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub(super) use self::settings::Settings;
use super::event::Oversize;
use super::operation::LogGroupClass;

/// Puts log records into log groups and streams of Amazon CloudWatch Logs.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The name of the log group; `{key}` stands for an attribute of the record or of its resource,
    /// as do `{ClusterName}`, `{TaskId}`, `{NodeName}`, `{PodName}`, `{ServiceName}`,
    /// `{ContainerInstanceId}`, `{TaskDefinitionFamily}`, `{InstanceId}`, `{FaasName}` and
    /// `{FaasVersion}` for the usual ones of a resource. Required.
    pub log_group_name: String,
    /// The name of the log stream, with the same places for attributes. Required.
    pub log_stream_name: String,
    /// The region, such as `eu-central-1`; without it, that of `AWS_REGION` or of the profile.
    pub region: String,
    /// The URL of the service; without it, that of the region. Without a scheme it is `https://`.
    pub endpoint: String,
    /// Uses the endpoints that are validated for FIPS 140.
    pub use_fips_endpoint: bool,
    /// Uses the endpoints that have IPv6 addresses, too.
    pub use_dualstack_endpoint: bool,
    /// How many days a log group keeps its events, when it is made here; 0 for ever.
    pub log_retention: u32,
    /// The storage class of log groups that are made here: `STANDARD`, `INFREQUENT_ACCESS` or
    /// `DELIVERY`.
    pub log_group_class: LogGroupClass,
    /// The tags of log groups that are made here, at most 50.
    pub tags: BTreeMap<String, String>,
    /// Puts the body of a record alone, as text, instead of all that is known as JSON. Needed for
    /// the embedded metric format, whose own names of group and stream are obeyed.
    pub raw_log: bool,
    /// The largest event, with 26 bytes that the service adds; at most 1 MiB.
    pub max_event_payload_bytes: ByteSize,
    /// What becomes of a larger record: `truncate` cuts it and marks its end, `split` makes several
    /// events of it.
    pub on_oversize: Oversize,
    /// How requests are compressed: `gzip` or `none`.
    pub compression: Compression,
    /// The id of an access key; without it, the AWS tools' usual places are looked at.
    pub access_key_id: String,
    /// The secret of the access key.
    pub secret_access_key: Secret,
    /// The session that the access key belongs to, if any.
    pub session_token: Secret,
    /// The profile of the shared files that holds the credentials.
    pub profile: String,
    /// Credentials files instead of `~/.aws/credentials`; the first that has a key wins.
    pub shared_credentials_file: Vec<PathBuf>,
    /// A role to take on, with the credentials found otherwise.
    pub role_arn: String,
    /// What the role's owner asks others to say.
    pub external_id: String,
    /// The URL of the service that gives the credentials of roles; without it, that of the region.
    pub sts_endpoint: String,
    /// Does not ask the instance metadata service.
    pub local_mode: bool,
    /// How often the instance metadata service is asked again when it fails.
    pub imds_retries: u32,
    /// The proxy to go through, instead of the one that `HTTPS_PROXY` names.
    pub proxy_address: String,
    /// Does not verify the service's certificate.
    pub no_verify_ssl: bool,
    /// File with the authorities that the service's certificate must come from, PEM; none means
    /// the system's.
    pub certificate_file_path: PathBuf,
    /// How long one attempt may take, in seconds.
    pub request_timeout_seconds: u32,
    /// When data that was never accepted is given up for good, counted from the first attempt.
    pub max_age: Duration,
    /// How many log streams may have data or failures at a time; the one that was idle longest
    /// makes room.
    pub max_targets: usize,
    /// Accepted for compatibility, without effect: `sending_queue.num_consumers` counts.
    pub num_workers: Option<u32>,
    /// Accepted for compatibility, without effect: `retry_on_failure` decides.
    pub max_retries: Option<u32>,
    /// Accepted for compatibility, without effect.
    pub resource_arn: Option<String>,
    /// When to send again what was not accepted. `max_elapsed_time` is 0 here: until the callers'
    /// deadlines, and `max_age` at the latest.
    pub retry_on_failure: RetryWords,
    /// The queue in front of the exporter, and batching. On unless written otherwise, with callers
    /// that wait for the result.
    pub sending_queue: Option<QueueWords>,
}

/// How requests are compressed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Compression {
    #[default]
    Gzip,
    None,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            log_group_name: String::new(),
            log_stream_name: String::new(),
            region: String::new(),
            endpoint: String::new(),
            use_fips_endpoint: false,
            use_dualstack_endpoint: false,
            log_retention: 0,
            log_group_class: LogGroupClass::default(),
            tags: BTreeMap::new(),
            raw_log: false,
            max_event_payload_bytes: ByteSize::from_mib(1),
            on_oversize: Oversize::default(),
            compression: Compression::default(),
            access_key_id: String::new(),
            secret_access_key: Secret::default(),
            session_token: Secret::default(),
            profile: String::new(),
            shared_credentials_file: Vec::new(),
            role_arn: String::new(),
            external_id: String::new(),
            sts_endpoint: String::new(),
            local_mode: false,
            imds_retries: 2,
            proxy_address: String::new(),
            no_verify_ssl: false,
            certificate_file_path: PathBuf::new(),
            request_timeout_seconds: 30,
            max_age: Duration::from_secs(14 * 24 * 3600),
            max_targets: 10_000,
            num_workers: None,
            max_retries: None,
            resource_arn: None,
            retry_on_failure: RetryWords {
                initial_interval: Duration::from_secs(1),
                max_interval: Duration::from_secs(60),
                max_elapsed_time: Duration::default(),
                ..RetryWords::default()
            },
            sending_queue: Some(QueueWords {
                wait_for_result: true,
                batch: Some(BatchWords { max_size: 10_000, ..BatchWords::default() }),
                ..QueueWords::default()
            }),
        }
    }
}

impl Words for Config {
    type Settings = Settings;

    fn validate(self, gates: &Gates) -> Result<Settings, Faults> {
        let mut faults = Faults::default();
        match complete::settings(self, gates, &mut faults) {
            Some(settings) => faults.or(|| settings),
            None => Err(faults),
        }
    }
}
