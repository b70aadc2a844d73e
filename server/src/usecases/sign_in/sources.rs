//! How many failed sign-ins a source network may cause a minute. Whoever has signed in from there
//! before has an allowance of their own, so that a flood from one office or one carrier's shared
//! address does not keep out the others behind it.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, MutexGuard, PoisonError};

use hazardloop_domain::hash::Digest;

use super::attempts::SourceNetwork;
use super::steady::SteadyClock;

/// Source networks, and pairs of login and network that have signed in, remembered at once (about
/// 100 bytes each, of either).
pub const REMEMBERED_SOURCES: usize = 65_536;

/// Part of a full memory that is cleared at once: one in so many, the idlest first.
const CLEARED_PART: usize = 16;

/// The time over which an allowance comes back.
const MINUTE_MS: u64 = 60_000;

/// A login is remembered as a hash: what is typed there may be a password.
type Pair = (Digest, SourceNetwork);

/// Counts failed sign-ins by source network.
pub struct Sources {
    clock: SteadyClock,
    /// Milliseconds in which one attempt comes back.
    interval_ms: u64,
    most: usize,
    memory: Mutex<Memory>,
}

/// By key the instant at which its whole allowance is there again.
#[derive(Default)]
struct Memory {
    networks: HashMap<SourceNetwork, u64>,
    /// Pairs that have signed in.
    trusted: HashMap<Pair, u64>,
}

/// One attempt that was let through. It counts as failed until it is known not to be, so that a
/// hundred at once are a hundred.
#[must_use]
pub struct Admitted<'a> {
    sources: &'a Sources,
    pair: Pair,
    by_trust: bool,
}

impl Sources {
    /// One network may fail `per_minute` times a minute (0 counts as 1); at most `most` networks,
    /// and as many pairs, are remembered.
    pub fn new(per_minute: u32, clock: &SteadyClock, most: usize) -> Self {
        Self {
            clock: clock.clone(),
            interval_ms: (MINUTE_MS / u64::from(per_minute.max(1))).max(1),
            most,
            memory: Mutex::default(),
        }
    }

    /// Lets an attempt on `login` from `source` begin.
    ///
    /// # Errors
    /// Seconds to wait, at least 1, when there were too many; it is not counted then.
    pub fn admit(&self, login: &str, source: SourceNetwork) -> Result<Admitted<'_>, u64> {
        let pair = (Digest::sha256(login.as_bytes()), source);
        let mut memory = self.locked();
        let now = self.clock.now_ms();
        let by_trust = memory.trusted.contains_key(&pair);
        if by_trust {
            self.take(&mut memory.trusted, pair, now)?;
        } else {
            self.take(&mut memory.networks, source, now)?;
        }
        Ok(Admitted {
            sources: self,
            pair,
            by_trust,
        })
    }

    fn take<K: Hash + Eq>(&self, of: &mut HashMap<K, u64>, key: K, now: u64) -> Result<(), u64> {
        let whole_at = of.get(&key).copied().unwrap_or_default().max(now);
        let next = whole_at.saturating_add(self.interval_ms);
        let wait_ms = next.saturating_sub(now).saturating_sub(MINUTE_MS);
        if wait_ms > 0 {
            return Err(wait_ms.div_ceil(1_000));
        }
        if !of.contains_key(&key) {
            self.make_room(of);
        }
        of.insert(key, next);
        Ok(())
    }

    fn give_back<K: Hash + Eq>(&self, of: &mut HashMap<K, u64>, key: &K) {
        if let Some(whole_at) = of.get_mut(key) {
            *whole_at = whole_at.saturating_sub(self.interval_ms);
        }
    }

    fn make_room<K: Hash + Eq>(&self, of: &mut HashMap<K, u64>) {
        if of.len() < self.most {
            return;
        }
        let mut instants: Vec<u64> = of.values().copied().collect();
        instants.sort_unstable();
        let mut to_remove = (self.most / CLEARED_PART).max(1);
        let kept_from = instants.get(to_remove).copied().unwrap_or(u64::MAX);
        of.retain(|_, whole_at| {
            let goes = to_remove > 0 && *whole_at <= kept_from;
            to_remove -= usize::from(goes);
            !goes
        });
    }

    fn locked(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Admitted<'_> {
    /// The password was right: nothing is counted, and this login is trusted from there.
    pub fn succeeded(self) {
        let now = self.sources.clock.now_ms();
        let mut memory = self.sources.locked();
        self.uncount(&mut memory);
        if !memory.trusted.contains_key(&self.pair) {
            self.sources.make_room(&mut memory.trusted);
            memory.trusted.insert(self.pair, now);
        }
    }

    /// No password was looked at: nothing is counted.
    pub fn undecided(self) {
        self.uncount(&mut self.sources.locked());
    }

    fn uncount(&self, memory: &mut Memory) {
        if self.by_trust {
            self.sources.give_back(&mut memory.trusted, &self.pair);
        } else {
            self.sources.give_back(&mut memory.networks, &self.pair.1);
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::net::IpAddr;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicI64, Ordering};

    use hazardloop_domain::time::Timestamp;

    use super::*;
    use crate::clock::Clock;

    fn sources(per_minute: u32, most: usize) -> (Arc<AtomicI64>, Sources) {
        let ms = Arc::new(AtomicI64::new(1_000_000));
        let read = Arc::clone(&ms);
        let clock = Clock::new(move || Timestamp::from_millis(read.load(Ordering::Relaxed)));
        (
            ms,
            Sources::new(per_minute, &SteadyClock::new(&clock), most),
        )
    }

    fn from(address: &str) -> SourceNetwork {
        SourceNetwork::from(address.parse::<IpAddr>().unwrap())
    }

    fn fail(sources: &Sources, login: &str) -> Option<u64> {
        sources.admit(login, from("192.0.2.1")).err()
    }

    #[test]
    fn failures_use_the_allowance_up_and_time_brings_it_back() {
        let (ms, sources) = sources(3, 100);
        assert_eq!(
            ["a", "b", "c"].map(|login| fail(&sources, login)),
            [None; 3]
        );
        assert_eq!(fail(&sources, "d"), Some(20));
        assert!(sources.admit("d", from("192.0.2.2")).is_ok(), "elsewhere");
        ms.fetch_add(20_000, Ordering::Relaxed);
        assert_eq!(fail(&sources, "d"), None);
        assert_eq!(fail(&sources, "e"), Some(20));
    }

    #[test]
    fn success_and_what_was_not_looked_at_cost_nothing() {
        let (_ms, sources) = sources(1, 100);
        for number in 0..20 {
            let login = number.to_string();
            sources
                .admit(&login, from("192.0.2.1"))
                .unwrap()
                .succeeded();
            sources.admit("x", from("192.0.2.1")).unwrap().undecided();
        }
        assert_eq!(fail(&sources, "x"), None);
        assert!(fail(&sources, "x").is_some());
    }

    #[test]
    fn who_has_signed_in_from_there_is_not_shut_out_by_others_and_has_a_limit_too() {
        let (_ms, sources) = sources(2, 100);
        sources
            .admit("wang", from("192.0.2.1"))
            .unwrap()
            .succeeded();
        while fail(&sources, "nobody").is_none() {}
        assert!(fail(&sources, "li").is_some(), "never seen from there");
        for _ in 0..10 {
            sources
                .admit("wang", from("192.0.2.1"))
                .unwrap()
                .succeeded();
        }
        assert_eq!([fail(&sources, "wang"), fail(&sources, "wang")], [None; 2]);
        assert!(fail(&sources, "wang").is_some());
    }

    #[test]
    fn memory_is_bounded_and_the_busiest_are_kept() {
        let (ms, sources) = sources(2, 100);
        let place = |number: u32| SourceNetwork::from(IpAddr::V4(number.into()));
        for number in 0..1_000 {
            let login = number.to_string();
            sources.admit(&login, place(number)).unwrap().succeeded();
            let _failed = sources.admit("x", place(number)).unwrap();
            ms.fetch_add(1, Ordering::Relaxed);
        }
        let memory = sources.locked();
        assert!(memory.networks.len() <= 100 && memory.trusted.len() <= 100);
        assert!(memory.networks.contains_key(&place(999)));
        let newest = (Digest::sha256(b"999"), place(999));
        assert!(memory.trusted.contains_key(&newest));
    }
}
