//! Places in the commit order, and how far a reader may go without missing a later commit.
//!
//! A row's place is `(tx, ordinal)`. On PostgreSQL `tx` is the transaction's 64-bit id; ids are
//! given when a transaction first writes, not when it commits, so a reader stops below the oldest
//! one that is still open. On SQLite the single writer counts commits.
//!
//! Transaction ids do not survive dump and restore: a restored database gets an offset that is
//! added to its new cluster's ids, so that they go on above the old ones; see [`super::identity`].

use std::fmt;
use std::str::FromStr;
use std::sync::atomic::{AtomicI64, Ordering};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use diesel::prelude::*;
use diesel::sql_types::BigInt;
use hazardloop_sync_protocol::hub::FeedPosition;
use hazardloop_sync_protocol::wire::Bytes;

use super::conn::Conn;
use super::error::StoreError;
use super::prepared::Prepared;

/// Bytes of an encoded [`Position`].
pub const POSITION_BYTES: usize = 12;

/// A place in the commit order; opaque to devices.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// The transaction's number.
    pub tx: i64,
    /// The row's place within it.
    pub ordinal: i32,
}

/// A cursor that this server cannot have given out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a position that this server has given out")]
pub struct BadPosition;

impl Position {
    /// Before every row.
    pub const START: Self = Self { tx: 0, ordinal: 0 };

    /// After every row.
    pub const END: Self = Self {
        tx: i64::MAX,
        ordinal: i32::MAX,
    };

    /// Big-endian, so that bytes sort as positions do.
    #[must_use]
    pub fn to_bytes(self) -> [u8; POSITION_BYTES] {
        let mut bytes = [0; POSITION_BYTES];
        let (tx, ordinal) = bytes.split_at_mut(8);
        tx.copy_from_slice(&self.tx.to_be_bytes());
        ordinal.copy_from_slice(&self.ordinal.to_be_bytes());
        bytes
    }

    /// Reads what [`Self::to_bytes`] wrote.
    ///
    /// # Errors
    /// [`BadPosition`] for another length or a negative number.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, BadPosition> {
        let (tx, ordinal) = bytes.split_first_chunk::<8>().ok_or(BadPosition)?;
        let position = Self {
            tx: i64::from_be_bytes(*tx),
            ordinal: i32::from_be_bytes(ordinal.try_into().map_err(|_| BadPosition)?),
        };
        if position.tx < 0 || position.ordinal < 0 {
            Err(BadPosition)
        } else {
            Ok(position)
        }
    }
}

impl FeedPosition for Position {
    const START: Self = Self::START;

    fn to_cursor(self) -> Bytes {
        Bytes(self.to_bytes().to_vec())
    }

    fn from_cursor(cursor: &[u8]) -> Option<Self> {
        Self::from_bytes(cursor).ok()
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&URL_SAFE_NO_PAD.encode(self.to_bytes()))
    }
}

impl FromStr for Position {
    type Err = BadPosition;

    fn from_str(text: &str) -> Result<Self, BadPosition> {
        // Decoding is bounded: a longer text is refused before it is decoded.
        if text.len() != POSITION_BYTES / 3 * 4 {
            return Err(BadPosition);
        }
        Self::from_bytes(&URL_SAFE_NO_PAD.decode(text).map_err(|_| BadPosition)?)
    }
}

/// Rows of a feed that come after a position, for a table with columns `tx` and `ordinal`.
///
/// Written so that an index on `(…, tx, ordinal)` is entered at `tx` on both databases.
#[macro_export]
macro_rules! rows_after {
    ($table:ident, $position:expr) => {{
        let position: $crate::store::order::Position = $position;
        $table::tx.ge(position.tx).and(
            $table::tx
                .gt(position.tx)
                .or($table::ordinal.gt(position.ordinal)),
        )
    }};
}
pub use rows_after;

/// How far a reader may go, and what no transaction can have reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// See [`horizon`].
    pub horizon: i64,
    /// The first number that was given to no transaction when this was asked: a cursor at or above
    /// it was not given out by this database as it is now.
    pub unused: i64,
}

impl Bounds {
    /// The last position up to which everything is safe to deliver.
    #[must_use]
    pub fn reached(self) -> Position {
        Position {
            tx: self.horizon.min(self.unused).saturating_sub(1).max(0),
            ordinal: i32::MAX,
        }
    }

    /// The first position that nobody can have been given.
    #[must_use]
    pub const fn first_unused(self) -> Position {
        Position {
            tx: self.unused,
            ordinal: 0,
        }
    }
}

/// The highest bounds that this process has seen. Whatever was settled stays so: nobody writes below that horizon again,
/// whatever runs now. A database is put back while no server runs on it.
#[derive(Debug, Default)]
pub struct Settled(AtomicI64);

impl Settled {
    /// Remembers what was asked.
    pub fn note(&self, bounds: Bounds) {
        let below = bounds.horizon.min(bounds.unused);
        self.0.fetch_max(below, Ordering::Relaxed);
    }

    /// Bounds that held already when the highest was noted. Ask before the snapshot is taken that is held against them,
    /// so that it shows all that was settled.
    pub fn bounds(&self) -> Bounds {
        let below = self.0.load(Ordering::Relaxed);
        Bounds {
            horizon: below,
            unused: below,
        }
    }
}

/// Name of the fact that holds what is added to PostgreSQL's transaction ids; absent: nothing.
pub(super) const OFFSET: &str = "tx_offset";

/// What is added to PostgreSQL's transaction ids, as an expression: one row by its key.
macro_rules! offset {
    () => {
        "COALESCE((SELECT value::bigint FROM server_meta WHERE name = 'tx_offset'), 0)"
    };
}
pub(super) use offset;

fn one_number(conn: &mut Conn, sql: &'static str) -> Result<i64, StoreError> {
    Ok(Prepared::new(sql, Vec::new()).get_result(conn)?)
}

/// The oldest transaction that was running when the snapshot was taken; when there was none, the
/// first that had not begun.
///
/// Transaction ids are one row for the whole cluster, so that a long transaction of another
/// database would hold back this one's devices. One that provably belongs elsewhere is passed
/// over: whoever runs still holds the lock on its own id, and its backend names its database.
/// Whatever cannot be proved counts as ours: not yet locked, just ended, or of a role whose
/// activity may not be seen. A snapshot leaves the transaction that takes it out of those running,
/// but others who share the transaction may still write under its number: where it has one (LEAST
/// passes over an absent one), the horizon is no higher.
macro_rules! postgres_horizon {
    () => {
        concat!(
            "LEAST(COALESCE(\
             (SELECT min(running.id::text::bigint) \
              FROM pg_snapshot_xip(pg_current_snapshot()) AS running(id) \
              WHERE NOT EXISTS (\
              SELECT 1 FROM pg_locks AS held \
              JOIN pg_stat_activity AS backend ON backend.pid = held.pid \
              WHERE held.locktype = 'transactionid' AND held.mode = 'ExclusiveLock' \
              AND held.granted AND held.transactionid = running.id::xid \
              AND backend.datname <> current_database())), \
             pg_snapshot_xmax(pg_current_snapshot())::text::bigint), \
             pg_current_xact_id_if_assigned()::text::bigint) + ",
            offset!()
        )
    };
}

/// The first transaction number that may still be written by somebody: rows with `tx` below it
/// are safe to deliver, rows at or above it come with a later read. Ask in the same transaction
/// as the rows, or in an earlier statement of a READ COMMITTED one, so that the rows' snapshot is
/// no older.
///
/// # Errors
/// When the database does not answer.
pub fn horizon(conn: &mut Conn) -> Result<i64, StoreError> {
    match conn {
        // One writer: a snapshot holds all of a commit or nothing, and commits are in order.
        Conn::Sqlite(_) => Ok(i64::MAX),
        Conn::Postgres(_) => {
            one_number(conn, concat!("SELECT ", postgres_horizon!(), " AS number"))
        }
    }
}

/// As [`horizon`], but no higher than any transaction of the cluster that runs: it never steps back, where the horizon
/// does by what another database's transaction ends while it is asked for.
///
/// # Errors
/// When the database does not answer.
#[cfg(test)]
pub(crate) fn lowest_running(conn: &mut Conn) -> Result<i64, StoreError> {
    match conn {
        Conn::Sqlite(_) => Ok(i64::MAX),
        Conn::Postgres(_) => {
            let sql = concat!(
                "SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint + ",
                offset!(),
                " AS number"
            );
            one_number(conn, sql)
        }
    }
}

/// [`horizon`], and the first number that nobody had yet; as with it, before the rows.
///
/// # Errors
/// When the database does not answer.
pub fn bounds(conn: &mut Conn) -> Result<Bounds, StoreError> {
    let sql = match conn {
        Conn::Sqlite(_) => {
            "SELECT 9223372036854775807 AS horizon, last + 1 AS unused FROM commit_order"
        }
        Conn::Postgres(_) => concat!(
            "SELECT ",
            postgres_horizon!(),
            " AS horizon, pg_snapshot_xmax(pg_current_snapshot())::text::bigint + ",
            offset!(),
            " AS unused"
        ),
    };
    let asked = Prepared::<(BigInt, BigInt)>::of_parts(sql.to_owned(), Vec::new());
    let (horizon, unused) = asked.get_result(conn)?;
    Ok(Bounds { horizon, unused })
}

/// The current PostgreSQL transaction's number, which it is given now if it had none.
pub(super) fn postgres_transaction(conn: &mut Conn) -> Result<i64, StoreError> {
    let sql = concat!(
        "SELECT pg_current_xact_id()::text::bigint + ",
        offset!(),
        " AS number"
    );
    one_number(conn, sql)
}
