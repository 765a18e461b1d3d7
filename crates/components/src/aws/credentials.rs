//! Credentials: where they come from, in which order, and who keeps them fresh.
//!
//! ```text
//! words, variables, files ──source──▶ Source ──fetch──▶ Credentials
//!                                                          ▲ Keeper (one task): single flight,
//! requests ──get, rejected────────────────────────────────┘ before they expire
//! ```

mod fetch;
mod keeper;
mod profile;
mod source;
mod sts;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use config::value::Secret;

pub(crate) use fetch::{Fetcher, read_file};
pub(crate) use keeper::Keeper;
pub(crate) use source::{Keys, Role, SESSION_NAME, Words, region_of};

/// What requests are signed with.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Credentials {
    pub(crate) access_key_id: String,
    pub(crate) secret_access_key: Secret,
    pub(crate) session_token: Option<Secret>,
    /// When they are no longer valid, if ever.
    pub(crate) expires_at: Option<SystemTime>,
}

/// The environment variables of the process, as they were when the component was built.
#[derive(Clone, Default)]
pub(crate) struct Variables(Arc<BTreeMap<String, String>>);

impl Variables {
    /// Those of the process that name a home or begin with `AWS_`.
    pub(crate) fn of_process() -> Self {
        let all = std::env::vars_os().filter_map(|(name, value)| {
            let name = name.into_string().ok()?;
            let is_wanted = name.starts_with("AWS_") || name == "HOME" || name == "HOSTNAME";
            Some((name, value.into_string().ok()?)).filter(|_| is_wanted)
        });
        all.collect()
    }

    /// The value of a variable that is set and not empty.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }
}

impl FromIterator<(String, String)> for Variables {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(pairs: I) -> Self {
        Self(Arc::new(pairs.into_iter().collect()))
    }
}

// They hold secrets.
impl fmt::Debug for Variables {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Variables({})", self.0.len())
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Credentials({})", self.access_key_id)
    }
}

impl Credentials {
    /// Keys that can stand in headers; else says what is wrong with them.
    pub(crate) fn new(
        access_key_id: &str,
        secret_access_key: &str,
        session_token: Option<&str>,
    ) -> Result<Self, String> {
        let is_header = |text: &str| text.bytes().all(|byte| (0x21..0x7f).contains(&byte));
        if access_key_id.is_empty() || secret_access_key.is_empty() {
            return Err("an access key has an id and a secret".to_owned());
        }
        if !is_header(access_key_id) || !session_token.is_none_or(is_header) {
            return Err("an access key or token has characters that no header can have".to_owned());
        }
        Ok(Self {
            access_key_id: access_key_id.to_owned(),
            secret_access_key: Secret::from(secret_access_key),
            session_token: session_token.filter(|token| !token.is_empty()).map(Secret::from),
            expires_at: None,
        })
    }
}

#[cfg(test)]
mod tests;
