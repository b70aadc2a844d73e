//! The fields of each action. CBOR: maps with the integer keys given here; JSON: the field names.

use super::{
    Decode, Deserialize, Digest, Encode, EnterpriseId, ExpertOpinion, Grade, HazardDomain,
    HazardId, JurisdictionId, LocalDate, PhotoKind, Position, ReopenCause, Serialize, Source,
    Timestamp,
};
use crate::calendar::DayKind;

pub(crate) use {wire_names, wire_struct};

wire_struct! {
    /// Names a photo, or another piece of evidence, by its content. The bytes travel apart and may
    /// arrive much later.
    pub struct PhotoRef {
        /// SHA-256 of the original's bytes.
        #[n(0)]
        pub sha256: Digest,
        /// Bytes.
        #[n(1)]
        pub size: u64,
        /// `image/jpeg`, `image/png`, `image/webp`, `application/pdf` or `video/mp4`.
        #[n(2)]
        pub media_type: String,
        /// What it shows.
        #[n(3)]
        pub kind: PhotoKind,
        /// When it was taken, as the device says.
        #[n(4)]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub taken_at: Option<Timestamp>,
        /// Where it was taken, as the device says.
        #[n(5)]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub position: Option<Position>,
    }
}

wire_struct! {
    /// One edition of one judgement criterion (判定情形).
    pub struct CriterionRef {
        /// Its code in the catalog.
        #[n(0)]
        pub code: String,
        /// Its edition in the catalog.
        #[n(1)]
        pub edition: u32,
    }
}

wire_struct! {
    /// Reports a hazard.
    pub struct Report {
        /// How it came to be known.
        #[n(0)]
        pub source: Source,
        /// The grade its finder sees; confirmation decides.
        #[n(1)]
        pub grade: Grade,
        /// The enterprise; absent when nobody knows yet.
        #[n(2)]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub enterprise_id: Option<EnterpriseId>,
        /// What is wrong.
        #[n(3)]
        pub description: String,
        /// 部位: which workshop, line, machine.
        #[n(4)]
        pub place_text: String,
        /// Where, as measured; the coordinate reference is required.
        #[n(5)]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub position: Option<Position>,
        /// When it was found, as its finder says.
        #[n(6)]
        pub found_at: Timestamp,
        /// Photos of the hazard.
        #[n(7)]
        #[cbor(default)]
        #[serde(default)]
        pub photos: Vec<PhotoRef>,
        /// Why there is no photo; required when there is none.
        #[n(8)]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub no_photo_reason: Option<String>,
        /// The criterion it meets, as its finder sees it.
        #[n(9)]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub criterion: Option<CriterionRef>,
        /// 临时措施: what was done at once.
        #[n(10)]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub immediate_measure: Option<String>,
        /// 即查即改: it was corrected on the spot; general hazards only, with photos before and after.
        #[n(11)]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub fixed_on_spot: Option<FixedOnSpot>,
        /// 重复隐患: the closed hazard that this one repeats, as its finder sees it.
        #[n(12)]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub recurrence_of: Option<HazardId>,
        /// What kind of hazard it is, and what may come of it.
        #[n(13)]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub nature: Option<Nature>,
    }
}

wire_struct! {
    /// What was done on the spot.
    pub struct FixedOnSpot {
        /// 整改措施.
        #[n(0)]
        pub measures: String,
        /// 整改责任人.
        #[n(1)]
        pub responsible_person: String,
        /// When it was done, as its finder says.
        #[n(2)]
        pub completed_at: Timestamp,
        /// 整改资金, fen (1/100 CNY).
        #[n(3)]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub cost_fen: Option<u64>,
    }
}

wire_struct! {
    /// What kind of hazard it is, and what may come of it. Words and codes are data of the catalog.
    #[derive(Default)]
    pub struct Nature {
        /// Which side of safety.
        #[n(0)]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub domain: Option<HazardDomain>,
        /// 隐患类别, a code or name of the catalog.
        #[n(1)]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub category: Option<String>,
        /// 可能事故类型 (GB 6441).
        #[n(2)]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub accident_type: Option<String>,
        /// 产生原因.
        #[n(3)]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub cause: Option<String>,
        /// 危害程度.
        #[n(4)]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub consequence: Option<String>,
        /// 整改难易程度.
        #[n(5)]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub difficulty: Option<String>,
        /// 风险点 of the enterprise's register.
        #[n(6)]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub risk_point: Option<String>,
    }
}

wire_struct! {
    /// Corrects fields of a report. An absent field stays as it is.
    pub struct Amend {
        /// The version of the record that its author saw.
        #[n(0)]
        pub based_on: i64,
        /// New description.
        #[n(1)]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub description: Option<String>,
        /// New place within the site.
        #[n(2)]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub place_text: Option<String>,
        /// New position.
        #[n(3)]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub position: Option<Position>,
        /// New immediate measure.
        #[n(4)]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub immediate_measure: Option<String>,
        /// The enterprise, once known.
        #[n(5)]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub enterprise_id: Option<EnterpriseId>,
    }
}

wire_struct! {
    /// Adds one photo.
    pub struct AttachPhoto {
        /// The photo.
        #[n(0)]
        pub photo: PhotoRef,
    }
}

wire_struct! {
    /// Confirms a report: grade, basis, who must correct it and by when.
    pub struct Confirm {
        /// The grade that counts.
        #[n(0)]
        pub grade: Grade,
        /// The criterion and its edition; for a major hazard this or `basis`.
        #[n(1)]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub criterion: Option<CriterionRef>,
        /// The basis in words where no criterion fits.
        #[n(2)]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub basis: Option<String>,
        /// 整改责任人.
        #[n(3)]
        pub responsible_person: String,
        /// 整改要求.
        #[n(4)]
        pub requirement: String,
        /// 整改期限: the last day, Asia/Shanghai. Beside a `period`: the day its author was shown.
        #[n(5)]
        pub due_date: LocalDate,
        /// How the deadline was set, when it is a number of days; then whoever decides computes the
        /// day.
        #[n(6)]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub period: Option<Period>,
        /// 专家意见: goes with a basis in words.
        #[n(7)]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub expert_opinion: Option<ExpertOpinion>,
        /// 整改责任单位: a contractor or tenant, where it is not the enterprise itself.
        #[n(8)]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub responsible_unit: Option<String>,
        /// 送达: how the enterprise took the order (安全生产法 Art. 68).
        #[n(9)]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub served: Option<Served>,
        /// 隐患类别, a code or name of the catalog; needed where the report names none.
        #[n(10)]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub category: Option<String>,
    }
}

wire_struct! {
    /// A deadline as a number of days. The first day is not counted.
    pub struct Period {
        /// Days.
        #[n(0)]
        pub days: u32,
        /// Which days count.
        #[n(1)]
        pub kind: DayKind,
        /// The rule that set it, a code of the configuration.
        #[n(2)]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub rule: Option<String>,
    }
}

wire_struct! {
    /// How a representative of the enterprise took a document: signed, or refused to.
    pub struct Served {
        /// 被检查单位人员.
        #[n(0)]
        pub name: String,
        /// 职务.
        #[n(1)]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub post: Option<String>,
        /// The photo of the handwritten signature, among the record's photos.
        #[n(2)]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub signature: Option<Digest>,
        /// 拒签: why it was not signed. Either this or the signature, or a co-signature of the command.
        #[n(3)]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub refused_because: Option<String>,
        /// 见证人 of a refusal.
        #[n(4)]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub witness: Option<String>,
    }
}

wire_struct! {
    /// Rejects a report.
    pub struct Reject {
        /// Why.
        #[n(0)]
        pub reason: String,
    }
}

wire_struct! {
    /// Submits a completed rectification.
    pub struct SubmitRectification {
        /// 整改措施: what was done.
        #[n(0)]
        pub measures: String,
        /// When it was completed, as the submitter says.
        #[n(1)]
        pub completed_at: Timestamp,
        /// Photos after the correction; at least one.
        #[n(2)]
        #[cbor(default)]
        #[serde(default)]
        pub photos: Vec<PhotoRef>,
        /// 整改资金, fen (1/100 CNY); required for a major hazard.
        #[n(3)]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub cost_fen: Option<u64>,
        /// Which photo after the correction shows the place of which photo before it.
        #[n(4)]
        #[cbor(default, skip_if = "Vec::is_empty")]
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        pub pairs: Vec<PhotoPair>,
        /// 自验收: the enterprise's own acceptance; required for a major hazard.
        #[n(5)]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub self_acceptance: Option<SelfAcceptance>,
    }
}

wire_struct! {
    /// Two photos of one place.
    pub struct PhotoPair {
        /// Taken before the correction; named in the record.
        #[n(0)]
        pub before: Digest,
        /// Taken after it; named in the record or in this submission.
        #[n(1)]
        pub after: Digest,
    }
}

wire_struct! {
    /// The enterprise's own acceptance of a correction.
    pub struct SelfAcceptance {
        /// Who accepted it, by name; the principal's own signature is that of the command.
        #[n(0)]
        pub accepted_by: Vec<String>,
        /// 验收意见.
        #[n(1)]
        pub opinion: String,
        /// On which day.
        #[n(2)]
        pub accepted_on: LocalDate,
    }
}

wire_struct! {
    /// Re-inspects a submission.
    pub struct Reinspect {
        /// Passed, or returned for more work.
        #[n(0)]
        pub passed: bool,
        /// 复查意见.
        #[n(1)]
        pub opinion: String,
        /// The inspector's own photos.
        #[n(2)]
        #[cbor(default)]
        #[serde(default)]
        pub photos: Vec<PhotoRef>,
        /// A new working deadline after a return; the original one still counts for figures.
        #[n(3)]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub new_due_date: Option<LocalDate>,
        /// 整改复查意见书 number; passing a major hazard needs it.
        #[n(4)]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub document_no: Option<String>,
        /// The result item by item; passing a major hazard needs one.
        #[n(5)]
        #[cbor(default, skip_if = "Vec::is_empty")]
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        pub items: Vec<ItemResult>,
        /// Why the inspector has no photo; a major hazard needs one or the other.
        #[n(6)]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub no_photo_reason: Option<String>,
        /// When the submission that was looked at was handed in, as the server recorded it: what was
        /// handed in since was not looked at. Whoever signs for a second person names it.
        #[n(7)]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub on: Option<Timestamp>,
    }
}

wire_struct! {
    /// One item of a re-inspection.
    pub struct ItemResult {
        /// What was looked at.
        #[n(0)]
        pub item: String,
        /// Whether it is right now.
        #[n(1)]
        pub passed: bool,
        /// What was seen.
        #[n(2)]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub note: Option<String>,
    }
}

wire_struct! {
    /// Closes a hazard.
    pub struct Close {
        /// 销号意见.
        #[n(0)]
        pub opinion: String,
        /// When the submission that is accepted was handed in, as the server recorded it.
        #[n(1)]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub on: Option<Timestamp>,
    }
}

wire_struct! {
    /// Reopens a closed hazard.
    pub struct Reopen {
        /// Why: recurrence, failed spot check, tip-off.
        #[n(0)]
        pub reason: String,
        /// 虚假整改: the correction was false.
        #[n(1)]
        #[cbor(default)]
        #[serde(default)]
        pub false_closure: bool,
        /// What led to it.
        #[n(2)]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub cause: Option<ReopenCause>,
    }
}

wire_struct! {
    /// Adds a note.
    pub struct Note {
        /// The text.
        #[n(0)]
        pub text: String,
    }
}

wire_struct! {
    /// Records that a named photo will never arrive.
    pub struct RecordPhotoLost {
        /// Which.
        #[n(0)]
        pub sha256: Digest,
        /// Why; stays visible.
        #[n(1)]
        pub reason: String,
    }
}

wire_struct! {
    /// Takes a report back before anybody has confirmed it.
    pub struct Withdraw {
        /// Why.
        #[n(0)]
        pub reason: String,
    }
}

wire_struct! {
    /// States that a photo's bytes arrived and match its hash.
    pub struct ReceivePhoto {
        /// Which.
        #[n(0)]
        pub sha256: Digest,
    }
}

wire_struct! {
    /// Moves a hazard or an inspection to the jurisdiction that its enterprise moved to, or into which its own
    /// was merged.
    pub struct FollowEnterprise {
        /// The jurisdiction that answers from now on.
        #[n(0)]
        pub jurisdiction_id: JurisdictionId,
        /// The jurisdiction that was merged into it; absent: the enterprise moved.
        #[n(1)]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub merged_from: Option<JurisdictionId>,
    }
}
