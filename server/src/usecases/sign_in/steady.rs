//! Time for limits: the server's clock, made to stand still where that clock is set back, so
//! that a corrected clock neither blocks anybody for hours nor forgives everything.

use std::hash::Hash;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use governor::middleware::NoOpMiddleware;
use governor::state::keyed::DashMapStateStore;
use governor::{Quota, RateLimiter};

use crate::clock::Clock;

/// Milliseconds since it was made; never runs backwards. Cheap to clone.
#[derive(Clone)]
pub struct SteadyClock {
    clock: Clock,
    /// The last reading, and the sum of all steps forward.
    reading: Arc<Mutex<(i64, u64)>>,
}

impl SteadyClock {
    /// Begins at zero.
    pub fn new(clock: &Clock) -> Self {
        let now = clock.now().as_millis();
        Self {
            clock: clock.clone(),
            reading: Arc::new(Mutex::new((now, 0))),
        }
    }

    /// Milliseconds since this clock was made.
    pub fn now_ms(&self) -> u64 {
        let mut reading = self.reading.lock().unwrap_or_else(PoisonError::into_inner);
        // Read in turn: a reading that comes late would look like a clock that was set back, and
        // the next one would count the same time again.
        let now = self.clock.now().as_millis();
        let step = u64::try_from(now.saturating_sub(reading.0)).unwrap_or_default();
        *reading = (now, reading.1.saturating_add(step));
        reading.1
    }
}

impl governor::clock::Clock for SteadyClock {
    type Instant = Duration;

    fn now(&self) -> Duration {
        Duration::from_millis(self.now_ms())
    }
}

type Limiter<K> = RateLimiter<K, DashMapStateStore<K>, SteadyClock, NoOpMiddleware<Duration>>;

/// A rate a key, for at most so many keys.
pub struct Rates<K: Hash + Eq + Clone> {
    quota: Quota,
    clock: SteadyClock,
    most_keys: usize,
    limiter: RwLock<Limiter<K>>,
}

impl<K: Hash + Eq + Clone> Rates<K> {
    /// One key may do `quota`. Past `most_keys`, the idle ones are forgotten, and when all are
    /// busy, all of them: memory stays bounded, and nobody is refused for what others did.
    pub fn new(quota: Quota, clock: &SteadyClock, most_keys: usize) -> Self {
        Self {
            quota,
            clock: clock.clone(),
            most_keys,
            limiter: RwLock::new(Limiter::dashmap_with_clock(quota, clock.clone())),
        }
    }

    /// Counts one act of `key`.
    ///
    /// # Errors
    /// Seconds to wait, at least 1, when it is one too many; it is not counted then.
    pub fn count(&self, key: &K) -> Result<(), u64> {
        let limiter = self.limiter.read().unwrap_or_else(PoisonError::into_inner);
        let counted = limiter.check_key(key).map_err(|not_until| {
            let now = governor::clock::Clock::now(&self.clock);
            let wait = not_until.wait_time_from(now).as_millis().div_ceil(1_000);
            u64::try_from(wait).unwrap_or(u64::MAX).max(1)
        });
        if limiter.len() <= self.most_keys {
            return counted;
        }
        limiter.retain_recent();
        let crowded = limiter.len() > self.most_keys;
        drop(limiter);
        if crowded {
            let mut limiter = self.limiter.write().unwrap_or_else(PoisonError::into_inner);
            *limiter = Limiter::dashmap_with_clock(self.quota, self.clock.clone());
        }
        counted
    }

    #[cfg(test)]
    fn keys(&self) -> usize {
        self.limiter
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .len()
    }
}

/// `per_second` acts a second, and `burst` at once; 0 counts as 1.
pub fn per_second(per_second: u32, burst: u32) -> Quota {
    let at_least_one = |number| NonZeroU32::new(number).unwrap_or(NonZeroU32::MIN);
    Quota::per_second(at_least_one(per_second)).allow_burst(at_least_one(burst))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::sync::atomic::{AtomicI64, Ordering};

    use hazardloop_domain::time::Timestamp;

    use super::*;

    fn settable() -> (Arc<AtomicI64>, SteadyClock) {
        let ms = Arc::new(AtomicI64::new(1_000_000));
        let read = Arc::clone(&ms);
        let clock = Clock::new(move || Timestamp::from_millis(read.load(Ordering::Relaxed)));
        (ms, SteadyClock::new(&clock))
    }

    #[test]
    fn a_clock_that_is_set_back_loses_no_time_and_gains_none() {
        let (ms, steady) = settable();
        ms.fetch_add(500, Ordering::Relaxed);
        assert_eq!(steady.now_ms(), 500);
        ms.fetch_sub(3_600_000, Ordering::Relaxed);
        assert_eq!(steady.now_ms(), 500);
        ms.fetch_add(250, Ordering::Relaxed);
        assert_eq!(steady.now_ms(), 750);
    }

    #[test]
    fn readings_at_once_are_not_counted_twice() {
        const THREADS: i64 = 4;
        const READINGS: i64 = 200_000;
        let ms = AtomicI64::new(0);
        let clock = Clock::new(move || Timestamp::from_millis(ms.fetch_add(1, Ordering::Relaxed)));
        let steady = SteadyClock::new(&clock);
        std::thread::scope(|scope| {
            for _ in 0..THREADS {
                scope.spawn(|| {
                    for _ in 0..READINGS {
                        let _ = steady.now_ms();
                    }
                });
            }
        });
        let one_more = THREADS * READINGS + 1;
        assert_eq!(i64::try_from(steady.now_ms()), Ok(one_more));
    }

    #[test]
    fn one_key_is_held_back_alone_and_told_how_long() {
        let (ms, steady) = settable();
        let rates = Rates::new(Quota::per_minute(NonZeroU32::new(3).unwrap()), &steady, 10);
        for _ in 0..3 {
            assert_eq!(rates.count(&"a"), Ok(()));
        }
        let wait = rates.count(&"a").unwrap_err();
        assert!((1..=20).contains(&wait), "{wait}");
        assert_eq!(rates.count(&"b"), Ok(()));
        ms.fetch_add(i64::try_from(wait).unwrap() * 1_000, Ordering::Relaxed);
        assert_eq!(rates.count(&"a"), Ok(()));
    }

    #[test]
    fn memory_is_bounded_however_many_keys_come() {
        let (_ms, steady) = settable();
        let rates = Rates::new(Quota::per_minute(NonZeroU32::MIN), &steady, 100);
        for key in 0..10_000 {
            assert_eq!(rates.count(&key), Ok(()));
            assert!(rates.keys() <= 101);
        }
    }
}
