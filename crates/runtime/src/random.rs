//! Random: numbers for jitter, sampling and ids; not for secrets.
//!
//! A Weyl sequence with a mixing function (SplitMix64): one atomic addition a number, so clones share
//! one sequence without a lock. The same seed gives the same sequence.

use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// A source of random numbers. Clones draw from the same sequence.
#[derive(Clone, Debug)]
pub struct Random {
    state: Arc<AtomicU64>,
}

/// The step of the Weyl sequence: odd, and near 2^64 divided by the golden ratio.
const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

impl Random {
    /// The sequence of `seed`.
    #[must_use]
    pub fn seeded(seed: u64) -> Self {
        Self { state: Arc::new(AtomicU64::new(seed)) }
    }

    /// A sequence that is different in every process and at every call.
    #[must_use]
    pub fn entropy() -> Self {
        #[cfg(feature = "schedules")]
        if let Some(seed) = crate::task::schedule::seed() {
            return Self::seeded(seed);
        }
        // The keys of std's hash maps come from the operating system.
        Self::seeded(RandomState::new().hash_one(0x5eed_u64))
    }

    /// The next number.
    #[must_use]
    pub fn number(&self) -> u64 {
        mixed(self.state.fetch_add(STEP, Ordering::Relaxed).wrapping_add(STEP))
    }

    /// A number from 0 to below 1.
    #[must_use]
    pub fn fraction(&self) -> f64 {
        // 53 bits are what an f64 holds exactly.
        (self.number() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// A number below `end`, which is not zero.
    #[must_use]
    pub fn below(&self, end: u64) -> u64 {
        assert!(0 < end, "there is no number below zero");
        let scaled = u128::from(self.number()) * u128::from(end);
        u64::try_from(scaled >> 64).expect("a product of two u64 has 128 bits")
    }

    /// `period` moved by up to `share` of itself in either direction.
    #[must_use]
    pub fn jittered(&self, period: Duration, share: f64) -> Duration {
        let factor = 1.0 + share.clamp(0.0, 1.0) * (2.0 * self.fraction() - 1.0);
        Duration::try_from_secs_f64(period.as_secs_f64() * factor).unwrap_or(period)
    }
}

fn mixed(state: u64) -> u64 {
    let state = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let state = (state ^ (state >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    state ^ (state >> 31)
}

#[cfg(test)]
mod tests;
