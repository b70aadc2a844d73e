//! Witnessing: the command by which a device says how far it has seen another device's chain to be.

use hazardloop_domain::command::ClockReading;
use hazardloop_domain::hash::Digest;
use hazardloop_domain::ids::{InstallId, SubjectId};
use minicbor::{Decode, Encode};

use super::{Bytes, CommandPayload, PayloadError};
use crate::codec;

/// The kind. Like giving up, it acts upon no record.
pub const WITNESS_KIND: &str = "witness";
/// The version of its payload.
pub const WITNESS_VERSION: u16 = 1;

/// How far a chain was, as its own device said and signed: the fields of a statement.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct WitnessedHead {
    /// The place of the newest command.
    #[n(0)]
    pub seq: i64,
    /// Its link hash, in full: it stands for that command and all before it.
    #[n(1)]
    pub head: Digest,
    /// Which algorithm signed, as in envelopes.
    #[n(2)]
    pub signature_algorithm: u8,
    /// The signature of that chain's device over both; see [`crate::witness`].
    #[n(3)]
    pub signature: Bytes,
}

/// All that such a payload says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Witness {
    /// The clocks of the device that says it.
    pub made: ClockReading,
    /// Whose chain.
    pub install_id: InstallId,
    /// How far it was.
    pub head: WitnessedHead,
}

impl Witness {
    /// Packs it like any command's payload; the subject is the witnessed install.
    pub fn pack(&self) -> Vec<u8> {
        let payload = CommandPayload {
            made: self.made.clone(),
            subject_id: SubjectId(self.install_id.0),
            fields: Bytes(codec::encode(&self.head)),
            co_signatures: Vec::new(),
            choice: None,
        };
        codec::encode(&payload)
    }

    /// Unpacks the payload of an envelope of this kind.
    ///
    /// # Errors
    /// [`PayloadError`]; the caller keeps the bytes whatever happens.
    pub fn open(version: u16, payload: &[u8], max_depth: usize) -> Result<Self, PayloadError> {
        if version != WITNESS_VERSION {
            return Err(PayloadError::UnknownVersion {
                kind: WITNESS_KIND,
                version,
            });
        }
        let malformed = |error: &dyn std::fmt::Display| PayloadError::Malformed(error.to_string());
        let read: CommandPayload =
            codec::decode_strict(payload, max_depth).map_err(|e| malformed(&e))?;
        let head: WitnessedHead =
            codec::decode_strict(&read.fields.0, max_depth).map_err(|e| malformed(&e))?;
        if head.seq < 1 {
            return Err(malformed(&"a chain's places count from 1"));
        }
        Ok(Self {
            made: read.made,
            install_id: InstallId(read.subject_id.0),
            head,
        })
    }
}
