//! PostgreSQL's writers run side by side; the database, or a version guard, sends the loser back
//! to the start. This file runs it again, a bounded number of times, after a short random pause.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::conn;
use super::error::{StoreError, StoreFailure};
use super::pool::Pool;
use super::tx::{TxState, WriteTx};

/// The pause before the second attempt is at most this; it doubles with every attempt.
pub const FIRST_PAUSE: Duration = Duration::from_millis(2);

/// No pause is longer than this.
pub const LONGEST_PAUSE: Duration = Duration::from_millis(100);

/// Spreads the pauses of writers that collided, from a seed: no ambient randomness.
pub(super) struct Jitter(AtomicU64);

impl Jitter {
    pub(super) fn new(seed: u64) -> Self {
        Self(AtomicU64::new(seed))
    }

    /// A pause before attempt number `attempt + 1`, evenly between nothing and the bound.
    pub(super) fn pause(&self, attempt: u32) -> Duration {
        // SplitMix64: a counter, mixed.
        let mut mixed = self.0.fetch_add(0x9E37_79B9_7F4A_7C15, Ordering::Relaxed);
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^= mixed >> 31;
        let factor = 1_u32
            .checked_shl(attempt.saturating_sub(1))
            .unwrap_or(u32::MAX);
        let bound = FIRST_PAUSE.saturating_mul(factor).min(LONGEST_PAUSE);
        let micros = u64::try_from(bound.as_micros()).unwrap_or(u64::MAX);
        Duration::from_micros(mixed % (micros + 1))
    }
}

/// Runs `work` in a transaction of its own until it is committed, refused, or `attempts` are used
/// up. Blocks; call it on a thread that may.
pub(super) fn write<T, E: StoreFailure>(
    pool: &Pool,
    jitter: &Jitter,
    attempts: u32,
    mut work: impl FnMut(&mut WriteTx<'_>) -> Result<T, E>,
) -> Result<T, E> {
    let attempts = attempts.max(1);
    for attempt in 1..=attempts {
        match once(pool, &mut work) {
            Err(error)
                if error
                    .store_error()
                    .is_some_and(StoreError::wants_another_attempt) =>
            {
                if attempt < attempts {
                    pause(jitter.pause(attempt));
                }
            }
            answer => return answer,
        }
    }
    Err(StoreError::Conflict { attempts }.into())
}

#[allow(
    clippy::disallowed_methods,
    reason = "runs on a thread kept for blocking work, for milliseconds, with its connection given back"
)]
fn pause(duration: Duration) {
    std::thread::sleep(duration);
}

fn once<T, E: StoreFailure>(
    pool: &Pool,
    work: &mut impl FnMut(&mut WriteTx<'_>) -> Result<T, E>,
) -> Result<T, E> {
    let mut conn = pool.begin(conn::begin_write)?;
    let mut state = TxState::default();
    let answer = catch_unwind(AssertUnwindSafe(|| {
        work(&mut WriteTx::new(&mut conn, &mut state))
    }));
    let error = match answer {
        Ok(Ok(value)) => {
            state.seal(&mut conn)?;
            conn::commit(&mut conn)?;
            drop(conn);
            state.committed();
            return Ok(value);
        }
        Ok(Err(error)) => error,
        Err(_panic) => E::from(StoreError::Panicked),
    };
    conn::rollback_to(&mut conn, 0);
    Err(error)
}
