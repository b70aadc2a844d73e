//! Forgetting removals: that a scope holds a record no longer need not be told for ever.
//!
//! A row of the feed stays for each record that ever left a scope, so that a device that was away hears of it. Devices
//! that were away for longer than `sync.removals_kept_days` fetch such a scope anew; everybody else notices nothing.
//! What people sent, and the receipts for it, is never forgotten: it is the evidence of who said what, and when.

use crate::app::App;
use crate::failure::Failure;
use crate::store::{forgotten, order};

const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// Removals that one transaction forgets.
pub const FORGOTTEN_AT_ONCE: i64 = 500;

/// Notes how far the order of changes is, once a day, and forgets a part of what is old enough; answers whether there may
/// be more.
///
/// # Errors
/// [`Failure`] when the database does not answer.
pub async fn forget(app: &App) -> Result<bool, Failure> {
    let shared = app.clone();
    app.db
        .write(move |tx| {
            let now = shared.clock.now();
            let marked = forgotten::marked_at(tx.conn())?;
            if marked.is_none_or(|at| at.plus_millis(DAY_MS) <= now) {
                let reached = order::bounds(tx.conn())?.reached();
                forgotten::mark(tx, now, reached)?;
            }
            let kept = i64::from(shared.settings.sync.removals_kept_days);
            let then = now.plus_millis(-kept.saturating_mul(DAY_MS));
            let Some(upto) = forgotten::reached_by(tx, then)? else {
                return Ok(false);
            };
            let count = forgotten::forget(tx, upto, FORGOTTEN_AT_ONCE)?;
            Ok(i64::try_from(count).is_ok_and(|count| count >= FORGOTTEN_AT_ONCE))
        })
        .await
}
