//! What happened to an inspection, append-only.

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::command::{
    AttachPhoto, CancelInspection, ChangeTeam, CompleteInspection, ConvertFinding,
    FollowEnterprise, LinkFinding, Origin, PlanInspection, ReceivePhoto, RecordAttendance,
    RecordPhotoLost, RecordRefusal, RecordResults, SignInspection, SignerRole, StartInspection,
};
use crate::ids::{InspectionId, JurisdictionId, PersonId};
use crate::time::Timestamp;

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Encode, Decode)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum InspectionEvent {
    /// Planned.
    #[n(0)]
    Planned {
        /// As planned.
        #[n(0)]
        plan: PlanInspection,
        /// Who answers for the place.
        #[n(1)]
        jurisdiction_id: JurisdictionId,
        /// 监管行业 of the enterprise.
        #[n(2)]
        #[serde(skip_serializing_if = "Option::is_none")]
        sector: Option<String>,
    },
    /// Begun.
    #[n(1)]
    Started {
        /// As begun.
        #[n(0)]
        start: StartInspection,
        /// Who answers for the place, of one that was not planned.
        #[n(1)]
        #[serde(skip_serializing_if = "Option::is_none")]
        jurisdiction_id: Option<JurisdictionId>,
        /// 监管行业 of the enterprise, likewise.
        #[n(2)]
        #[serde(skip_serializing_if = "Option::is_none")]
        sector: Option<String>,
    },
    /// Results were recorded.
    #[n(2)]
    ResultsRecorded {
        /// As recorded.
        #[n(0)]
        results: RecordResults,
    },
    /// A finding was recorded.
    #[n(3)]
    FindingLinked {
        /// As recorded.
        #[n(0)]
        finding: LinkFinding,
    },
    /// An advice became a hazard.
    #[n(4)]
    FindingConverted {
        /// Which, and to what.
        #[n(0)]
        conversion: ConvertFinding,
    },
    /// Attendance was recorded.
    #[n(5)]
    AttendanceRecorded {
        /// As recorded.
        #[n(0)]
        attendance: RecordAttendance,
    },
    /// Somebody signed.
    #[n(6)]
    Signed {
        /// As signed.
        #[n(0)]
        signing: SignInspection,
        /// Whether by an inspector's certificate that was valid then.
        #[n(1)]
        certified: bool,
        /// Who else signed the same command, with keys of their own.
        #[n(2)]
        #[cbor(default, skip_if = "Vec::is_empty")]
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        seconds: Vec<SecondSignature>,
    },
    /// The enterprise refused to sign.
    #[n(7)]
    SigningRefused {
        /// As recorded.
        #[n(0)]
        refusal: RecordRefusal,
    },
    /// Completed.
    #[n(8)]
    Completed {
        /// As completed.
        #[n(0)]
        completion: CompleteInspection,
        /// Photos named that had not arrived then.
        #[n(1)]
        photos_awaited: u32,
    },
    /// Cancelled.
    #[n(9)]
    Cancelled {
        /// As cancelled.
        #[n(0)]
        cancellation: CancelInspection,
    },
    /// A photo was named.
    #[n(10)]
    PhotoAttached {
        /// The photo.
        #[n(0)]
        attached: AttachPhoto,
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
    /// Others inspect.
    #[n(13)]
    TeamChanged {
        /// Who, and why.
        #[n(0)]
        change: ChangeTeam,
    },
    /// The enterprise moved, and the inspection with it.
    #[n(14)]
    EnterpriseFollowed {
        /// Where to.
        #[n(0)]
        change: FollowEnterprise,
    },
    /// Its jurisdiction was merged into another, which answers from now on.
    #[n(15)]
    JurisdictionMerged {
        /// Which into which.
        #[n(0)]
        change: FollowEnterprise,
    },
}

impl InspectionEvent {
    /// The stable name of the kind, for the events table and its readers.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Planned { .. } => "planned",
            Self::Started { .. } => "started",
            Self::ResultsRecorded { .. } => "results_recorded",
            Self::FindingLinked { .. } => "finding_linked",
            Self::FindingConverted { .. } => "finding_converted",
            Self::AttendanceRecorded { .. } => "attendance_recorded",
            Self::Signed { .. } => "signed",
            Self::SigningRefused { .. } => "signing_refused",
            Self::Completed { .. } => "completed",
            Self::Cancelled { .. } => "cancelled",
            Self::PhotoAttached { .. } => "photo_attached",
            Self::PhotoLost { .. } => "photo_lost",
            Self::PhotoVerified { .. } => "photo_verified",
            Self::TeamChanged { .. } => "team_changed",
            Self::EnterpriseFollowed { .. } => "enterprise_followed",
            Self::JurisdictionMerged { .. } => "jurisdiction_merged",
        }
    }
}

/// The signature of somebody beside the author of a command.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Encode, Decode)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cbor(map)]
pub struct SecondSignature {
    /// Who.
    #[n(0)]
    pub person_id: PersonId,
    /// As what.
    #[n(1)]
    pub role: SignerRole,
    /// Whether by an inspector's certificate that was valid then.
    #[n(2)]
    pub certified: bool,
}

/// One event with who, when and by which door: the bytes that are hashed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Encode, Decode)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cbor(map)]
pub struct InspectionEventRecord {
    /// Of which inspection.
    #[n(0)]
    pub inspection_id: InspectionId,
    /// Its place in the inspection's history, from 1.
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
    pub event: InspectionEvent,
}
