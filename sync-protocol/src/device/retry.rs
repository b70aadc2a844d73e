//! Waiting after failures: exponential, jittered, bounded.

use hazardloop_domain::time::Timestamp;

use super::{EngineConfig, RequestId};

/// SplitMix64 (Steele, Lea, Flood 2014): spreads retries of many devices; not for secrets.
#[derive(Clone, Debug)]
pub(super) struct Jitter(pub u64);

impl Jitter {
    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Between half of it and all of it.
    fn half_random(&mut self, full: i64) -> i64 {
        let half = full / 2;
        let random = i64::try_from(self.next() >> 1).unwrap_or(0);
        half.saturating_add(random % (full - half + 1))
    }
}

/// Counts failures and says when to try again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Backoff {
    failures: u32,
    retry_at: Option<Timestamp>,
}

impl Backoff {
    /// The wait doubles with every failure in a row; the last half of it is random.
    pub(super) fn fail(
        &mut self,
        now: Timestamp,
        at_least_ms: i64,
        config: &EngineConfig,
        jitter: &mut Jitter,
    ) -> Timestamp {
        let factor = 1_i64.checked_shl(self.failures.min(30)).unwrap_or(i64::MAX);
        let full = config
            .retry_base_ms
            .saturating_mul(factor)
            .clamp(1, config.retry_cap_ms.max(1));
        let wait = jitter.half_random(full).max(at_least_ms);
        let at = now.plus_millis(wait);
        self.failures = self.failures.saturating_add(1);
        self.retry_at = Some(at);
        at
    }

    pub(super) fn succeed(&mut self) {
        *self = Self::default();
    }

    /// A clock that jumped back must not hold a lane for years: a wait longer than the longest
    /// possible is no wait.
    pub(super) fn is_due(&self, now: Timestamp, config: &EngineConfig) -> bool {
        self.retry_at.is_none_or(|at| {
            at <= now || at > now.plus_millis(config.retry_cap_ms.saturating_mul(4))
        })
    }

    pub(super) fn retry_at(&self) -> Option<Timestamp> {
        self.retry_at
    }
}

/// One lane: at most one request under way.
#[derive(Clone, Debug, Default)]
pub(super) struct Lane {
    /// The request under way, or whose answer is not yet stored.
    pub busy: Option<RequestId>,
    /// After failures.
    pub backoff: Backoff,
    /// Until then nothing is asked: no version of the protocol is common.
    pub rests_until: Option<Timestamp>,
}

impl Lane {
    pub(super) fn may_start(&self, now: Timestamp, config: &EngineConfig) -> bool {
        self.busy.is_none() && !self.rests(now, config) && self.backoff.is_due(now, config)
    }

    /// Asks no more for long: an upgrade is needed. The last half of the wait is random.
    pub(super) fn rest(&mut self, now: Timestamp, config: &EngineConfig, jitter: &mut Jitter) {
        let wait = jitter.half_random(config.version_retry_ms.max(1));
        self.rests_until = Some(now.plus_millis(wait));
    }

    /// As with [`Backoff::is_due`], a clock that jumped back ends the wait.
    fn rests(&self, now: Timestamp, config: &EngineConfig) -> bool {
        self.rests_until
            .is_some_and(|until| now < until && until <= now.plus_millis(config.version_retry_ms))
    }

    /// When it may go on, where it waits for time.
    pub(super) fn wakes_at(&self) -> Option<Timestamp> {
        self.backoff.retry_at().max(self.rests_until)
    }

    pub(super) fn is_under_way(&self, id: RequestId) -> bool {
        self.busy == Some(id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_from_the_base_to_the_cap_and_differ_between_devices() {
        let config = EngineConfig::default();
        let now = Timestamp::from_millis(0);
        let waits = |seed| {
            let (mut backoff, mut jitter) = (Backoff::default(), Jitter(seed));
            (0..12)
                .map(|_| backoff.fail(now, 0, &config, &mut jitter).as_millis())
                .collect::<Vec<_>>()
        };
        let one = waits(1);
        assert!((1_000..=2_000).contains(&one[0]), "{one:?}");
        assert!((2_000..=4_000).contains(&one[1]), "{one:?}");
        assert!(
            one.iter().all(|wait| *wait <= config.retry_cap_ms),
            "{one:?}"
        );
        assert!(one[11] >= config.retry_cap_ms / 2, "{one:?}");
        assert_ne!(one, waits(2));
        assert_eq!(one, waits(1), "the same seed gives the same waits");
    }

    #[test]
    fn a_clock_that_jumps_back_does_not_hold_the_lane() {
        let config = EngineConfig::default();
        let (mut backoff, mut jitter) = (Backoff::default(), Jitter(1));
        backoff.fail(
            Timestamp::from_millis(1_000_000_000_000),
            0,
            &config,
            &mut jitter,
        );
        assert!(!backoff.is_due(Timestamp::from_millis(1_000_000_000_000), &config));
        assert!(backoff.is_due(Timestamp::from_millis(0), &config));
    }

    #[test]
    fn a_server_that_asks_for_longer_gets_longer() {
        let (mut backoff, mut jitter) = (Backoff::default(), Jitter(1));
        let at = backoff.fail(
            Timestamp::from_millis(0),
            60_000,
            &EngineConfig::default(),
            &mut jitter,
        );
        assert_eq!(at.as_millis(), 60_000);
    }
}
