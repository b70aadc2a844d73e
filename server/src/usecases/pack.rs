//! Packing what was pushed: after `sync.receipts_plain_days` a command that waits for nobody is kept in a shorter form, with
//! its receipt. Nobody can tell: whoever asks for either gets the very bytes ([`crate::store::packing`]).

use crate::app::App;
use crate::failure::Failure;
use crate::store::packing;

const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// Commands that one transaction packs.
pub const PACKED_AT_ONCE: i64 = 100;

/// Packs a part of what is old enough; answers whether there may be more.
///
/// # Errors
/// [`Failure`] when the database does not answer.
pub async fn pack(app: &App) -> Result<bool, Failure> {
    let days = i64::from(app.settings.sync.receipts_plain_days);
    let then = app.clock.now().plus_millis(-days.saturating_mul(DAY_MS));
    let write = app
        .db
        .write(move |tx| packing::pack(tx, then, PACKED_AT_ONCE));
    let done = write.await?;
    if done.examined > 0 {
        let (before, after) = (done.bytes_before, done.bytes_after);
        tracing::debug!(
            commands = done.examined,
            before,
            after,
            "packed what was pushed"
        );
    }
    Ok(i64::try_from(done.examined).is_ok_and(|count| count >= PACKED_AT_ONCE))
}

#[cfg(test)]
#[path = "pack_tests.rs"]
mod tests;
