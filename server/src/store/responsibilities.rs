//! Which department answers for which sector of a jurisdiction, row by row.
//!
//! Whoever stores a hazard reads who answers for it, and what it then says of the hazard must hold
//! once it is committed. On PostgreSQL a change of these rows therefore waits for every transaction
//! that has read them, and makes later ones wait for its own end, as the opening of a sector's scope
//! does (`sector_scopes`). It is rare. SQLite has one writer.

use std::collections::BTreeMap;

use diesel::connection::SimpleConnection as _;
use diesel::prelude::*;
use hazardloop_domain::ids::JurisdictionId;
use hazardloop_domain::responsibility::Matrix;

use super::schema::{responsibilities, responsibility_versions};
use super::{Conn, StoreError, WriteTx, on_any};

/// The sector of the row that says who takes what is left.
const FALLBACK: &str = "";

/// A row: sector and department.
type Row = (String, String);

fn matrix(rows: impl IntoIterator<Item = Row>) -> Matrix {
    let mut rows: BTreeMap<String, String> = rows.into_iter().collect();
    Matrix {
        fallback: rows.remove(FALLBACK),
        rows,
    }
}

/// What one jurisdiction itself says, and how often that has changed.
///
/// # Errors
/// When the database does not answer.
pub fn of(conn: &mut Conn, id: JurisdictionId) -> Result<(Matrix, i64), StoreError> {
    let id = id.as_bytes().to_vec();
    let version: Option<i64> = responsibility_versions::table
        .find(id.clone())
        .select(responsibility_versions::version)
        .first(conn)
        .optional()?;
    let rows: Vec<Row> = responsibilities::table
        .filter(responsibilities::jurisdiction_id.eq(id))
        .select((responsibilities::sector, responsibilities::department))
        .load(conn)?;
    Ok((matrix(rows), version.unwrap_or_default()))
}

/// What these jurisdictions say of one sector and of what is left; in no order that matters.
///
/// # Errors
/// When the database does not answer or holds a damaged id.
pub fn of_sector(
    conn: &mut Conn,
    ids: &[JurisdictionId],
    sector: &str,
) -> Result<BTreeMap<JurisdictionId, Matrix>, StoreError> {
    let wanted: Vec<Vec<u8>> = ids.iter().map(|id| id.as_bytes().to_vec()).collect();
    let sectors = [sector, FALLBACK];
    let rows: Vec<(Vec<u8>, String, String)> = on_any!(conn, |c| responsibilities::table
        .filter(responsibilities::jurisdiction_id.eq_any(wanted))
        .filter(responsibilities::sector.eq_any(sectors))
        .select((
            responsibilities::jurisdiction_id,
            responsibilities::sector,
            responsibilities::department,
        ))
        .load(c))?;
    let mut found: BTreeMap<JurisdictionId, Vec<Row>> = BTreeMap::new();
    for (id, sector, department) in rows {
        let id = JurisdictionId::from_slice(&id).ok_or_else(|| StoreError::Corrupt {
            what: "who answers: the id of a jurisdiction".to_owned(),
        })?;
        found.entry(id).or_default().push((sector, department));
    }
    Ok(found
        .into_iter()
        .map(|(id, rows)| (id, matrix(rows)))
        .collect())
}

/// Waits for every transaction that has read who answers for what, and makes later ones wait. To be
/// called before this transaction reads any of it.
///
/// # Errors
/// When the database does not answer, or others took too long.
pub fn hold(tx: &mut WriteTx<'_>) -> Result<(), StoreError> {
    if let Conn::Postgres(conn) = tx.conn() {
        conn.batch_execute("LOCK TABLE responsibilities IN ACCESS EXCLUSIVE MODE")?;
    }
    Ok(())
}

/// Puts `after` in the place of what a jurisdiction says; `version` counts this change. Under
/// [`hold`].
///
/// # Errors
/// When the database does not answer.
pub fn replace(
    tx: &mut WriteTx<'_>,
    id: JurisdictionId,
    after: &Matrix,
    version: i64,
) -> Result<(), StoreError> {
    let id = id.as_bytes().to_vec();
    let counted = diesel::update(responsibility_versions::table.find(id.clone()))
        .set(responsibility_versions::version.eq(version))
        .execute(tx.conn())?;
    if counted == 0 {
        diesel::insert_into(responsibility_versions::table)
            .values((
                responsibility_versions::jurisdiction_id.eq(id.clone()),
                responsibility_versions::version.eq(version),
            ))
            .execute(tx.conn())?;
    }
    let own = responsibilities::table.filter(responsibilities::jurisdiction_id.eq(id.clone()));
    diesel::delete(own).execute(tx.conn())?;
    let fallback = after.fallback.as_deref().map(|name| (FALLBACK, name));
    let rows = after.rows.iter();
    let rows = rows.map(|(sector, name)| (sector.as_str(), name.as_str()));
    for (sector, department) in rows.chain(fallback) {
        diesel::insert_into(responsibilities::table)
            .values((
                responsibilities::jurisdiction_id.eq(id.clone()),
                responsibilities::sector.eq(sector),
                responsibilities::department.eq(department),
            ))
            .execute(tx.conn())?;
    }
    Ok(())
}
