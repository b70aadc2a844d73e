//! Sectors of jurisdictions that have a scope of their own, because some grant is or was limited to
//! them: opening one, and bringing into it what was there before.
//!
//! Whoever changes a record tells these scopes too, so that each must be known to every write that is
//! under way. On PostgreSQL opening one therefore waits for every transaction that has read the list,
//! and makes later ones wait for its own end: afterwards nobody works by the old list. It is as rare as
//! a new sector in a jurisdiction. SQLite has one writer.

use diesel::connection::SimpleConnection as _;
use diesel::prelude::*;
use hazardloop_domain::ids::{InspectionId, JurisdictionId};
use hazardloop_domain::inspection::Inspection;
use hazardloop_domain::time::Timestamp;
use hazardloop_sync_protocol::wire::{RecordKind, Scope, SectorName};

use super::feed::{self, Copied};
use super::schema::{enterprises, hazards, scope_rows, sector_scopes};
use super::{Conn, StoreError, WriteTx, inspections, on_any};

/// A sector of a jurisdiction.
pub type SectorOf = (JurisdictionId, SectorName);

fn corrupt() -> StoreError {
    StoreError::Corrupt {
        what: "a sector of a jurisdiction".to_owned(),
    }
}

fn key((id, sector): SectorOf) -> (Vec<u8>, String) {
    (id.as_bytes().to_vec(), sector.to_string())
}

/// The sectors of these jurisdictions that have a scope of their own.
///
/// # Errors
/// When the database does not answer.
pub fn of_jurisdictions(
    conn: &mut Conn,
    ids: &[JurisdictionId],
) -> Result<Vec<SectorOf>, StoreError> {
    let wanted: Vec<Vec<u8>> = ids.iter().map(|id| id.as_bytes().to_vec()).collect();
    let rows: Vec<(Vec<u8>, String)> = on_any!(conn, |c| sector_scopes::table
        .filter(sector_scopes::jurisdiction_id.eq_any(wanted))
        .order((sector_scopes::jurisdiction_id, sector_scopes::sector))
        .select((sector_scopes::jurisdiction_id, sector_scopes::sector))
        .load(c))?;
    rows.into_iter()
        .map(|(id, sector)| {
            let id = JurisdictionId::from_slice(&id).ok_or_else(corrupt)?;
            let sector = SectorName::new(&sector).map_err(|_| corrupt())?;
            Ok((id, sector))
        })
        .collect()
}

/// Gives a sector of a jurisdiction a scope of its own; answers whether it had none.
///
/// # Errors
/// When the database does not answer.
pub fn open(tx: &mut WriteTx<'_>, of: SectorOf, now: Timestamp) -> Result<bool, StoreError> {
    if is_open(tx.conn(), of)? {
        return Ok(false);
    }
    if let Conn::Postgres(conn) = tx.conn() {
        conn.batch_execute("LOCK TABLE sector_scopes IN ACCESS EXCLUSIVE MODE")?;
        if is_open(tx.conn(), of)? {
            return Ok(false);
        }
    }
    let (jurisdiction_id, sector) = key(of);
    diesel::insert_into(sector_scopes::table)
        .values((
            sector_scopes::jurisdiction_id.eq(jurisdiction_id),
            sector_scopes::sector.eq(sector),
            sector_scopes::opened_at.eq(now.as_millis()),
            sector_scopes::after_kind.eq(-1),
            sector_scopes::after_id.eq(Vec::<u8>::new()),
        ))
        .execute(tx.conn())?;
    Ok(true)
}

fn is_open(conn: &mut Conn, of: SectorOf) -> Result<bool, StoreError> {
    let found: Option<i64> = sector_scopes::table
        .find(key(of))
        .select(sector_scopes::opened_at)
        .first(conn)
        .optional()?;
    Ok(found.is_some())
}

/// Brings the next `most` records of the jurisdiction, of whatever sector, into the scope where they
/// are of its sector. Answers whether all are there.
///
/// # Errors
/// When the database does not answer.
pub fn fill(
    tx: &mut WriteTx<'_>,
    of: SectorOf,
    most: usize,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let reached: Option<(i32, Vec<u8>, Option<i64>)> = sector_scopes::table
        .find(key(of))
        .select((
            sector_scopes::after_kind,
            sector_scopes::after_id,
            sector_scopes::filled_at,
        ))
        .first(tx.conn())
        .optional()?;
    let Some((kind, id, None)) = reached else {
        return Ok(true);
    };
    let limit = i64::try_from(most.max(1)).unwrap_or(i64::MAX);
    let found = held_after(tx.conn(), of.0, (kind, &id), limit)?;
    let last = found.last().map(|row| row.key());
    let full = found.len() >= most.max(1);
    let of_sector = only_of_sector(tx.conn(), found, of.1)?;
    feed::copy(tx, Scope::JurisdictionSector(of.0, of.1), of_sector)?;
    let (kind, id) = last.unwrap_or((kind, id));
    diesel::update(sector_scopes::table.find(key(of)))
        .set((
            sector_scopes::after_kind.eq(kind),
            sector_scopes::after_id.eq(id),
            sector_scopes::filled_at.eq((!full).then_some(now.as_millis())),
        ))
        .execute(tx.conn())?;
    Ok(!full)
}

/// What the jurisdiction's own scope holds after this kind and id, in that order.
pub(super) fn held_after(
    conn: &mut Conn,
    id: JurisdictionId,
    (kind, after): (i32, &[u8]),
    limit: i64,
) -> Result<Vec<Copied>, StoreError> {
    let after_it = scope_rows::record_kind
        .gt(kind)
        .or(scope_rows::record_id.gt(after.to_vec()));
    Ok(scope_rows::table
        .filter(scope_rows::scope.eq(Scope::Jurisdiction(id).to_string()))
        .filter(scope_rows::record_kind.ge(kind))
        .filter(after_it)
        .order((scope_rows::record_kind, scope_rows::record_id))
        .limit(limit)
        .select(Copied::as_select())
        .load(conn)?)
}

pub(super) fn only_of_sector(
    conn: &mut Conn,
    rows: Vec<Copied>,
    sector: SectorName,
) -> Result<Vec<Copied>, StoreError> {
    let ids = |kind: RecordKind| -> Vec<Vec<u8>> {
        let present = rows.iter().filter(|row| row.is_present());
        let of_kind = present.filter(|row| row.key().0 == kind.number());
        of_kind.map(|row| row.key().1).collect()
    };
    let (firms, subjects) = (ids(RecordKind::Enterprise), ids(RecordKind::Hazard));
    let visits = ids(RecordKind::Inspection);
    let mut wanted: Vec<Vec<u8>> = on_any!(conn, |c| enterprises::table
        .filter(enterprises::id.eq_any(firms))
        .filter(enterprises::sector.eq(sector.as_str()))
        .select(enterprises::id)
        .load(c))?;
    wanted.extend(on_any!(conn, |c| hazards::table
        .filter(hazards::id.eq_any(subjects))
        .filter(hazards::sector.eq(sector.as_str()))
        .select(hazards::id)
        .load::<Vec<u8>>(c))?);
    let visits: Vec<InspectionId> = visits
        .iter()
        .filter_map(|id| InspectionId::from_slice(id))
        .collect();
    if !visits.is_empty() {
        let found = inspections::load_all(conn, &visits)?;
        let of_it = |of: &Inspection| of.sector.as_deref() == Some(sector.as_str());
        let found = found.into_iter().filter(|(visit, _)| of_it(visit));
        wanted.extend(found.map(|(visit, _)| visit.id.as_bytes().to_vec()));
    }
    wanted.sort_unstable();
    let of_sector = |row: &Copied| wanted.binary_search(&row.key().1).is_ok();
    Ok(rows.into_iter().filter(of_sector).collect())
}
