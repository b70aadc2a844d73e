//! Fills the scope of a sector, and comes back at once while there is more.

use hazardloop_sync_protocol::wire::Scope;

use super::{JobEnd, JobFailure};
use crate::app::App;
use crate::usecases::sectors;

/// `payload` is the scope, as text.
///
/// # Errors
/// [`JobFailure::Passing`] when the database does not answer.
pub async fn run(app: &App, payload: &str) -> Result<JobEnd, JobFailure> {
    let Ok(Scope::JurisdictionSector(id, sector)) = payload.parse() else {
        let why = "the payload is not a sector of a jurisdiction";
        return Err(JobFailure::Final(why.to_owned()));
    };
    match sectors::fill(app, (id, sector)).await {
        Ok(true) => Ok(JobEnd::Done),
        Ok(false) => Ok(JobEnd::Again(app.clock.now())),
        Err(failure) => Err(JobFailure::Passing(failure.to_string())),
    }
}
