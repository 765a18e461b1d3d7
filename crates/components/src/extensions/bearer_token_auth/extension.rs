//! The checks and credentials behind the `bearertokenauth` extension.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use aws_lc_rs::constant_time::verify_slices_are_equal;
use futures_util::future::BoxFuture;
use http::{HeaderMap, HeaderName, HeaderValue};
use pipeline::auth::{ClientAuth, ServerAuth, SharedClientAuth, SharedServerAuth};
use pipeline::factory::{ExtensionBlueprint, Plans};
use pipeline::{Code, Component, Context, Environment, Extension, Metadata, StartError, Status};
use runtime::clock::Clock;
use runtime::task::Task;

use super::config::{Settings, Source};

/// How often the file is looked at.
const POLL_INTERVAL: Duration = Duration::from_secs(5);
/// The largest file of tokens.
const FILE_BYTES_MAX: u64 = 1 << 20;

impl Plans for Settings {}

impl ExtensionBlueprint for Settings {
    fn build(&self, env: Environment) -> Result<Arc<dyn Extension>, StartError> {
        let (texts, path) = match &self.source {
            Source::Written(tokens) => {
                (tokens.iter().map(|token| token.expose().to_owned()).collect(), None)
            }
            Source::File(path) => (read(path).map_err(StartError::new)?, Some(path.clone())),
        };
        let values = self.header_values(&texts).map_err(StartError::new)?;
        let tokens = Tokens { settings: self.clone(), values: ArcSwap::from_pointee(values) };
        let tokens = Arc::new(tokens);
        let poller = path.map(|path| {
            let poll = poll(Arc::clone(&tokens), path, env.clock);
            env.scope.spawn("bearer token reload", poll)
        });
        Ok(Arc::new(Bearer { tokens, poller: Mutex::new(poller) }))
    }
}

impl Settings {
    fn header_values(&self, tokens: &[String]) -> Result<Vec<HeaderValue>, String> {
        let values = tokens.iter().map(|token| {
            let text = format!("{} {token}", self.scheme);
            let mut value = HeaderValue::from_str(text.trim_start())
                .map_err(|_| "a token has characters that a header cannot have".to_owned())?;
            value.set_sensitive(true);
            Ok(value)
        });
        values.collect()
    }
}

/// The running extension.
struct Bearer {
    tokens: Arc<Tokens>,
    poller: Mutex<Option<Task<()>>>,
}

/// The headers that count now, never none.
struct Tokens {
    settings: Settings,
    values: ArcSwap<Vec<HeaderValue>>,
}

impl std::fmt::Debug for Bearer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Bearer({})", self.tokens.settings.header)
    }
}

impl Component for Bearer {
    fn drain(&self, _deadline: Instant) {}

    fn close(&self, _deadline: Instant) -> BoxFuture<'_, ()> {
        drop(self.poller.lock().unwrap_or_else(PoisonError::into_inner).take());
        Box::pin(std::future::ready(()))
    }
}

impl Extension for Bearer {
    fn server_auth(&self) -> Option<SharedServerAuth> {
        Some(Arc::clone(&self.tokens) as SharedServerAuth)
    }

    fn client_auth(&self) -> Option<SharedClientAuth> {
        Some(Arc::clone(&self.tokens) as SharedClientAuth)
    }
}

impl ServerAuth for Tokens {
    fn authenticate(&self, headers: &HeaderMap) -> Result<Metadata, Status> {
        let refused = |message: &str| Status::new(Code::Unauthenticated, message);
        let given = headers.get(&self.settings.header);
        let given = given.ok_or_else(|| refused("the header with the token is missing"))?;
        // All are compared, so that the time does not tell which one came close.
        let is_equal = |value: &HeaderValue| {
            verify_slices_are_equal(value.as_bytes(), given.as_bytes()).is_ok()
        };
        let matching = self.values.load().iter().filter(|value| is_equal(value)).count();
        if matching == 0 { Err(refused("the token is wrong")) } else { Ok(Metadata::default()) }
    }
}

impl ClientAuth for Tokens {
    fn headers<'a>(
        &'a self,
        _context: &'a Context,
    ) -> BoxFuture<'a, Result<Vec<(HeaderName, HeaderValue)>, Status>> {
        let values = self.values.load();
        let headers = values.first().map(|value| (self.settings.header.clone(), value.clone()));
        Box::pin(std::future::ready(Ok(headers.into_iter().collect())))
    }
}

impl Tokens {
    fn reload(&self, texts: &[String]) -> Result<(), String> {
        self.values.store(Arc::new(self.settings.header_values(texts)?));
        Ok(())
    }
}

async fn poll(tokens: Arc<Tokens>, path: PathBuf, clock: Clock) {
    let mut seen = read(&path).unwrap_or_default();
    loop {
        clock.sleep(POLL_INTERVAL).await;
        let reloaded = read(&path).and_then(|texts| {
            if texts == seen {
                return Ok(false);
            }
            tokens.reload(&texts)?;
            seen = texts;
            Ok(true)
        });
        match reloaded {
            Ok(true) => tracing::info!(path = %path.display(), "Bearer tokens reloaded."),
            Ok(false) => {}
            Err(error) => tracing::warn!(error, "Bearer tokens not reloaded; the old ones stay."),
        }
    }
}

/// The tokens of a file, at least one.
fn read(path: &Path) -> Result<Vec<String>, String> {
    let describe = |error: std::io::Error| format!("read `{}`: {error}", path.display());
    if FILE_BYTES_MAX < std::fs::metadata(path).map_err(describe)?.len() {
        return Err(format!("`{}` is larger than 1 MiB", path.display()));
    }
    let text = std::fs::read_to_string(path).map_err(describe)?;
    let tokens = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let tokens: Vec<String> = tokens.map(str::to_owned).collect();
    if tokens.is_empty() {
        return Err(format!("`{}` has no token", path.display()));
    }
    Ok(tokens)
}
