//! Giving up: the command by which an author says that another of theirs, which took no effect, is to have none.

use hazardloop_domain::command::ClockReading;
use hazardloop_domain::command_fate::{Choice, ChoiceKind};
use hazardloop_domain::ids::SubjectId;

use super::{Bytes, CommandPayload, PayloadError};
use crate::codec;

/// The kind. It acts upon no record: the rules of hazards and inspections do not know it.
pub const GIVE_UP_KIND: &str = "give_up";
/// The version of its payload.
pub const GIVE_UP_VERSION: u16 = 1;

/// CBOR of a map without entries: it has no fields of its own.
const NO_FIELDS: &[u8] = &[0xa0];

/// All that such a payload says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GiveUp {
    /// The device's clocks.
    pub made: ClockReading,
    /// What the command that is given up would have acted upon.
    pub subject_id: SubjectId,
    /// Which command, and why.
    pub choice: Choice,
}

impl GiveUp {
    /// Packs it like any command's payload.
    pub fn pack(&self) -> Vec<u8> {
        let payload = CommandPayload {
            made: self.made.clone(),
            subject_id: self.subject_id,
            fields: Bytes(NO_FIELDS.to_vec()),
            co_signatures: Vec::new(),
            choice: Some(self.choice.clone()),
        };
        // Writing to a Vec cannot fail.
        minicbor::to_vec(&payload).unwrap_or_default()
    }

    /// Unpacks the payload of an envelope of this kind.
    ///
    /// # Errors
    /// [`PayloadError`]; the caller keeps the bytes whatever happens.
    pub fn open(version: u16, payload: &[u8], max_depth: usize) -> Result<Self, PayloadError> {
        if version != GIVE_UP_VERSION {
            return Err(PayloadError::UnknownVersion {
                kind: GIVE_UP_KIND,
                version,
            });
        }
        let malformed = |error: &dyn std::fmt::Display| PayloadError::Malformed(error.to_string());
        let read: CommandPayload =
            codec::decode_strict(payload, max_depth).map_err(|e| malformed(&e))?;
        match read.choice {
            Some(choice) if choice.how == ChoiceKind::GivenUp => Ok(Self {
                made: read.made,
                subject_id: read.subject_id,
                choice,
            }),
            Some(_) | None => Err(malformed(&"names no command that is given up")),
        }
    }
}
