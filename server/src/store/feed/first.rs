//! The rows of a first read, in an order of its own: two indexes, one of what is open and one of what came to its end.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Binary, Bool, Integer, Nullable};
use hazardloop_sync_protocol::hub::FirstPlace;
use hazardloop_sync_protocol::wire::Scope;

use super::super::prepared::{Bind, Prepared};
use super::{Change, change};
use crate::store::{Conn, Position, StoreError};

/// Rows of a first read: what `scope` gives out at or before `upto`, behind `after`, in the order of first reads (see
/// `hub::FirstPlace`), at most `limit`.
///
/// # Errors
/// As [`changes`].
pub fn first(
    conn: &mut Conn,
    scope: Scope,
    upto: Position,
    after: Option<FirstPlace<Position>>,
    limit: i64,
) -> Result<Vec<Change>, StoreError> {
    const COLUMNS: &str = "SELECT record_kind, record_id, present, aside, version, tx, ordinal, \
        settled_at FROM scope_rows WHERE scope = ? ";
    const UPTO: &str = "AND tx <= ? AND (tx < ? OR ordinal <= ?) ";
    let scope = Bind::Text(scope.to_string());
    let until = || {
        [upto.tx, upto.tx]
            .map(Bind::Big)
            .into_iter()
            .chain([Bind::Small(upto.ordinal)])
    };
    let mut rows: Vec<FirstRow> = Vec::new();
    let ended_after = after.and_then(|after| Some((after.settled_at?, after.position)));
    if ended_after.is_none() {
        let from = after.map_or(Position::START, |after| after.position);
        let sql = format!(
            "{COLUMNS}AND present AND settled_at IS NULL AND tx >= ? AND (tx > ? OR ordinal > ?) \
             {UPTO}ORDER BY tx, ordinal LIMIT ?"
        );
        let mut binds = vec![scope.clone(), Bind::Big(from.tx), Bind::Big(from.tx)];
        binds.push(Bind::Small(from.ordinal));
        binds.extend(until());
        binds.push(Bind::Big(limit));
        rows = Prepared::<FirstTypes>::of_parts(sql, binds).load(conn)?;
    }
    let left = limit - i64::try_from(rows.len()).unwrap_or(limit);
    if left > 0 {
        let (at, from) = ended_after.map_or((i64::MAX, Position::END), |(at, from)| {
            (at.as_millis(), from)
        });
        let sql = format!(
            "{COLUMNS}AND aside = 0 AND settled_at IS NOT NULL AND settled_at <= ? \
             AND (settled_at < ? OR tx < ? OR (tx = ? AND ordinal < ?)) \
             {UPTO}ORDER BY settled_at DESC, tx DESC, ordinal DESC LIMIT ?"
        );
        let mut binds = vec![scope, Bind::Big(at), Bind::Big(at), Bind::Big(from.tx)];
        binds.extend([Bind::Big(from.tx), Bind::Small(from.ordinal)]);
        binds.extend(until());
        binds.push(Bind::Big(left));
        rows.extend(Prepared::<FirstTypes>::of_parts(sql, binds).load::<FirstRow>(conn)?);
    }
    let read = |(kind, id, present, aside, version, tx, ordinal, settled_at): FirstRow| {
        change((kind, id, present, aside, version, (tx, ordinal), settled_at))
    };
    rows.into_iter().map(read).collect()
}

type FirstTypes = (
    Integer,
    Binary,
    Bool,
    Integer,
    BigInt,
    BigInt,
    Integer,
    Nullable<BigInt>,
);
type FirstRow = (i32, Vec<u8>, bool, i32, i64, i64, i32, Option<i64>);
