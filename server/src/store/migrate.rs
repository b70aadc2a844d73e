//! Migrations, embedded in the program: same names and same tables on both databases.

use std::collections::BTreeMap;

use diesel::connection::{
    AnsiTransactionManager, Connection, SimpleConnection, TransactionManager,
};
use diesel::migration::{Migration, MigrationSource};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use super::conn::{self, Conn, Purpose};
use super::db::DbOptions;
use super::error::StoreError;
use super::hazards;
use super::identity::{self, Depth};
use super::url::DatabaseUrl;
use super::{planned_members, tasks};

const SQLITE: EmbeddedMigrations = embed_migrations!("../migrations/sqlite");
const POSTGRES: EmbeddedMigrations = embed_migrations!("../migrations/postgres");

/// PostgreSQL advisory lock that one migrating process holds: "hazardlp" in ASCII.
const MIGRATION_LOCK: i64 = 0x6861_7A61_7264_6C70;

/// Brings the database to this program's version, creating an SQLite file that is not there.
/// Processes that start at the same time wait for one another. Answers the names of what was run.
///
/// # Errors
/// [`StoreError::NewerDatabase`] when a newer release has migrated it; [`StoreError::Migration`]
/// with the failing one, whose changes are undone; [`StoreError::Restored`] when the database's
/// positions are of another one.
pub fn migrate(url: &DatabaseUrl) -> Result<Vec<String>, StoreError> {
    locked(url, |conn| {
        identity::check_to(conn, Depth::Whole)?;
        let ran = all_up(conn)?;
        identity::record(conn)?;
        Ok(ran)
    })
}

/// Migrates without asking what the database is, then does `work`, still alone.
pub(super) fn locked_up<T>(
    url: &DatabaseUrl,
    work: impl FnOnce(&mut Conn) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    locked(url, |conn| {
        all_up(conn)?;
        work(conn)
    })
}

/// Rows that are filled in one statement's worth of work; what has been filled is not looked at again.
const FILLED_AT_ONCE: i64 = 500;

fn all_up(conn: &mut Conn) -> Result<Vec<String>, StoreError> {
    let ran = match conn {
        Conn::Sqlite(conn) => up(conn, &SQLITE),
        Conn::Postgres(conn) => up(conn, &POSTGRES),
    }?;
    // What SQL cannot read out of a record.
    while hazards::fill_new_columns(conn, FILLED_AT_ONCE)? > 0 {}
    planned_members::fill(conn, FILLED_AT_ONCE)?;
    tasks::fill_all(conn, FILLED_AT_ONCE)?;
    Ok(ran)
}

/// The names of migrations that the database still needs; does not create a file.
///
/// # Errors
/// As [`migrate`].
pub fn pending(url: &DatabaseUrl) -> Result<Vec<String>, StoreError> {
    if url.sqlite_path().is_some_and(|path| !path.exists()) {
        let all: Migrations<diesel::sqlite::Sqlite> = SQLITE.migrations().map_err(failed)?;
        return Ok(names(&all));
    }
    let mut conn = conn::open(url, Purpose::Migrate, &DbOptions::default())?;
    match &mut conn {
        Conn::Sqlite(conn) => still_needed(conn, &SQLITE).map(|needed| names(&needed)),
        Conn::Postgres(conn) => still_needed(conn, &POSTGRES).map(|needed| names(&needed)),
    }
}

/// Runs `work` while no other process migrates this database.
fn locked<T>(
    url: &DatabaseUrl,
    work: impl FnOnce(&mut Conn) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    let mut conn = conn::open(url, Purpose::Migrate, &DbOptions::default())?;
    match &mut conn {
        // All in one transaction that holds the write lock from its beginning.
        Conn::Sqlite(sqlite) => {
            AnsiTransactionManager::begin_transaction_sql(sqlite, "BEGIN IMMEDIATE")?
        }
        // The session holds the lock; it ends with the connection, however that comes about.
        Conn::Postgres(postgres) => {
            postgres.batch_execute(&format!("SELECT pg_advisory_lock({MIGRATION_LOCK})"))?;
        }
    }
    let answer = work(&mut conn);
    if let Conn::Sqlite(sqlite) = &mut conn {
        match answer {
            Ok(_) => AnsiTransactionManager::commit_transaction(sqlite)?,
            Err(_) => AnsiTransactionManager::rollback_transaction(sqlite)?,
        }
    }
    answer
}

type Migrations<DB> = Vec<Box<dyn Migration<DB>>>;

fn up<C, M>(conn: &mut C, known: &M) -> Result<Vec<String>, StoreError>
where
    C: Connection + MigrationHarness<C::Backend>,
    M: MigrationSource<C::Backend>,
{
    let mut ran = Vec::new();
    for migration in still_needed(conn, known)? {
        let name = migration.name().to_string();
        conn.run_migration(&migration)
            .map_err(|error| StoreError::Migration {
                what: format!("{name}: {error}"),
            })?;
        ran.push(name);
    }
    Ok(ran)
}

/// The migrations that have not run, oldest first.
fn still_needed<C, M>(conn: &mut C, known: &M) -> Result<Migrations<C::Backend>, StoreError>
where
    C: Connection + MigrationHarness<C::Backend>,
    M: MigrationSource<C::Backend>,
{
    let mut needed: BTreeMap<String, Box<dyn Migration<C::Backend>>> = known
        .migrations()
        .map_err(failed)?
        .into_iter()
        .map(|migration| (migration.name().version().to_string(), migration))
        .collect();
    // Newest first, so the first unknown one is the one to name.
    for version in conn.applied_migrations().map_err(failed)? {
        let version = version.to_string();
        if needed.remove(&version).is_none() {
            return Err(StoreError::NewerDatabase { version });
        }
    }
    Ok(needed.into_values().collect())
}

fn names<DB: diesel::backend::Backend>(migrations: &Migrations<DB>) -> Vec<String> {
    migrations
        .iter()
        .map(|migration| migration.name().to_string())
        .collect()
}

fn failed(error: Box<dyn std::error::Error + Send + Sync>) -> StoreError {
    StoreError::Migration {
        what: error.to_string(),
    }
}

/// Undoes migrations, newest first, down to and including the one whose name ends so.
#[cfg(test)]
pub(super) fn revert_to(url: &DatabaseUrl, ending: &str) -> Result<(), StoreError> {
    locked(url, |conn| {
        loop {
            let version = match conn {
                Conn::Sqlite(conn) => conn.revert_last_migration(SQLITE),
                Conn::Postgres(conn) => conn.revert_last_migration(POSTGRES),
            };
            let version = version.map_err(failed)?.to_string();
            let known: Migrations<diesel::sqlite::Sqlite> = SQLITE.migrations().map_err(failed)?;
            let reverted = known
                .iter()
                .map(|migration| migration.name())
                .find(|name| name.version().to_string() == version);
            if reverted.is_some_and(|name| name.to_string().ends_with(ending)) {
                return Ok(());
            }
        }
    })
}

/// Undoes every migration, newest first.
#[cfg(test)]
pub(super) fn revert_all(url: &DatabaseUrl) -> Result<usize, StoreError> {
    locked(url, |conn| {
        let reverted = match conn {
            Conn::Sqlite(conn) => conn.revert_all_migrations(SQLITE).map(|all| all.len()),
            Conn::Postgres(conn) => conn.revert_all_migrations(POSTGRES).map(|all| all.len()),
        };
        reverted.map_err(failed)
    })
}
