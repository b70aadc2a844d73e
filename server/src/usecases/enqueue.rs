//! Putting a job in, in the transaction of the change that it follows.

use hazardloop_domain::time::Timestamp;

use crate::app::App;
use crate::failure::Failure;
use crate::store::WriteTx;
use crate::store::jobs::{self, JobKind, NewJob};

/// Puts a job in, unless one with its `dedup_key` is there, and wakes the runner once the
/// transaction is committed.
///
/// # Errors
/// When the database does not answer.
pub fn enqueue(
    tx: &mut WriteTx<'_>,
    app: &App,
    kind: JobKind,
    dedup_key: Option<String>,
    payload: String,
    run_at: Timestamp,
) -> Result<(), Failure> {
    let job = NewJob {
        id: app.entropy.uuid_v7(run_at),
        kind,
        dedup_key,
        payload,
        run_at,
    };
    if jobs::enqueue(tx.conn(), &job)? {
        let app = app.clone();
        tx.after_commit(Box::new(move || app.jobs_wake.notify_one()));
    }
    Ok(())
}
