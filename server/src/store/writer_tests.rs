//! Requests that share a transaction: each is answered for itself, on both databases, and nobody
//! waits long for a neighbour's lock.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::time::Duration;

use diesel::connection::SimpleConnection;
use futures_util::future::{BoxFuture, FutureExt as _, join_all};
use hazardloop_tests::{TestDatabase, each_database};

use super::test_support::{
    count_up, facts, hold_writer, opened, opened_with, put_fact, put_person, version_of,
};
use super::{DbOptions, StoreError};

type Answer<T> = Result<T, StoreError>;

/// Queues a request now: polled once, it has its place.
async fn queued<T: Send + 'static>(
    asked: impl Future<Output = Answer<T>> + Send + 'static,
) -> BoxFuture<'static, Answer<T>> {
    let mut asked: Pin<Box<dyn Future<Output = Answer<T>> + Send>> = Box::pin(asked);
    assert!(futures_util::poll!(&mut asked).is_pending());
    asked
}

fn on_runtime<F: Future<Output = ()>>(test: F) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build();
    runtime.unwrap().block_on(test);
}

/// One writer, so that what waits for it forms a group.
fn single() -> DbOptions {
    DbOptions {
        writers: 1,
        ..DbOptions::default()
    }
}

#[test]
fn a_group_holds_no_more_than_its_limit_and_errs_one_by_one() {
    each_database(|url| {
        let options = DbOptions {
            group_limit: 5,
            ..single()
        };
        let db = opened_with(url, options);
        on_runtime(async {
            let (go, holder) = hold_writer(&db);
            let mut answers = Vec::new();
            for request in 0..12_u32 {
                let db = db.clone();
                let asked = async move {
                    let work = move |tx: &mut super::WriteTx<'_>| {
                        put_fact(tx.conn(), &format!("fact {request:02}"))?;
                        match request {
                            3 => panic!("a defect"),
                            // The first of a group, and one in the middle.
                            0 | 7 => Err(StoreError::Missing),
                            _ => tx.number(),
                        }
                    };
                    db.write(work).await
                };
                answers.push(queued(asked).await);
            }
            go.send(()).unwrap();
            let answers = join_all(answers).await;
            holder.join().unwrap().unwrap();
            assert_eq!(answers[3], Err(StoreError::Panicked));
            for erred in [0, 7] {
                assert_eq!(answers[erred], Err(StoreError::Missing));
            }
            let mut sizes: BTreeMap<i64, usize> = BTreeMap::new();
            for number in answers.into_iter().filter_map(Result::ok) {
                *sizes.entry(number).or_default() += 1;
            }
            assert_eq!(sizes.values().sum::<usize>(), 9);
            assert!(sizes.len() >= 3, "12 requests, 5 at most: {sizes:?}");
            assert!(sizes.values().all(|size| *size <= 5), "{sizes:?}");
            assert!(sizes.len() < 9, "none shared a commit: {sizes:?}");
        });
        assert_eq!(facts(&db).len(), 9);
    });
}

#[test]
fn whoever_waits_for_a_lock_leaves_the_group_and_is_answered_later() {
    let database = TestDatabase::postgres();
    let db = opened_with(database.url(), single());
    let outsider = opened(database.url());
    put_person(&db, 1);
    let (lock_go, lock_holder) = {
        let (go, wait) = mpsc::channel();
        let (locked, has_lock) = mpsc::channel();
        let thread = std::thread::spawn(move || {
            outsider.write_blocking(move |tx| {
                count_up(tx.conn(), 1)?;
                locked.send(()).unwrap();
                wait.recv().unwrap();
                Ok::<_, StoreError>(())
            })
        });
        has_lock.recv().unwrap();
        (go, thread)
    };
    on_runtime(async {
        let (go, holder) = hold_writer(&db);
        let before = db.clone();
        let before = queued(async move { before.write(|tx| put_fact(tx.conn(), "before")).await });
        let before = before.await;
        let waits = db.clone();
        let waits = queued(async move {
            let work = |tx: &mut super::WriteTx<'_>| {
                put_fact(tx.conn(), "waited")?;
                count_up(tx.conn(), 1)
            };
            waits.write(work).await
        });
        let mut waits = waits.await;
        let after = db.clone();
        let after = queued(async move { after.write(|tx| put_fact(tx.conn(), "after")).await });
        let after = after.await;
        go.send(()).unwrap();
        holder.join().unwrap().unwrap();
        before.await.unwrap();
        after.await.unwrap();
        assert!((&mut waits).now_or_never().is_none(), "the lock is held");
        assert_eq!(facts(&db), ["after", "before"]);
        lock_go.send(()).unwrap();
        assert_eq!(waits.await, Ok(2));
    });
    lock_holder.join().unwrap().unwrap();
    assert_eq!(facts(&db), ["after", "before", "waited"]);
}

#[test]
fn a_session_that_one_request_loses_is_not_the_others_loss() {
    let database = TestDatabase::postgres();
    let db = opened_with(database.url(), single());
    on_runtime(async {
        let (go, holder) = hold_writer(&db);
        let mut answers = Vec::new();
        for request in 0..5_u32 {
            let db = db.clone();
            let asked = async move {
                let work = move |tx: &mut super::WriteTx<'_>| {
                    put_fact(tx.conn(), &format!("fact {request}"))?;
                    if request == 2 {
                        let end = "SELECT pg_terminate_backend(pg_backend_pid())";
                        tx.conn().batch_execute(end)?;
                    }
                    Ok::<_, StoreError>(())
                };
                db.write(work).await
            };
            answers.push(queued(asked).await);
        }
        go.send(()).unwrap();
        holder.join().unwrap().unwrap();
        let answers = join_all(answers).await;
        let lost: Vec<bool> = answers.iter().map(Result::is_err).collect();
        assert_eq!(lost, [false, false, true, false, false], "{answers:?}");
        assert!(answers[2].as_ref().unwrap_err().is_transient());
    });
    assert_eq!(facts(&db).len(), 4);
}

#[test]
fn an_answer_that_rests_on_a_neighbours_undone_work_is_not_given() {
    let database = TestDatabase::postgres();
    let db = opened_with(database.url(), single());
    on_runtime(async {
        let (go, holder) = hold_writer(&db);
        let first_run = AtomicBool::new(true);
        let neighbour = db.clone();
        let neighbour = queued(async move {
            let work = move |tx: &mut super::WriteTx<'_>| {
                if first_run.swap(false, Ordering::Relaxed) {
                    put_fact(tx.conn(), "never committed")
                } else {
                    Err(StoreError::Missing)
                }
            };
            neighbour.write(work).await
        });
        let neighbour = neighbour.await;
        let reader = db.clone();
        let reader = queued(async move {
            // As a rule would refuse because of what it sees.
            let work = |tx: &mut super::WriteTx<'_>| put_fact(tx.conn(), "never committed");
            reader.write(work).await
        });
        let reader = reader.await;
        let loser = db.clone();
        let loser = queued(async move {
            let work = |tx: &mut super::WriteTx<'_>| {
                let end = "SELECT pg_terminate_backend(pg_backend_pid())";
                Ok(tx.conn().batch_execute(end)?)
            };
            loser.write(work).await
        });
        let loser = loser.await;
        go.send(()).unwrap();
        holder.join().unwrap().unwrap();
        assert_eq!(neighbour.await, Err(StoreError::Missing));
        assert_eq!(reader.await, Ok(()), "there was nothing in its way");
        assert!(loser.await.is_err());
    });
    assert_eq!(facts(&db), ["never committed"]);
}

#[test]
fn those_who_wait_for_one_lock_leave_a_writer_to_the_others() {
    let database = TestDatabase::postgres();
    let options = DbOptions {
        writers: 3,
        // Of eight who count up the same row, each is overtaken by others.
        attempts: 100,
        ..DbOptions::default()
    };
    let db = opened_with(database.url(), options);
    put_person(&db, 1);
    let (go, wait) = mpsc::channel();
    let (locked, has_lock) = mpsc::channel();
    let outsider = opened(database.url());
    let lock_holder = std::thread::spawn(move || {
        outsider.write_blocking(move |tx| {
            count_up(tx.conn(), 1)?;
            locked.send(()).unwrap();
            wait.recv().unwrap();
            Ok::<_, StoreError>(())
        })
    });
    has_lock.recv().unwrap();
    on_runtime(async {
        let mut waiting = Vec::new();
        for _ in 0..8 {
            let db = db.clone();
            let asked = async move { db.write(|tx| count_up(tx.conn(), 1)).await };
            waiting.push(queued(asked).await);
        }
        for number in 0..20 {
            let fact = format!("fact {number:02}");
            db.write(move |tx| put_fact(tx.conn(), &fact))
                .await
                .unwrap();
        }
        assert!(
            waiting
                .iter_mut()
                .all(|asked| asked.now_or_never().is_none())
        );
        go.send(()).unwrap();
        let answers = join_all(waiting).await;
        assert!(answers.iter().all(Result::is_ok), "{answers:?}");
    });
    lock_holder.join().unwrap().unwrap();
    assert_eq!(db.read_blocking(|tx| version_of(tx.conn(), 1)), Ok(9));
}

#[test]
fn writers_beside_one_another_are_as_many_as_was_said() {
    let database = TestDatabase::postgres();
    for (writers, others_go_on) in [(1, false), (2, true)] {
        let options = DbOptions {
            writers,
            ..DbOptions::default()
        };
        let db = opened_with(database.url(), options);
        on_runtime(async {
            let (go, holder) = hold_writer(&db);
            let other = db.clone();
            let name = format!("beside {writers}");
            let asked = async move { other.write(move |tx| put_fact(tx.conn(), &name)).await };
            if others_go_on {
                asked.await.unwrap();
                go.send(()).unwrap();
                holder.join().unwrap().unwrap();
                return;
            }
            let mut asked = queued(asked).await;
            assert!((&mut asked).now_or_never().is_none());
            go.send(()).unwrap();
            holder.join().unwrap().unwrap();
            asked.await.unwrap();
        });
    }
}

#[test]
fn what_finds_no_place_in_time_is_told_so_and_not_run() {
    each_database(|url| {
        let options = DbOptions {
            queue_length: 1,
            acquire_timeout: Duration::from_millis(20),
            ..single()
        };
        let db = opened_with(url, options);
        on_runtime(async {
            let (go, holder) = hold_writer(&db);
            let first = db.clone();
            let first =
                queued(async move { first.write(|tx| put_fact(tx.conn(), "first")).await }).await;
            let second = db.write(|tx| put_fact(tx.conn(), "second")).await;
            assert!(
                matches!(second, Err(StoreError::Timeout { .. })),
                "{second:?}"
            );
            go.send(()).unwrap();
            holder.join().unwrap().unwrap();
            first.await.unwrap();
        });
        assert_eq!(facts(&opened(url)), ["first"]);
    });
}

#[test]
fn readers_are_as_many_as_was_said() {
    each_database(|url| {
        let options = DbOptions {
            readers: 1,
            // Long enough for a session to be opened.
            acquire_timeout: Duration::from_millis(500),
            ..DbOptions::default()
        };
        let db = opened_with(url, options);
        put_person(&db, 1);
        on_runtime(async {
            let (go, wait) = mpsc::channel::<()>();
            let (entered, mut inside) = tokio::sync::mpsc::unbounded_channel();
            let reading = db.clone();
            let reading = tokio::spawn(async move {
                reading
                    .read(move |_| {
                        entered.send(()).unwrap();
                        wait.recv().unwrap();
                        Ok::<_, StoreError>(())
                    })
                    .await
            });
            inside.recv().await.unwrap();
            let second = db.read(|tx| version_of(tx.conn(), 1)).await;
            assert!(
                matches!(second, Err(StoreError::Timeout { .. })),
                "{second:?}"
            );
            go.send(()).unwrap();
            reading.await.unwrap().unwrap();
            assert_eq!(db.read(|tx| version_of(tx.conn(), 1)).await, Ok(0));
        });
    });
}

#[test]
fn a_statement_that_takes_too_long_ends() {
    let database = TestDatabase::postgres();
    let options = DbOptions {
        statement_timeout: Duration::from_millis(20),
        ..DbOptions::default()
    };
    let db = opened_with(database.url(), options);
    let slow = db.write_blocking(|tx| {
        tx.conn().batch_execute("SELECT pg_sleep(60)")?;
        Ok::<_, StoreError>(())
    });
    assert!(matches!(slow, Err(StoreError::Timeout { .. })), "{slow:?}");
}
