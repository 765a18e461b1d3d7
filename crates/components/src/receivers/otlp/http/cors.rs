//! Cross-origin resource sharing: which web pages may send.
//!
//! Pure. Preflight requests are answered before anybody is authenticated, as browsers send them
//! without credentials. See <https://fetch.spec.whatwg.org/#http-cors-protocol>.

use http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE,
    ACCESS_CONTROL_REQUEST_HEADERS, ACCESS_CONTROL_REQUEST_METHOD, ORIGIN, VARY,
};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method};

/// Headers that a page may always send.
const USUAL_HEADERS: [&str; 4] = ["accept", "content-type", "origin", "x-requested-with"];
const PREFLIGHT_VARIES: &str =
    "Origin, Access-Control-Request-Method, Access-Control-Request-Headers";

/// What the configuration allows.
#[derive(Clone, Debug, Default)]
pub(in crate::receivers::otlp) struct CorsRules {
    pub origins: Vec<String>,
    pub headers: Vec<String>,
    pub exposed: Vec<String>,
    pub max_age_seconds: u64,
}

/// Decides about origins.
#[derive(Clone, Debug)]
pub(in crate::receivers::otlp) struct Cors {
    origins: Vec<Pattern>,
    headers: Vec<String>,
    exposed: Option<HeaderValue>,
    max_age: Option<HeaderValue>,
}

/// An origin with at most one wildcard.
#[derive(Clone, Debug)]
enum Pattern {
    Any,
    Exact(String),
    Around(String, String),
}

impl Cors {
    /// The rules in force, or the text that cannot stand in a header.
    pub(in crate::receivers::otlp) fn new(rules: CorsRules) -> Result<Self, String> {
        let exposed = rules.exposed.join(", ");
        let exposed = match exposed.is_empty() {
            true => None,
            false => Some(HeaderValue::from_str(&exposed).map_err(|_| exposed)?),
        };
        let max_age = 0 < rules.max_age_seconds;
        Ok(Self {
            origins: rules.origins.iter().map(|origin| Pattern::parse(origin)).collect(),
            headers: rules.headers.iter().map(|name| name.to_ascii_lowercase()).collect(),
            exposed,
            max_age: max_age.then(|| HeaderValue::from(rules.max_age_seconds)),
        })
    }

    /// The headers of the answer to a preflight request; `None` for any other request.
    pub(super) fn preflight(&self, head: &Parts) -> Option<HeaderMap> {
        let wants = head.headers.get(ACCESS_CONTROL_REQUEST_METHOD)?;
        if head.method != Method::OPTIONS {
            return None;
        }
        let mut headers = HeaderMap::new();
        headers.insert(VARY, HeaderValue::from_static(PREFLIGHT_VARIES));
        let asked = head.headers.get(ACCESS_CONTROL_REQUEST_HEADERS);
        let is_allowed = wants.as_bytes() == b"POST" && self.allows_headers(asked);
        let Some(origin) = self.allowed(&head.headers).filter(|_| is_allowed) else {
            return Some(headers);
        };
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        headers.insert(ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("POST"));
        headers.insert(ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
        if let Some(asked) = asked {
            headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, asked.clone());
        }
        if let Some(max_age) = &self.max_age {
            headers.insert(ACCESS_CONTROL_MAX_AGE, max_age.clone());
        }
        Some(headers)
    }

    /// The headers that the answer to a request with these headers gets in addition.
    pub(super) fn headers(&self, request: &HeaderMap) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(VARY, HeaderValue::from_static("Origin"));
        if let Some(origin) = self.allowed(request) {
            headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
            headers.insert(ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
            if let Some(exposed) = &self.exposed {
                headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, exposed.clone());
            }
        }
        headers
    }

    /// The origin that the answer names, if it is an allowed one.
    fn allowed(&self, request: &HeaderMap) -> Option<HeaderValue> {
        let origin = request.get(ORIGIN)?;
        let text = origin.to_str().ok()?.to_ascii_lowercase();
        if self.origins.iter().any(|pattern| matches!(pattern, Pattern::Any)) {
            return Some(HeaderValue::from_static("*"));
        }
        self.origins.iter().any(|pattern| pattern.matches(&text)).then(|| origin.clone())
    }

    fn allows_headers(&self, asked: Option<&HeaderValue>) -> bool {
        let Some(asked) = asked else { return true };
        let Ok(text) = asked.to_str() else { return false };
        let names = text.split(',').map(|name| name.trim().to_ascii_lowercase());
        names.into_iter().all(|name| {
            name.is_empty()
                || USUAL_HEADERS.contains(&name.as_str())
                || self.headers.iter().any(|known| known == "*" || *known == name)
        })
    }
}

impl Pattern {
    fn parse(text: &str) -> Self {
        let text = text.to_ascii_lowercase();
        match text.split_once('*') {
            Some(("", "")) => Self::Any,
            Some((before, after)) => Self::Around(before.to_owned(), after.to_owned()),
            None => Self::Exact(text),
        }
    }

    fn matches(&self, origin: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Exact(exact) => exact == origin,
            Self::Around(before, after) => {
                before.len() + after.len() <= origin.len()
                    && origin.starts_with(before.as_str())
                    && origin.ends_with(after.as_str())
            }
        }
    }
}

#[cfg(test)]
mod tests;
