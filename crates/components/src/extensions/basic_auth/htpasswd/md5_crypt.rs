//! MD5-crypt: the hash of `$apr1$` and `$1$` passwords, which Apache and old systems wrote.
//!
//! A thousand rounds of MD5 are little today: it is read, so that old files work, and warned about.

use std::fmt;

use aws_lc_rs::constant_time::verify_slices_are_equal;

const ROUNDS: usize = 1000;
const SALT_LEN_MAX: usize = 8;
const HASH_LEN: usize = 22;
/// The digits of crypt's own base 64.
const DIGITS: &[u8; 64] = b"./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// The salt and hash of one password.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Md5Crypt {
    magic: &'static str,
    salt: String,
    hash: String,
}

impl Md5Crypt {
    /// Reads `$apr1$salt$hash` or `$1$salt$hash`; nothing if it is damaged.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let magic = ["$apr1$", "$1$"].into_iter().find(|magic| text.starts_with(magic))?;
        let (salt, hash) = text[magic.len()..].split_once('$')?;
        let is_whole = salt.len() <= SALT_LEN_MAX
            && hash.len() == HASH_LEN
            && hash.bytes().all(|digit| DIGITS.contains(&digit));
        is_whole.then(|| Self { magic, salt: salt.to_owned(), hash: hash.to_owned() })
    }

    /// Whether this is the password.
    pub(super) fn is_valid(&self, password: &[u8]) -> bool {
        let given = encoded(self.digest(password));
        verify_slices_are_equal(given.as_bytes(), self.hash.as_bytes()).is_ok()
    }

    fn digest(&self, password: &[u8]) -> [u8; 16] {
        let salt = self.salt.as_bytes();
        let inner = md5::compute([password, salt, password].concat()).0;
        let mut start = [password, self.magic.as_bytes(), salt].concat();
        start.extend(inner.iter().cycle().take(password.len()));
        let mut bits = password.len();
        while bits != 0 {
            let first = password.first().copied().unwrap_or(0);
            start.push(if bits & 1 == 1 { 0 } else { first });
            bits >>= 1;
        }
        let mut digest = md5::compute(start).0;
        for round in 0..ROUNDS {
            let is_odd = round % 2 == 1;
            let (first, last) =
                if is_odd { (password, &digest[..]) } else { (&digest[..], password) };
            let salt = if round % 3 == 0 { &[][..] } else { salt };
            let again = if round % 7 == 0 { &[][..] } else { password };
            digest = md5::compute([first, salt, again, last].concat()).0;
        }
        digest
    }
}

/// The digest in crypt's base 64, whose bytes are shuffled.
fn encoded(digest: [u8; 16]) -> String {
    const TRIPLES: [[usize; 3]; 5] = [[0, 6, 12], [1, 7, 13], [2, 8, 14], [3, 9, 15], [4, 10, 5]];
    let mut text = String::with_capacity(HASH_LEN);
    let mut put = |mut bits: u32, digits: usize| {
        for _ in 0..digits {
            text.push(char::from(DIGITS[(bits & 0x3f) as usize]));
            bits >>= 6;
        }
    };
    for triple in TRIPLES {
        let [high, middle, low] = triple.map(|at| u32::from(digest[at]));
        put(high << 16 | middle << 8 | low, 4);
    }
    put(digest[11].into(), 2);
    text
}

impl fmt::Debug for Md5Crypt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Md5Crypt")
    }
}

#[cfg(test)]
mod tests;
