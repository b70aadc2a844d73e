//! Facts of this database that are not rows of anything: its epoch, the key of its digests.

use diesel::prelude::*;

use super::schema::server_meta;
use super::{Conn, StoreError, WriteTx, portable::Portable};

/// The value of a fact.
///
/// # Errors
/// When the database does not answer.
pub fn get(conn: &mut Conn, name: &str) -> Result<Option<String>, StoreError> {
    Ok(server_meta::table
        .find(name)
        .select(server_meta::value)
        .first(conn)
        .optional()?)
}

/// Sets a fact, whatever it was.
///
/// # Errors
/// When the database does not answer.
pub(super) fn set(conn: &mut Conn, name: &str, value: &str) -> Result<(), StoreError> {
    let row = (
        server_meta::name.eq(name.to_owned()),
        server_meta::value.eq(value.to_owned()),
    );
    let statement = diesel::insert_into(server_meta::table)
        .values(row)
        .on_conflict(server_meta::name)
        .do_update()
        .set(server_meta::value.eq(value.to_owned()));
    Portable(statement).execute(conn)?;
    Ok(())
}

/// As [`set`], within a use case's transaction.
///
/// # Errors
/// When the database does not answer.
pub fn put(tx: &mut WriteTx<'_>, name: &str, value: &str) -> Result<(), StoreError> {
    set(tx.conn(), name, value)
}

/// Takes a fact away; answers what it was.
///
/// # Errors
/// When the database does not answer.
pub fn take(tx: &mut WriteTx<'_>, name: &str) -> Result<Option<String>, StoreError> {
    let value = get(tx.conn(), name)?;
    diesel::delete(server_meta::table.find(name)).execute(tx.conn())?;
    Ok(value)
}

/// The value of a fact; `fresh` where it has none yet. Two servers that start at once agree.
///
/// # Errors
/// When the database does not answer.
pub fn get_or_set(tx: &mut WriteTx<'_>, name: &str, fresh: &str) -> Result<String, StoreError> {
    let row = (
        server_meta::name.eq(name.to_owned()),
        server_meta::value.eq(fresh.to_owned()),
    );
    let statement = diesel::insert_into(server_meta::table)
        .values(row)
        .on_conflict(server_meta::name)
        .do_nothing();
    Portable(statement).execute(tx.conn())?;
    get(tx.conn(), name)?.ok_or(StoreError::Missing)
}
