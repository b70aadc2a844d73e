//! What the surroundings give: clock, sleep and randomness, built in `main.rs` or by a test.

use hazardloop_domain::hash::Digest;
use hazardloop_domain::ids::InstallId;
use hazardloop_domain::time::Timestamp;
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use uuid::Uuid;

/// The device's clocks.
pub trait Clock {
    /// Wall clock.
    fn now(&self) -> Timestamp;
    /// Milliseconds since boot, where the platform tells.
    fn monotonic_ms(&self) -> Option<i64>;
    /// Which boot, where the platform tells.
    fn boot_id(&self) -> Option<InstallId>;
    /// Waits; a test's clock jumps.
    fn sleep_ms(&self, ms: i64);
}

/// Clock and randomness.
pub struct Ambient {
    /// The clocks.
    pub clock: Box<dyn Clock>,
    /// Randomness for ids, keys and jitter.
    pub rng: StdRng,
    /// Set in reproducible runs only.
    pub seed: Option<u64>,
}

impl Ambient {
    /// In a reproducible run every device draws other numbers in every process: the seed is mixed
    /// with whose device it is and how far its queue got.
    pub fn stir(&mut self, owner: &str, position: i64) {
        if let Some(seed) = self.seed {
            let parts = [
                &seed.to_be_bytes()[..],
                owner.as_bytes(),
                &position.to_be_bytes(),
            ];
            self.rng = StdRng::from_seed(Digest::sha256_of_parts(&parts).0);
        }
    }

    /// `N` random bytes.
    pub fn bytes<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        self.rng.fill_bytes(&mut bytes);
        bytes
    }

    /// A generator of its own, for nonces of the store and of photos.
    pub fn generator(&mut self) -> StdRng {
        StdRng::from_rng(&mut self.rng)
    }

    /// A new UUIDv7 (RFC 9562) of the present instant.
    pub fn uuid_v7(&mut self) -> Uuid {
        let ms = u64::try_from(self.clock.now().as_millis()).unwrap_or_default();
        let random = self.bytes();
        uuid::Builder::from_unix_timestamp_millis(ms, &random).into_uuid()
    }
}
