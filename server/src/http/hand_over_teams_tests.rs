//! Planned inspections go with a desk that is handed over, and are on the successor's device.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use diesel::RunQueryDsl as _;
use hazardloop_domain::access::{GrantScope, Role};
use hazardloop_domain::ids::{EnterpriseId, JurisdictionId, PersonId};
use hazardloop_domain::inspection::Inspection;
use hazardloop_sync_protocol::wire::{RecordKind, ScopeUpdate};
use serde_json::{Value, json};

use super::authorization_world::add_person;
use super::test_client::{command_body, get, new_id, post};
use crate::jobs::run_due;
use crate::sample;
use crate::store::{StoreError, WriteTx};
use crate::test_support::{
    NOW, TestDevice, TestServer, on_each_database, on_each_database_with, person, seal_everything,
};
use crate::usecases::audit;
use crate::usecases::pull_tests::pull;

fn district() -> GrantScope {
    GrantScope::Jurisdiction(JurisdictionId(sample::id("500153000000")))
}

fn body(number: u64, from: &str, to: PersonId) -> Value {
    json!({"id": new_id(number), "from_person": person(from), "to_person": to, "reason": "调任其他岗位"})
}

async fn send(server: &TestServer, login: &str, visit: u64, command: Value) -> Value {
    let number = 1_000 + visit * 10 + u64::from(command["kind"] != "plan_inspection");
    let path = format!("/inspections/{}/commands", new_id(visit));
    let answer = post(server, login, &path, &command_body(number, command)).await;
    answer.expect(200)
}

/// A visit of the polishing works that is planned.
async fn plan(server: &TestServer, visit: u64, kind: &str, team: &[&str]) {
    let team: Vec<_> = team
        .iter()
        .map(|login| json!({"person_id": person(login), "department": "区应急局"}))
        .collect();
    let plan = json!({
        "kind": "plan_inspection", "window_from": "2026-11-22", "window_to": "2026-11-29",
        "setup": {"kind": kind, "enterprise_id": sample::id("polishing"), "basis": "年度计划",
            "checklists": [], "team": team},
    });
    send(server, "reviewer", visit, plan).await;
}

fn start() -> Value {
    json!({"kind": "start_inspection", "started_at": "2026-11-22T00:30:00Z", "place_text": "打磨车间",
        "certificates_shown": true})
}

async fn team(server: &TestServer, visit: u64) -> Vec<Value> {
    let path = format!("/inspections/{}", new_id(visit));
    let shown = get(server, "reviewer", &path).await.expect(200);
    let team = shown["team"].as_array().unwrap().iter();
    team.map(|member| member["person_id"].clone()).collect()
}

/// A team's list that lags behind: the visit has begun, and is in the list of what is planned all the same.
fn still_listed(server: &TestServer, login: &str, visit: u64) {
    let who = person(login).as_bytes().to_vec();
    let which: uuid::Uuid = new_id(visit).parse().unwrap();
    let work = move |tx: &mut WriteTx<'_>| {
        diesel::sql_query("INSERT INTO planned_members (person_id, inspection_id) VALUES ($1, $2)")
            .bind::<diesel::sql_types::Binary, _>(who.clone())
            .bind::<diesel::sql_types::Binary, _>(which.as_bytes().to_vec())
            .execute(tx.conn())
            .map(drop)
            .map_err(StoreError::from)
    };
    server.app.db.write_blocking(work).unwrap();
}

fn outcome(visit: u64, outcome: &str) -> Value {
    json!({"inspection_id": new_id(visit), "outcome": outcome})
}

#[test]
fn the_successor_takes_the_place_on_the_team_and_goes_there() {
    on_each_database(async |server| {
        let heir = add_person(&server, "heir", Role::Inspector, district());
        let device = TestDevice::enrol_as(&server.app, heir, 1).await;
        plan(&server, 1, "plan", &["inspector1", "inspector2"]).await;
        plan(
            &server,
            2,
            "unannounced_visit",
            &["inspector2", "inspector1"],
        )
        .await;
        // Begun already, and another's.
        plan(&server, 3, "plan", &["inspector1", "inspector2"]).await;
        send(&server, "inspector1", 3, start()).await;
        still_listed(&server, "inspector1", 3);
        plan(&server, 4, "plan", &["inspector2", "expert"]).await;

        let made = post(
            &server,
            "admin",
            "/hand-overs",
            &body(10, "inspector1", heir),
        )
        .await;
        let made = made.expect(201);
        let moved = json!([outcome(1, "moved"), outcome(2, "moved")]);
        assert_eq!(made["inspections"], moved);
        let path = format!("/hand-overs/{}", new_id(10));
        assert_eq!(get(&server, "head", &path).await.expect(200), made);
        let again = post(
            &server,
            "admin",
            "/hand-overs",
            &body(10, "inspector1", heir),
        )
        .await;
        assert_eq!(again.expect(200), made);

        let (heirs, second) = (json!(heir), json!(person("inspector2")));
        assert_eq!(team(&server, 1).await, [heirs.clone(), second.clone()]);
        assert_eq!(team(&server, 2).await, [second.clone(), heirs.clone()]);
        assert_eq!(
            team(&server, 3).await,
            [json!(person("inspector1")), second.clone()]
        );
        assert_eq!(team(&server, 4).await, [second, json!(person("expert"))]);
        let events = format!("/inspections/{}/events", new_id(1));
        let events = get(&server, "reviewer", &events).await.expect(200);
        let last = events["items"].as_array().unwrap().last().unwrap();
        assert_eq!(last["kind"], "team_changed");
        assert_eq!(last["actor_id"], json!(person("admin")));
        assert_eq!(last["event"]["change"]["reason"], "调任其他岗位");

        let pulled = pull(&server.app, heir, device.pull(None, Vec::new())).await;
        let on_device = pulled.unwrap().answers.into_iter().find_map(|answer| {
            let ScopeUpdate::Page(page) = answer.update else {
                return None;
            };
            let mut records = page.records.into_iter();
            let it = records.find(|record| {
                record.kind == RecordKind::Inspection && record.id.to_string() == new_id(1)
            })?;
            Some(minicbor::decode::<Inspection>(&it.body.0).unwrap())
        });
        let on_device = on_device.unwrap();
        assert_eq!(on_device.team[0].person_id, heir);
        assert_eq!(on_device.team[0].department.as_deref(), Some("区应急局"));
        send(&server, "heir", 1, start()).await;
        seal_everything(&server.app.db);
        let report = audit::verify(&server.app.db, None).unwrap();
        assert_eq!(report.faults, 0, "{:?}", report.findings);
    });
}

/// Where visits are planned is not for the enterprise to learn, though it sees its experts.
#[test]
fn the_enterprise_sees_the_hand_over_of_its_expert_without_the_visits() {
    on_each_database(async |server| {
        let polishing = GrantScope::Enterprise(EnterpriseId(sample::id("polishing")));
        add_person(&server, "adviser", Role::Expert, polishing);
        let heir = add_person(&server, "heir", Role::Expert, polishing);
        plan(&server, 1, "expert_visit", &["adviser"]).await;
        let body = body(10, "adviser", heir);
        let made = post(&server, "admin", "/hand-overs", &body).await;
        let made = made.expect(201);
        assert_eq!(made["inspections"], json!([outcome(1, "moved")]));
        let path = format!("/hand-overs/{}", new_id(10));
        for (login, visits) in [
            ("principal", false),
            ("adviser", true),
            ("heir", true),
            ("head", true),
            ("supervisor", true),
        ] {
            let shown = get(&server, login, &path).await.expect(200);
            assert_eq!(shown["from_person"], made["from_person"], "{login}");
            assert_eq!(shown.get("inspections").is_some(), visits, "{login}");
        }
        for login in ["employee", "inspector1"] {
            assert_eq!(get(&server, login, &path).await.status, 404, "{login}");
        }
    });
}

#[test]
fn whoever_does_not_fit_leaves_the_predecessor_on_the_team_and_it_is_said() {
    on_each_database(async |server| {
        let grid = add_person(&server, "clerk", Role::GridWorker, district());
        let reviewer = add_person(&server, "reviewer2", Role::DepartmentReviewer, district());
        plan(&server, 1, "plan", &["inspector1", "inspector2"]).await;
        plan(
            &server,
            2,
            "plan",
            &["inspector2", "inspector1", "reviewer"],
        )
        .await;
        plan(&server, 3, "expert_visit", &["expert"]).await;
        // The role, but no certificate: the visit would lack an inspector.
        let made = post(
            &server,
            "head",
            "/hand-overs",
            &body(10, "inspector1", grid),
        )
        .await;
        let kept = "successor_without_certificate";
        assert_eq!(
            made.expect(201)["inspections"],
            json!([outcome(1, kept), outcome(2, kept)])
        );
        assert_eq!(team(&server, 1).await[0], json!(person("inspector1")));
        // Somebody who carries out nothing.
        let made = post(
            &server,
            "head",
            "/hand-overs",
            &body(11, "reviewer", reviewer),
        )
        .await;
        let kept = "successor_without_role";
        assert_eq!(made.expect(201)["inspections"], json!([outcome(2, kept)]));
        // An expert's visit is an expert's.
        let expert = add_person(&server, "expert2", Role::GridWorker, district());
        let made = post(&server, "head", "/hand-overs", &body(12, "expert", expert)).await;
        assert_eq!(
            made.expect(201)["inspections"],
            json!([outcome(3, "moved")])
        );
        // One who is there already does not count twice.
        let second = add_person(&server, "third", Role::Inspector, district());
        let change = json!({"kind": "change_team", "reason": "增派", "team": [
            {"person_id": person("inspector2")}, {"person_id": second}]});
        send(&server, "head", 1, change).await;
        let made = post(
            &server,
            "admin",
            "/hand-overs",
            &body(13, "inspector2", second),
        )
        .await;
        let outcomes = json!([outcome(1, "successor_on_team"), outcome(2, "moved")]);
        assert_eq!(made.expect(201)["inspections"], outcomes);
    });
}

#[test]
fn many_go_in_lots_and_what_takes_effect_later_goes_then() {
    on_each_database_with(
        |settings| settings.hazards.moved_at_once = 2,
        async |server| {
            let heir = add_person(&server, "heir", Role::Inspector, district());
            let next = add_person(&server, "next", Role::Inspector, district());
            for visit in 1..=5 {
                plan(&server, visit, "plan", &["inspector1", "inspector2"]).await;
            }
            let made = post(
                &server,
                "head",
                "/hand-overs",
                &body(10, "inspector1", heir),
            )
            .await;
            assert_eq!(made.expect(201)["inspections"].as_array().unwrap().len(), 2);
            run_due(&server.app).await.unwrap();
            let path = format!("/hand-overs/{}", new_id(10));
            let shown = get(&server, "head", &path).await.expect(200);
            let all: Vec<_> = (1..=5).map(|visit| outcome(visit, "moved")).collect();
            assert_eq!(shown["inspections"], json!(all));

            let mut later = body(11, "heir", next);
            let at = NOW.plus_millis(3_600_000);
            later["effective_at"] = json!(at.to_string());
            let made = post(&server, "head", "/hand-overs", &later)
                .await
                .expect(201);
            assert_eq!(made.get("inspections"), None, "nothing yet");
            run_due(&server.app).await.unwrap();
            assert_eq!(team(&server, 1).await[0], json!(heir));
            server.set_now(at);
            run_due(&server.app).await.unwrap();
            let path = format!("/hand-overs/{}", new_id(11));
            let shown = get(&server, "head", &path).await.expect(200);
            assert_eq!(shown["inspections"], json!(all));
            assert_eq!(team(&server, 5).await[0], json!(next));
        },
    );
}
