//! Enterprises for people: when each came to be, and the hold that keeps one in its place while a
//! report is filed under it.

use diesel::prelude::*;
use hazardloop_domain::ids::EnterpriseId;
use hazardloop_domain::time::Timestamp;

use super::schema::enterprises;
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

/// Keeps the enterprise where it is until this transaction ends: a report filed under it meanwhile
/// cannot carry the jurisdiction that a move at the same time leaves. SQLite has one writer, there
/// this is nothing. Call it before the enterprise is read.
///
/// # Errors
/// When the database does not answer.
pub fn keep_in_place(conn: &mut Conn, id: EnterpriseId) -> Result<(), StoreError> {
    if let Conn::Postgres(conn) = conn {
        // The lock that the foreign key of the report's row takes anyway, only earlier.
        let _: Option<Vec<u8>> = enterprises::table
            .find(id.as_bytes().to_vec())
            .select(enterprises::id)
            .for_key_share()
            .first(conn)
            .optional()?;
    }
    Ok(())
}

/// Waits for every report that is being filed under the enterprise, and makes later ones wait for
/// this transaction. See [`keep_in_place`].
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
