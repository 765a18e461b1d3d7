//! STS: the requests that turn a role into credentials, and their answers.
//!
//! Pure. The service speaks forms one way and XML the other; of the XML only the values of a few
//! elements are wanted, each of which stands there once.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::Credentials;
use super::source::Role;
use crate::calendar::parse_utc;

const FORM: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The body of an `AssumeRole` request, which has to be signed.
pub(super) fn assume_role(role: &Role) -> String {
    let mut pairs = shared("AssumeRole", role);
    if !role.external_id.is_empty() {
        pairs.push(("ExternalId", role.external_id.as_str()));
    }
    form(&pairs)
}

/// The body of an `AssumeRoleWithWebIdentity` request, which the token vouches for.
pub(super) fn assume_role_with_web_identity(role: &Role, token: &str) -> String {
    let mut pairs = shared("AssumeRoleWithWebIdentity", role);
    pairs.push(("WebIdentityToken", token));
    form(&pairs)
}

/// Reads an answer.
pub(super) fn credentials(body: &[u8]) -> Result<Credentials, String> {
    let text = String::from_utf8_lossy(body);
    let inner = element(&text, "Credentials").ok_or("the answer of STS has no credentials")?;
    let of = |name| element(inner, name).map(plain);
    let (id, secret) = (of("AccessKeyId"), of("SecretAccessKey"));
    let (id, secret) = id.zip(secret).ok_or("the answer of STS has no keys")?;
    let mut found = Credentials::new(&id, &secret, of("SessionToken").as_deref())?;
    found.expires_at = of("Expiration").and_then(|text| parse_utc(&text));
    Ok(found)
}

/// What an answer that is no success says.
pub(super) fn refusal(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    let of = |name| element(&text, name).map(plain);
    match (of("Code"), of("Message")) {
        (Some(code), Some(message)) => format!("{code}: {message}"),
        (Some(code), None) => code,
        _ => "without a reason".to_owned(),
    }
}

fn shared<'a>(action: &'static str, role: &'a Role) -> Vec<(&'static str, &'a str)> {
    vec![
        ("Action", action),
        ("Version", "2011-06-15"),
        ("RoleArn", role.arn.as_str()),
        ("RoleSessionName", role.session_name.as_str()),
    ]
}

fn form(pairs: &[(&str, &str)]) -> String {
    let pairs =
        pairs.iter().map(|(key, value)| format!("{key}={}", utf8_percent_encode(value, FORM)));
    pairs.collect::<Vec<_>>().join("&")
}

fn element<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(&format!("<{name}>"))?;
    rest.split_once(&format!("</{name}>")).map(|(inner, _)| inner)
}

fn plain(text: &str) -> String {
    let text = text.trim().replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"");
    text.replace("&apos;", "'").replace("&#39;", "'").replace("&amp;", "&")
}
