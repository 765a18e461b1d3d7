//! The checks and credentials behind the `basicauth` extension.
//!
//! Bounds: one slow check at a time, so that guessing passwords costs one thread at most; the
//! checksums of `REMEMBERED_MAX` clients that passed are remembered.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, TryLockError};

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use futures_util::future::BoxFuture;
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderName, HeaderValue};
use pipeline::auth::{ClientAuth, ServerAuth};
use pipeline::factory::{ExtensionBlueprint, Plans};
use pipeline::{Code, Context, Environment, Extension, Metadata, StartError, Status};

use super::config::{Settings, Text};
use super::htpasswd::Users;
use crate::extensions::offer::Offer;

const REMEMBERED_MAX: usize = 10_000;

impl Plans for Settings {
    fn warnings(&self) -> Vec<String> {
        match self {
            Self::Server { inline, .. } => inline.warning().into_iter().collect(),
            Self::Client { .. } => Vec::new(),
        }
    }
}

impl ExtensionBlueprint for Settings {
    fn build(&self, _env: Environment) -> Result<Arc<dyn Extension>, StartError> {
        Ok(Arc::new(match self {
            Self::Server { file, inline } => {
                let mut users = Users::default();
                if let Some(path) = file {
                    let parsed = Users::parse(&read(path)?);
                    users = parsed.map_err(|error| {
                        StartError::new(format!("read `{}`: {error}", path.display()))
                    })?;
                    if let Some(warning) = users.warning() {
                        tracing::warn!(path = %path.display(), "{warning}");
                    }
                }
                users.extend(inline.clone());
                let check = Check { users, passed: Mutex::default(), slow: Mutex::new(()) };
                Offer { server: Some(Arc::new(check)), ..Offer::default() }
            }
            Self::Client { username, password } => {
                let credentials = format!("{}:{}", username.read()?, password.read()?);
                let header = format!("Basic {}", BASE64_STANDARD.encode(credentials));
                let invalid = |_| StartError::new("the credentials cannot be a header");
                let mut header = HeaderValue::from_str(&header).map_err(invalid)?;
                header.set_sensitive(true);
                Offer { client: Some(Arc::new(Credentials { header })), ..Offer::default() }
            }
        }))
    }
}

impl Text {
    fn read(&self) -> Result<String, StartError> {
        match self {
            Self::Written(secret) => Ok(secret.expose().to_owned()),
            Self::File(path) => Ok(read(path)?.trim_end_matches(['\r', '\n']).to_owned()),
        }
    }
}

fn read(path: &Path) -> Result<String, StartError> {
    let read = std::fs::read_to_string(path);
    read.map_err(|error| StartError::new(format!("read `{}`: {error}", path.display())))
}

/// Checks clients of receivers.
struct Check {
    users: Users,
    /// Checksums of credentials that passed a slow check.
    passed: Mutex<BTreeSet<[u8; 32]>>,
    slow: Mutex<()>,
}

impl ServerAuth for Check {
    fn authenticate(&self, headers: &HeaderMap) -> Result<Metadata, Status> {
        let refused = || Status::new(Code::Unauthenticated, "user name or password is wrong");
        let credentials = credentials(headers).ok_or_else(|| {
            Status::new(Code::Unauthenticated, "the header `Authorization: Basic` is missing")
        })?;
        let colon = credentials.iter().position(|byte| *byte == b':').ok_or_else(refused)?;
        let name = std::str::from_utf8(&credentials[..colon]).map_err(|_| refused())?;
        if self.passes(name, &credentials[colon + 1..], &credentials)? {
            return Ok(Metadata::from_iter([("username".to_owned(), name.to_owned())]));
        }
        Err(refused())
    }
}

impl Check {
    fn passes(&self, name: &str, password: &[u8], credentials: &[u8]) -> Result<bool, Status> {
        if !self.users.is_slow(name) {
            return Ok(self.users.is_valid(name, password));
        }
        let mut checksum = [0; 32];
        checksum.copy_from_slice(digest(&SHA256, credentials).as_ref());
        if self.passed().contains(&checksum) {
            return Ok(true);
        }
        let _turn = match self.slow.try_lock() {
            Ok(turn) => turn,
            Err(TryLockError::Poisoned(turn)) => turn.into_inner(),
            Err(TryLockError::WouldBlock) => {
                let message = "another password is being checked; retry";
                return Err(Status::new(Code::Unavailable, message));
            }
        };
        let is_valid = self.users.is_valid(name, password);
        let mut passed = self.passed();
        if is_valid && passed.len() < REMEMBERED_MAX {
            passed.insert(checksum);
        }
        Ok(is_valid)
    }

    fn passed(&self) -> std::sync::MutexGuard<'_, BTreeSet<[u8; 32]>> {
        self.passed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn credentials(headers: &HeaderMap) -> Option<Vec<u8>> {
    let header = headers.get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, encoded) = header.split_once(' ')?;
    let is_basic = scheme.eq_ignore_ascii_case("basic");
    BASE64_STANDARD.decode(encoded.trim()).ok().filter(|_| is_basic)
}

/// Adds the user to requests of exporters.
struct Credentials {
    header: HeaderValue,
}

impl ClientAuth for Credentials {
    fn headers<'a>(
        &'a self,
        _context: &'a Context,
    ) -> BoxFuture<'a, Result<Vec<(HeaderName, HeaderValue)>, Status>> {
        Box::pin(std::future::ready(Ok(vec![(AUTHORIZATION, self.header.clone())])))
    }
}
