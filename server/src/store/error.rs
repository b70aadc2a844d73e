//! What can go wrong in the store, typed, with what a caller may do about it.

use diesel::result::{DatabaseErrorInformation, DatabaseErrorKind, Error as DieselError};

/// Which kind of constraint a statement ran into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConstraintKind {
    /// A primary key or a unique index already holds the value.
    Unique,
    /// A row that is named does not exist, or is still named by others.
    ForeignKey,
    /// A column that must have a value was given none.
    NotNull,
    /// A CHECK (or an exclusion) refused the row.
    Check,
}

/// A failure of the store. Texts never hold credentials or row contents beyond what the database
/// itself says.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// The database cannot be reached, is closing, or lost the connection.
    #[error("the database is not available: {what}")]
    Unavailable {
        /// What was tried and what came back.
        what: String,
    },
    /// Waiting for a lock, a connection or a statement took longer than allowed.
    #[error("the database took too long: {what}")]
    Timeout {
        /// What was waited for.
        what: String,
    },
    /// Other writers were faster in every attempt that the bound allows.
    #[error("gave way to other writers {attempts} times")]
    Conflict {
        /// How often it was tried.
        attempts: u32,
    },
    /// An optimistic version guard matched no row: somebody else changed it since it was read.
    #[error("{what} was changed by somebody else meanwhile")]
    Stale {
        /// What kind of row.
        what: &'static str,
    },
    /// The id is that of something of another kind, which has a history by it already.
    #[error("this id is that of something of another kind")]
    IdTaken,
    /// The database aborted the transaction so that others could finish (SQLSTATE 40001, 40P01).
    #[error("the transaction must be run again: {what}")]
    Retry {
        /// What the database said.
        what: String,
    },
    /// A constraint refused the statement.
    #[error("constraint {name} refused the row")]
    Constraint {
        /// Which kind.
        kind: ConstraintKind,
        /// The table, where the database says so (SQLite does not for foreign keys).
        table: Option<String>,
        /// The constraint's name (PostgreSQL) or its columns as `table.column, …` (SQLite).
        name: String,
    },
    /// A row is expected to exist and does not.
    #[error("the row does not exist")]
    Missing,
    /// What is stored cannot be what was written.
    #[error("stored data is damaged: {what}")]
    Corrupt {
        /// What was read.
        what: String,
    },
    /// The address names a kind of database that is not known.
    #[error("database address must begin with sqlite:// or postgres://, not {scheme:?}")]
    WrongScheme {
        /// The scheme that was given; empty when there was none.
        scheme: String,
    },
    /// The address has a known scheme and cannot be used.
    #[error("database address cannot be used: {why}")]
    BadUrl {
        /// Why not.
        why: String,
    },
    /// A migration failed.
    #[error("migration failed: {what}")]
    Migration {
        /// Which one, and what the database said.
        what: String,
    },
    /// The database was migrated by a newer release; this one would damage it.
    #[error("the database has version {version}, which is newer than this program")]
    NewerDatabase {
        /// The newest version that this program does not know.
        version: String,
    },
    /// The database was restored from a dump or copied: its positions are of another one.
    #[error(
        "this database was restored or copied ({what}), and serving it would lose changes for \
         devices; stop every server on it, then run `hazardloop restore begin-epoch` \
         (数据库是恢复或复制而来的，直接启用会使设备漏收变更：请先停止所有连接它的服务，\
         再运行 `hazardloop restore begin-epoch`)"
    )]
    Restored {
        /// What differs.
        what: String,
    },
    /// Another epoch was begun while this server ran.
    #[error(
        "another epoch was begun on this database while this server ran ({what}); start it again \
         (数据库已开始新纪元，请重新启动本服务)"
    )]
    EpochEnded {
        /// Which.
        what: String,
    },
    /// Servers are connected to a database that nobody may use now.
    #[error(
        "{sessions} session(s) of hazardloop are connected to this database; stop every server on it \
         first (仍有 {sessions} 个 hazardloop 连接，请先停止所有服务)"
    )]
    InUse {
        /// How many.
        sessions: i64,
    },
    /// The code inside the transaction panicked; nothing of it was stored.
    #[error("the transaction's code failed unexpectedly")]
    Panicked,
    /// A statement failed in a way that is a defect of ours.
    #[error("statement failed: {what}")]
    Statement {
        /// What the database said.
        what: String,
    },
}

impl StoreError {
    /// Whether the same request may succeed a little later without anybody changing anything.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        matches!(
            self,
            Self::Unavailable { .. }
                | Self::Timeout { .. }
                | Self::Conflict { .. }
                | Self::Stale { .. }
                | Self::Retry { .. }
        )
    }

    /// Whether running the whole transaction again, now, is the right answer.
    pub(super) fn wants_another_attempt(&self) -> bool {
        matches!(self, Self::Stale { .. } | Self::Retry { .. })
    }

    /// Whether this is a unique violation on `table`.
    #[must_use]
    pub fn is_duplicate_in(&self, table: &str) -> bool {
        matches!(
            self,
            Self::Constraint { kind: ConstraintKind::Unique, table: Some(named), .. } if named == table
        )
    }
}

/// An error that a transaction's code may end with: it can hold a [`StoreError`], and shows it,
/// so that `Db::write` can tell "run it again" from "this is the answer".
pub trait StoreFailure: From<StoreError> + Send + 'static {
    /// The store's own failure inside, if that is what this is.
    fn store_error(&self) -> Option<&StoreError>;
}

impl StoreFailure for StoreError {
    fn store_error(&self) -> Option<&StoreError> {
        Some(self)
    }
}

/// What PostgreSQL says for SQLSTATE 40P01, in the languages of its message catalogues that a
/// server here may speak; the code itself is not handed through, and sessions that may ask for
/// English are set to it.
const DEADLOCK: [&str; 3] = ["deadlock detected", "检测到死锁", "偵測到死結"];

/// Messages for an exceeded lock or statement timeout, and SQLite's for a lock not had in time.
const TIMEOUT: [&str; 7] = [
    "canceling statement due to statement timeout",
    "canceling statement due to lock timeout",
    "由于语句执行超时",
    "由于语句超时",
    "由于锁超时",
    "database is locked",
    "database table is locked",
];

/// Messages of a server that is starting, stopping, full or has cut the session.
const UNAVAILABLE: [&str; 6] = [
    "terminating connection",
    "the database system is",
    "server closed the connection",
    "no connection to the server",
    "disk I/O error",
    "database or disk is full",
];

/// Messages of SQLite for a file that is not, or no longer, a sound database.
const CORRUPT: [&str; 2] = ["database disk image is malformed", "file is not a database"];

impl From<DieselError> for StoreError {
    fn from(error: DieselError) -> Self {
        match error {
            DieselError::DatabaseError(kind, information) => from_database(&kind, &*information),
            DieselError::NotFound => Self::Missing,
            DieselError::DeserializationError(inner) => Self::Corrupt {
                what: inner.to_string(),
            },
            DieselError::BrokenTransactionManager => Self::Unavailable {
                what: "the connection was lost".to_owned(),
            },
            other => Self::Statement {
                what: other.to_string(),
            },
        }
    }
}

fn from_database(
    kind: &DatabaseErrorKind,
    information: &dyn DatabaseErrorInformation,
) -> StoreError {
    let message = information.message();
    let what = message.to_owned();
    let says = |phrases: &[&str]| phrases.iter().any(|phrase| message.contains(phrase));
    match kind {
        DatabaseErrorKind::UniqueViolation => constraint(ConstraintKind::Unique, information),
        DatabaseErrorKind::ForeignKeyViolation | DatabaseErrorKind::RestrictViolation => {
            constraint(ConstraintKind::ForeignKey, information)
        }
        DatabaseErrorKind::NotNullViolation => constraint(ConstraintKind::NotNull, information),
        DatabaseErrorKind::CheckViolation | DatabaseErrorKind::ExclusionViolation => {
            constraint(ConstraintKind::Check, information)
        }
        DatabaseErrorKind::SerializationFailure => StoreError::Retry { what },
        DatabaseErrorKind::ClosedConnection | DatabaseErrorKind::UnableToSendCommand => {
            StoreError::Unavailable { what }
        }
        _ if says(&DEADLOCK) => StoreError::Retry { what },
        _ if says(&TIMEOUT) => StoreError::Timeout { what },
        _ if says(&UNAVAILABLE) => StoreError::Unavailable { what },
        _ if says(&CORRUPT) => StoreError::Corrupt { what },
        _ => StoreError::Statement { what },
    }
}

fn constraint(kind: ConstraintKind, information: &dyn DatabaseErrorInformation) -> StoreError {
    let message = information.message();
    // SQLite: "UNIQUE constraint failed: people.login"; PostgreSQL has fields for it.
    let columns = message
        .split_once("constraint failed: ")
        .map(|(_, columns)| columns);
    let table = information.table_name().or_else(|| {
        columns
            .and_then(|columns| columns.split_once('.'))
            .map(|(table, _)| table)
    });
    let name = information
        .constraint_name()
        .or(columns)
        .unwrap_or(match kind {
            ConstraintKind::Unique => "unique",
            ConstraintKind::ForeignKey => "foreign key",
            ConstraintKind::NotNull => "not null",
            ConstraintKind::Check => "check",
        });
    StoreError::Constraint {
        kind,
        table: table.map(str::to_owned),
        name: name.to_owned(),
    }
}
