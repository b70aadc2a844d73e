//! Which records that came to their end a scope still gives out to devices: the newest, for so many days and so many
//! bytes. What it leaves out stays in the scope for everybody who looks over REST.
//!
//! A row says when its record came to its end, under which window it falls and how large it is; so what is due to leave
//! or to come back is read off an index over all scopes, and only scopes in which something came to its end (or was
//! opened again) are added up. Everything here is a bounded part of the work, moves rows as any change does, and
//! finds nothing to do a second time.

mod weighing;

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Binary, Integer, Text};
use hazardloop_domain::jurisdiction::Level;
use hazardloop_domain::time::Timestamp;
use hazardloop_sync_protocol::wire::{RecordKind, Scope};
use uuid::Uuid;

use super::prepared::{Bind, Prepared};
use super::schema::scope_rows;
use super::{Conn, StoreError, WriteTx};

pub use weighing::weigh;
#[cfg(test)]
pub(super) use weighing::{newest_held, newest_out};

/// Devices hold it.
pub(super) const HELD: i32 = 0;
/// It is left out because it came to its end too long ago.
pub(super) const TOO_OLD: i32 = 1;
/// It is left out because newer ones fill the bytes of the window.
const BEYOND_BYTES: i32 = 2;

/// How far ahead of the clock an end may lie. One farther ahead was written by a clock that was wrong.
const AHEAD_MS: i64 = 366 * 24 * 60 * 60 * 1000;

/// The beginning of 2026. A clock that stands before it is wrong itself, and judges no other.
const CLOCK_BEGINS_MS: i64 = 1_767_225_600_000;

/// The windows that there are; the numbers are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum WindowKind {
    /// Of what somebody handed in.
    Reports,
    /// Of an enterprise.
    Enterprise,
    /// Of jurisdictions, with their sectors.
    City,
    /// 区县.
    District,
    /// 镇街.
    Town,
    /// 村、社区.
    Village,
    /// 网格.
    Grid,
}

impl WindowKind {
    /// Every one.
    pub const ALL: [Self; 7] = [
        Self::Reports,
        Self::Enterprise,
        Self::City,
        Self::District,
        Self::Town,
        Self::Village,
        Self::Grid,
    ];

    /// The stored number; migration 30 has the same.
    pub const fn number(self) -> i32 {
        match self {
            Self::Reports => 1,
            Self::Enterprise => 2,
            Self::City => 3,
            Self::District => 4,
            Self::Town => 5,
            Self::Village => 6,
            Self::Grid => 7,
        }
    }

    /// The window with this number.
    pub fn from_number(number: i32) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.number() == number)
    }

    /// The window of a jurisdiction, and of its sectors.
    pub const fn of_level(level: Level) -> Self {
        match level {
            Level::City => Self::City,
            Level::District => Self::District,
            Level::Town => Self::Town,
            Level::Village => Self::Village,
            Level::Grid => Self::Grid,
        }
    }
}

/// Where in a scope's window a record falls that came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Falls {
    /// The scope's window.
    pub window: WindowKind,
    /// It came to its end before the window begins.
    pub too_old: bool,
}

/// One window as it is set, at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bound {
    /// Which.
    pub kind: WindowKind,
    /// What came to its end before this is left out.
    pub begins: Timestamp,
    /// Bytes at most.
    pub bytes: u64,
}

/// Names a row: scope, kind, id; and when its record came to its end, and its bytes.
pub(super) type Found = (String, i32, Vec<u8>, i64, i64);
type FoundTypes = (Text, Integer, Binary, BigInt, BigInt);

const FOUND: &str =
    "SELECT scope, record_kind, record_id, settled_at, bytes FROM scope_rows WHERE ";

/// When a record came to its end, as a scope that holds it knows.
///
/// # Errors
/// When the database does not answer.
pub fn settled_at(
    conn: &mut Conn,
    scope: Scope,
    kind: RecordKind,
    id: &Uuid,
) -> Result<Option<Timestamp>, StoreError> {
    let found: Option<Option<i64>> = scope_rows::table
        .find((scope.to_string(), kind.number(), id.as_bytes().to_vec()))
        .select(scope_rows::settled_at)
        .first(conn)
        .optional()?;
    Ok(found.flatten().map(Timestamp::from_millis))
}

/// What a scope leaves out came to its end at this time or before; `None`: it leaves nothing out.
///
/// # Errors
/// When the database does not answer.
pub fn left_out_until(conn: &mut Conn, scope: Scope) -> Result<Option<Timestamp>, StoreError> {
    let mut until = None;
    for why in [TOO_OLD, BEYOND_BYTES] {
        let newest = in_scope(conn, &scope.to_string(), why, Newest, i64::MIN, 1)?;
        until = until.max(newest.first().map(|(.., settled_at, _)| *settled_at));
    }
    Ok(until.map(Timestamp::from_millis))
}

/// In which order rows of a scope are read.
#[derive(Clone, Copy, Debug)]
enum End {
    /// The newest end first.
    Newest,
    /// The oldest end first.
    Oldest,
}
use End::{Newest, Oldest};

/// Rows of one scope that came to their end at or after `since` (newest first), or before it (oldest first).
fn in_scope(
    conn: &mut Conn,
    scope: &str,
    aside: i32,
    from: End,
    since: i64,
    limit: usize,
) -> Result<Vec<Found>, StoreError> {
    let which = match from {
        Newest => "settled_at >= ? ORDER BY settled_at DESC, tx DESC, ordinal DESC",
        Oldest => "settled_at < ? ORDER BY settled_at, tx, ordinal",
    };
    let sql =
        format!("{FOUND}scope = ? AND aside = ? AND settled_at IS NOT NULL AND {which} LIMIT ?");
    let binds = vec![
        Bind::Text(scope.to_owned()),
        Bind::Small(aside),
        Bind::Big(since),
        Bind::Big(i64::try_from(limit).unwrap_or(i64::MAX)),
    ];
    Ok(Prepared::<FoundTypes>::of_parts(sql, binds).load(conn)?)
}

/// Rows of one window, in whichever scope, that came to their end before (`Oldest`) or at and after (`Newest`) its begin.
fn in_window(
    conn: &mut Conn,
    bound: &Bound,
    aside: i32,
    from: End,
    limit: usize,
) -> Result<Vec<Found>, StoreError> {
    let which = match from {
        Newest => "settled_at >= ? ORDER BY settled_at DESC",
        Oldest => "settled_at < ? ORDER BY settled_at",
    };
    let sql = format!(
        "{FOUND}window_no = ? AND aside = ? AND settled_at IS NOT NULL AND {which} LIMIT ?"
    );
    let binds = vec![
        Bind::Small(bound.kind.number()),
        Bind::Small(aside),
        Bind::Big(bound.begins.as_millis()),
        Bind::Big(i64::try_from(limit).unwrap_or(i64::MAX)),
    ];
    Ok(Prepared::<FoundTypes>::of_parts(sql, binds).load(conn)?)
}

/// Has devices lose or get a row: it moves to the end of the order, as with any change.
fn turn(tx: &mut WriteTx<'_>, row: &Found, to: i32) -> Result<(), StoreError> {
    let position = tx.next_position()?;
    let sql = "UPDATE scope_rows SET aside = ?, tx = ?, ordinal = ? WHERE scope = ? \
        AND record_kind = ? AND record_id = ? AND settled_at = ?";
    let (scope, kind, id, settled_at, _) = row.clone();
    let binds = vec![
        Bind::Small(to),
        Bind::Big(position.tx),
        Bind::Small(position.ordinal),
        Bind::Text(scope),
        Bind::Small(kind),
        Bind::Bytes(id),
        Bind::Big(settled_at),
    ];
    Prepared::new(sql, binds).execute(tx.conn())?;
    Ok(())
}

/// Says of a row that devices do not hold for which reason they do not; they hear nothing of it.
fn explain(conn: &mut Conn, row: &Found, to: i32) -> Result<(), StoreError> {
    let sql = "UPDATE scope_rows SET aside = ?, to_weigh = (to_weigh OR ?) WHERE scope = ? \
        AND record_kind = ? AND record_id = ? AND settled_at = ? AND aside > 0";
    let (scope, kind, id, settled_at, _) = row.clone();
    let binds = vec![
        Bind::Small(to),
        Bind::Flag(to == BEYOND_BYTES),
        Bind::Text(scope),
        Bind::Small(kind),
        Bind::Bytes(id),
        Bind::Big(settled_at),
    ];
    Prepared::new(sql, binds).execute(conn)?;
    Ok(())
}

/// What of one window is to turn by its age, at most `most` rows of each: those that leave, and those that devices do not
/// hold for another reason than before, with that reason.
pub(super) struct Due {
    leaving: Vec<Found>,
    explained: Vec<(Found, i32)>,
}

pub(super) fn due(conn: &mut Conn, bound: &Bound, most: usize) -> Result<Due, StoreError> {
    let mut leaving = in_window(conn, bound, HELD, Oldest, most)?;
    // What came to its end at once comes from the index in whichever order, and devices are told in the order of leaving:
    // one order, on either database.
    leaving.sort_unstable_by(|one, other| {
        let key = |row: &Found| (row.3, row.1);
        (key(one), &one.0, &one.2).cmp(&(key(other), &other.0, &other.2))
    });
    let mut left = most.saturating_sub(leaving.len());
    let mut explained = Vec::new();
    for (was, from, becomes) in [
        (BEYOND_BYTES, Oldest, TOO_OLD),
        (TOO_OLD, Newest, BEYOND_BYTES),
    ] {
        let rows = in_window(conn, bound, was, from, left)?;
        left = left.saturating_sub(rows.len());
        explained.extend(rows.into_iter().map(|row| (row, becomes)));
    }
    Ok(Due { leaving, explained })
}

/// Leaves out what has become too old for its window, and has what the window (set wider) reaches again weighed with the
/// others: at most `most` rows. Answers how many; fewer than `most`: that was all.
///
/// # Errors
/// When the database does not answer.
pub fn by_age(tx: &mut WriteTx<'_>, bound: &Bound, most: usize) -> Result<usize, StoreError> {
    let due = due(tx.conn(), bound, most)?;
    for row in &due.leaving {
        turn(tx, row, TOO_OLD)?;
    }
    for (row, becomes) in &due.explained {
        explain(tx.conn(), row, *becomes)?;
    }
    Ok(due.leaving.len().saturating_add(due.explained.len()))
}

/// Has rows whose records came to their end more than a year after `now`, by a clock that was wrong then, have done so now:
/// at most `most` rows of one window. Answers how many. Devices hold them no longer than others from here on, and they
/// take nobody's place among the newest.
///
/// # Errors
/// When the database does not answer.
pub fn from_ahead(
    tx: &mut WriteTx<'_>,
    kind: WindowKind,
    now: Timestamp,
    most: usize,
) -> Result<usize, StoreError> {
    if now.as_millis() < CLOCK_BEGINS_MS {
        return Ok(0);
    }
    let mut done = 0;
    for aside in [HELD, TOO_OLD, BEYOND_BYTES] {
        for row in ahead(tx.conn(), kind, aside, now, most.saturating_sub(done))? {
            let position = tx.next_position()?;
            // What is left out keeps its place: devices need not hear of it.
            let sql = "UPDATE scope_rows SET settled_at = ?, to_weigh = TRUE, \
                tx = CASE WHEN aside > 0 THEN tx ELSE ? END, \
                ordinal = CASE WHEN aside > 0 THEN ordinal ELSE ? END \
                WHERE scope = ? AND record_kind = ? AND record_id = ? AND settled_at = ?";
            let (scope, kind, id, settled_at, _) = row;
            let binds = vec![
                Bind::Big(now.as_millis()),
                Bind::Big(position.tx),
                Bind::Small(position.ordinal),
                Bind::Text(scope),
                Bind::Small(kind),
                Bind::Bytes(id),
                Bind::Big(settled_at),
            ];
            Prepared::new(sql, binds).execute(tx.conn())?;
            done += 1;
        }
    }
    Ok(done)
}

/// Rows of one window whose end lies too far ahead of `now`.
pub(super) fn ahead(
    conn: &mut Conn,
    kind: WindowKind,
    aside: i32,
    now: Timestamp,
    most: usize,
) -> Result<Vec<Found>, StoreError> {
    let bound = Bound {
        kind,
        begins: now.plus_millis(AHEAD_MS),
        bytes: 0,
    };
    in_window(conn, &bound, aside, Newest, most)
}

/// The first scope behind `after` in which something came to its end or was opened again since it was last weighed, and
/// its window.
///
/// # Errors
/// When the database does not answer.
pub fn to_weigh(
    conn: &mut Conn,
    after: &str,
) -> Result<Option<(String, Option<WindowKind>)>, StoreError> {
    let sql = "SELECT scope, window_no FROM scope_rows WHERE to_weigh AND scope > ? ORDER BY scope LIMIT 1";
    let binds = vec![Bind::Text(after.to_owned())];
    let found: Option<(String, i32)> = Prepared::<(Text, Integer)>::of_parts(sql.to_owned(), binds)
        .get_result(conn)
        .optional()?;
    Ok(found.map(|(scope, number)| (scope, WindowKind::from_number(number))))
}

/// Marks scopes behind `after` that have anything to weigh, looking at no more than `most` scopes: how far it got;
/// `None`: to the end.
///
/// # Errors
/// When the database does not answer.
pub fn mark(tx: &mut WriteTx<'_>, after: &str, most: usize) -> Result<Option<String>, StoreError> {
    let mut reached = after.to_owned();
    for _ in 0..most {
        let next: Option<String> = scope_rows::table
            .filter(scope_rows::scope.gt(&reached))
            .order(scope_rows::scope)
            .select(scope_rows::scope)
            .first(tx.conn())
            .optional()?;
        let Some(scope) = next else { return Ok(None) };
        for aside in [HELD, BEYOND_BYTES] {
            if let Some(row) = in_scope(tx.conn(), &scope, aside, Newest, i64::MIN, 1)?.first() {
                let sql = "UPDATE scope_rows SET to_weigh = TRUE WHERE scope = ? \
                    AND record_kind = ? AND record_id = ?";
                let key = vec![
                    Bind::Text(scope.clone()),
                    Bind::Small(row.1),
                    Bind::Bytes(row.2.clone()),
                ];
                Prepared::new(sql, key).execute(tx.conn())?;
                break;
            }
        }
        reached = scope;
    }
    Ok(Some(reached))
}
