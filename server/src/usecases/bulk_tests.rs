//! What is written in bulk is what the one door writes for the same commands, row by row.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use hazardloop_domain::command::{Action, Command};
use hazardloop_tests::TestDatabase;

use super::*;
use crate::sample;
use crate::store::test_support::{before_this_release, dump};
use crate::test_support::{NOW, TestServer, enterprise, hazard_id, person, with_packs};
use crate::usecases::audit;

/// Every table that the door writes.
const TABLES: [&str; 7] = [
    "hazards",
    "events",
    "scope_rows",
    "hazard_lists",
    "search_pending",
    "photo_references",
    "unclaimed_hazards",
];

fn some() -> Vec<Made> {
    let made = |number: u64| {
        let (place_text, description) = words(usize::try_from(number).unwrap());
        // A major one takes two inspectors and is no matter of one command.
        let confirmed = number.is_multiple_of(3) && !number.is_multiple_of(4);
        // Where no enterprise is known, the boundary that holds the position decides.
        let place = if number.is_multiple_of(5) {
            "500153000000"
        } else {
            "500153003000"
        };
        Made {
            id: hazard_id(number),
            enterprise_id: (!number.is_multiple_of(5)).then(|| enterprise("polishing")),
            jurisdiction_id: JurisdictionId(sample::id(place)),
            sector: (!number.is_multiple_of(5)).then(|| "industry-and-trade".to_owned()),
            person_id: person("inspector1"),
            source: Source::DeptInspection,
            grade: if number.is_multiple_of(4) {
                Grade::Major
            } else {
                Grade::General
            },
            criterion: number.is_multiple_of(2).then(|| "GM-10-11-3".to_owned()),
            description: description.to_owned(),
            place_text: place_text.to_owned(),
            point: Some(Wgs84Point {
                longitude: 105.594,
                latitude: 29.405,
            }),
            status: if confirmed {
                StatusName::Confirmed
            } else {
                StatusName::Reported
            },
            due_date: "2026-12-02".parse().unwrap(),
        }
    };
    (1..=60).map(made).collect()
}

async fn by_the_door(server: &TestServer, all: Vec<Made>) {
    let door = Door::new(&server.app);
    let work = move |tx: &mut WriteTx<'_>| {
        let mut set = door.open(NOW);
        for made in &all {
            let sender = Sender {
                person_id: Some(made.person_id),
                origin: Origin::DIRECT,
                made_at: None,
                heard_at: None,
            };
            let mut actions = vec![Action::Report(made.report(NOW))];
            if made.status == StatusName::Confirmed {
                actions.push(Action::Confirm(made.confirmation()));
            }
            for action in actions {
                let command = Command::new(made.id, action);
                set.decide(tx, &command, &sender)?;
            }
        }
        set.store(tx)
    };
    server.app.db.write(work).await.unwrap();
}

async fn in_bulk(server: &TestServer, all: Vec<Made>) {
    let door = Door::new(&server.app);
    let work = move |tx: &mut WriteTx<'_>| write(&door, tx, NOW, &all);
    server.app.db.write(work).await.unwrap();
}

fn rows(server: &TestServer, table: &str) -> Vec<String> {
    let db = &server.app.db;
    db.read_blocking(|tx| dump(tx.conn(), table)).unwrap()
}

#[test]
fn bulk_writes_what_the_one_door_writes() {
    for pair in [
        [TestDatabase::sqlite(), TestDatabase::sqlite()],
        [TestDatabase::postgres(), TestDatabase::postgres()],
    ] {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            let door = TestServer::start(pair[0].url()).await;
            let bulk = TestServer::start(pair[1].url()).await;
            // Whoever confirms cites what the catalog holds.
            with_packs(&door).await;
            with_packs(&bulk).await;
            by_the_door(&door, some()).await;
            in_bulk(&bulk, some()).await;
            for table in TABLES {
                let rows = rows(&bulk, table);
                assert_eq!(rows, self::rows(&door, table), "{table}");
                assert!(!rows.is_empty() || table == "photo_references", "{table}");
            }
            let report = audit::verify(&bulk.app.db, None).unwrap();
            assert_eq!((report.faults, report.findings.len()), (0, 0));
        });
    }
}

#[test]
fn a_database_of_an_earlier_release_gets_the_lists_and_the_index() {
    crate::store::test_support::each_database(|url| {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let tables = ["hazards", "hazard_lists", "search_pending"];
        let before = runtime.block_on(async {
            let server = TestServer::start(url).await;
            in_bulk(&server, some()).await;
            let before = tables.map(|table| rows(&server, table));
            server.app.db.close().await;
            before
        });
        before_this_release(url);
        let after = runtime.block_on(async {
            let server = TestServer::start(url).await;
            tables.map(|table| rows(&server, table))
        });
        assert_eq!(after, before);
    });
}
