//! The placeholder: what travels in the place of a command that a server will not take for its size.

use hazardloop_domain::command::ClockReading;
use hazardloop_domain::command_fate::Choice;
use hazardloop_domain::hash::Digest;
use hazardloop_domain::ids::SubjectId;
use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use super::{Bytes, CommandPayload, Envelope};

/// The kind of a placeholder. No server acts on it: it is quarantined as an unknown kind, which
/// gives it a receipt and lets the next command through.
pub const PLACEHOLDER_KIND: &str = "placeholder";
/// The version of its payload.
pub const PLACEHOLDER_VERSION: u16 = 1;

/// Which command it stands for, in the payload's place of the action's own fields.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Encode, Decode)]
#[cbor(map)]
pub struct Placeholder {
    /// Kind of the command.
    #[n(0)]
    pub kind: String,
    /// Version of its payload.
    #[n(1)]
    pub version: u16,
    /// SHA-256 of its payload: who shows the text later shows that it was this one.
    #[n(2)]
    pub payload: Digest,
    /// Bytes of its payload.
    #[n(3)]
    pub size: u64,
}

impl Placeholder {
    /// What stands for this command.
    pub fn of(envelope: &Envelope) -> Self {
        Self {
            kind: envelope.kind.clone(),
            version: envelope.version,
            payload: Digest::sha256(&envelope.payload.0),
            size: envelope.payload.0.len() as u64,
        }
    }

    /// Packs it like any command's payload. `choice`: what the command says of an earlier one.
    pub fn pack(
        &self,
        made: ClockReading,
        subject_id: SubjectId,
        choice: Option<Choice>,
    ) -> Vec<u8> {
        // Writing to a Vec cannot fail.
        let fields = minicbor::to_vec(self).unwrap_or_default();
        let payload = CommandPayload {
            made,
            subject_id,
            fields: Bytes(fields),
            co_signatures: Vec::new(),
            choice,
        };
        minicbor::to_vec(&payload).unwrap_or_default()
    }
}
