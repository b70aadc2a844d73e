//! How far scopes have come.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Integer};
use hazardloop_sync_protocol::wire::Scope;

use super::super::batch::in_arrays;
use super::super::prepared::{Bind, Prepared};
use super::super::schema::scope_rows;
use super::super::{Conn, Position, StoreError};

/// Of one scope, its number among those asked for before its place.
const ONE: &str = "SELECT CAST(? AS INTEGER) AS number, tx, ordinal FROM (SELECT tx, ordinal FROM scope_rows \
     WHERE scope = ? ORDER BY tx DESC, ordinal DESC LIMIT 1) AS part";

/// How far `scope` has come: its newest position below `horizon`, and whether there is anything
/// at or above the horizon (visible already, but not yet safe to deliver).
///
/// # Errors
/// When the database does not answer.
pub fn newest(conn: &mut Conn, scope: Scope, horizon: i64) -> Result<(Position, bool), StoreError> {
    let visible = below(conn, scope, i64::MAX)?;
    safe(conn, scope, visible, horizon)
}

/// [`newest`] of each of `scopes`, in their order, in as few statements as can be: on PostgreSQL each is a round trip, and
/// this is all that a pull asks which finds nothing new.
///
/// # Errors
/// When the database does not answer.
pub fn newest_of(
    conn: &mut Conn,
    scopes: &[Scope],
    horizon: i64,
) -> Result<Vec<(Position, bool)>, StoreError> {
    let mut visible: Vec<Option<Position>> = vec![None; scopes.len()];
    let numbered: Vec<(usize, Scope)> = scopes.iter().copied().enumerate().collect();
    in_arrays!(numbered, |array| {
        for (number, tx, ordinal) in last_of(conn, array)? {
            let place = usize::try_from(number)
                .ok()
                .and_then(|n| visible.get_mut(n));
            if let Some(place) = place {
                *place = Some(Position { tx, ordinal });
            }
        }
    });
    let each = scopes.iter().zip(visible);
    each.map(|(scope, visible)| safe(conn, *scope, visible, horizon))
        .collect()
}

/// Number, `tx` and `ordinal` of the last row of each that has any.
fn last_of<const N: usize>(
    conn: &mut Conn,
    scopes: [(usize, Scope); N],
) -> QueryResult<Vec<(i32, i64, i32)>> {
    let binds = scopes.into_iter().flat_map(|(number, scope)| {
        let number = i32::try_from(number).unwrap_or(i32::MAX);
        [Bind::Small(number), Bind::Text(scope.to_string())]
    });
    let sql = [ONE; N].join(" UNION ALL ");
    Prepared::<(Integer, BigInt, Integer)>::of_parts(sql, binds.collect()).load(conn)
}

/// What of it is safe to deliver, when the last that can be seen is `visible`. Nearly always nothing is in flight, and no
/// statement more is needed.
fn safe(
    conn: &mut Conn,
    scope: Scope,
    visible: Option<Position>,
    horizon: i64,
) -> Result<(Position, bool), StoreError> {
    let safe = match visible {
        Some(position) if position.tx >= horizon => below(conn, scope, horizon)?,
        all => all,
    };
    Ok((safe.unwrap_or(Position::START), visible != safe))
}

fn below(conn: &mut Conn, scope: Scope, horizon: i64) -> Result<Option<Position>, StoreError> {
    let found: Option<(i64, i32)> = scope_rows::table
        .filter(scope_rows::scope.eq(scope.to_string()))
        .filter(scope_rows::tx.lt(horizon))
        .order((scope_rows::tx.desc(), scope_rows::ordinal.desc()))
        .select((scope_rows::tx, scope_rows::ordinal))
        .first(conn)
        .optional()?;
    Ok(found.map(|(tx, ordinal)| Position { tx, ordinal }))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use hazardloop_domain::ids::PersonId;
    use hazardloop_domain::time::Timestamp;
    use hazardloop_sync_protocol::digest::DigestKey;
    use hazardloop_sync_protocol::wire::RecordKind;
    use hazardloop_tests::each_database;
    use uuid::Uuid;

    use super::super::super::test_support::opened;
    use super::super::{Announced, put};
    use super::*;

    /// The scopes of 40 people: more than one statement asks for.
    fn scopes() -> Vec<Scope> {
        let person = |n| Scope::Person(PersonId(Uuid::from_u128(n)));
        (1..=40).map(person).collect()
    }

    #[test]
    fn each_of_many_scopes_is_as_far_as_when_it_is_asked_alone() {
        each_database(|url| {
            let db = opened(url);
            for number in [1, 2, 3, 5, 32, 33, 39, 5, 5] {
                db.write_blocking(move |tx| {
                    let id = Uuid::from_u128(number);
                    let record = Announced {
                        kind: RecordKind::Person,
                        id: &id,
                        version: 1,
                        body: &[],
                        created_at: Timestamp::from_millis(1),
                    };
                    let scope = Scope::Person(PersonId(id));
                    put(tx, &DigestKey([1; 16]), &[scope], record)
                })
                .unwrap();
            }
            db.read_blocking(|tx| {
                let all = newest_of(tx.conn(), &scopes(), i64::MAX)?;
                let horizon = all.get(31).unwrap().0.tx;
                let mut in_flight = 0;
                for horizon in [i64::MAX, horizon] {
                    let together = newest_of(tx.conn(), &scopes(), horizon)?;
                    assert_eq!(together.len(), 40);
                    for (scope, (position, waits)) in scopes().into_iter().zip(together) {
                        assert_eq!((position, waits), newest(tx.conn(), scope, horizon)?);
                        in_flight += usize::from(waits);
                    }
                }
                assert_eq!(in_flight, 4, "the last four that were written");
                let written = |(at, _): &&(Position, bool)| *at != Position::START;
                assert_eq!(all.iter().filter(written).count(), 7);
                assert_eq!(newest_of(tx.conn(), &[], i64::MAX)?, []);
                Ok::<_, StoreError>(())
            })
            .unwrap();
        });
    }
}
