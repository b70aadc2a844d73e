//! Why a use case could not do what was asked, before HTTP or anybody else puts it into words.

use hazardloop_domain::ids::JurisdictionId;
use hazardloop_domain::refusal::{Refusal, RefusalCode};
use hazardloop_sync_protocol::hub::{OutOfStep, RequestRefused};
use hazardloop_sync_protocol::wire::SpokenVersions;

use crate::store::StoreError;
use crate::usecases::bring_pack::PackProblem;
use crate::usecases::imports::RowProblem;

/// The one error type of the use cases. `http::problem` maps every variant to a status.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Failure {
    /// The rules refuse.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The request is malformed beyond what the rules look at.
    #[error("{field}: {why}")]
    Invalid {
        /// Where.
        field: String,
        /// Why.
        why: String,
    },
    /// Who asks could not be established.
    #[error("not signed in: {0}")]
    Unauthenticated(Unauthenticated),
    /// Who asks may not do this at all.
    #[error("not permitted: {0}")]
    Forbidden(String),
    /// The device was revoked.
    #[error("this device was revoked")]
    DeviceRevoked,
    /// There is no such thing, or none that the asker may know of.
    #[error("{0} not found")]
    NotFound(&'static str),
    /// The record is not the one the asker saw (If-Match).
    #[error("the record changed: it has version {current} now")]
    PreconditionFailed {
        /// The present version.
        current: i64,
    },
    /// A request key was used for another request.
    #[error("this id was used for another request")]
    IdReused,
    /// The number of a certificate is that of another person's.
    #[error("this certificate number is another person's")]
    CertificateTaken,
    /// The jurisdiction was merged into another one: nothing new is placed in it.
    #[error("this jurisdiction was merged into {name} ({into}), which answers for it now")]
    Merged {
        /// The one that answers now.
        into: JurisdictionId,
        /// Its name.
        name: String,
    },
    /// Something stands in the way that is neither rule nor precondition.
    #[error("{0}")]
    Conflict(String),
    /// Rows of a table that cannot be taken, or not undone; nothing was stored.
    #[error("{0}")]
    Rows(RowsRefused),
    /// A pack with faults in its files; nothing was stored.
    #[error("{0}")]
    Pack(PackRefused),
    /// More bytes, items or pixels than a stated limit.
    #[error("{what} exceeds the limit of {limit}")]
    TooLarge {
        /// What.
        what: &'static str,
        /// The limit.
        limit: u64,
    },
    /// A lean message does not fit what the server has; it is to come in full. Nothing was recorded.
    #[error("say it in the full form: {0}")]
    SayInFull(&'static str),
    /// The asker speaks a version of the protocol that this server does not.
    #[error("this server speaks the versions {spoken} of the protocol")]
    UpgradeRequired {
        /// Those that this server speaks.
        spoken: SpokenVersions,
    },
    /// Too many requests.
    #[error("too many requests; try again in {retry_after_s} s")]
    RateLimited {
        /// Seconds to wait.
        retry_after_s: u64,
    },
    /// The bytes are not of the kind that was announced.
    #[error("unsupported media: {0}")]
    UnsupportedMedia(String),
    /// A protocol of the upload was not kept (offset, length, checksum).
    #[error(transparent)]
    Upload(#[from] UploadFailure),
    /// The database did not do its part.
    #[error(transparent)]
    Store(StoreError),
    /// Another part of the server failed; the text is for the log, not for the asker.
    #[error("internal: {0}")]
    Internal(String),
}

/// Why a table was not taken, or not undone: row by row.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{errors} error(s) in the rows; nothing was stored")]
pub struct RowsRefused {
    /// Whether it was to be undone.
    pub of_undo: bool,
    /// Errors there are.
    pub errors: u32,
    /// What was found, errors and warnings, up to a limit.
    pub problems: Vec<RowProblem>,
}

/// What is wrong with the files of a pack.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{errors} error(s) in the files of the pack; nothing was stored")]
pub struct PackRefused {
    /// Errors there are.
    pub errors: u32,
    /// What was found, up to a limit.
    pub problems: Vec<PackProblem>,
}

/// Why a caller counts as unknown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unauthenticated {
    /// No bearer token.
    #[error("no bearer token")]
    Missing,
    /// Not a token of this server, or altered.
    #[error("the token is not valid")]
    Invalid,
    /// The token has expired.
    #[error("the token has expired")]
    Expired,
    /// The sign-in it descends from was ended.
    #[error("the session has ended")]
    SessionEnded,
    /// Name or password wrong, or the account disabled; which one is not told.
    #[error("name or password is wrong")]
    WrongCredentials,
}

/// Why a part of an upload was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UploadFailure {
    /// The part does not begin where the server stands.
    #[error("the upload stands at offset {offset}")]
    OffsetMismatch {
        /// Where it stands.
        offset: u64,
    },
    /// The part's checksum does not fit its bytes; nothing was kept of it.
    #[error("the checksum does not fit the bytes")]
    ChecksumMismatch,
    /// The upload is over or expired.
    #[error("the upload is gone")]
    Gone,
    /// The whole file does not have the hash it was announced with.
    #[error("the file does not have the announced SHA-256")]
    HashMismatch,
}

impl Failure {
    /// A malformed field.
    pub fn invalid(field: &str, why: impl Into<String>) -> Self {
        Self::Invalid {
            field: field.to_owned(),
            why: why.into(),
        }
    }

    /// Whether the subject is unknown to the asker, in whichever form that was found out.
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::NotFound(_))
            || matches!(self, Self::Refused(refusal) if refusal.code == RefusalCode::NotFound)
    }
}

impl From<RequestRefused> for Failure {
    fn from(refused: RequestRefused) -> Self {
        match refused {
            RequestRefused::TooLarge { what, limit } => Self::TooLarge {
                what,
                limit: limit as u64,
            },
            RequestRefused::Invalid { field, why } => Self::invalid(field, why),
            RequestRefused::UpgradeRequired { spoken } => Self::UpgradeRequired { spoken },
        }
    }
}

/// The server's own driver answered what was not asked.
impl From<OutOfStep> for Failure {
    fn from(fault: OutOfStep) -> Self {
        Self::Internal(fault.to_string())
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        match error {
            // Of which kind of thing it is, is not told.
            StoreError::IdTaken => Self::IdReused,
            other => Self::Store(other),
        }
    }
}

impl crate::store::StoreFailure for Failure {
    fn store_error(&self) -> Option<&StoreError> {
        match self {
            Self::Store(error) => Some(error),
            _ => None,
        }
    }
}
