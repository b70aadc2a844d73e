//! Makes the thumbnail of one photo. A photo that cannot be decoded fails its own job only.

use super::{JobEnd, JobFailure};
use crate::app::App;
use crate::usecases::photos::{NoThumbnail, make_thumbnail};

/// `payload` is the photo's SHA-256, hex.
///
/// # Errors
/// [`JobFailure::Final`] for a photo that cannot be decoded.
pub async fn run(app: &App, payload: &str) -> Result<JobEnd, JobFailure> {
    let sha256 = payload
        .parse()
        .map_err(|_| JobFailure::Final("the payload is not a SHA-256".to_owned()))?;
    match make_thumbnail(app, sha256).await {
        Ok(()) => Ok(JobEnd::Done),
        Err(NoThumbnail::Never(why)) => Err(JobFailure::Final(why)),
        Err(NoThumbnail::Later(failure)) => Err(JobFailure::Passing(failure.to_string())),
    }
}
