//! What commands over REST have in common, whatever they act upon.

use actix_web::{HttpResponse, HttpResponseBuilder};
use hazardloop_domain::ids::{CommandId, KeyId, PersonId};
use hazardloop_domain::time::Timestamp;
use hazardloop_sync_protocol::wire::{Bytes, CoSignature};
use serde::Deserialize;
use utoipa::ToSchema;

use super::problem::Problem;
use super::versions::etag;
use crate::failure::Failure;

/// A second person's signature on a command.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CoSignatureBody {
    /// Who signs.
    person_id: PersonId,
    /// By which key: the id of a device of theirs, or of a PIN key.
    key_id: KeyId,
    /// When, as their device says.
    signed_at: Timestamp,
    /// Which algorithm: 1, Ed25519.
    #[schema(example = 1)]
    algorithm: u8,
    /// The signature over the command's statement, base64url without padding. PROTOCOL.md says
    /// what the statement is made of.
    #[schema(value_type = String)]
    signature: Bytes,
}

impl From<CoSignatureBody> for CoSignature {
    fn from(body: CoSignatureBody) -> Self {
        Self {
            person_id: body.person_id,
            key_id: body.key_id,
            signed_at: body.signed_at,
            algorithm: body.algorithm,
            signature: body.signature,
        }
    }
}

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
