//! Has planned inspections go with a desk that was handed over, once it is the successor's.

use super::{JobEnd, JobFailure};
use crate::app::App;
use crate::usecases::hand_over_teams;

/// `payload` is the id of the hand-over.
///
/// # Errors
/// [`JobFailure::Passing`] when the database does not answer.
pub async fn run(app: &App, payload: &str) -> Result<JobEnd, JobFailure> {
    let Ok(id) = payload.parse() else {
        let why = "the payload is not the id of a hand-over";
        return Err(JobFailure::Final(why.to_owned()));
    };
    match hand_over_teams::go_on(app, id).await {
        Ok(()) => Ok(JobEnd::Done),
        Err(failure) => Err(JobFailure::Passing(failure.to_string())),
    }
}
