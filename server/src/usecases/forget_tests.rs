//! Forgetting over a store's own clock: what is young stays, a mark a day is enough, and lots end where they should. That
//! devices miss nothing is in the conformance suite.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use hazardloop_sync_protocol::digest::DigestKey;
use hazardloop_sync_protocol::wire::{RecordKind, Scope};
use uuid::Uuid;

use super::forget::{FORGOTTEN_AT_ONCE, forget};
use crate::settings::Settings;
use crate::store::feed::{self, Announced};
use crate::store::{Position, forgotten};
use crate::test_support::{NOW, TestServer, on_each_database_with, person, until_safe};

const DAYS: i64 = 30;
const DAY_MS: i64 = 24 * 60 * 60 * 1000;

fn days(settings: &mut Settings) {
    settings.sync.removals_kept_days = 30;
}

fn scope() -> Scope {
    Scope::Person(person("employee"))
}

/// So many records come to a scope and leave it again.
async fn come_and_go(server: &TestServer, ids: std::ops::Range<u128>) {
    let now = server.app.clock.now();
    let work = server.app.db.write(move |tx| {
        for id in ids.clone() {
            let id = Uuid::from_u128(id);
            let record = Announced {
                kind: RecordKind::Criterion,
                id: &id,
                version: 1,
                body: &[1],
                created_at: now,
            };
            feed::put(tx, &DigestKey([1; 16]), &[scope()], record)?;
            feed::remove(tx, &[scope()], RecordKind::Criterion, &id, 1, now)?;
        }
        Ok::<_, crate::failure::Failure>(())
    });
    work.await.unwrap();
}

/// Removals of the scope that are still told, and its floor.
async fn told(server: &TestServer) -> (usize, Position) {
    let read = server.app.db.read(|tx| {
        let changes = feed::changes(tx.conn(), scope(), Position::START, i64::MAX, 5_000)?;
        let gone = changes.iter().filter(|change| !change.present).count();
        let floor = forgotten::floor(tx.conn(), scope())?;
        Ok::<_, crate::failure::Failure>((gone, floor))
    });
    read.await.unwrap()
}

fn day(server: &TestServer, number: i64) {
    server.set_now(NOW.plus_millis(number * DAY_MS));
}

#[test]
fn a_removal_is_told_for_so_many_days_and_no_longer() {
    on_each_database_with(days, async |server: TestServer| {
        come_and_go(&server, 1..4).await;
        until_safe(&server.app).await;
        assert!(!forget(&server.app).await.unwrap());
        day(&server, 1);
        come_and_go(&server, 4..6).await;
        until_safe(&server.app).await;
        assert!(!forget(&server.app).await.unwrap());
        day(&server, DAYS - 1);
        forget(&server.app).await.unwrap();
        assert_eq!(told(&server).await, (5, Position::START));
        day(&server, DAYS);
        forget(&server.app).await.unwrap();
        let (gone, floor) = told(&server).await;
        assert_eq!(
            gone, 2,
            "those of the first day are forgotten, and no others"
        );
        assert!(floor > Position::START);
        day(&server, DAYS + 1);
        forget(&server.app).await.unwrap();
        let (gone, higher) = told(&server).await;
        assert_eq!(gone, 1, "the newest says how far the scope has come");
        assert!(higher > floor);
    });
}

#[test]
fn much_is_forgotten_in_parts() {
    on_each_database_with(days, async |server: TestServer| {
        let many = u128::try_from(FORGOTTEN_AT_ONCE).unwrap() + 10;
        come_and_go(&server, 1..many + 1).await;
        until_safe(&server.app).await;
        forget(&server.app).await.unwrap();
        day(&server, DAYS);
        assert!(forget(&server.app).await.unwrap(), "there is more");
        assert_eq!(told(&server).await.0, 10);
        assert!(!forget(&server.app).await.unwrap());
        assert_eq!(told(&server).await.0, 1);
    });
}

/// Nobody asks between a removal and its being forgotten: what was added up before must not come to life again.
#[test]
fn what_was_added_up_before_does_not_hold_after_what_came_then_is_forgotten() {
    on_each_database_with(days, async |server: TestServer| {
        let (app, key) = (&server.app, DigestKey([1; 16]));
        let change = async |id: u128, present: bool| {
            let now = app.clock.now();
            let work = app.db.write(move |tx| {
                let id = Uuid::from_u128(id);
                let record = Announced {
                    kind: RecordKind::Criterion,
                    id: &id,
                    version: 1,
                    body: &[1],
                    created_at: now,
                };
                match present {
                    true => feed::put(tx, &key, &[scope()], record)?,
                    false => feed::remove(tx, &[scope()], record.kind, &id, 1, now)?,
                }
                Ok::<_, crate::failure::Failure>(())
            });
            work.await.unwrap();
            until_safe(app).await;
        };
        let newest = async || {
            let read = app.db.read(|tx| feed::newest(tx.conn(), scope(), i64::MAX));
            read.await.unwrap().0
        };
        change(1, true).await;
        change(2, true).await;
        let before = newest().await;
        change(1, false).await;
        forget(app).await.unwrap();
        day(&server, DAYS + 1);
        forget(app).await.unwrap();
        assert!(newest().await > before);
    });
}
