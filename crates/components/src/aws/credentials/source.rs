//! Source: where credentials come from, decided from the configuration, the environment and the
//! shared files, in the order of the AWS tools.
//!
//! Pure: files are read by a function that comes in as an argument.

use std::path::{Path, PathBuf};

use config::value::Secret;

use super::profile::{Profile, Profiles};
use super::{Credentials, Variables};
use crate::client::Endpoint;

/// Profiles that point to each other are followed so far.
const PROFILES_MAX: usize = 8;

/// What a profile may say that is not done here.
const UNSUPPORTED: [&str; 4] =
    ["credential_process", "sso_session", "sso_start_url", "login_session"];

/// The name under which a role is taken on unless one is written.
pub(crate) const SESSION_NAME: &str = "tidegate";

/// What the configuration of a component says about credentials.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Words {
    pub(crate) keys: Option<Keys>,
    pub(crate) profile: String,
    pub(crate) shared_credentials_files: Vec<PathBuf>,
    /// A role to take on, with the credentials found otherwise.
    pub(crate) role: Option<Role>,
    /// The instance metadata service is not asked.
    pub(crate) is_local: bool,
}

/// Keys that are written out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Keys {
    pub(crate) access_key_id: String,
    pub(crate) secret_access_key: Secret,
    pub(crate) session_token: Secret,
}

/// A role to take on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Role {
    pub(crate) arn: String,
    pub(crate) external_id: String,
    pub(crate) session_name: String,
}

/// Where credentials come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Source {
    Fixed(Credentials),
    WebIdentity { role: Role, token_file: PathBuf },
    AssumeRole { role: Role, base: Box<Source> },
    Container { url: String, token: Option<Token> },
    Instance { endpoint: String },
}

/// What a container's endpoint wants to see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Token {
    Written(Secret),
    File(PathBuf),
}

/// Decides on a source.
#[derive(Clone, Copy)]
pub(super) struct Chooser<'a> {
    pub(super) words: &'a Words,
    pub(super) variables: &'a Variables,
    pub(super) read: &'a dyn Fn(&Path) -> Option<String>,
}

/// The region that the environment or the shared files name.
pub(crate) fn region_of(
    words: &Words,
    variables: &Variables,
    read: &dyn Fn(&Path) -> Option<String>,
) -> Option<String> {
    let named = ["AWS_REGION", "AWS_DEFAULT_REGION"];
    if let Some(region) = named.iter().find_map(|name| variables.get(name)) {
        return Some(region.to_owned());
    }
    let chooser = Chooser { words, variables, read };
    chooser.profiles().find(chooser.profile_name())?.get("region").cloned()
}

impl<'a> Chooser<'a> {
    /// The source, with the configured role on top.
    pub(super) fn choose(self) -> Result<Source, String> {
        let base = self.base()?;
        Ok(match &self.words.role {
            Some(role) => Source::AssumeRole { role: role.clone(), base: Box::new(base) },
            None => base,
        })
    }

    fn base(self) -> Result<Source, String> {
        if let Some(keys) = &self.words.keys {
            let token = Some(keys.session_token.expose());
            let secret = keys.secret_access_key.expose();
            return Credentials::new(&keys.access_key_id, secret, token).map(Source::Fixed);
        }
        let profile_asked_for =
            !self.words.profile.is_empty() || !self.words.shared_credentials_files.is_empty();
        if !profile_asked_for && let Some(found) = self.environment() {
            return found;
        }
        let name = self.profile_name();
        match self.profiles().find(name) {
            Some(profile) => {
                if let Some(found) = self.of_profile((name, profile), PROFILES_MAX)? {
                    return Ok(found);
                }
            }
            None if profile_asked_for => {
                return Err(format!("there is no profile `{name}` in the shared files"));
            }
            None => {}
        }
        self.of_host()
    }

    fn environment(self) -> Option<Result<Source, String>> {
        let get = |name| self.variables.get(name);
        if let (Some(id), Some(secret)) = (get("AWS_ACCESS_KEY_ID"), get("AWS_SECRET_ACCESS_KEY")) {
            let found = Credentials::new(id, secret, get("AWS_SESSION_TOKEN"));
            return Some(found.map(Source::Fixed));
        }
        let token_file = get("AWS_WEB_IDENTITY_TOKEN_FILE")?;
        let Some(arn) = get("AWS_ROLE_ARN") else {
            return Some(Err("AWS_WEB_IDENTITY_TOKEN_FILE is set without AWS_ROLE_ARN".to_owned()));
        };
        let role = role(arn, None, get("AWS_ROLE_SESSION_NAME"));
        Some(Ok(Source::WebIdentity { role, token_file: token_file.into() }))
    }

    /// What a profile leads to; `None` when it holds no credentials.
    fn of_profile(
        self,
        (name, profile): (&str, &Profile),
        steps_left: usize,
    ) -> Result<Option<Source>, String> {
        let get = |key: &str| profile.get(key).map(String::as_str).filter(|text| !text.is_empty());
        if let Some(arn) = get("role_arn") {
            let role = role(arn, get("external_id"), get("role_session_name"));
            if let Some(token_file) = get("web_identity_token_file") {
                return Ok(Some(Source::WebIdentity { role, token_file: token_file.into() }));
            }
            let base = self.base_of_role(profile, steps_left)?;
            return Ok(Some(Source::AssumeRole { role, base: Box::new(base) }));
        }
        if let (Some(id), Some(secret)) = (get("aws_access_key_id"), get("aws_secret_access_key")) {
            let found = Credentials::new(id, secret, get("aws_session_token"))?;
            return Ok(Some(Source::Fixed(found)));
        }
        if let Some(key) = UNSUPPORTED.into_iter().find(|key| get(key).is_some()) {
            return Err(format!(
                "the profile `{name}` of the shared files says `{key}`, but Tidegate starts no programs \
                 and opens no browser for credentials: put keys or a role into the profile, name \
                 another one, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
            ));
        }
        Ok(None)
    }

    fn base_of_role(self, profile: &Profile, steps_left: usize) -> Result<Source, String> {
        if steps_left == 0 {
            return Err("the profiles' `source_profile` lead in a circle".to_owned());
        }
        match (profile.get("source_profile"), profile.get("credential_source")) {
            (Some(name), _) => {
                let profiles = self.profiles();
                let base = profiles.find(name);
                let base = base.ok_or_else(|| format!("there is no profile `{name}`"))?;
                let mut base = base.clone();
                // A profile may name itself: its own keys are meant.
                if base == *profile {
                    base.remove("role_arn");
                }
                let found = self.of_profile((name, &base), steps_left - 1)?;
                found.ok_or_else(|| format!("the profile `{name}` holds no credentials"))
            }
            (None, Some(source)) => match source.as_str() {
                "Environment" => self
                    .environment()
                    .unwrap_or_else(|| Err("the environment holds no credentials".to_owned())),
                "EcsContainer" => self
                    .container()
                    .unwrap_or_else(|| Err("this is no container with a role".to_owned())),
                "Ec2InstanceMetadata" => self.instance(),
                other => Err(format!("`credential_source = {other}` is unknown")),
            },
            (None, None) => {
                Err("a profile with `role_arn` needs `source_profile` or `credential_source`"
                    .to_owned())
            }
        }
    }

    fn of_host(self) -> Result<Source, String> {
        self.container().unwrap_or_else(|| self.instance())
    }

    fn container(self) -> Option<Result<Source, String>> {
        let get = |name| self.variables.get(name);
        let url = match get("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI") {
            Some(path) => format!("http://169.254.170.2{path}"),
            None => get("AWS_CONTAINER_CREDENTIALS_FULL_URI")?.to_owned(),
        };
        if url.starts_with("http://") && !is_trusted_plainly(&url) {
            let message = "is reached over plain HTTP, which is only safe on this host";
            return Some(Err(format!("AWS_CONTAINER_CREDENTIALS_FULL_URI {message}")));
        }
        let file =
            get("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE").map(|path| Token::File(path.into()));
        let written =
            || get("AWS_CONTAINER_AUTHORIZATION_TOKEN").map(|text| Token::Written(text.into()));
        Some(Ok(Source::Container { url, token: file.or_else(written) }))
    }

    fn instance(self) -> Result<Source, String> {
        let is_disabled = self
            .variables
            .get("AWS_EC2_METADATA_DISABLED")
            .is_some_and(|text| text.eq_ignore_ascii_case("true"));
        if self.words.is_local || is_disabled {
            return Err("no credentials were found: neither in the configuration, nor in the \
                        environment, nor in the shared files"
                .to_owned());
        }
        Ok(Source::Instance { endpoint: metadata_endpoint(self.variables) })
    }

    fn profile_name(self) -> &'a str {
        let written = Some(self.words.profile.as_str()).filter(|name| !name.is_empty());
        written.or_else(|| self.variables.get("AWS_PROFILE")).unwrap_or("default")
    }

    fn profiles(self) -> Profiles {
        let home = self.variables.get("HOME").map(|home| Path::new(home).join(".aws"));
        let path = |variable, name: &str| match self.variables.get(variable) {
            Some(path) => Some(PathBuf::from(path)),
            None => home.as_ref().map(|home| home.join(name)),
        };
        let read = |path: PathBuf| (self.read)(&path);
        let mut profiles = Profiles::default();
        if let Some(text) = path("AWS_CONFIG_FILE", "config").and_then(read) {
            profiles.add_config(&text);
        }
        let written = &self.words.shared_credentials_files;
        let usual = path("AWS_SHARED_CREDENTIALS_FILE", "credentials");
        let usual = usual.filter(|_| written.is_empty());
        // The first file that is named wins, so it is added last.
        for text in written.iter().rev().cloned().chain(usual).filter_map(read) {
            profiles.add_credentials(&text);
        }
        profiles
    }
}

fn role(arn: &str, external_id: Option<&str>, session_name: Option<&str>) -> Role {
    Role {
        arn: arn.to_owned(),
        external_id: external_id.unwrap_or_default().to_owned(),
        session_name: session_name.unwrap_or(SESSION_NAME).to_owned(),
    }
}

/// Where the instance metadata service answers.
fn metadata_endpoint(variables: &Variables) -> String {
    let written = variables.get("AWS_EC2_METADATA_SERVICE_ENDPOINT");
    let is_ipv6 = variables
        .get("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE")
        .is_some_and(|mode| mode.eq_ignore_ascii_case("ipv6"));
    let usual = if is_ipv6 { "http://[fd00:ec2::254]" } else { "http://169.254.169.254" };
    written.unwrap_or(usual).trim_end_matches('/').to_owned()
}

/// Plain HTTP shows the credentials to the network: only this host, and the addresses that AWS sets
/// up on it, are asked that way.
fn is_trusted_plainly(url: &str) -> bool {
    let Ok(endpoint) = Endpoint::http(url) else { return false };
    let name = endpoint.host.name();
    let known = ["localhost", "169.254.170.2", "169.254.170.23", "fd00:ec2::23"];
    known.contains(&name)
        || name.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}
