//! The fields of each action. CBOR: maps with the integer keys given here; JSON: the field names.

use super::{
    Decode, Deserialize, Digest, Encode, EnterpriseId, JurisdictionId, LocalDate, Position,
    Serialize, Timestamp,
};

macro_rules! wire_struct {
    ($(#[$doc:meta])* pub struct $name:ident { $($body:tt)* }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Encode, Decode)]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
        #[serde(deny_unknown_fields)]
        #[cbor(map)]
        pub struct $name { $($body)* }
    };
}

macro_rules! wire_names {
    ($(#[$doc:meta])* pub enum $name:ident { $($(#[$vdoc:meta])* $variant:ident = $number:literal, $text:literal;)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Encode, Decode)]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
        #[cbor(index_only)]
        pub enum $name { $($(#[$vdoc])* #[n($number)] #[serde(rename = $text)] $variant,)* }

        impl $name {
            /// Every value.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The identifier that databases, JSON and documents use.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),* }
            }

            /// The value with this identifier.
            pub fn from_name(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|value| value.as_str() == name)
            }
        }
    };
}

wire_names! {
    /// The two levels that the law knows (安全生产法; Order 16 of 2007, Art. 3).
    pub enum Grade {
        /// 一般隐患: easy, fixed at once.
        General = 0, "general";
        /// 重大事故隐患: work must stop, or needs time, or is beyond the enterprise's own power.
        Major = 1, "major";
    }
}

wire_names! {
    /// How the hazard came to be known; fixed at creation.
    pub enum Source {
        /// 企业自查.
        EnterpriseSelfCheck = 0, "enterprise_self_check";
        /// 内部报告.
        EmployeeReport = 1, "employee_report";
        /// 部门检查.
        DeptInspection = 2, "dept_inspection";
        /// 明查.
        OpenVisit = 3, "open_visit";
        /// 暗访.
        UnannouncedVisit = 4, "unannounced_visit";
        /// 网格.
        Grid = 5, "grid";
    }
}

impl Source {
    /// Whether the enterprise found and told it itself.
    pub const fn is_self_found(self) -> bool {
        matches!(self, Self::EnterpriseSelfCheck | Self::EmployeeReport)
    }
}

wire_names! {
    /// What a photo shows.
    pub enum PhotoKind {
        /// The hazard before it is corrected.
        Before = 0, "before";
        /// The same place after the correction.
        After = 1, "after";
        /// The surroundings, documents, labels.
        Scene = 2, "scene";
    }
}

wire_struct! {
    /// Names a photo by its content. The bytes travel apart and may arrive much later.
    pub struct PhotoRef {
        /// SHA-256 of the original's bytes.
        #[n(0)]
        pub sha256: Digest,
        /// Bytes.
        #[n(1)]
        pub size: u64,
        /// `image/jpeg`, `image/png` or `image/webp`.
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
        /// 整改期限: the last day, Asia/Shanghai.
        #[n(5)]
        pub due_date: LocalDate,
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
        /// 整改资金, fen (1/100 CNY).
        #[n(3)]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub cost_fen: Option<u64>,
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
    }
}

wire_struct! {
    /// Closes a hazard.
    pub struct Close {
        /// 销号意见.
        #[n(0)]
        pub opinion: String,
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
    /// Moves a hazard to the jurisdiction that its enterprise moved to.
    pub struct FollowEnterprise {
        /// The jurisdiction that answers from now on.
        #[n(0)]
        pub jurisdiction_id: JurisdictionId,
    }
}
