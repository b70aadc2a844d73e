//! The statements that the server's queries are made of, on both databases.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use crate::store::test_support::each_database;
use diesel::prelude::*;
use diesel::upsert::excluded;

use super::order::rows_after;
use super::portable::{Portable, on_any};
use super::schema::{events, scope_rows};
use super::test_support::{opened, put_person, raise};
use super::{Conn, Position, StoreError};

#[derive(Clone, Insertable, Queryable, Selectable, PartialEq, Debug)]
#[diesel(table_name = scope_rows)]
struct ScopeRow {
    scope: String,
    record_kind: i32,
    record_id: Vec<u8>,
    present: bool,
    version: i64,
    digest_high: i64,
    digest_low: i64,
    created_at: i64,
    tx: i64,
    ordinal: i32,
}

fn row(record: u8, tx: i64, ordinal: i32) -> ScopeRow {
    ScopeRow {
        scope: "enterprise:1".to_owned(),
        record_kind: 1,
        record_id: vec![record; 16],
        present: true,
        version: 1,
        digest_high: i64::from(u32::MAX),
        digest_low: -1,
        created_at: 1_700_000_000_000,
        tx,
        ordinal,
    }
}

fn put(conn: &mut Conn, row: &ScopeRow) -> Result<usize, StoreError> {
    let statement = diesel::insert_into(scope_rows::table)
        .values(row.clone())
        .on_conflict((
            scope_rows::scope,
            scope_rows::record_kind,
            scope_rows::record_id,
        ))
        .do_update()
        .set((
            scope_rows::present.eq(excluded(scope_rows::present)),
            scope_rows::version.eq(excluded(scope_rows::version)),
            scope_rows::tx.eq(excluded(scope_rows::tx)),
            scope_rows::ordinal.eq(excluded(scope_rows::ordinal)),
        ));
    Ok(Portable(statement).execute(conn)?)
}

fn page(conn: &mut Conn, after: Position, limit: i64) -> Result<Vec<ScopeRow>, StoreError> {
    Ok(scope_rows::table
        .filter(scope_rows::scope.eq("enterprise:1"))
        .filter(rows_after!(scope_rows, after))
        .order((scope_rows::tx, scope_rows::ordinal))
        .limit(limit)
        .select(ScopeRow::as_select())
        .load(conn)?)
}

#[test]
fn an_upsert_moves_a_row_to_the_end_of_the_feed() {
    each_database(|url| {
        let db = opened(url);
        let rows = db
            .write_blocking(|tx| {
                for (record, ordinal) in [(1, 1), (2, 2), (3, 3)] {
                    put(tx.conn(), &row(record, 1, ordinal))?;
                }
                put(
                    tx.conn(),
                    &ScopeRow {
                        version: 2,
                        present: false,
                        ..row(1, 2, 1)
                    },
                )?;
                let nothing = diesel::insert_into(scope_rows::table)
                    .values(row(2, 9, 9))
                    .on_conflict((
                        scope_rows::scope,
                        scope_rows::record_kind,
                        scope_rows::record_id,
                    ))
                    .do_nothing();
                assert_eq!(Portable(nothing).execute(tx.conn())?, 0);
                page(tx.conn(), Position::START, 10)
            })
            .unwrap();
        let expected = [
            row(2, 1, 2),
            row(3, 1, 3),
            ScopeRow {
                version: 2,
                present: false,
                ..row(1, 2, 1)
            },
        ];
        assert_eq!(rows, expected);
    });
}

#[test]
fn an_upsert_answers_what_it_stored() {
    each_database(|url| {
        let db = opened(url);
        let version = db.write_blocking(|tx| {
            put(tx.conn(), &row(1, 1, 1))?;
            let statement = diesel::insert_into(scope_rows::table)
                .values(row(1, 2, 1))
                .on_conflict((
                    scope_rows::scope,
                    scope_rows::record_kind,
                    scope_rows::record_id,
                ))
                .do_update()
                .set(scope_rows::version.eq(scope_rows::version + 1))
                .returning(scope_rows::version);
            Ok::<_, StoreError>(Portable(statement).get_result::<i64>(tx.conn())?)
        });
        assert_eq!(version, Ok(2));
    });
}

#[test]
fn pages_by_key_cover_every_row_once() {
    each_database(|url| {
        let db = opened(url);
        let pages = db.write_blocking(|tx| {
            for record in 1..=7_u8 {
                put(
                    tx.conn(),
                    &row(record, i64::from(record / 3), i32::from(record)),
                )?;
            }
            let (mut after, mut seen) = (Position { tx: -1, ordinal: 0 }, Vec::new());
            loop {
                let rows = page(tx.conn(), after, 2)?;
                let Some(last) = rows.last() else { break };
                after = Position {
                    tx: last.tx,
                    ordinal: last.ordinal,
                };
                seen.extend(rows.iter().map(|row| row.record_id[0]));
            }
            Ok::<_, StoreError>(seen)
        });
        assert_eq!(pages.unwrap(), [1, 2, 3, 4, 5, 6, 7]);
    });
}

#[derive(Insertable)]
#[diesel(table_name = events, treat_none_as_default_value = false)]
struct Event {
    tx: i64,
    ordinal: i32,
    subject_kind: &'static str,
    subject_id: Vec<u8>,
    subject_seq: i64,
    kind: &'static str,
    actor_id: Option<Vec<u8>>,
    recorded_at: i64,
    body: Vec<u8>,
    hash_algorithm: i32,
    previous_hash: Vec<u8>,
    hash: Vec<u8>,
}

#[test]
fn many_events_are_inserted_at_once() {
    each_database(|url| {
        let db = opened(url);
        let stored = db.write_blocking(|tx| {
            let (mut batch, number) = (Vec::new(), tx.number()?);
            for seq in 1..=50 {
                batch.push(Event {
                    tx: number,
                    ordinal: tx.next_ordinal(),
                    subject_kind: "hazard",
                    subject_id: vec![7; 16],
                    subject_seq: seq,
                    kind: "reported",
                    actor_id: (seq % 2 == 0).then(|| vec![1; 16]),
                    recorded_at: 0,
                    body: vec![0xa0],
                    hash_algorithm: 1,
                    previous_hash: Vec::new(),
                    hash: vec![2; 32],
                });
            }
            let inserted = on_any!(tx.conn(), |c| diesel::insert_into(events::table)
                .values(&batch)
                .execute(c))?;
            assert_eq!(inserted, 50);
            Ok::<_, StoreError>(
                events::table
                    .order((events::tx, events::ordinal))
                    .select((events::ordinal, events::subject_seq))
                    .load::<(i32, i64)>(tx.conn())?,
            )
        });
        let expected: Vec<(i32, i64)> = (1..=50).map(|n| (n, i64::from(n))).collect();
        assert_eq!(stored.unwrap(), expected);
    });
}

#[test]
fn a_version_guard_answers_the_new_version_or_stale() {
    each_database(|url| {
        let db = opened(url);
        put_person(&db, 1);
        let answers = db.write_blocking(|tx| {
            let first = raise(tx.conn(), 1, 0);
            Ok::<_, StoreError>((first, raise(tx.conn(), 1, 0)))
        });
        assert_eq!(
            answers,
            Ok((Ok(1), Err(StoreError::Stale { what: "person" })))
        );
    });
}
