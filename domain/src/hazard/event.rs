//! What happened to a hazard, append-only, and how one event is hashed onto the one before.

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::command::{
    Amend, AttachPhoto, Close, Confirm, FollowEnterprise, Note, Origin, ReceivePhoto,
    RecordPhotoLost, Reinspect, Reject, Reopen, Report, SubmitRectification, Withdraw,
};
use crate::hash::Digest;
use crate::hazard::FieldName;
use crate::ids::{HazardId, JurisdictionId, PersonId};
use crate::time::Timestamp;

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Encode, Decode)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum HazardEvent {
    /// Reported.
    #[n(0)]
    Reported {
        /// As its author wrote it.
        #[n(0)]
        report: Report,
        /// Who answers for the place.
        #[n(1)]
        jurisdiction_id: JurisdictionId,
    },
    /// Fields changed.
    #[n(1)]
    Amended {
        /// The fields that took effect.
        #[n(0)]
        change: Amend,
        /// The jurisdiction, where the enterprise changed.
        #[n(1)]
        #[serde(skip_serializing_if = "Option::is_none")]
        jurisdiction_id: Option<JurisdictionId>,
    },
    /// Fields that somebody else had changed meanwhile: kept beside, not in force.
    #[n(2)]
    AmendmentDisputed {
        /// What its author wanted.
        #[n(0)]
        change: Amend,
        /// The fields in dispute.
        #[n(1)]
        fields: Vec<FieldName>,
    },
    /// A photo was named.
    #[n(3)]
    PhotoAttached {
        /// The photo.
        #[n(0)]
        attached: AttachPhoto,
    },
    /// Confirmed.
    #[n(4)]
    Confirmed {
        /// As confirmed.
        #[n(0)]
        confirmation: Confirm,
    },
    /// Rejected.
    #[n(5)]
    Rejected {
        /// As rejected.
        #[n(0)]
        rejection: Reject,
    },
    /// A rectification was handed in.
    #[n(6)]
    RectificationSubmitted {
        /// As handed in.
        #[n(0)]
        submission: SubmitRectification,
    },
    /// Re-inspected.
    #[n(7)]
    Reinspected {
        /// As found.
        #[n(0)]
        reinspection: Reinspect,
    },
    /// Closed.
    #[n(8)]
    Closed {
        /// As closed.
        #[n(0)]
        closure: Close,
    },
    /// Reopened.
    #[n(9)]
    Reopened {
        /// As reopened.
        #[n(0)]
        reopening: Reopen,
    },
    /// A note was added.
    #[n(10)]
    Noted {
        /// The note.
        #[n(0)]
        note: Note,
    },
    /// A photo was recorded as lost.
    #[n(11)]
    PhotoLost {
        /// Which, and why.
        #[n(0)]
        loss: RecordPhotoLost,
    },
    /// A photo's bytes arrived and match.
    #[n(12)]
    PhotoVerified {
        /// Which.
        #[n(0)]
        receipt: ReceivePhoto,
    },
    /// The enterprise moved, and the hazard with it.
    #[n(13)]
    EnterpriseFollowed {
        /// Whereto.
        #[n(0)]
        change: FollowEnterprise,
    },
    /// Taken back by whoever reported it.
    #[n(14)]
    Withdrawn {
        /// As taken back.
        #[n(0)]
        withdrawal: Withdraw,
    },
}

impl HazardEvent {
    /// The stable name of the kind, for the events table and its readers.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Reported { .. } => "reported",
            Self::Amended { .. } => "amended",
            Self::AmendmentDisputed { .. } => "amendment_disputed",
            Self::PhotoAttached { .. } => "photo_attached",
            Self::Confirmed { .. } => "confirmed",
            Self::Rejected { .. } => "rejected",
            Self::RectificationSubmitted { .. } => "rectification_submitted",
            Self::Reinspected { .. } => "reinspected",
            Self::Closed { .. } => "closed",
            Self::Reopened { .. } => "reopened",
            Self::Noted { .. } => "noted",
            Self::PhotoLost { .. } => "photo_lost",
            Self::PhotoVerified { .. } => "photo_verified",
            Self::EnterpriseFollowed { .. } => "enterprise_followed",
            Self::Withdrawn { .. } => "withdrawn",
        }
    }
}

/// One event with who, when and by which door: the bytes that are hashed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Encode, Decode)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cbor(map)]
pub struct EventRecord {
    /// Of which hazard.
    #[n(0)]
    pub hazard_id: HazardId,
    /// Its place in the hazard's history, from 1.
    #[n(1)]
    pub seq: i64,
    /// Who; absent: the server itself.
    #[n(2)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actor_id: Option<PersonId>,
    /// When the server recorded it.
    #[n(3)]
    pub recorded_at: Timestamp,
    /// By which door, with the device's clocks as evidence.
    #[n(4)]
    pub origin: Origin,
    /// What.
    #[n(5)]
    pub event: HazardEvent,
}

/// Separates event hashes from every other use of the same hash function.
pub const EVENT_HASH_DOMAIN: &[u8] = b"hazardloop event v1";

/// What stands beside an event's body wherever it is stored, and is hashed with it: nobody may
/// change who, when or what kind either.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventHeader<'a> {
    /// `hazard`, `enterprise`, `person`, `device`, `jurisdiction`.
    pub subject_kind: &'a str,
    /// The subject's 16 bytes.
    pub subject_id: &'a [u8],
    /// Place in the subject's history, from 1.
    pub seq: i64,
    /// What happened.
    pub kind: &'a str,
    /// The actor's 16 bytes; empty: the server itself.
    pub actor_id: &'a [u8],
    /// When the server recorded it, milliseconds since the Unix epoch.
    pub recorded_at: i64,
}

/// The hash of an event: over the hash of the event before it (zeros for the first), its header
/// and its own stored bytes.
pub fn event_hash(previous: &Digest, header: &EventHeader<'_>, body: &[u8]) -> Digest {
    Digest::sha256_of_parts(&[
        EVENT_HASH_DOMAIN,
        previous.as_bytes(),
        header.subject_kind.as_bytes(),
        header.subject_id,
        &header.seq.to_be_bytes(),
        header.kind.as_bytes(),
        header.actor_id,
        &header.recorded_at.to_be_bytes(),
        body,
    ])
}
