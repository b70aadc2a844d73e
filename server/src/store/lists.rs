//! Lists for people: which records a person's scopes hold, newest first, page by page, and what
//! lies in an area. Every statement enters an index; none walks a table.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;

use diesel::prelude::*;
use hazardloop_domain::enterprise::Enterprise;
use hazardloop_domain::geography::Wgs84Point;
use hazardloop_domain::hazard::Hazard;
use hazardloop_domain::inspection::Inspection;
use hazardloop_sync_protocol::wire::{RecordKind, Scope};
use uuid::Uuid;

use super::hazard_lists::Span;
use super::held::HeldBy;
use super::schema::{enterprises, hazards, inspections, people, scope_rows};
use super::{Conn, StoreError, on_any};

/// A place in a list that is ordered newest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    /// When the record came to be, milliseconds.
    pub at: i64,
    /// Which record, for those of one moment.
    pub id: Uuid,
}

/// What a list of hazards is filtered by, beside where they are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HazardFilter {
    /// Names of the states, any of them; empty: every state.
    pub statuses: Vec<&'static str>,
    /// Name of the grade.
    pub grade: Option<&'static str>,
    /// `(now, true)`: only those whose due date has passed; `(now, false)`: only the others.
    pub overdue: Option<(i64, bool)>,
    /// When received, milliseconds.
    pub received: Option<Span>,
    /// When due, milliseconds; only those with a due date in force.
    pub due: Option<Span>,
    /// How it came to be known.
    pub source: Option<&'static str>,
    /// The sector of its enterprise, by any of these names; empty: any.
    pub sectors: Vec<String>,
    /// Code of the criterion.
    pub criterion: Option<String>,
    /// Who reported it, an id.
    pub reported_by: Option<Vec<u8>>,
}

/// The columns that hazards are filtered by.
#[derive(Queryable, Selectable)]
#[diesel(table_name = hazards)]
struct Columns {
    id: Vec<u8>,
    longitude: Option<f64>,
    latitude: Option<f64>,
    status: String,
    grade: String,
    due_at: Option<i64>,
    received_at: i64,
    source: String,
    sector: Option<String>,
    criterion: Option<String>,
    reported_by: Option<Vec<u8>>,
}

impl HazardFilter {
    fn passes(&self, row: &Columns) -> bool {
        let due_in = |span: Span| row.due_at.is_some_and(|due| span.contains(due));
        let named = |sector: &String| self.sectors.contains(sector);
        let is_overdue = |now: i64| row.due_at.is_some_and(|due| due < now);
        (self.statuses.is_empty() || self.statuses.contains(&row.status.as_str()))
            && self.grade.is_none_or(|wanted| row.grade == wanted)
            && self
                .overdue
                .is_none_or(|(now, wanted)| is_overdue(now) == wanted)
            && self
                .received
                .is_none_or(|span| span.contains(row.received_at))
            && self.due.is_none_or(due_in)
            && self.source.is_none_or(|wanted| row.source == wanted)
            && (self.sectors.is_empty() || row.sector.as_ref().is_some_and(named))
            && (self.criterion.is_none() || self.criterion == row.criterion)
            && (self.reported_by.is_none() || self.reported_by == row.reported_by)
    }
}

/// A record that passed the filters of its columns.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Placed {
    /// Which.
    pub id: Uuid,
    /// Where, when it has a position.
    pub point: Option<Wgs84Point>,
}

fn uuid(bytes: &[u8]) -> Result<Uuid, StoreError> {
    Uuid::from_slice(bytes).map_err(|_| StoreError::Corrupt {
        what: "an id that is not 16 bytes".to_owned(),
    })
}

fn bytes_of(ids: &[Uuid]) -> Vec<Vec<u8>> {
    ids.iter().map(|id| id.as_bytes().to_vec()).collect()
}

fn point(longitude: Option<f64>, latitude: Option<f64>) -> Option<Wgs84Point> {
    Some(Wgs84Point {
        longitude: longitude?,
        latitude: latitude?,
    })
}

/// What one of the scopes holds of this kind before `before`, newest first, at most `limit`.
fn of_scope(
    conn: &mut Conn,
    scope: Scope,
    kind: RecordKind,
    before: Option<Key>,
    limit: i64,
) -> Result<Vec<Key>, StoreError> {
    let mut query = scope_rows::table
        .filter(scope_rows::scope.eq(scope.to_string()))
        .filter(scope_rows::record_kind.eq(kind.number()))
        .filter(scope_rows::present.eq(true))
        .order((scope_rows::created_at.desc(), scope_rows::record_id.desc()))
        .limit(limit)
        .select((scope_rows::created_at, scope_rows::record_id))
        .into_boxed();
    if let Some(Key { at, id }) = before {
        let id = id.as_bytes().to_vec();
        query = query.filter(scope_rows::created_at.le(at)).filter(
            scope_rows::created_at
                .lt(at)
                .or(scope_rows::record_id.lt(id)),
        );
    }
    let rows: Vec<(i64, Vec<u8>)> = query.load(conn)?;
    rows.into_iter()
        .map(|(at, id)| Ok(Key { at, id: uuid(&id)? }))
        .collect()
}

/// What the scopes together hold of this kind before `before`, each once, newest first, at most
/// `limit`.
///
/// # Errors
/// When the database does not answer.
pub fn newest_first(
    conn: &mut Conn,
    scopes: &[Scope],
    kind: RecordKind,
    before: Option<Key>,
    limit: usize,
) -> Result<Vec<Key>, StoreError> {
    let most = i64::try_from(limit).unwrap_or(i64::MAX);
    let mut keys = BTreeSet::new();
    for scope in scopes {
        keys.extend(of_scope(conn, *scope, kind, before, most)?);
    }
    Ok(keys.into_iter().rev().take(limit).collect())
}

/// Those of `ids` that any of the scopes holds, with their place in the list.
///
/// # Errors
/// When the database does not answer.
pub fn held_by(
    conn: &mut Conn,
    scopes: &[Scope],
    kind: RecordKind,
    ids: &[Uuid],
) -> Result<BTreeSet<Key>, StoreError> {
    let ids = bytes_of(ids);
    let mut keys = BTreeSet::new();
    for scope in scopes {
        let rows: Vec<(i64, Vec<u8>)> = match conn {
            Conn::Sqlite(conn) => scope_rows::table
                .filter(scope_rows::scope.eq(scope.to_string()))
                .filter(scope_rows::record_kind.eq(kind.number()))
                .filter(scope_rows::record_id.eq_any(&ids))
                .filter(scope_rows::present.eq(true))
                .select((scope_rows::created_at, scope_rows::record_id))
                .load(conn)?,
            Conn::Postgres(conn) => {
                let held = HeldBy {
                    scope: scope.to_string(),
                    kind: kind.number(),
                    ids: ids.clone(),
                };
                held.load(conn)?
            }
        };
        for (at, id) in rows {
            keys.insert(Key { at, id: uuid(&id)? });
        }
    }
    Ok(keys)
}

type PlacedRow = (Vec<u8>, Option<f64>, Option<f64>);

fn placed(rows: Vec<PlacedRow>) -> Result<Vec<Placed>, StoreError> {
    rows.into_iter()
        .map(|(id, longitude, latitude)| {
            Ok(Placed {
                id: uuid(&id)?,
                point: point(longitude, latitude),
            })
        })
        .collect()
}

macro_rules! in_cells {
    ($conn:expr, $table:ident, $ranges:expr, $limit:expr) => {{
        let mut rows: Vec<PlacedRow> = Vec::new();
        for range in $ranges {
            let left = i64::try_from($limit.saturating_sub(rows.len())).unwrap_or(i64::MAX);
            if left == 0 {
                break;
            }
            let found: Vec<PlacedRow> = $table::table
                .filter($table::cell.ge(*range.start()))
                .filter($table::cell.le(*range.end()))
                .order($table::cell)
                .limit(left)
                .select(($table::id, $table::longitude, $table::latitude))
                .load($conn)?;
            rows.extend(found);
        }
        placed(rows)
    }};
}

/// The hazards in these ranges of cells, in no order that matters, at most `limit`.
///
/// # Errors
/// When the database does not answer.
pub fn hazards_in_cells(
    conn: &mut Conn,
    ranges: &[RangeInclusive<i64>],
    limit: usize,
) -> Result<Vec<Placed>, StoreError> {
    in_cells!(conn, hazards, ranges, limit)
}

/// The enterprises in these ranges of cells, in no order that matters, at most `limit`.
///
/// # Errors
/// When the database does not answer.
pub fn enterprises_in_cells(
    conn: &mut Conn,
    ranges: &[RangeInclusive<i64>],
    limit: usize,
) -> Result<Vec<Placed>, StoreError> {
    in_cells!(conn, enterprises, ranges, limit)
}

/// The hazard with this number, of which there may be several: numbers are made offline.
///
/// # Errors
/// When the database does not answer.
pub fn hazards_by_number(
    conn: &mut Conn,
    number: &str,
    limit: i64,
) -> Result<Vec<Uuid>, StoreError> {
    let rows: Vec<Vec<u8>> = hazards::table
        .filter(hazards::hazard_no.eq(number.to_owned()))
        .limit(limit)
        .select(hazards::id)
        .load(conn)?;
    rows.iter().map(|id| uuid(id)).collect()
}

/// Those of `ids` that pass the filter.
///
/// # Errors
/// When the database does not answer.
pub fn hazards_matching(
    conn: &mut Conn,
    ids: &[Uuid],
    filter: &HazardFilter,
) -> Result<Vec<Placed>, StoreError> {
    let ids = bytes_of(ids);
    let rows: Vec<Columns> = on_any!(conn, |c| hazards::table
        .filter(hazards::id.eq_any(&ids))
        .select(Columns::as_select())
        .load(c))?;
    let passed = rows.into_iter().filter(|row| filter.passes(row));
    placed(
        passed
            .map(|row| (row.id, row.longitude, row.latitude))
            .collect(),
    )
}

/// When these hazards were received, and when they are due; in no order that matters.
///
/// # Errors
/// When the database does not answer.
pub fn times(conn: &mut Conn, ids: &[Uuid]) -> Result<Vec<(Key, Option<i64>)>, StoreError> {
    let ids = bytes_of(ids);
    let rows: Vec<(Vec<u8>, i64, Option<i64>)> = on_any!(conn, |c| hazards::table
        .filter(hazards::id.eq_any(&ids))
        .select((hazards::id, hazards::received_at, hazards::due_at))
        .load(c))?;
    rows.into_iter()
        .map(|(id, at, due_at)| Ok((Key { at, id: uuid(&id)? }, due_at)))
        .collect()
}

macro_rules! walked {
    ($conn:expr, $column:ident, $value:expr, $before:expr, $limit:expr) => {{
        let mut query = hazards::table
            .filter(hazards::$column.eq($value))
            .order((hazards::received_at.desc(), hazards::id.desc()))
            .limit(i64::try_from($limit).unwrap_or(i64::MAX))
            .select((hazards::received_at, hazards::id))
            .into_boxed();
        if let Some(Key { at, id }) = $before {
            let id = id.as_bytes().to_vec();
            query = query
                .filter(hazards::received_at.le(at))
                .filter(hazards::received_at.lt(at).or(hazards::id.lt(id)));
        }
        let rows: Vec<(i64, Vec<u8>)> = query.load($conn)?;
        rows.into_iter()
            .map(|(at, id)| Ok(Key { at, id: uuid(&id)? }))
            .collect()
    }};
}

/// What one person has reported before `before`, newest first, at most `limit`.
///
/// # Errors
/// When the database does not answer.
pub fn reported_by(
    conn: &mut Conn,
    person_id: &[u8],
    before: Option<Key>,
    limit: usize,
) -> Result<Vec<Key>, StoreError> {
    walked!(conn, reported_by, person_id.to_vec(), before, limit)
}

/// What meets a criterion, received before `before`, newest first, at most `limit`.
///
/// # Errors
/// When the database does not answer.
pub fn of_criterion(
    conn: &mut Conn,
    code: &str,
    before: Option<Key>,
    limit: usize,
) -> Result<Vec<Key>, StoreError> {
    walked!(conn, criterion, code.to_owned(), before, limit)
}

/// The names of these enterprises, by id.
///
/// # Errors
/// When the database does not answer.
pub fn enterprise_names(
    conn: &mut Conn,
    ids: &[Uuid],
) -> Result<BTreeMap<Uuid, String>, StoreError> {
    let ids = bytes_of(ids);
    let rows: Vec<(Vec<u8>, String)> = on_any!(conn, |c| enterprises::table
        .filter(enterprises::id.eq_any(&ids))
        .select((enterprises::id, enterprises::name))
        .load(c))?;
    rows.into_iter()
        .map(|(id, name)| Ok((uuid(&id)?, name)))
        .collect()
}

/// What a list of inspections is filtered by.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InspectionFilter {
    /// Name of the kind.
    pub kind: Option<&'static str>,
    /// Name of the state.
    pub state: Option<&'static str>,
    /// Held at or after, milliseconds.
    pub from: Option<i64>,
    /// Held before, milliseconds.
    pub to: Option<i64>,
}

/// Those of these inspections that pass the filter.
///
/// # Errors
/// When the database does not answer.
pub fn inspections_matching(
    conn: &mut Conn,
    ids: &[Uuid],
    filter: &InspectionFilter,
) -> Result<BTreeSet<Uuid>, StoreError> {
    let ids = bytes_of(ids);
    let rows: Vec<(Vec<u8>, String, String, i64)> = on_any!(conn, |c| inspections::table
        .filter(inspections::id.eq_any(&ids))
        .select((
            inspections::id,
            inspections::kind,
            inspections::state,
            inspections::held_at,
        ))
        .load(c))?;
    rows.into_iter()
        .filter(|(_, kind, state, held_at)| {
            filter.kind.is_none_or(|wanted| kind == wanted)
                && filter.state.is_none_or(|wanted| state == wanted)
                && filter.from.is_none_or(|from| *held_at >= from)
                && filter.to.is_none_or(|to| *held_at < to)
        })
        .map(|(id, ..)| uuid(&id))
        .collect()
}

macro_rules! records {
    ($conn:expr, $table:ident, $ids:expr, $kind:ty) => {{
        let ids = bytes_of($ids);
        let rows: Vec<Vec<u8>> = on_any!($conn, |c| $table::table
            .filter($table::id.eq_any(&ids))
            .select($table::record)
            .load(c))?;
        let read = |record: &Vec<u8>| {
            minicbor::decode::<$kind>(record).map_err(|error| StoreError::Corrupt {
                what: format!("a record: {error}"),
            })
        };
        rows.iter().map(read).collect()
    }};
}

/// These hazards, in no order that matters.
///
/// # Errors
/// When the database does not answer or a record cannot be read.
pub fn hazards(conn: &mut Conn, ids: &[Uuid]) -> Result<Vec<Hazard>, StoreError> {
    records!(conn, hazards, ids, Hazard)
}

/// These inspections, in no order that matters.
///
/// # Errors
/// When the database does not answer or a record cannot be read.
pub fn inspections(conn: &mut Conn, ids: &[Uuid]) -> Result<Vec<Inspection>, StoreError> {
    records!(conn, inspections, ids, Inspection)
}

/// These enterprises, in no order that matters.
///
/// # Errors
/// When the database does not answer or a record cannot be read.
pub fn enterprises(conn: &mut Conn, ids: &[Uuid]) -> Result<Vec<Enterprise>, StoreError> {
    records!(conn, enterprises, ids, Enterprise)
}

/// The names of these people, by id.
///
/// # Errors
/// When the database does not answer.
pub fn names_of_people(
    conn: &mut Conn,
    ids: &[Vec<u8>],
) -> Result<BTreeMap<Vec<u8>, String>, StoreError> {
    let rows: Vec<(Vec<u8>, String)> = on_any!(conn, |c| people::table
        .filter(people::id.eq_any(ids))
        .select((people::id, people::name))
        .load(c))?;
    Ok(rows.into_iter().collect())
}
