//! The state of one hazard, as the server stores it and devices receive it.

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use super::entries::{Disputed, FieldVersions, NoteEntry, Photo};
use super::overlays::{
    Authority, Deadline, Extension, Listing, Penalty, Plan, Proposal, SpotCheckRecord, Suspension,
    TransferRecord,
};
use crate::command::{
    CriterionRef, ExpertOpinion, Grade, Nature, PhotoPair, SelfAcceptance, Served, Source,
};
use crate::geography::Position;
use crate::hash::Digest;
use crate::ids::{EnterpriseId, HazardId, JurisdictionId, PersonId};
use crate::time::{LocalDate, Timestamp};

/// The name of a state, for tables, filters and refusals.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Encode, Decode,
)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
#[cbor(index_only)]
pub enum StatusName {
    /// Not yet known to the server.
    #[n(0)]
    Unreported,
    /// 已上报.
    #[n(1)]
    Reported,
    /// 已确认, with a due date.
    #[n(2)]
    Confirmed,
    /// 整改中: planned, returned by a re-inspection, or reopened.
    #[n(3)]
    Rectifying,
    /// 待复查.
    #[n(4)]
    PendingReinspection,
    /// 已销号.
    #[n(5)]
    Closed,
    /// 不予认定.
    #[n(6)]
    Rejected,
    /// 已撤回, before anybody confirmed it.
    #[n(7)]
    Withdrawn,
    /// 已合并 into another.
    #[n(8)]
    Merged,
    /// 已移送: handed to another body, waiting for its receipt or ended by it.
    #[n(9)]
    Transferred,
}

impl StatusName {
    /// Every state of a hazard that exists.
    pub const EXISTING: &'static [Self] = &[
        Self::Reported,
        Self::Confirmed,
        Self::Rectifying,
        Self::PendingReinspection,
        Self::Closed,
        Self::Rejected,
        Self::Withdrawn,
        Self::Merged,
        Self::Transferred,
    ];

    /// States in which work on the hazard goes on.
    pub const OPEN: &'static [Self] = &[
        Self::Reported,
        Self::Confirmed,
        Self::Rectifying,
        Self::PendingReinspection,
    ];

    /// The identifier that databases, JSON and documents use.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unreported => "unreported",
            Self::Reported => "reported",
            Self::Confirmed => "confirmed",
            Self::Rectifying => "rectifying",
            Self::PendingReinspection => "pending_reinspection",
            Self::Closed => "closed",
            Self::Rejected => "rejected",
            Self::Withdrawn => "withdrawn",
            Self::Merged => "merged",
            Self::Transferred => "transferred",
        }
    }

    /// The state with this identifier.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::EXISTING
            .iter()
            .copied()
            .find(|state| state.as_str() == name)
    }
}

record! {
    /// What a confirmation orders: it exists from confirmation on.
    pub struct Order {
        /// Who confirmed.
        #[n(0)]
        pub confirmed_by: PersonId,
        /// When the server recorded it.
        #[n(1)]
        pub confirmed_at: Timestamp,
        /// 整改责任人.
        #[n(2)]
        pub responsible_person: String,
        /// 整改要求.
        #[n(3)]
        pub requirement: String,
        /// First formal deadline (last day); figures count by it.
        #[n(4)]
        pub due_date_original: LocalDate,
        /// The deadline in force.
        #[n(5)]
        pub due_date: LocalDate,
        /// The basis in words where no criterion fits.
        #[n(6)]
        #[serde(skip_serializing_if = "Option::is_none")]
        pub basis: Option<String>,
        /// How the due date in force was counted, where it was.
        #[n(7)]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub deadline: Option<Deadline>,
        /// Who set it.
        #[n(8)]
        #[cbor(default, skip_if = "Authority::is_department")]
        #[serde(default)]
        pub authority: Authority,
        /// The second inspector.
        #[n(9)]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub second: Option<PersonId>,
        /// 专家意见.
        #[n(10)]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub expert_opinion: Option<ExpertOpinion>,
        /// 整改责任单位, where it is not the enterprise itself.
        #[n(11)]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub responsible_unit: Option<String>,
        /// How the enterprise took the order.
        #[n(12)]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub served: Option<Served>,
        /// How the first due date was counted, where it was.
        #[n(13)]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub deadline_original: Option<Deadline>,
        /// The principal declared the hazard major: until the department has acknowledged a plan, the
        /// due date is the enterprise's own word.
        #[n(14)]
        #[cbor(default, skip_if = "is_false")]
        #[serde(default)]
        pub self_declared: bool,
        /// 存在问题 as it stood when the order was issued: what is amended later was not ordered.
        #[n(15)]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub fact: Option<String>,
        /// The jurisdiction in which it was issued, where another one answers for the hazard since.
        #[n(16)]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub issued_in: Option<JurisdictionId>,
    }
}

record! {
    /// A rectification handed in for re-inspection.
    pub struct Submission {
        /// Who handed it in.
        #[n(0)]
        pub submitted_by: PersonId,
        /// When the server recorded it.
        #[n(1)]
        pub submitted_at: Timestamp,
        /// 整改措施.
        #[n(2)]
        pub measures: String,
        /// Completion, as the submitter says.
        #[n(3)]
        pub completed_at: Timestamp,
        /// 整改资金, fen.
        #[n(4)]
        #[serde(skip_serializing_if = "Option::is_none")]
        pub cost_fen: Option<u64>,
        /// Inspectors who have passed it.
        #[n(5)]
        pub passed_by: Vec<PersonId>,
        /// Which photo after the correction shows the place of which photo before it.
        #[n(6)]
        #[cbor(default, skip_if = "Vec::is_empty")]
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        pub pairs: Vec<PhotoPair>,
        /// 自验收.
        #[n(7)]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub self_acceptance: Option<SelfAcceptance>,
        /// Photos after the correction that came with it or since, paired ones among them: those of an
        /// earlier submission that failed show nothing of this one.
        #[n(8)]
        #[cbor(default, skip_if = "Vec::is_empty")]
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        pub shown_by: Vec<Digest>,
    }
}

/// Where the hazard stands. A variant carries what exists only there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Encode, Decode)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "name", rename_all = "snake_case")]
pub enum Status {
    /// Waiting for confirmation.
    #[n(1)]
    Reported,
    /// Confirmed, to be corrected.
    #[n(2)]
    Confirmed {
        /// The order.
        #[n(0)]
        order: Order,
    },
    /// Being corrected: by a plan, or again after a return or reopening.
    #[n(3)]
    Rectifying {
        /// The order.
        #[n(0)]
        order: Order,
        /// Why it came back; absent: the first time.
        #[n(1)]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        returned_because: Option<String>,
        /// How often it has come back.
        #[n(2)]
        returns: u32,
    },
    /// Handed in, waiting for re-inspection.
    #[n(4)]
    PendingReinspection {
        /// The order.
        #[n(0)]
        order: Order,
        /// What was handed in.
        #[n(1)]
        submission: Submission,
        /// How often it has come back before.
        #[n(2)]
        returns: u32,
    },
    /// Closed.
    #[n(5)]
    Closed {
        /// The order.
        #[n(0)]
        order: Order,
        /// What was accepted.
        #[n(1)]
        submission: Submission,
        /// Who closed it.
        #[n(2)]
        closed_by: PersonId,
        /// When the server recorded it.
        #[n(3)]
        closed_at: Timestamp,
        /// 销号意见.
        #[n(4)]
        opinion: String,
        /// How often it had come back before.
        #[n(5)]
        returns: u32,
    },
    /// Rejected.
    #[n(6)]
    Rejected {
        /// Who rejected it.
        #[n(0)]
        rejected_by: PersonId,
        /// Why.
        #[n(1)]
        reason: String,
    },
    /// Taken back by whoever reported it.
    #[n(7)]
    Withdrawn {
        /// Why.
        #[n(0)]
        reason: String,
    },
    /// Repeats another.
    #[n(8)]
    Merged {
        /// Who found that.
        #[n(0)]
        merged_by: PersonId,
        /// The hazard that goes on.
        #[n(1)]
        into: HazardId,
        /// Why.
        #[n(2)]
        reason: String,
    },
    /// Handed to another body.
    #[n(9)]
    Transferred {
        /// To whom, and what became of it.
        #[n(0)]
        transfer: TransferRecord,
    },
}

record! {
    /// One hazard.
    pub struct Hazard {
        /// Identifier, made by whoever reported it.
        #[n(0)]
        pub id: HazardId,
        /// The number by which people quote it.
        #[n(1)]
        pub number: String,
        /// Counts its events; the ETag.
        #[n(2)]
        pub version: i64,
        /// The enterprise, when known.
        #[n(3)]
        #[serde(skip_serializing_if = "Option::is_none")]
        pub enterprise_id: Option<EnterpriseId>,
        /// Who answers for the place.
        #[n(4)]
        pub jurisdiction_id: JurisdictionId,
        /// How it came to be known.
        #[n(5)]
        pub source: Source,
        /// Grade: the finder's until confirmation, then the confirmed one.
        #[n(6)]
        pub grade: Grade,
        /// The criterion that counts.
        #[n(7)]
        #[serde(skip_serializing_if = "Option::is_none")]
        pub criterion: Option<CriterionRef>,
        /// What is wrong.
        #[n(8)]
        pub description: String,
        /// Place within the site.
        #[n(9)]
        pub place_text: String,
        /// Where.
        #[n(10)]
        #[serde(skip_serializing_if = "Option::is_none")]
        pub position: Option<Position>,
        /// When found, as its finder says.
        #[n(11)]
        pub found_at: Timestamp,
        /// Who reported it.
        #[n(12)]
        pub reported_by: PersonId,
        /// When the server received the report.
        #[n(13)]
        pub received_at: Timestamp,
        /// What was done at once.
        #[n(14)]
        #[serde(skip_serializing_if = "Option::is_none")]
        pub immediate_measure: Option<String>,
        /// Why the report has no photo.
        #[n(15)]
        #[serde(skip_serializing_if = "Option::is_none")]
        pub no_photo_reason: Option<String>,
        /// Where it stands.
        #[n(16)]
        pub status: Status,
        /// Its photos, in the order in which they were named.
        #[n(17)]
        pub photos: Vec<Photo>,
        /// Its notes, oldest first.
        #[n(18)]
        pub notes: Vec<NoteEntry>,
        /// Fields that two people changed at once.
        #[n(19)]
        pub disputed: Vec<Disputed>,
        /// When each field last changed.
        #[n(20)]
        pub field_versions: FieldVersions,
        /// Whether an earlier closure was found to be false.
        #[n(21)]
        #[cbor(default)]
        pub false_closure: bool,
        /// The newest event's time.
        #[n(22)]
        pub updated_at: Timestamp,
        /// 监管行业; absent: nobody knows yet.
        #[n(23)]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub sector: Option<String>,
        /// 主管部门, once named.
        #[n(24)]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub department: Option<String>,
        /// What kind of hazard it is.
        #[n(25)]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub nature: Option<Nature>,
        /// 即查即改.
        #[n(26)]
        #[cbor(default, skip_if = "is_false")]
        #[serde(default)]
        pub fixed_on_spot: bool,
        /// The closed hazard that this one repeats.
        #[n(27)]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub recurrence_of: Option<HazardId>,
        /// The last plan handed in.
        #[n(28)]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub plan: Option<Plan>,
        /// Applications for a later due date, oldest first.
        #[n(29)]
        #[cbor(default, skip_if = "Vec::is_empty")]
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        pub extensions: Vec<Extension>,
        /// What waits for a second person.
        #[n(30)]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub proposal: Option<Proposal>,
        /// Listed supervision, in force or ended.
        #[n(31)]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub listing: Option<Listing>,
        /// The last suspension, in force or ended.
        #[n(32)]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub suspension: Option<Suspension>,
        /// Penalty cases, oldest first.
        #[n(33)]
        #[cbor(default, skip_if = "Vec::is_empty")]
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        pub penalties: Vec<Penalty>,
        /// Another body took it over: it no longer follows its enterprise's moves.
        #[n(34)]
        #[cbor(default, skip_if = "is_false")]
        #[serde(default)]
        pub taken_over: bool,
        /// 抽查 since its closures, oldest first.
        #[n(35)]
        #[cbor(default, skip_if = "Vec::is_empty")]
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        pub spot_checks: Vec<SpotCheckRecord>,
        /// How often it was opened again after closure.
        #[n(36)]
        #[cbor(default, skip_if = "is_zero")]
        #[serde(default)]
        pub reopened: u32,
        /// It was reported of one enterprise and turned out to be another's: nobody there has found and
        /// told it themselves.
        #[n(37)]
        #[cbor(default, skip_if = "is_false")]
        #[serde(default)]
        pub readdressed: bool,
    }
}

/// What was never set is not written either: records of earlier builds stay byte for byte.
#[allow(clippy::trivially_copy_pass_by_ref)] // the codec's signature
pub(super) const fn is_false(flag: &bool) -> bool {
    !*flag
}

/// As [`is_false`].
#[allow(clippy::trivially_copy_pass_by_ref)] // the codec's signature
const fn is_zero(count: &u32) -> bool {
    *count == 0
}
