//! A database in another cluster than its numbers: refused at every door, then settled.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use diesel::prelude::*;
use hazardloop_tests::TestDatabase;
use hazardloop_tests::postgres::psql;

use super::identity::{self, Settlement};
use super::schema::scope_rows;
use super::test_support::{facts, opened, put_fact};
use super::{Db, DbOptions, Position, StoreError, WriteTx, meta, migrate, order};

/// Above every number that a test's cluster reaches.
const FAR: i64 = 1_000_000_000_000;

fn settlement(new_epoch: Option<&str>) -> Settlement {
    Settlement {
        new_epoch: new_epoch.map(str::to_owned),
        to_record: "{}".to_owned(),
    }
}

fn scope_row(scope: &str, number: i64) -> String {
    format!(
        "INSERT INTO scope_rows (scope, record_kind, record_id, present, version, digest_high, \
         digest_low, created_at, tx, ordinal) \
         VALUES ('{scope}', 0, '\\x{number:032x}', true, 1, 0, 0, 0, {number}, 1)"
    )
}

fn event_row(number: i64) -> String {
    format!(
        "INSERT INTO events (tx, ordinal, subject_kind, subject_id, subject_seq, kind, recorded_at, \
         body, hash_algorithm, previous_hash, hash) \
         VALUES ({number}, 1, 'x', '\\x00', {number}, 'x', 0, '', 1, '', '')"
    )
}

fn append(tx: &mut WriteTx<'_>) -> Result<i64, StoreError> {
    let Position {
        tx: number,
        ordinal,
    } = tx.next_position()?;
    diesel::insert_into(scope_rows::table)
        .values((
            scope_rows::scope.eq("s"),
            scope_rows::record_kind.eq(0),
            scope_rows::record_id.eq(number.to_be_bytes().to_vec()),
            scope_rows::present.eq(true),
            scope_rows::version.eq(1_i64),
            scope_rows::digest_high.eq(0_i64),
            scope_rows::digest_low.eq(0_i64),
            scope_rows::created_at.eq(0_i64),
            scope_rows::tx.eq(number),
            scope_rows::ordinal.eq(ordinal),
        ))
        .execute(tx.conn())?;
    Ok(number)
}

#[test]
fn numbers_that_the_cluster_has_not_reached_are_refused_and_then_outdone() {
    let database = TestDatabase::postgres();
    let url = database.url().parse().unwrap();
    drop(opened(database.url()));
    for (statement, door) in [(scope_row("s", FAR), None), (event_row(FAR - 7), Some(()))] {
        psql(database.url(), &statement).unwrap();
        // Even where what the database is was never recorded.
        psql(
            database.url(),
            "DELETE FROM server_meta WHERE name = 'database_identity'",
        )
        .unwrap();
        let at_start = migrate::migrate(&url);
        assert!(
            matches!(at_start, Err(StoreError::Restored { .. })),
            "{at_start:?}"
        );
        if door.is_some() {
            let opening = Db::open(&url, DbOptions::default()).err();
            assert!(
                matches!(opening, Some(StoreError::Restored { .. })),
                "{opening:?}"
            );
        }
    }
    let ended = identity::settle(&url, &settlement(Some("two"))).unwrap();
    assert_eq!(ended, None, "no server had begun an epoch");
    migrate::migrate(&url).unwrap();
    let db = Db::open(&url, DbOptions::default()).unwrap();
    let first = db.write_blocking(append).unwrap();
    let second = db.write_blocking(append).unwrap();
    assert!(FAR < first && first < second, "{FAR} {first} {second}");
    // Readers see all of it in the old order, and what is to come lies above.
    let reached = |tx: &mut super::ReadTx<'_>| {
        let bounds = order::bounds(tx.conn())?;
        let numbers = scope_rows::table
            .filter(scope_rows::tx.lt(tx.horizon()?))
            .order(scope_rows::tx)
            .select(scope_rows::tx)
            .load::<i64>(tx.conn())?;
        Ok::<_, StoreError>((bounds, numbers))
    };
    // Other tests' transactions hold the horizon back for moments.
    let (bounds, numbers) = (0..10_000)
        .map(|_| db.read_blocking(reached).unwrap())
        .find(|(_, numbers)| numbers.len() == 3)
        .expect("three rows below the horizon");
    assert_eq!(numbers, [FAR, first, second]);
    assert!(
        bounds.horizon > second && bounds.unused > second,
        "{bounds:?}"
    );
    let epoch = db.read_blocking(|tx| meta::get(tx.conn(), identity::EPOCH));
    assert_eq!(epoch, Ok(Some("two".to_owned())));
}

#[test]
fn another_database_than_the_one_recorded_is_refused_also_to_sessions_that_are_open() {
    let database = TestDatabase::postgres();
    let url = database.url().parse().unwrap();
    let db = opened(database.url());
    let look = || db.read_blocking(|tx| identity::check(tx.conn()));
    assert_eq!(look(), Ok(()));
    // As after pg_restore --clean, which makes the tables anew.
    psql(
        database.url(),
        "UPDATE server_meta SET value = regexp_replace(value, 'table=.*', 'table=1') \
         WHERE name = 'database_identity'",
    )
    .unwrap();
    let Err(StoreError::Restored { what }) = look() else {
        panic!("the running server does not notice")
    };
    assert!(what.starts_with("table was 1 and is "), "{what}");
    // While it is connected, nobody may change the numbers under it.
    let settled = identity::settle(&url, &settlement(None));
    assert!(
        matches!(settled, Err(StoreError::InUse { sessions: 1.. })),
        "{settled:?}"
    );
    drop(db);
    // A backend needs a moment to end after its connection.
    let settled = (0..10_000)
        .map(|_| identity::settle(&url, &settlement(None)))
        .find(|settled| !matches!(settled, Err(StoreError::InUse { .. })));
    assert_eq!(settled, Some(Ok(None)));
    let db = opened(database.url());
    db.write_blocking(|tx| put_fact(tx.conn(), "stored"))
        .unwrap();
    assert!(facts(&db).contains(&"stored".to_owned()));
}

#[test]
fn an_sqlite_file_can_begin_an_epoch_too() {
    let database = TestDatabase::sqlite();
    let url = database.url().parse().unwrap();
    let db = opened(database.url());
    let before = db.write_blocking(append).unwrap();
    db.write_blocking(|tx| meta::get_or_set(tx, identity::EPOCH, "one"))
        .unwrap();
    drop(db);
    let ended = identity::settle(&url, &settlement(Some("two")));
    assert_eq!(ended, Ok(Some("one".to_owned())));
    let db = opened(database.url());
    assert!(db.write_blocking(append).unwrap() > before);
    let epoch = db.read_blocking(|tx| meta::get(tx.conn(), identity::EPOCH));
    assert_eq!(epoch, Ok(Some("two".to_owned())));
}
