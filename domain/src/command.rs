//! Everything people can do, one variant a thing: the only way in for REST, sync, files and jobs.

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::geography::Position;
use crate::hash::Digest;
use crate::ids::{EnterpriseId, HazardId, InspectionId, InstallId, JurisdictionId, SubjectId};
use crate::time::{LocalDate, Timestamp};

#[macro_use]
mod macros;
mod anchor_token;
mod co_signer;
mod inspections;
mod lifecycle;
mod names;
mod payloads;
mod photos;
pub use anchor_token::{ANCHOR_TOKEN_LENGTH, AnchorToken};
pub use co_signer::{CoSigner, SignatureBytes};
pub use inspections::*;
pub use lifecycle::*;
pub use names::*;
pub use payloads::*;

/// One act upon one subject.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    /// What is acted upon; for an act that begins it, the id its author made for it.
    pub subject_id: SubjectId,
    /// What is done.
    pub action: Action,
}

impl Command {
    /// One act upon one subject.
    pub fn new(subject: impl Into<SubjectId>, action: Action) -> Self {
        Self {
            subject_id: subject.into(),
            action,
        }
    }

    /// What it acts upon, with its kind.
    pub fn subject(&self) -> Subject {
        self.action.kind().subject().with(self.subject_id)
    }
}

/// What kinds of thing commands act upon.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SubjectKind {
    /// A hazard.
    Hazard,
    /// An inspection or self-check.
    Inspection,
}

impl SubjectKind {
    /// Every kind.
    pub const ALL: &'static [Self] = &[Self::Hazard, Self::Inspection];

    /// The name that the events table uses.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Hazard => "hazard",
            Self::Inspection => "inspection",
        }
    }

    /// The kind with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.as_str() == name)
    }

    /// The subject of this kind with this id.
    pub fn with(self, id: SubjectId) -> Subject {
        match self {
            Self::Hazard => Subject::Hazard(HazardId(id.0)),
            Self::Inspection => Subject::Inspection(InspectionId(id.0)),
        }
    }
}

/// What one command acts upon.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subject {
    /// A hazard.
    Hazard(HazardId),
    /// An inspection or self-check.
    Inspection(InspectionId),
}

impl Subject {
    /// What kind of thing.
    pub const fn kind(self) -> SubjectKind {
        match self {
            Self::Hazard(_) => SubjectKind::Hazard,
            Self::Inspection(_) => SubjectKind::Inspection,
        }
    }

    /// Which one.
    pub fn id(self) -> SubjectId {
        match self {
            Self::Hazard(id) => id.into(),
            Self::Inspection(id) => id.into(),
        }
    }
}

macro_rules! actions {
    ($($(#[$doc:meta])* $variant:ident($payload:ty) = $number:literal, $name:literal;)*) => {
        /// What is done. JSON: tagged by `kind`.
        #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
        #[serde(tag = "kind")]
        pub enum Action {
            $($(#[$doc])* #[serde(rename = $name)] $variant($payload),)*
        }

        /// The kind of an action: its stable name on the wire, in tables and in documents.
        #[derive(
            Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
            Encode, Decode,
        )]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
        #[cbor(index_only)]
        pub enum ActionKind {
            $($(#[$doc])* #[n($number)] #[serde(rename = $name)] $variant,)*
        }

        impl ActionKind {
            /// Every kind.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The stable name.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name),* }
            }
        }

        impl Action {
            /// The kind of this action.
            pub const fn kind(&self) -> ActionKind {
                match self { $(Self::$variant(_) => ActionKind::$variant),* }
            }

            /// The CBOR of the action's own fields (a map with integer keys).
            pub fn encode_fields(&self) -> Vec<u8> {
                let mut bytes = Vec::new();
                let outcome = match self {
                    $(Self::$variant(fields) => minicbor::encode(fields, &mut bytes),)*
                };
                // Writing to a Vec cannot fail.
                debug_assert!(outcome.is_ok());
                bytes
            }

            /// Reads the fields of an action of `kind`. Unknown keys are passed over.
            pub fn decode_fields(
                kind: ActionKind,
                bytes: &[u8],
            ) -> Result<Self, minicbor::decode::Error> {
                match kind {
                    $(ActionKind::$variant => minicbor::decode(bytes).map(Self::$variant),)*
                }
            }
        }
    };
}

actions! {
    /// Reports a hazard (上报).
    Report(Report) = 0, "report";
    /// Corrects what a report says (更正).
    Amend(Amend) = 1, "amend";
    /// Adds a photo (补充照片).
    AttachPhoto(AttachPhoto) = 2, "attach_photo";
    /// Confirms the hazard, its grade and its due date (核实确认).
    Confirm(Confirm) = 3, "confirm";
    /// Rejects the report: untrue, or no hazard (不予认定).
    Reject(Reject) = 4, "reject";
    /// Submits a completed rectification for re-inspection (提交整改).
    SubmitRectification(SubmitRectification) = 5, "submit_rectification";
    /// Re-inspects a submission: pass or return (复查).
    Reinspect(Reinspect) = 6, "reinspect";
    /// Closes the hazard (销号).
    Close(Close) = 7, "close";
    /// Reopens a closed hazard (重新开启).
    Reopen(Reopen) = 8, "reopen";
    /// Adds a note (备注).
    Note(Note) = 9, "note";
    /// Records that a photo is lost for good (登记照片遗失).
    RecordPhotoLost(RecordPhotoLost) = 10, "record_photo_lost";
    /// Takes one's own report back (撤回).
    Withdraw(Withdraw) = 13, "withdraw";
    /// Plans an inspection (制定检查计划).
    PlanInspection(PlanInspection) = 60, "plan_inspection";
    /// Begins an inspection on site, planned or not (开始检查).
    StartInspection(StartInspection) = 61, "start_inspection";
    /// Records results of checklist items (登记检查项结果).
    RecordResults(RecordResults) = 62, "record_results";
    /// Names a hazard, or an expert's advice, that the inspection led to (登记发现的问题).
    LinkFinding(LinkFinding) = 63, "link_finding";
    /// Names the hazard that an expert's advice became (专家意见转隐患).
    ConvertFinding(ConvertFinding) = 64, "convert_finding";
    /// Records who was there (登记到场人员).
    RecordAttendance(RecordAttendance) = 65, "record_attendance";
    /// Signs the record (签字).
    SignInspection(SignInspection) = 66, "sign_inspection";
    /// Records that the enterprise refused to sign (登记拒绝签字).
    RecordRefusal(RecordRefusal) = 67, "record_refusal";
    /// Completes an inspection (检查结束).
    CompleteInspection(CompleteInspection) = 68, "complete_inspection";
    /// Cancels a planned inspection (取消检查计划).
    CancelInspection(CancelInspection) = 69, "cancel_inspection";
    /// Hands in a whole self-check at once (提交自查).
    SubmitSelfCheck(SubmitSelfCheck) = 70, "submit_self_check";
    /// Adds a photo to an inspection (补充检查照片).
    AttachInspectionPhoto(AttachPhoto) = 71, "attach_inspection_photo";
    /// Records that a photo of an inspection is lost for good (登记检查照片遗失).
    RecordInspectionPhotoLost(RecordPhotoLost) = 72, "record_inspection_photo_lost";
    /// Changes who inspects (调整检查人员).
    ChangeTeam(ChangeTeam) = 73, "change_team";
    /// The server alone: the enterprise moved, and its inspections with it.
    InspectionFollowEnterprise(FollowEnterprise) = 77, "inspection_follow_enterprise";
    /// The server alone: a photo that an inspection names arrived and matches its hash.
    ReceiveInspectionPhoto(ReceivePhoto) = 78, "receive_inspection_photo";
    /// The server alone: a named photo's bytes arrived and match their hash.
    ReceivePhoto(ReceivePhoto) = 11, "receive_photo";
    /// The server alone: the enterprise moved, and its hazards with it.
    FollowEnterprise(FollowEnterprise) = 12, "follow_enterprise";
    /// Hands in the plan of the correction, with the five fulfilments (提交整改方案).
    SubmitPlan(SubmitPlan) = 14, "submit_plan";
    /// Acknowledges or returns the plan of a major hazard (方案审查).
    DecidePlan(DecidePlan) = 15, "decide_plan";
    /// Asks for a later due date (申请延期).
    RequestExtension(RequestExtension) = 16, "request_extension";
    /// Grants or refuses it (延期审批).
    DecideExtension(DecideExtension) = 17, "decide_extension";
    /// Changes the grade (调整等级).
    ChangeGrade(ChangeGrade) = 18, "change_grade";
    /// A second person agrees to what needs two, or does not (第二人复核).
    DecideProposal(DecideProposal) = 19, "decide_proposal";
    /// Says that the report repeats one that is there already (合并).
    Merge(Merge) = 20, "merge";
    /// Hands the hazard to another body (移送).
    Transfer(Transfer) = 21, "transfer";
    /// Records that body's receipt, or that it sent the hazard back (移送回执).
    ReceiveTransfer(ReceiveTransfer) = 22, "receive_transfer";
    /// Puts the hazard under listed supervision (挂牌督办).
    ListSupervision(ListSupervision) = 23, "list_supervision";
    /// Takes it off the list (摘牌).
    Delist(Delist) = 24, "delist";
    /// Orders work to stop (责令暂时停产停业、停止使用).
    OrderSuspension(OrderSuspension) = 25, "order_suspension";
    /// Asks to resume (申请恢复生产).
    RequestResumption(RequestResumption) = 26, "request_resumption";
    /// Consents to it or not, after a review on site (恢复生产审查).
    DecideResumption(DecideResumption) = 27, "decide_resumption";
    /// Notes a penalty case and its decision (处罚案件).
    RecordPenalty(RecordPenalty) = 28, "record_penalty";
    /// Says which sector and department the hazard belongs to (明确主管部门).
    AssignSector(AssignSector) = 29, "assign_sector";
    /// Looks at a closed hazard again (抽查).
    SpotCheck(SpotCheck) = 31, "spot_check";
    /// The server alone: a calendar arrived that moves a provisional due date.
    RecomputeDeadline(RecomputeDeadline) = 30, "recompute_deadline";
}

impl Action {
    /// The criterion that this names as a basis. A report's is what its finder thinks, and binds nobody.
    pub const fn cites(&self) -> Option<&CriterionRef> {
        match self {
            Self::Confirm(confirm) => confirm.criterion.as_ref(),
            Self::ChangeGrade(change) => change.criterion.as_ref(),
            _ => None,
        }
    }
}

impl ActionKind {
    /// The kind with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.as_str() == name)
    }

    /// What actions of this kind act upon.
    pub const fn subject(self) -> SubjectKind {
        match self {
            Self::PlanInspection
            | Self::StartInspection
            | Self::RecordResults
            | Self::LinkFinding
            | Self::ConvertFinding
            | Self::RecordAttendance
            | Self::SignInspection
            | Self::RecordRefusal
            | Self::CompleteInspection
            | Self::CancelInspection
            | Self::SubmitSelfCheck
            | Self::AttachInspectionPhoto
            | Self::RecordInspectionPhotoLost
            | Self::ChangeTeam
            | Self::InspectionFollowEnterprise
            | Self::ReceiveInspectionPhoto => SubjectKind::Inspection,
            _ => SubjectKind::Hazard,
        }
    }

    /// Whether an action of this kind begins its subject, under the id that its author made.
    pub const fn may_begin(self) -> bool {
        matches!(
            self,
            Self::Report | Self::PlanInspection | Self::StartInspection | Self::SubmitSelfCheck
        )
    }

    /// Whether only the server itself acts so.
    pub const fn is_servers_own(self) -> bool {
        matches!(
            self,
            Self::ReceivePhoto
                | Self::FollowEnterprise
                | Self::RecomputeDeadline
                | Self::InspectionFollowEnterprise
                | Self::ReceiveInspectionPhoto
        )
    }

    /// The newest version of this kind's payload that this build writes.
    pub const fn version(self) -> u16 {
        1
    }

    /// Whether this build can decode `version` of this kind: every version ever released.
    pub const fn knows_version(self, version: u16) -> bool {
        version >= 1 && version <= self.version()
    }
}

/// What the device's clocks said when a command was made. Kept as evidence; nothing is ordered
/// by it, and it alone proves no time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Encode, Decode)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
#[cbor(map)]
pub struct ClockReading {
    /// Wall clock of the device.
    #[n(0)]
    pub wall: Timestamp,
    /// Monotonic clock since boot, milliseconds.
    #[n(1)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub monotonic_ms: Option<i64>,
    /// Which boot the monotonic clock belongs to.
    #[n(2)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub boot_id: Option<uuid_bytes::BootId>,
    /// The server's time at the device's last contact.
    #[n(3)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server_anchor: Option<Timestamp>,
    /// The device's monotonic clock at that contact, milliseconds, when in the same boot.
    #[n(4)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub anchor_monotonic_ms: Option<i64>,
    /// What the server gave out with its time then, and nobody else can make. Said once in a chain: where it is
    /// absent, that of the command before holds.
    #[n(5)]
    #[cbor(default, skip_if = "Option::is_none")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub anchor_token: Option<AnchorToken>,
}

impl ClockReading {
    /// When the command was made, as far as its device can tell: as its clock says, and not before the
    /// server's own time at its last contact. Server and device judge by the same.
    pub fn made_at(&self) -> Timestamp {
        self.wall.max(self.server_anchor.unwrap_or(self.wall))
    }
}

pub use uuid_bytes::BootId;

/// The boot identifier's own type, apart so that its codec stays with the other ids.
pub mod uuid_bytes {
    /// One boot of one device; random, made by its platform.
    pub type BootId = crate::ids::InstallId;
}

/// By which door a command came, and what is known of its making.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Encode, Decode)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cbor(map)]
pub struct Origin {
    /// The install that signed it; absent for REST and for the server itself.
    #[n(0)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub install_id: Option<InstallId>,
    /// Its sequence in that install.
    #[n(1)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seq: Option<i64>,
    /// What the device's clocks said.
    #[n(2)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub made: Option<ClockReading>,
    /// The others who signed the same command, their signatures checked.
    #[n(3)]
    #[cbor(default, skip_if = "Vec::is_empty")]
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub co_signers: Vec<CoSigner>,
}

impl Origin {
    /// A command that came straight to the server.
    pub const DIRECT: Self = Self {
        install_id: None,
        seq: None,
        made: None,
        co_signers: Vec::new(),
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_have_distinct_names_that_read_back() {
        for kind in ActionKind::ALL {
            assert_eq!(ActionKind::from_name(kind.as_str()), Some(*kind));
        }
        let names: std::collections::BTreeSet<_> =
            ActionKind::ALL.iter().map(|kind| kind.as_str()).collect();
        assert_eq!(names.len(), ActionKind::ALL.len());
    }

    #[test]
    fn unknown_json_fields_and_kinds_are_refused() {
        let extra = r#"{"kind":"note","text":"a","colour":"red"}"#;
        assert!(serde_json::from_str::<Action>(extra).is_err());
        assert!(serde_json::from_str::<Action>(r#"{"kind":"abolish","text":"a"}"#).is_err());
        let twice = r#"{"kind":"note","text":"a","text":"b"}"#;
        assert!(serde_json::from_str::<Action>(twice).is_err());
    }
}
