//! The fields of what people do to inspections and self-checks. Content of a record: 安全生产法
//! Art. 65-69 and the form 现场检查记录.

use super::{Decode, Deserialize, Encode, EnterpriseId, PhotoRef, Position, Serialize, Timestamp};
use crate::ids::{FindingId, HazardId, PersonId};
use crate::time::LocalDate;

wire_names! {
    /// What kind of inspection it is; fixed at creation.
    pub enum InspectionKind {
        /// 计划检查: by the year's plan (安全生产法 Art. 62).
        Plan = 0, "plan";
        /// 专项检查.
        Special = 1, "special";
        /// 举报核查: after a tip.
        Tip = 2, "tip";
        /// 复查: whether an order was followed.
        Recheck = 3, "recheck";
        /// 联合检查 (综合查一次): several departments, one visit.
        Joint = 4, "joint";
        /// 双随机: enterprise and inspectors drawn by lot.
        DoubleRandom = 5, "double_random";
        /// 明查: an announced visit.
        OpenVisit = 6, "open_visit";
        /// 暗访 (四不两直): the enterprise learns nothing of it before it begins.
        UnannouncedVisit = 7, "unannounced_visit";
        /// 专家指导服务: what it finds is advice until somebody answerable reports it.
        ExpertVisit = 8, "expert_visit";
        /// 企业自查.
        SelfCheck = 9, "self_check";
        /// 网格巡查.
        GridPatrol = 10, "grid_patrol";
    }
}

impl InspectionKind {
    /// Whether a department carries it out by its power of inspection (安全生产法 Art. 65).
    pub const fn is_departments(self) -> bool {
        !matches!(self, Self::ExpertVisit | Self::SelfCheck | Self::GridPatrol)
    }
}

wire_names! {
    /// How often a checklist is gone through, a self-check or patrol is made (“日周月”), or a duty falls due.
    pub enum Cadence {
        /// 每班.
        Shift = 0, "shift";
        /// 每日.
        Daily = 1, "daily";
        /// 每周.
        Weekly = 2, "weekly";
        /// 每月.
        Monthly = 3, "monthly";
        /// 每季度.
        Quarterly = 4, "quarterly";
        /// 每半年.
        HalfYearly = 5, "half_yearly";
        /// 每年.
        Yearly = 6, "yearly";
        /// When its occasion comes: a visit, a holiday, a flood, a restart, a permit.
        Once = 7, "once";
    }
}

wire_struct! {
    /// One edition of one checklist of a pack, and which of its items this inspection must answer.
    pub struct ChecklistRef {
        /// Its code in the catalog.
        #[n(0)]
        pub code: String,
        /// Its edition in the catalog.
        #[n(1)]
        pub edition: u32,
        /// 必查项: items without whose result the inspection is not complete.
        #[n(2)]
        #[cbor(default)]
        #[serde(default)]
        pub mandatory: Vec<String>,
    }
}

wire_struct! {
    /// One item of one of the inspection's checklists. Its words stay in the pack.
    pub struct ItemRef {
        /// Code of the checklist.
        #[n(0)]
        pub checklist: String,
        /// Number or code of the item within it.
        #[n(1)]
        pub item: String,
    }
}

wire_struct! {
    /// One of those who inspect.
    pub struct TeamMember {
        /// Who.
        #[n(0)]
        pub person_id: PersonId,
        /// Of which department or body.
        #[n(1)]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub department: Option<String>,
    }
}

wire_struct! {
    /// What an inspection is, whom it concerns and who carries it out.
    pub struct InspectionSetup {
        /// What kind.
        #[n(0)]
        pub kind: InspectionKind,
        /// The enterprise; absent only for a patrol of a place that is no known enterprise's.
        #[n(1)]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub enterprise_id: Option<EnterpriseId>,
        /// Where, for a patrol without an enterprise.
        #[n(2)]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub position: Option<Position>,
        /// The checklists that are used, each in one edition.
        #[n(3)]
        #[cbor(default)]
        #[serde(default)]
        pub checklists: Vec<ChecklistRef>,
        /// Who inspects. For self-checks and patrols it may be empty.
        #[n(4)]
        #[cbor(default)]
        #[serde(default)]
        pub team: Vec<TeamMember>,
        /// 检查依据: needed for a department's inspection.
        #[n(5)]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub basis: Option<String>,
        /// The departments of a joint inspection, two or more.
        #[n(6)]
        #[cbor(default)]
        #[serde(default)]
        pub departments: Vec<String>,
        /// How often, for a self-check.
        #[n(7)]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub cadence: Option<Cadence>,
        /// Why; needed when a department comes without a plan.
        #[n(8)]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub reason: Option<String>,
        /// 审批编号.
        #[n(9)]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub approval_no: Option<String>,
        /// 检查通知书编号.
        #[n(10)]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub notice_no: Option<String>,
    }
}

wire_struct! {
    /// Plans an inspection.
    pub struct PlanInspection {
        /// What is planned.
        #[n(0)]
        pub setup: InspectionSetup,
        /// The first day on which it may take place, Asia/Shanghai.
        #[n(1)]
        pub window_from: LocalDate,
        /// The last day.
        #[n(2)]
        pub window_to: LocalDate,
    }
}

wire_names! {
    /// As what somebody is present.
    pub enum AttendeeRole {
        /// 主要负责人.
        Principal = 0, "principal";
        /// 安全管理人员.
        SafetyManager = 1, "safety_manager";
        /// 现场作业人员.
        Operator = 2, "operator";
        /// 专家.
        Expert = 3, "expert";
        /// 见证人.
        Witness = 4, "witness";
        /// 检查人员, beside those of the team.
        Inspector = 5, "inspector";
        /// Anybody else.
        Other = 6, "other";
    }
}

wire_names! {
    /// At which part of the visit (三部曲: 告知会、检查、反馈会).
    pub enum VisitPart {
        /// 首次会议（告知）.
        Opening = 0, "opening";
        /// 现场检查.
        OnSite = 1, "on_site";
        /// 末次会议（反馈）.
        Closing = 2, "closing";
    }
}

wire_struct! {
    /// Somebody who was there.
    pub struct Attendee {
        /// At which part.
        #[n(0)]
        pub part: VisitPart,
        /// As what.
        #[n(1)]
        pub role: AttendeeRole,
        /// Name.
        #[n(2)]
        pub name: String,
        /// 职务.
        #[n(3)]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub post: Option<String>,
        /// Telephone.
        #[n(4)]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub phone: Option<String>,
    }
}

wire_struct! {
    /// Begins an inspection.
    pub struct StartInspection {
        /// What it is; only for one that was not planned.
        #[n(0)]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub setup: Option<InspectionSetup>,
        /// When it began, as its author says.
        #[n(1)]
        pub started_at: Timestamp,
        /// 检查地点.
        #[n(2)]
        pub place_text: String,
        /// Where, as measured.
        #[n(3)]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub position: Option<Position>,
        /// 出示证件 (安全生产法 Art. 67): a department must have.
        #[n(4)]
        #[cbor(default)]
        #[serde(default)]
        pub certificates_shown: bool,
        /// 告知权利、询问回避.
        #[n(5)]
        #[cbor(default)]
        #[serde(default)]
        pub rights_told: bool,
        /// Who is there.
        #[n(6)]
        #[cbor(default)]
        #[serde(default)]
        pub attendees: Vec<Attendee>,
    }
}

wire_names! {
    /// What came of one item.
    pub enum ItemOutcome {
        /// 合格.
        Ok = 0, "ok";
        /// 不合格.
        NotOk = 1, "not_ok";
        /// 不适用.
        NotApplicable = 2, "not_applicable";
        /// 未检查.
        NotChecked = 3, "not_checked";
    }
}

wire_struct! {
    /// The result of one item.
    pub struct CheckResult {
        /// Which item.
        #[n(0)]
        pub item: ItemRef,
        /// What came of it.
        #[n(1)]
        pub outcome: ItemOutcome,
        /// In words; needed where the item was not ok.
        #[n(2)]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub note: Option<String>,
        /// Photos of it.
        #[n(3)]
        #[cbor(default)]
        #[serde(default)]
        pub photos: Vec<PhotoRef>,
    }
}

wire_struct! {
    /// Records results. May be sent as often as needed: of one person's results for an item the
    /// last one counts; different results of two people stay both.
    pub struct RecordResults {
        /// The results.
        #[n(0)]
        pub results: Vec<CheckResult>,
    }
}

wire_names! {
    /// What was ordered or done about a finding (安全生产法 Art. 65).
    pub enum Handling {
        /// 当场改正.
        CorrectedOnSpot = 0, "corrected_on_spot";
        /// 责令限期改正.
        RectifyByDeadline = 1, "rectify_by_deadline";
        /// 责令暂时停产停业或者停止使用.
        WorkSuspended = 2, "work_suspended";
    }
}

wire_struct! {
    /// Names what the inspection led to: a hazard that was reported, or an expert's advice.
    pub struct LinkFinding {
        /// UUID of version 7, made by whoever records it.
        #[n(0)]
        pub finding_id: FindingId,
        /// The hazard, reported under this id.
        #[n(1)]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub hazard_id: Option<HazardId>,
        /// The advice, on an expert's visit.
        #[n(2)]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub advice: Option<String>,
        /// The item that showed it.
        #[n(3)]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub item: Option<ItemRef>,
        /// What was ordered or done; needed for a department's inspection.
        #[n(4)]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub handling: Option<Handling>,
    }
}

wire_struct! {
    /// Names the hazard that the enterprise or an inspector reported upon an expert's advice.
    pub struct ConvertFinding {
        /// Which advice.
        #[n(0)]
        pub finding_id: FindingId,
        /// The hazard.
        #[n(1)]
        pub hazard_id: HazardId,
    }
}

wire_struct! {
    /// Records who was there.
    pub struct RecordAttendance {
        /// Who.
        #[n(0)]
        pub attendees: Vec<Attendee>,
    }
}

wire_names! {
    /// As what somebody signs.
    pub enum SignerRole {
        /// 检查人员.
        Inspector = 0, "inspector";
        /// 被检查单位负责人 or whoever they sent.
        EnterpriseRepresentative = 1, "enterprise_representative";
        /// 专家.
        Expert = 2, "expert";
        /// 自查人、巡查人.
        Checker = 3, "checker";
    }
}

wire_struct! {
    /// Signs the record as it stands. Whoever signs for themselves names their own account; a
    /// representative without one is named with their post, by an inspector, and signs by hand on a
    /// photo. Others sign the same command with keys of their own, as its co-signers.
    pub struct SignInspection {
        /// As what.
        #[n(0)]
        pub role: SignerRole,
        /// The author's own account, for a signature of their own.
        #[n(1)]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub person_id: Option<PersonId>,
        /// Name of a representative who signs on the author's device.
        #[n(2)]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub name: Option<String>,
        /// Their post.
        #[n(3)]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub post: Option<String>,
        /// When, as the author says.
        #[n(4)]
        pub signed_at: Timestamp,
        /// The photo of the handwritten signature of a representative who signs on the author's device.
        #[n(5)]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub photo: Option<PhotoRef>,
        /// The version of the record, as the server counts it, that lay before whoever signs; their own
        /// acts since are in it too. Where others' results became different ones since, it is void
        /// at once.
        #[n(6)]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub seen: Option<i64>,
    }
}

wire_struct! {
    /// Records that the enterprise refused to sign (安全生产法 Art. 68).
    pub struct RecordRefusal {
        /// 拒签理由及情况.
        #[n(0)]
        pub reason: String,
        /// Who refused.
        #[n(1)]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub refused_by: Option<String>,
        /// 见证人.
        #[n(2)]
        pub witness: String,
        /// When, as the author says.
        #[n(3)]
        pub refused_at: Timestamp,
    }
}

wire_struct! {
    /// Completes an inspection.
    pub struct CompleteInspection {
        /// When it ended, as its author says.
        #[n(0)]
        pub completed_at: Timestamp,
        /// 检查情况.
        #[n(1)]
        pub situation: String,
        /// 未发现隐患: nothing was found.
        #[n(2)]
        #[cbor(default)]
        #[serde(default)]
        pub no_hazard_found: bool,
    }
}

wire_struct! {
    /// Cancels a planned inspection.
    pub struct CancelInspection {
        /// Why.
        #[n(0)]
        pub reason: String,
    }
}

wire_struct! {
    /// Hands in a whole self-check at once: begun, recorded and completed.
    pub struct SubmitSelfCheck {
        /// How it began; with `setup` unless it was planned.
        #[n(0)]
        pub start: Box<StartInspection>,
        /// The results.
        #[n(1)]
        #[cbor(default)]
        #[serde(default)]
        pub results: Vec<CheckResult>,
        /// The hazards that were reported from it.
        #[n(2)]
        #[cbor(default)]
        #[serde(default)]
        pub findings: Vec<LinkFinding>,
        /// How it ended.
        #[n(3)]
        pub completion: CompleteInspection,
    }
}

wire_struct! {
    /// Changes who inspects.
    pub struct ChangeTeam {
        /// The whole team from now on.
        #[n(0)]
        pub team: Vec<TeamMember>,
        /// Why.
        #[n(1)]
        pub reason: String,
    }
}
