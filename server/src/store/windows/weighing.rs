//! Bringing a scope to as many bytes as its window has.

use diesel::prelude::*;
use diesel::sql_types::BigInt;

use super::{BEYOND_BYTES, Bound, Found, HELD, Newest, Oldest, in_scope, turn};
use crate::store::prepared::{Bind, Prepared};
use crate::store::{Conn, StoreError, WriteTx};

/// Rows of a scope that are added up first; four times as many each time that these are not enough.
const LOOKED_AT_FIRST: i64 = 1_024;

/// Rows of a scope that lose their mark at once.
const UNMARKED_AT_ONCE: i64 = 1_000;

/// Brings one scope to as many bytes as its window has, the newest: at most `most` rows leave or come. Answers how many;
/// where that was not all, the scope is still to be weighed.
///
/// # Errors
/// When the database does not answer.
pub fn weigh(
    tx: &mut WriteTx<'_>,
    scope: &str,
    bound: Option<&Bound>,
    most: usize,
) -> Result<usize, StoreError> {
    // First, so that whatever comes to its end meanwhile is weighed next time.
    unmark(tx.conn(), scope)?;
    let Some(bound) = bound else { return Ok(0) };
    let mut scale = Scale {
        scope,
        held: i64::MAX,
        most_bytes: i64::try_from(bound.bytes).unwrap_or(i64::MAX),
        left: most,
        last: None,
    };
    // What came from elsewhere and is older than something that found no room goes out: the newest are what stays.
    if let Some(newest_out) = newest_out(tx.conn(), scope)? {
        scale.oldest_out(tx, newest_out, i64::MIN)?;
    }
    // Looked through from the newest on, and no farther than the window is full: however much a scope holds at first,
    // what one transaction reads follows from what may stay.
    let mut looked_at = LOOKED_AT_FIRST;
    while scale.left > 0 {
        let newest = newest_held(tx.conn(), scope, looked_at)?;
        match newest.rest_before {
            Some(before) if newest.bytes > scale.most_bytes => {
                scale.held = i64::MAX;
                scale.oldest_out(tx, before, i64::MIN)?;
            }
            Some(_) => {}
            None => {
                scale.held = newest.bytes;
                if scale.held > scale.most_bytes {
                    scale.oldest_out(tx, i64::MAX, scale.most_bytes)?;
                } else {
                    scale.newest_in(tx, bound.begins.as_millis())?;
                }
                break;
            }
        }
        looked_at = looked_at.saturating_mul(4);
    }
    if let (0, Some(row)) = (scale.left, &scale.last) {
        let sql = "UPDATE scope_rows SET to_weigh = TRUE WHERE scope = ? AND record_kind = ? AND record_id = ?";
        let binds = vec![
            Bind::Text(row.0.clone()),
            Bind::Small(row.1),
            Bind::Bytes(row.2.clone()),
        ];
        Prepared::new(sql, binds).execute(tx.conn())?;
    }
    Ok(most - scale.left)
}

/// Takes marks from rows of a scope, [`UNMARKED_AT_ONCE`] at most: where there are more, it is weighed once more.
fn unmark(conn: &mut Conn, scope: &str) -> Result<(), StoreError> {
    let sql = "UPDATE scope_rows SET to_weigh = FALSE WHERE scope = ? AND to_weigh \
        AND (record_kind, record_id) IN (SELECT marked.record_kind, marked.record_id FROM scope_rows AS marked \
        WHERE marked.scope = ? AND marked.to_weigh LIMIT ?)";
    let binds = vec![
        Bind::Text(scope.to_owned()),
        Bind::Text(scope.to_owned()),
        Bind::Big(UNMARKED_AT_ONCE),
    ];
    Prepared::new(sql, binds).execute(conn)?;
    Ok(())
}

/// When the newest came to its end that found no room in a scope.
pub(in crate::store) fn newest_out(
    conn: &mut Conn,
    scope: &str,
) -> Result<Option<i64>, StoreError> {
    let out = in_scope(conn, scope, BEYOND_BYTES, Newest, i64::MIN, 1)?;
    Ok(out.first().map(|(.., settled_at, _)| *settled_at))
}

/// What a scope gives out of what came to its end, the newest rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::store) struct NewestHeld {
    /// Their bytes.
    pub bytes: i64,
    /// There may be others, which came to their end before this or with it.
    pub rest_before: Option<i64>,
}

/// The newest `most` rows.
pub(in crate::store) fn newest_held(
    conn: &mut Conn,
    scope: &str,
    most: i64,
) -> Result<NewestHeld, StoreError> {
    let sql = "SELECT COUNT(*), CAST(COALESCE(SUM(part.bytes), 0) AS BIGINT), \
        COALESCE(MIN(part.settled_at), 0) FROM (SELECT bytes, settled_at FROM scope_rows WHERE scope = ? \
        AND aside = 0 AND settled_at IS NOT NULL ORDER BY settled_at DESC, tx DESC, ordinal DESC LIMIT ?) AS part";
    let binds = vec![Bind::Text(scope.to_owned()), Bind::Big(most)];
    let statement = Prepared::<(BigInt, BigInt, BigInt)>::of_parts(sql.to_owned(), binds);
    let (count, bytes, oldest): (i64, i64, i64) = statement.get_result(conn)?;
    Ok(NewestHeld {
        bytes,
        rest_before: (count >= most).then_some(oldest),
    })
}

/// One scope while it is weighed.
struct Scale<'a> {
    scope: &'a str,
    held: i64,
    most_bytes: i64,
    /// Rows that may still turn.
    left: usize,
    last: Option<Found>,
}

impl Scale<'_> {
    fn turn(&mut self, tx: &mut WriteTx<'_>, row: Found, to: i32) -> Result<(), StoreError> {
        turn(tx, &row, to)?;
        self.left = self.left.saturating_sub(1);
        self.held = match to {
            HELD => self.held.saturating_add(row.4),
            _ => self.held.saturating_sub(row.4),
        };
        self.last = Some(row);
        Ok(())
    }

    /// Has those leave that came to their end before `before`, the oldest first, until no more than `enough` bytes are held.
    fn oldest_out(
        &mut self,
        tx: &mut WriteTx<'_>,
        before: i64,
        enough: i64,
    ) -> Result<(), StoreError> {
        for row in in_scope(tx.conn(), self.scope, HELD, Oldest, before, self.left)? {
            if self.held <= enough {
                break;
            }
            self.turn(tx, row, BEYOND_BYTES)?;
        }
        Ok(())
    }

    fn newest_in(&mut self, tx: &mut WriteTx<'_>, begins: i64) -> Result<(), StoreError> {
        for row in in_scope(
            tx.conn(),
            self.scope,
            BEYOND_BYTES,
            Newest,
            begins,
            self.left,
        )? {
            if self.held.saturating_add(row.4) > self.most_bytes {
                break;
            }
            self.turn(tx, row, HELD)?;
        }
        Ok(())
    }
}
