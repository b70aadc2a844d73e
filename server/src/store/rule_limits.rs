//! The limits that devices were told of.

use diesel::prelude::*;
use hazardloop_domain::rule_limits::RuleLimits;

use super::schema::rule_limits;
use super::{Conn, StoreError, WriteTx};

/// What devices were told last; `None`: nothing, and so they work with the defaults.
///
/// # Errors
/// When the database does not answer or holds a damaged record.
pub fn told(conn: &mut Conn) -> Result<Option<RuleLimits>, StoreError> {
    let record: Option<Vec<u8>> = rule_limits::table
        .find(RuleLimits::ID.as_bytes().as_slice())
        .select(rule_limits::record)
        .first(conn)
        .optional()?;
    let read = |record: Vec<u8>| {
        minicbor::decode(&record).map_err(|error| StoreError::Corrupt {
            what: format!("the limits: {error}"),
        })
    };
    record.map(read).transpose()
}

/// Puts them in the place of version `before`.
///
/// # Errors
/// [`StoreError::Stale`] when another version is there by now.
pub fn save(
    tx: &mut WriteTx<'_>,
    limits: &RuleLimits,
    record: &[u8],
    before: Option<i64>,
) -> Result<(), StoreError> {
    let id = RuleLimits::ID.as_bytes().as_slice();
    let columns = (
        rule_limits::version.eq(limits.version),
        rule_limits::record.eq(record),
    );
    let Some(before) = before else {
        diesel::insert_into(rule_limits::table)
            .values((rule_limits::id.eq(id), columns))
            .execute(tx.conn())?;
        return Ok(());
    };
    let known = rule_limits::table
        .filter(rule_limits::id.eq(id))
        .filter(rule_limits::version.eq(before));
    match diesel::update(known).set(columns).execute(tx.conn())? {
        1 => Ok(()),
        _ => Err(StoreError::Stale { what: "limits" }),
    }
}
