//! What happened to a hazard, append-only, and how one event is hashed onto the one before.

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use super::state::is_false;
use crate::command::{
    Amend, AssignSector, AttachPhoto, ChangeGrade, Close, Confirm, DecideExtension, DecidePlan,
    DecideProposal, DecideResumption, Delist, FollowEnterprise, ListSupervision, Merge, Note,
    OrderSuspension, Origin, ReceivePhoto, ReceiveTransfer, RecordPenalty, RecordPhotoLost,
    Reinspect, Reject, Reopen, Report, RequestExtension, RequestResumption, SpotCheck, SubmitPlan,
    SubmitRectification, Transfer, Withdraw,
};
use crate::hash::Digest;
use crate::hazard::{Authority, Deadline, FieldName, Proposed};
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
        /// 监管行业 of the enterprise, when known.
        #[n(2)]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        sector: Option<String>,
        /// The hazard that it says it repeats is not there, or is none that it can repeat.
        #[n(3)]
        #[cbor(default, skip_if = "is_false")]
        #[serde(default)]
        claim_unfounded: bool,
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
        /// 监管行业 of that enterprise.
        #[n(2)]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        sector: Option<String>,
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
        /// The due date that it sets, where days were counted.
        #[n(1)]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        deadline: Option<Deadline>,
        /// Who set it.
        #[n(2)]
        #[cbor(default, skip_if = "Authority::is_department")]
        #[serde(default)]
        authority: Authority,
        /// The second inspector, who signed the same command.
        #[n(3)]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        second: Option<PersonId>,
        /// The principal declared it major.
        #[n(4)]
        #[cbor(default, skip_if = "is_false")]
        #[serde(default)]
        self_declared: bool,
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
        /// The second inspector, who signed the same command.
        #[n(1)]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        second: Option<PersonId>,
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
    /// A plan was handed in.
    #[n(15)]
    PlanSubmitted {
        /// As handed in.
        #[n(0)]
        plan: SubmitPlan,
    },
    /// A plan was acknowledged or returned.
    #[n(16)]
    PlanDecided {
        /// As decided.
        #[n(0)]
        decision: DecidePlan,
    },
    /// A later due date was asked for.
    #[n(17)]
    ExtensionRequested {
        /// As asked for.
        #[n(0)]
        request: RequestExtension,
        /// It came after the due date; only the device's clock says that it was made before.
        #[n(1)]
        time_unproven: bool,
        /// The principal asked.
        #[n(2)]
        #[cbor(default, skip_if = "is_false")]
        #[serde(default)]
        by_principal: bool,
    },
    /// It was granted or refused.
    #[n(18)]
    ExtensionDecided {
        /// As decided.
        #[n(0)]
        decision: DecideExtension,
    },
    /// The grade changed.
    #[n(19)]
    GradeChanged {
        /// As changed.
        #[n(0)]
        change: ChangeGrade,
    },
    /// A step was taken that needs a second person.
    #[n(20)]
    ProposalMade {
        /// Which.
        #[n(0)]
        proposed: Proposed,
    },
    /// The second person agreed or did not.
    #[n(21)]
    ProposalDecided {
        /// As decided.
        #[n(0)]
        decision: DecideProposal,
    },
    /// The report repeats another.
    #[n(22)]
    Merged {
        /// As merged.
        #[n(0)]
        merge: Merge,
    },
    /// Handed to another body.
    #[n(23)]
    Transferred {
        /// As handed over.
        #[n(0)]
        transfer: Transfer,
    },
    /// That body gave its receipt, or sent it back.
    #[n(24)]
    TransferReceived {
        /// As received.
        #[n(0)]
        receipt: ReceiveTransfer,
    },
    /// Put under listed supervision.
    #[n(25)]
    Listed {
        /// As listed.
        #[n(0)]
        listing: ListSupervision,
        /// For which body.
        #[n(1)]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by_jurisdiction: Option<JurisdictionId>,
    },
    /// Taken off the list.
    #[n(26)]
    Delisted {
        /// As delisted.
        #[n(0)]
        delisting: Delist,
    },
    /// Work was ordered to stop.
    #[n(27)]
    SuspensionOrdered {
        /// As ordered.
        #[n(0)]
        suspension: OrderSuspension,
    },
    /// Resuming was asked for.
    #[n(28)]
    ResumptionRequested {
        /// As asked for.
        #[n(0)]
        application: RequestResumption,
    },
    /// Resuming was consented to or not.
    #[n(29)]
    ResumptionDecided {
        /// As decided.
        #[n(0)]
        decision: DecideResumption,
    },
    /// A penalty case was noted.
    #[n(30)]
    PenaltyRecorded {
        /// As noted.
        #[n(0)]
        penalty: RecordPenalty,
    },
    /// Sector and department were named.
    #[n(31)]
    SectorAssigned {
        /// As named.
        #[n(0)]
        assignment: AssignSector,
    },
    /// A calendar arrived and the provisional due date was computed again.
    #[n(32)]
    DeadlineRecomputed {
        /// The due date now.
        #[n(0)]
        deadline: Deadline,
    },
    /// A closed hazard was looked at again.
    #[n(33)]
    SpotChecked {
        /// As found.
        #[n(0)]
        check: SpotCheck,
    },
    /// Its jurisdiction was merged into another, which answers from now on.
    #[n(34)]
    JurisdictionMerged {
        /// Which into which.
        #[n(0)]
        change: FollowEnterprise,
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
            Self::JurisdictionMerged { .. } => "jurisdiction_merged",
            Self::Withdrawn { .. } => "withdrawn",
            Self::PlanSubmitted { .. } => "plan_submitted",
            Self::PlanDecided { .. } => "plan_decided",
            Self::ExtensionRequested { .. } => "extension_requested",
            Self::ExtensionDecided { .. } => "extension_decided",
            Self::GradeChanged { .. } => "grade_changed",
            Self::ProposalMade { .. } => "proposal_made",
            Self::ProposalDecided { .. } => "proposal_decided",
            Self::Merged { .. } => "merged",
            Self::Transferred { .. } => "transferred",
            Self::TransferReceived { .. } => "transfer_received",
            Self::Listed { .. } => "listed",
            Self::Delisted { .. } => "delisted",
            Self::SuspensionOrdered { .. } => "suspension_ordered",
            Self::ResumptionRequested { .. } => "resumption_requested",
            Self::ResumptionDecided { .. } => "resumption_decided",
            Self::PenaltyRecorded { .. } => "penalty_recorded",
            Self::SectorAssigned { .. } => "sector_assigned",
            Self::DeadlineRecomputed { .. } => "deadline_recomputed",
            Self::SpotChecked { .. } => "spot_checked",
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
