//! What commands over REST have in common, whatever they act upon.

use actix_web::{HttpResponse, HttpResponseBuilder};
use hazardloop_domain::ids::CommandId;

use super::problem::Problem;
use super::versions::etag;
use crate::failure::Failure;

/// Ids of commands are made by whoever sends them, in the order of time.
pub(super) fn require_fresh_id(id: CommandId) -> Result<(), Problem> {
    if id.is_version_7() {
        return Ok(());
    }
    Err(Failure::invalid("command_id", "must be a UUID of version 7").into())
}

/// Begins the answer to a command that was accepted: the version that its subject has now, and whether
/// the command had been taken before.
pub(super) fn accepted(version: i64, repeated: bool) -> HttpResponseBuilder {
    let mut answer = HttpResponse::Ok();
    answer.insert_header(etag(version));
    if repeated {
        answer.insert_header(("Hazardloop-Repeated", "true"));
    }
    answer
}
