//! One connection type over both databases, opened and set up by explicit choice.

use std::fs::OpenOptions;
use std::io::ErrorKind;
use std::path::Path;
use std::time::Duration;

use diesel::connection::{AnsiTransactionManager, SimpleConnection, TransactionManager};
use diesel::{Connection, PgConnection, SqliteConnection};

use super::db::DbOptions;
use super::error::StoreError;
use super::identity;
use super::url::DatabaseUrl;

#[allow(
    missing_docs,
    reason = "the derive writes public items without documentation"
)]
mod dual {
    use diesel::{PgConnection, SqliteConnection};

    /// A connection to either database. Never made by `Connection::establish`, which would try
    /// one kind after the other and create files; see [`super::open`].
    #[derive(diesel::MultiConnection)]
    pub enum Conn {
        /// The embedded database.
        Sqlite(SqliteConnection),
        /// A PostgreSQL session.
        Postgres(PgConnection),
    }
}

pub use dual::{Conn, MultiBackend};

/// Whoever counts the open transactions of a connection.
type Transactions = <Conn as Connection>::TransactionManager;

/// What a connection will be used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// Read transactions only.
    Read,
    /// Writing.
    Write,
    /// Migrating: no statement timeout, since a rewrite of a large table may take its time.
    Migrate,
}

/// Opens the database that `url` names and sets the session up for `purpose`.
///
/// # Errors
/// [`StoreError::Unavailable`] when it cannot be reached or opened; [`StoreError::Restored`] when
/// its positions are of another database.
pub(super) fn open(
    url: &DatabaseUrl,
    purpose: Purpose,
    options: &DbOptions,
) -> Result<Conn, StoreError> {
    if let Some(path) = url.sqlite_path() {
        return open_sqlite(path, purpose, options).map(Conn::Sqlite);
    }
    let secret = patient_for_seconds(url.postgres_secret().unwrap_or_default());
    let mut conn = PgConnection::establish(&secret).map_err(|error| StoreError::Unavailable {
        what: url.scrub(&error.to_string()),
    })?;
    conn.batch_execute(&postgres_settings(purpose, options))?;
    let mut conn = Conn::Postgres(conn);
    if purpose != Purpose::Migrate {
        // The address may lead to another database since the last session.
        identity::check(&mut conn)?;
    }
    Ok(conn)
}

/// How long a session waits for a peer that has gone without a word, in the words of libpq: without
/// them a writer would wait for as long as the system repeats its packets, a quarter of an hour.
const PATIENCE: [(&str, &str); 5] = [
    ("connect_timeout", "5"),
    ("keepalives_idle", "10"),
    ("keepalives_interval", "5"),
    ("keepalives_count", "3"),
    ("tcp_user_timeout", "30000"),
];

/// `address` with [`PATIENCE`], where it does not say otherwise itself.
fn patient_for_seconds(address: &str) -> String {
    let mut address = address.to_owned();
    for (name, value) in PATIENCE {
        let parameters = address.split_once('?').map_or("", |(_, after)| after);
        let said = |parameter: &str| parameter.split('=').next() == Some(name);
        if !parameters.split('&').any(said) {
            let separator = if address.contains('?') { '&' } else { '?' };
            address.push_str(&format!("{separator}{name}={value}"));
        }
    }
    address
}

fn open_sqlite(
    path: &Path,
    purpose: Purpose,
    options: &DbOptions,
) -> Result<SqliteConnection, StoreError> {
    let unavailable = |what: String| StoreError::Unavailable { what };
    if purpose != Purpose::Read {
        create_private(path)
            .map_err(|error| unavailable(format!("cannot create {}: {error}", path.display())))?;
    }
    // A relative name is made explicit, since SQLite takes "file:…" for a URI.
    let name = Path::new(".").join(path);
    let name = if path.is_absolute() { path } else { &name };
    let mut conn = SqliteConnection::establish(&name.to_string_lossy())
        .map_err(|error| unavailable(format!("cannot open {}: {error}", path.display())))?;
    let busy = options.busy_timeout.as_millis();
    conn.batch_execute(&format!("PRAGMA busy_timeout = {busy}"))?;
    if purpose != Purpose::Read {
        keep_a_log(&mut conn)?;
    }
    conn.batch_execute(match purpose {
        // Twice SQLite's own (KiB): the index pages of a list in a database of a million hazards stay.
        Purpose::Read => {
            "PRAGMA query_only = ON; PRAGMA foreign_keys = ON; PRAGMA cache_size = -4096"
        }
        // The writer touches the same index pages again and again: they stay in its cache (KiB),
        // and the log is copied back less often (pages), so that each is copied once for many
        // changes.
        Purpose::Write | Purpose::Migrate => {
            "PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;
             PRAGMA cache_size = -8192; PRAGMA wal_autocheckpoint = 4000"
        }
    })?;
    Ok(conn)
}

/// How often a new database is looked at again while others open it too.
const OPENED_TOGETHER: usize = 100;

/// Switches the database to a write-ahead log, where nobody has yet. The switch itself never waits for a lock that
/// another has (SQLite answers at once, lest two wait for each other), so that servers which open a new database
/// together wait in an empty transaction, which does.
fn keep_a_log(conn: &mut SqliteConnection) -> Result<(), StoreError> {
    let mut switched = conn.batch_execute("PRAGMA journal_mode = WAL");
    for _ in 0..OPENED_TOGETHER {
        if switched.is_ok() {
            break;
        }
        conn.batch_execute("BEGIN IMMEDIATE; ROLLBACK")?;
        switched = conn.batch_execute("PRAGMA journal_mode = WAL");
    }
    Ok(switched?)
}

/// Creates the file for its owner only: it will hold password hashes and signing keys. SQLite
/// gives its WAL the same mode.
fn create_private(path: &Path) -> std::io::Result<()> {
    let mut open = OpenOptions::new();
    open.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut open, 0o600);
    match open.open(path) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

fn postgres_settings(purpose: Purpose, options: &DbOptions) -> String {
    let statement = match purpose {
        Purpose::Migrate => 0,
        Purpose::Read | Purpose::Write => options.statement_timeout.as_millis(),
    };
    let lock = match purpose {
        Purpose::Migrate => 0,
        Purpose::Read => options.lock_timeout.as_millis(),
        Purpose::Write => options.group_lock_timeout.as_millis().max(1),
    };
    let idle = options.idle_in_transaction_timeout.as_millis();
    // Messages in English, where the role may choose, since some errors are told apart by them.
    format!(
        "SET application_name = 'hazardloop'; SET client_encoding = 'UTF8'; SET timezone = 'UTC';
         SET statement_timeout = {statement}; SET lock_timeout = {lock};
         SET idle_in_transaction_session_timeout = {idle};
         DO $$ BEGIN PERFORM set_config('lc_messages', 'C', false);
         EXCEPTION WHEN insufficient_privilege THEN NULL; END $$;"
    )
}

/// Begins a read transaction in which every query sees the same state.
pub(super) fn begin_read(conn: &mut Conn) -> Result<(), StoreError> {
    match conn {
        Conn::Sqlite(conn) => {
            AnsiTransactionManager::begin_transaction_sql(conn, "BEGIN DEFERRED")?
        }
        Conn::Postgres(conn) => AnsiTransactionManager::begin_transaction_sql(
            conn,
            "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
        )?,
    }
    Ok(())
}

/// How long statements of a transaction wait for locks (PostgreSQL; SQLite's single writer holds
/// the only lock there is).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LockWait {
    /// As long as the session says: a writer's says short, since it keeps others waiting.
    Session,
    /// So long.
    Patient(Duration),
}

/// Begins a write transaction; on SQLite with the write lock taken at once, since a lock that is
/// asked for later cannot be waited for.
pub(super) fn begin_write(conn: &mut Conn, wait: LockWait) -> Result<(), StoreError> {
    const POSTGRES: &str = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE";
    match (conn, wait) {
        (Conn::Sqlite(conn), _) => {
            AnsiTransactionManager::begin_transaction_sql(conn, "BEGIN IMMEDIATE")?;
        }
        (Conn::Postgres(conn), LockWait::Session) => {
            AnsiTransactionManager::begin_transaction_sql(conn, POSTGRES)?;
        }
        (Conn::Postgres(conn), LockWait::Patient(longest)) => {
            let ms = longest.as_millis().max(1);
            // One round trip for both.
            let both = format!("{POSTGRES}; SET LOCAL lock_timeout = {ms}");
            AnsiTransactionManager::begin_transaction_sql(conn, &both)?;
        }
    }
    Ok(())
}

/// Whether the session is beyond use.
pub(super) fn is_broken(conn: &mut Conn) -> bool {
    diesel::r2d2::R2D2Connection::is_broken(conn)
}

/// Commits the outermost transaction; when that fails, nothing is left open.
///
/// PostgreSQL answers COMMIT of a failed transaction with success and a rollback, so code that
/// swallowed a failed statement would be told that its work is stored. The harmless statement
/// before it, in the same round trip, turns that into an error.
pub(super) fn commit(conn: &mut Conn) -> Result<(), StoreError> {
    let committed = match conn {
        Conn::Sqlite(conn) => AnsiTransactionManager::commit_transaction(conn),
        Conn::Postgres(conn) => conn.batch_execute("SELECT 1; COMMIT"),
    };
    if committed.is_err() {
        rollback_to(conn, 0);
    }
    Ok(committed?)
}

/// How many transactions and savepoints are open; `None` when the connection is unusable.
pub(super) fn depth(conn: &mut Conn) -> Option<u32> {
    let depth = Transactions::transaction_manager_status_mut(conn).transaction_depth();
    depth
        .ok()
        .map(|depth| depth.map_or(0, std::num::NonZeroU32::get))
}

/// Rolls back until `level` transactions are open; answers whether exactly that was reached.
pub(super) fn rollback_to(conn: &mut Conn, level: u32) -> bool {
    while let Some(now) = depth(conn) {
        if now <= level {
            return now == level;
        }
        let rolled_back = Transactions::rollback_transaction(conn);
        if rolled_back.is_err() && depth(conn).is_none_or(|after| after >= now) {
            return false;
        }
    }
    false
}

/// Opens a savepoint inside the running transaction.
pub(super) fn begin_savepoint(conn: &mut Conn) -> Result<(), StoreError> {
    Ok(Transactions::begin_transaction(conn)?)
}

/// Keeps what the innermost savepoint did.
pub(super) fn release_savepoint(conn: &mut Conn) -> Result<(), StoreError> {
    Ok(Transactions::commit_transaction(conn)?)
}

#[cfg(test)]
mod tests {
    use super::patient_for_seconds;

    #[test]
    fn an_address_keeps_what_it_says_and_is_patient_for_seconds_otherwise() {
        let plain = patient_for_seconds("postgres://u@h/db");
        assert!(
            plain.starts_with("postgres://u@h/db?connect_timeout=5&"),
            "{plain}"
        );
        assert!(plain.ends_with("&tcp_user_timeout=30000"), "{plain}");
        let own = patient_for_seconds("postgres://u@h/db?connect_timeout=60&sslmode=require");
        assert!(own.starts_with("postgres://u@h/db?connect_timeout=60&sslmode=require&"));
        assert_eq!(own.matches("connect_timeout").count(), 1, "{own}");
    }
}
