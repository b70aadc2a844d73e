//! A sector that goes from one department to another: its hazards name the new one, its people hold them, those of the old
//! one hold nothing any more, and what they had not sent waits for somebody to decide.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use std::collections::BTreeMap;

use hazardloop_domain::access::{GrantScope, Role};
use hazardloop_domain::command::{Action, Note};
use hazardloop_domain::hazard::Hazard;
use hazardloop_domain::ids::{GrantId, HazardId, JurisdictionId, PersonId};
use hazardloop_sync_protocol::wire::{
    Outcome, PushResult, QuarantineReason, RecordKind, Scope, ScopeUpdate, SectorName,
};
use serde_json::{Value, json};

use super::authorization_world::add_with;
use super::test_client::{ask, command_body, get, new_id, post, report_body};
use crate::jobs::run_due;
use crate::sample;
use crate::store::access;
use crate::test_support::{
    NOW, TestDevice, TestServer, hazard_id, on_each_database, person, terms,
};
use crate::usecases::people::{self, NewGrant, Terms};
use crate::usecases::pull_tests::{cursors, pull};
use crate::usecases::push::push;

const SECTOR: &str = "industry-and-trade";

fn district() -> JurisdictionId {
    JurisdictionId(sample::id("500153000000"))
}

fn of_the_sector() -> Terms {
    Terms {
        sectors: vec![SECTOR.to_owned()],
        ..terms(
            Role::DepartmentReviewer,
            GrantScope::Jurisdiction(district()),
        )
    }
}

async fn say(server: &TestServer, seen: &str, department: &str) {
    let path = format!("/jurisdictions/{}/responsibilities", district());
    let rows =
        json!({"rows": [{"sector": SECTOR, "department": department}], "fallback": "区安委办"});
    let asked = ask(server, "admin", "PUT", &path).with("If-Match", seen);
    asked.json(&rows).answer().await.expect(200);
}

async fn assign(server: &TestServer, hazard: u64, department: &str) {
    let command = json!({"kind": "assign_sector", "sector": SECTOR, "department": department});
    let path = format!("/hazards/{}/commands", new_id(hazard));
    let answer = post(
        server,
        "reviewer",
        &path,
        &command_body(100 + hazard, command),
    )
    .await;
    answer.expect(200);
}

async fn shown(server: &TestServer, hazard: u64) -> Value {
    let path = format!("/hazards/{}", new_id(hazard));
    get(server, "reviewer", &path).await.expect(200)
}

/// What a first pull gives out in the scope of the sector: the department of each hazard.
async fn held(server: &TestServer, device: &TestDevice) -> BTreeMap<String, Option<String>> {
    let request = device.pull(None, Vec::new());
    let answer = pull(&server.app, device.person_id, request).await.unwrap();
    let scope = Scope::JurisdictionSector(district(), SectorName::new(SECTOR).unwrap());
    let page = answer
        .answers
        .into_iter()
        .find_map(|answer| match answer.update {
            ScopeUpdate::Page(page) if answer.scope == scope => Some(page),
            _ => None,
        });
    let records = page.into_iter().flat_map(|page| page.records);
    let hazards = records.filter(|record| record.kind == RecordKind::Hazard);
    hazards
        .map(|record| minicbor::decode::<Hazard>(&record.body.0).unwrap())
        .map(|hazard| (hazard.id.to_string(), hazard.department))
        .collect()
}

async fn take_the_role(server: &TestServer, who: PersonId) {
    let app = &server.app;
    let grants = app.db.read(move |tx| access::grants_of(tx.conn(), who));
    let grants = grants.await.unwrap();
    people::end_grant(app, person("admin"), who, 1, grants[0].id)
        .await
        .unwrap();
}

async fn give_the_role(server: &TestServer, who: PersonId, seen: i64) {
    let new = NewGrant {
        id: GrantId(hazard_id(500).0),
        terms: of_the_sector(),
        valid_from: None,
        valid_until: None,
        temporary_reason: None,
    };
    people::grant(&server.app, person("admin"), who, seen, new)
        .await
        .unwrap();
}

#[test]
fn a_sector_goes_from_one_department_to_another_with_all_that_is_open() {
    on_each_database(async |server| {
        let app = &server.app;
        say(&server, "\"1\"", "区经信委").await;
        for hazard in 1..=4 {
            let body = report_body(&new_id(hazard), "polishing", "除尘管道积尘");
            post(&server, "employee", "/hazards", &body)
                .await
                .expect(201);
        }
        assign(&server, 1, "区经信委").await;
        // Given to somebody else on purpose.
        assign(&server, 2, "区公安分局").await;
        assign(&server, 4, "区经信委").await;
        let reject = json!({"kind": "reject", "reason": "重复上报的同一情况"});
        let path = format!("/hazards/{}/commands", new_id(4));
        post(&server, "reviewer", &path, &command_body(120, reject))
            .await
            .expect(200);

        let old = add_with(&server, "old-reviewer", of_the_sector());
        let new = add_with(
            &server,
            "new-reviewer",
            terms(
                Role::DepartmentReviewer,
                GrantScope::Jurisdiction(JurisdictionId(sample::id("500153003000"))),
            ),
        );
        let mut device = TestDevice::enrol_as(app, old, 1).await;
        let request = device.pull(None, Vec::new());
        let first = pull(app, old, request).await.unwrap();
        assert_eq!(held(&server, &device).await.len(), 4);
        // Written without a network.
        let note = Note {
            text: "约定周三到场核实".to_owned(),
        };
        let id = HazardId(new_id(1).parse().unwrap());
        let unsent = device.seal(id, Action::Note(note));

        server.set_now(NOW.plus_millis(60_000));
        say(&server, "\"2\"", "区应急局").await;
        take_the_role(&server, old).await;
        give_the_role(&server, new, 1).await;
        run_due(app).await.unwrap();

        assert_eq!(shown(&server, 1).await["department"], "区应急局");
        assert_eq!(shown(&server, 2).await["department"], "区公安分局");
        assert!(shown(&server, 3).await.get("department").is_none());
        assert_eq!(shown(&server, 4).await["department"], "区经信委");
        let path = format!("/hazards/{}/events", new_id(1));
        let events = get(&server, "reviewer", &path).await.expect(200);
        let last = events["items"].as_array().unwrap().last().unwrap().clone();
        assert_eq!(last["kind"], "sector_assigned");
        assert!(last.get("actor_id").is_none(), "{last}");

        let heir = TestDevice::enrol_as(app, new, 2).await;
        let now = held(&server, &heir).await;
        assert_eq!(now.len(), 4);
        assert_eq!(now[&new_id(1)].as_deref(), Some("区应急局"));

        let answer = push(app, old, device.push(vec![unsent])).await.unwrap();
        let PushResult::Receipt(receipt) = &answer.results[0] else {
            panic!("{answer:?}");
        };
        let quarantined = matches!(
            receipt.outcome,
            Outcome::Quarantined {
                reason: QuarantineReason::Reassigned,
                ..
            }
        );
        assert!(quarantined, "{receipt:?}");
        let request = device.pull(Some(first.epoch.clone()), cursors(&first));
        let answer = pull(app, old, request).await.unwrap();
        let scope = Scope::JurisdictionSector(district(), SectorName::new(SECTOR).unwrap());
        let dropped = answer
            .answers
            .iter()
            .any(|it| it.scope == scope && matches!(it.update, ScopeUpdate::Drop { .. }));
        assert!(dropped, "{answer:?}");
        assert!(held(&server, &device).await.is_empty());

        // What is given to the former department on purpose, after that, stays when something else is said.
        assign(&server, 3, "区经信委").await;
        let path = format!("/jurisdictions/{}/responsibilities", district());
        let rows = json!([{"sector": SECTOR, "department": "区应急局"}, {"sector": "town-gas", "department": "区城管局"}]);
        let body = json!({"rows": rows, "fallback": "区安委办"});
        let asked = ask(&server, "admin", "PUT", &path).with("If-Match", "\"3\"");
        asked.json(&body).answer().await.expect(200);
        let version = shown(&server, 1).await["version"].clone();
        run_due(app).await.unwrap();
        assert_eq!(shown(&server, 3).await["department"], "区经信委");
        assert_eq!(shown(&server, 1).await["version"], version);
    });
}

#[test]
fn what_no_department_plainly_answers_for_follows_who_takes_what_is_left() {
    on_each_database(async |server| {
        let path = format!("/jurisdictions/{}/responsibilities", district());
        let put = async |seen: &str, rows: Value, fallback: &str| {
            let body = json!({"rows": rows, "fallback": fallback});
            let asked = ask(&server, "admin", "PUT", &path).with("If-Match", seen);
            asked.json(&body).answer().await.expect(200);
        };
        put("\"1\"", json!([]), "区安委办").await;
        for hazard in 1..=2 {
            let body = report_body(&new_id(hazard), "polishing", "除尘管道积尘");
            post(&server, "employee", "/hazards", &body)
                .await
                .expect(201);
            assign(&server, hazard, "区安委办").await;
        }
        put("\"2\"", json!([]), "区应急局").await;
        run_due(&server.app).await.unwrap();
        assert_eq!(shown(&server, 1).await["department"], "区应急局");
        // Named at last: what had only been taken as left over goes to who plainly answers.
        let rows = json!([{"sector": SECTOR, "department": "区经信委"}]);
        put("\"3\"", rows, "区安委办").await;
        run_due(&server.app).await.unwrap();
        assert_eq!(shown(&server, 2).await["department"], "区经信委");
        // Nobody says anything: the name stays, and the hazard is in the queue of what nobody answers for.
        let seen = ask(&server, "admin", "PUT", &path).with("If-Match", "\"4\"");
        seen.json(&json!({"rows": []})).answer().await.expect(200);
        run_due(&server.app).await.unwrap();
        assert_eq!(shown(&server, 1).await["department"], "区经信委");
    });
}

/// A town below says who answers there, and has all along: what the district says of it counts elsewhere.
#[test]
fn what_a_town_says_itself_does_not_change_with_its_district() {
    on_each_database(async |server| {
        let town = format!(
            "/jurisdictions/{}/responsibilities",
            sample::id("500153003000")
        );
        let own = json!({"rows": [{"sector": SECTOR, "department": "街道应急办"}]});
        let asked = ask(&server, "admin", "PUT", &town).with("If-Match", "\"0\"");
        asked.json(&own).answer().await.expect(200);
        say(&server, "\"1\"", "区经信委").await;
        let body = report_body(&new_id(1), "polishing", "除尘管道积尘");
        post(&server, "employee", "/hazards", &body)
            .await
            .expect(201);
        // On purpose: the district's department, though the town has its own.
        assign(&server, 1, "区经信委").await;
        say(&server, "\"2\"", "区应急局").await;
        run_due(&server.app).await.unwrap();
        assert_eq!(shown(&server, 1).await["department"], "区经信委");
    });
}
