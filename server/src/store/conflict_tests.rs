//! PostgreSQL's own ways of saying "run it again", provoked with a second session: a serialization
//! failure (SQLSTATE 40001) and a deadlock (40P01).
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::BigInt;
use hazardloop_tests::TestDatabase;
use hazardloop_tests::postgres::psql;

use super::test_support::{count_up, opened_with, put_person, version_of};
use super::{Conn, DbOptions, StoreError};

#[derive(QueryableByName)]
struct Number {
    #[diesel(sql_type = BigInt)]
    number: i64,
}

fn session(url: &str) -> PgConnection {
    PgConnection::establish(url).unwrap()
}

fn number(conn: &mut PgConnection, sql: &str) -> i64 {
    let Number { number } = diesel::sql_query(sql).get_result(conn).unwrap();
    number
}

/// Returns once somebody in this database waits for a lock.
fn somebody_waits(url: &str) {
    let mut conn = session(url);
    let waiting = "SELECT count(*) AS number FROM pg_stat_activity \
                   WHERE datname = current_database() AND wait_event_type = 'Lock'";
    assert!(
        (0..100_000).any(|_| number(&mut conn, waiting) > 0),
        "nobody waits"
    );
}

/// Moves the row to the other partition, and commits once somebody waits for it. A row that moved
/// away while it was waited for is a serialization failure on every isolation level.
fn moves_away_under_whoever_waits(url: &str, from: i32) -> JoinHandle<()> {
    let mut mover = session(url);
    let to = 3 - from;
    mover
        .batch_execute(&format!("BEGIN; UPDATE parted SET part = {to}"))
        .unwrap();
    let url = url.to_owned();
    std::thread::spawn(move || {
        somebody_waits(&url);
        mover.batch_execute("COMMIT").unwrap();
    })
}

fn parted(url: &str) {
    for statement in [
        "CREATE TABLE parted (part INTEGER NOT NULL, counted BIGINT NOT NULL) \
         PARTITION BY LIST (part)",
        "CREATE TABLE parted_1 PARTITION OF parted FOR VALUES IN (1)",
        "CREATE TABLE parted_2 PARTITION OF parted FOR VALUES IN (2)",
        "INSERT INTO parted VALUES (1, 0)",
    ] {
        psql(url, statement).unwrap();
    }
}

fn count_in(conn: &mut Conn, part: i32) -> Result<usize, StoreError> {
    let sql = format!("UPDATE parted SET counted = counted + 1 WHERE part = {part}");
    Ok(diesel::sql_query(sql).execute(conn)?)
}

/// A writer gives up waiting for a lock before the database would send it back: here it waits.
fn patient() -> DbOptions {
    DbOptions {
        group_lock_timeout: Duration::from_secs(10),
        ..DbOptions::default()
    }
}

#[test]
fn a_serialization_failure_is_run_again_and_succeeds() {
    let database = TestDatabase::postgres();
    let db = opened_with(database.url(), patient());
    parted(database.url());
    let (url, runs) = (database.url().to_owned(), Arc::new(AtomicU32::new(0)));
    let counter = Arc::clone(&runs);
    let changed = db.write_blocking(move |tx| {
        if counter.fetch_add(1, Ordering::SeqCst) == 0 {
            let mover = moves_away_under_whoever_waits(&url, 1);
            let failed = count_in(tx.conn(), 1).unwrap_err();
            mover.join().unwrap();
            assert!(matches!(failed, StoreError::Retry { .. }), "{failed:?}");
            return Err(failed);
        }
        count_in(tx.conn(), 2)
    });
    assert_eq!(changed, Ok(1));
    assert_eq!(runs.load(Ordering::SeqCst), 2);
    let counted = number(
        &mut session(database.url()),
        "SELECT counted AS number FROM parted",
    );
    assert_eq!(counted, 1, "once, though it was run twice");
}

#[test]
fn serialization_failures_without_end_are_answered_after_bounded_attempts() {
    let database = TestDatabase::postgres();
    let options = DbOptions {
        attempts: 3,
        ..patient()
    };
    let db = opened_with(database.url(), options);
    parted(database.url());
    let (url, runs) = (database.url().to_owned(), Arc::new(AtomicU32::new(0)));
    let counter = Arc::clone(&runs);
    let answer = db.write_blocking(move |tx| {
        let before = counter.fetch_add(1, Ordering::SeqCst);
        let here = if before % 2 == 0 { 1 } else { 2 };
        let mover = moves_away_under_whoever_waits(&url, here);
        let changed = count_in(tx.conn(), here);
        mover.join().unwrap();
        changed
    });
    assert_eq!(answer, Err(StoreError::Conflict { attempts: 3 }));
    assert_eq!(runs.load(Ordering::SeqCst), 3);
    let counted = number(
        &mut session(database.url()),
        "SELECT counted AS number FROM parted",
    );
    assert_eq!(counted, 0);
    // And the next one is served as if nothing had been.
    put_person(&db, 1);
    assert_eq!(db.read_blocking(|tx| version_of(tx.conn(), 1)), Ok(0));
}

#[test]
fn a_deadlock_with_another_session_is_run_again_and_both_succeed() {
    let database = TestDatabase::postgres();
    // Ours is to notice it, soon; the other session waits longer.
    let ours = format!(
        "DO $$ BEGIN EXECUTE 'ALTER DATABASE ' || current_database() || ' SET deadlock_timeout = ''{}''' ; END $$",
        "20ms"
    );
    psql(database.url(), &ours).unwrap();
    let db = opened_with(database.url(), patient());
    put_person(&db, 1);
    put_person(&db, 2);
    let (url, runs) = (database.url().to_owned(), Arc::new(AtomicU32::new(0)));
    let counter = Arc::clone(&runs);
    let mut other = session(&url);
    other
        .batch_execute(
            "SET deadlock_timeout = '10min'; BEGIN; \
             UPDATE people SET version = version + 1 WHERE login = 'login2'",
        )
        .unwrap();
    let mut other = Some(other);
    let crossing = Arc::new(std::sync::Mutex::new(None));
    let crossed = Arc::clone(&crossing);
    let done = db.write_blocking(move |tx| {
        let first = counter.fetch_add(1, Ordering::SeqCst) == 0;
        count_up(tx.conn(), 1)?;
        if let Some(mut other) = other.take() {
            let thread = std::thread::spawn(move || {
                other
                    .batch_execute(
                        "UPDATE people SET version = version + 1 WHERE login = 'login1'; COMMIT",
                    )
                    .unwrap();
            });
            *crossed.lock().unwrap() = Some(thread);
            somebody_waits(&url);
        }
        let second = count_up(tx.conn(), 2);
        if first {
            let failed = second.as_ref().unwrap_err();
            assert!(matches!(failed, StoreError::Retry { .. }), "{failed:?}");
        }
        second
    });
    assert_eq!(done, Ok(2));
    crossing.lock().unwrap().take().unwrap().join().unwrap();
    // The other session's commit may have made the guard of the second run fail.
    assert!((2..=3).contains(&runs.load(Ordering::SeqCst)));
    for id in [1, 2] {
        assert_eq!(db.read_blocking(move |tx| version_of(tx.conn(), id)), Ok(2));
    }
}
