//! Clears expired uploads away, every hour.

use super::{JobEnd, JobFailure};
use crate::app::App;
use crate::failure::Failure;
use crate::store::jobs::JobKind;
use crate::usecases::upload;

/// Milliseconds between two clearings.
pub const EVERY_MS: i64 = 60 * 60 * 1000;

/// Puts the job in, once for all servers on this database.
///
/// # Errors
/// When the database does not answer.
pub async fn schedule(app: &App) -> Result<(), Failure> {
    super::schedule(app, JobKind::ExpireUploads, EVERY_MS).await
}

/// Clears, and comes back.
///
/// # Errors
/// [`JobFailure::Passing`] when the database or the disk does not answer.
pub async fn run(app: &App) -> Result<JobEnd, JobFailure> {
    let removed = upload::expire(app)
        .await
        .map_err(|failure| JobFailure::Passing(failure.to_string()))?;
    if removed > 0 {
        tracing::info!(removed, "expired uploads were removed");
    }
    Ok(JobEnd::Again(app.clock.now().plus_millis(EVERY_MS)))
}
