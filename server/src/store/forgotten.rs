//! Removals that were told for long enough are forgotten, and the floor of their scope says so: whoever's cursor is below
//! it cannot know what left in between, and fetches the scope anew.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Integer, Text};
use hazardloop_domain::time::Timestamp;
use hazardloop_sync_protocol::wire::Scope;

use super::order::rows_after;
use super::portable::Portable;
use super::schema::{feed_marks, scope_floors, scope_rows};
use super::{Conn, Position, StoreError, WriteTx};

/// A removal: its key, and its place in the order of changes.
type Gone = (String, i32, Vec<u8>, i64, i32);

/// When the newest mark was set.
///
/// # Errors
/// When the database does not answer.
pub fn marked_at(conn: &mut Conn) -> Result<Option<Timestamp>, StoreError> {
    let newest: Option<i64> = feed_marks::table
        .order(feed_marks::marked_at.desc())
        .select(feed_marks::marked_at)
        .first(conn)
        .optional()?;
    Ok(newest.map(Timestamp::from_millis))
}

/// Notes that the order of changes had come so far at `now`.
///
/// # Errors
/// When the database does not answer.
pub fn mark(tx: &mut WriteTx<'_>, now: Timestamp, reached: Position) -> Result<(), StoreError> {
    let row = (
        feed_marks::marked_at.eq(now.as_millis()),
        feed_marks::tx.eq(reached.tx),
        feed_marks::ordinal.eq(reached.ordinal),
    );
    let statement = diesel::insert_into(feed_marks::table)
        .values(row)
        .on_conflict(feed_marks::marked_at)
        .do_nothing();
    Portable(statement).execute(tx.conn())?;
    Ok(())
}

/// How far the order of changes had come at `then`, as far as anybody noted. What was noted earlier is of no use any more
/// and goes.
///
/// # Errors
/// When the database does not answer.
pub fn reached_by(tx: &mut WriteTx<'_>, then: Timestamp) -> Result<Option<Position>, StoreError> {
    let newest: Option<(i64, i64, i32)> = feed_marks::table
        .filter(feed_marks::marked_at.le(then.as_millis()))
        .order(feed_marks::marked_at.desc())
        .select((feed_marks::marked_at, feed_marks::tx, feed_marks::ordinal))
        .first(tx.conn())
        .optional()?;
    let Some((marked_at, tx_number, ordinal)) = newest else {
        return Ok(None);
    };
    let earlier = feed_marks::table.filter(feed_marks::marked_at.lt(marked_at));
    diesel::delete(earlier).execute(tx.conn())?;
    Ok(Some(Position {
        tx: tx_number,
        ordinal,
    }))
}

/// Forgets removals at or before `upto`, the oldest first and at most so many; answers how many there were.
///
/// # Errors
/// When the database does not answer.
pub fn forget(tx: &mut WriteTx<'_>, upto: Position, most: i64) -> Result<usize, StoreError> {
    let gone: Vec<Gone> = oldest(tx.conn(), upto, most)?;
    // Oldest first: the last one of a scope says how high its floor is.
    for (scope, kind, id, at, ordinal) in &gone {
        raise(tx.conn(), scope, (*at, *ordinal))?;
        // Unless it has come back since.
        let row = scope_rows::table
            .find((scope, kind, id))
            .filter(scope_rows::tx.eq(at))
            .filter(scope_rows::ordinal.eq(ordinal));
        diesel::delete(row).execute(tx.conn())?;
    }
    Ok(gone.len())
}

/// The oldest removals. None is the newest row of its scope: that says how far the scope has come, and what was added up
/// at that place must not come to mean something else.
///
/// # Errors
/// When the database does not answer.
pub(super) fn oldest(conn: &mut Conn, upto: Position, most: i64) -> Result<Vec<Gone>, StoreError> {
    let before = scope_rows::tx.lt(upto.tx).or(scope_rows::tx
        .eq(upto.tx)
        .and(scope_rows::ordinal.le(upto.ordinal)));
    let newer = diesel::alias!(scope_rows as newer);
    let later = newer.field(scope_rows::tx).gt(scope_rows::tx).or(newer
        .field(scope_rows::tx)
        .eq(scope_rows::tx)
        .and(newer.field(scope_rows::ordinal).gt(scope_rows::ordinal)));
    let newer = newer
        .filter(newer.field(scope_rows::scope).eq(scope_rows::scope))
        // So that the index is entered at the place.
        .filter(newer.field(scope_rows::tx).ge(scope_rows::tx))
        .filter(later);
    Ok(scope_rows::table
        .filter(diesel::dsl::not(scope_rows::present))
        .filter(scope_rows::tx.le(upto.tx))
        .filter(before)
        .filter(diesel::dsl::exists(newer))
        .order((scope_rows::tx, scope_rows::ordinal))
        .limit(most)
        .select((
            scope_rows::scope,
            scope_rows::record_kind,
            scope_rows::record_id,
            scope_rows::tx,
            scope_rows::ordinal,
        ))
        .load(conn)?)
}

/// A floor never goes down, whichever of two servers says it last.
fn raise(conn: &mut Conn, scope: &str, (at, ordinal): (i64, i32)) -> Result<(), StoreError> {
    diesel::sql_query(
        "INSERT INTO scope_floors (scope, tx, ordinal) VALUES ($1, $2, $3) \
         ON CONFLICT (scope) DO UPDATE SET tx = excluded.tx, ordinal = excluded.ordinal \
         WHERE (scope_floors.tx, scope_floors.ordinal) < (excluded.tx, excluded.ordinal)",
    )
    .bind::<Text, _>(scope)
    .bind::<BigInt, _>(at)
    .bind::<Integer, _>(ordinal)
    .execute(conn)?;
    Ok(())
}

/// Whether any scope has a floor above `after`: most cursors are above all of them.
///
/// # Errors
/// When the database does not answer.
pub fn any_above(conn: &mut Conn, after: Position) -> Result<bool, StoreError> {
    let highest: Option<i64> = scope_floors::table
        .filter(rows_after!(scope_floors, after))
        .order((scope_floors::tx.desc(), scope_floors::ordinal.desc()))
        .select(scope_floors::tx)
        .first(conn)
        .optional()?;
    Ok(highest.is_some())
}

/// The floor of a scope. To be read in the transaction that reads its changes.
///
/// # Errors
/// When the database does not answer.
pub fn floor(conn: &mut Conn, scope: Scope) -> Result<Position, StoreError> {
    let floor: Option<(i64, i32)> = scope_floors::table
        .find(scope.to_string())
        .select((scope_floors::tx, scope_floors::ordinal))
        .first(conn)
        .optional()?;
    Ok(floor.map_or(Position::START, |(tx, ordinal)| Position { tx, ordinal }))
}
