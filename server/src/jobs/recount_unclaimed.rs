//! Looks again at who answers for hazards, after a jurisdiction has said who does.

use super::{JobEnd, JobFailure};
use crate::app::App;
use crate::usecases::unclaimed;

/// `payload` is a [`unclaimed::Walk`], as text.
///
/// # Errors
/// [`JobFailure::Passing`] when the database does not answer.
pub async fn run(app: &App, payload: &str) -> Result<JobEnd, JobFailure> {
    let Ok(walk) = payload.parse() else {
        let why = "the payload is not a walk through hazards";
        return Err(JobFailure::Final(why.to_owned()));
    };
    match unclaimed::recount(app, walk).await {
        Ok(()) => Ok(JobEnd::Done),
        Err(failure) => Err(JobFailure::Passing(failure.to_string())),
    }
}
