//! Hand-overs over REST, and what the devices of both people then hold.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use hazardloop_domain::access::{GrantScope, Role};
use hazardloop_domain::command::{Action, Note, Report, Source};
use hazardloop_domain::ids::{EnterpriseId, JurisdictionId, PersonId};
use hazardloop_sync_protocol::wire::{Outcome, PushResult, QuarantineReason, Scope};
use serde_json::{Value, json};

use super::authorization_world::add_person;
use super::test_client::{ask, new_id, post, second_district};
use crate::sample;
use crate::test_support::{
    NOW, TestDevice, TestServer, hazard_id, on_each_database, person, report,
};
use crate::usecases::pull::pull;
use crate::usecases::push::push;

fn town() -> GrantScope {
    GrantScope::Jurisdiction(JurisdictionId(sample::id("500153003000")))
}

fn body(number: u64, from: PersonId, to: PersonId) -> Value {
    json!({"id": new_id(number), "from_person": from, "to_person": to, "reason": "调任其他岗位"})
}

async fn scopes(server: &TestServer, device: &TestDevice) -> Vec<Scope> {
    let request = device.pull(None, Vec::new());
    let answer = pull(&server.app, device.person_id, request).await.unwrap();
    answer
        .answers
        .into_iter()
        .map(|answer| answer.scope)
        .collect()
}

#[test]
fn what_was_the_predecessors_shows_at_the_successor_and_late_work_is_kept() {
    on_each_database(async |server| {
        let grid = person("grid");
        let successor = add_person(&server, "grid2", Role::GridWorker, town());
        add_person(&server, "other", Role::GridWorker, town());
        let polishing = GrantScope::Enterprise(EnterpriseId(sample::id("polishing")));
        let newcomer = add_person(&server, "newcomer", Role::Employee, polishing);
        let mut old = TestDevice::enrol(&server.app, "grid", 1).await;
        let new = TestDevice::enrol_as(&server.app, newcomer, 2).await;
        let report = Report {
            source: Source::Grid,
            enterprise_id: None,
            ..report("积尘")
        };
        let sealed = old.seal(hazard_id(1), Action::Report(report));
        push(&server.app, grid, old.push(vec![sealed]))
            .await
            .unwrap();
        let town = Scope::Jurisdiction(JurisdictionId(sample::id("500153003000")));
        assert!(scopes(&server, &old).await.contains(&town));
        assert!(!scopes(&server, &new).await.contains(&town));

        server.set_now(NOW.plus_millis(30_000));
        let made = post(&server, "head", "/hand-overs", &body(1, grid, newcomer)).await;
        let made = made.expect(201);
        assert_eq!(made["grants"].as_array().unwrap().len(), 1);
        // By name, also of somebody who from now on is nobody here.
        assert_eq!(
            (&made["from_name"], &made["made_by_name"]),
            (&json!("吴春梅"), &json!("何主任"))
        );
        assert!(made["to_name"].is_string(), "{made}");
        let again = post(&server, "head", "/hand-overs", &body(1, grid, newcomer)).await;
        assert_eq!(again.expect(200), made);
        let other = post(&server, "head", "/hand-overs", &body(1, grid, successor)).await;
        assert_eq!(other.status, 409);
        let nothing = post(&server, "head", "/hand-overs", &body(2, grid, newcomer)).await;
        assert!([404, 409].contains(&nothing.status), "{}", nothing.status);

        assert!(scopes(&server, &new).await.contains(&town));
        assert!(!scopes(&server, &old).await.contains(&town));
        // Noted offline before the hand-over, sent after it.
        let note = Action::Note(Note {
            text: "已电话提醒".to_owned(),
        });
        server.set_now(NOW.plus_millis(60_000));
        let sealed = old.seal(hazard_id(1), note);
        let answer = push(&server.app, grid, old.push(vec![sealed]))
            .await
            .unwrap();
        let [PushResult::Receipt(receipt)] = answer.results.as_slice() else {
            panic!("{answer:?}");
        };
        let reassigned = QuarantineReason::Reassigned;
        assert!(
            matches!(&receipt.outcome, Outcome::Quarantined { reason, .. } if *reason == reassigned),
            "{receipt:?}"
        );
        let path = format!("/hand-overs/{}", new_id(1));
        for (login, status) in [
            ("head", 200),
            ("grid", 200),
            ("newcomer", 200),
            ("other", 404),
        ] {
            assert_eq!(
                ask(&server, login, "GET", &path).answer().await.status,
                status,
                "{login}"
            );
        }
        let listed = ask(&server, "admin", "GET", "/hand-overs")
            .answer()
            .await
            .expect(200);
        assert_eq!(listed["items"], json!([made]));
        let listed = ask(&server, "other", "GET", "/hand-overs")
            .answer()
            .await
            .expect(200);
        assert_eq!(listed["items"], json!([]));
    });
}

#[test]
fn nobody_hands_over_what_is_not_theirs_to_hand_over() {
    on_each_database(async |server| {
        let (grid, inspector) = (person("grid"), person("inspector1"));
        let heir = add_person(&server, "heir", Role::GridWorker, town());
        let away = second_district(&server).await;
        let away = GrantScope::Jurisdiction(JurisdictionId(away.parse().unwrap()));
        add_person(&server, "far-head", Role::DepartmentHead, away);
        let outsider = add_person(&server, "outsider", Role::Inspector, away);
        let polishing = GrantScope::Enterprise(EnterpriseId(sample::id("polishing")));
        let colleague = add_person(&server, "colleague", Role::Employee, polishing);
        let cases = [
            ("employee", body(1, person("safety"), colleague), 403),
            ("reviewer", body(1, grid, heir), 403),
            ("inspector1", body(1, grid, heir), 403),
            // Of another district: there is nobody there.
            ("far-head", body(1, grid, heir), 404),
            // Of no interest to a principal.
            ("principal", body(1, grid, heir), 404),
            // To oneself, from oneself to oneself, to somebody elsewhere.
            ("head", body(1, inspector, person("head")), 403),
            ("head", body(1, grid, grid), 422),
            ("head", body(1, grid, outsider), 404),
            ("admin", body(1, grid, outsider), 422),
            // Above one's own place, and an administrator's.
            ("head", body(1, person("supervisor"), heir), 404),
            ("principal", body(2, person("safety"), colleague), 201),
            ("admin", body(3, inspector, heir), 201),
        ];
        for (login, body, status) in cases {
            let answer = post(&server, login, "/hand-overs", &body).await;
            let said = String::from_utf8_lossy(&answer.body).into_owned();
            assert_eq!(answer.status, status, "{login}: {said}");
        }
        // The certificate stayed with its owner.
        let shown = ask(&server, "admin", "GET", &format!("/people/{heir}"));
        let shown = shown.answer().await.expect(200);
        let held = shown["grants"].as_array().unwrap();
        let inspects = held
            .iter()
            .find(|grant| grant["role"] == "inspector")
            .unwrap();
        assert!(inspects.get("certificate").is_none(), "{inspects}");
    });
}
