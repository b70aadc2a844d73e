//! The queue of what no department answers for, on both databases: over random changes, at once or
//! one after the other, it holds exactly those hazards for which nobody answers.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use hazardloop_domain::access::{GrantScope, Role};
use hazardloop_domain::command::{Action, Report, Source};
use hazardloop_domain::ids::EnterpriseId;
use hazardloop_domain::responsibility;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use serde_json::json;

use super::*;
use crate::jobs::run_due;
use crate::sample;
use crate::store::{self, StoreError};
use crate::test_support::{
    NOW, TestDevice, TestServer, enterprise, hazard_id, on_each_database, on_each_database_with,
    person, report,
};
use crate::usecases::people::{self as accounts, NewPerson, Terms};
use crate::usecases::pull_tests::second_town;
use crate::usecases::push::push;
use crate::usecases::relocate;
use crate::usecases::responsibilities::{self as matrix, Change};

fn city() -> JurisdictionId {
    JurisdictionId(sample::id("500000000000"))
}

fn district() -> JurisdictionId {
    JurisdictionId(sample::id("500153000000"))
}

fn town() -> JurisdictionId {
    JurisdictionId(sample::id("500153003000"))
}

/// Says who answers, whatever was said before.
async fn say(app: &App, place: JurisdictionId, rows: &[(&str, &str)], fallback: Option<&str>) {
    loop {
        let (_, seen) = matrix::of(app, place).await.unwrap();
        let change = Change {
            seen,
            rows: rows
                .iter()
                .map(|(sector, department)| ((*sector).to_owned(), (*department).to_owned()))
                .collect(),
            fallback: fallback.map(str::to_owned),
        };
        match matrix::replace(app, person("admin"), place, change).await {
            Ok(_) => return,
            Err(Failure::PreconditionFailed { .. }) => {}
            Err(failure) => panic!("{failure}"),
        }
    }
}

/// A report by this device: of an enterprise, or of none and so of no known sector.
async fn file(app: &App, author: &mut TestDevice, number: u64, firm: Option<EnterpriseId>) {
    let report = Report {
        source: match firm {
            Some(_) => Source::DeptInspection,
            None => Source::Grid,
        },
        enterprise_id: firm,
        ..report("积尘")
    };
    send(app, author, number, Action::Report(report)).await;
}

async fn send(app: &App, author: &mut TestDevice, number: u64, action: Action) {
    let sealed = author.seal(hazard_id(number), action);
    push(app, author.person_id, author.push(vec![sealed]))
        .await
        .unwrap();
}

fn assign(sector: &str) -> Action {
    let assign = json!({"sector": sector, "department": "某局", "by_fallback": true});
    Action::AssignSector(serde_json::from_value(assign).unwrap())
}

async fn listed(app: &App, who: PersonId, within: Option<JurisdictionId>) -> Vec<HazardId> {
    let (mut after, mut all) = (None, Vec::new());
    loop {
        let wanted = Wanted { after, limit: 3 };
        let page = list(app, who, within, wanted).await.unwrap();
        assert!(page.items.len() <= 3);
        all.extend(page.items.iter().map(|hazard| hazard.id));
        after = page.next;
        if after.is_none() {
            return all;
        }
    }
}

/// What is stored for a jurisdiction.
fn stored(app: &App, place: JurisdictionId) -> Vec<HazardId> {
    let keys = app.db.read_blocking(move |tx| {
        unclaimed::oldest_first(tx.conn(), &[(place, None)], None, 100_000)
    });
    let keys: Result<Vec<Key>, StoreError> = keys;
    keys.unwrap().iter().map(|key| HazardId(key.id)).collect()
}

/// The same, found by looking at every hazard there is.
fn looked_for(app: &App, place: JurisdictionId) -> Vec<HazardId> {
    let found = app.db.read_blocking(move |tx| {
        let conn = tx.conn();
        let ids = unclaimed::held_after(conn, city(), None, 100_000)?;
        let ids: Vec<Uuid> = ids.iter().map(|id| id.0).collect();
        let mut found = Vec::new();
        for hazard in lists::hazards(conn, &ids)? {
            let way = lineage(conn, hazard.jurisdiction_id)?.ancestors;
            let mut said = Vec::new();
            for id in &way {
                said.push((*id, store::responsibilities::of(conn, *id)?.0));
            }
            let said: Vec<_> = said.iter().map(|(id, matrix)| (*id, matrix)).collect();
            let answers = |sector: &String| responsibility::answering(&said, sector).is_somebody();
            let claimed =
                hazard.department.is_some() || hazard.sector.as_ref().is_some_and(answers);
            let open = hazardloop_domain::hazard::StatusName::OPEN.contains(&hazard.status_name());
            if open && !claimed && way.contains(&place) {
                found.push((hazard.received_at, hazard.id));
            }
        }
        found.sort_unstable();
        Ok::<_, Failure>(found.into_iter().map(|(_, id)| id).collect())
    });
    found.unwrap()
}

/// What is stored is what is so, everywhere.
async fn settled(app: &App, places: &[JurisdictionId]) {
    run_due(app).await.unwrap();
    for place in places {
        let expected = looked_for(app, *place);
        assert_eq!(stored(app, *place), expected, "in {place}");
        assert_eq!(listed(app, person("admin"), Some(*place)).await, expected);
    }
}

#[test]
fn what_has_no_sector_waits_oldest_first_until_somebody_is_named() {
    on_each_database(async |server| {
        let app = &server.app;
        let mut grid = TestDevice::enrol(app, "grid", 1).await;
        let mut inspector = TestDevice::enrol(app, "inspector1", 2).await;
        let mut reviewer = TestDevice::enrol(app, "reviewer", 3).await;
        for number in 1..=4 {
            server.set_now(NOW.plus_millis(i64::try_from(10 - number).unwrap()));
            file(app, &mut grid, number, None).await;
        }
        // Of a sector for which the sample's district has a department.
        file(app, &mut inspector, 5, Some(enterprise("polishing"))).await;
        let waiting = [4, 3, 2, 1].map(hazard_id);
        for (who, within) in [
            ("supervisor", None),
            ("head", Some(town())),
            ("admin", Some(city())),
        ] {
            assert_eq!(listed(app, person(who), within).await, waiting);
        }
        for who in ["reviewer", "inspector1", "grid", "principal", "expert"] {
            let wanted = Wanted {
                after: None,
                limit: 3,
            };
            let refused = list(app, person(who), None, wanted).await.unwrap_err();
            assert!(matches!(refused, Failure::Forbidden(_)), "{who}");
        }
        send(app, &mut reviewer, 2, assign("industry-and-trade")).await;
        // A sector that nobody knows is refused, and nothing changes.
        send(app, &mut reviewer, 3, assign("工贸行业")).await;
        assert_eq!(
            listed(app, person("head"), None).await,
            [4, 3, 1].map(hazard_id)
        );
        let named = json!({"based_on": 1, "enterprise_id": enterprise("polishing")});
        let named = Action::Amend(serde_json::from_value(named).unwrap());
        send(app, &mut inspector, 3, named).await;
        let rejected = Action::Reject(serde_json::from_value(json!({"reason": "不属实"})).unwrap());
        send(app, &mut reviewer, 4, rejected).await;
        assert_eq!(listed(app, person("head"), None).await, [hazard_id(1)]);
        settled(app, &[city(), district(), town()]).await;
    });
}

#[test]
fn a_sector_that_loses_its_department_waits_and_leaves_as_soon_as_it_has_one() {
    // Several lots, and several runs of the job.
    on_each_database_with(
        |settings| settings.hazards.moved_at_once = 2,
        async |server| {
            let app = &server.app;
            let mut inspector = TestDevice::enrol(app, "inspector1", 2).await;
            for number in 1..=25 {
                file(app, &mut inspector, number, Some(enterprise("polishing"))).await;
            }
            file(app, &mut inspector, 30, Some(enterprise("chemicals"))).await;
            let head = person("head");
            assert!(listed(app, head, None).await.is_empty());
            say(app, district(), &[("hazardous-chemicals", "局")], None).await;
            assert!(run_due(app).await.unwrap() > 1, "the walk went on");
            assert_eq!(listed(app, head, None).await.len(), 25);
            settled(app, &[city(), district(), town()]).await;
            // Told from above: it leaves the list at once, and the table when the job comes by.
            say(app, city(), &[], Some("市应急局")).await;
            assert!(listed(app, head, None).await.is_empty());
            assert_eq!(stored(app, town()).len(), 25);
            settled(app, &[city(), district(), town()]).await;
            assert!(stored(app, city()).is_empty());
            // Another name for the same department is nobody's loss.
            say(app, city(), &[], Some("市安委办")).await;
            let runs = run_due(app).await.unwrap();
            assert_eq!(
                runs, 2,
                "those that name it follow; nothing is counted anew"
            );
            assert!(stored(app, city()).is_empty());
        },
    );
}

#[test]
fn neighbours_and_those_of_other_sectors_see_nothing_of_it() {
    on_each_database(async |server| {
        let app = &server.app;
        let (beside, worker) = second_town(app).await;
        let over = |role, place, sectors: &[&str]| Terms {
            sectors: sectors.iter().map(|name| (*name).to_owned()).collect(),
            ..(role, GrantScope::Jurisdiction(place)).into()
        };
        let mut people = Vec::new();
        for (number, terms) in [
            over(Role::Supervisor, beside, &[]),
            over(Role::DepartmentHead, district(), &["town-gas"]),
            over(Role::DepartmentHead, district(), &["industry-and-trade"]),
        ]
        .into_iter()
        .enumerate()
        {
            let new = NewPerson {
                id: PersonId(sample::id(&format!("watcher {number}"))),
                login: format!("watcher{number}"),
                name: "某人".to_owned(),
                phone: None,
                password_hash: "-".to_owned(),
                grants: vec![terms],
            };
            people.push(new.id);
            let key = app.digest_key;
            app.db
                .write(move |tx| accounts::register(tx, &key, new.clone(), None, NOW).map(drop))
                .await
                .unwrap();
        }
        let [neighbour, gas, trade] = people[..] else {
            panic!("{people:?}")
        };
        say(app, district(), &[], None).await;
        let mut grid = TestDevice::enrol(app, "grid", 1).await;
        let mut inspector = TestDevice::enrol(app, "inspector1", 2).await;
        let mut other = TestDevice::enrol_as(app, worker, 3).await;
        file(app, &mut grid, 1, None).await;
        file(app, &mut inspector, 2, Some(enterprise("polishing"))).await;
        file(app, &mut other, 3, None).await;
        assert_eq!(listed(app, neighbour, None).await, [hazard_id(3)]);
        for elsewhere in [town(), JurisdictionId(sample::id("nowhere"))] {
            assert!(listed(app, neighbour, Some(elsewhere)).await.is_empty());
        }
        // From above, too, only their own part.
        assert_eq!(listed(app, neighbour, Some(city())).await, [hazard_id(3)]);
        assert!(listed(app, gas, None).await.is_empty());
        assert_eq!(listed(app, trade, None).await, [hazard_id(2)]);
        assert_eq!(listed(app, trade, Some(town())).await, [hazard_id(2)]);
        assert!(listed(app, trade, Some(beside)).await.is_empty());
    });
}

const SECTORS: [&str; 3] = ["industry-and-trade", "hazardous-chemicals", "town-gas"];

async fn say_something(app: &App, rng: &mut StdRng, places: &[JurisdictionId]) {
    let place = places[rng.random_range(0..places.len())];
    let rows: Vec<(&str, &str)> = SECTORS
        .into_iter()
        .filter(|_| rng.random_range(0..3) == 0)
        .map(|sector| (sector, "某局"))
        .collect();
    let fallback = (rng.random_range(0..8) == 0).then_some("应急局");
    say(app, place, &rows, fallback).await;
}

async fn change_something(
    app: &App,
    rng: &mut StdRng,
    devices: &mut [TestDevice; 4],
    beside: JurisdictionId,
    known: &mut u64,
) {
    let firms = ["polishing", "chemicals", "machinery"].map(enterprise);
    let firm = firms[rng.random_range(0..3)];
    let some = rng.random_range(0..*known) + 1;
    let [inspector, grid, reviewer, head] = devices;
    match rng.random_range(0..11) {
        0 => send(app, reviewer, some, assign(SECTORS[rng.random_range(0..3)])).await,
        1 => {
            let change = json!({"based_on": 1, "enterprise_id": firm});
            let change = Action::Amend(serde_json::from_value(change).unwrap());
            send(app, inspector, some, change).await;
        }
        2 => {
            let over = json!({"reason": "不属实"});
            let over = Action::Reject(serde_json::from_value(over).unwrap());
            send(app, reviewer, some, over).await;
        }
        3 => {
            let now = super::super::enterprises::one(app, person("admin"), firm).await;
            let to = if rng.random_range(0..2) == 0 {
                town()
            } else {
                beside
            };
            let asked = relocate::Move {
                seen: now.unwrap().version,
                to,
                reason: "搬迁".to_owned(),
            };
            let moved = relocate::relocate(app, person("admin"), firm, asked).await;
            moved.unwrap();
        }
        4 => {
            let away = json!({"to_jurisdiction": beside, "document_no": "移送〔2026〕1号",
                "to_body": "邻镇", "reason": "不属本镇"});
            let away = Action::Transfer(serde_json::from_value(away).unwrap());
            send(app, reviewer, some, away).await;
        }
        7 => {
            let receipt = json!({"accepted": rng.random_range(0..2) == 0, "note": "已阅",
                "receipt_no": "回执〔2026〕1号"});
            let receipt = Action::ReceiveTransfer(serde_json::from_value(receipt).unwrap());
            send(app, head, some, receipt).await;
        }
        5 | 6 => {
            *known += 1;
            file(app, grid, *known, None).await;
        }
        _ => {
            *known += 1;
            file(app, inspector, *known, Some(firm)).await;
        }
    }
}

#[test]
fn over_random_changes_the_queue_is_what_one_finds_by_looking_at_everything() {
    on_each_database_with(
        |settings| settings.hazards.moved_at_once = 3,
        async |server| {
            let app = &server.app;
            let mut rng = StdRng::seed_from_u64(20_261_126);
            let (beside, _) = second_town(app).await;
            let mut devices = [
                TestDevice::enrol(app, "inspector1", 1).await,
                TestDevice::enrol(app, "grid", 2).await,
                TestDevice::enrol(app, "reviewer", 3).await,
                TestDevice::enrol(app, "head", 4).await,
            ];
            let places = [city(), district(), town(), beside];
            let mut known = 1;
            file(app, &mut devices[1], known, None).await;
            let mut most = 0;
            for step in 0..150 {
                server.set_now(NOW.plus_millis(step / 3));
                if rng.random_range(0..5) == 0 {
                    say_something(app, &mut rng, &places).await;
                } else {
                    let devices = &mut devices;
                    change_something(app, &mut rng, devices, beside, &mut known).await;
                }
                if step % 15 == 14 {
                    settled(app, &places).await;
                    most = most.max(stored(app, city()).len());
                }
            }
            assert!(most > 10, "{most}");
        },
    );
}

/// Reports that come while somebody says who answers: each either saw it or is seen by the job.
#[test]
fn reports_that_come_while_somebody_says_who_answers_are_not_missed() {
    on_each_database(async |server| {
        let server: TestServer = server;
        let app = &server.app;
        let mut reporting = Vec::new();
        for author in 0..4_u8 {
            let mut device = TestDevice::enrol(app, "inspector1", 10 + author).await;
            let app = app.clone();
            reporting.push(tokio::spawn(async move {
                for number in 0..12 {
                    let number = u64::from(author) * 100 + number + 1;
                    file(&app, &mut device, number, Some(enterprise("polishing"))).await;
                }
            }));
        }
        for round in 0..6 {
            let rows = [("industry-and-trade", "某局")];
            let rows = if round % 2 == 0 {
                &rows[..0]
            } else {
                &rows[..]
            };
            say(app, district(), rows, None).await;
            run_due(app).await.unwrap();
        }
        say(app, district(), &[], None).await;
        for task in reporting {
            task.await.unwrap();
        }
        settled(app, &[city(), district(), town()]).await;
        assert_eq!(stored(app, city()).len(), 48);
    });
}

#[test]
fn a_walk_reads_back_and_nothing_else_does() {
    let after = Key {
        at: 7,
        id: Uuid::from_u128(9),
    };
    for (whole, after) in [(true, None), (false, Some(after))] {
        let walk = Walk {
            whole,
            place: town(),
            after,
        };
        assert_eq!(walk.to_string().parse(), Ok(walk));
    }
    let place = town();
    for wrong in [
        String::new(),
        format!("some {place}"),
        "all here".to_owned(),
        format!("all {place} 7"),
        format!("all {place} x {place}"),
        format!("all {place} 7 x"),
    ] {
        assert_eq!(wrong.parse::<Walk>(), Err(BadWalk), "{wrong}");
    }
}
