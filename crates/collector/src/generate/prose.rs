//! Prose: text that looks, and compresses, like the log lines of a service.
//!
//! Pure: the same seed gives the same text. Phrases and identifiers recur, numbers do not, so that
//! gzip and zstd have as much to do as with real logs: about a third is left at level 1.

/// What services say; `#` stands for a number, `%` for an identifier, `~` for a name.
const PHRASES: [&str; 12] = [
    "request handled method=GET path=/api/v2/orders/# status=200 duration_us=# trace=% ",
    "request handled method=POST path=/api/v2/~/# status=201 duration_us=# trace=% ",
    "cache miss key=~:%:# shard=# waited_us=# ",
    "query finished table=~ rows=# duration_us=# plan=% ",
    "user % changed ~ from # to # ",
    "retrying upstream ~ after #ms, attempt # of 5: connection reset by peer ",
    "message consumed topic=~ partition=# offset=# lag=# ",
    "session % expired after #s of idleness ",
    "payment % authorised amount=#.# currency=EUR issuer=~ ",
    "slow flush of segment #: # bytes in #us, queue depth # ",
    "feature ~ is on for tenant % (rule #) ",
    "worker # took job % from ~, # left ",
];

const NAMES: [&str; 16] = [
    "checkout",
    "catalogue",
    "inventory",
    "shipping",
    "billing",
    "ledger",
    "session",
    "recommendation",
    "frontend",
    "gateway",
    "search",
    "profile",
    "notification",
    "fraud-check",
    "currency",
    "warehouse",
];

/// `bytes` bytes of text.
pub(super) fn prose(seed: u64, bytes: usize) -> Vec<u8> {
    let mut dice = Dice(seed);
    let mut text = Vec::with_capacity(bytes + 128);
    while text.len() < bytes {
        for letter in dice.one_of(&PHRASES).bytes() {
            match letter {
                b'#' => text.extend_from_slice(dice.number().to_string().as_bytes()),
                b'%' => text.extend_from_slice(dice.identifier().as_bytes()),
                b'~' => text.extend_from_slice(dice.one_of(&NAMES).as_bytes()),
                other => text.push(other),
            }
        }
    }
    text.truncate(bytes);
    text
}

/// Numbers that follow from the seed (splitmix64).
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// One of a few hundred, as the lines of one trace or user stand near each other.
    fn identifier(&mut self) -> String {
        format!("{:012x}", Self(self.roll() % 256).roll() >> 16)
    }

    /// A number of one to five digits; short ones are as frequent as long ones.
    fn number(&mut self) -> u64 {
        let digits = u32::try_from(1 + self.roll() % 5).unwrap_or(1);
        self.roll() % 10u64.pow(digits)
    }

    fn one_of(&mut self, words: &[&'static str]) -> &'static str {
        let at = usize::try_from(self.roll() % words.len() as u64).unwrap_or(0);
        words[at]
    }
}

#[cfg(test)]
mod tests;
