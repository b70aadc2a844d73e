//! Work that follows a change, taken by lease and run off the request path.

pub mod expire_uploads;
pub mod fill_sector;
pub mod follow_department;
pub mod follow_enterprise;
pub mod follow_sector;
pub mod forget_removals;
pub mod hand_over_teams;
pub mod keep_windows;
pub mod merge_jurisdiction;
pub mod pack_receipts;
pub mod recompute_deadlines;
pub mod recount_unclaimed;
pub mod runner;
pub mod thumbnail;
pub mod weigh_chains;

#[cfg(test)]
mod tests;

pub use runner::{run, run_due};

use hazardloop_domain::time::Timestamp;

use crate::app::App;
use crate::failure::Failure;
use crate::store::jobs::{self, JobKind};
use crate::usecases::enqueue::enqueue;

/// Puts in a job that comes back every so often, once for all servers on this database.
///
/// # Errors
/// When the database does not answer.
async fn schedule(app: &App, kind: JobKind, every_ms: i64) -> Result<(), Failure> {
    let shared = app.clone();
    app.db
        .write(move |tx| {
            let (now, key) = (shared.clock.now(), kind.as_str());
            jobs::bring_forward(tx.conn(), key, now.plus_millis(every_ms))?;
            enqueue(tx, &shared, kind, Some(key.to_owned()), String::new(), now)
        })
        .await
}

/// What became of a job that did not fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JobEnd {
    /// It is done.
    Done,
    /// It is done for now and comes back.
    Again(Timestamp),
}

/// Why a job failed. The text is for whoever runs the server, never for a person's screen.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JobFailure {
    /// It would fail again: it is given up at once, with its reason.
    #[error("{0}")]
    Final(String),
    /// It may succeed later.
    #[error("{0}")]
    Passing(String),
}
