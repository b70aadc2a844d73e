//! Who is on the teams of inspections that are planned and have not begun: whoever takes a desk over finds
//! there what they come to.

use diesel::prelude::*;
use hazardloop_domain::ids::{InspectionId, PersonId};
use hazardloop_domain::inspection::{Inspection, InspectionState};

use super::meta;
use super::schema::{inspections, planned_members};
use super::{Conn, StoreError, WriteTx};

/// Those who are on the team of an inspection that is planned; of any other, nobody.
pub fn of(inspection: &Inspection) -> Vec<PersonId> {
    match inspection.state() {
        InspectionState::Planned => inspection.team.iter().map(|m| m.person_id).collect(),
        _ => Vec::new(),
    }
}

/// Notes how the team of an inspection that was planned has changed; writes nothing where it has not.
///
/// # Errors
/// When the database does not answer.
pub fn note(
    tx: &mut WriteTx<'_>,
    before: Option<&Inspection>,
    now: &Inspection,
) -> Result<(), StoreError> {
    let (was, is) = (before.map(of).unwrap_or_default(), of(now));
    for person in was.iter().filter(|person| !is.contains(person)) {
        let row = planned_members::table.find(key(*person, now.id));
        diesel::delete(row).execute(tx.conn())?;
    }
    for person in is.iter().filter(|person| !was.contains(person)) {
        add(tx.conn(), *person, now.id)?;
    }
    Ok(())
}

fn key(person: PersonId, inspection: InspectionId) -> (Vec<u8>, Vec<u8>) {
    (person.as_bytes().to_vec(), inspection.as_bytes().to_vec())
}

fn add(conn: &mut Conn, person: PersonId, inspection: InspectionId) -> Result<(), StoreError> {
    let (person, inspection) = key(person, inspection);
    diesel::sql_query(
        "INSERT INTO planned_members (person_id, inspection_id) VALUES ($1, $2) \
         ON CONFLICT (person_id, inspection_id) DO NOTHING",
    )
    .bind::<diesel::sql_types::Binary, _>(person)
    .bind::<diesel::sql_types::Binary, _>(inspection)
    .execute(conn)?;
    Ok(())
}

/// Planned inspections on whose team this person is, after `after`, in order of id, at most `limit`.
///
/// # Errors
/// When the database does not answer or holds a damaged id.
pub fn inspections_of(
    conn: &mut Conn,
    person: PersonId,
    after: Option<InspectionId>,
    limit: i64,
) -> Result<Vec<InspectionId>, StoreError> {
    let after = after.map_or_else(Vec::new, |id| id.as_bytes().to_vec());
    let ids: Vec<Vec<u8>> = planned_members::table
        .filter(planned_members::person_id.eq(person.as_bytes().to_vec()))
        .filter(planned_members::inspection_id.gt(after))
        .order(planned_members::inspection_id)
        .limit(limit)
        .select(planned_members::inspection_id)
        .load(conn)?;
    let read = |id: &Vec<u8>| {
        InspectionId::from_slice(id).ok_or_else(|| StoreError::Corrupt {
            what: "an inspection's id that is not 16 bytes".to_owned(),
        })
    };
    ids.iter().map(read).collect()
}

/// Where it is noted that what an earlier release planned has been read.
pub(super) const FILLED: &str = "planned_members";

/// Reads the teams of what was planned before there was this list, `limit` at a time; once.
///
/// # Errors
/// When the database does not answer or a stored record cannot be read.
pub(super) fn fill(conn: &mut Conn, limit: i64) -> Result<(), StoreError> {
    if meta::get(conn, FILLED)?.is_some() {
        return Ok(());
    }
    let mut after = Vec::new();
    loop {
        let rows: Vec<(Vec<u8>, Vec<u8>)> = inspections::table
            .filter(inspections::id.gt(after))
            .filter(inspections::state.eq(InspectionState::Planned.as_str()))
            .order(inspections::id)
            .limit(limit)
            .select((inspections::id, inspections::record))
            .load(conn)?;
        let Some((last, _)) = rows.last() else {
            break;
        };
        after = last.clone();
        for (_, record) in &rows {
            let planned: Inspection =
                minicbor::decode(record).map_err(|error| StoreError::Corrupt {
                    what: format!("the record of an inspection: {error}"),
                })?;
            for person in of(&planned) {
                add(conn, person, planned.id)?;
            }
        }
    }
    meta::set(conn, FILLED, "read")
}
