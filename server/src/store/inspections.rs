//! Inspections and self-checks: the current state, one row each.

use diesel::QueryResult;
use diesel::prelude::*;
use hazardloop_domain::hash::Digest;
use hazardloop_domain::ids::{EnterpriseId, InspectionId, JurisdictionId};
use hazardloop_domain::inspection::Inspection;
use hazardloop_domain::time::Timestamp;

use super::batch::in_arrays;
use super::events::Head;
use super::lists::Key;
use super::schema::inspections;
use super::{Conn, StoreError, WriteTx, on_any};

#[derive(Insertable, AsChangeset, Queryable, Selectable, PartialEq)]
// Without this the statement is parsed anew each time: it might say DEFAULT.
#[diesel(table_name = inspections, treat_none_as_default_value = false)]
#[diesel(treat_none_as_null = true)]
struct Row {
    id: Vec<u8>,
    inspection_no: String,
    kind: String,
    state: String,
    enterprise_id: Option<Vec<u8>>,
    jurisdiction_id: Vec<u8>,
    departments: bool,
    held_at: i64,
    started_at: Option<i64>,
    received_at: i64,
    updated_at: i64,
    version: i64,
    head_hash: Vec<u8>,
    record: Vec<u8>,
}

/// An inspection as it lies in the database: id, version, head hash, record.
type Found = (Vec<u8>, i64, Vec<u8>, Vec<u8>);

fn read((id, seq, hash, record): Found) -> Result<(Inspection, Head), StoreError> {
    let id = InspectionId::from_slice(&id).map_or_else(String::new, |id| id.to_string());
    let corrupt = |what: String| StoreError::Corrupt { what };
    let inspection: Inspection = minicbor::decode(&record)
        .map_err(|error| corrupt(format!("the record of inspection {id}: {error}")))?;
    let hash = Digest::from_slice(&hash)
        .ok_or_else(|| corrupt(format!("the head hash of inspection {id}")))?;
    Ok((inspection, Head { seq, hash }))
}

/// Loads those of `ids` that exist, each with the end of its history, in one statement.
///
/// # Errors
/// When the database does not answer or a stored record cannot be read.
pub fn load_all(
    conn: &mut Conn,
    ids: &[InspectionId],
) -> Result<Vec<(Inspection, Head)>, StoreError> {
    let columns = (
        inspections::id,
        inspections::version,
        inspections::head_hash,
        inspections::record,
    );
    let rows: Vec<Found> = match ids {
        // The usual case; its statement is prepared once.
        [only] => inspections::table
            .filter(inspections::id.eq(only.as_bytes().to_vec()))
            .select(columns)
            .load(conn)?,
        many => {
            let wanted: Vec<Vec<u8>> = many.iter().map(|id| id.as_bytes().to_vec()).collect();
            on_any!(conn, |c| inspections::table
                .filter(inspections::id.eq_any(wanted))
                .select(columns)
                .load(c))?
        }
    };
    rows.into_iter().map(read).collect()
}

/// Loads one inspection.
///
/// # Errors
/// As [`load_all`].
pub fn load(conn: &mut Conn, id: InspectionId) -> Result<Option<Inspection>, StoreError> {
    let found = load_all(conn, &[id])?;
    Ok(found.into_iter().next().map(|(inspection, _)| inspection))
}

/// The row of an inspection, about to be stored after its events.
pub struct Saved(Row);

impl Saved {
    /// `record` is the CBOR that devices receive.
    pub fn new(inspection: &Inspection, record: Vec<u8>, head: Head) -> Self {
        Self(Row::of(inspection, record, head))
    }
}

/// Stores inspections that did not exist before.
///
/// # Errors
/// [`StoreError::Stale`] when somebody else stored one of them meanwhile.
pub fn insert_all(tx: &mut WriteTx<'_>, saved: Vec<Saved>) -> Result<(), StoreError> {
    let rows: Vec<Row> = saved.into_iter().map(|saved| saved.0).collect();
    in_arrays!(rows, |array| insert(tx.conn(), array)
        .map_err(taken_meanwhile)?);
    Ok(())
}

fn insert<const N: usize>(conn: &mut Conn, rows: [Row; N]) -> QueryResult<usize> {
    on_any!(conn, |c| diesel::insert_into(inspections::table)
        .values(rows)
        .execute(c))
}

fn taken_meanwhile(error: diesel::result::Error) -> StoreError {
    let error = StoreError::from(error);
    if error.is_duplicate_in("inspections") {
        return StoreError::Stale { what: "inspection" };
    }
    error
}

/// Stores what became of an inspection, insisting that it still has the version `before`.
///
/// # Errors
/// [`StoreError::Stale`] when somebody else changed it meanwhile.
pub fn update(tx: &mut WriteTx<'_>, saved: Saved, before: i64) -> Result<(), StoreError> {
    let row = saved.0;
    let changed = diesel::update(inspections::table)
        .filter(inspections::id.eq(row.id.clone()))
        .filter(inspections::version.eq(before))
        .set(row)
        .execute(tx.conn())?;
    match changed {
        1 => Ok(()),
        _ => Err(StoreError::Stale { what: "inspection" }),
    }
}

/// Whether the stored row, every column of it, is what this state and history end make.
///
/// # Errors
/// When the database does not answer.
pub fn row_follows(
    conn: &mut Conn,
    inspection: &Inspection,
    record: &[u8],
    head: Head,
) -> Result<bool, StoreError> {
    let stored: Option<Row> = inspections::table
        .find(inspection.id.as_bytes().to_vec())
        .select(Row::as_select())
        .first(conn)
        .optional()?;
    Ok(stored.is_some_and(|stored| stored == Row::of(inspection, record.to_vec(), head)))
}

impl Row {
    fn of(inspection: &Inspection, record: Vec<u8>, head: Head) -> Self {
        let started = inspection.started.as_ref().map(|start| start.claimed_at);
        let planned = inspection.window.as_ref().map(|window| window.from);
        let held_at = started
            .or(planned.map(|day| day.start_of_day()))
            .unwrap_or(inspection.received_at);
        Self {
            id: inspection.id.as_bytes().to_vec(),
            inspection_no: inspection.number.clone(),
            kind: inspection.kind.as_str().to_owned(),
            state: inspection.state().as_str().to_owned(),
            enterprise_id: inspection.enterprise_id.map(|id| id.as_bytes().to_vec()),
            jurisdiction_id: inspection.jurisdiction_id.as_bytes().to_vec(),
            departments: inspection.kind.is_departments(),
            held_at: held_at.as_millis(),
            started_at: started.map(Timestamp::as_millis),
            received_at: inspection.received_at.as_millis(),
            updated_at: inspection.updated_at.as_millis(),
            version: inspection.version,
            head_hash: head.hash.as_bytes().to_vec(),
            record,
        }
    }
}

/// How often departments have inspected this enterprise from `from` to before `to`: only what has
/// begun counts.
///
/// # Errors
/// When the database does not answer.
pub fn visits_between(
    conn: &mut Conn,
    enterprise_id: EnterpriseId,
    from: Timestamp,
    to: Timestamp,
) -> Result<i64, StoreError> {
    Ok(inspections::table
        .filter(inspections::enterprise_id.eq(enterprise_id.as_bytes().to_vec()))
        .filter(inspections::departments.eq(true))
        .filter(inspections::held_at.ge(from.as_millis()))
        .filter(inspections::held_at.lt(to.as_millis()))
        .filter(inspections::started_at.is_not_null())
        .count()
        .get_result(conn)?)
}

/// Departments' inspections of this enterprise, planned or begun, that lie between `from` and
/// `to`, at most `limit`.
///
/// # Errors
/// When the database does not answer or a stored record cannot be read.
pub fn held_between(
    conn: &mut Conn,
    enterprise_id: EnterpriseId,
    from: Timestamp,
    to: Timestamp,
    limit: i64,
) -> Result<Vec<Inspection>, StoreError> {
    let rows: Vec<Vec<u8>> = inspections::table
        .filter(inspections::enterprise_id.eq(enterprise_id.as_bytes().to_vec()))
        .filter(inspections::departments.eq(true))
        .filter(inspections::held_at.ge(from.as_millis()))
        .filter(inspections::held_at.le(to.as_millis()))
        .filter(inspections::state.ne("cancelled"))
        .order((inspections::held_at, inspections::id))
        .limit(limit)
        .select(inspections::record)
        .load(conn)?;
    let read = |record: &Vec<u8>| {
        minicbor::decode(record).map_err(|error| StoreError::Corrupt {
            what: format!("the record of an inspection: {error}"),
        })
    };
    rows.iter().map(read).collect()
}

/// Inspections of the enterprise that another jurisdiction than `jurisdiction` answers for, after
/// `after`, oldest first, at most `limit`.
///
/// # Errors
/// When the database does not answer or holds a damaged id.
pub fn elsewhere(
    conn: &mut Conn,
    id: EnterpriseId,
    jurisdiction: JurisdictionId,
    after: Option<Key>,
    limit: i64,
) -> Result<Vec<Key>, StoreError> {
    let mut query = inspections::table
        .filter(inspections::enterprise_id.eq(id.as_bytes().to_vec()))
        .filter(inspections::jurisdiction_id.ne(jurisdiction.as_bytes().to_vec()))
        .order((inspections::received_at, inspections::id))
        .limit(limit)
        .select((inspections::received_at, inspections::id))
        .into_boxed();
    if let Some(Key { at, id }) = after {
        let id = id.as_bytes().to_vec();
        query = query
            .filter(inspections::received_at.ge(at))
            .filter(inspections::received_at.gt(at).or(inspections::id.gt(id)));
    }
    let rows: Vec<(i64, Vec<u8>)> = query.load(conn)?;
    let key = |(at, id): (i64, Vec<u8>)| {
        let id = InspectionId::from_slice(&id).ok_or_else(|| StoreError::Corrupt {
            what: "an inspection's id that is not 16 bytes".to_owned(),
        })?;
        Ok(Key { at, id: id.0 })
    };
    rows.into_iter().map(key).collect()
}
