//! Htpasswd: user names and how their passwords are checked.

use std::collections::BTreeMap;
use std::fmt;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

/// Users by name.
#[derive(Clone, Default)]
pub struct Users(BTreeMap<String, Password>);

#[derive(Clone)]
enum Password {
    Plain(Vec<u8>),
    Sha1(Vec<u8>),
    Bcrypt(String),
}

/// A line that is not `user:password`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum HtpasswdError {
    #[error("line {0} has no `:` between user and password")]
    NoColon(usize),
    #[error("line {0} has a `{{SHA}}` password that is not base64 of 20 bytes")]
    BadSha(usize),
    #[error("line {0} has a bcrypt password that is cut off or damaged")]
    BadBcrypt(usize),
    #[error("line {line} has a password hashed as `{kind}`; use bcrypt (`htpasswd -B`)")]
    Unsupported { line: usize, kind: &'static str },
}

impl Users {
    /// Reads lines of `user:password`; empty lines and those that start with `#` are skipped.
    pub(super) fn parse(text: &str) -> Result<Self, HtpasswdError> {
        let mut users = BTreeMap::new();
        for (line, entry) in (1..).zip(text.lines()) {
            let entry = entry.trim();
            if entry.is_empty() || entry.starts_with('#') {
                continue;
            }
            let (name, password) = entry.split_once(':').ok_or(HtpasswdError::NoColon(line))?;
            users.insert(name.to_owned(), Password::parse(line, password)?);
        }
        Ok(Self(users))
    }

    /// Takes over the users of `other`, who win over those of the same name.
    pub(super) fn extend(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    /// Whether checking this user's password takes long, some 100 ms.
    pub(super) fn is_slow(&self, name: &str) -> bool {
        matches!(self.0.get(name), Some(Password::Bcrypt(_)))
    }

    /// Whether the user exists and this is the password.
    pub(super) fn is_valid(&self, name: &str, password: &[u8]) -> bool {
        match self.0.get(name) {
            Some(Password::Plain(plain)) => verify_slices_are_equal(plain, password).is_ok(),
            Some(Password::Sha1(hash)) => {
                let given = digest(&SHA1_FOR_LEGACY_USE_ONLY, password);
                verify_slices_are_equal(hash, given.as_ref()).is_ok()
            }
            Some(Password::Bcrypt(hash)) => bcrypt::verify(password, hash).unwrap_or(false),
            None => false,
        }
    }
}

impl Password {
    fn parse(line: usize, text: &str) -> Result<Self, HtpasswdError> {
        if let Some(hash) = text.strip_prefix("{SHA}") {
            let hash = BASE64_STANDARD.decode(hash).ok().filter(|hash| hash.len() == 20);
            return hash.map(Self::Sha1).ok_or(HtpasswdError::BadSha(line));
        }
        if ["$2a$", "$2b$", "$2x$", "$2y$"].iter().any(|start| text.starts_with(start)) {
            let is_whole = text.parse::<bcrypt::HashParts>().is_ok();
            return is_whole
                .then(|| Self::Bcrypt(text.to_owned()))
                .ok_or(HtpasswdError::BadBcrypt(line));
        }
        let hashes = ["$apr1$", "$1$", "$5$", "$6$", "{SSHA}", "$argon2"];
        match hashes.into_iter().find(|start| text.starts_with(start)) {
            Some(kind) => Err(HtpasswdError::Unsupported { line, kind }),
            None => Ok(Self::Plain(text.as_bytes().to_vec())),
        }
    }
}

impl fmt::Debug for Users {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Users({})", self.0.len())
    }
}
