//! Cursors of lists of hazards, on both databases: they tell nothing of others' hazards, they lead on to every
//! hazard of one's own, and one that was made up costs no more than any other.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use std::collections::BTreeSet;

use crate::store::test_support::each_database;
use hazardloop_domain::command::{Grade, Source};
use hazardloop_domain::hazard::StatusName;
use hazardloop_domain::ids::JurisdictionId;
use hazardloop_domain::search_text::Query;
use hazardloop_sync_protocol::wire::Scope;
use uuid::Uuid;

use super::Wanted;
use super::hazards::{Filters, HazardList, Order};
use super::text_walk::TextWalk;
use crate::sample;
use crate::store::WriteTx;
use crate::store::lists::{self, Key};
use crate::test_support::{NOW, TestServer, hazard_id, person};
use crate::usecases::bulk::{self, Made};
use crate::usecases::execute::Door;
use crate::usecases::index_text;
use crate::usecases::pull_tests::second_town;

fn made(number: u64, place: JurisdictionId) -> Made {
    Made {
        id: hazard_id(number),
        enterprise_id: None,
        jurisdiction_id: place,
        sector: None,
        person_id: person("grid"),
        source: Source::Grid,
        grade: Grade::General,
        criterion: Some("GM-10-11-3".to_owned()),
        description: "配电箱未上锁".to_owned(),
        place_text: "东门".to_owned(),
        point: None,
        status: StatusName::Confirmed,
        due_date: "2026-12-20".parse().unwrap(),
    }
}

/// So many hazards, received some at a time, of which every fiftieth is the second town's.
fn filled(url: &str, size: u64) -> (TestServer, JurisdictionId) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let server = runtime.block_on(TestServer::start(url));
    let (second, _) = runtime.block_on(second_town(&server.app));
    let first = JurisdictionId(sample::id("500153003000"));
    for start in (0..size).step_by(300) {
        let place = |number: u64| {
            if number.is_multiple_of(50) {
                second
            } else {
                first
            }
        };
        let numbers = start..(start + 300).min(size);
        let all: Vec<Made> = numbers.map(|number| made(number, place(number))).collect();
        let at = NOW.plus_millis(i64::try_from(start).unwrap());
        let door = Door::new(&server.app);
        let write = move |tx: &mut WriteTx<'_>| bulk::write(&door, tx, at, &all);
        server.app.db.write_blocking(write).unwrap();
    }
    index_text::index_all(&server.app.db).unwrap();
    (server, second)
}

fn filters() -> [Filters; 3] {
    let none = Filters::default;
    [
        Filters {
            criterion: Some("GM-10-11-3".to_owned()),
            ..none()
        },
        Filters {
            reported_by: Some(person("grid")),
            ..none()
        },
        Filters {
            text: Some(Query::new("配电箱").unwrap()),
            ..none()
        },
    ]
}

#[test]
fn a_page_that_ends_early_leads_on_and_names_no_hazard_of_others() {
    each_database(|url| {
        let (server, second) = filled(url, 900);
        let own: BTreeSet<Uuid> = (0..900).step_by(50).map(|n| hazard_id(n).0).collect();
        let foreign: BTreeSet<Uuid> = (0..900)
            .map(|n| hazard_id(n).0)
            .filter(|id| !own.contains(id))
            .collect();
        let district = [Scope::Jurisdiction(JurisdictionId(sample::id(
            "500153000000",
        )))];
        let town = [Scope::Jurisdiction(second)];
        let work = |tx: &mut crate::store::ReadTx<'_>| {
            let conn = tx.conn();
            for filters in filters() {
                for (order, scopes, within) in [
                    (Order::Newest, &town, None),
                    (Order::Newest, &district, Some(&town[..])),
                    (Order::Due, &district, Some(&town[..])),
                ] {
                    let list = HazardList::new(&filters, scopes, within, order, NOW);
                    let (mut found, mut after, mut pages) = (Vec::new(), None, 0);
                    loop {
                        let wanted = Wanted { after, limit: 7 };
                        let page = list.page(conn, wanted, 40).unwrap();
                        found.extend(page.items.iter().map(|key| key.id));
                        pages += 1;
                        assert!(pages < 200, "it comes to an end");
                        let Some(next) = page.next else { break };
                        assert!(!foreign.contains(&next.id), "{order:?} {next:?}");
                        after = Some(next);
                    }
                    let once: BTreeSet<Uuid> = found.iter().copied().collect();
                    assert_eq!((found.len(), &once), (own.len(), &own), "{order:?}");
                }
            }
            Ok::<_, crate::failure::Failure>(())
        };
        server.app.db.read_blocking(work).unwrap();
    });
}

#[test]
fn a_made_up_cursor_has_no_more_documents_looked_up_at_once_than_any_other() {
    each_database(|url| {
        let (server, second) = filled(url, 1_500);
        let work = |tx: &mut crate::store::ReadTx<'_>| {
            let conn = tx.conn();
            let grams = Query::new("配电箱").unwrap().grams();
            let grams: Vec<_> = grams.into_iter().map(|gram| vec![gram]).collect();
            // Before it lie the oldest hundred; all others are newer, in the same segment.
            let after = Key {
                at: NOW.as_millis(),
                id: hazard_id(100).0,
            };
            let mut walk = TextWalk::new(grams, Vec::new(), Some(after));
            let (mut found, mut calls) = (0, 0);
            loop {
                let (keys, ended) = walk.next(conn, 10).unwrap();
                assert!(walk.passed_over() <= 700, "{}", walk.passed_over());
                found += keys.len();
                calls += 1;
                assert!(calls < 100);
                if ended {
                    break;
                }
            }
            assert_eq!(found, 100);
            // A list that begins there still comes to all that follows.
            let filters = &filters()[2];
            let town = [Scope::Jurisdiction(second)];
            let list = HazardList::new(filters, &town, None, Order::Newest, NOW);
            let (mut found, mut next) = (0, Some(after));
            while let Some(after) = next {
                let wanted = Wanted {
                    after: Some(after),
                    limit: 7,
                };
                let page = list.page(conn, wanted, 600).unwrap();
                let ids: Vec<Uuid> = page.items.iter().map(|key| key.id).collect();
                found += lists::hazards(conn, &ids).unwrap().len();
                next = page.next;
            }
            assert_eq!(found, 2);
            Ok::<_, crate::failure::Failure>(())
        };
        server.app.db.read_blocking(work).unwrap();
    });
}
