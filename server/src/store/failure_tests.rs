//! Failures as callers see them: typed, bounded, and without secrets.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use hazardloop_tests::{TestDatabase, each_database};

use super::error::ConstraintKind;
use super::test_support::{facts, opened, opened_with, put_fact, put_person, raise};
use super::{Db, DbOptions, StoreError};

#[test]
fn constraints_are_told_apart() {
    each_database(|url| {
        let db = opened(url);
        db.write_blocking(|tx| put_fact(tx.conn(), "once")).unwrap();
        let twice = db
            .write_blocking(|tx| put_fact(tx.conn(), "once"))
            .unwrap_err();
        assert!(twice.is_duplicate_in("server_meta"), "{twice:?}");
        assert!(!twice.is_transient());
        for (statement, expected) in [
            (
                "INSERT INTO server_meta (name, value) VALUES ('x', NULL)",
                ConstraintKind::NotNull,
            ),
            (
                "UPDATE commit_order SET only_row = 2",
                ConstraintKind::Check,
            ),
        ] {
            let refused = db.write_blocking(move |tx| {
                tx.conn().batch_execute(statement)?;
                Ok::<_, StoreError>(())
            });
            assert!(
                matches!(refused, Err(StoreError::Constraint { kind, .. }) if kind == expected),
                "{statement}: {refused:?}"
            );
        }
    });
}

#[test]
fn a_guard_that_never_holds_gives_way_after_bounded_attempts() {
    for (database, expected) in [(TestDatabase::sqlite(), 1), (TestDatabase::postgres(), 3)] {
        let db = opened_with(
            database.url(),
            DbOptions {
                attempts: 3,
                ..DbOptions::default()
            },
        );
        put_person(&db, 1);
        let tried = Arc::new(AtomicU32::new(0));
        let counter = Arc::clone(&tried);
        let answer = db.write_blocking(move |tx| {
            counter.fetch_add(1, Ordering::Relaxed);
            raise(tx.conn(), 1, 99)
        });
        assert_eq!(answer, Err(StoreError::Conflict { attempts: expected }));
        assert_eq!(tried.load(Ordering::Relaxed), expected);
    }
}

#[test]
fn sessions_that_the_server_ended_are_replaced() {
    let database = TestDatabase::postgres();
    let db = opened(database.url());
    put_person(&db, 1);
    hazardloop_tests::postgres::psql(
        database.url(),
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
         WHERE datname = current_database() AND pid <> pg_backend_pid()",
    )
    .unwrap();
    db.write_blocking(|tx| put_fact(tx.conn(), "stored"))
        .unwrap();
    assert_eq!(facts(&db), ["stored"]);
}

#[test]
fn a_lock_that_is_not_had_in_time_is_a_timeout() {
    let database = TestDatabase::postgres();
    let options = DbOptions {
        lock_timeout: Duration::from_millis(20),
        ..DbOptions::default()
    };
    let db = opened_with(database.url(), options);
    put_person(&db, 1);
    let other = db.clone();
    let answer = db
        .write_blocking(move |tx| {
            raise(tx.conn(), 1, 0)?;
            Ok::<_, StoreError>(other.write_blocking(|tx| raise(tx.conn(), 1, 0)))
        })
        .unwrap();
    assert!(
        matches!(answer, Err(StoreError::Timeout { .. })),
        "{answer:?}"
    );
}

#[test]
fn an_unreachable_server_is_named_without_its_password() {
    let url = "postgres://officer:s3cret@127.0.0.1:1/hazards"
        .parse()
        .unwrap();
    let Err(error) = Db::open(&url, DbOptions::default()) else {
        panic!("nobody listens there")
    };
    assert!(matches!(error, StoreError::Unavailable { .. }), "{error:?}");
    assert!(!format!("{error} {error:?}").contains("s3cret"));
}

#[cfg(unix)]
#[test]
fn an_sqlite_file_is_its_owners_only_and_durable() {
    use std::os::unix::fs::PermissionsExt;
    let database = TestDatabase::sqlite();
    let db = opened(database.url());
    put_person(&db, 1);
    for entry in std::fs::read_dir(database.folder().unwrap()).unwrap() {
        let entry = entry.unwrap();
        let mode = entry.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{:?}", entry.file_name());
    }
    #[derive(diesel::QueryableByName)]
    struct Setting {
        #[diesel(sql_type = diesel::sql_types::Integer)]
        synchronous: i32,
    }
    let found = db.write_blocking(|tx| {
        Ok::<_, StoreError>(
            diesel::sql_query("PRAGMA synchronous").get_result::<Setting>(tx.conn())?,
        )
    });
    assert_eq!(found.unwrap().synchronous, 2, "FULL");
}
