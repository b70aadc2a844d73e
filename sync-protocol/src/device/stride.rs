//! How much goes at once: bytes of a photo, records of a pull.
//!
//! What a cut destroys is the chunk or page under way. On a link of 9,600 bits a second that is cut every 20 seconds,
//! some 20 kB pass between two cuts: a chunk of 128 KiB, or a page of 500 records, would be begun for ever. So the first
//! is small; they grow while they go quickly, and shrink when one was slow or did not arrive. A time that makes no sense
//! (a clock was set) changes nothing.

use hazardloop_domain::time::Timestamp;

/// Bounds of what goes at once, and of how long it may take. Configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StrideLimits {
    /// The first, before anything is known of the link.
    pub first: u32,
    /// To how little it shrinks.
    pub least: u32,
    /// To how much it grows.
    pub most: u32,
    /// What takes no longer is followed by twice as much, milliseconds.
    pub quick_ms: i64,
    /// What takes longer, by half as much, milliseconds.
    pub slow_ms: i64,
}

impl StrideLimits {
    /// The same amount, whatever the link does.
    #[must_use]
    pub const fn always(amount: u32) -> Self {
        Self {
            first: amount,
            least: amount,
            most: amount,
            quick_ms: 0,
            slow_ms: i64::MAX,
        }
    }

    fn bounded(&self, amount: u32) -> u32 {
        let most = self.most.max(1);
        amount.clamp(self.least.clamp(1, most), most)
    }
}

#[derive(Debug, Default)]
pub(super) struct Stride {
    /// What was learnt; `None` before the first.
    learnt: Option<u32>,
    sent_at: Option<Timestamp>,
}

impl Stride {
    /// Goes on from what was [`Stride::kept`].
    pub fn from_kept(kept: Option<u32>) -> Self {
        Self {
            learnt: kept,
            sent_at: None,
        }
    }

    /// What is worth keeping over a stop: that the link takes less than a first try would send.
    pub fn kept(&self, limits: &StrideLimits) -> Option<u32> {
        self.learnt.filter(|learnt| *learnt < limits.first)
    }

    /// The most that goes next.
    pub fn next(&self, limits: &StrideLimits) -> u32 {
        limits.bounded(self.learnt.unwrap_or(limits.first))
    }

    /// Something goes, or is asked for.
    pub fn sent(&mut self, now: Timestamp) {
        self.sent_at = Some(now);
    }

    /// It arrived, so much of it.
    pub fn arrived(&mut self, now: Timestamp, amount: u32, limits: &StrideLimits) {
        let Some(sent_at) = self.sent_at.take() else {
            return;
        };
        let took = now.as_millis().saturating_sub(sent_at.as_millis());
        let full = self.next(limits);
        let next = match took {
            ..0 => return,
            // It grows by what went well at full length; what is left at an end says little.
            _ if took <= limits.quick_ms && amount >= full => full.saturating_mul(2),
            _ if took > limits.slow_ms => full / 2,
            _ => return,
        };
        self.learnt = Some(limits.bounded(next));
    }

    /// It did not arrive, for whatever reason.
    pub fn failed(&mut self, limits: &StrideLimits) {
        if self.sent_at.take().is_some() {
            self.learnt = Some(limits.bounded(self.next(limits) / 2));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Timestamp = Timestamp::from_millis(1_795_309_200_000);

    const LIMITS: StrideLimits = StrideLimits {
        first: 16,
        least: 4,
        most: 256,
        quick_ms: 5_000,
        slow_ms: 20_000,
    };

    /// How much goes next after full ones that took so many seconds.
    fn after(seconds: &[i64]) -> u32 {
        let mut stride = Stride::default();
        for took in seconds {
            stride.sent(START);
            let full = stride.next(&LIMITS);
            stride.arrived(START.plus_millis(took * 1_000), full, &LIMITS);
        }
        stride.next(&LIMITS)
    }

    #[test]
    fn it_grows_on_a_quick_link_and_shrinks_on_a_slow_one_within_its_bounds() {
        assert_eq!(after(&[]), 16);
        assert_eq!(after(&[1]), 32);
        assert_eq!(after(&[1, 1, 8]), 64, "neither quick nor slow");
        assert_eq!(after(&[0; 9]), 256);
        assert_eq!(after(&[21]), 8);
        assert_eq!(after(&[100; 9]), 4);
        assert_eq!(after(&[-50]), 16, "the clock was set back");
    }

    #[test]
    fn what_does_not_arrive_is_followed_by_half_as_much() {
        let mut stride = Stride::default();
        for expected in [8, 4, 4] {
            stride.sent(START);
            stride.failed(&LIMITS);
            assert_eq!(stride.next(&LIMITS), expected);
        }
        stride.failed(&LIMITS);
        assert_eq!(stride.next(&LIMITS), 4, "nothing was under way");
    }

    #[test]
    fn only_little_is_kept_over_a_stop() {
        let mut stride = Stride::default();
        assert_eq!(stride.kept(&LIMITS), None);
        stride.sent(START);
        stride.failed(&LIMITS);
        assert_eq!(stride.kept(&LIMITS), Some(8));
        let mut again = Stride::from_kept(stride.kept(&LIMITS));
        assert_eq!(again.next(&LIMITS), 8);
        again.sent(START);
        again.arrived(START, 8, &LIMITS);
        assert_eq!(again.kept(&LIMITS), None, "as at first");
    }

    #[test]
    fn a_short_rest_that_goes_quickly_says_nothing() {
        let mut stride = Stride::default();
        stride.sent(START);
        stride.arrived(START, 15, &LIMITS);
        assert_eq!(stride.next(&LIMITS), 16);
    }
}
