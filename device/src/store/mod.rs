//! The device's database: one SQLite file per (server, user), durable before acknowledged.

mod account;
mod apply;
#[cfg(test)]
mod conformance_tests;
mod load;
mod schema;
#[cfg(test)]
mod tests;

use std::path::Path;

use diesel::connection::SimpleConnection as _;
use diesel::prelude::*;
use diesel::sqlite::SqliteConnection;
use diesel_migrations::{EmbeddedMigrations, MigrationHarness as _, embed_migrations};
use hazardloop_sync_protocol::device::{State, StoreOp, StoredCommand, StoredPhoto};

pub use account::Account;

const MIGRATIONS: EmbeddedMigrations = embed_migrations!("migrations");

/// `FULL`: with WAL, `NORMAL` loses committed work in a power cut, and this is the only copy.
const PRAGMAS: &str = "PRAGMA busy_timeout = 5000; PRAGMA journal_mode = WAL; \
                       PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;";

/// Why the store does not answer.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The file cannot be opened.
    #[error("the device's database cannot be opened: {0}")]
    Open(#[from] diesel::ConnectionError),
    /// The tables cannot be brought up to date.
    #[error("the device's database cannot be brought up to date: {0}")]
    Migrate(String),
    /// The file cannot be kept from other users.
    #[error("the device's database cannot be made private: {0}")]
    Private(#[from] std::io::Error),
    /// Reading or writing failed (full disk, damaged file).
    #[error("the device's database: {0}")]
    Database(#[from] diesel::result::Error),
    /// A stored value is not what it has to be.
    #[error("the device's database holds a damaged {0}")]
    Damaged(&'static str),
}

/// Tokens and work are its owner's alone; SQLite gives its log files the mode of the database.
fn make_private(path: &Path) -> std::io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.create(true).truncate(false).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(path)?;
    #[cfg(unix)]
    file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
    drop(file);
    Ok(())
}

#[derive(diesel::QueryableByName)]
struct AutoVacuum {
    #[diesel(sql_type = diesel::sql_types::Integer)]
    auto_vacuum: i32,
}

/// `PRAGMA auto_vacuum = INCREMENTAL`, in numbers.
const INCREMENTAL: i32 = 2;

/// Lets free pages be given back in steps. The mode is part of the file: a new one takes it before
/// its first table, one from an older build is written anew once. That needs as much free disk
/// again; without it the file works on as it is, and the next start tries again.
fn make_shrinkable(conn: &mut SqliteConnection) -> Result<(), StoreError> {
    let mode = |conn: &mut SqliteConnection| {
        diesel::sql_query("PRAGMA auto_vacuum").get_result::<AutoVacuum>(conn)
    };
    if mode(conn)?.auto_vacuum != INCREMENTAL {
        conn.batch_execute("PRAGMA auto_vacuum = INCREMENTAL")?;
        if mode(conn)?.auto_vacuum != INCREMENTAL {
            drop(conn.batch_execute("VACUUM"));
        }
    }
    Ok(())
}

/// The open database.
pub struct Store {
    conn: SqliteConnection,
}

impl Store {
    /// Opens, and where needed creates, the database.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        make_private(path)?;
        let mut conn = SqliteConnection::establish(&path.to_string_lossy())?;
        conn.batch_execute("PRAGMA busy_timeout = 5000")?;
        make_shrinkable(&mut conn)?;
        conn.batch_execute(PRAGMAS)?;
        conn.run_pending_migrations(MIGRATIONS)
            .map_err(|error| StoreError::Migrate(error.to_string()))?;
        Ok(Self { conn })
    }

    /// All that is kept, with the scopes' sums made from the rows themselves.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn load(&mut self) -> Result<State, StoreError> {
        let mut state = self.conn.transaction::<_, StoreError, _>(load::load)?;
        state.recompute_held();
        Ok(state)
    }

    /// The commands beyond `seq` and the photos that they name first, in order.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn queued_after(
        &mut self,
        seq: i64,
    ) -> Result<(Vec<StoredCommand>, Vec<StoredPhoto>), StoreError> {
        self.conn
            .transaction(|conn| Ok((load::commands(conn, seq)?, load::photos(conn, seq)?)))
    }

    /// Applies all operations, or none, durably.
    ///
    /// # Errors
    /// [`StoreError`]; nothing was changed.
    pub fn apply(&mut self, ops: &[StoreOp]) -> Result<(), StoreError> {
        self.apply_with_account(ops, None)
    }

    /// As [`Store::apply`], together with a new account (a new install and its queue are one).
    ///
    /// # Errors
    /// [`StoreError`]; nothing was changed.
    pub fn apply_with_account(
        &mut self,
        ops: &[StoreOp],
        account: Option<&Account>,
    ) -> Result<(), StoreError> {
        self.conn.immediate_transaction(|conn| {
            if let Some(account) = account {
                account::put(conn, account)?;
            }
            ops.iter().try_for_each(|op| apply::one(conn, op))
        })
    }

    /// The account, when somebody is enrolled.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn account(&mut self) -> Result<Option<Account>, StoreError> {
        account::get(&mut self.conn)
    }
}
