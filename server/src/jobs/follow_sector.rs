//! Gives open hazards the sector to which their enterprise was corrected.

use super::{JobEnd, JobFailure};
use crate::app::App;
use crate::usecases::follow_sector;

/// `payload` is a [`follow_sector::Corrected`], as text.
///
/// # Errors
/// [`JobFailure::Passing`] when the database does not answer.
pub async fn run(app: &App, payload: &str) -> Result<JobEnd, JobFailure> {
    let Ok(corrected) = payload.parse() else {
        let why = "the payload is not an enterprise and a sector";
        return Err(JobFailure::Final(why.to_owned()));
    };
    match follow_sector::follow(app, &corrected).await {
        Ok(()) => Ok(JobEnd::Done),
        Err(failure) => Err(JobFailure::Passing(failure.to_string())),
    }
}
