//! Equal answers cost equally much in a small database and in one ten times its size, on both databases. Counted are the
//! statements, each of which reads what an index cuts off (`store/lists_tests.rs`); the clock is left to the benchmark.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use hazardloop_domain::command::{Grade, Source};
use hazardloop_domain::geography::Wgs84Point;
use hazardloop_domain::hazard::StatusName;
use hazardloop_domain::ids::JurisdictionId;
use hazardloop_domain::search_text::Query;
use hazardloop_domain::time::Timestamp;
use hazardloop_sync_protocol::wire::Scope;

use super::hazards::{Filters, HazardList, Order};
use super::{EXAMINED_PER_PAGE, Wanted};
use crate::failure::Failure;
use crate::sample;
use crate::store::WriteTx;
use crate::store::test_support::statements;
use crate::test_support::{NOW, TestServer, enterprise, hazard_id, person};
use crate::usecases::bulk::{self, Made};
use crate::usecases::execute::Door;
use crate::usecases::index_text;
use crate::usecases::pull_tests::second_town;

/// Hazards of the two databases, and how many of each are those that are asked for.
const SIZES: [u64; 2] = [180, 1_800];
const KEPT: u64 = 60;

fn made(number: u64, of: u64, second: JurisdictionId) -> Made {
    let every = of / KEPT;
    let kept = number.is_multiple_of(every);
    let own = number / every;
    let (place_text, description) = bulk::words(usize::try_from(number % 500).unwrap());
    let word = if kept { "，丙烯腈泄漏" } else { "" };
    Made {
        id: hazard_id(number),
        enterprise_id: (!kept).then(|| enterprise("machinery")),
        jurisdiction_id: if kept {
            second
        } else {
            JurisdictionId(sample::id("500153003000"))
        },
        sector: (!kept).then(|| "工贸".to_owned()),
        person_id: person(if kept { "inspector1" } else { "inspector2" }),
        source: if kept {
            Source::Grid
        } else {
            Source::DeptInspection
        },
        grade: if own.is_multiple_of(2) {
            Grade::Major
        } else {
            Grade::General
        },
        criterion: kept.then(|| "GM-10-11-3".to_owned()),
        description: format!("{description}{word}"),
        place_text: place_text.to_owned(),
        point: Some(Wgs84Point {
            longitude: if kept { 105.5 } else { 105.6 },
            latitude: 29.4,
        }),
        status: if kept {
            StatusName::PendingReinspection
        } else {
            StatusName::Confirmed
        },
        due_date: if kept { "2026-12-01" } else { "2026-12-20" }
            .parse()
            .unwrap(),
    }
}

async fn filled(url: &str, size: u64) -> (TestServer, JurisdictionId) {
    let server = TestServer::start(url).await;
    let (second, _) = second_town(&server.app).await;
    for start in (0..size).step_by(60) {
        let all: Vec<Made> = (start..start + 60).map(|n| made(n, size, second)).collect();
        let at = NOW.plus_millis(i64::try_from(86_400_000 * start / size).unwrap());
        let door = Door::new(&server.app);
        let write = move |tx: &mut WriteTx<'_>| bulk::write(&door, tx, at, &all);
        server.app.db.write(write).await.unwrap();
    }
    index_text::index_all(&server.app.db).unwrap();
    (server, second)
}

/// Filters by name, each with whether the second town alone is asked.
fn cases() -> Vec<(&'static str, Order, bool, Filters)> {
    let none = Filters::default;
    let text = |text: &str| Some(Query::new(text).unwrap());
    let pending = vec![StatusName::PendingReinspection];
    vec![
        ("newest", Order::Newest, false, none()),
        ("newest of a town", Order::Newest, true, none()),
        (
            "state",
            Order::Newest,
            false,
            Filters {
                statuses: pending.clone(),
                ..none()
            },
        ),
        ("due", Order::Due, false, none()),
        (
            "overdue majors",
            Order::Due,
            false,
            Filters {
                grade: Some(Grade::Major),
                overdue: Some(true),
                ..none()
            },
        ),
        (
            "overdue, newest first",
            Order::Newest,
            false,
            Filters {
                overdue: Some(true),
                ..none()
            },
        ),
        (
            "criterion",
            Order::Newest,
            false,
            Filters {
                criterion: Some("GM-10-11-3".to_owned()),
                ..none()
            },
        ),
        (
            "reporter",
            Order::Newest,
            false,
            Filters {
                reported_by: Some(person("inspector1")),
                ..none()
            },
        ),
        (
            "source",
            Order::Newest,
            false,
            Filters {
                source: Some(Source::Grid),
                ..none()
            },
        ),
        (
            "rare word",
            Order::Newest,
            false,
            Filters {
                text: text("丙烯腈"),
                ..none()
            },
        ),
        (
            "word and state",
            Order::Newest,
            false,
            Filters {
                text: text("丙烯腈"),
                statuses: pending,
                ..none()
            },
        ),
        (
            "two words",
            Order::Newest,
            true,
            Filters {
                text: text("泄漏 丙烯腈"),
                ..none()
            },
        ),
        (
            "frequent character",
            Order::Newest,
            true,
            Filters {
                text: text("漏"),
                ..none()
            },
        ),
        (
            "word by due date",
            Order::Due,
            false,
            Filters {
                text: text("丙烯腈"),
                ..none()
            },
        ),
        (
            "nowhere",
            Order::Newest,
            false,
            Filters {
                text: text("核反应堆"),
                ..none()
            },
        ),
    ]
}

#[test]
fn equal_answers_cost_equally_many_statements() {
    crate::store::test_support::each_database(|small| {
        let large = match small.starts_with("sqlite") {
            true => hazardloop_tests::TestDatabase::sqlite(),
            false => hazardloop_tests::TestDatabase::postgres(),
        };
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let urls = [small, large.url()];
        let measured = urls.into_iter().zip(SIZES).map(|(url, size)| {
            let (server, second) = runtime.block_on(filled(url, size));
            let now = Timestamp::parse("2026-12-12T04:00:00Z").unwrap();
            let city = Scope::Jurisdiction(JurisdictionId(sample::id("500000000000")));
            let one = |(name, order, town, filters): (_, _, bool, Filters)| {
                let scopes = [if town {
                    Scope::Jurisdiction(second)
                } else {
                    city
                }];
                let found = std::cell::Cell::new(0);
                let asked = statements(&server.app.db, |conn| {
                    let list = HazardList::new(&filters, &scopes, None, order, now);
                    let wanted = Wanted {
                        after: None,
                        limit: 50,
                    };
                    let page = list.page(conn, wanted, EXAMINED_PER_PAGE)?;
                    found.set(page.items.len());
                    Ok::<_, Failure>(())
                });
                (name, found.get(), asked.len())
            };
            cases().into_iter().map(one).collect::<Vec<_>>()
        });
        let measured: Vec<_> = measured.collect();
        for (small, large) in measured[0].iter().zip(&measured[1]) {
            assert_eq!(small.1, large.1, "{}: the same answers", small.0);
            assert!(
                large.2 <= small.2 + 2 && small.2 <= 12,
                "{small:?} {large:?}"
            );
        }
    });
}
