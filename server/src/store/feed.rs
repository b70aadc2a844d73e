//! The change feed: which records each scope holds, in commit order.
//!
//! One row per (scope, record). A change moves the row to the end of the order, so that a cursor
//! that has passed its old place meets it again. Removals go in the end (`forgotten.rs`).

mod first;
mod merged;
mod newest;

pub use first::first;
pub(super) use merged::{held_among, tell};
pub use newest::{ends_of, newest};

use diesel::QueryResult;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Binary, Integer, Text};
use hazardloop_domain::time::Timestamp;
use hazardloop_sync_protocol::digest::DigestKey;
use hazardloop_sync_protocol::hub;
use hazardloop_sync_protocol::wire::{Checkpoint, RecordKind, Scope};
use uuid::Uuid;

use super::batch::in_arrays;
use super::prepared::{Bind, Prepared};
use super::schema::scope_rows;
use super::windows::{Falls, HELD, TOO_OLD};
use super::{Conn, Position, StoreError, WriteTx, rows_after};

/// One row of the feed, as it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Row {
    scope: String,
    record_kind: i32,
    record_id: Vec<u8>,
    present: bool,
    version: i64,
    digest_high: i64,
    digest_low: i64,
    created_at: i64,
    tx: i64,
    ordinal: i32,
    ended: EndedRow,
}

/// What a row says of a record that came to its end; of every other, nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct EndedRow {
    settled_at: Option<i64>,
    bytes: i64,
    window_no: i32,
    aside: i32,
}

/// One change of one scope, as a pull delivers it.
pub type Change = hub::Change<Position>;

/// One record, about to be announced.
#[derive(Clone, Copy, Debug)]
pub struct Announced<'a> {
    /// What it is.
    pub kind: RecordKind,
    /// Which one.
    pub id: &'a Uuid,
    /// Its version.
    pub version: i64,
    /// Its CBOR as devices receive it.
    pub body: &'a [u8],
    /// When the record came to be; lists are in this order.
    pub created_at: Timestamp,
}

/// What the feed is about to be told.
#[derive(Clone, Debug, Default)]
pub struct News {
    rows: Vec<Row>,
}

impl News {
    /// Tells `scopes` that they hold this record, or hold it in a new version.
    pub fn put(&mut self, key: &DigestKey, scopes: &[Scope], record: Announced<'_>) {
        let digest = key.of_record(record.kind, record.id, record.version, record.body);
        self.add(scopes, &record, true, digest, EndedRow::default());
    }

    /// The same of a record that came to its end at `settled_at`. Each scope has its window; one that left the record
    /// out goes on to do so.
    pub fn put_ended(
        &mut self,
        key: &DigestKey,
        scopes: &[(Scope, Falls)],
        record: Announced<'_>,
        settled_at: Timestamp,
    ) {
        let digest = key.of_record(record.kind, record.id, record.version, record.body);
        for (scope, falls) in scopes {
            let ended = EndedRow {
                settled_at: Some(settled_at.as_millis()),
                bytes: i64::try_from(record.body.len()).unwrap_or(i64::MAX),
                window_no: falls.window.number(),
                aside: if falls.too_old { TOO_OLD } else { HELD },
            };
            self.add(&[*scope], &record, true, digest, ended);
        }
    }

    /// Tells `scopes` that they no longer hold this record.
    pub fn remove(
        &mut self,
        scopes: &[Scope],
        kind: RecordKind,
        id: &Uuid,
        version: i64,
        now: Timestamp,
    ) {
        let record = Announced {
            kind,
            id,
            version,
            body: &[],
            created_at: now,
        };
        self.add(scopes, &record, false, 0, EndedRow::default());
    }

    fn add(
        &mut self,
        scopes: &[Scope],
        record: &Announced<'_>,
        present: bool,
        digest: u64,
        ended: EndedRow,
    ) {
        let low_half = u64::from(u32::MAX);
        self.rows.extend(scopes.iter().map(|scope| Row {
            scope: scope.to_string(),
            record_kind: record.kind.number(),
            record_id: record.id.as_bytes().to_vec(),
            present,
            version: record.version,
            digest_high: i64::try_from(digest >> 32).unwrap_or_default(),
            digest_low: i64::try_from(digest & low_half).unwrap_or_default(),
            created_at: record.created_at.as_millis(),
            tx: 0,
            ordinal: 0,
            ended,
        }));
    }
}

/// A row of one scope, to be copied into another.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = scope_rows)]
pub(super) struct Copied {
    record_kind: i32,
    record_id: Vec<u8>,
    present: bool,
    version: i64,
    digest_high: i64,
    digest_low: i64,
    created_at: i64,
    settled_at: Option<i64>,
    bytes: i64,
    window_no: i32,
    aside: i32,
}

impl Copied {
    /// Kind and id.
    pub(super) fn key(&self) -> (i32, Vec<u8>) {
        (self.record_kind, self.record_id.clone())
    }

    /// The version of the record.
    pub(super) const fn version(&self) -> i64 {
        self.version
    }

    /// Whether the scope holds the record.
    pub(super) const fn is_present(&self) -> bool {
        self.present
    }
}

/// All rows of a scope that holds few.
///
/// # Errors
/// When the database does not answer.
pub(super) fn all_of(conn: &mut Conn, scope: Scope) -> Result<Vec<Copied>, StoreError> {
    Ok(scope_rows::table
        .filter(scope_rows::scope.eq(scope.to_string()))
        .filter(scope_rows::present)
        .order((scope_rows::record_kind, scope_rows::record_id))
        .select(Copied::as_select())
        .load(conn)?)
}

/// Tells `scope` that it holds these records, unless it has been told of them: what it was told is no
/// older. Digests are of records alone, the same in every scope.
///
/// # Errors
/// When the database does not answer.
pub(super) fn copy(
    tx: &mut WriteTx<'_>,
    scope: Scope,
    rows: Vec<Copied>,
) -> Result<(), StoreError> {
    let copies = copies(tx, scope, rows)?;
    in_arrays!(copies, |array| insert_unless_told(tx.conn(), array)?);
    Ok(())
}

/// These rows as `scope` is told of them, at the end of the order.
fn copies(tx: &mut WriteTx<'_>, scope: Scope, rows: Vec<Copied>) -> Result<Vec<Row>, StoreError> {
    let scope = scope.to_string();
    let mut copies = Vec::with_capacity(rows.len());
    for row in rows {
        let position = tx.next_position()?;
        copies.push(Row {
            scope: scope.clone(),
            record_kind: row.record_kind,
            record_id: row.record_id,
            present: row.present,
            version: row.version,
            digest_high: row.digest_high,
            digest_low: row.digest_low,
            created_at: row.created_at,
            tx: position.tx,
            ordinal: position.ordinal,
            ended: EndedRow {
                settled_at: row.settled_at,
                bytes: row.bytes,
                window_no: row.window_no,
                // A sector has the window of its jurisdiction, and one that is merged is of its successor's level: the
                // same window. But as many bytes to itself, which are weighed anew.
                aside: if row.aside == TOO_OLD { TOO_OLD } else { HELD },
            },
        });
    }
    Ok(copies)
}

fn insert_unless_told<const N: usize>(conn: &mut Conn, rows: [Row; N]) -> QueryResult<usize> {
    let unless_told = " ON CONFLICT (scope, record_kind, record_id) DO NOTHING";
    Prepared::rows(INSERT, PLACES, unless_told, rows.map(Row::binds)).execute(conn)
}

/// Has a scope that nobody holds yet hold a record that another one holds, at the same place in the order:
/// a place is of one row alone.
///
/// # Errors
/// When the database does not answer.
pub(super) fn hold_too(
    conn: &mut Conn,
    (from, to): (Scope, Scope),
    kind: RecordKind,
    id: &Uuid,
) -> Result<(), StoreError> {
    diesel::sql_query(
        "INSERT INTO scope_rows (scope, record_kind, record_id, present, version, digest_high, \
         digest_low, created_at, tx, ordinal, settled_at, bytes, window_no, to_weigh) SELECT $1, \
         record_kind, record_id, present, version, digest_high, digest_low, created_at, tx, ordinal, \
         settled_at, bytes, CASE WHEN settled_at IS NULL THEN 0 ELSE 1 END, settled_at IS NOT NULL \
         FROM scope_rows WHERE scope = $2 AND record_kind = $3 AND record_id = $4 AND present \
         ON CONFLICT (scope, record_kind, record_id) DO NOTHING",
    )
    .bind::<Text, _>(to.to_string())
    .bind::<Text, _>(from.to_string())
    .bind::<Integer, _>(kind.number())
    .bind::<Binary, _>(id.as_bytes().to_vec())
    .execute(conn)?;
    Ok(())
}

/// Tells `scopes` that they hold this record, or hold it in a new version.
///
/// # Errors
/// When the database does not answer.
pub fn put(
    tx: &mut WriteTx<'_>,
    key: &DigestKey,
    scopes: &[Scope],
    record: Announced<'_>,
) -> Result<(), StoreError> {
    let mut news = News::default();
    news.put(key, scopes, record);
    publish(tx, news)
}

/// Tells `scopes` that they no longer hold this record.
///
/// # Errors
/// When the database does not answer.
pub fn remove(
    tx: &mut WriteTx<'_>,
    scopes: &[Scope],
    kind: RecordKind,
    id: &Uuid,
    version: i64,
    now: Timestamp,
) -> Result<(), StoreError> {
    let mut news = News::default();
    news.remove(scopes, kind, id, version, now);
    publish(tx, news)
}

/// Writes what the feed is told, in few statements: on PostgreSQL each is a round trip. A scope and
/// record may be named once.
///
/// # Errors
/// When the database does not answer.
pub fn publish(tx: &mut WriteTx<'_>, news: News) -> Result<(), StoreError> {
    let mut rows = news.rows;
    for row in &mut rows {
        let position = tx.next_position()?;
        (row.tx, row.ordinal) = (position.tx, position.ordinal);
    }
    in_arrays!(rows, |array| upsert(tx.conn(), array)?);
    Ok(())
}

const INSERT: &str = "INSERT INTO scope_rows (scope, record_kind, record_id, present, version, \
    digest_high, digest_low, created_at, tx, ordinal, settled_at, bytes, window_no, aside, to_weigh) VALUES ";
/// Of one row.
const PLACES: &str = "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";

fn upsert<const N: usize>(conn: &mut Conn, rows: [Row; N]) -> QueryResult<usize> {
    Prepared::rows(
        INSERT,
        PLACES,
        // The row keeps the time of its creation, and that of its record's end while it lasts. What the window left
        // out stays out, whatever changes on it, until it is open again: devices need not hear of it, so that it
        // keeps its place in the order too.
        " ON CONFLICT (scope, record_kind, record_id) DO UPDATE SET present = excluded.present, \
         version = excluded.version, digest_high = excluded.digest_high, \
         digest_low = excluded.digest_low, \
         tx = CASE WHEN excluded.settled_at IS NOT NULL AND scope_rows.aside > 0 \
         THEN scope_rows.tx ELSE excluded.tx END, \
         ordinal = CASE WHEN excluded.settled_at IS NOT NULL AND scope_rows.aside > 0 \
         THEN scope_rows.ordinal ELSE excluded.ordinal END, \
         settled_at = CASE WHEN excluded.settled_at IS NULL THEN NULL \
         ELSE COALESCE(scope_rows.settled_at, excluded.settled_at) END, \
         bytes = excluded.bytes, \
         window_no = CASE WHEN excluded.window_no = 0 THEN scope_rows.window_no \
         ELSE excluded.window_no END, \
         aside = CASE WHEN excluded.settled_at IS NULL THEN 0 WHEN scope_rows.aside > 0 \
         THEN scope_rows.aside ELSE excluded.aside END, \
         to_weigh = excluded.to_weigh OR scope_rows.to_weigh OR scope_rows.settled_at IS NOT NULL",
        rows.map(Row::binds),
    )
    .execute(conn)
}

impl Row {
    /// In the order of the columns.
    fn binds(self) -> Vec<Bind> {
        vec![
            Bind::Text(self.scope),
            Bind::Small(self.record_kind),
            Bind::Bytes(self.record_id),
            Bind::Flag(self.present),
            Bind::Big(self.version),
            Bind::Big(self.digest_high),
            Bind::Big(self.digest_low),
            Bind::Big(self.created_at),
            Bind::Big(self.tx),
            Bind::Small(self.ordinal),
            Bind::MaybeBig(self.ended.settled_at),
            Bind::Big(self.ended.bytes),
            Bind::Small(self.ended.window_no),
            Bind::Small(self.ended.aside),
            Bind::Flag(self.ended.settled_at.is_some()),
        ]
    }
}

/// The changes of `scope` after `after` and below `horizon`, oldest first, at most `limit`.
///
/// # Errors
/// When the database does not answer, or holds a kind of record that this program does not know.
pub fn changes(
    conn: &mut Conn,
    scope: Scope,
    after: Position,
    horizon: i64,
    limit: i64,
) -> Result<Vec<Change>, StoreError> {
    let rows: Vec<ReadRow> = scope_rows::table
        .filter(scope_rows::scope.eq(scope.to_string()))
        .filter(rows_after!(scope_rows, after))
        .filter(scope_rows::tx.lt(horizon))
        .order((scope_rows::tx, scope_rows::ordinal))
        .limit(limit)
        .select((
            scope_rows::record_kind,
            scope_rows::record_id,
            scope_rows::present,
            scope_rows::aside,
            scope_rows::version,
            (scope_rows::tx, scope_rows::ordinal),
            scope_rows::settled_at,
        ))
        .load(conn)?;
    rows.into_iter().map(change).collect()
}

/// Kind, id, whether the scope holds it, whether the window leaves it out, version, place, and when it came to its end.
type ReadRow = (i32, Vec<u8>, bool, i32, i64, (i64, i32), Option<i64>);

fn change(row: ReadRow) -> Result<Change, StoreError> {
    let (kind, id, present, aside, version, (tx, ordinal), settled_at) = row;
    let corrupt = |what: &str| StoreError::Corrupt {
        what: what.to_owned(),
    };
    Ok(Change {
        kind: RecordKind::from_number(kind).ok_or_else(|| corrupt("a feed row of unknown kind"))?,
        id: Uuid::from_slice(&id).map_err(|_| corrupt("a feed row whose id is not 16 bytes"))?,
        // To a device, what the window leaves out is not there.
        present: present && aside == HELD,
        version,
        position: Position { tx, ordinal },
        settled_at: settled_at.map(Timestamp::from_millis),
    })
}

/// What `scope` gives out: number and digest sum of its records. Cost grows with that, so the
/// caller keeps the answer for as long as [`newest`] does not move.
///
/// # Errors
/// When the database does not answer.
pub fn checkpoint(conn: &mut Conn, scope: Scope) -> Result<Checkpoint, StoreError> {
    #[derive(QueryableByName)]
    struct Sums {
        #[diesel(sql_type = BigInt)]
        rows: i64,
        #[diesel(sql_type = BigInt)]
        high: i64,
        #[diesel(sql_type = BigInt)]
        low: i64,
    }
    // Halves of 32 bits: the sum of two billion of them still fits a BIGINT on both databases.
    let sums: Sums = diesel::sql_query(
        "SELECT CAST(COUNT(*) AS BIGINT) AS rows, \
         CAST(COALESCE(SUM(digest_high), 0) AS BIGINT) AS high, \
         CAST(COALESCE(SUM(digest_low), 0) AS BIGINT) AS low FROM (\
         SELECT digest_high, digest_low FROM scope_rows \
         WHERE scope = $1 AND present AND settled_at IS NULL UNION ALL \
         SELECT digest_high, digest_low FROM scope_rows \
         WHERE scope = $2 AND settled_at IS NOT NULL AND aside = 0) AS part",
    )
    .bind::<Text, _>(scope.to_string())
    .bind::<Text, _>(scope.to_string())
    .get_result(conn)?;
    let part = |half: i64| u64::try_from(half).unwrap_or_default();
    Ok(Checkpoint {
        count: part(sums.rows),
        digest: (part(sums.high) << 32).wrapping_add(part(sums.low)),
    })
}

/// Whether any of `scopes` held this record once and holds it no longer.
///
/// # Errors
/// When the database does not answer.
pub fn was_removed_from(
    conn: &mut Conn,
    scopes: &[Scope],
    kind: RecordKind,
    id: &Uuid,
) -> Result<bool, StoreError> {
    for scope in scopes {
        let present: Option<bool> = scope_rows::table
            .find((scope.to_string(), kind.number(), id.as_bytes().to_vec()))
            .select(scope_rows::present)
            .first(conn)
            .optional()?;
        if present == Some(false) {
            return Ok(true);
        }
    }
    Ok(false)
}
