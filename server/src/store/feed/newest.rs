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
    // Nearly always nothing is in flight, and one statement tells both.
    let visible = below(conn, scope, i64::MAX)?;
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

/// The newest visible position of each of `scopes`, in their order, in as few statements as can be: on PostgreSQL each is
/// a round trip, and this is what a pull asks which finds nothing new.
///
/// # Errors
/// When the database does not answer.
pub fn ends_of(conn: &mut Conn, scopes: &[Scope]) -> Result<Vec<Position>, StoreError> {
    let mut ends = vec![Position::START; scopes.len()];
    let numbered: Vec<(usize, Scope)> = scopes.iter().copied().enumerate().collect();
    in_arrays!(numbered, |array| {
        for (number, tx, ordinal) in last_of(conn, array)? {
            let end = usize::try_from(number).ok().and_then(|n| ends.get_mut(n));
            if let Some(end) = end {
                *end = Position { tx, ordinal };
            }
        }
    });
    Ok(ends)
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use crate::store::test_support::each_database;
    use hazardloop_domain::ids::PersonId;
    use hazardloop_domain::time::Timestamp;
    use hazardloop_sync_protocol::digest::DigestKey;
    use hazardloop_sync_protocol::wire::RecordKind;
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
                let together = ends_of(tx.conn(), &scopes())?;
                assert_eq!(together.len(), 40);
                for (scope, end) in scopes().into_iter().zip(&together) {
                    assert_eq!((*end, false), newest(tx.conn(), scope, i64::MAX)?);
                }
                let written = together.iter().filter(|end| **end != Position::START);
                assert_eq!(written.count(), 7);
                assert_eq!(ends_of(tx.conn(), &[])?, []);
                Ok::<_, StoreError>(())
            })
            .unwrap();
        });
    }
}
