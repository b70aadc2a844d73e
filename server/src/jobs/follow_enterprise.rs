//! Brings hazards after an enterprise that has moved, and comes back at once while there are more.

use super::{JobEnd, JobFailure};
use crate::app::App;
use crate::usecases::relocate;

/// `payload` is the enterprise's id.
///
/// # Errors
/// [`JobFailure::Passing`] when the database does not answer.
pub async fn run(app: &App, payload: &str) -> Result<JobEnd, JobFailure> {
    let id = payload
        .parse()
        .map_err(|_| JobFailure::Final("the payload is not an id".to_owned()))?;
    match relocate::follow(app, id).await {
        Ok(true) => Ok(JobEnd::Done),
        Ok(false) => Ok(JobEnd::Again(app.clock.now())),
        Err(failure) => Err(JobFailure::Passing(failure.to_string())),
    }
}
