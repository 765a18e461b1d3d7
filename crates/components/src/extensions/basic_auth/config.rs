//! The configuration of the `basicauth` extension.

use std::path::PathBuf;

use config::section::Words;
use config::value::Secret;
use config::{Faults, Gates};
use schemars::JsonSchema;
use serde::Deserialize;

use super::htpasswd::Users;

/// One of `htpasswd`, for receivers, and `client_auth`, for exporters.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The users that receivers let in.
    pub htpasswd: Option<HtpasswdWords>,
    /// The user as which exporters send.
    pub client_auth: Option<ClientWords>,
}

/// Lines of `user:password`, the password plain or hashed: with bcrypt, or, with a warning because they
/// are quick to guess, as `{SSHA}`, `{SHA}`, `$apr1$` or `$1$`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct HtpasswdWords {
    /// A file with a line `user:password` for each user; read at start. Passwords are plain or hashed:
    /// with bcrypt, or, with a warning because they are quick to guess, as `{SSHA}`, `{SHA}`, `$apr1$`
    /// or `$1$`.
    pub file: PathBuf,
    /// The lines themselves; they win over those of `file`.
    pub inline: Secret,
}

/// The user as which exporters send.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ClientWords {
    /// The name.
    pub username: String,
    /// The password.
    pub password: Secret,
    /// A file with the name, instead of `username`; read at start.
    pub username_file: PathBuf,
    /// A file with the password, instead of `password`; read at start.
    pub password_file: PathBuf,
}

/// The checked configuration.
#[derive(Clone, Debug)]
pub enum Settings {
    Server { file: Option<PathBuf>, inline: Users },
    Client { username: Text, password: Text },
}

/// A text that is written in the configuration or stands in a file.
#[derive(Clone, Debug)]
pub enum Text {
    Written(Secret),
    File(PathBuf),
}

impl Words for Config {
    type Settings = Settings;

    fn validate(self, _gates: &Gates) -> Result<Settings, Faults> {
        let mut faults = Faults::default();
        match (self.htpasswd, self.client_auth) {
            (Some(htpasswd), None) => htpasswd.validate().map_err(|inner| {
                faults.take("htpasswd", Err::<(), _>(inner));
                faults
            }),
            (None, Some(client)) => client.validate().map_err(|inner| {
                faults.take("client_auth", Err::<(), _>(inner));
                faults
            }),
            _ => {
                faults.add("", "one of `htpasswd` and `client_auth` is needed, not both");
                Err(faults)
            }
        }
    }
}

impl HtpasswdWords {
    fn validate(self) -> Result<Settings, Faults> {
        let mut faults = Faults::default();
        let file = Some(self.file).filter(|path| !path.as_os_str().is_empty());
        if file.is_none() && self.inline.is_empty() {
            faults.add("", "one of `file` and `inline` is needed");
        }
        let inline = Users::parse(self.inline.expose());
        let inline = inline.map_err(|error| faults.add("inline", error.to_string()));
        let Ok(inline) = inline else { return Err(faults) };
        faults.or(|| Settings::Server { file, inline })
    }
}

impl ClientWords {
    fn validate(self) -> Result<Settings, Faults> {
        let mut faults = Faults::default();
        let username = Secret::from(self.username);
        let username = one_of("username", username, self.username_file, &mut faults);
        let password = one_of("password", self.password, self.password_file, &mut faults);
        if let Text::Written(name) = &username
            && name.expose().contains(':')
        {
            faults.add("username", "a user name cannot contain `:`");
        }
        faults.or(|| Settings::Client { username, password })
    }
}

fn one_of(key: &str, written: Secret, file: PathBuf, faults: &mut Faults) -> Text {
    let has_file = !file.as_os_str().is_empty();
    if has_file != written.is_empty() {
        faults.add(key, format!("one of `{key}` and `{key}_file` is needed, not both"));
    }
    if has_file { Text::File(file) } else { Text::Written(written) }
}
