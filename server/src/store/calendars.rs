//! Imported tables of working days, and the hazards whose due date waits for one.

use diesel::prelude::*;
use hazardloop_domain::calendar_year::CalendarYear;
use hazardloop_domain::ids::HazardId;
use hazardloop_domain::time::Timestamp;

use super::portable::Portable;
use super::schema::{calendar_years, provisional_deadlines};
use super::{Conn, StoreError, WriteTx};

fn read(record: &[u8]) -> Result<CalendarYear, StoreError> {
    minicbor::decode(record).map_err(|error| StoreError::Corrupt {
        what: format!("a calendar: {error}"),
    })
}

/// All imported tables, by year.
///
/// # Errors
/// When the database does not answer or holds a damaged one.
pub fn all(conn: &mut Conn) -> Result<Vec<CalendarYear>, StoreError> {
    let records: Vec<Vec<u8>> = calendar_years::table
        .order(calendar_years::year)
        .select(calendar_years::record)
        .load(conn)?;
    records.iter().map(|record| read(record)).collect()
}

/// The sum of all versions: it rises with every import.
///
/// # Errors
/// When the database does not answer.
pub fn imports(conn: &mut Conn) -> Result<i64, StoreError> {
    let versions: Vec<i64> = calendar_years::table
        .select(calendar_years::version)
        .load(conn)?;
    Ok(versions.into_iter().fold(0, i64::saturating_add))
}

/// The imported table of a year.
///
/// # Errors
/// When the database does not answer or holds a damaged one.
pub fn of_year(conn: &mut Conn, year: i16) -> Result<Option<CalendarYear>, StoreError> {
    let record: Option<Vec<u8>> = calendar_years::table
        .filter(calendar_years::year.eq(i32::from(year)))
        .select(calendar_years::record)
        .first(conn)
        .optional()?;
    record.map(|record| read(&record)).transpose()
}

/// Stores a year's table in the place of version `before`.
///
/// # Errors
/// [`StoreError::Stale`] when another version is there by now.
pub fn save(
    tx: &mut WriteTx<'_>,
    table: &CalendarYear,
    record: &[u8],
    before: Option<i64>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let columns = (
        calendar_years::version.eq(table.version),
        calendar_years::imported_at.eq(now.as_millis()),
        calendar_years::record.eq(record),
    );
    let year = i32::from(table.year);
    let changed = match before {
        None => diesel::insert_into(calendar_years::table)
            .values((
                calendar_years::id.eq(CalendarYear::record_id(table.year).as_bytes().to_vec()),
                calendar_years::year.eq(year),
                columns,
            ))
            .execute(tx.conn())?,
        Some(version) => diesel::update(
            calendar_years::table
                .filter(calendar_years::year.eq(year))
                .filter(calendar_years::version.eq(version)),
        )
        .set(columns)
        .execute(tx.conn())?,
    };
    if changed == 1 {
        Ok(())
    } else {
        Err(StoreError::Stale { what: "calendar" })
    }
}

/// Notes whose due date has become provisional (`true`) or firm.
///
/// # Errors
/// When the database does not answer.
pub fn mark(tx: &mut WriteTx<'_>, changed: &[(HazardId, bool)]) -> Result<(), StoreError> {
    for (id, provisional) in changed {
        let id = id.as_bytes().to_vec();
        if *provisional {
            let row = provisional_deadlines::hazard_id.eq(id);
            let insert = diesel::insert_into(provisional_deadlines::table)
                .values(row)
                .on_conflict(provisional_deadlines::hazard_id)
                .do_nothing();
            Portable(insert).execute(tx.conn())?;
        } else {
            let row = provisional_deadlines::table.find(id);
            diesel::delete(row).execute(tx.conn())?;
        }
    }
    Ok(())
}

/// Hazards with a provisional due date after `after`, at most `limit`.
///
/// # Errors
/// When the database does not answer or holds a damaged id.
pub fn provisional(
    conn: &mut Conn,
    after: Option<HazardId>,
    limit: i64,
) -> Result<Vec<HazardId>, StoreError> {
    let mut query = provisional_deadlines::table
        .order(provisional_deadlines::hazard_id)
        .limit(limit)
        .select(provisional_deadlines::hazard_id)
        .into_boxed();
    if let Some(after) = after {
        let after = after.as_bytes().to_vec();
        query = query.filter(provisional_deadlines::hazard_id.gt(after));
    }
    let ids: Vec<Vec<u8>> = query.load(conn)?;
    ids.iter()
        .map(|id| {
            HazardId::from_slice(id).ok_or_else(|| StoreError::Corrupt {
                what: "a hazard id that is not 16 bytes".to_owned(),
            })
        })
        .collect()
}
