//! What this server learns from the others over the same database, again and again.

use std::time::Duration;

use super::sign_in;
use crate::app::App;

/// Seconds between two looks for what other servers changed: sessions and devices that they ended,
/// keys that they made, boundaries and calendars that they were given, packs that were added.
pub const CATCH_UP_EVERY_S: u64 = 3;

/// Rounds of catching up between two sweeps of expired refresh tokens: one an hour.
const SWEEP_EVERY: u64 = 3_600 / CATCH_UP_EVERY_S;

/// Catches up for ever, every [`CATCH_UP_EVERY_S`], and now and then sweeps. To be spawned once;
/// the task may be aborted at any time.
pub async fn keep_current(app: App) {
    let mut every = tokio::time::interval(Duration::from_secs(CATCH_UP_EVERY_S));
    every.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut round: u64 = 0;
    loop {
        every.tick().await;
        let now = app.clock.now();
        if let Err(error) = app.sign_in.catch_up(&app.db, &app.settings, now).await {
            tracing::warn!(%error, "could not look for ended sessions and new keys");
        }
        if let Err(error) = app.boundaries.catch_up(&app.db).await {
            tracing::warn!(%error, "could not look for changed boundaries");
        }
        if let Err(error) = app.calendar.catch_up(&app.db).await {
            tracing::warn!(%error, "could not look for new calendars");
        }
        if let Err(error) = app.catalog.catch_up(&app.db).await {
            tracing::warn!(%error, "could not look for new packs");
        }
        round = round.wrapping_add(1);
        if round % SWEEP_EVERY == 1
            && let Err(error) = sign_in::sweep(&app.db, now).await
        {
            tracing::warn!(%error, "could not sweep expired refresh tokens");
        }
    }
}
