//! The device's database: one SQLite file per (server, user), durable before acknowledged, every row
//! sealed under that person's data key.

mod account;
mod apply;
#[cfg(test)]
mod conformance_tests;
mod load;
pub mod plain;
mod plain_schema;
#[cfg(test)]
pub(crate) mod plain_writes;
#[cfg(test)]
mod power_cut_tests;
mod rows;
mod sealed;
#[cfg(test)]
mod sealed_tests;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod torn_tests;

use std::path::Path;

use diesel::connection::SimpleConnection as _;
use diesel::prelude::*;
use diesel::sqlite::SqliteConnection;
use diesel_migrations::{EmbeddedMigrations, MigrationHarness as _, embed_migrations};
use hazardloop_sync_protocol::device::{State, StoreOp, StoredCommand, StoredPhoto};
use rand::rngs::StdRng;

pub use account::Account;
use sealed::{Rows, Sealer};

use crate::data_key::DataKey;

const MIGRATIONS: EmbeddedMigrations = embed_migrations!("migrations-sealed");

/// `FULL`: with WAL, `NORMAL` loses committed work in a power cut, and this is the only copy. On Apple's systems a plain
/// flush leaves it in the disk's own memory, unless `fullfsync` is on; elsewhere that changes nothing. Names of rows are
/// hashes, so a first pull writes to pages all over the file: 8 MiB of them stay in memory, of which SQLite alone would
/// keep 2.
const PRAGMAS: &str = "PRAGMA busy_timeout = 5000; PRAGMA journal_mode = WAL; \
                       PRAGMA synchronous = FULL; PRAGMA fullfsync = ON; \
                       PRAGMA checkpoint_fullfsync = ON; PRAGMA foreign_keys = ON; \
                       PRAGMA cache_size = -8192;";

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
    /// Rows are missing, or others are there, than this program wrote.
    #[error("the device's database was altered: rows were taken out, put back or exchanged")]
    Altered,
    /// The file is not whole where it has to be before it takes another's place.
    #[error("the device's database could not be written as one file")]
    NotOneFile,
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
    sealer: Sealer,
}

impl Store {
    /// Opens, and where needed creates, the database.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn open(path: &Path, key: &DataKey, rng: StdRng) -> Result<Self, StoreError> {
        make_private(path)?;
        let mut conn = SqliteConnection::establish(&path.to_string_lossy())?;
        conn.batch_execute("PRAGMA busy_timeout = 5000")?;
        make_shrinkable(&mut conn)?;
        conn.batch_execute(PRAGMAS)?;
        conn.run_pending_migrations(MIGRATIONS)
            .map_err(|error| StoreError::Migrate(error.to_string()))?;
        let key = key.clone();
        let sealer = Sealer { key, rng };
        Ok(Self { conn, sealer })
    }

    /// Ends; all of it is in the one file afterwards, which may take another name.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn close(mut self, path: &Path) -> Result<(), StoreError> {
        self.conn
            .batch_execute("PRAGMA wal_checkpoint(TRUNCATE); PRAGMA journal_mode = DELETE")?;
        drop(self.conn);
        let mut log = path.as_os_str().to_owned();
        log.push("-wal");
        if Path::new(&log).exists() {
            return Err(StoreError::NotOneFile);
        }
        Ok(std::fs::File::open(path)?.sync_all()?)
    }

    /// All that is kept, with the scopes' sums made from the rows themselves.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn load(&mut self) -> Result<State, StoreError> {
        Ok(self.load_all()?.0)
    }

    /// As [`Store::load`], and the account, when somebody is enrolled.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn load_all(&mut self) -> Result<(State, Option<Account>), StoreError> {
        let sealer = &self.sealer;
        let mut loaded = self
            .conn
            .transaction::<_, StoreError, _>(|conn| load::load(conn, sealer))?;
        if loaded.replica_is_void {
            self.drop_replica()?;
        }
        loaded.state.recompute_held();
        Ok((loaded.state, loaded.account))
    }

    /// Removes the replica; the next pull brings what its owner may see.
    ///
    /// # Errors
    /// [`StoreError`]; nothing was changed.
    pub fn drop_replica(&mut self) -> Result<(), StoreError> {
        let sealer = &mut self.sealer;
        self.conn.immediate_transaction(|conn| {
            let mut rows = Rows::begin(conn, sealer)?;
            rows.drop_replica()?;
            rows.finish()
        })
    }

    /// The commands beyond `seq` and the photos that they name first, in order.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn queued_after(
        &mut self,
        seq: i64,
    ) -> Result<(Vec<StoredCommand>, Vec<StoredPhoto>), StoreError> {
        let sealer = &self.sealer;
        self.conn.transaction(|conn| {
            let commands = load::commands(conn, sealer, seq)?;
            Ok((commands, load::photos(conn, sealer, seq)?))
        })
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
        let sealer = &mut self.sealer;
        self.conn.immediate_transaction(|conn| {
            let mut rows = Rows::begin(conn, sealer)?;
            if let Some(account) = account {
                apply::put_account(&mut rows, account)?;
            }
            apply::all(&mut rows, ops)?;
            rows.finish()
        })
    }
}
