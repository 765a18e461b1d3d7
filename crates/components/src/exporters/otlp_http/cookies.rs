//! Cookies: what a load balancer asks its clients to bring along again.
//!
//! Bounds: [`COOKIES_MAX`] cookies of [`COOKIE_BYTES_MAX`]; more are not kept.
//! Only names, values and `Max-Age` count: a jar belongs to one server.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use http::{HeaderMap, HeaderValue, header};

const COOKIES_MAX: usize = 32;
const COOKIE_BYTES_MAX: usize = 4096;

/// The cookies of one server.
#[derive(Debug, Default)]
pub(super) struct Jar {
    cookies: Mutex<BTreeMap<String, Cookie>>,
}

#[derive(Debug)]
struct Cookie {
    value: String,
    expires: Option<Instant>,
}

impl Jar {
    /// Keeps what an answer sets.
    pub(super) fn keep(&self, answer: &HeaderMap, now: Instant) {
        let mut cookies = self.cookies.lock().unwrap_or_else(PoisonError::into_inner);
        for header in answer.get_all(header::SET_COOKIE) {
            let Some((name, cookie)) = header.to_str().ok().and_then(|text| parse(text, now))
            else {
                continue;
            };
            if cookie.expires.is_some_and(|expires| expires <= now) {
                cookies.remove(&name);
            } else if cookies.len() < COOKIES_MAX || cookies.contains_key(&name) {
                cookies.insert(name, cookie);
            }
        }
    }

    /// The header of the next request.
    pub(super) fn header(&self, now: Instant) -> Option<HeaderValue> {
        let mut cookies = self.cookies.lock().unwrap_or_else(PoisonError::into_inner);
        cookies.retain(|_, cookie| cookie.expires.is_none_or(|expires| now < expires));
        let pairs = cookies.iter().map(|(name, cookie)| format!("{name}={}", cookie.value));
        let pairs = pairs.collect::<Vec<_>>();
        drop(cookies);
        let mut value = HeaderValue::try_from(pairs.join("; ")).ok()?;
        value.set_sensitive(true);
        (!pairs.is_empty()).then_some(value)
    }
}

fn parse(text: &str, now: Instant) -> Option<(String, Cookie)> {
    let mut parts = text.split(';').map(str::trim);
    let (name, value) = parts.next()?.split_once('=')?;
    if name.is_empty() || COOKIE_BYTES_MAX < name.len() + value.len() {
        return None;
    }
    let max_age = parts.filter_map(|part| part.split_once('=')).find_map(|(key, value)| {
        key.eq_ignore_ascii_case("max-age").then(|| value.parse::<i64>().ok()).flatten()
    });
    let seconds = max_age.map(|seconds| u64::try_from(seconds).unwrap_or(0));
    let expires = seconds.and_then(|seconds| now.checked_add(Duration::from_secs(seconds)));
    Some((name.to_owned(), Cookie { value: value.to_owned(), expires }))
}

#[cfg(test)]
mod tests;
