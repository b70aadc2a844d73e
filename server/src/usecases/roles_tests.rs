//! Every kind of command by every role over sync, inside and outside of the scope, on both databases:
//! outside there is nothing, inside a role without a row in the policy table does nothing.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use hazardloop_domain::access::{GrantScope, Role};
use hazardloop_domain::command::{Action, ActionKind, SubjectKind};
use hazardloop_domain::ids::{EnterpriseId, JurisdictionId, PersonId};
use hazardloop_domain::operations::Operation;
use hazardloop_domain::policy::TABLE;
use hazardloop_domain::refusal::RefusalCode;
use hazardloop_sync_protocol::wire::{Outcome, PushResult, RecordKind, ScopeUpdate};
use serde_json::Value;
use uuid::Uuid;

use super::people::{self, NewPerson, Terms};
use super::pull_tests::{pull, second_town};
use super::push::push;
use crate::app::App;
use crate::sample;
use crate::test_support::{
    NOW, TestDevice, enterprise, hazard_id, on_each_database, report, terms,
};

fn action(kind: ActionKind) -> Action {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../sync-protocol/fixtures/v1");
    let text = std::fs::read_to_string(format!("{folder}/command-{}.json", kind.as_str()));
    let sample: Value = serde_json::from_str(&text.unwrap()).unwrap();
    let mut action = sample["action"].clone();
    if kind == ActionKind::Report {
        action["enterprise_id"] = serde_json::to_value(enterprise("polishing")).unwrap();
    }
    serde_json::from_value(action).unwrap()
}

fn of_hazards(kind: &ActionKind) -> bool {
    kind.subject() == SubjectKind::Hazard
}

async fn phone(app: &App, number: u8, terms: Terms) -> TestDevice {
    let id = PersonId(Uuid::from_u128(0x7000 + u128::from(number)));
    let new = NewPerson {
        id,
        login: format!("p{number}"),
        name: "某人".to_owned(),
        phone: None,
        password_hash: "-".to_owned(),
        grants: vec![terms],
    };
    let key = app.digest_key;
    let registered = app
        .db
        .write(move |tx| people::register(tx, &key, new.clone(), None, NOW).map(drop));
    registered.await.unwrap();
    TestDevice::enrol_as(app, id, number).await
}

async fn outcome(app: &App, device: &mut TestDevice, number: u64, action: Action) -> Outcome {
    let sealed = device.seal(hazard_id(number), action);
    let answer = push(app, device.person_id, device.push(vec![sealed])).await;
    match answer.unwrap().results.pop() {
        Some(PushResult::Receipt(receipt)) => receipt.outcome,
        other => panic!("{other:?}"),
    }
}

async fn holds_the_hazard(app: &App, device: &TestDevice) -> bool {
    let answer = pull(app, device.person_id, device.pull(None, Vec::new())).await;
    answer.unwrap().answers.iter().any(|answer| {
        let ScopeUpdate::Page(page) = &answer.update else {
            return false;
        };
        let is_it = |kind, id| kind == RecordKind::Hazard && id == hazard_id(1).0;
        page.records
            .iter()
            .any(|record| is_it(record.kind, record.id))
    })
}

#[test]
fn every_command_by_every_role_inside_and_outside() {
    on_each_database(async |server| {
        let app = &server.app;
        let mut author = TestDevice::enrol(app, "employee", 250).await;
        outcome(app, &mut author, 1, Action::Report(report("积尘"))).await;
        let (second, _) = second_town(app).await;
        let first = JurisdictionId(sample::id("500153003000"));
        let (mut wrong, mut number) = (Vec::new(), 10_u64);
        for (place, role) in Role::ALL.into_iter().enumerate() {
            let over = |firm: &str, town| match role.is_of_enterprise() {
                true => GrantScope::Enterprise(EnterpriseId(sample::id(firm))),
                false => GrantScope::Jurisdiction(town),
            };
            let place = u8::try_from(place).unwrap();
            let inside = terms(role, over("polishing", first));
            let outside = terms(role, over("machinery", second));
            let mut limited = terms(role, over("polishing", first));
            limited.sectors = vec!["town-gas".to_owned()];
            let mut cases = vec![(1 + place, inside, true), (31 + place, outside, false)];
            if limited.check().is_ok() {
                cases.push((61 + place, limited, false));
            }
            for (install, terms, is_inside) in cases {
                let mut device = phone(app, install, terms).await;
                let sees = is_inside && Operation::ViewHazards.roles().contains(&role);
                assert_eq!(
                    holds_the_hazard(app, &device).await,
                    sees,
                    "{role:?} {is_inside}"
                );
                for kind in ActionKind::ALL.iter().copied().filter(of_hazards) {
                    number += 1;
                    let reports = kind == ActionKind::Report;
                    let subject = if reports { number } else { 1 };
                    let outcome = outcome(app, &mut device, subject, action(kind)).await;
                    let has_a_row = TABLE
                        .iter()
                        .any(|row| row.action == kind && row.roles.contains(&role));
                    let code = match &outcome {
                        Outcome::Rejected { refusal } => Some(refusal.code),
                        _ => None,
                    };
                    let took = matches!(outcome, Outcome::Applied { .. } | Outcome::Merged { .. });
                    let unknown = matches!(
                        code,
                        Some(
                            RefusalCode::NotFound
                                | RefusalCode::OutOfScope
                                | RefusalCode::InvalidField
                        )
                    );
                    // Nobody sends what is the server's own, wherever they are.
                    let not_theirs =
                        matches!(outcome, Outcome::Quarantined { .. }) && kind.is_servers_own();
                    let right = match (is_inside, reports || sees) {
                        _ if kind.is_servers_own() => not_theirs,
                        (true, true) => {
                            (has_a_row || !took) && !matches!(code, Some(RefusalCode::OutOfScope))
                        }
                        _ => unknown,
                    };
                    if !right {
                        wrong.push(format!(
                            "{kind:?} by {role:?}, inside {is_inside}: {outcome:?}"
                        ));
                    }
                }
            }
        }
        assert!(
            wrong.is_empty(),
            "{} wrong:\n{}",
            wrong.len(),
            wrong.join("\n")
        );
    });
}
