//! Error answers that many operations share, for the description of the API.

use utoipa::IntoResponses;

use super::problem::Problem;

/// What every operation for people who signed in may answer.
#[derive(IntoResponses)]
#[allow(dead_code, reason = "read by the macro that describes the API")]
pub enum CallerProblems {
    /// Not signed in: no token, an invalid or expired one, or one whose session has ended
    #[response(status = 401, content_type = "application/problem+json")]
    Unauthenticated(Problem),
    /// Not permitted, or the device was revoked
    #[response(status = 403, content_type = "application/problem+json")]
    Forbidden(Problem),
    /// Too many requests; `Retry-After` says how long to wait
    #[response(status = 429, content_type = "application/problem+json")]
    RateLimited(Problem),
    /// The database is busy; `Retry-After` says when to try again
    #[response(status = 503, content_type = "application/problem+json")]
    Unavailable(Problem),
}

/// What every operation that takes a JSON body may answer.
#[derive(IntoResponses)]
#[allow(dead_code, reason = "read by the macro that describes the API")]
pub enum BodyProblems {
    /// Not JSON, or not strictly so: a key twice, a NUL, nested too deep
    #[response(status = 400, content_type = "application/problem+json")]
    Malformed(Problem),
    /// The body came too slowly
    #[response(status = 408, content_type = "application/problem+json")]
    TooSlow(Problem),
    /// The body is too large
    #[response(status = 413, content_type = "application/problem+json")]
    TooLarge(Problem),
    /// The body is not `application/json`, or compressed
    #[response(status = 415, content_type = "application/problem+json")]
    UnsupportedMedia(Problem),
    /// A field is missing, unknown, or not acceptable
    #[response(status = 422, content_type = "application/problem+json")]
    Invalid(Problem),
}
