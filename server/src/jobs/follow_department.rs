//! Gives open hazards the department that answers for their sector from now on.

use super::{JobEnd, JobFailure};
use crate::app::App;
use crate::usecases::follow_department;

/// `payload` is a [`follow_department::Walk`], as JSON.
///
/// # Errors
/// [`JobFailure::Passing`] when the database does not answer.
pub async fn run(app: &App, payload: &str) -> Result<JobEnd, JobFailure> {
    let walk = serde_json::from_str(payload)
        .map_err(|error| JobFailure::Final(format!("the payload is not a walk: {error}")))?;
    match follow_department::follow(app, walk).await {
        Ok(()) => Ok(JobEnd::Done),
        Err(failure) => Err(JobFailure::Passing(failure.to_string())),
    }
}
