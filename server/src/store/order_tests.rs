//! The commit-order race, provoked: a cursor over insertion order loses rows on PostgreSQL, the
//! place `(tx, ordinal)` below the horizon loses none.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use hazardloop_tests::{TestDatabase, each_database};

use super::order::{Bounds, Position, Settled, rows_after};
use super::test_support::opened;
use super::{Db, StoreError};

diesel::table! {
    feed (id) {
        id -> BigInt,
        writer -> Integer,
        tx -> BigInt,
        ordinal -> Integer,
    }
}

fn create_feed(db: &Db, url: &str) {
    let id = if url.starts_with("sqlite") {
        "INTEGER PRIMARY KEY AUTOINCREMENT"
    } else {
        "BIGSERIAL PRIMARY KEY"
    };
    let statement = format!(
        "CREATE TABLE feed (id {id}, writer INTEGER NOT NULL, tx BIGINT NOT NULL, ordinal INTEGER NOT NULL)"
    );
    db.write_blocking(move |tx| {
        tx.conn().batch_execute(&statement)?;
        Ok::<_, StoreError>(())
    })
    .unwrap();
}

fn append(tx: &mut super::WriteTx<'_>, writer: i32) -> Result<(), StoreError> {
    let place = tx.next_position()?;
    diesel::insert_into(feed::table)
        .values((
            feed::writer.eq(writer),
            feed::tx.eq(place.tx),
            feed::ordinal.eq(place.ordinal),
        ))
        .execute(tx.conn())?;
    Ok(())
}

/// A reader with a cursor, and the row ids it was given.
#[derive(Default)]
struct Reader {
    naive_cursor: i64,
    naive: BTreeSet<i64>,
    cursor: Position,
    ours: BTreeSet<i64>,
}

impl Reader {
    fn poll(&mut self, db: &Db) {
        let (naive_cursor, cursor) = (self.naive_cursor, self.cursor);
        let (naive, ours) = db
            .read_blocking(move |tx| {
                let naive = feed::table
                    .filter(feed::id.gt(naive_cursor))
                    .select(feed::id);
                let naive = naive.load::<i64>(tx.conn())?;
                let horizon = tx.horizon()?;
                let ours = feed::table
                    .filter(rows_after!(feed, cursor))
                    .filter(feed::tx.lt(horizon))
                    .order((feed::tx, feed::ordinal))
                    .select((feed::id, feed::tx, feed::ordinal))
                    .load::<(i64, i64, i32)>(tx.conn())?;
                Ok::<_, StoreError>((naive, ours))
            })
            .unwrap();
        self.naive_cursor = naive.iter().copied().fold(naive_cursor, i64::max);
        self.naive.extend(naive);
        for (id, tx, ordinal) in ours {
            assert!(self.ours.insert(id), "row {id} came twice");
            self.cursor = Position { tx, ordinal };
        }
    }

    /// Polls until `count` rows have come. The horizon is the whole cluster's: transactions of
    /// other tests, and PostgreSQL's own workers, may hold it back for a moment.
    fn poll_until(&mut self, db: &Db, count: usize) {
        for _ in 0..POLLS {
            self.poll(db);
            if self.ours.len() >= count {
                return;
            }
        }
    }
}

/// Far more polls than any other test's transaction takes; then the test has failed.
const POLLS: u32 = 20_000;

#[test]
fn a_commit_that_comes_late_is_lost_by_the_naive_cursor_and_not_by_ours() {
    let database = TestDatabase::postgres();
    let db = opened(database.url());
    create_feed(&db, database.url());
    let mut reader = Reader::default();
    let (inserted, early_inserted) = mpsc::channel();
    let (go, may_commit) = mpsc::channel::<()>();
    std::thread::scope(|scope| {
        // Dropped when an assertion fails, so that the writer does not wait for ever.
        let go = go;
        let early = db.clone();
        let early = scope.spawn(move || {
            early.write_blocking(move |tx| {
                append(tx, 1)?;
                inserted.send(()).unwrap();
                may_commit.recv().unwrap();
                Ok::<_, StoreError>(())
            })
        });
        early_inserted.recv().unwrap();
        db.write_blocking(|tx| append(tx, 2)).unwrap();
        reader.poll(&db);
        assert_eq!(
            reader.naive,
            BTreeSet::from([2]),
            "the later row is committed and seen"
        );
        assert!(
            reader.ours.is_empty(),
            "ours waits for the transaction that is still open"
        );
        go.send(()).unwrap();
        early.join().unwrap().unwrap();
    });
    reader.poll_until(&db, 2);
    assert_eq!(
        reader.naive,
        BTreeSet::from([2]),
        "the naive cursor never delivers row 1"
    );
    assert_eq!(reader.ours, BTreeSet::from([1, 2]));
}

#[test]
fn a_horizon_without_the_transaction_in_the_cursor_loses_rows_too() {
    let database = TestDatabase::postgres();
    let db = opened(database.url());
    create_feed(&db, database.url());
    let mut reader = Reader::default();
    let (numbered, first_numbered) = mpsc::channel();
    let (other, other_inserted) = mpsc::channel::<()>();
    let (inserted, second_inserted) = mpsc::channel();
    let (go, may_commit) = mpsc::channel::<()>();
    std::thread::scope(|scope| {
        // Dropped when an assertion fails, so that the writers do not wait for ever.
        let (go, other) = (go, other);
        let (first, second) = (db.clone(), db.clone());
        let first = scope.spawn(move || {
            first.write_blocking(move |tx| {
                tx.number()?;
                numbered.send(()).unwrap();
                other_inserted.recv().unwrap();
                append(tx, 1)
            })
        });
        first_numbered.recv().unwrap();
        // Younger by its number, older by the id of its row, and last to commit.
        let second = scope.spawn(move || {
            second.write_blocking(move |tx| {
                append(tx, 2)?;
                inserted.send(()).unwrap();
                may_commit.recv().unwrap();
                Ok::<_, StoreError>(())
            })
        });
        second_inserted.recv().unwrap();
        other.send(()).unwrap();
        first.join().unwrap().unwrap();
        reader.poll_until(&db, 1);
        assert_eq!(
            reader.ours,
            BTreeSet::from([2]),
            "the row of the first transaction has id 2"
        );
        go.send(()).unwrap();
        second.join().unwrap().unwrap();
    });
    let by_id_and_horizon = db
        .read_blocking(|tx| {
            let horizon = tx.horizon()?;
            let rows = feed::table
                .filter(feed::id.gt(2))
                .filter(feed::tx.lt(horizon));
            Ok::<_, StoreError>(rows.select(feed::id).load::<i64>(tx.conn())?)
        })
        .unwrap();
    assert_eq!(
        by_id_and_horizon, [0_i64; 0],
        "a cursor that only knows ids has passed row 1"
    );
    reader.poll_until(&db, 2);
    assert_eq!(reader.ours, BTreeSet::from([1, 2]));
}

const STORM_WRITERS: i32 = 6;
const STORM_COMMITS: i32 = 40;

#[test]
fn a_storm_of_writers_loses_nothing() {
    each_database(|url| {
        let db = opened(url);
        create_feed(&db, url);
        let finished = AtomicBool::new(false);
        let mut reader = Reader::default();
        std::thread::scope(|scope| {
            let writers: Vec<_> = (0..STORM_WRITERS)
                .map(|writer| {
                    let db = &db;
                    scope.spawn(move || {
                        for commit in 0..STORM_COMMITS {
                            // Transactions of one to seven rows, so that they overlap unevenly.
                            let rows = 1 + (commit * 5 + writer * 3) % 7;
                            db.write_blocking(move |tx| {
                                for _ in 0..rows {
                                    append(tx, writer)?;
                                }
                                Ok::<_, StoreError>(())
                            })
                            .unwrap();
                        }
                    })
                })
                .collect();
            let finished = &finished;
            let db = &db;
            let reader = &mut reader;
            scope.spawn(move || {
                while !finished.load(Ordering::Acquire) {
                    reader.poll(db);
                }
            });
            let ended: Vec<_> = writers
                .into_iter()
                .map(std::thread::ScopedJoinHandle::join)
                .collect();
            finished.store(true, Ordering::Release);
            assert!(ended.iter().all(Result::is_ok));
        });
        let all: BTreeSet<i64> = db
            .read_blocking(|tx| Ok::<_, StoreError>(feed::table.select(feed::id).load(tx.conn())?))
            .unwrap()
            .into_iter()
            .collect();
        reader.poll_until(&db, all.len());
        let missing: Vec<_> = all.difference(&reader.ours).collect();
        assert!(missing.is_empty(), "never delivered: {missing:?}");
        println!(
            "naive cursor lost {} of {}",
            all.len() - reader.naive.len(),
            all.len()
        );
    });
}

#[test]
fn positions_travel_as_text_and_bytes_and_sort_alike() {
    let positions = [
        Position::START,
        Position { tx: 1, ordinal: 0 },
        Position {
            tx: 1,
            ordinal: 300,
        },
        Position {
            tx: 256,
            ordinal: 1,
        },
        Position {
            tx: i64::MAX,
            ordinal: i32::MAX,
        },
    ];
    for pair in positions.windows(2) {
        assert!(pair[0] < pair[1] && pair[0].to_bytes() < pair[1].to_bytes());
    }
    for position in positions {
        assert_eq!(Position::from_bytes(&position.to_bytes()), Ok(position));
        assert_eq!(position.to_string().parse(), Ok(position));
    }
    for text in [
        "",
        "AAAA",
        "!!!!!!!!!!!!!!!!",
        "_wAAAAAAAAAAAAAA",
        "AAAAAAAAAAAAAAAAA",
        "AAAAAAAAAAAAAAA=",
    ] {
        assert!(text.parse::<Position>().is_err(), "{text}");
    }
    assert!(Position::from_bytes(&[0; 11]).is_err());
    assert!(Position::from_bytes(&[0; 13]).is_err());
    assert!(Position::from_bytes(&[0xff; 12]).is_err());
}

#[test]
fn a_long_transaction_of_another_database_holds_nothing_back_and_one_of_ours_does() {
    let (ours, other) = (TestDatabase::postgres(), TestDatabase::postgres());
    let db = opened(ours.url());
    let hold = |url: &str| {
        let mut conn = PgConnection::establish(url).unwrap();
        conn.batch_execute("BEGIN; SELECT pg_current_xact_id();")
            .unwrap();
        conn
    };
    let written = || {
        db.write_blocking(|tx| {
            let number = tx.number()?;
            Ok::<_, StoreError>(number)
        })
        .unwrap()
    };
    // Other tests' transactions come and go, in databases of their own: none may matter for long.
    let reaches = |number: i64| {
        (0..10_000).any(|_| {
            db.read_blocking(|tx| tx.horizon())
                .is_ok_and(|horizon| horizon > number)
        })
    };
    let foreign = hold(other.url());
    assert!(reaches(written()), "the other database's transaction");
    drop(foreign);
    let own = hold(ours.url());
    let number = written();
    let below = db.read_blocking(|tx| tx.horizon()).unwrap();
    assert!(below <= number, "ours may still write below {number}");
    drop(own);
    assert!(reaches(number));
}

#[test]
fn whoever_asks_while_writing_does_not_pass_what_shares_its_transaction() {
    let database = TestDatabase::postgres();
    let db = opened(database.url());
    let beside = db.clone();
    let (own, horizon, later) = db
        .write_blocking(move |tx| {
            let own = tx.number()?;
            let later = beside.write_blocking(|tx| tx.number())?;
            Ok::<_, StoreError>((own, super::order::horizon(tx.conn())?, later))
        })
        .unwrap();
    assert!(own < later, "the other began later and has committed");
    assert!(horizon <= own, "{horizon} is above {own}");
}

#[test]
fn what_was_settled_once_stays_so() {
    let settled = Settled::default();
    let of = |horizon, unused| Bounds { horizon, unused };
    assert_eq!(settled.bounds(), of(0, 0));
    // On SQLite nothing is in flight, and what is not used yet is the bound.
    for (bounds, expected) in [
        (of(i64::MAX, 20), 20),
        (of(25, 30), 25),
        (of(15, 40), 25),
        (of(50, 50), 50),
    ] {
        settled.note(bounds);
        assert_eq!(settled.bounds(), of(expected, expected));
    }
}
