//! Keeps the windows of what devices hold, every few minutes.

use super::{JobEnd, JobFailure};
use crate::app::App;
use crate::failure::Failure;
use crate::store::jobs::{self, JobKind};
use crate::usecases::enqueue::enqueue;
use crate::usecases::windows;

/// Milliseconds between two passes.
pub const EVERY_MS: i64 = 10 * 60 * 1000;

/// Puts the job in, once for all servers on this database.
///
/// # Errors
/// When the database does not answer.
pub async fn schedule(app: &App) -> Result<(), Failure> {
    let shared = app.clone();
    app.db
        .write(move |tx| {
            let now = shared.clock.now();
            let kind = JobKind::KeepWindows;
            let key = Some(kind.as_str().to_owned());
            jobs::bring_forward(tx.conn(), kind.as_str(), now.plus_millis(EVERY_MS))?;
            enqueue(tx, &shared, kind, key, String::new(), now)
        })
        .await
}

/// Does a part, and comes back: at once while there is more.
///
/// # Errors
/// [`JobFailure::Passing`] when the database does not answer.
pub async fn run(app: &App) -> Result<JobEnd, JobFailure> {
    let more = windows::keep(app)
        .await
        .map_err(|failure| JobFailure::Passing(failure.to_string()))?;
    let pause = if more { 0 } else { EVERY_MS };
    Ok(JobEnd::Again(app.clock.now().plus_millis(pause)))
}
