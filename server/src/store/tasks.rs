//! What waits for people by name: who is on the teams of inspections that are planned or under way, and which scopes
//! of tasks hold the enterprises of these.

use std::collections::BTreeMap;

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{Binary, Bool, Text};
use hazardloop_domain::enterprise::Enterprise;
use hazardloop_domain::ids::{EnterpriseId, JurisdictionId, PersonId};
use hazardloop_domain::inspection::Inspection;
use hazardloop_domain::time::Timestamp;
use hazardloop_sync_protocol::wire::{RecordKind, Scope};
use uuid::Uuid;

use super::feed::{self, Copied};
use super::merges::hold;
use super::schema::{enterprises, inspections};
use super::sector_scopes::{SectorOf, only_of_sector};
use super::{Conn, StoreError, WriteTx, meta, on_any, places};

#[derive(QueryableByName)]
struct Held {
    #[diesel(sql_type = Text)]
    scope: String,
}

/// The scopes of tasks that hold an enterprise.
///
/// # Errors
/// When the database does not answer or holds what is no scope.
pub fn holding(conn: &mut Conn, firm: EnterpriseId) -> Result<Vec<Scope>, StoreError> {
    // As the index says it, which holds these rows alone.
    let rows: Vec<Held> = diesel::sql_query(
        "SELECT scope FROM scope_rows WHERE record_id = $1 AND record_kind = 2 AND present \
         AND SUBSTR(scope, 1, 6) = 'tasks:'",
    )
    .bind::<Binary, _>(firm.as_bytes().to_vec())
    .load(conn)?;
    let read = |row: &Held| {
        row.scope.parse().map_err(|_| StoreError::Corrupt {
            what: format!("scope {:?} of a feed row", row.scope),
        })
    };
    rows.iter().map(read).collect()
}

/// Who has to carry out what is planned or under way at these enterprises, each person once an enterprise.
///
/// # Errors
/// When the database does not answer or a record cannot be read.
pub fn teams_at(
    conn: &mut Conn,
    firms: &[EnterpriseId],
) -> Result<BTreeMap<EnterpriseId, Vec<PersonId>>, StoreError> {
    let wanted: Vec<Vec<u8>> = firms.iter().map(|id| id.as_bytes().to_vec()).collect();
    let records: Vec<Vec<u8>> = on_any!(conn, |c| inspections::table
        .filter(inspections::enterprise_id.eq_any(wanted))
        .filter(sql::<Bool>("state IN ('planned', 'in_progress')"))
        .select(inspections::record)
        .load(c))?;
    let mut teams: BTreeMap<EnterpriseId, Vec<PersonId>> = BTreeMap::new();
    for record in records {
        let inspection = read(&record)?;
        if let Some(firm) = inspection.enterprise_id {
            teams
                .entry(firm)
                .or_default()
                .extend(inspection.carried_out_by());
        }
    }
    for team in teams.values_mut() {
        team.sort_unstable();
        team.dedup();
    }
    Ok(teams)
}

/// An enterprise as its row holds it: the record, its bytes, which are what devices get, and when it came to be.
///
/// # Errors
/// When the database does not answer or the record cannot be read.
pub fn firm(
    conn: &mut Conn,
    id: EnterpriseId,
) -> Result<Option<(Enterprise, Vec<u8>, Timestamp)>, StoreError> {
    let row: Option<(Vec<u8>, i64)> = enterprises::table
        .find(id.as_bytes().to_vec())
        .select((enterprises::record, enterprises::created_at))
        .first(conn)
        .optional()?;
    row.map(|(record, created_at)| {
        let firm = minicbor::decode(&record).map_err(|error| StoreError::Corrupt {
            what: format!("the record of enterprise {id}: {error}"),
        })?;
        Ok((firm, record, Timestamp::from_millis(created_at)))
    })
    .transpose()
}

/// Brings what waits for a person in a jurisdiction and is of one sector into the scope of that sector, which nobody
/// needed before: what began since is there by itself. They are what one person has to do, so that they are few.
///
/// # Errors
/// When the database does not answer.
pub fn fill(tx: &mut WriteTx<'_>, person: PersonId, of: SectorOf) -> Result<(), StoreError> {
    let whole = Scope::Tasks(person, of.0, None);
    let held = feed::all_of(tx.conn(), whole)?;
    let mut rows = Vec::new();
    for kind in [RecordKind::Enterprise, RecordKind::Inspection] {
        let of_kind = held.iter().map(Copied::key);
        let of_kind = of_kind.filter(|(of, _)| *of == kind.number());
        let ids: Vec<Vec<u8>> = of_kind.map(|(_, id)| id).collect();
        // First held, then looked at once more: what changes or leaves meanwhile is not brought as it was.
        hold(tx, kind, &ids)?;
        rows.extend(feed::held_among(tx.conn(), whole, kind.number(), ids)?);
    }
    let of_sector = only_of_sector(tx.conn(), rows, of.1)?;
    feed::copy(tx, Scope::Tasks(person, of.0, Some(of.1)), of_sector)
}

/// Where it is noted that what was planned or under way before there were such scopes is in them.
pub(super) const FILLED: &str = "tasks";

/// Puts what was planned or under way before there were such scopes into them, `limit` at a time; once. Nobody holds
/// them yet, so that each row has the place in the order of changes that it has in its jurisdiction's scope.
///
/// # Errors
/// When the database does not answer or a stored record cannot be read.
pub(super) fn fill_all(conn: &mut Conn, limit: i64) -> Result<(), StoreError> {
    if meta::get(conn, FILLED)?.is_some() {
        return Ok(());
    }
    let mut after = Vec::new();
    loop {
        let rows: Vec<(Vec<u8>, Vec<u8>)> = inspections::table
            .filter(inspections::id.gt(after))
            .filter(sql::<Bool>("state IN ('planned', 'in_progress')"))
            .order(inspections::id)
            .limit(limit)
            .select((inspections::id, inspections::record))
            .load(conn)?;
        let Some((last, _)) = rows.last() else {
            break;
        };
        after = last.clone();
        for (_, record) in &rows {
            let inspection = read(record)?;
            let team = inspection.carried_out_by();
            let place = inspection.jurisdiction_id;
            let kind = RecordKind::Inspection;
            hold_too(conn, &team, place, kind, &inspection.id.0)?;
            let firm = match inspection.enterprise_id {
                Some(id) => firm(conn, id)?,
                None => None,
            };
            if let Some((firm, ..)) = firm {
                let kind = RecordKind::Enterprise;
                hold_too(conn, &team, firm.jurisdiction_id, kind, &firm.id.0)?;
            }
        }
    }
    meta::set(conn, FILLED, "filled")
}

/// A record that the scopes of a jurisdiction and of all above it hold is among the tasks of these people there.
fn hold_too(
    conn: &mut Conn,
    team: &[PersonId],
    place: JurisdictionId,
    kind: RecordKind,
    id: &Uuid,
) -> Result<(), StoreError> {
    let Some(way) = places::lineage(conn, place)? else {
        return Ok(());
    };
    for person in team {
        for above in &way.ancestors {
            let scopes = (
                Scope::Jurisdiction(*above),
                Scope::Tasks(*person, *above, None),
            );
            feed::hold_too(conn, scopes, kind, id)?;
        }
        for (above, sector) in &way.sectors {
            let scopes = (
                Scope::JurisdictionSector(*above, *sector),
                Scope::Tasks(*person, *above, Some(*sector)),
            );
            feed::hold_too(conn, scopes, kind, id)?;
        }
    }
    Ok(())
}

fn read(record: &[u8]) -> Result<Inspection, StoreError> {
    minicbor::decode(record).map_err(|error| StoreError::Corrupt {
        what: format!("the record of an inspection: {error}"),
    })
}

#[cfg(test)]
#[path = "tasks_tests.rs"]
mod tests;
