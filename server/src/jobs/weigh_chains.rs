//! Weighs statements about chains that found no room in the push that they followed from, and comes back at once while
//! there are more.

use super::{JobEnd, JobFailure};
use crate::app::App;
use crate::failure::Failure;
use crate::usecases::time_proof;

/// Takes up again what is not done, once for all servers on this database.
///
/// # Errors
/// When the database does not answer.
pub async fn schedule(app: &App) -> Result<(), Failure> {
    let shared = app.clone();
    app.db
        .write(move |tx| time_proof::weigh_soon(&shared, tx, shared.clock.now()))
        .await
}

/// Does a part.
///
/// # Errors
/// [`JobFailure::Passing`] when the database does not answer.
pub async fn run(app: &App) -> Result<JobEnd, JobFailure> {
    match time_proof::weigh_left_over(app).await {
        Ok(true) => Ok(JobEnd::Again(app.clock.now())),
        Ok(false) => Ok(JobEnd::Done),
        Err(failure) => Err(JobFailure::Passing(failure.to_string())),
    }
}
