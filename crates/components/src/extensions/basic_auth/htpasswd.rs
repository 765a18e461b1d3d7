//! Htpasswd: user names and how their passwords are checked.

mod md5_crypt;

use std::collections::BTreeMap;
use std::fmt;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use md5_crypt::Md5Crypt;

const SHA1_LEN: usize = 20;

/// Users by name.
#[derive(Clone, Default)]
pub struct Users(BTreeMap<String, Password>);

#[derive(Clone)]
enum Password {
    Plain(Vec<u8>),
    Sha1 { hash: Vec<u8>, salt: Vec<u8> },
    Md5(Md5Crypt),
    Bcrypt(String),
}

/// A line that is not `user:password`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum HtpasswdError {
    #[error("line {0} has no `:` between user and password")]
    NoColon(usize),
    #[error("line {0} has a `{{SHA}}` password that is not base64 of 20 bytes")]
    BadSha(usize),
    #[error("line {0} has an `{{SSHA}}` password that is not base64 of 20 bytes and a salt")]
    BadSaltedSha(usize),
    #[error("line {0} has an MD5 password that is cut off or damaged")]
    BadMd5(usize),
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
        matches!(self.0.get(name), Some(Password::Bcrypt(_) | Password::Md5(_)))
    }

    /// The users whose passwords are hashed in a way that is quick to guess, as a sentence.
    pub(super) fn warning(&self) -> Option<String> {
        let is_weak =
            |password: &Password| matches!(password, Password::Sha1 { .. } | Password::Md5(_));
        let weak = self.0.iter().filter(|(_, password)| is_weak(password));
        let names: Vec<_> = weak.map(|(name, _)| format!("`{name}`")).collect();
        (!names.is_empty()).then(|| {
            let names = names.join(", ");
            format!(
                "the passwords of {names} are hashed with MD5 or SHA-1, which is quick to \
                     guess: hash them with bcrypt (`htpasswd -B`)"
            )
        })
    }

    /// Whether the user exists and this is the password.
    pub(super) fn is_valid(&self, name: &str, password: &[u8]) -> bool {
        match self.0.get(name) {
            Some(Password::Plain(plain)) => verify_slices_are_equal(plain, password).is_ok(),
            Some(Password::Sha1 { hash, salt }) => {
                let given = digest(&SHA1_FOR_LEGACY_USE_ONLY, &[password, salt].concat());
                verify_slices_are_equal(hash, given.as_ref()).is_ok()
            }
            Some(Password::Md5(hash)) => hash.is_valid(password),
            Some(Password::Bcrypt(hash)) => bcrypt::verify(password, hash).unwrap_or(false),
            None => false,
        }
    }
}

impl Password {
    fn parse(line: usize, text: &str) -> Result<Self, HtpasswdError> {
        if let Some(hash) = text.strip_prefix("{SHA}") {
            let hash = BASE64_STANDARD.decode(hash).ok().filter(|hash| hash.len() == SHA1_LEN);
            let hash = hash.ok_or(HtpasswdError::BadSha(line))?;
            return Ok(Self::Sha1 { hash, salt: Vec::new() });
        }
        if let Some(salted) = text.strip_prefix("{SSHA}") {
            let salted = BASE64_STANDARD.decode(salted).ok();
            let mut hash = salted
                .filter(|salted| SHA1_LEN < salted.len())
                .ok_or(HtpasswdError::BadSaltedSha(line))?;
            let salt = hash.split_off(SHA1_LEN);
            return Ok(Self::Sha1 { hash, salt });
        }
        if text.starts_with("$apr1$") || text.starts_with("$1$") {
            return Md5Crypt::parse(text).map(Self::Md5).ok_or(HtpasswdError::BadMd5(line));
        }
        if ["$2a$", "$2b$", "$2x$", "$2y$"].iter().any(|start| text.starts_with(start)) {
            let is_whole = text.parse::<bcrypt::HashParts>().is_ok();
            return is_whole
                .then(|| Self::Bcrypt(text.to_owned()))
                .ok_or(HtpasswdError::BadBcrypt(line));
        }
        let hashes = ["$5$", "$6$", "$argon2"];
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
