//! Brings what was filed in a jurisdiction to the one that it was merged into, and comes back at once while there is
//! more.

use super::{JobEnd, JobFailure};
use crate::app::App;
use crate::failure::Failure;
use crate::usecases::merge_jurisdictions;

/// Takes up again what is not done, once for all servers on this database.
///
/// # Errors
/// When the database does not answer.
pub async fn schedule(app: &App) -> Result<(), Failure> {
    merge_jurisdictions::go_on_with_all(app).await
}

/// `payload` is the id of the jurisdiction that was merged.
///
/// # Errors
/// [`JobFailure::Passing`] when the database does not answer.
pub async fn run(app: &App, payload: &str) -> Result<JobEnd, JobFailure> {
    let id = payload
        .parse()
        .map_err(|_| JobFailure::Final("the payload is not an id".to_owned()))?;
    match merge_jurisdictions::advance(app, id).await {
        Ok(true) => Ok(JobEnd::Done),
        Ok(false) => Ok(JobEnd::Again(app.clock.now())),
        Err(failure) => Err(JobFailure::Passing(failure.to_string())),
    }
}
