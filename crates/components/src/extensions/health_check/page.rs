//! Page: what the health check answers.
//!
//! Pure: time and state come in as arguments.

use std::time::{Duration, SystemTime};

use http::{Method, Response, StatusCode, header};

use super::config::Settings;

/// Whether the collector takes data, since when, and what keeps it from its work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Condition {
    pub(super) is_ready: bool,
    pub(super) since: SystemTime,
    pub(super) troubles: Vec<String>,
}

impl Condition {
    fn is_well(&self) -> bool {
        self.is_ready && self.troubles.is_empty()
    }
}

/// The answer to a request for `path` at `now`.
pub(super) fn answer(
    settings: &Settings,
    method: &Method,
    path: &str,
    condition: &Condition,
    now: SystemTime,
) -> Response<String> {
    if settings.path != "/" && settings.path != path {
        return response(StatusCode::NOT_FOUND, "text/plain", "not found\n".to_owned());
    }
    if ![Method::GET, Method::HEAD].contains(method) {
        let body = "only GET and HEAD are answered\n".to_owned();
        return response(StatusCode::METHOD_NOT_ALLOWED, "text/plain", body);
    }
    let status = match condition.is_well() {
        true => StatusCode::OK,
        false => StatusCode::SERVICE_UNAVAILABLE,
    };
    match &settings.bodies {
        Some(bodies) => {
            let body = if condition.is_well() { &bodies.healthy } else { &bodies.unhealthy };
            response(status, "text/plain", body.clone())
        }
        None => response(status, "application/json", status_body(condition, now)),
    }
}

fn status_body(condition: &Condition, now: SystemTime) -> String {
    let (status, uptime) = match condition.is_well() {
        true => {
            let uptime = now.duration_since(condition.since).unwrap_or_default();
            // Whole milliseconds, as nobody reads more.
            let uptime = Duration::from_millis(u64::try_from(uptime.as_millis()).unwrap_or(0));
            ("Server available", config::value::Duration::from(uptime).to_string())
        }
        false => ("Server not available", String::new()),
    };
    let since = httpdate::fmt_http_date(condition.since);
    let mut body = serde_json::json!({ "status": status, "upSince": since, "uptime": uptime });
    if !condition.troubles.is_empty() {
        body["reason"] = condition.troubles.join("; ").into();
    }
    body.to_string()
}

fn response(status: StatusCode, content_type: &'static str, body: String) -> Response<String> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let content_type = http::HeaderValue::from_static(content_type);
    response.headers_mut().insert(header::CONTENT_TYPE, content_type);
    response
}
