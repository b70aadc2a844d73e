//! Adding packs, on both databases: versions side by side, editions that do not change, what devices get.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use hazardloop_domain::pack::{Citability, Evidence, NotCitable};

use super::*;
use crate::test_support::{NOW, TestServer, on_each_database, until_safe};

fn shipped(name: &str) -> Pack {
    let packs = crate::shipped::packs().unwrap();
    packs
        .into_iter()
        .find(|pack| pack.head.name == name)
        .unwrap()
}

async fn added(server: &TestServer, pack: &Pack) -> Result<Added, Failure> {
    let (key, pack) = (server.app.digest_key, pack.clone());
    let write = server
        .app
        .db
        .write(move |tx| add(tx, &key, &pack, None, NOW));
    let added = write.await;
    // Whoever follows the feed hears of it now.
    until_safe(&server.app).await;
    added
}

async fn criterion(server: &TestServer, code: &str, edition: u32) -> Criterion {
    let reference = hazardloop_domain::command::CriterionRef {
        code: code.to_owned(),
        edition,
    };
    let found = server
        .app
        .db
        .read(move |tx| packs::criterion(tx.conn(), &reference));
    found.await.unwrap().unwrap()
}

/// Kind, version and whether it is there, of the packs' changes in the feed.
async fn feed_of(server: &TestServer) -> Vec<(RecordKind, i64, bool)> {
    let read = server.app.db.read(|tx| {
        // Not to the horizon: that waits for whatever runs beside this test.
        feed::changes(
            tx.conn(),
            Scope::Catalog,
            crate::store::Position::START,
            i64::MAX,
            10_000,
        )
    });
    let changes = read.await.unwrap();
    let ours = changes
        .iter()
        .filter(|c| c.kind != RecordKind::Jurisdiction);
    ours.map(|c| (c.kind, c.version, c.present)).collect()
}

fn count(feed: &[(RecordKind, i64, bool)], kind: RecordKind) -> usize {
    feed.iter()
        .filter(|(of, _, present)| *of == kind && *present)
        .count()
}

#[test]
fn a_pack_is_added_once_with_an_event_and_reaches_the_feed() {
    on_each_database(async |server| {
        let pack = shipped("industry-and-trade");
        assert_eq!(added(&server, &pack).await, Ok(Added::New));
        let feed = feed_of(&server).await;
        assert_eq!(count(&feed, RecordKind::Criterion), 65);
        assert_eq!(count(&feed, RecordKind::Checklist), pack.checklists.len());
        assert_eq!(count(&feed, RecordKind::Pack), 1);
        assert_eq!(added(&server, &pack).await, Ok(Added::Known));
        assert_eq!(feed_of(&server).await, feed, "nothing is announced twice");
        let line = pack.head.line_id().0;
        let history = server
            .app
            .db
            .read(move |tx| events::history(tx.conn(), &line, 0, 9));
        let history = history.await.unwrap();
        assert_eq!(history.len(), 1);
        let event: PackEvent = minicbor::decode(&history[0].body).unwrap();
        assert_eq!(
            (event.name.as_str(), event.version, event.criteria),
            ("industry-and-trade", 1, 65)
        );
        let (name, version) = (pack.head.name.clone(), pack.head.version);
        let kept = server
            .app
            .db
            .read(move |tx| packs::document(tx.conn(), &name, version));
        assert_eq!(kept.await.unwrap(), Some(pack));
    });
}

#[test]
fn the_same_version_with_other_content_is_refused() {
    on_each_database(async |server| {
        let mut pack = shipped("town-gas");
        added(&server, &pack).await.unwrap();
        pack.head.title_zh.push('改');
        let refused = added(&server, &pack).await.unwrap_err();
        assert!(
            refused.to_string().contains("raise the version"),
            "{refused}"
        );
    });
}

#[test]
fn an_edition_never_says_something_else() {
    on_each_database(async |server| {
        let mut pack = shipped("town-gas");
        added(&server, &pack).await.unwrap();
        pack.head.version = 2;
        pack.criteria[0].zh.push('改');
        let refused = added(&server, &pack).await.unwrap_err();
        assert!(
            refused.to_string().contains("raise its edition"),
            "{refused}"
        );
        assert_eq!(criterion(&server, "RQ-4-4-1", 1).await.version, 1);
        pack.criteria[0].edition = 2;
        assert_eq!(added(&server, &pack).await, Ok(Added::New));
        let old = criterion(&server, "RQ-4-4-1", 1).await;
        assert_eq!(
            old.citability(),
            Citability::NotCitable(NotCitable::Retired)
        );
        assert_eq!((old.retired_in, old.version), (Some(2), 2));
        // Whoever judged by it before, without signal, was right.
        assert!(old.could_be_picked_at(NOW.plus_millis(-1)));
        assert!(!old.could_be_picked_at(NOW));
        let new = criterion(&server, "RQ-4-4-1", 2).await;
        assert_eq!(new.citability(), Citability::FullText);
        let feed = feed_of(&server).await;
        assert_eq!(
            count(&feed, RecordKind::Pack),
            1,
            "devices hold the newest version alone"
        );
        assert_eq!(count(&feed, RecordKind::Criterion), 23, "and every edition");
    });
}

#[test]
fn a_newer_version_may_say_until_when_a_standard_held() {
    on_each_database(async |server| {
        let mut pack = shipped("town-gas");
        added(&server, &pack).await.unwrap();
        pack.head.version = 2;
        pack.head.standards[0].effective_until = Some("2027-06-30".parse().unwrap());
        added(&server, &pack).await.unwrap();
        let held = criterion(&server, "RQ-4-4-1", 1).await;
        assert_eq!(held.effective_until, Some("2027-06-30".parse().unwrap()));
        assert_eq!((held.version, held.retired_in), (2, None));
        let versions = server
            .app
            .db
            .read(|tx| packs::versions(tx.conn(), Some("town-gas")));
        assert_eq!(versions.await.unwrap().len(), 2, "side by side");
    });
}

#[test]
fn an_older_version_that_comes_later_changes_nothing_that_is_current() {
    on_each_database(async |server| {
        let first = shipped("town-gas");
        let mut second = first.clone();
        second.head.version = 3;
        second.criteria.remove(0);
        second.checklists.clear();
        added(&server, &second).await.unwrap();
        added(&server, &first).await.unwrap();
        let left = criterion(&server, "RQ-4-4-1", 1).await;
        assert_eq!((left.retired_in, left.retired_at), (Some(3), None));
        assert_eq!(criterion(&server, "RQ-4-4-2", 1).await.retired_in, None);
        server.app.catalog.catch_up(&server.app.db).await.unwrap();
        let catalog = server.app.catalog.now();
        assert_eq!(catalog.newest().next().unwrap().head.version, 3);
        assert!(catalog.checklists(&Default::default(), 99).is_empty());
    });
}

#[test]
fn a_code_belongs_to_one_pack() {
    on_each_database(async |server| {
        let mut pack = shipped("town-gas");
        added(&server, &pack).await.unwrap();
        pack.head.name = "other-gas".to_owned();
        let refused = added(&server, &pack).await.unwrap_err();
        assert!(
            refused.to_string().contains("belongs to the pack town-gas"),
            "{refused}"
        );
    });
}

#[test]
fn other_servers_follow() {
    on_each_database(async |server| {
        let other = server.beside().await;
        assert!(other.catalog.now().criteria.is_empty());
        added(&server, &shipped("coal-mines")).await.unwrap();
        other.catalog.catch_up(&other.db).await.unwrap();
        assert_eq!(other.catalog.now().criteria.len(), 123);
        let held = other.catalog.now();
        other.catalog.catch_up(&other.db).await.unwrap();
        assert!(
            std::sync::Arc::ptr_eq(&held, &other.catalog.now()),
            "read once"
        );
    });
}

#[test]
fn what_was_not_seen_comes_as_no_legal_basis_from_the_database_too() {
    on_each_database(async |server| {
        for pack in crate::shipped::packs().unwrap() {
            added(&server, &pack).await.unwrap();
        }
        let all = server
            .app
            .db
            .read(|tx| packs::criteria(tx.conn(), None))
            .await
            .unwrap();
        assert_eq!(all.len(), 634);
        for criterion in &all {
            let seen = matches!(criterion.evidence, Evidence::Seen | Evidence::Topic);
            assert_eq!(
                criterion.citability().may_be_picked(),
                seen,
                "{}",
                criterion.code
            );
        }
    });
}
