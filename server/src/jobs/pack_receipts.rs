//! Packs pushed commands that were settled long ago, with their receipts, once a day.

use super::{JobEnd, JobFailure};
use crate::app::App;
use crate::failure::Failure;
use crate::store::jobs::JobKind;
use crate::usecases::pack;

/// Milliseconds between two passes.
pub const EVERY_MS: i64 = 24 * 60 * 60 * 1000;
/// Milliseconds between two parts of a pass: what people push goes in between.
const BETWEEN_PARTS_MS: i64 = 200;

/// Puts the job in, once for all servers on this database.
///
/// # Errors
/// When the database does not answer.
pub async fn schedule(app: &App) -> Result<(), Failure> {
    super::schedule(app, JobKind::PackReceipts, EVERY_MS).await
}

/// Does a part, and comes back: soon while there is more.
///
/// # Errors
/// [`JobFailure::Passing`] when the database does not answer.
pub async fn run(app: &App) -> Result<JobEnd, JobFailure> {
    let more = pack::pack(app)
        .await
        .map_err(|failure| JobFailure::Passing(failure.to_string()))?;
    let pause = if more { BETWEEN_PARTS_MS } else { EVERY_MS };
    Ok(JobEnd::Again(app.clock.now().plus_millis(pause)))
}
