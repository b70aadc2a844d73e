//! The envelope: one command as its device made, chained and signed it.

use hazardloop_domain::command::{Action, ActionKind, ClockReading, Command};
use hazardloop_domain::command_fate::Choice;
use hazardloop_domain::hash::Digest;
use hazardloop_domain::ids::SubjectId;
use minicbor::decode::{Decoder, Error};
use minicbor::encode::{Encoder, Write};
use minicbor::{Decode, Encode};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::CoSignature;
use crate::cosign::Statement;

/// Ed25519 (RFC 8032), the only signature algorithm of protocol 1.
pub const KEY_ED25519: u8 = 1;

/// In the place of a signature algorithm: the signature is that of a later command of the same run,
/// whose link hash covers this command; see [`crate::chain::signed_by_run`]. The signature's own bytes
/// are empty.
pub const SIGNED_BY_RUN: u8 = 2;

/// Bytes of an Ed25519 signature.
pub const SIGNATURE_LENGTH: usize = 64;

/// A byte string: CBOR byte string, in JSON base64url without padding.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Bytes(pub Vec<u8>);

impl std::fmt::Debug for Bytes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Bytes({})", hex::encode(&self.0))
    }
}

impl Serialize for Bytes {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        use base64::Engine as _;
        s.serialize_str(&base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(&self.0))
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        use base64::Engine as _;
        let text = std::borrow::Cow::<'de, str>::deserialize(d)?;
        base64::engine::general_purpose::URL_SAFE_NO_PAD
            .decode(text.as_bytes())
            .map(Self)
            .map_err(|_| de::Error::custom("bytes are base64url without padding"))
    }
}

impl<C> Encode<C> for Bytes {
    fn encode<W: Write>(
        &self,
        e: &mut Encoder<W>,
        _: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        e.bytes(&self.0)?.ok()
    }
}

impl<'b, C> Decode<'b, C> for Bytes {
    fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, Error> {
        Ok(Self(d.bytes()?.to_vec()))
    }
}

/// One command on the wire. The hub stores and hashes `payload` as received.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Encode, Decode)]
#[serde(deny_unknown_fields)]
#[cbor(map)]
pub struct Envelope {
    /// Place in this install's stream, from 1, without gaps.
    #[n(0)]
    pub seq: i64,
    /// Name of the command's kind.
    #[n(1)]
    pub kind: String,
    /// Version of that kind's payload.
    #[n(2)]
    pub version: u16,
    /// Link hash of the command before; zeros for the first.
    #[n(3)]
    pub previous: Digest,
    /// The payload's bytes, see [`CommandPayload`].
    #[n(4)]
    pub payload: Bytes,
    /// Which algorithm signed: [`KEY_ED25519`], or [`SIGNED_BY_RUN`].
    #[n(5)]
    pub signature_algorithm: u8,
    /// Signature over the link hash, by the install's key.
    #[n(6)]
    pub signature: Bytes,
}

/// What a payload holds: when the device's clocks say it was made, on what, and the
/// fields of the action.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct CommandPayload {
    /// The device's clocks.
    #[n(0)]
    pub made: ClockReading,
    /// What it acts upon; the envelope's kind says what that is.
    #[n(1)]
    pub subject_id: SubjectId,
    /// CBOR of the action's own fields.
    #[n(2)]
    pub fields: Bytes,
    /// Signatures of others who stand behind the same act.
    #[n(3)]
    #[cbor(default, skip_if = "Vec::is_empty")]
    pub co_signatures: Vec<CoSignature>,
    /// The command of the same person that took no effect and whose place this one takes.
    #[n(4)]
    #[cbor(default, skip_if = "Option::is_none")]
    pub choice: Option<Choice>,
}

/// All that a payload says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opened {
    /// The device's clocks.
    pub made: ClockReading,
    /// The command.
    pub command: Command,
    /// The command's statement, over the bytes as they were sent: a newer build may have written
    /// fields that this one does not know, and they were signed too.
    pub statement: Statement,
    /// Signatures over it, not yet checked.
    pub co_signatures: Vec<CoSignature>,
    /// Whose place it takes, not yet checked.
    pub choice: Option<Choice>,
}

/// Why a payload cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PayloadError {
    /// No release of this build's knowledge ever made such a kind.
    #[error("unknown command kind {0:?}")]
    UnknownKind(String),
    /// The kind is known, this version of it is not.
    #[error("unknown version {version} of command kind {kind}")]
    UnknownVersion {
        /// The kind.
        kind: &'static str,
        /// The version that was sent.
        version: u16,
    },
    /// The bytes are not what the kind demands.
    #[error("malformed payload: {0}")]
    Malformed(String),
}

impl CommandPayload {
    /// Packs a command.
    pub fn pack(made: ClockReading, command: &Command) -> Vec<u8> {
        Self::pack_signed(made, command, &[])
    }

    /// Packs a command that others have signed too.
    pub fn pack_signed(
        made: ClockReading,
        command: &Command,
        co_signatures: &[CoSignature],
    ) -> Vec<u8> {
        Self::pack_instead(made, command, co_signatures, None)
    }

    /// Packs a command that perhaps takes the place of one that took no effect.
    pub fn pack_instead(
        made: ClockReading,
        command: &Command,
        co_signatures: &[CoSignature],
        choice: Option<Choice>,
    ) -> Vec<u8> {
        let payload = Self {
            made,
            subject_id: command.subject_id,
            fields: Bytes(command.action.encode_fields()),
            co_signatures: co_signatures.to_vec(),
            choice,
        };
        // Writing to a Vec cannot fail.
        minicbor::to_vec(&payload).unwrap_or_default()
    }

    /// Unpacks an envelope's payload into the command it carries, without the co-signatures.
    ///
    /// # Errors
    /// [`PayloadError`]; the caller keeps the bytes whatever happens.
    pub fn unpack(
        kind: &str,
        version: u16,
        payload: &[u8],
        max_depth: usize,
    ) -> Result<(ClockReading, Command), PayloadError> {
        let opened = Self::open(kind, version, payload, max_depth)?;
        Ok((opened.made, opened.command))
    }

    /// Unpacks an envelope's payload.
    ///
    /// # Errors
    /// [`PayloadError`]; the caller keeps the bytes whatever happens.
    pub fn open(
        kind: &str,
        version: u16,
        payload: &[u8],
        max_depth: usize,
    ) -> Result<Opened, PayloadError> {
        let known = ActionKind::from_name(kind)
            .ok_or_else(|| PayloadError::UnknownKind(kind.chars().take(64).collect()))?;
        if !known.knows_version(version) {
            return Err(PayloadError::UnknownVersion {
                kind: known.as_str(),
                version,
            });
        }
        let malformed = |error: &dyn std::fmt::Display| PayloadError::Malformed(error.to_string());
        let read: Self =
            crate::codec::decode_strict(payload, max_depth).map_err(|e| malformed(&e))?;
        crate::codec::check_well_formed(&read.fields.0, max_depth).map_err(|e| malformed(&e))?;
        let action = Action::decode_fields(known, &read.fields.0).map_err(|e| malformed(&e))?;
        Ok(Opened {
            made: read.made,
            statement: Statement {
                kind: known,
                version,
                subject_id: read.subject_id,
                fields: read.fields.0,
            },
            command: Command {
                subject_id: read.subject_id,
                action,
            },
            co_signatures: read.co_signatures,
            choice: read.choice,
        })
    }
}
