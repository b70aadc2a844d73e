//! Counts provisional due dates again after a calendar has arrived.

use super::{JobEnd, JobFailure};
use crate::app::App;
use crate::usecases::calendar;

/// Goes through all of them, a bounded lot a transaction.
///
/// # Errors
/// [`JobFailure::Passing`] when the database does not answer.
pub async fn run(app: &App) -> Result<JobEnd, JobFailure> {
    match calendar::recompute(app).await {
        Ok(()) => Ok(JobEnd::Done),
        Err(failure) => Err(JobFailure::Passing(failure.to_string())),
    }
}
