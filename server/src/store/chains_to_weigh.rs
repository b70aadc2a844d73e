//! Installs of whose statements about chains some are still to be weighed.

use std::collections::BTreeSet;

use diesel::QueryResult;
use diesel::prelude::*;
use hazardloop_domain::ids::InstallId;

use super::batch::in_arrays;
use super::prepared::{Bind, Prepared};
use super::schema::chains_to_weigh;
use super::{Conn, StoreError, WriteTx};

fn read(id: &[u8]) -> Result<InstallId, StoreError> {
    InstallId::from_slice(id).ok_or_else(|| StoreError::Corrupt {
        what: "an install to weigh".to_owned(),
    })
}

/// Notes that these are to be weighed, after the command `after` of their chains.
///
/// # Errors
/// When the database does not answer.
pub fn put(
    tx: &mut WriteTx<'_>,
    installs: impl IntoIterator<Item = InstallId>,
    after: i64,
) -> Result<(), StoreError> {
    let row = |id: InstallId| vec![Bind::Bytes(id.as_bytes().to_vec()), Bind::Big(after)];
    let rows: Vec<Vec<Bind>> = installs.into_iter().map(row).collect();
    in_arrays!(rows, |array| upsert(tx.conn(), array)?);
    Ok(())
}

fn upsert<const N: usize>(conn: &mut Conn, rows: [Vec<Bind>; N]) -> QueryResult<usize> {
    Prepared::rows(
        "INSERT INTO chains_to_weigh (install_id, after_seq) VALUES ",
        "(?, ?)",
        " ON CONFLICT (install_id) DO UPDATE SET after_seq = excluded.after_seq",
        rows,
    )
    .execute(conn)
}

/// Takes one off the list, with the command after which to go on; `None`: there is none.
///
/// # Errors
/// When the database does not answer.
pub fn take(tx: &mut WriteTx<'_>) -> Result<Option<(InstallId, i64)>, StoreError> {
    let found: Option<(Vec<u8>, i64)> = chains_to_weigh::table
        .order(chains_to_weigh::install_id)
        .first(tx.conn())
        .optional()?;
    let Some((id, after)) = found else {
        return Ok(None);
    };
    diesel::delete(chains_to_weigh::table.find(&id)).execute(tx.conn())?;
    Ok(Some((read(&id)?, after)))
}

/// All of them.
///
/// # Errors
/// When the database does not answer.
pub fn all(conn: &mut Conn) -> Result<BTreeSet<InstallId>, StoreError> {
    let found: Vec<Vec<u8>> = chains_to_weigh::table
        .select(chains_to_weigh::install_id)
        .load(conn)?;
    found.iter().map(|id| read(id)).collect()
}
