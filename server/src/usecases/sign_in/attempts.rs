//! Waiting after failed sign-ins: counted by login and source network together, so that whoever
//! tries passwords from elsewhere cannot shut the owner out.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use hazardloop_domain::hash::Digest;

use super::steady::SteadyClock;
use crate::failure::Failure;
use crate::settings::SignIn;

/// Pairs of login and network remembered at once (about 100 bytes each). Past it the oldest are
/// forgotten: the rate of attempts per network still holds for whoever fills the memory.
pub const REMEMBERED_FAILURES: usize = 20_000;

/// Part of the memory that is cleared at once when it is full: one in so many.
const CLEARED_PART: usize = 16;

/// How long a failure counts after the longest wait is over.
const FORGIVEN_AFTER_MS: u64 = 3_600_000;

/// Where a request comes from: an IPv4 address, or the /64 that one IPv6 subscriber has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SourceNetwork(IpAddr);

impl From<IpAddr> for SourceNetwork {
    fn from(address: IpAddr) -> Self {
        Self(match address.to_canonical() {
            IpAddr::V4(address) => IpAddr::V4(address),
            IpAddr::V6(address) => IpAddr::V6((address.to_bits() & !u128::from(u64::MAX)).into()),
        })
    }
}

/// A login is remembered as a hash: what is typed there may be a password.
type Key = (Digest, SourceNetwork);

struct Failures {
    count: u32,
    last_ms: u64,
    wait_until_ms: u64,
}

/// Counts failed sign-ins.
pub struct Attempts {
    clock: SteadyClock,
    free: u32,
    longest_wait_s: u64,
    remembered: Mutex<HashMap<Key, Failures>>,
}

/// One attempt under way. It counts as failed until it is known to have succeeded, so that a
/// hundred at once are a hundred.
#[must_use]
pub struct Attempt<'a> {
    attempts: &'a Attempts,
    key: Key,
}

impl Attempts {
    /// Nothing counted yet.
    pub fn new(settings: &SignIn, clock: &SteadyClock) -> Self {
        Self {
            clock: clock.clone(),
            free: settings.free_failures,
            longest_wait_s: settings.longest_wait_s,
            remembered: Mutex::default(),
        }
    }

    /// Begins an attempt on `login` from `source`.
    ///
    /// # Errors
    /// [`Failure::RateLimited`] while the wait after earlier failures lasts; it is not counted.
    pub fn begin(&self, login: &str, source: SourceNetwork) -> Result<Attempt<'_>, Failure> {
        let key = (Digest::sha256(login.as_bytes()), source);
        let mut remembered = self.locked();
        // Read in turn: nobody waits for what began a moment after they looked at the clock.
        let now = self.clock.now_ms();
        if !remembered.contains_key(&key) {
            self.make_room(&mut remembered, now);
        }
        let failures = remembered.entry(key).or_insert(Failures {
            count: 0,
            last_ms: now,
            wait_until_ms: 0,
        });
        if failures.wait_until_ms > now {
            let retry_after_s = (failures.wait_until_ms - now).div_ceil(1_000);
            return Err(Failure::RateLimited { retry_after_s });
        }
        if now.saturating_sub(failures.last_ms) > self.forgiven_after_ms() {
            failures.count = 0;
        }
        failures.count = failures.count.saturating_add(1);
        failures.last_ms = now;
        failures.wait_until_ms = now.saturating_add(self.wait_ms(failures.count));
        Ok(Attempt {
            attempts: self,
            key,
        })
    }

    /// The wait after the `count`th failure: none for the free ones, then 2, 4, 8 … seconds.
    fn wait_ms(&self, count: u32) -> u64 {
        match count.saturating_sub(self.free) {
            0 => 0,
            beyond => 2_u64
                .checked_pow(beyond)
                .unwrap_or(u64::MAX)
                .min(self.longest_wait_s)
                .saturating_mul(1_000),
        }
    }

    fn forgiven_after_ms(&self) -> u64 {
        self.longest_wait_s
            .saturating_mul(1_000)
            .saturating_add(FORGIVEN_AFTER_MS)
    }

    fn make_room(&self, remembered: &mut HashMap<Key, Failures>, now: u64) {
        if remembered.len() < REMEMBERED_FAILURES {
            return;
        }
        let forgiven = self.forgiven_after_ms();
        remembered.retain(|_, failures| now.saturating_sub(failures.last_ms) <= forgiven);
        let most = REMEMBERED_FAILURES - REMEMBERED_FAILURES / CLEARED_PART;
        if remembered.len() <= most {
            return;
        }
        let mut ages: Vec<u64> = remembered
            .values()
            .map(|failures| failures.last_ms)
            .collect();
        ages.sort_unstable();
        let surplus = remembered.len() - most;
        let oldest_kept = ages.get(surplus).copied().unwrap_or(u64::MAX);
        let mut to_remove = surplus;
        remembered.retain(|_, failures| {
            let goes = to_remove > 0 && failures.last_ms <= oldest_kept;
            to_remove -= usize::from(goes);
            !goes
        });
    }

    fn locked(&self) -> std::sync::MutexGuard<'_, HashMap<Key, Failures>> {
        self.remembered
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl Attempt<'_> {
    /// The password was right: everything is forgiven.
    pub fn succeeded(self) {
        self.attempts.locked().remove(&self.key);
    }

    /// Nothing was found out (the server failed): this attempt does not count.
    pub fn undecided(self) {
        if let Some(failures) = self.attempts.locked().get_mut(&self.key) {
            failures.count = failures.count.saturating_sub(1);
            failures.wait_until_ms = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::sync::Arc;
    use std::sync::atomic::{AtomicI64, Ordering};

    use hazardloop_domain::time::Timestamp;

    use super::*;
    use crate::clock::Clock;

    fn attempts(settings: SignIn) -> (Arc<AtomicI64>, Attempts) {
        let ms = Arc::new(AtomicI64::new(1_000_000));
        let read = Arc::clone(&ms);
        let clock = Clock::new(move || Timestamp::from_millis(read.load(Ordering::Relaxed)));
        (ms, Attempts::new(&settings, &SteadyClock::new(&clock)))
    }

    fn from(address: &str) -> SourceNetwork {
        SourceNetwork::from(address.parse::<IpAddr>().unwrap())
    }

    fn fail(attempts: &Attempts, source: &str) -> Option<u64> {
        match attempts.begin("wang", from(source)) {
            Ok(_failed) => None,
            Err(Failure::RateLimited { retry_after_s }) => Some(retry_after_s),
            Err(other) => unreachable!("{other}"),
        }
    }

    #[test]
    fn waits_double_up_to_the_longest() {
        let (ms, attempts) = attempts(SignIn {
            free_failures: 2,
            longest_wait_s: 5,
            ..SignIn::default()
        });
        assert_eq!(
            [fail(&attempts, "192.0.2.1"), fail(&attempts, "192.0.2.1")],
            [None, None]
        );
        for expected in [2, 4, 5, 5] {
            assert_eq!(fail(&attempts, "192.0.2.1"), None);
            assert_eq!(fail(&attempts, "192.0.2.1"), Some(expected));
            ms.fetch_add(i64::try_from(expected).unwrap() * 1_000, Ordering::Relaxed);
        }
    }

    /// Their clocks are read in another order than they come to the memory in.
    #[test]
    fn those_who_begin_in_the_same_moment_do_not_wait_for_each_other() {
        let ms = AtomicI64::new(0);
        let clock = Clock::new(move || Timestamp::from_millis(ms.fetch_add(1, Ordering::Relaxed)));
        let settings = SignIn {
            free_failures: u32::MAX,
            ..SignIn::default()
        };
        let attempts = Attempts::new(&settings, &SteadyClock::new(&clock));
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..20_000 {
                        assert_eq!(fail(&attempts, "192.0.2.1"), None);
                    }
                });
            }
        });
    }

    #[test]
    fn an_attacker_elsewhere_does_not_shut_the_owner_out() {
        let (_ms, attempts) = attempts(SignIn::default());
        while fail(&attempts, "198.51.100.7").is_none() {}
        let owner = attempts.begin("wang", from("192.0.2.1")).unwrap();
        owner.succeeded();
        assert!(
            fail(&attempts, "198.51.100.7").is_some(),
            "the attacker still waits"
        );
        assert!(
            attempts.begin("li", from("198.51.100.7")).is_ok(),
            "another login, same place"
        );
    }

    #[test]
    fn an_ipv6_subscriber_is_one_source() {
        assert_eq!(from("2001:db8:1:2::1"), from("2001:db8:1:2:ffff::9"));
        assert_ne!(from("2001:db8:1:2::1"), from("2001:db8:1:3::1"));
        assert_eq!(from("::ffff:192.0.2.1"), from("192.0.2.1"));
        assert_ne!(from("192.0.2.1"), from("192.0.2.2"));
    }

    #[test]
    fn success_forgives_and_a_failing_server_does_not_count() {
        let (_ms, attempts) = attempts(SignIn {
            free_failures: 1,
            ..SignIn::default()
        });
        for _ in 0..3 {
            attempts
                .begin("wang", from("192.0.2.1"))
                .unwrap()
                .undecided();
        }
        assert_eq!(fail(&attempts, "192.0.2.1"), None);
        attempts
            .begin("wang", from("192.0.2.1"))
            .unwrap()
            .succeeded();
        assert_eq!(fail(&attempts, "192.0.2.1"), None);
        assert_eq!(fail(&attempts, "192.0.2.1"), None);
        assert!(fail(&attempts, "192.0.2.1").is_some());
    }

    #[test]
    fn memory_is_bounded_and_the_newest_are_kept() {
        let (ms, attempts) = attempts(SignIn::default());
        for number in 0..REMEMBERED_FAILURES + 5_000 {
            let _failed = attempts
                .begin(&number.to_string(), from("192.0.2.1"))
                .unwrap();
            ms.fetch_add(1, Ordering::Relaxed);
        }
        let remembered = attempts.locked();
        assert!(remembered.len() <= REMEMBERED_FAILURES);
        let newest = (REMEMBERED_FAILURES + 4_999).to_string();
        assert!(remembered.contains_key(&(Digest::sha256(newest.as_bytes()), from("192.0.2.1"))));
    }
}
