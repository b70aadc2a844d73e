//! Problem documents (RFC 9457): every error answer of the API, with a stable code.

use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderValue};
use actix_web::{HttpResponse, ResponseError};
use hazardloop_domain::command::ActionKind;
use hazardloop_domain::hazard::StatusName;
use hazardloop_domain::ids::JurisdictionId;
use hazardloop_domain::refusal::{Refusal, RefusalCode};
use serde::{Deserialize, Serialize};

use crate::failure::{Failure, Unauthenticated, UploadFailure};
use crate::store::StoreError;
use crate::usecases::bring_pack::PackProblem;
use crate::usecases::imports::RowProblem;

/// Media type of problem documents.
pub const PROBLEM_JSON: &str = "application/problem+json";

macro_rules! problem_codes {
    ($($name:ident = $status:literal, $code:literal, $zh:literal, $en:literal;)*) => {
        /// Codes of this API beside the refusal codes of the rules.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum ProblemCode { $(#[doc = $en] $name,)* }

        impl ProblemCode {
            /// Every code.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The stable text form.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $code),* }
            }

            /// The HTTP status that goes with it.
            pub const fn status(self) -> u16 {
                match self { $(Self::$name => $status),* }
            }

            /// The title in Chinese.
            pub const fn title_zh(self) -> &'static str {
                match self { $(Self::$name => $zh),* }
            }

            /// The title in English.
            pub const fn title_en(self) -> &'static str {
                match self { $(Self::$name => $en),* }
            }
        }
    };
}

problem_codes! {
    Malformed = 400, "MALFORMED", "请求格式有误", "The request cannot be read";
    Unauthenticated = 401, "UNAUTHENTICATED", "请先登录", "Sign in first";
    TokenExpired = 401, "TOKEN_EXPIRED", "登录已过期", "The sign-in has expired";
    WrongCredentials = 401, "WRONG_CREDENTIALS", "用户名或密码有误", "Name or password is wrong";
    Forbidden = 403, "FORBIDDEN", "无权进行此操作", "You may not do this";
    DeviceRevoked = 403, "DEVICE_REVOKED", "此设备已被停用", "This device was revoked";
    NotFound = 404, "NOT_FOUND", "未找到", "Not found";
    MethodNotAllowed = 405, "METHOD_NOT_ALLOWED", "不支持此方法", "Method not allowed";
    NotAcceptable = 406, "NOT_ACCEPTABLE", "无法提供所要求的格式", "No acceptable representation";
    Timeout = 408, "REQUEST_TIMEOUT", "请求过慢", "The request came too slowly";
    IdReused = 409, "ID_REUSED", "该编号已用于其他请求", "This id was used for another request";
    Conflict = 409, "CONFLICT", "与现有状态冲突", "In conflict with the present state";
    CertificateTaken = 409, "CERTIFICATE_TAKEN", "该执法证号已属他人", "This certificate is another person's";
    JurisdictionMerged = 409, "JURISDICTION_MERGED", "该辖区已撤并", "The jurisdiction was merged into another one";
    UndoRefused = 409, "UNDO_REFUSED", "导入无法撤销", "The import cannot be undone";
    OffsetMismatch = 409, "OFFSET_MISMATCH", "上传位置不符", "The upload stands elsewhere";
    Gone = 410, "GONE", "已失效", "No longer there";
    LengthRequired = 411, "LENGTH_REQUIRED", "须声明长度", "A length is required";
    PreconditionFailed = 412, "PRECONDITION_FAILED", "记录已更新，请核对", "The record changed since you read it";
    PayloadTooLarge = 413, "PAYLOAD_TOO_LARGE", "内容过大", "Larger than the limit";
    SayInFull = 409, "SAY_IN_FULL", "请以完整形式重发", "Say it in the full form";
    CodingUnknown = 415, "CONTENT_CODING_UNKNOWN", "不支持此压缩方式", "Unknown content coding";
    UnsupportedMedia = 415, "UNSUPPORTED_MEDIA_TYPE", "不支持的格式", "Unsupported media type";
    Invalid = 422, "INVALID_FIELD", "填写内容有误", "A field is not acceptable";
    ImportRefused = 422, "IMPORT_REFUSED", "表中有错误，未导入任何内容", "The table has errors; nothing was imported";
    PackRefused = 422, "PACK_REFUSED", "行业包有错误，未加入任何内容", "The pack has errors; nothing was added";
    HashMismatch = 422, "PHOTO_HASH_MISMATCH", "照片与其校验值不符", "The photo does not have the announced hash";
    UpgradeRequired = 426, "UPGRADE_REQUIRED", "请升级应用", "Upgrade the app";
    PreconditionRequired = 428, "PRECONDITION_REQUIRED", "须注明所依据的版本", "Say which version you changed";
    RateLimited = 429, "RATE_LIMITED", "请求过于频繁", "Too many requests";
    ChecksumMismatch = 460, "CHECKSUM_MISMATCH", "校验失败", "The checksum does not fit";
    Internal = 500, "INTERNAL", "服务器内部错误", "The server failed";
    Unavailable = 503, "UNAVAILABLE", "服务暂不可用，请稍后再试", "Not available; try again shortly";
}

/// An error answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Problem {
    /// A URI reference that names the kind of problem: `/problems/CODE`.
    #[serde(rename = "type")]
    #[schema(example = "/problems/NOT_ALLOWED_IN_STATE")]
    pub kind: String,
    /// The kind in words, in English.
    pub title: String,
    /// The same in Chinese.
    pub title_zh: String,
    /// The HTTP status.
    #[schema(example = 409)]
    pub status: u16,
    /// Stable code to switch on.
    #[schema(example = "NOT_ALLOWED_IN_STATE")]
    pub code: String,
    /// What happened this time.
    pub detail: String,
    /// The field at fault.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// The state that the hazard was in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from_state: Option<StatusName>,
    /// What the asker could do instead.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Vec<ActionKind>>)]
    pub allowed: Option<Box<[ActionKind]>>,
    /// Seconds to wait before trying again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_after_s: Option<u64>,
    /// What was found in the rows of a table.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Vec<RowProblem>>)]
    pub rows: Option<Box<[RowProblem]>>,
    /// What was found in the files of a pack.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Vec<PackProblem>>)]
    pub files: Option<Box<[PackProblem]>>,
    /// The jurisdiction into which the one that was named has been merged.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<JurisdictionId>)]
    pub successor_id: Option<Box<JurisdictionId>>,
    /// The oldest version of the sync protocol that this server speaks, where the asker spoke another one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = 1)]
    pub protocol_min: Option<u16>,
    /// The newest, likewise.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = 1)]
    pub protocol_max: Option<u16>,
    /// Where an upload stands.
    #[serde(skip)]
    pub upload_offset: Option<u64>,
}

impl Problem {
    /// A problem of this API.
    pub fn new(code: ProblemCode, detail: impl Into<String>) -> Self {
        Self {
            kind: format!("/problems/{}", code.as_str()),
            title: code.title_en().to_owned(),
            title_zh: code.title_zh().to_owned(),
            status: code.status(),
            code: code.as_str().to_owned(),
            detail: detail.into(),
            field: None,
            from_state: None,
            allowed: None,
            retry_after_s: None,
            rows: None,
            files: None,
            successor_id: None,
            protocol_min: None,
            protocol_max: None,
            upload_offset: None,
        }
    }

    fn refused(refusal: &Refusal) -> Self {
        Self {
            kind: format!("/problems/{}", refusal.code.as_str()),
            title: refusal.code.wording_en().to_owned(),
            title_zh: refusal.code.wording_zh().to_owned(),
            status: refusal_status(refusal.code),
            code: refusal.code.as_str().to_owned(),
            field: refusal.field.clone(),
            from_state: refusal.from_state,
            allowed: refusal.from_state.map(|_| refusal.allowed.clone().into()),
            ..Self::new(ProblemCode::Conflict, refusal.rule.clone())
        }
    }
}

/// The status of each refusal. Out of scope reads as not found: who may not see a hazard may not
/// learn that it exists.
const fn refusal_status(code: RefusalCode) -> u16 {
    match code {
        RefusalCode::NotPermitted | RefusalCode::CertificateNeeded | RefusalCode::NotOnTeam => 403,
        RefusalCode::OutOfScope | RefusalCode::NotFound => 404,
        RefusalCode::Stale => 412,
        RefusalCode::NotAllowedInState
        | RefusalCode::SamePerson
        | RefusalCode::AlreadyExists
        | RefusalCode::PhotosAwaited
        | RefusalCode::TooFewReinspections
        | RefusalCode::PlanNotAcknowledged
        | RefusalCode::ExtensionTooLate
        | RefusalCode::AlreadyPending
        | RefusalCode::NothingPending
        | RefusalCode::AlreadyInForce
        | RefusalCode::NotInForce
        | RefusalCode::SuspensionInForce
        | RefusalCode::ItemsWithoutResult
        | RefusalCode::TooFewInspectors
        | RefusalCode::SignatureMissing
        | RefusalCode::AlreadyDisputed
        | RefusalCode::SettledByAuthor
        | RefusalCode::LimitReached => 409,
        RefusalCode::InvalidField
        | RefusalCode::CriterionRequired
        | RefusalCode::PhotoRequired
        | RefusalCode::PhotoUnknown
        | RefusalCode::DueDateOutOfRange
        | RefusalCode::FulfilmentsIncomplete
        | RefusalCode::PhotoPairsIncomplete
        | RefusalCode::SelfAcceptanceRequired
        | RefusalCode::MergeTargetUnfit
        | RefusalCode::ExpertOpinionRequired
        | RefusalCode::CriterionNotCitable
        | RefusalCode::FindingUnknown
        | RefusalCode::ReasonRequired
        | RefusalCode::ChecklistUnknown
        | RefusalCode::OfNewerRule
        | RefusalCode::CoSignatureInvalid
        | RefusalCode::SecondPersonRequired
        | RefusalCode::JurisdictionUnknown => 422,
    }
}

impl From<Failure> for Problem {
    fn from(failure: Failure) -> Self {
        let detail = failure.to_string();
        let plain = |code| Self::new(code, detail.clone());
        match &failure {
            Failure::Refused(refusal) => Self::refused(refusal),
            Failure::Invalid { field, .. } => Self {
                field: Some(field.clone()),
                ..plain(ProblemCode::Invalid)
            },
            Failure::Unauthenticated(why) => plain(match why {
                Unauthenticated::Expired => ProblemCode::TokenExpired,
                Unauthenticated::WrongCredentials => ProblemCode::WrongCredentials,
                Unauthenticated::Missing
                | Unauthenticated::Invalid
                | Unauthenticated::SessionEnded => ProblemCode::Unauthenticated,
            }),
            Failure::Forbidden(_) => plain(ProblemCode::Forbidden),
            Failure::DeviceRevoked => plain(ProblemCode::DeviceRevoked),
            Failure::NotFound(_) => plain(ProblemCode::NotFound),
            Failure::PreconditionFailed { .. } => plain(ProblemCode::PreconditionFailed),
            Failure::IdReused => plain(ProblemCode::IdReused),
            Failure::CertificateTaken => Self {
                field: Some("certificate.number".to_owned()),
                ..plain(ProblemCode::CertificateTaken)
            },
            Failure::Merged { into, .. } => Self {
                successor_id: Some(Box::new(*into)),
                ..plain(ProblemCode::JurisdictionMerged)
            },
            Failure::Conflict(_) => plain(ProblemCode::Conflict),
            Failure::Rows(refused) => Self {
                rows: Some(refused.problems.as_slice().into()),
                ..plain(match refused.of_undo {
                    true => ProblemCode::UndoRefused,
                    false => ProblemCode::ImportRefused,
                })
            },
            Failure::Pack(refused) => Self {
                files: Some(refused.problems.as_slice().into()),
                ..plain(ProblemCode::PackRefused)
            },
            Failure::TooLarge { .. } => plain(ProblemCode::PayloadTooLarge),
            Failure::SayInFull(_) => plain(ProblemCode::SayInFull),
            Failure::UpgradeRequired { spoken } => Self {
                protocol_min: Some(spoken.oldest),
                protocol_max: Some(spoken.newest),
                ..plain(ProblemCode::UpgradeRequired)
            },
            Failure::RateLimited { retry_after_s } => Self {
                retry_after_s: Some(*retry_after_s),
                ..plain(ProblemCode::RateLimited)
            },
            Failure::UnsupportedMedia(_) => plain(ProblemCode::UnsupportedMedia),
            Failure::Upload(upload) => Self::of_upload(*upload, detail),
            Failure::Store(error) => Self::of_store(error),
            Failure::Internal(what) => {
                tracing::error!(%what, "internal failure");
                Self::new(ProblemCode::Internal, "the failure was logged")
            }
        }
    }
}

impl Problem {
    fn of_upload(failure: UploadFailure, detail: String) -> Self {
        match failure {
            UploadFailure::OffsetMismatch { offset } => Self {
                upload_offset: Some(offset),
                ..Self::new(ProblemCode::OffsetMismatch, detail)
            },
            UploadFailure::ChecksumMismatch => Self::new(ProblemCode::ChecksumMismatch, detail),
            UploadFailure::Gone => Self::new(ProblemCode::Gone, detail),
            UploadFailure::HashMismatch => Self::new(ProblemCode::HashMismatch, detail),
        }
    }

    /// What the database says stays in the log: it may hold names and values of others.
    fn of_store(error: &StoreError) -> Self {
        if error.is_transient() {
            tracing::warn!(%error, "the store was not available");
            return Self {
                retry_after_s: Some(1),
                ..Self::new(
                    ProblemCode::Unavailable,
                    "the database is busy; try again shortly",
                )
            };
        }
        tracing::error!(%error, "the store failed");
        Self::new(ProblemCode::Internal, "the failure was logged")
    }
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}: {}", self.status, self.code, self.detail)
    }
}

impl std::error::Error for Problem {}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    fn error_response(&self) -> HttpResponse {
        let mut answer = HttpResponse::build(self.status_code());
        answer.insert_header((header::CONTENT_TYPE, HeaderValue::from_static(PROBLEM_JSON)));
        answer.insert_header((header::CACHE_CONTROL, HeaderValue::from_static("no-store")));
        if let Some(seconds) = self.retry_after_s {
            answer.insert_header((header::RETRY_AFTER, seconds.to_string()));
        }
        if let Some(offset) = self.upload_offset {
            answer.insert_header(("Upload-Offset", offset.to_string()));
            answer.insert_header(("Tus-Resumable", "1.0.0"));
        }
        if self.status == 401 {
            answer.insert_header((header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer")));
        }
        answer.json(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_distinct_and_titled_in_both_languages() {
        let mut seen = std::collections::BTreeSet::new();
        for code in ProblemCode::ALL {
            assert!(seen.insert(code.as_str()), "{} twice", code.as_str());
            assert!(code.title_zh().chars().any(|c| c > '\u{4e00}'));
            assert!(StatusCode::from_u16(code.status()).is_ok());
        }
    }

    #[test]
    fn what_the_database_says_stays_inside() {
        let failure = Failure::Store(StoreError::Statement {
            what: "secret row".to_owned(),
        });
        let problem = Problem::from(failure);
        assert_eq!(problem.status, 500);
        assert!(!serde_json::to_string(&problem).unwrap().contains("secret"));
    }

    #[test]
    fn out_of_scope_reads_as_not_found() {
        let refusal = Refusal::new(RefusalCode::OutOfScope, "not yours");
        assert_eq!(Problem::from(Failure::Refused(refusal)).status, 404);
    }
}
