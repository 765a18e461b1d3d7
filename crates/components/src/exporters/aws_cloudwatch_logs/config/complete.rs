//! Complete: from the words to the settings, all faults told at once.

use config::{Faults, Gates};
use delivery::config::RoadWords;
use delivery::settings::{Halving, LanesMax};

use super::super::creation::Group;
use super::super::event::{EVENT_BYTES_MAX, Form, OVERHEAD};
use super::super::names::{self, Kind as NameKind};
use super::super::template::Template;
use super::{Compression, Config, Settings};
use crate::aws::credentials::{Keys, Role, SESSION_NAME, Words};
use crate::aws::endpoint::{Kind, is_region};
use crate::client::{Endpoint, Limits, Policy, Protocol, Proxy};
use crate::compression::{Algorithm, Codec};
use crate::exporters::otlp::way::{self, Way};
use crate::tls::{ClientSettings, ClientWords};

const TAGS_MAX: usize = 50;
/// The smallest limit of an event that leaves room for a message worth reading.
const EVENT_BYTES_MIN: usize = 256;

pub(super) fn settings(config: Config, gates: &Gates, faults: &mut Faults) -> Option<Settings> {
    let group = template(&config.log_group_name, "log_group_name", NameKind::Group, faults);
    let stream = template(&config.log_stream_name, "log_stream_name", NameKind::Stream, faults);
    check_tags(&config, faults);
    check_numbers(&config, faults);
    let credentials = credentials(&config, faults);
    let road = road(&config, gates, faults);
    let proxy = proxy(&config.proxy_address, faults);
    let endpoint = endpoint(&config.endpoint, "endpoint", faults);
    let sts_endpoint = endpoint_of_sts(&config, faults);
    let tls = tls(&config, &endpoint, faults);
    let retention_days = Some(config.log_retention).filter(|days| *days != 0);
    Some(Settings {
        group: group?,
        stream: stream?,
        form: Form {
            is_raw: config.raw_log,
            bytes_max: config.max_event_payload_bytes.as_usize(),
            oversize: config.on_oversize,
            retention_days,
        },
        made: Group { class: config.log_group_class, tags: config.tags.clone(), retention_days },
        codec: match config.compression {
            Compression::Gzip => Some(Codec::new(Algorithm::Gzip)),
            Compression::None => None,
        },
        kind: Kind {
            is_fips: config.use_fips_endpoint,
            is_dual_stack: config.use_dualstack_endpoint,
        },
        way: way(tls?, proxy),
        warnings: warnings(&config),
        region: config.region,
        endpoint,
        sts_endpoint,
        credentials,
        imds_retries: config.imds_retries,
        road: road?,
    })
}

fn template(text: &str, key: &str, kind: NameKind, faults: &mut Faults) -> Option<Template> {
    if text.is_empty() {
        let remedy = format!("write `{key}: some-name`");
        faults.add_with_remedy(key, "a name is needed to put events", remedy);
        return None;
    }
    Template::parse(kind, text).map_err(|what| faults.add(key, what)).ok()
}

fn check_tags(config: &Config, faults: &mut Faults) {
    if TAGS_MAX < config.tags.len() {
        faults.add("tags", format!("a log group has at most {TAGS_MAX} tags"));
    }
    for (key, value) in &config.tags {
        if let Some(flaw) = names::tag_flaw(key, value) {
            faults.add(format!("tags.{key}"), flaw);
        }
    }
}

fn check_numbers(config: &Config, faults: &mut Faults) {
    if config.log_retention != 0 && !names::is_retention(config.log_retention) {
        let remedy = "write one of 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, \
                      1096, 1827, 2192, 2557, 2922, 3288 and 3653, or 0 for ever";
        let message = "CloudWatch Logs keeps no events for that many days";
        faults.add_with_remedy("log_retention", message, remedy);
    }
    let bytes = config.max_event_payload_bytes.as_usize();
    if !(EVENT_BYTES_MIN..=EVENT_BYTES_MAX).contains(&bytes) {
        let message = format!(
            "must be {EVENT_BYTES_MIN} to {EVENT_BYTES_MAX} bytes, of which the service uses {OVERHEAD}"
        );
        faults.add("max_event_payload_bytes", message);
    }
    if config.request_timeout_seconds == 0 {
        faults.add("request_timeout_seconds", "must be positive");
    }
    if config.max_age.unless_zero().is_none() {
        faults.add("max_age", "must be positive");
    }
    if config.max_targets == 0 {
        faults.add("max_targets", "must be positive");
    }
    if !config.region.is_empty() && !is_region(&config.region) {
        faults.add("region", "is not the name of a region, such as `eu-central-1`");
    }
}

fn credentials(config: &Config, faults: &mut Faults) -> Words {
    let has_id = !config.access_key_id.is_empty();
    if has_id == config.secret_access_key.is_empty() {
        let key = if has_id { "secret_access_key" } else { "access_key_id" };
        faults.add(key, "an access key has an id and a secret: both are needed");
    }
    if !has_id && !config.session_token.is_empty() {
        faults.add("session_token", "has no effect without `access_key_id`");
    }
    if has_id && !config.profile.is_empty() {
        faults.add("profile", "has no effect beside `access_key_id`");
    }
    if config.role_arn.is_empty() && !config.external_id.is_empty() {
        faults.add("external_id", "has no effect without `role_arn`");
    }
    Words {
        keys: has_id.then(|| Keys {
            access_key_id: config.access_key_id.clone(),
            secret_access_key: config.secret_access_key.clone(),
            session_token: config.session_token.clone(),
        }),
        profile: config.profile.clone(),
        shared_credentials_files: config.shared_credentials_file.clone(),
        role: (!config.role_arn.is_empty()).then(|| Role {
            arn: config.role_arn.clone(),
            external_id: config.external_id.clone(),
            session_name: SESSION_NAME.to_owned(),
        }),
        is_local: config.local_mode,
    }
}

/// Lanes are ordered: events of one stream arrive as they came. What no caller waits for, and what
/// a file would send for ever, is given up after `max_age`.
fn road(config: &Config, gates: &Gates, faults: &mut Faults) -> Option<delivery::Settings> {
    let words = RoadWords {
        timeout: config::value::Duration::from_secs(config.request_timeout_seconds.into()),
        retry_on_failure: config.retry_on_failure.clone(),
        sending_queue: config.sending_queue.clone(),
    };
    let mut road = faults.take("", words.validate(gates))?;
    road.lanes.is_ordered = true;
    road.lanes.max = LanesMax::Evict(config.max_targets);
    if road.halving != Halving::Off {
        road.halving = Halving::Items;
    }
    let max_age = config.max_age.get();
    if let Some(retry) = &mut road.retry {
        let is_final = retry.max_elapsed_time.is_none_or(|elapsed| max_age <= elapsed);
        if is_final {
            retry.max_elapsed_time = Some(max_age);
            retry.is_expiry_final = true;
        }
    }
    Some(road)
}

fn proxy(address: &str, faults: &mut Faults) -> Option<Proxy> {
    if address.is_empty() {
        return None;
    }
    Proxy::parse(address).map_err(|what| faults.add("proxy_address", what)).ok()
}

/// The URL of a service, with a scheme.
fn endpoint(written: &str, key: &str, faults: &mut Faults) -> String {
    if written.is_empty() {
        return String::new();
    }
    let url = match written.contains("://") {
        true => written.trim_end_matches('/').to_owned(),
        false => format!("https://{}", written.trim_end_matches('/')),
    };
    match Endpoint::http(&url) {
        Ok(endpoint) if endpoint.user.is_some() => {
            faults.add(key, "credentials have no place in an endpoint");
        }
        Ok(_) => {}
        Err(what) => faults.add(key, what),
    }
    url
}

fn endpoint_of_sts(config: &Config, faults: &mut Faults) -> String {
    endpoint(&config.sts_endpoint, "sts_endpoint", faults)
}

fn tls(config: &Config, endpoint: &str, faults: &mut Faults) -> Option<ClientSettings> {
    let words = ClientWords {
        insecure_skip_verify: config.no_verify_ssl,
        ca_file: config.certificate_file_path.clone(),
        ..ClientWords::default()
    };
    let settings = words.validate();
    let settings = settings.map_err(|_| {
        faults.add("certificate_file_path", "these authorities cannot be used");
    });
    let settings = settings.ok()?;
    let parsed = Endpoint::http(endpoint).ok().filter(|_| !endpoint.is_empty());
    let plain = parsed.map(|parsed| way::is_tls(&parsed, Protocol::Negotiated, &settings));
    if plain.is_some_and(|checked| checked.is_err()) {
        let message = "has no effect, because the endpoint is `http://`";
        faults.add("certificate_file_path", message);
    }
    Some(settings)
}

fn way(tls: ClientSettings, proxy: Option<Proxy>) -> Way {
    Way {
        tls,
        protocol: Protocol::Negotiated,
        offers_http2: false,
        proxy,
        keepalive: None,
        policy: Policy::RoundRobin,
        limits: Limits {
            open_max: usize::MAX,
            idle_max: 100,
            idle_timeout: Some(std::time::Duration::from_secs(20)),
        },
        is_waiting_for_ready: false,
        is_closing: false,
    }
}

fn warnings(config: &Config) -> Vec<String> {
    let without_effect = [
        ("num_workers", config.num_workers.is_some(), "`sending_queue.num_consumers` counts"),
        ("max_retries", config.max_retries.is_some(), "`retry_on_failure` decides"),
        ("resource_arn", config.resource_arn.is_some(), "nothing is told about this host"),
    ];
    let mut warnings = without_effect
        .into_iter()
        .filter(|(_, is_written, _)| *is_written)
        .map(|(key, _, why)| format!("`{key}` has no effect: {why}"))
        .collect::<Vec<_>>();
    if config.no_verify_ssl {
        warnings.push("`no_verify_ssl`: whoever answers can read and forge everything".to_owned());
    }
    warnings
}
