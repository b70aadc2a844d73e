//! Enterprises for people: when each came to be, the hold that keeps one in its place while a report
//! is filed under it, and which of its hazards are elsewhere.

use diesel::prelude::*;
use hazardloop_domain::enterprise::Enterprise;
use hazardloop_domain::ids::{EnterpriseId, JurisdictionId};
use hazardloop_domain::time::Timestamp;
use uuid::Uuid;

use super::lists::Key;
use super::schema::{enterprises, hazards};
use super::{Conn, StoreError, WriteTx};

/// When the enterprise was registered.
///
/// # Errors
/// When the database does not answer.
pub fn created_at(conn: &mut Conn, id: EnterpriseId) -> Result<Option<Timestamp>, StoreError> {
    let at: Option<i64> = enterprises::table
        .find(id.as_bytes().to_vec())
        .select(enterprises::created_at)
        .first(conn)
        .optional()?;
    Ok(at.map(Timestamp::from_millis))
}

/// The enterprises behind `after` in the order of their ids, wherever they stand, at most `limit`.
///
/// # Errors
/// When the database does not answer or a record cannot be read.
pub fn all_after(conn: &mut Conn, after: &[u8], limit: i64) -> Result<Vec<Enterprise>, StoreError> {
    let records: Vec<Vec<u8>> = enterprises::table
        .filter(enterprises::id.gt(after))
        .order(enterprises::id)
        .limit(limit)
        .select(enterprises::record)
        .load(conn)?;
    let read = |record: &Vec<u8>| {
        minicbor::decode(record).map_err(|error| StoreError::Corrupt {
            what: format!("an enterprise: {error}"),
        })
    };
    records.iter().map(read).collect()
}

/// Where an enterprise stands: who answers for it, and for which sector.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seat {
    /// The jurisdiction.
    pub jurisdiction_id: JurisdictionId,
    /// 监管行业.
    pub sector: String,
}

/// The enterprise's jurisdiction and sector, which it keeps until this transaction ends: a report filed
/// under it meanwhile cannot carry the jurisdiction that a move at the same time leaves. SQLite has
/// one writer, there nothing needs to be kept.
///
/// # Errors
/// When the database does not answer or holds a damaged id.
pub fn seat_held(conn: &mut Conn, id: EnterpriseId) -> Result<Option<Seat>, StoreError> {
    let wanted = enterprises::table
        .find(id.as_bytes().to_vec())
        .select((enterprises::jurisdiction_id, enterprises::sector));
    let found: Option<(Vec<u8>, String)> = match conn {
        Conn::Sqlite(conn) => wanted.first(conn).optional()?,
        // The lock that the foreign key of the report's row takes anyway, only earlier. Whoever
        // waits for a move here is given the row as the move has left it.
        Conn::Postgres(conn) => wanted.for_key_share().first(conn).optional()?,
    };
    found
        .map(|(jurisdiction_id, sector)| {
            let jurisdiction_id =
                JurisdictionId::from_slice(&jurisdiction_id).ok_or_else(|| {
                    StoreError::Corrupt {
                        what: format!("the jurisdiction of enterprise {id}"),
                    }
                })?;
            Ok(Seat {
                jurisdiction_id,
                sector,
            })
        })
        .transpose()
}

/// Waits for every report that is being filed under the enterprise, and makes later ones wait for
/// this transaction. See [`seat_held`].
///
/// # Errors
/// When the database does not answer.
pub fn hold_for_move(tx: &mut WriteTx<'_>, id: EnterpriseId) -> Result<(), StoreError> {
    if let Conn::Postgres(conn) = tx.conn() {
        let _: Option<Vec<u8>> = enterprises::table
            .find(id.as_bytes().to_vec())
            .select(enterprises::id)
            .for_update()
            .first(conn)
            .optional()?;
    }
    Ok(())
}

/// Makes a move of the enterprise wait for this transaction. Unlike under [`hold_for_move`], reports
/// go on being filed.
///
/// # Errors
/// When the database does not answer.
pub fn hold_against_moves(tx: &mut WriteTx<'_>, id: EnterpriseId) -> Result<(), StoreError> {
    if let Conn::Postgres(conn) = tx.conn() {
        let _: Option<Vec<u8>> = enterprises::table
            .find(id.as_bytes().to_vec())
            .select(enterprises::id)
            .for_no_key_update()
            .first(conn)
            .optional()?;
    }
    Ok(())
}

/// Hazards of an enterprise that meet a condition, in order of receipt.
macro_rules! hazards_where {
    ($conn:expr, $id:expr, $condition:expr, $after:expr, $limit:expr) => {{
        let mut query = hazards::table
            .filter(hazards::enterprise_id.eq($id.as_bytes().to_vec()))
            .filter($condition)
            .order((hazards::received_at, hazards::id))
            .limit($limit)
            .select((hazards::received_at, hazards::id))
            .into_boxed();
        if let Some(Key { at, id }) = $after {
            let id = id.as_bytes().to_vec();
            query = query
                .filter(hazards::received_at.ge(at))
                .filter(hazards::received_at.gt(at).or(hazards::id.gt(id)));
        }
        let rows: Vec<(i64, Vec<u8>)> = query.load($conn)?;
        rows.into_iter()
            .map(|(at, id)| {
                let id = Uuid::from_slice(&id).map_err(|_| StoreError::Corrupt {
                    what: "a hazard id that is not 16 bytes".to_owned(),
                })?;
                Ok(Key { at, id })
            })
            .collect()
    }};
}

/// Hazards of the enterprise that another jurisdiction than `jurisdiction` answers for, after
/// `after`, oldest first, at most `limit`.
///
/// # Errors
/// When the database does not answer.
pub fn hazards_elsewhere(
    conn: &mut Conn,
    id: EnterpriseId,
    jurisdiction: JurisdictionId,
    after: Option<Key>,
    limit: i64,
) -> Result<Vec<Key>, StoreError> {
    hazards_where!(
        conn,
        id,
        hazards::jurisdiction_id.ne(jurisdiction.as_bytes().to_vec()),
        after,
        limit
    )
}

/// Hazards of the enterprise that are of this sector, after `after`, oldest first, at most `limit`.
///
/// # Errors
/// When the database does not answer.
pub fn hazards_of_sector(
    conn: &mut Conn,
    id: EnterpriseId,
    sector: &str,
    after: Option<Key>,
    limit: i64,
) -> Result<Vec<Key>, StoreError> {
    let of_it = hazards::sector.eq(sector.to_owned());
    hazards_where!(conn, id, of_it, after, limit)
}
