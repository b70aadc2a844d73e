//! The fields of the steps beside the main line: plans, extensions, grades, transfers, listed
//! supervision, suspension, penalties.

use super::{
    CriterionRef, Decode, Deserialize, Encode, Grade, HazardId, JurisdictionId, LocalDate,
    PhotoRef, Serialize, Timestamp,
};

wire_struct! {
    /// Somebody named in a plan.
    pub struct Party {
        /// Name.
        #[n(0)]
        pub name: String,
        /// 职务.
        #[n(1)]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub post: Option<String>,
        /// Phone.
        #[n(2)]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub phone: Option<String>,
    }
}

wire_struct! {
    /// What an expert said.
    pub struct ExpertOpinion {
        /// Who.
        #[n(0)]
        pub name: String,
        /// The opinion.
        #[n(1)]
        pub opinion: String,
        /// On which day.
        #[n(2)]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub given_on: Option<LocalDate>,
    }
}

wire_struct! {
    /// The plan of a correction. A general hazard's says who does what by when; a major one's has the
    /// five fulfilments (五落实: 责任、措施、资金、时限、预案; Order 16 of 2007, Art. 15) and its report
    /// to the workers' congress (安全生产法 Art. 41).
    pub struct SubmitPlan {
        /// 责任: the leader who answers for it, with a phone.
        #[n(0)]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub leader: Option<Party>,
        /// 责任: who carries it out; for a major hazard with a phone.
        #[n(1)]
        pub responsible: Party,
        /// 措施: until it is corrected.
        #[n(2)]
        #[cbor(default)]
        #[serde(default)]
        pub measures_interim: String,
        /// 措施: that correct it.
        #[n(3)]
        pub measures_permanent: String,
        /// 资金, fen (1/100 CNY); a major hazard's plan states it, be it 0.
        #[n(4)]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub funds_fen: Option<u64>,
        /// 资金来源.
        #[n(5)]
        #[cbor(default)]
        #[serde(default)]
        pub funds_source: String,
        /// 时限: the last day; not after the order's.
        #[n(6)]
        pub due_date: LocalDate,
        /// 阶段目标, by date; for a major hazard at least one.
        #[n(7)]
        #[cbor(default)]
        #[serde(default)]
        pub milestones: Vec<Milestone>,
        /// 预案.
        #[n(8)]
        #[cbor(default)]
        #[serde(default)]
        pub contingency: String,
        /// The report to the workers' congress or on the notice board; required for a major hazard.
        #[n(9)]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub workers_congress: Option<WorkersCongress>,
        /// The notice board (公告栏), documents; a major hazard's plan shows one or says why not.
        #[n(10)]
        #[cbor(default)]
        #[serde(default)]
        pub photos: Vec<PhotoRef>,
        /// 治理目标.
        #[n(11)]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub goal: Option<String>,
        /// Why there is no photo of the notice board.
        #[n(12)]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub no_photo_reason: Option<String>,
    }
}

wire_struct! {
    /// One stage of a plan.
    pub struct Milestone {
        /// Its last day.
        #[n(0)]
        pub due_date: LocalDate,
        /// What is done by then.
        #[n(1)]
        pub goal: String,
    }
}

wire_struct! {
    /// How the workers were told.
    pub struct WorkersCongress {
        /// On which day.
        #[n(0)]
        pub reported_on: LocalDate,
        /// 职工代表大会, 公告栏, or otherwise.
        #[n(1)]
        pub how: String,
    }
}

wire_struct! {
    /// Acknowledges or returns a plan.
    pub struct DecidePlan {
        /// Acknowledged, or returned for more work.
        #[n(0)]
        pub accepted: bool,
        /// 审查意见.
        #[n(1)]
        pub opinion: String,
        /// When what it decides on was recorded, as its author saw it; something else waiting by then
        /// is not decided on.
        #[n(2)]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub on: Option<Timestamp>,
    }
}

wire_struct! {
    /// Asks for a later due date.
    pub struct RequestExtension {
        /// The last day asked for.
        #[n(0)]
        pub new_due_date: LocalDate,
        /// Why.
        #[n(1)]
        pub reason: String,
        /// 临时管控措施 until then.
        #[n(2)]
        pub interim_controls: String,
        /// What an expert says; required beyond a number of days that is configuration.
        #[n(3)]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub expert_opinion: Option<ExpertOpinion>,
    }
}

wire_struct! {
    /// Grants or refuses an extension.
    pub struct DecideExtension {
        /// Granted or refused.
        #[n(0)]
        pub granted: bool,
        /// 审批意见.
        #[n(1)]
        pub opinion: String,
        /// When what it decides on was recorded, as its author saw it; something else waiting by then
        /// is not decided on.
        #[n(2)]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub on: Option<Timestamp>,
    }
}

wire_struct! {
    /// Changes the grade.
    pub struct ChangeGrade {
        /// The grade from now on.
        #[n(0)]
        pub grade: Grade,
        /// Why.
        #[n(1)]
        pub reason: String,
        /// The criterion of the new grade.
        #[n(2)]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub criterion: Option<CriterionRef>,
        /// The basis in words where no criterion fits.
        #[n(3)]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub basis: Option<String>,
        /// 专家意见: goes with a basis in words.
        #[n(4)]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub expert_opinion: Option<ExpertOpinion>,
    }
}

wire_struct! {
    /// A second person's word on what needs two.
    pub struct DecideProposal {
        /// Agreed or not.
        #[n(0)]
        pub agreed: bool,
        /// Why.
        #[n(1)]
        pub opinion: String,
        /// When what it decides on was recorded, as its author saw it; something else waiting by then
        /// is not decided on.
        #[n(2)]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub on: Option<Timestamp>,
    }
}

wire_struct! {
    /// Says that a report repeats another.
    pub struct Merge {
        /// The hazard that goes on.
        #[n(0)]
        pub into: HazardId,
        /// Why.
        #[n(1)]
        pub reason: String,
    }
}

wire_struct! {
    /// Hands a hazard to another body.
    pub struct Transfer {
        /// 接收单位.
        #[n(0)]
        pub to_body: String,
        /// Its jurisdiction, when it works in this system.
        #[n(1)]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub to_jurisdiction: Option<JurisdictionId>,
        /// Why.
        #[n(2)]
        pub reason: String,
        /// 移送书 number.
        #[n(3)]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub document_no: Option<String>,
    }
}

wire_struct! {
    /// The receipt for a transfer.
    pub struct ReceiveTransfer {
        /// Taken over, or sent back.
        #[n(0)]
        pub accepted: bool,
        /// 回执 number.
        #[n(1)]
        pub receipt_no: String,
        /// Why it was sent back, or what was agreed.
        #[n(2)]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub note: Option<String>,
    }
}

wire_names! {
    /// The level of listed supervision. Which hazard goes to which level is configuration: no
    /// public rule of Chongqing was found.
    pub enum ListingLevel {
        /// 镇街.
        Town = 0, "town";
        /// 区县.
        District = 1, "district";
        /// 市.
        City = 2, "city";
        /// 省.
        Province = 3, "province";
        /// 国家.
        Nation = 4, "nation";
    }
}

wire_struct! {
    /// Puts a hazard under listed supervision.
    pub struct ListSupervision {
        /// Level.
        #[n(0)]
        pub level: ListingLevel,
        /// 挂牌督办通知书 number.
        #[n(1)]
        pub document_no: String,
        /// 督办单位.
        #[n(2)]
        pub authority: String,
        /// 督办要求.
        #[n(3)]
        pub requirement: String,
        /// 督办期限: the last day; the order's own due date stays as it is.
        #[n(4)]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub deadline: Option<LocalDate>,
    }
}

wire_struct! {
    /// Takes a hazard off the list.
    pub struct Delist {
        /// 摘牌 document number.
        #[n(0)]
        pub document_no: String,
        /// Why.
        #[n(1)]
        pub opinion: String,
    }
}

wire_struct! {
    /// Orders work to stop (安全生产法 Art. 65, 70).
    pub struct OrderSuspension {
        /// Document number.
        #[n(0)]
        pub document_no: String,
        /// Which part of the site, equipment or work.
        #[n(1)]
        pub scope: String,
        /// The article, and why.
        #[n(2)]
        pub basis: String,
        /// Whether people are ordered out.
        #[n(3)]
        #[cbor(default)]
        #[serde(default)]
        pub evacuate: bool,
    }
}

wire_struct! {
    /// Asks to resume (Order 16 of 2007, Art. 18).
    pub struct RequestResumption {
        /// The written application.
        #[n(0)]
        pub application: String,
        /// 评估: by the enterprise's own experts or a qualified agency.
        #[n(1)]
        pub assessment: String,
        /// Documents and photos.
        #[n(2)]
        #[cbor(default)]
        #[serde(default)]
        pub photos: Vec<PhotoRef>,
    }
}

wire_struct! {
    /// Consents to resumption or not, after a review on site (Order 16 of 2007, Art. 23).
    pub struct DecideResumption {
        /// Consent.
        #[n(0)]
        pub granted: bool,
        /// Document number.
        #[n(1)]
        pub document_no: String,
        /// 审查意见.
        #[n(2)]
        pub opinion: String,
        /// Photos of the review; consent shows one or says why not.
        #[n(3)]
        #[cbor(default)]
        #[serde(default)]
        pub photos: Vec<PhotoRef>,
        /// When what it decides on was recorded, as its author saw it; something else waiting by then
        /// is not decided on.
        #[n(4)]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub on: Option<Timestamp>,
        /// The day of the review on site; consent needs one.
        #[n(5)]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub reviewed_on: Option<LocalDate>,
        /// Why the review has no photo.
        #[n(6)]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub no_photo_reason: Option<String>,
    }
}

wire_struct! {
    /// 抽查: the department looks at a closed hazard again. One that fails is open again.
    pub struct SpotCheck {
        /// Whether the correction holds.
        #[n(0)]
        pub passed: bool,
        /// 抽查意见.
        #[n(1)]
        pub opinion: String,
        /// Photos of the place as it is now.
        #[n(2)]
        #[cbor(default)]
        #[serde(default)]
        pub photos: Vec<PhotoRef>,
        /// Why there is no photo; one or the other is needed.
        #[n(3)]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub no_photo_reason: Option<String>,
        /// When the closure that was looked at was recorded, as its author saw it.
        #[n(4)]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub on: Option<Timestamp>,
        /// 虚假整改: the correction was false; of one that fails.
        #[n(5)]
        #[cbor(default)]
        #[serde(default)]
        pub false_closure: bool,
    }
}

wire_struct! {
    /// Notes a penalty case. The procedure itself belongs to the legal case system.
    pub struct RecordPenalty {
        /// 案号.
        #[n(0)]
        pub case_no: String,
        /// The decision, once there is one.
        #[n(1)]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub decision: Option<PenaltyDecision>,
    }
}

wire_struct! {
    /// How a penalty case ended.
    pub struct PenaltyDecision {
        /// 决定书 number; for a decision not to punish, its own.
        #[n(0)]
        pub document_no: String,
        /// On which day.
        #[n(1)]
        pub decided_on: LocalDate,
        /// What was decided.
        #[n(2)]
        pub result: String,
    }
}

wire_struct! {
    /// Says which sector and department a hazard belongs to.
    pub struct AssignSector {
        /// 监管行业.
        #[n(0)]
        pub sector: String,
        /// 主管部门, by name.
        #[n(1)]
        pub department: String,
        /// 业务相近: assigned for want of a department whose duty it plainly is.
        #[n(2)]
        #[cbor(default)]
        #[serde(default)]
        pub by_fallback: bool,
    }
}

wire_struct! {
    /// Computes a provisional due date again.
    pub struct RecomputeDeadline {}
}
