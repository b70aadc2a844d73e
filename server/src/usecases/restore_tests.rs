//! What a running server does when its database gets another epoch, and what the audit trail says.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use std::collections::BTreeMap;

use hazardloop_tests::TestDatabase;

use super::audit;
use super::restore::{Kind, SERVER, Said, record_now, settle, watch};
use crate::entropy::Entropy;
use crate::failure::Failure;
use crate::store::identity::EPOCH;
use crate::store::{Db, DbOptions, StoreError, events, meta};
use crate::test_support::{NOW, TestServer, on_each_database, seal_everything};
use rand::SeedableRng as _;

fn said(by: &str, reason: &str) -> Said {
    Said {
        by: by.to_owned(),
        reason: reason.to_owned(),
    }
}

fn entropy() -> Entropy {
    Entropy::new(rand::rngs::StdRng::seed_from_u64(9))
}

#[test]
fn a_server_whose_database_got_another_epoch_must_not_go_on() {
    on_each_database(async |server| {
        let app = &server.app;
        let replaced = app.db.write(|tx| {
            meta::take(tx, EPOCH)?;
            meta::get_or_set(tx, EPOCH, "another")
        });
        replaced.await.unwrap();
        let StoreError::EpochEnded { what } = watch(app.clone()).await else {
            panic!("it goes on")
        };
        assert_eq!(what, format!("epoch was {} and is another", app.epoch));
    });
}

#[test]
fn the_audit_trail_says_who_began_an_epoch_when_and_why_once() {
    for database in [TestDatabase::sqlite(), TestDatabase::postgres()] {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let old = runtime.block_on(async {
            let server = TestServer::start(database.url()).await;
            server.app.db.close().await;
            server.app.epoch.clone()
        });
        let url = database.url().parse().unwrap();
        for said in [
            said("", "why"),
            said("who", " "),
            said("who", &"x".repeat(10_000)),
        ] {
            let refused = settle(&url, &entropy(), Kind::Restored, said, NOW);
            assert!(
                matches!(refused, Err(Failure::Refused(_) | Failure::Invalid { .. })),
                "{refused:?}"
            );
        }
        // A session that was closed a moment ago may still be ending.
        let settled = (0..10_000)
            .map(|_| {
                settle(
                    &url,
                    &entropy(),
                    Kind::Restored,
                    said("张三", "磁盘损坏"),
                    NOW,
                )
            })
            .find(|settled| !matches!(settled, Err(Failure::Store(StoreError::InUse { .. }))));
        assert_eq!(settled, Some(Ok(())));
        let db = Db::open(&url, DbOptions::default()).unwrap();
        record_now(&db).unwrap();
        record_now(&db).unwrap();
        let (history, epoch) = db
            .read_blocking(|tx| {
                let history = events::history(tx.conn(), &SERVER, 0, 10)?;
                Ok::<_, StoreError>((history, meta::get(tx.conn(), EPOCH)?.unwrap()))
            })
            .unwrap();
        assert_ne!(epoch, old);
        let [event] = history.as_slice() else {
            panic!("one event, not {}", history.len())
        };
        let kind = (
            event.subject_kind.as_str(),
            event.kind.as_str(),
            event.recorded_at,
        );
        assert_eq!(kind, ("server", "epoch_begun", NOW.as_millis()));
        let fields: BTreeMap<String, String> = minicbor::decode(&event.body).unwrap();
        assert_eq!(
            (&*fields["by"], &*fields["reason"], &fields["epoch"]),
            ("张三", "磁盘损坏", &epoch)
        );
        seal_everything(&db);
        let report = audit::verify(&db, None).unwrap();
        assert_eq!(
            (report.faults, report.unsealed),
            (0, 0),
            "{:?}",
            report.findings
        );
    }
}
