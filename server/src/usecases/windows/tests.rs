//! What devices still hold of what came to its end, against a whole server on both databases.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use std::collections::BTreeSet;

use hazardloop_domain::command::{Action, Grade, Note, Source};
use hazardloop_domain::hazard::StatusName;
use hazardloop_domain::ids::JurisdictionId;
use hazardloop_domain::jurisdiction::Level;
use hazardloop_sync_protocol::wire::{Outcome, RecordKind, Scope};
use serde_json::{Value, json};
use uuid::Uuid;

use super::*;
use crate::sample;
use crate::settings::{Settings, WindowSettings};
use crate::store::Position;
use crate::test_support::{
    NOW, TestServer, add_place, enterprise, hazard_id, on_each_database_with, person,
};
use crate::usecases::bulk::{self, Made};
use crate::usecases::execute::Door;
use crate::usecases::{read, relocate};

mod clock;
mod phone;

use phone::Phone;

const DAY: i64 = 24 * 60 * 60 * 1000;

fn firm() -> Scope {
    Scope::Enterprise(enterprise("polishing"))
}

fn days(days: i64) -> Timestamp {
    NOW.plus_millis(days * DAY)
}

/// Ten days for an enterprise, three for a district, one for the city, and nothing of them for a town.
fn small(settings: &mut Settings) {
    let of = |closed_days| WindowSettings {
        closed_days,
        closed_bytes: 1 << 20,
    };
    let windows = &mut settings.sync.windows;
    windows.enterprise = of(10);
    windows.district = of(3);
    windows.city = of(1);
    windows.town = of(0);
}

fn made(number: u64, status: StatusName) -> Made {
    Made {
        id: hazard_id(number),
        enterprise_id: Some(enterprise("polishing")),
        jurisdiction_id: JurisdictionId(sample::id("500153003000")),
        sector: Some("industry-and-trade".to_owned()),
        person_id: person("inspector1"),
        source: Source::DeptInspection,
        grade: Grade::General,
        criterion: None,
        description: "除尘器积灰".to_owned(),
        place_text: "2#除尘器".to_owned(),
        point: None,
        status,
        due_date: "2026-12-31".parse().unwrap(),
    }
}

/// Hazards that come to stand so at `now`.
async fn write(server: &TestServer, now: Timestamp, all: Vec<Made>) {
    server.set_now(now);
    let door = Door::new(&server.app);
    let work = move |tx: &mut WriteTx<'_>| bulk::write(&door, tx, now, &all);
    server.app.db.write(work).await.unwrap();
}

async fn keep_all(app: &App) {
    let mut parts = 0;
    while keep(app).await.unwrap() {
        parts += 1;
        assert!(parts < 1_000, "it comes to an end");
    }
}

fn number_of(id: Uuid) -> u64 {
    let numbers = (1..1_000).find(|number| hazard_id(*number).0 == id);
    numbers.expect("one of ours")
}

fn note(text: &str) -> Action {
    let text = text.to_owned();
    Action::Note(Note { text })
}

fn action(value: Value) -> Action {
    serde_json::from_value(value).unwrap()
}

fn positions(server: &TestServer) -> Vec<String> {
    #[derive(diesel::QueryableByName)]
    struct Line {
        #[diesel(sql_type = diesel::sql_types::Text)]
        line: String,
    }
    let sql = "SELECT scope || ' ' || CAST(tx AS TEXT) || ' ' || CAST(ordinal AS TEXT) AS line \
        FROM scope_rows ORDER BY scope, tx, ordinal";
    let read = |tx: &mut crate::store::ReadTx<'_>| {
        let lines: Vec<Line> = diesel::RunQueryDsl::load(diesel::sql_query(sql), tx.conn())?;
        Ok::<_, StoreError>(lines.into_iter().map(|line| line.line).collect())
    };
    server.app.db.read_blocking(read).unwrap()
}

#[test]
fn what_came_to_its_end_leaves_in_its_time_scope_by_scope_and_stays_to_be_looked_up() {
    on_each_database_with(small, async |server| {
        let app = &server.app;
        let ended = [StatusName::Closed, StatusName::Rejected];
        let all = (1..=2).zip(ended).map(|(number, to)| made(number, to));
        let open = made(3, StatusName::Confirmed);
        write(&server, NOW, all.chain([open]).collect()).await;
        let mut employee = Phone::of(app, "employee", 1).await;
        let mut inspector = Phone::of(app, "inspector1", 2).await;
        let district = Scope::Jurisdiction(JurisdictionId(sample::id("500153000000")));
        for (day, in_firm, in_district) in [
            (0, vec![1, 2, 3], vec![1, 2, 3]),
            (3, vec![1, 2, 3], vec![1, 2, 3]),
            (4, vec![1, 2, 3], vec![3]),
            (10, vec![1, 2, 3], vec![3]),
            (11, vec![3], vec![3]),
        ] {
            server.set_now(days(day));
            keep_all(app).await;
            for (phone, scope, expected) in [
                (&mut employee, firm(), in_firm),
                (&mut inspector, district, in_district),
            ] {
                phone.pull(app).await;
                assert_eq!(phone.hazards(scope), BTreeSet::from_iter(expected), "{day}");
                let window = phone.windows[&scope];
                let left_out = !phone.hazards(scope).contains(&1);
                assert_eq!(window.complete_after, left_out.then_some(NOW), "{day}");
            }
        }
        assert_eq!(employee.windows[&firm()].closed_days, 10);
        // Over REST nothing has changed.
        for number in 1..=3 {
            let seen = read::hazard::one(app, person("employee"), hazard_id(number)).await;
            assert!(seen.is_ok(), "{number}");
        }
        let wanted = read::Wanted {
            after: None,
            limit: 10,
        };
        let order = read::hazards::Order::Newest;
        let listed = read::hazards::list(
            app,
            person("employee"),
            Default::default(),
            order,
            wanted,
            app.clock.now(),
        );
        assert_eq!(listed.await.unwrap().items.len(), 3);
        // A second pass finds nothing to do, and nobody is told anything.
        let before = positions(&server);
        keep_all(app).await;
        assert_eq!(positions(&server), before);
        let records = employee.records + employee.removals;
        employee.pull(app).await;
        assert_eq!(employee.records + employee.removals, records);
    });
}

#[test]
fn a_change_of_what_was_left_out_brings_nothing_unless_it_is_open_again() {
    on_each_database_with(small, async |server| {
        let app = &server.app;
        write(&server, NOW, vec![made(1, StatusName::Closed)]).await;
        let mut employee = Phone::of(app, "employee", 1).await;
        let mut inspector = Phone::of(app, "inspector1", 2).await;
        employee.pull(app).await;
        assert_eq!(employee.hazards(firm()), BTreeSet::from([1]));
        server.set_now(days(12));
        keep_all(app).await;
        employee.pull(app).await;
        assert!(employee.hazards(firm()).is_empty());
        let told = employee.records + employee.removals;
        // A device that no longer holds it may still act on it: it was in nobody's way, it is only not there.
        let outcome = employee.send(app, hazard_id(1), note("补记")).await;
        assert!(matches!(outcome, Outcome::Applied { .. }), "{outcome:?}");
        keep_all(app).await;
        employee.pull(app).await;
        assert!(employee.hazards(firm()).is_empty());
        assert_eq!(
            employee.records + employee.removals,
            told,
            "nothing is told"
        );
        let reopen = json!({"kind": "reopen", "reason": "抽查发现未整改到位"});
        let outcome = inspector.send(app, hazard_id(1), action(reopen)).await;
        assert!(matches!(outcome, Outcome::Applied { .. }), "{outcome:?}");
        for day in [12, 40] {
            server.set_now(days(day));
            keep_all(app).await;
            employee.pull(app).await;
            assert_eq!(employee.hazards(firm()), BTreeSet::from([1]), "{day}");
        }
    });
}

#[test]
fn beyond_its_bytes_a_scope_gives_out_the_newest_and_says_from_when_on() {
    let few = |settings: &mut Settings| {
        small(settings);
        settings.sync.windows.enterprise.closed_bytes = 2_000;
    };
    on_each_database_with(few, async |server| {
        let app = &server.app;
        let mut employee = Phone::of(app, "employee", 1).await;
        for number in 1..=9 {
            let day = i64::try_from(number).unwrap();
            let ended = made(number, StatusName::Closed);
            write(&server, days(day), vec![ended]).await;
            keep_all(app).await;
            employee.pull(app).await;
        }
        let held = employee.hazards(firm());
        let kept = u64::try_from(held.len()).unwrap();
        assert!((1..9).contains(&kept), "{held:?}");
        assert_eq!(held, BTreeSet::from_iter(10 - kept..=9), "the newest");
        let oldest_out = days(i64::try_from(9 - kept).unwrap());
        let window = employee.windows[&firm()];
        assert_eq!(window.complete_after, Some(oldest_out));
        assert_eq!(window.closed_bytes, 2_000);
        // The district has room for all that is young enough.
        let mut inspector = Phone::of(app, "inspector1", 2).await;
        inspector.pull(app).await;
        let district = Scope::Jurisdiction(JurisdictionId(sample::id("500153000000")));
        assert_eq!(inspector.hazards(district), BTreeSet::from([6, 7, 8, 9]));
        // Whatever is open again makes room for one more.
        let reopen = json!({"kind": "reopen", "reason": "抽查发现未整改到位"});
        inspector.send(app, hazard_id(9), action(reopen)).await;
        keep_all(app).await;
        employee.pull(app).await;
        assert_eq!(employee.hazards(firm()), BTreeSet::from_iter(9 - kept..=9));
    });
}

#[test]
fn a_window_that_is_set_otherwise_holds_for_what_is_there_in_bounded_parts() {
    on_each_database_with(small, async |server| {
        let app = &server.app;
        let count = u64::try_from(ROWS_AT_ONCE).unwrap() + 30;
        let all = (1..=count).map(|number| made(number, StatusName::Closed));
        write(&server, NOW, all.collect()).await;
        server.set_now(days(20));
        keep_all(app).await;
        let mut employee = Phone::of(app, "employee", 1).await;
        employee.pull(app).await;
        assert!(employee.hazards(firm()).is_empty());
        let set = |closed_days, closed_bytes| {
            let mut windows = app.settings.sync.windows.clone();
            windows.enterprise = WindowSettings {
                closed_days,
                closed_bytes,
            };
            windows
        };
        let follow = async |windows: Windows| {
            let (mut parts, windows) = (0, Arc::new(windows));
            loop {
                let turned = part(&app.db, &windows, app.clock.now()).await.unwrap();
                assert!(turned <= ROWS_AT_ONCE, "{turned} rows in one part");
                if turned < ROWS_AT_ONCE {
                    return parts;
                }
                parts += 1;
            }
        };
        assert!(follow(set(100, 1 << 30)).await >= 1, "not all at once");
        employee.pull(app).await;
        assert_eq!(employee.hazards(firm()), BTreeSet::from_iter(1..=count));
        follow(set(100, 5_000)).await;
        employee.pull(app).await;
        let kept = employee.hazards(firm()).len();
        assert!((1..20).contains(&kept), "{kept}");
        follow(set(100, 1 << 30)).await;
        employee.pull(app).await;
        assert_eq!(employee.hazards(firm()), BTreeSet::from_iter(1..=count));
        follow(set(0, 1 << 30)).await;
        employee.pull(app).await;
        assert!(employee.hazards(firm()).is_empty());
    });
}

#[test]
fn what_moves_after_its_end_enters_only_a_window_that_reaches_so_far_back() {
    on_each_database_with(small, async |server| {
        let app = &server.app;
        let (away, far) = (hazard_id(901).0, hazard_id(902).0);
        let (away, far) = (JurisdictionId(away), JurisdictionId(far));
        let city = JurisdictionId(sample::id("500000000000"));
        for (id, parent, level) in [(away, city, Level::District), (far, away, Level::Town)] {
            add_place(app, id, parent, level).await;
        }
        write(&server, NOW, vec![made(1, StatusName::Closed)]).await;
        write(&server, days(18), vec![made(2, StatusName::Closed)]).await;
        write(&server, days(19), vec![made(3, StatusName::Confirmed)]).await;
        server.set_now(days(20));
        let asked = relocate::Move {
            seen: 1,
            to: far,
            reason: "厂房搬迁".to_owned(),
        };
        let moved = relocate::relocate(app, person("admin"), enterprise("polishing"), asked);
        moved.await.unwrap();
        // The job has not come yet: what enters is judged as it enters.
        let given = |scope: Scope| {
            let first = move |tx: &mut crate::store::ReadTx<'_>| {
                crate::store::feed::first(tx.conn(), scope, Position::END, None, 100)
            };
            let rows = app.db.read_blocking(first).unwrap();
            let hazards = rows.iter().filter(|row| row.kind == RecordKind::Hazard);
            BTreeSet::from_iter(hazards.map(|row| number_of(row.id)))
        };
        assert_eq!(given(Scope::Jurisdiction(away)), BTreeSet::from([2, 3]));
        assert_eq!(given(Scope::Jurisdiction(far)), BTreeSet::from([3]));
    });
}

#[test]
fn two_servers_that_keep_the_same_windows_at_once_end_as_one_would() {
    on_each_database_with(small, async |server| {
        let count = 60;
        let all = (1..=count).map(|number| made(number, StatusName::Closed));
        write(&server, NOW, all.collect()).await;
        let open = made(count + 1, StatusName::Confirmed);
        write(&server, days(12), vec![open]).await;
        let (one, other) = (server.app.clone(), server.beside().await);
        let (first, second) = tokio::join!(keep(&one), keep(&other));
        first.unwrap();
        second.unwrap();
        keep_all(&one).await;
        let mut employee = Phone::of(&one, "employee", 1).await;
        employee.pull(&one).await;
        assert_eq!(employee.hazards(firm()), BTreeSet::from([count + 1]));
        let before = positions(&server);
        keep_all(&other).await;
        assert_eq!(positions(&server), before);
    });
}

/// Cut after every page: nothing is sent twice but the page that was cut, although the window closes meanwhile, work
/// is done, and things come to their end.
#[test]
fn a_first_pull_is_gone_on_with_after_any_page_while_the_window_moves_on() {
    on_each_database_with(small, async |server| {
        let app = &server.app;
        let closed = (1..=8).map(|number| made(number, StatusName::Closed));
        write(&server, NOW, closed.collect()).await;
        let open = (11..=14).map(|number| made(number, StatusName::Confirmed));
        write(&server, days(1), open.collect()).await;
        for cut in 0..8_u8 {
            let mut phone = Phone::of(app, "employee", 10 + cut).await;
            for _ in 0..cut {
                phone.once(app, Some(3)).await;
            }
            let arrived = phone.records;
            // An answer is lost: the next one is asked for with the same cursors.
            let cursors = phone.cursors.clone();
            let lost = phone.lose(app).await;
            phone.cursors = cursors;
            let number = u64::from(cut);
            let busy = made(20 + number, StatusName::Rejected);
            write(&server, days(9 + i64::from(cut) / 3), vec![busy]).await;
            keep_all(app).await;
            let mut pages = 0;
            while phone.once(app, Some(3)).await {
                pages += 1;
                assert!(pages < 400, "it comes to an end");
            }
            phone.pull(app).await;
            let mut fresh = Phone::of(app, "employee", 40 + cut).await;
            fresh.pull(app).await;
            assert_eq!(phone.held, fresh.held, "cut after {cut} pages");
            let again = (phone.records + phone.removals).saturating_sub(fresh.records);
            // The lost page, and what changed or left meanwhile.
            assert!(again <= lost + 3 + 9, "{again} after {arrived} had come");
        }
    });
}
