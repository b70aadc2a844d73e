//! Push: commands up, an outcome per command down.

use hazardloop_domain::command::AnchorToken;
use hazardloop_domain::hash::Digest;
use hazardloop_domain::hazard::FieldName;
use hazardloop_domain::ids::InstallId;
use hazardloop_domain::refusal::Refusal;
use hazardloop_domain::time::Timestamp;
use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use super::Envelope;

/// A batch of commands of one install, in order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Encode, Decode)]
#[serde(deny_unknown_fields)]
#[cbor(map)]
pub struct PushRequest {
    /// Protocol version of this message.
    #[n(0)]
    pub protocol: u16,
    /// Whose commands.
    #[n(1)]
    pub install_id: InstallId,
    /// The commands, `seq` ascending without gaps.
    #[n(2)]
    pub commands: Vec<Envelope>,
    /// Sequences among these: commands that took no effect, and about which their author has chosen since. A hub that
    /// was restored, and judges them anew, carries none of them out.
    #[n(3)]
    #[cbor(default, skip_if = "Vec::is_empty")]
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub settled: Vec<i64>,
}

/// The hub's answer: as many results as commands, in their order, unless `expected` says that
/// the batch began too late.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Encode, Decode)]
#[cbor(map)]
pub struct PushResponse {
    /// Newest protocol version the server speaks.
    #[n(0)]
    pub protocol: u16,
    /// The server's epoch; a new one means it was restored from a backup.
    #[n(1)]
    pub epoch: String,
    /// The server's time.
    #[n(2)]
    pub server_time: Timestamp,
    /// Highest sequence of this install that has a receipt.
    #[n(3)]
    pub last: i64,
    /// One result a command.
    #[n(4)]
    pub results: Vec<PushResult>,
    /// GAP: the sequence that must come next. Commands from there on were not looked at.
    #[n(5)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected: Option<i64>,
    /// Photos that this person named and whose bytes the server still lacks (bounded list).
    #[n(6)]
    #[cbor(default)]
    #[serde(default)]
    pub missing_photos: Vec<Digest>,
    /// What shows later that the device knew the server's time: see [`crate::hub::AnchorKey`].
    #[n(7)]
    #[cbor(default, skip_if = "Option::is_none")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub anchor: Option<AnchorToken>,
}

/// What became of one pushed command.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Encode, Decode)]
#[serde(rename_all = "snake_case")]
pub enum PushResult {
    /// Its receipt; the same again whenever the same command is pushed again.
    #[n(0)]
    Receipt(#[n(0)] Receipt),
    /// Another command has this sequence already; this one was not recorded.
    #[n(1)]
    IdReused {
        /// The sequence.
        #[n(0)]
        seq: i64,
    },
}

/// A command's receipt: final, stored, repeatable.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Encode, Decode)]
#[cbor(map)]
pub struct Receipt {
    /// The sequence.
    #[n(0)]
    pub seq: i64,
    /// When the server received it: proof that it existed by then.
    #[n(1)]
    pub received_at: Timestamp,
    /// What became of it.
    #[n(2)]
    pub outcome: Outcome,
}

/// What became of a command. Every outcome is final and lets the next command through.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Encode, Decode)]
#[serde(tag = "name", rename_all = "snake_case")]
pub enum Outcome {
    /// It took effect; the record has this version now.
    #[n(0)]
    Applied {
        /// The record's version.
        #[n(0)]
        version: i64,
    },
    /// It took effect beside a change its author had not seen.
    #[n(1)]
    Merged {
        /// The record's version.
        #[n(0)]
        version: i64,
    },
    /// Somebody was faster. Its values are kept where both can be seen; a person compares.
    #[n(2)]
    Conflict {
        /// The record's version.
        #[n(0)]
        current: i64,
        /// Fields with two values; empty where a step was already taken.
        #[n(1)]
        fields: Vec<FieldName>,
        /// The rule that stood in the way, where a step was already taken.
        #[n(2)]
        #[serde(skip_serializing_if = "Option::is_none")]
        refusal: Option<Refusal>,
    },
    /// The rules refuse it. It stays on the server and on the device for a person to settle.
    #[n(3)]
    Rejected {
        /// Why.
        #[n(0)]
        refusal: Refusal,
    },
    /// It could not be judged (yet). It stays on the server for a person to settle.
    #[n(4)]
    Quarantined {
        /// Why.
        #[n(0)]
        reason: QuarantineReason,
        /// In words.
        #[n(1)]
        detail: String,
    },
    /// It builds on an earlier command of the same install that did not take effect.
    #[n(5)]
    BlockedBy {
        /// That command's sequence.
        #[n(0)]
        seq: i64,
    },
}

impl Outcome {
    /// The stable name, for tables and people.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Applied { .. } => "applied",
            Self::Merged { .. } => "merged",
            Self::Conflict { .. } => "conflict",
            Self::Rejected { .. } => "rejected",
            Self::Quarantined { .. } => "quarantined",
            Self::BlockedBy { .. } => "blocked_by",
        }
    }

    /// Whether the command changed the record.
    pub const fn took_effect(&self) -> bool {
        matches!(self, Self::Applied { .. } | Self::Merged { .. })
    }
}

/// Why a command could not be judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Encode, Decode)]
#[serde(rename_all = "snake_case")]
#[cbor(index_only)]
pub enum QuarantineReason {
    /// This server does not know the kind.
    #[n(0)]
    UnknownKind,
    /// This server does not know that version of the kind.
    #[n(1)]
    UnknownVersion,
    /// The payload cannot be read.
    #[n(2)]
    MalformedPayload,
    /// The signature does not fit the install's key.
    #[n(3)]
    BadSignature,
    /// The command does not continue the install's chain.
    #[n(4)]
    BrokenChain,
    /// Its author is no longer responsible here; made before, it waits for a person.
    #[n(5)]
    Reassigned,
    /// A co-signer's key was revoked after they signed, by their device's clock; a person must
    /// say whether they did.
    #[n(6)]
    CoSignerRevoked,
    /// Offered by its device after that was revoked: kept, and never carried out.
    #[n(7)]
    OfferedAfterRevocation,
}
