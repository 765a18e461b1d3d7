//! The `uri_parser` operator.

use config::Faults;
use percent_encoding::percent_decode_str;

use super::Work;
use super::parsing::{Parse, parser_words};
use crate::receivers::file_log::entry::{Entry, Map, Value};

parser_words! {
    /// Takes a URI apart into `scheme`, `user`, `host`, `port`, `path` and `query`.
    pub struct Words {}
}

#[derive(Debug)]
struct UriParser;

impl Words {
    pub(super) fn build(mut self, faults: &mut Faults) -> Option<Work> {
        self.take_parsing().build(Some(UriParser), faults)
    }
}

impl Parse for UriParser {
    fn parse(&self, text: &str, _entry: &Entry) -> Result<Value, String> {
        if text.is_empty() || text.contains(|c: char| c.is_control() || c == ' ') {
            return Err("not a URI".to_owned());
        }
        let mut map = Map::new();
        let text = text.split_once('#').map_or(text, |(before, _)| before);
        let (text, query) = text.split_once('?').unwrap_or((text, ""));
        let path = match scheme(text) {
            Some((scheme, rest)) => {
                put(&mut map, "scheme", &scheme.to_ascii_lowercase());
                match rest.strip_prefix("//") {
                    Some(rest) => authority(rest, &mut map)?,
                    None => rest,
                }
            }
            None => match text.strip_prefix("//") {
                Some(rest) => authority(rest, &mut map)?,
                None => text,
            },
        };
        put(&mut map, "path", &decoded(path)?);
        let query = parameters(query)?;
        if !query.is_empty() {
            map.insert("query".to_owned(), Value::Map(query));
        }
        if map.is_empty() {
            return Err("not a URI".to_owned());
        }
        Ok(Value::Map(map))
    }
}

fn scheme(text: &str) -> Option<(&str, &str)> {
    let (scheme, rest) = text.split_once(':')?;
    let belongs = |c: char| c.is_ascii_alphanumeric() || ['+', '-', '.'].contains(&c);
    let is_scheme = scheme.starts_with(|c: char| c.is_ascii_alphabetic());
    (is_scheme && scheme.chars().all(belongs)).then_some((scheme, rest))
}

/// Reads user, host and port; returns the path.
fn authority<'t>(text: &'t str, map: &mut Map) -> Result<&'t str, String> {
    let (authority, path) = text.split_at(text.find('/').unwrap_or(text.len()));
    let (user, place) = authority.rsplit_once('@').unwrap_or(("", authority));
    put(map, "user", &decoded(user.split_once(':').map_or(user, |(user, _)| user))?);
    let port_at = match place.rfind(']') {
        Some(end) => place[end..].find(':').map(|at| end + at),
        None => place.find(':'),
    };
    let (host, port) = port_at.map_or((place, ""), |at| (&place[..at], &place[at + 1..]));
    if !port.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(format!("`{port}` is no port"));
    }
    put(map, "host", host.trim_start_matches('[').trim_end_matches(']'));
    put(map, "port", port);
    Ok(path)
}

fn parameters(query: &str) -> Result<Map, String> {
    let mut parameters = Map::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        let value = Value::Text(decoded(&value.replace('+', " "))?);
        match parameters.entry(decoded(&key.replace('+', " "))?).or_insert(Value::List(Vec::new()))
        {
            Value::List(values) => values.push(value),
            _ => unreachable!("parameters are lists"),
        }
    }
    Ok(parameters)
}

fn put(map: &mut Map, key: &str, value: &str) {
    if !value.is_empty() {
        map.insert(key.to_owned(), value.into());
    }
}

fn decoded(text: &str) -> Result<String, String> {
    let decoded = percent_decode_str(text).decode_utf8();
    decoded.map(Into::into).map_err(|_| format!("`{text}` is not UTF-8 when decoded"))
}
