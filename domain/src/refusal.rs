//! A refusal is data: what was refused, by which rule, and what would be allowed instead.

use minicbor::decode::Error;
use minicbor::{Decode, Decoder, Encode};
use serde::{Deserialize, Serialize};

use crate::command::ActionKind;
use crate::hazard::StatusName;
use crate::inspection::InspectionState;

macro_rules! refusal_codes {
    ($($(#[$doc:meta])* $name:ident = $number:literal, $code:literal, $zh:literal, $en:literal;)*) => {
        /// Why a command was refused. The text form is stable: clients may switch on it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, Encode, Decode)]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
        #[cbor(index_only)]
        pub enum RefusalCode {
            $($(#[$doc])* #[n($number)] #[serde(rename = $code)] $name,)*
        }

        impl RefusalCode {
            /// Every code, for tests and documentation.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The stable text form.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $code),* }
            }

            /// What a person reads, in Chinese.
            pub const fn wording_zh(self) -> &'static str {
                match self { $(Self::$name => $zh),* }
            }

            /// What a person reads, in English.
            pub const fn wording_en(self) -> &'static str {
                match self { $(Self::$name => $en),* }
            }
        }
    };
}

refusal_codes! {
    /// The hazard's state does not know this step.
    NotAllowedInState = 0, "NOT_ALLOWED_IN_STATE",
        "隐患当前状态不能进行此操作", "This step is not possible in the hazard's present state";
    /// The actor holds no role that may do this here.
    NotPermitted = 1, "NOT_PERMITTED",
        "您的角色不能进行此操作", "Your role may not do this";
    /// The actor holds no role at all over this subject.
    OutOfScope = 2, "OUT_OF_SCOPE",
        "不在您的管辖或企业范围内", "Outside the enterprises and areas you answer for";
    /// A field is missing, malformed, or outside its limits.
    InvalidField = 3, "INVALID_FIELD",
        "填写内容有误", "A field is not acceptable";
    /// The same person may not take both steps.
    SamePerson = 4, "SAME_PERSON",
        "同一人不能既提交又复查", "The same person may not take both steps";
    /// A subject with this id exists already.
    AlreadyExists = 5, "ALREADY_EXISTS",
        "该编号已存在", "Something with this id exists already";
    /// There is no such subject, or none that the actor may know of.
    NotFound = 6, "NOT_FOUND",
        "未找到该对象", "There is no such thing";
    /// A major hazard needs a criterion with its edition, or a stated basis.
    CriterionRequired = 7, "CRITERION_REQUIRED",
        "重大隐患须注明判定依据", "A major hazard needs a criterion or a stated basis";
    /// A photo is required here.
    PhotoRequired = 8, "PHOTO_REQUIRED",
        "须附照片或说明无照片的原因", "A photo is needed, or the reason why there is none";
    /// Photos that the record names have not arrived.
    PhotosAwaited = 9, "PHOTOS_AWAITED",
        "仍有照片未送达，不能销号", "Photos named in the record have not arrived; it cannot be closed";
    /// The record names no such photo.
    PhotoUnknown = 10, "PHOTO_UNKNOWN",
        "记录中没有这张照片", "The record names no such photo";
    /// Not enough passed re-inspections by different persons.
    TooFewReinspections = 11, "TOO_FEW_REINSPECTIONS",
        "复查合格人数不足", "Not enough inspectors have passed the re-inspection";
    /// The due date lies in the past or too far ahead.
    DueDateOutOfRange = 12, "DUE_DATE_OUT_OF_RANGE",
        "整改期限超出允许范围", "The due date is outside the permitted range";
    /// A stated limit on a count was reached.
    LimitReached = 13, "LIMIT_REACHED",
        "数量已达上限", "A limit on the number of entries was reached";
    /// The record changed since the actor read it (If-Match).
    Stale = 14, "STALE",
        "记录已被他人更新，请核对", "The record changed since you read it; please compare";
    /// No jurisdiction answers for the place.
    JurisdictionUnknown = 15, "JURISDICTION_UNKNOWN",
        "无法确定管辖单位", "No jurisdiction could be determined";
    /// Only an inspector with a valid certificate decides here.
    CertificateNeeded = 16, "CERTIFICATE_NEEDED",
        "须持有效执法证件", "This needs an inspector's certificate that is valid now";
    /// One of the five fulfilments is missing.
    FulfilmentsIncomplete = 17, "FULFILMENTS_INCOMPLETE",
        "整改方案“五落实”不完整", "The plan lacks one of the five fulfilments";
    /// A major hazard's plan must be acknowledged first.
    PlanNotAcknowledged = 18, "PLAN_NOT_ACKNOWLEDGED",
        "整改方案尚未经主管部门确认", "The plan has not been acknowledged";
    /// The due date has passed.
    ExtensionTooLate = 19, "EXTENSION_TOO_LATE",
        "已过整改期限，不能再申请延期", "The due date has passed; an extension is asked for before it";
    /// An application waits already.
    AlreadyPending = 20, "ALREADY_PENDING",
        "已有待审批的事项", "One is waiting for a decision already";
    /// There is no application to decide on.
    NothingPending = 21, "NOTHING_PENDING",
        "没有待审批的事项", "Nothing is waiting for a decision";
    /// It is in force already.
    AlreadyInForce = 22, "ALREADY_IN_FORCE",
        "该措施已在执行中", "It is in force already";
    /// It is not in force.
    NotInForce = 23, "NOT_IN_FORCE",
        "该措施未在执行中", "It is not in force";
    /// Work is ordered to stand still.
    SuspensionInForce = 24, "SUSPENSION_IN_FORCE",
        "停产停业（停止使用）措施尚未解除", "Work is ordered to stop; consent to resume comes first";
    /// A photo before the correction has no counterpart after it.
    PhotoPairsIncomplete = 25, "PHOTO_PAIRS_INCOMPLETE",
        "整改前后照片未成对", "A photo before the correction has none after it beside it";
    /// The enterprise has not accepted its own correction.
    SelfAcceptanceRequired = 26, "SELF_ACCEPTANCE_REQUIRED",
        "重大隐患须附企业自验收记录", "A major hazard needs the enterprise's own acceptance";
    /// The other hazard cannot take this one in.
    MergeTargetUnfit = 27, "MERGE_TARGET_UNFIT",
        "不能合并到该隐患", "The report cannot be merged into that one";
    /// An expert's opinion is required here.
    ExpertOpinionRequired = 28, "EXPERT_OPINION_REQUIRED",
        "须附专家意见", "An expert's opinion is needed";
    /// The criterion cannot be a legal basis.
    CriterionNotCitable = 29, "CRITERION_NOT_CITABLE",
        "该判定情形不能作为依据", "That criterion cannot be cited as a basis";
    /// A second person's signature is not good for this command.
    CoSignatureInvalid = 30, "CO_SIGNATURE_INVALID",
        "共同签名无效", "A second person's signature is not good for this command";
    /// A second person must sign the same command.
    SecondPersonRequired = 31, "SECOND_PERSON_REQUIRED",
        "须有第二人共同签名", "A second person must sign the same step";
    /// Mandatory items of an inspection's checklists have no result.
    ItemsWithoutResult = 40, "ITEMS_WITHOUT_RESULT",
        "必查项尚未全部填写结果", "Mandatory items of the checklists have no result yet";
    /// Too few inspectors took part in a department's inspection.
    TooFewInspectors = 41, "TOO_FEW_INSPECTORS",
        "参加检查并签字的执法人员不足两名", "Fewer than two inspectors took part and signed";
    /// The enterprise has neither signed nor was its refusal recorded.
    SignatureMissing = 42, "SIGNATURE_MISSING",
        "缺少被检查单位签字或拒签记录", "The enterprise has not signed, and no refusal is recorded";
    /// The actor is not among those who inspect.
    NotOnTeam = 43, "NOT_ON_TEAM",
        "您不在本次检查人员名单中", "You are not among those who carry out this inspection";
    /// The inspection has no such finding, or the hazard named for one is not of this enterprise.
    FindingUnknown = 44, "FINDING_UNKNOWN",
        "没有这条检查发现，或所指隐患不属于该企业", "There is no such finding, or the hazard named is not of this enterprise";
    /// A visit without a plan needs its reason.
    ReasonRequired = 45, "REASON_REQUIRED",
        "计划外检查须说明理由", "An inspection without a plan needs a reason";
    /// The packs hold no such checklist, edition or item.
    ChecklistUnknown = 46, "CHECKLIST_UNKNOWN",
        "行业包中没有该检查表、版本或检查项", "The packs hold no such checklist, edition or item";
    /// A newer server refused by a rule that this build does not know. Never sent: it is what such a code is read as.
    OfNewerRule = 47, "OF_NEWER_RULE",
        "服务器按本版本尚不认识的规则拒绝了此操作，请升级后查看", "The server refused by a rule that this version does not know: upgrade to read it";
    /// The same value of the same author stands beside the other already.
    AlreadyDisputed = 50, "ALREADY_DISPUTED",
        "您的这一内容已与他人的并存，请按最新记录改后重发", "Your value stands beside the other already; amend the present record to settle it";
    /// Its author has chosen since that it is to have no effect, or that another goes in its place.
    SettledByAuthor = 51, "SETTLED_BY_AUTHOR",
        "您此前已决定放弃或改发这一条", "You have given it up since, or sent another in its place";
}

impl RefusalCode {
    /// Whether the same step by the same actor would do with other contents.
    pub const fn is_about_the_content(self) -> bool {
        matches!(
            self,
            Self::InvalidField
                | Self::CriterionRequired
                | Self::PhotoRequired
                | Self::PhotoUnknown
                | Self::DueDateOutOfRange
                | Self::JurisdictionUnknown
                | Self::FulfilmentsIncomplete
                | Self::PhotoPairsIncomplete
                | Self::SelfAcceptanceRequired
                | Self::MergeTargetUnfit
                | Self::ExpertOpinionRequired
                | Self::CriterionNotCitable
                | Self::SecondPersonRequired
                | Self::FindingUnknown
                | Self::ReasonRequired
                | Self::ChecklistUnknown
        )
    }
}

/// A refused command, with what its author needs in order to go on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Encode, Decode, thiserror::Error)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cbor(map)]
#[error("{}: {rule}", code.as_str())]
pub struct Refusal {
    /// Why, as a stable code.
    #[n(0)]
    #[cbor(decode_with = "known_or_newer")]
    pub code: RefusalCode,
    /// The state the subject was in.
    #[n(1)]
    #[cbor(decode_with = "if_known")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from_state: Option<StatusName>,
    /// The rule that refused, in one English sentence.
    #[n(2)]
    pub rule: String,
    /// The field at fault.
    #[n(3)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// What this actor could do here instead.
    #[n(4)]
    #[cbor(decode_with = "those_known")]
    pub allowed: Vec<ActionKind>,
    /// The state an inspection was in.
    #[n(5)]
    #[cbor(decode_with = "if_known")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from_inspection_state: Option<InspectionState>,
}

// A receipt is read whatever rules its server has: a device that could not would push the same for ever.

/// A value that this build knows; `None`: another one, which is passed over.
fn known<'b, C, T: Decode<'b, C>>(d: &mut Decoder<'b>, ctx: &mut C) -> Result<Option<T>, Error> {
    let begin = d.position();
    match d.decode_with(ctx) {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.is_end_of_input() => Err(error),
        Err(_) => {
            d.set_position(begin);
            d.u32()?;
            Ok(None)
        }
    }
}

fn known_or_newer<C>(d: &mut Decoder<'_>, ctx: &mut C) -> Result<RefusalCode, Error> {
    Ok(known(d, ctx)?.unwrap_or(RefusalCode::OfNewerRule))
}

fn if_known<'b, C, T: Decode<'b, C>>(d: &mut Decoder<'b>, ctx: &mut C) -> Result<Option<T>, Error> {
    match d.datatype()? {
        minicbor::data::Type::Null => d.null().map(|()| None),
        _ => known(d, ctx),
    }
}

fn those_known<C>(d: &mut Decoder<'_>, ctx: &mut C) -> Result<Vec<ActionKind>, Error> {
    let count = d
        .array()?
        .ok_or_else(|| Error::message("an array of a stated length"))?;
    let mut all = Vec::new();
    for _ in 0..count {
        all.extend(known::<_, ActionKind>(d, ctx)?);
    }
    Ok(all)
}

impl Refusal {
    /// A refusal with a rule in words.
    pub fn new(code: RefusalCode, rule: &str) -> Self {
        Self {
            code,
            from_state: None,
            rule: rule.to_owned(),
            field: None,
            allowed: Vec::new(),
            from_inspection_state: None,
        }
    }

    /// A refusal of one field's value.
    pub fn invalid_field(field: &str, why: &str) -> Self {
        Self {
            field: Some(field.to_owned()),
            ..Self::new(RefusalCode::InvalidField, &format!("{field} {why}"))
        }
    }

    /// The same refusal, saying which state it came from and what is allowed there.
    pub fn in_state(mut self, state: StatusName, allowed: Vec<ActionKind>) -> Self {
        self.from_state = Some(state);
        self.allowed = allowed;
        self
    }

    /// The same of an inspection.
    pub fn in_inspection_state(mut self, state: InspectionState, allowed: Vec<ActionKind>) -> Self {
        self.from_inspection_state = Some(state);
        self.allowed = allowed;
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_newer_server_says_is_read_as_far_as_it_is_known() {
        let mut bytes = Vec::new();
        let mut e = minicbor::Encoder::new(&mut bytes);
        e.map(5).unwrap().u8(0).unwrap().u32(9_000).unwrap();
        e.u8(1).unwrap().u32(9_001).unwrap();
        e.u8(2).unwrap().str("a rule of the year 2031").unwrap();
        e.u8(4).unwrap().array(3).unwrap().u32(9_002).unwrap();
        e.encode(ActionKind::Note).unwrap().u32(9_003).unwrap();
        e.u8(5).unwrap().u32(9_004).unwrap();
        let read: Refusal = minicbor::decode(&bytes).unwrap();
        assert_eq!(read.code, RefusalCode::OfNewerRule);
        assert_eq!(read.rule, "a rule of the year 2031");
        assert_eq!(read.allowed, [ActionKind::Note]);
        assert_eq!((read.from_state, read.from_inspection_state), (None, None));
        // What is no number is no code.
        minicbor::decode::<Refusal>(&[0xa2, 0, 0x61, b'a', 2, 0x61, b'b']).unwrap_err();
        let known = Refusal::new(RefusalCode::NotFound, "there is no such thing")
            .in_state(StatusName::Reported, vec![ActionKind::Note]);
        let again: Refusal = minicbor::decode(&minicbor::to_vec(&known).unwrap()).unwrap();
        assert_eq!(again, known);
    }

    #[test]
    fn codes_are_distinct_and_worded_in_both_languages() {
        let mut seen = std::collections::BTreeSet::new();
        for code in RefusalCode::ALL {
            assert!(seen.insert(code.as_str()), "{} twice", code.as_str());
            assert!(!code.wording_en().is_empty());
            assert!(
                code.wording_zh().chars().any(|c| c > '\u{4e00}'),
                "{}",
                code.as_str()
            );
            assert_eq!(serde_json::to_value(code).unwrap(), code.as_str());
        }
    }
}
