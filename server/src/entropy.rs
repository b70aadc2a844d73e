//! Where the server's randomness comes from: handed in, so that a run can be repeated.

use std::sync::{Arc, Mutex, PoisonError};

use hazardloop_domain::time::Timestamp;
use rand::Rng;
use uuid::Uuid;

/// The server's source of random bytes and of new ids. Cheap to clone.
#[derive(Clone)]
pub struct Entropy(Arc<Mutex<dyn Rng + Send>>);

impl Entropy {
    /// Draws from `generator`, which must be fit for secrets wherever the server is real.
    pub fn new(generator: impl Rng + Send + 'static) -> Self {
        Self(Arc::new(Mutex::new(generator)))
    }

    /// `N` random bytes.
    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        // A panic elsewhere leaves a generator that is still a generator.
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .fill_bytes(&mut bytes);
        bytes
    }

    /// A new UUIDv7 (RFC 9562) of the instant `now`.
    pub fn uuid_v7(&self, now: Timestamp) -> Uuid {
        let ms = u64::try_from(now.as_millis()).unwrap_or_default();
        uuid::Builder::from_unix_timestamp_millis(ms, &self.bytes()).into_uuid()
    }
}

impl std::fmt::Debug for Entropy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Entropy(..)")
    }
}
