//! What waits for somebody by name is on their device before everything else, and only while it does.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use hazardloop_domain::access::{GrantScope, Role};
use hazardloop_domain::enterprise::Enterprise;
use hazardloop_domain::ids::{EnterpriseId, JurisdictionId, PersonId};
use hazardloop_sync_protocol::digest::DigestKey;
use hazardloop_sync_protocol::wire::{Checkpoint, RecordKind, Scope, ScopeUpdate, SectorName};
use serde_json::{Value, json};
use uuid::Uuid;

use super::authorization_world::add_with;
use super::test_client::{ask, command_body, get, new_id, post, second_district};
use crate::sample;
use crate::store::Db;
use crate::test_support::{TestDevice, TestServer, enterprise, on_each_database, person, terms};
use crate::usecases::people::Terms;
use crate::usecases::pull_tests::pull;
use crate::usecases::relocate::{self, Move};

fn district() -> JurisdictionId {
    JurisdictionId(sample::id("500153000000"))
}

async fn send(server: &TestServer, login: &str, number: u64, visit: u64, command: Value) {
    let path = format!("/inspections/{}/commands", new_id(visit));
    let answer = post(server, login, &path, &command_body(number, command)).await;
    answer.expect(200);
}

async fn plan(server: &TestServer, visit: u64, firm: &str, team: &[PersonId]) {
    let team: Vec<_> = team.iter().map(|id| json!({"person_id": id})).collect();
    let plan = json!({
        "kind": "plan_inspection", "window_from": "2026-11-22", "window_to": "2026-11-29",
        "setup": {"kind": "plan", "enterprise_id": sample::id(firm), "basis": "年度计划",
            "checklists": [], "team": team},
    });
    send(server, "reviewer", 1_000 + visit, visit, plan).await;
}

/// A record as a scope gives it out: what it is, which one, its version.
type Given = (RecordKind, Uuid, i64);

/// What the scopes of tasks of a device give it, each as its checkpoint says, and the scopes in the order of the answer.
async fn given(server: &TestServer, device: &TestDevice) -> (Vec<(Scope, Vec<Given>)>, Vec<Scope>) {
    let request = device.pull(None, Vec::new());
    let answer = pull(&server.app, device.person_id, request).await.unwrap();
    let key = DigestKey(answer.digest_key.unwrap().0.try_into().unwrap());
    let order = answer.answers.iter().map(|answer| answer.scope).collect();
    let mut tasks = Vec::new();
    for answer in answer.answers {
        let (Scope::Tasks(..), ScopeUpdate::Page(page)) = (answer.scope, answer.update) else {
            continue;
        };
        let sum = page.records.iter().map(|it| {
            let body = &it.body.0;
            key.of_record(it.kind, &it.id, it.version, body)
        });
        let counted = Checkpoint {
            count: page.records.len() as u64,
            digest: sum.fold(0, u64::wrapping_add),
        };
        assert_eq!(page.checkpoint, Some(counted), "{}", answer.scope);
        let records = page.records.iter();
        let mut records: Vec<Given> = records.map(|it| (it.kind, it.id, it.version)).collect();
        records.sort_unstable();
        tasks.push((answer.scope, records));
    }
    (tasks, order)
}

/// What waits for them, of all scopes together.
async fn tasks(server: &TestServer, device: &TestDevice) -> Vec<Given> {
    let given = given(server, device).await.0;
    given.into_iter().flat_map(|(_, records)| records).collect()
}

fn firm_given(server: &TestServer, firm: &str) -> Given {
    let firm = stored(&server.app.db, enterprise(firm));
    (RecordKind::Enterprise, firm.id.0, firm.version)
}

fn stored(db: &Db, id: EnterpriseId) -> Enterprise {
    let found = db.read_blocking(|tx| crate::store::places::enterprise(tx.conn(), id));
    found.unwrap().unwrap()
}

fn visit_given(visit: u64, version: i64) -> Given {
    let id = new_id(visit).parse().unwrap();
    (RecordKind::Inspection, id, version)
}

#[test]
fn an_inspection_is_on_the_devices_of_its_team_first_with_its_enterprise_until_it_is_over() {
    on_each_database(async |server| {
        let app = &server.app;
        let team = [person("inspector1"), person("inspector2")];
        let one = TestDevice::enrol(app, "inspector1", 1).await;
        let two = TestDevice::enrol(app, "inspector2", 2).await;
        let reviewer = TestDevice::enrol(app, "reviewer", 3).await;
        assert_eq!(tasks(&server, &one).await, []);

        plan(&server, 1, "polishing", &team).await;
        let firm = firm_given(&server, "polishing");
        for device in [&one, &two] {
            assert_eq!(tasks(&server, device).await, [firm, visit_given(1, 1)]);
        }
        let (_, order) = given(&server, &one).await;
        let at = |wanted: fn(&Scope) -> bool| order.iter().position(wanted).unwrap();
        let tasks_at = at(|scope| matches!(scope, Scope::Tasks(..)));
        assert!(
            tasks_at < at(|scope| matches!(scope, Scope::Jurisdiction(_))),
            "{order:?}"
        );
        // Who plans is on no team, and has no such scope.
        let (nothing, order) = given(&server, &reviewer).await;
        assert!(nothing.is_empty() && !order.is_empty(), "{order:?}");

        // The enterprise is given out as it is by now.
        let path = format!("/enterprises/{}", sample::id("polishing"));
        let seen = get(&server, "reviewer", &path).await;
        let change = json!({"employee_count": 121});
        let tag = seen.header("etag").to_owned();
        let patch = ask(&server, "reviewer", "PATCH", &path).with("If-Match", &tag);
        patch.json(&change).answer().await.expect(200);
        let changed = firm_given(&server, "polishing");
        assert!(changed.2 > firm.2);
        assert_eq!(tasks(&server, &one).await, [changed, visit_given(1, 1)]);

        // A second one there: the enterprise stays until both are over.
        plan(&server, 2, "polishing", &team).await;
        let cancel = json!({"kind": "cancel_inspection", "reason": "计划调整"});
        send(&server, "reviewer", 20, 1, cancel.clone()).await;
        assert_eq!(tasks(&server, &one).await, [changed, visit_given(2, 1)]);

        let other = add_with(
            &server,
            "third",
            terms(Role::Inspector, GrantScope::Jurisdiction(district())),
        );
        let change = json!({"kind": "change_team", "reason": "人员调整",
            "team": [{"person_id": team[0]}, {"person_id": other}]});
        send(&server, "reviewer", 21, 2, change).await;
        assert_eq!(tasks(&server, &one).await, [changed, visit_given(2, 2)]);
        assert_eq!(tasks(&server, &two).await, []);
        send(&server, "reviewer", 22, 2, cancel).await;
        assert_eq!(tasks(&server, &one).await, []);
    });
}

#[test]
fn what_waits_moves_with_the_enterprise_and_is_of_the_sectors_of_the_role() {
    on_each_database(async |server| {
        let app = &server.app;
        let sector = stored(&app.db, enterprise("polishing")).sector;
        let limited = |sector: &str| Terms {
            sectors: vec![sector.to_owned()],
            ..terms(Role::Inspector, GrantScope::Jurisdiction(district()))
        };
        let second = person("inspector2");
        let (of_it, of_another) = (
            add_with(&server, "of-it", limited(&sector)),
            add_with(&server, "of-another", limited("城镇燃气")),
        );
        plan(&server, 1, "polishing", &[of_it, of_another, second]).await;
        let mut devices = Vec::new();
        for (number, who) in (1..).zip([of_it, of_another]) {
            devices.push(TestDevice::enrol_as(app, who, number).await);
        }
        let firm = firm_given(&server, "polishing");
        let name = SectorName::new(&sector).unwrap();
        let both = vec![firm, visit_given(1, 1)];
        let scope = Scope::Tasks(of_it, district(), Some(name));
        assert_eq!(given(&server, &devices[0]).await.0, [(scope, both.clone())]);
        assert_eq!(tasks(&server, &devices[1]).await, []);

        // A role that comes after the inspection was planned, for a sector that has its scope already.
        let late = add_with(
            &server,
            "late",
            terms(
                Role::Expert,
                GrantScope::Enterprise(enterprise("polishing")),
            ),
        );
        let change = json!({"kind": "change_team", "reason": "人员调整",
            "team": [{"person_id": of_it}, {"person_id": second}, {"person_id": late}]});
        send(&server, "reviewer", 21, 1, change).await;
        let device = TestDevice::enrol_as(app, late, 3).await;
        assert_eq!(tasks(&server, &device).await, []);
        let late = format!("/people/{late}");
        let tag = get(&server, "admin", &late).await.header("etag").to_owned();
        let grant = json!({"id": new_id(90), "role": "inspector", "scope": {"jurisdiction": district()},
            "sectors": [sector], "certificate": {"number": "渝A-900900", "valid_to": "2030-12-31"}});
        let given = ask(&server, "admin", "POST", &format!("{late}/grants"));
        let given = given.with("If-Match", &tag).json(&grant);
        given.answer().await.expect(201);
        assert_eq!(tasks(&server, &device).await, [firm, visit_given(1, 2)]);

        // Out of the district: it is nobody's task there any more.
        let away = second_district(&server).await;
        let before = stored(&app.db, enterprise("polishing"));
        let asked = Move {
            seen: before.version,
            to: JurisdictionId(away.parse().unwrap()),
            reason: "区划调整".to_owned(),
        };
        relocate::relocate(app, person("admin"), before.id, asked)
            .await
            .unwrap();
        crate::jobs::run_due(app).await.unwrap();
        assert_eq!(tasks(&server, &devices[0]).await, []);
    });
}
