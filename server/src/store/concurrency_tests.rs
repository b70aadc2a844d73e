//! Writers beside one another: nobody's change is lost, and giving way is bounded.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Barrier};
use std::time::Duration;

use hazardloop_tests::{TestDatabase, each_database};

use super::test_support::{count_up, opened, opened_with, put_person, version_of};
use super::{DbOptions, StoreError};

const WRITERS: u32 = 8;
const CHANGES_EACH: u32 = 25;

#[test]
fn concurrent_guarded_changes_all_arrive() {
    each_database(|url| {
        // Eight writers on one row collide far more than use would; each attempt that fails
        // means that another writer succeeded, so this bound cannot be reached.
        let attempts = WRITERS * CHANGES_EACH;
        let db = opened_with(
            url,
            DbOptions {
                attempts,
                ..DbOptions::default()
            },
        );
        put_person(&db, 1);
        std::thread::scope(|scope| {
            for _ in 0..WRITERS {
                scope.spawn(|| {
                    for _ in 0..CHANGES_EACH {
                        db.write_blocking(|tx| count_up(tx.conn(), 1)).unwrap();
                    }
                });
            }
        });
        let stored = db.read_blocking(|tx| version_of(tx.conn(), 1)).unwrap();
        assert_eq!(stored, i64::from(WRITERS * CHANGES_EACH));
    });
}

#[test]
fn a_deadlock_is_run_again_and_both_writers_succeed() {
    let database = TestDatabase::postgres();
    // Long enough for PostgreSQL to look for deadlocks, which writers do not wait for otherwise.
    let options = DbOptions {
        group_lock_timeout: Duration::from_secs(10),
        ..DbOptions::default()
    };
    let db = opened_with(database.url(), options);
    put_person(&db, 1);
    put_person(&db, 2);
    let both_hold_one = Arc::new(Barrier::new(2));
    std::thread::scope(|scope| {
        for order in [[1, 2], [2, 1]] {
            let both_hold_one = Arc::clone(&both_hold_one);
            let first_attempt = AtomicBool::new(true);
            let db = &db;
            scope.spawn(move || {
                db.write_blocking(move |tx| {
                    count_up(tx.conn(), order[0])?;
                    if first_attempt.swap(false, Ordering::Relaxed) {
                        both_hold_one.wait();
                    }
                    count_up(tx.conn(), order[1])
                })
                .unwrap();
            });
        }
    });
    for id in [1, 2] {
        assert_eq!(db.read_blocking(move |tx| version_of(tx.conn(), id)), Ok(2));
    }
}

#[test]
fn two_processes_may_share_an_sqlite_file() {
    let database = TestDatabase::sqlite();
    let dbs = [opened(database.url()), opened(database.url())];
    put_person(&dbs[0], 1);
    let numbers: Vec<i64> = std::thread::scope(|scope| {
        let threads: Vec<_> = dbs
            .iter()
            .map(|db| {
                scope.spawn(|| {
                    let mut numbers = Vec::new();
                    for _ in 0..CHANGES_EACH {
                        numbers.push(
                            db.write_blocking(|tx| {
                                count_up(tx.conn(), 1)?;
                                tx.number()
                            })
                            .unwrap(),
                        );
                    }
                    numbers
                })
            })
            .collect();
        threads
            .into_iter()
            .flat_map(|thread| thread.join().unwrap())
            .collect()
    });
    let distinct: std::collections::BTreeSet<_> = numbers.iter().collect();
    assert_eq!(
        distinct.len(),
        numbers.len(),
        "one number a commit, also across processes"
    );
    let stored = dbs[0].read_blocking(|tx| version_of(tx.conn(), 1));
    assert_eq!(stored, Ok::<_, StoreError>(i64::from(2 * CHANGES_EACH)));
}
