//! Transactions as their callers see them, on both databases.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use std::sync::mpsc;

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use hazardloop_tests::{TestDatabase, each_database};

use super::StoreError;
use super::error::ConstraintKind;
use super::schema::{commit_order, server_meta};
use super::test_support::{facts, hold_writer, opened, put_fact, version_of};

/// A transaction's own refusal, as use cases have.
#[derive(Debug)]
enum Refused {
    Rule,
    Store(StoreError),
}

impl From<StoreError> for Refused {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl super::StoreFailure for Refused {
    fn store_error(&self) -> Option<&StoreError> {
        match self {
            Self::Rule => None,
            Self::Store(error) => Some(error),
        }
    }
}

#[test]
fn what_succeeds_is_stored_and_what_errs_or_panics_is_not() {
    each_database(|url| {
        let db = opened(url);
        db.write_blocking(|tx| put_fact(tx.conn(), "kept")).unwrap();
        let refused = db.write_blocking(|tx| {
            put_fact(tx.conn(), "refused")?;
            Err::<(), _>(Refused::Rule)
        });
        assert!(matches!(refused, Err(Refused::Rule)));
        let panicked = db.write_blocking(|tx| {
            put_fact(tx.conn(), "panicked")?;
            if true {
                panic!("a defect");
            }
            Ok::<_, StoreError>(())
        });
        assert_eq!(panicked, Err(StoreError::Panicked));
        db.write_blocking(|tx| put_fact(tx.conn(), "after"))
            .unwrap();
        assert_eq!(facts(&db), ["after", "kept"]);
    });
}

#[test]
fn a_savepoint_undoes_its_own_work_and_hooks_only() {
    each_database(|url| {
        let db = opened(url);
        let (told, heard) = mpsc::channel();
        db.write_blocking(move |tx| {
            let tell = |what: &'static str| {
                let told = told.clone();
                Box::new(move || told.send(what).unwrap()) as super::tx::AfterCommit
            };
            tx.after_commit(tell("outer"));
            put_fact(tx.conn(), "outer")?;
            let first = tx.next_position()?;
            let undone = tx.savepoint(|tx| {
                put_fact(tx.conn(), "inner")?;
                tx.after_commit(tell("inner"));
                assert_eq!(tx.number()?, first.tx);
                Err::<(), _>(Refused::Rule)
            });
            assert!(matches!(undone, Err(Refused::Rule)));
            let twice = tx.savepoint(|tx| put_fact(tx.conn(), "outer"));
            assert!(
                matches!(twice, Err(StoreError::Constraint { .. })),
                "{twice:?}"
            );
            tx.savepoint(|tx| put_fact(tx.conn(), "second"))?;
            assert!(tx.next_position()? > first);
            Ok::<_, StoreError>(())
        })
        .unwrap();
        assert_eq!(facts(&db), ["outer", "second"]);
        assert_eq!(heard.iter().collect::<Vec<_>>(), ["outer"]);
    });
}

#[test]
fn hooks_do_not_run_for_work_that_is_undone() {
    each_database(|url| {
        let db = opened(url);
        let (told, heard) = mpsc::channel::<()>();
        let _refused = db.write_blocking(move |tx| {
            let told = told.clone();
            tx.after_commit(Box::new(move || told.send(()).unwrap()));
            Err::<(), _>(Refused::Rule)
        });
        assert_eq!(heard.iter().count(), 0);
    });
}

#[test]
fn transaction_numbers_rise_and_survive_an_undone_first_use() {
    each_database(|url| {
        let db = opened(url);
        let mut last = 0;
        for _ in 0..3 {
            let number = db
                .write_blocking(|tx| {
                    let _undone = tx.savepoint(|tx| {
                        tx.number()?;
                        Err::<(), _>(Refused::Rule)
                    });
                    tx.number()
                })
                .unwrap();
            assert!(number > last);
            last = number;
        }
    });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_that_wait_share_one_commit_and_fail_alone() {
    let database = TestDatabase::sqlite();
    let db = opened(database.url());
    let (go, holder) = hold_writer(&db);
    let mut answers = Vec::new();
    for request in 0..20_u32 {
        let asked = db.write(move |tx| {
            put_fact(tx.conn(), &format!("fact {request:02}"))?;
            match request {
                3 => panic!("a defect"),
                7 => Err(StoreError::Missing),
                _ => tx.next_position(),
            }
        });
        let mut asked = Box::pin(asked);
        // Polled once, so that it is queued, in this order.
        assert!(futures_util::poll!(&mut asked).is_pending());
        answers.push(asked);
    }
    go.send(()).unwrap();
    let answers = futures_util::future::join_all(answers).await;
    holder.join().unwrap().unwrap();
    assert_eq!(answers[3], Err(StoreError::Panicked));
    assert_eq!(answers[7], Err(StoreError::Missing));
    let places: Vec<_> = answers.into_iter().filter_map(Result::ok).collect();
    assert_eq!(places.len(), 18);
    assert!(
        places.windows(2).all(|pair| pair[0] < pair[1]),
        "{places:?}"
    );
    assert!(
        places.iter().all(|place| place.tx == places[0].tx),
        "one commit: {places:?}"
    );
    assert_eq!(facts(&db).len(), 18);
    let last = db.read_blocking(|tx| {
        Ok::<_, StoreError>(
            commit_order::table
                .select(commit_order::last)
                .first::<i64>(tx.conn())?,
        )
    });
    assert_eq!(last, Ok(places[0].tx));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_that_fails_is_told_to_every_request_in_it() {
    let database = TestDatabase::sqlite();
    let db = opened(database.url());
    let (go, holder) = hold_writer(&db);
    let mut sound = Box::pin(db.write(|tx| put_fact(tx.conn(), "sound")));
    assert!(futures_util::poll!(&mut sound).is_pending());
    let mut broken = Box::pin(db.write(|tx| {
        // A foreign key that is checked at the commit.
        tx.conn().batch_execute(
            "PRAGMA defer_foreign_keys = ON;
             INSERT INTO grants (id, person_id, role, enterprise_id, valid_from)
             VALUES (x'01', x'02', 'inspector', x'03', 0)",
        )?;
        Ok::<_, StoreError>(())
    }));
    assert!(futures_util::poll!(&mut broken).is_pending());
    go.send(()).unwrap();
    for answer in [sound.await, broken.await, holder.join().unwrap()] {
        let kind = ConstraintKind::ForeignKey;
        assert!(
            matches!(answer, Err(StoreError::Constraint { kind: k, .. }) if k == kind),
            "{answer:?}"
        );
    }
    db.write(|tx| put_fact(tx.conn(), "after")).await.unwrap();
    assert_eq!(facts(&db), ["after"]);
}

#[test]
fn a_swallowed_failure_is_not_reported_as_stored() {
    let database = TestDatabase::postgres();
    let db = opened(database.url());
    let answer = db.write_blocking(|tx| {
        put_fact(tx.conn(), "first")?;
        let _swallowed = tx.conn().batch_execute("SELECT 1 / 0");
        Ok::<_, StoreError>(())
    });
    assert!(
        answer.is_err(),
        "PostgreSQL rolls back a failed transaction at its COMMIT"
    );
    assert!(facts(&db).is_empty());
}

#[test]
fn a_read_sees_one_state_and_cannot_write() {
    each_database(|url| {
        let db = opened(url);
        let writer = db.clone();
        db.read_blocking(move |tx| {
            let count = server_meta::table.count();
            let before = count.get_result::<i64>(tx.conn())?;
            writer.write_blocking(|tx| put_fact(tx.conn(), "meanwhile"))?;
            assert_eq!(count.get_result::<i64>(tx.conn())?, before);
            Ok::<_, StoreError>(())
        })
        .unwrap();
        assert_eq!(facts(&db), ["meanwhile"]);
        assert!(
            db.read_blocking(|tx| put_fact(tx.conn(), "from a read"))
                .is_err()
        );
        assert_eq!(facts(&db), ["meanwhile"]);
        let panicked = db.read_blocking(|_| {
            if true {
                panic!("a defect")
            } else {
                Ok::<(), StoreError>(())
            }
        });
        assert_eq!(panicked, Err(StoreError::Panicked));
    });
}

#[test]
fn closing_stores_what_was_accepted_and_refuses_what_comes_after() {
    each_database(|url| {
        let db = opened(url);
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build();
        runtime.unwrap().block_on(async {
            let mut accepted = Vec::new();
            for request in 0..10 {
                let mut asked =
                    Box::pin(db.write(move |tx| put_fact(tx.conn(), &format!("fact {request}"))));
                let _queued = futures_util::poll!(&mut asked);
                accepted.push(asked);
            }
            let (answers, ()) = tokio::join!(futures_util::future::join_all(accepted), db.close());
            assert!(answers.iter().all(Result::is_ok), "{answers:?}");
            let late = db.write(|tx| put_fact(tx.conn(), "late")).await;
            assert!(
                matches!(late, Err(StoreError::Unavailable { .. })),
                "{late:?}"
            );
            let late = db.read(|tx| version_of(tx.conn(), 1)).await;
            assert!(
                matches!(late, Err(StoreError::Unavailable { .. })),
                "{late:?}"
            );
        });
        assert_eq!(facts(&opened(url)).len(), 10);
    });
}

#[test]
fn a_task_that_has_used_up_its_share_still_gets_its_write() {
    each_database(|url| {
        let db = opened(url);
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        runtime.unwrap().block_on(async {
            // Each of these counts, and none of them waits.
            let (sender, mut receiver) = tokio::sync::mpsc::unbounded_channel();
            while tokio::task::coop::has_budget_remaining() {
                sender.send(()).unwrap();
                receiver.recv().await.unwrap();
            }
            db.write_blocking(|_| Ok::<_, StoreError>(())).unwrap();
        });
    });
}
