//! Signature: whether a request was signed with the key that it should be signed with, and in time.
//!
//! Pure: the time comes in as an argument.

use std::fmt;
use std::str::FromStr;
use std::time::{Duration, SystemTime};

use components::aws::signature::{ALGORITHM, Canonical, CredentialScope, hash, time_of_stamp};
use http::HeaderMap;

use super::account::ApiError;

/// How far the time of a signature may be from now.
const SKEW_MAX: Duration = Duration::from_mins(5);

/// The key that requests are signed with.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Key {
    id: String,
    secret: String,
}

impl FromStr for Key {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, &'static str> {
        let (id, secret) = text.split_once(':').ok_or("a key is `ID:SECRET`")?;
        Ok(Self { id: id.to_owned(), secret: secret.to_owned() })
    }
}

// It holds a secret.
impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({})", self.id)
    }
}

/// Checks a request of this target and body.
pub(super) fn check(
    key: &Key,
    target: &str,
    headers: &HeaderMap,
    body: &[u8],
    now: SystemTime,
) -> Result<(), ApiError> {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let missing =
        || ApiError::new("MissingAuthenticationTokenException", "Missing Authentication Token");
    let incomplete =
        || ApiError::new("IncompleteSignatureException", "the signature is incomplete");
    let authorization = header("authorization").ok_or_else(missing)?;
    let fields = authorization.strip_prefix(ALGORITHM).ok_or_else(incomplete)?;
    let field = |name: &str| {
        let pairs = fields.split(',').filter_map(|pair| pair.trim().split_once('='));
        pairs.into_iter().find(|(key, _)| *key == name).map(|(_, value)| value)
    };
    let credential = field("Credential").ok_or_else(incomplete)?;
    let names = field("SignedHeaders").ok_or_else(incomplete)?;
    let signature = field("Signature").ok_or_else(incomplete)?;
    let parts = credential.split('/').collect::<Vec<_>>();
    let [id, _day, region, service, "aws4_request"] = parts[..] else { return Err(incomplete()) };
    if id != key.id {
        let message = "The security token included in the request is invalid.";
        return Err(ApiError::new("UnrecognizedClientException", message));
    }
    let stamp = header("x-amz-date").ok_or_else(incomplete)?;
    check_time(stamp, now)?;
    let canonical = Canonical::new(("POST", target), headers, names.split(';'), &hash(body));
    let scope = CredentialScope { stamp, region, service };
    if canonical.signature(&key.secret, scope) != signature {
        let message = "The request signature we calculated does not match the signature you \
                       provided.";
        return Err(ApiError::new("InvalidSignatureException", message));
    }
    Ok(())
}

fn check_time(stamp: &str, now: SystemTime) -> Result<(), ApiError> {
    let wrong =
        |words: &str| ApiError::new("InvalidSignatureException", format!("{words}: {stamp}"));
    let at = time_of_stamp(stamp).ok_or_else(|| wrong("Signature without a time"))?;
    match now.duration_since(at) {
        Ok(age) if SKEW_MAX < age => Err(wrong("Signature expired")),
        Err(ahead) if SKEW_MAX < ahead.duration() => Err(wrong("Signature not yet current")),
        _ => Ok(()),
    }
}
