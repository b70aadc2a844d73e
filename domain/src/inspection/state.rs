//! The state of one inspection, as the server stores it and devices receive it.

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::command::{
    Attendee, Cadence, ChecklistRef, Handling, InspectionKind, ItemOutcome, ItemRef, SignerRole,
    TeamMember,
};
use crate::geography::Position;
use crate::hash::Digest;
use crate::hazard::Photo;
use crate::ids::{
    EnterpriseId, FindingId, HazardId, InspectionId, InstallId, JurisdictionId, PersonId,
};
use crate::time::{LocalDate, Timestamp};

macro_rules! record {
    ($(#[$doc:meta])* pub struct $name:ident { $($body:tt)* }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Encode, Decode)]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
        #[cbor(map)]
        pub struct $name { $($body)* }
    };
}

/// The name of a state, for tables, filters and refusals.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Encode, Decode,
)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
#[cbor(index_only)]
pub enum InspectionState {
    /// Not known to the server.
    #[n(0)]
    Unknown,
    /// 已计划.
    #[n(1)]
    Planned,
    /// 检查中.
    #[n(2)]
    InProgress,
    /// 已完成.
    #[n(3)]
    Completed,
    /// 已取消, before it began.
    #[n(4)]
    Cancelled,
}

impl InspectionState {
    /// Every state of an inspection that exists.
    pub const EXISTING: &'static [Self] = &[
        Self::Planned,
        Self::InProgress,
        Self::Completed,
        Self::Cancelled,
    ];

    /// The identifier that databases, JSON and documents use.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Planned => "planned",
            Self::InProgress => "in_progress",
            Self::Completed => "completed",
            Self::Cancelled => "cancelled",
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

/// Where the inspection stands. A variant carries what exists only there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Encode, Decode)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "name", rename_all = "snake_case")]
pub enum InspectionStatus {
    /// Planned, not begun.
    #[n(1)]
    Planned,
    /// Begun.
    #[n(2)]
    InProgress,
    /// Completed.
    #[n(3)]
    Completed {
        /// Who completed it.
        #[n(0)]
        completed_by: PersonId,
        /// When the server recorded it.
        #[n(1)]
        completed_at: Timestamp,
        /// When it ended, as its author says.
        #[n(2)]
        claimed_at: Timestamp,
        /// 检查情况.
        #[n(3)]
        situation: String,
        /// 未发现隐患.
        #[n(4)]
        no_hazard_found: bool,
        /// Photos named that had not arrived when it was completed.
        #[n(5)]
        photos_awaited: u32,
    },
    /// Cancelled before it began.
    #[n(4)]
    Cancelled {
        /// Who cancelled it.
        #[n(0)]
        cancelled_by: PersonId,
        /// When the server recorded it.
        #[n(1)]
        cancelled_at: Timestamp,
        /// Why.
        #[n(2)]
        reason: String,
    },
}

record! {
    /// The days on which a planned inspection may take place.
    pub struct Window {
        /// First day, Asia/Shanghai.
        #[n(0)]
        pub from: LocalDate,
        /// Last day.
        #[n(1)]
        pub to: LocalDate,
    }
}

record! {
    /// How it began.
    pub struct Started {
        /// Who began it.
        #[n(0)]
        pub by: PersonId,
        /// When the server recorded it.
        #[n(1)]
        pub recorded_at: Timestamp,
        /// When it began, as its author says.
        #[n(2)]
        pub claimed_at: Timestamp,
        /// 检查地点.
        #[n(3)]
        pub place_text: String,
        /// Where, as measured.
        #[n(4)]
        #[serde(skip_serializing_if = "Option::is_none")]
        pub position: Option<Position>,
        /// 出示证件.
        #[n(5)]
        pub certificates_shown: bool,
        /// 告知权利.
        #[n(6)]
        pub rights_told: bool,
    }
}

record! {
    /// One person's result for one item: the last one they recorded.
    pub struct PersonResult {
        /// Whose.
        #[n(0)]
        pub by: PersonId,
        /// When the server recorded it.
        #[n(1)]
        pub at: Timestamp,
        /// What came of it.
        #[n(2)]
        pub outcome: ItemOutcome,
        /// In words.
        #[n(3)]
        #[serde(skip_serializing_if = "Option::is_none")]
        pub note: Option<String>,
        /// Photos of it.
        #[n(4)]
        pub photos: Vec<Digest>,
        /// It arrived after the inspection was completed: kept and shown, not what was signed.
        #[n(5)]
        pub late: bool,
        /// The record's version by which it was here.
        #[n(6)]
        #[cbor(default)]
        #[serde(default)]
        pub version: i64,
        /// The record's version by which it took the place of another outcome of theirs, where it did.
        #[n(7)]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub changed_at: Option<i64>,
        /// From which device that came.
        #[n(8)]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub changed_on: Option<InstallId>,
    }
}

record! {
    /// The results of one item.
    pub struct ItemRecord {
        /// Which item.
        #[n(0)]
        pub item: ItemRef,
        /// One a person, in the order in which they were recorded last; late ones beside.
        #[n(1)]
        pub results: Vec<PersonResult>,
    }
}

impl ItemRecord {
    /// The result that counts: the last one that was recorded before completion.
    pub fn result(&self) -> Option<&PersonResult> {
        self.results.iter().rev().find(|result| !result.late)
    }

    /// Whether somebody said so before completion.
    pub fn was(&self, outcome: ItemOutcome) -> bool {
        let mut in_time = self.results.iter().filter(|result| !result.late);
        in_time.any(|result| result.outcome == outcome)
    }

    /// Whether two people found different things.
    pub fn is_disputed(&self) -> bool {
        let mut outcomes = self.results.iter().map(|result| result.outcome);
        outcomes
            .next()
            .is_some_and(|first| outcomes.any(|other| other != first))
    }
}

record! {
    /// The hazard that an advice became.
    pub struct Conversion {
        /// The hazard.
        #[n(0)]
        pub hazard_id: HazardId,
        /// Who says so.
        #[n(1)]
        pub by: PersonId,
        /// When the server recorded it.
        #[n(2)]
        pub at: Timestamp,
    }
}

record! {
    /// What the inspection led to.
    pub struct Finding {
        /// Its identifier.
        #[n(0)]
        pub id: FindingId,
        /// The hazard.
        #[n(1)]
        #[serde(skip_serializing_if = "Option::is_none")]
        pub hazard_id: Option<HazardId>,
        /// An expert's advice: no order, nobody's duty yet.
        #[n(2)]
        #[serde(skip_serializing_if = "Option::is_none")]
        pub advice: Option<String>,
        /// The item that showed it.
        #[n(3)]
        #[serde(skip_serializing_if = "Option::is_none")]
        pub item: Option<ItemRef>,
        /// What was ordered or done.
        #[n(4)]
        #[serde(skip_serializing_if = "Option::is_none")]
        pub handling: Option<Handling>,
        /// Who recorded it.
        #[n(5)]
        pub by: PersonId,
        /// When the server recorded it.
        #[n(6)]
        pub at: Timestamp,
        /// It arrived after the inspection was completed.
        #[n(7)]
        pub late: bool,
        /// What an advice became.
        #[n(8)]
        #[serde(skip_serializing_if = "Option::is_none")]
        pub converted: Option<Conversion>,
    }
}

record! {
    /// Somebody who was there.
    pub struct Present {
        /// Who, as what, at which part.
        #[n(0)]
        pub attendee: Attendee,
        /// Who says so.
        #[n(1)]
        pub recorded_by: PersonId,
    }
}

record! {
    /// A signature.
    pub struct Signature {
        /// As what.
        #[n(0)]
        pub role: SignerRole,
        /// Whose own account.
        #[n(1)]
        #[serde(skip_serializing_if = "Option::is_none")]
        pub person_id: Option<PersonId>,
        /// Name of a representative without one.
        #[n(2)]
        #[serde(skip_serializing_if = "Option::is_none")]
        pub name: Option<String>,
        /// Their post.
        #[n(3)]
        #[serde(skip_serializing_if = "Option::is_none")]
        pub post: Option<String>,
        /// When, as the author says.
        #[n(4)]
        pub claimed_at: Timestamp,
        /// When the server recorded it.
        #[n(5)]
        pub recorded_at: Timestamp,
        /// On whose device.
        #[n(6)]
        pub recorded_by: PersonId,
        /// The record's version that was signed.
        #[n(7)]
        pub of_version: i64,
        /// Whether an inspector signed by a certificate that was valid then.
        #[n(8)]
        pub certified: bool,
        /// The version in which something that was signed became another: it counts no more.
        #[n(9)]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub voided_by: Option<i64>,
        /// The photo of a handwritten signature, for a representative without an account.
        #[n(10)]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub photo: Option<Digest>,
    }
}

record! {
    /// The enterprise refused to sign (安全生产法 Art. 68).
    pub struct SignatureRefused {
        /// 拒签理由及情况.
        #[n(0)]
        pub reason: String,
        /// Who refused.
        #[n(1)]
        #[serde(skip_serializing_if = "Option::is_none")]
        pub refused_by: Option<String>,
        /// 见证人.
        #[n(2)]
        pub witness: String,
        /// When, as the author says.
        #[n(3)]
        pub claimed_at: Timestamp,
        /// When the server recorded it.
        #[n(4)]
        pub recorded_at: Timestamp,
        /// Who says so.
        #[n(5)]
        pub recorded_by: PersonId,
        /// The record's version that was refused.
        #[n(6)]
        #[cbor(default)]
        #[serde(default)]
        pub of_version: i64,
    }
}

record! {
    /// One inspection.
    pub struct Inspection {
        /// Identifier, made by whoever began the record.
        #[n(0)]
        pub id: InspectionId,
        /// The number by which people quote it.
        #[n(1)]
        pub number: String,
        /// Counts its events; the ETag.
        #[n(2)]
        pub version: i64,
        /// What kind.
        #[n(3)]
        pub kind: InspectionKind,
        /// The enterprise.
        #[n(4)]
        #[serde(skip_serializing_if = "Option::is_none")]
        pub enterprise_id: Option<EnterpriseId>,
        /// Who answers for the place.
        #[n(5)]
        pub jurisdiction_id: JurisdictionId,
        /// How often, for a self-check.
        #[n(6)]
        #[serde(skip_serializing_if = "Option::is_none")]
        pub cadence: Option<Cadence>,
        /// The checklists, each in one edition.
        #[n(7)]
        pub checklists: Vec<ChecklistRef>,
        /// Who inspects.
        #[n(8)]
        pub team: Vec<TeamMember>,
        /// The departments of a joint inspection.
        #[n(9)]
        pub departments: Vec<String>,
        /// 检查依据.
        #[n(10)]
        #[serde(skip_serializing_if = "Option::is_none")]
        pub basis: Option<String>,
        /// Why it came, or came without a plan.
        #[n(11)]
        #[serde(skip_serializing_if = "Option::is_none")]
        pub reason: Option<String>,
        /// 审批编号.
        #[n(12)]
        #[serde(skip_serializing_if = "Option::is_none")]
        pub approval_no: Option<String>,
        /// 检查通知书编号.
        #[n(13)]
        #[serde(skip_serializing_if = "Option::is_none")]
        pub notice_no: Option<String>,
        /// When it was to take place; absent: it was not planned.
        #[n(14)]
        #[serde(skip_serializing_if = "Option::is_none")]
        pub window: Option<Window>,
        /// Who began the record.
        #[n(15)]
        pub created_by: PersonId,
        /// When the server received it.
        #[n(16)]
        pub received_at: Timestamp,
        /// How it began.
        #[n(17)]
        #[serde(skip_serializing_if = "Option::is_none")]
        pub started: Option<Started>,
        /// Where it stands.
        #[n(18)]
        pub status: InspectionStatus,
        /// Results by item, in the order in which items were first answered.
        #[n(19)]
        pub items: Vec<ItemRecord>,
        /// What it led to.
        #[n(20)]
        pub findings: Vec<Finding>,
        /// Who was there.
        #[n(21)]
        pub attendees: Vec<Present>,
        /// Who signed.
        #[n(22)]
        pub signatures: Vec<Signature>,
        /// That the enterprise refused to.
        #[n(23)]
        #[serde(skip_serializing_if = "Option::is_none")]
        pub refusal: Option<SignatureRefused>,
        /// Its photos, in the order in which they were named.
        #[n(24)]
        pub photos: Vec<Photo>,
        /// The newest event's time.
        #[n(25)]
        pub updated_at: Timestamp,
        /// 监管行业 of the enterprise when the record began.
        #[n(26)]
        #[serde(skip_serializing_if = "Option::is_none")]
        pub sector: Option<String>,
    }
}
