//! Rows of one scope for another that is told of them once the one was merged into it.

use diesel::QueryResult;
use diesel::prelude::*;
use hazardloop_sync_protocol::wire::Scope;

use super::super::batch::in_arrays;
use super::super::prepared::Prepared;
use super::{Copied, INSERT, PLACES, Row, copies};
use crate::store::schema::scope_rows;
use crate::store::{Conn, StoreError, WriteTx, on_any};

/// Those of these records of one kind that `scope` holds.
///
/// # Errors
/// When the database does not answer.
pub(in crate::store) fn held_among(
    conn: &mut Conn,
    scope: Scope,
    kind: i32,
    ids: Vec<Vec<u8>>,
) -> Result<Vec<Copied>, StoreError> {
    Ok(on_any!(conn, |c| scope_rows::table
        .filter(scope_rows::scope.eq(scope.to_string()))
        .filter(scope_rows::record_kind.eq(kind))
        .filter(scope_rows::record_id.eq_any(ids))
        .filter(scope_rows::present)
        .order(scope_rows::record_id)
        .select(Copied::as_select())
        .load(c))?)
}

/// Tells `scope` that it holds these records, also what had left it before; what it holds already stays as it is.
/// For records that nobody changes until this transaction ends.
///
/// # Errors
/// When the database does not answer.
pub(in crate::store) fn tell(
    tx: &mut WriteTx<'_>,
    scope: Scope,
    rows: &[Copied],
) -> Result<(), StoreError> {
    let told = copies(tx, scope, rows.to_vec())?;
    in_arrays!(told, |array| insert_or_bring_back(tx.conn(), array)?);
    Ok(())
}

fn insert_or_bring_back<const N: usize>(conn: &mut Conn, rows: [Row; N]) -> QueryResult<usize> {
    Prepared::rows(
        INSERT,
        PLACES,
        " ON CONFLICT (scope, record_kind, record_id) DO UPDATE SET present = excluded.present, \
         version = excluded.version, digest_high = excluded.digest_high, \
         digest_low = excluded.digest_low, created_at = excluded.created_at, tx = excluded.tx, \
         ordinal = excluded.ordinal, settled_at = excluded.settled_at, bytes = excluded.bytes, \
         window_no = excluded.window_no, aside = excluded.aside, \
         to_weigh = excluded.to_weigh OR scope_rows.to_weigh WHERE NOT scope_rows.present",
        rows.map(Row::binds),
    )
    .execute(conn)
}
