//! Packing what was pushed: after `sync.receipts_plain_days` a command that waits for nobody is kept in a shorter form, with
//! its receipt. Nobody can tell: whoever asks for either gets the very bytes ([`crate::store::packing`]).

use std::sync::Arc;

use hazardloop_domain::time::Timestamp;

use crate::app::App;
use crate::failure::Failure;
use crate::store::StoreError;
use crate::store::packing::{self, Coded, Plain};

const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// Commands that one transaction packs.
pub const PACKED_AT_ONCE: i64 = 100;

/// What a pass did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Packed {
    /// Commands that it looked at.
    pub examined: usize,
    /// Those of them that were still as it had read them.
    pub replaced: usize,
    /// Bytes before.
    pub bytes_before: usize,
    /// Bytes after.
    pub bytes_after: usize,
}

/// Packs a part of what is old enough; answers whether there may be more.
///
/// # Errors
/// [`Failure`] when the database does not answer.
pub async fn pack(app: &App) -> Result<bool, Failure> {
    let days = i64::from(app.settings.sync.receipts_plain_days);
    let then = app.clock.now().plus_millis(-days.saturating_mul(DAY_MS));
    let done = pack_some(app, then, PACKED_AT_ONCE).await?;
    if done.examined > 0 {
        let (before, after) = (done.bytes_before, done.bytes_after);
        tracing::debug!(
            commands = done.examined,
            replaced = done.replaced,
            before,
            after,
            "packed what was pushed"
        );
    }
    let full = i64::try_from(done.examined).is_ok_and(|count| count >= PACKED_AT_ONCE);
    // Where others are faster with all of it, they go on with the rest, too.
    Ok(full && done.replaced > 0)
}

/// Packs at most so many of what was received before `then`. They are read and coded before anything is written: whoever
/// pushes meanwhile waits for neither.
pub(super) async fn pack_some(app: &App, then: Timestamp, most: i64) -> Result<Packed, Failure> {
    let plain = app
        .db
        .read(move |tx| packing::to_pack(tx.conn(), then, most))
        .await?;
    if plain.is_empty() {
        return Ok(Packed::default());
    }
    let code = move || plain.into_iter().map(Plain::coded).collect();
    let lost = |error| Failure::Internal(format!("packing what was pushed: {error}"));
    let coded = crate::held::blocking(code).await.map_err(lost)?;
    replace(app, Arc::new(coded)).await
}

/// The short write: each row that is still what was read becomes the coded one.
async fn replace(app: &App, coded: Arc<Vec<Coded>>) -> Result<Packed, Failure> {
    let write = app.db.write(move |tx| {
        let mut done = Packed {
            examined: coded.len(),
            ..Packed::default()
        };
        for one in coded.iter() {
            if !packing::replace(tx.conn(), one)? {
                continue;
            }
            let (before, after) = one.bytes();
            done.replaced = done.replaced.saturating_add(1);
            done.bytes_before = done.bytes_before.saturating_add(before);
            done.bytes_after = done.bytes_after.saturating_add(after);
        }
        Ok::<_, StoreError>(done)
    });
    Ok(write.await?)
}

#[cfg(test)]
#[path = "pack_tests.rs"]
mod tests;
