//! Push against a whole server, on both databases.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use hazardloop_domain::access::{GrantScope, Role};
use hazardloop_domain::command::{Action, Amend, Close, Confirm, Grade, Note};
use hazardloop_domain::enterprise::Enterprise;
use hazardloop_domain::ids::{EnterpriseId, HazardId, JurisdictionId, PersonId};
use hazardloop_domain::refusal::RefusalCode;
use hazardloop_sync_protocol::wire::{Outcome, PushResult, QuarantineReason};

use super::people::{self, NewPerson};
use super::pull_tests::second_town;
use super::{audit, enterprises, push::push};
use crate::failure::Failure;
use crate::sample;
use crate::test_support::{
    NOW, TestDevice, TestServer, enterprise, hazard_id, on_each_database, person, report,
    seal_everything, terms,
};

fn note(text: &str) -> Action {
    Action::Note(Note {
        text: text.to_owned(),
    })
}

fn outcomes(results: &[PushResult]) -> Vec<&'static str> {
    results
        .iter()
        .map(|result| match result {
            PushResult::Receipt(receipt) => receipt.outcome.name(),
            PushResult::IdReused { .. } => "id_reused",
        })
        .collect()
}

async fn assert_record_verifies(server: &TestServer) {
    seal_everything(&server.app.db);
    let report = audit::verify(&server.app.db, None).unwrap();
    assert_eq!(
        report.findings,
        [],
        "the record must verify after every test"
    );
}

#[test]
fn a_batch_gives_an_outcome_per_command_and_the_same_receipts_again() {
    on_each_database(async |server| {
        let app = &server.app;
        let mut device = TestDevice::enrol(app, "employee", 1).await;
        let id = hazard_id(1);
        let batch = vec![
            device.seal(id, Action::Report(report("粉尘"))),
            device.seal_raw("teleport", 1, vec![1, 2, 3]),
            device.seal(id, note("第一次")),
            device.seal(
                id,
                Action::Close(Close {
                    opinion: "好".to_owned(),
                    on: None,
                }),
            ),
            device.seal_raw("note", 9, vec![0xa0]),
            device.seal_raw("note", 1, vec![0xff]),
            device.seal(hazard_id(2), note("没有这条")),
        ];
        let first = push(app, device.person_id, device.push(batch.clone()))
            .await
            .unwrap();
        let expected = [
            "applied",
            "quarantined",
            "applied",
            "conflict",
            "quarantined",
            "quarantined",
            "rejected",
        ];
        assert_eq!(outcomes(&first.results), expected);
        assert_eq!((first.last, first.expected), (7, None));
        server.set_now(NOW.plus_millis(60_000));
        let again = push(app, device.person_id, device.push(batch))
            .await
            .unwrap();
        assert_eq!(
            again.results, first.results,
            "a repeated push gets the stored receipts"
        );
        assert_record_verifies(&server).await;
    });
}

#[test]
fn a_gap_is_named_and_another_payload_under_a_used_number_is_not_taken() {
    on_each_database(async |server| {
        let app = &server.app;
        let mut device = TestDevice::enrol(app, "employee", 1).await;
        let one = device.seal(hazard_id(1), Action::Report(report("一")));
        let two = device.seal(hazard_id(1), note("二"));
        let answer = push(app, device.person_id, device.push(vec![two]))
            .await
            .unwrap();
        assert_eq!(
            (answer.expected, answer.results.len(), answer.last),
            (Some(1), 0, 0)
        );
        push(app, device.person_id, device.push(vec![one]))
            .await
            .unwrap();
        let mut restored = TestDevice::enrol_again(1, "employee");
        let other = restored.seal(hazard_id(3), Action::Report(report("另一条")));
        let answer = push(app, device.person_id, restored.push(vec![other]))
            .await
            .unwrap();
        assert_eq!(answer.results, [PushResult::IdReused { seq: 1 }]);
        assert_eq!(answer.last, 1);
    });
}

#[test]
fn forged_and_foreign_commands_are_kept_apart_and_change_nothing() {
    on_each_database(async |server| {
        let app = &server.app;
        let mut device = TestDevice::enrol(app, "employee", 1).await;
        let mut forged = device.seal(hazard_id(1), Action::Report(report("伪造")));
        forged.signature.0[0] ^= 1;
        let answer = push(app, device.person_id, device.push(vec![forged]))
            .await
            .unwrap();
        let PushResult::Receipt(receipt) = &answer.results[0] else {
            panic!()
        };
        assert!(matches!(
            receipt.outcome,
            Outcome::Quarantined {
                reason: QuarantineReason::BadSignature,
                ..
            }
        ));
        let stranger = push(app, person("inspector1"), device.push(Vec::new())).await;
        assert_eq!(stranger.unwrap_err(), Failure::NotFound("device"));
    });
}

#[test]
fn a_command_on_a_report_that_failed_is_blocked_by_it_and_blocks_nothing() {
    on_each_database(async |server| {
        let app = &server.app;
        let mut device = TestDevice::enrol(app, "employee", 1).await;
        let mut elsewhere = report("别家的");
        elsewhere.enterprise_id = Some(enterprise("chemicals"));
        let batch = vec![
            device.seal(hazard_id(1), Action::Report(elsewhere)),
            device.seal(hazard_id(1), note("跟着")),
            device.seal(hazard_id(2), Action::Report(report("自家的"))),
        ];
        let answer = push(app, device.person_id, device.push(batch))
            .await
            .unwrap();
        let PushResult::Receipt(first) = &answer.results[0] else {
            panic!()
        };
        assert!(matches!(&first.outcome,
            Outcome::Rejected { refusal } if refusal.code == RefusalCode::OutOfScope));
        let PushResult::Receipt(second) = &answer.results[1] else {
            panic!()
        };
        assert_eq!(second.outcome, Outcome::BlockedBy { seq: 1 });
        assert_eq!(outcomes(&answer.results)[2], "applied");
    });
}

#[test]
fn disjoint_edits_merge_and_the_same_field_keeps_both_values() {
    on_each_database(async |server| {
        let app = &server.app;
        let mut phone = TestDevice::enrol(app, "employee", 1).await;
        let mut office = TestDevice::enrol(app, "safety", 2).await;
        let id = hazard_id(1);
        let batch = vec![phone.seal(id, Action::Report(report("原文")))];
        push(app, phone.person_id, phone.push(batch)).await.unwrap();
        let amend = |description: Option<&str>, place: Option<&str>| {
            Action::Amend(Amend {
                based_on: 1,
                description: description.map(str::to_owned),
                place_text: place.map(str::to_owned),
                position: None,
                immediate_measure: None,
                enterprise_id: None,
            })
        };
        let batch = vec![phone.seal(id, amend(Some("甲"), None))];
        push(app, phone.person_id, phone.push(batch)).await.unwrap();
        let batch = vec![
            office.seal(id, amend(None, Some("3#除尘器"))),
            office.seal(id, amend(Some("乙"), None)),
        ];
        let answer = push(app, office.person_id, office.push(batch))
            .await
            .unwrap();
        assert_eq!(outcomes(&answer.results), ["merged", "conflict"]);
        let hazard = app
            .db
            .read(move |tx| crate::store::hazards::load(tx.conn(), id))
            .await
            .unwrap()
            .unwrap()
            .hazard;
        assert_eq!(
            (hazard.description.as_str(), hazard.place_text.as_str()),
            ("甲", "3#除尘器")
        );
        assert_eq!(hazard.disputed[0].other_value, "乙");
        assert_record_verifies(&server).await;
    });
}

#[test]
fn of_two_confirmations_the_second_is_told_and_nothing_is_lost() {
    on_each_database(async |server| {
        let app = &server.app;
        let mut phone = TestDevice::enrol(app, "employee", 1).await;
        let mut first = TestDevice::enrol(app, "inspector1", 2).await;
        let mut second = TestDevice::enrol(app, "inspector2", 3).await;
        let id = hazard_id(1);
        let batch = vec![phone.seal(id, Action::Report(report("粉尘")))];
        push(app, phone.person_id, phone.push(batch)).await.unwrap();
        let confirm = Action::Confirm(Confirm {
            grade: Grade::General,
            criterion: None,
            basis: None,
            responsible_person: "周小河".to_owned(),
            requirement: "每班清扫".to_owned(),
            due_date: "2026-12-02".parse().unwrap(),
            period: None,
            expert_opinion: None,
            responsible_unit: None,
            served: None,
            category: Some("生产设备设施".to_owned()),
        });
        let (one, two) = (first.seal(id, confirm.clone()), second.seal(id, confirm));
        let (one, two) = (first.push(vec![one]), second.push(vec![two]));
        let (one, two) = tokio::join!(
            push(app, first.person_id, one),
            push(app, second.person_id, two)
        );
        let mut both = [
            outcomes(&one.unwrap().results)[0],
            outcomes(&two.unwrap().results)[0],
        ];
        both.sort_unstable();
        assert_eq!(both, ["applied", "conflict"]);
        assert_record_verifies(&server).await;
    });
}

#[test]
fn many_devices_at_once_lose_nothing_and_the_record_verifies() {
    on_each_database(async |server| {
        let app = &server.app;
        let id = hazard_id(1);
        let mut author = TestDevice::enrol(app, "employee", 1).await;
        let batch = vec![author.seal(id, Action::Report(report("大家一起写")))];
        push(app, author.person_id, author.push(batch))
            .await
            .unwrap();
        let mut running = Vec::new();
        for number in 2..=9 {
            let mut device = TestDevice::enrol(app, "safety", number).await;
            let batch = (0..5)
                .map(|n| device.seal(id, note(&format!("{number}-{n}"))))
                .collect();
            let request = device.push(batch);
            let app = app.clone();
            running.push(tokio::spawn(async move {
                push(&app, device.person_id, request).await
            }));
        }
        for one in running {
            assert_eq!(
                outcomes(&one.await.unwrap().unwrap().results),
                ["applied"; 5]
            );
        }
        let loaded = app
            .db
            .read(move |tx| crate::store::hazards::load(tx.conn(), id))
            .await;
        assert_eq!(loaded.unwrap().unwrap().hazard.notes.len(), 40);
        assert_record_verifies(&server).await;
    });
}

#[test]
fn a_kind_with_a_nul_is_kept_and_the_next_command_goes_on() {
    on_each_database(async |server| {
        let app = &server.app;
        let mut device = TestDevice::enrol(app, "employee", 1).await;
        let batch = vec![
            device.seal_raw("te\u{0}le", 1, vec![1]),
            device.seal(hazard_id(1), Action::Report(report("粉尘"))),
        ];
        let answer = push(app, device.person_id, device.push(batch))
            .await
            .unwrap();
        assert_eq!(outcomes(&answer.results), ["quarantined", "applied"]);
    });
}

#[test]
fn an_outsider_cannot_tell_a_hazard_that_exists_from_one_that_does_not() {
    on_each_database(async |server| {
        let app = &server.app;
        let mut author = TestDevice::enrol(app, "employee", 1).await;
        let batch = vec![author.seal(hazard_id(1), Action::Report(report("粉尘")))];
        push(app, author.person_id, author.push(batch))
            .await
            .unwrap();
        let nobody = crate::test_support::stranger(app).await;
        let mut outsider = TestDevice::enrol_as(app, nobody, 2).await;
        let batch = vec![
            outsider.seal(hazard_id(1), note("有")),
            outsider.seal(hazard_id(9), note("无")),
        ];
        let answer = push(app, nobody, outsider.push(batch)).await.unwrap();
        let outcome = |at: usize| match &answer.results[at] {
            PushResult::Receipt(receipt) => receipt.outcome.clone(),
            PushResult::IdReused { .. } => panic!(),
        };
        assert_eq!(outcome(0), outcome(1));
    });
}

#[test]
fn a_report_under_the_id_of_something_else_has_an_outcome_and_holds_up_nothing() {
    on_each_database(async |server| {
        let app = &server.app;
        let mut device = TestDevice::enrol(app, "employee", 1).await;
        let firm = HazardId(enterprise("polishing").0);
        let batch = vec![
            device.seal(firm, Action::Report(report("企业的编号"))),
            device.seal(hazard_id(1), Action::Report(report("粉尘"))),
        ];
        let answer = push(app, device.person_id, device.push(batch)).await;
        let results = answer.unwrap().results;
        assert_eq!(outcomes(&results), ["rejected", "applied"]);
        let PushResult::Receipt(receipt) = &results[0] else {
            panic!("no receipt")
        };
        let Outcome::Rejected { refusal } = &receipt.outcome else {
            panic!("{:?}", receipt.outcome)
        };
        assert_eq!(refusal.code, RefusalCode::AlreadyExists);
        assert_record_verifies(&server).await;
    });
}

/// Somebody with a role over the sample's town and another over an enterprise elsewhere.
async fn somebody_of_two_places(server: &TestServer) -> (PersonId, EnterpriseId) {
    let app = &server.app;
    let (town, _) = second_town(app).await;
    let elsewhere = Enterprise {
        id: EnterpriseId(sample::id("elsewhere")),
        name: "异地厂".to_owned(),
        credit_code: None,
        jurisdiction_id: town,
        sector: "工贸".to_owned(),
        address: None,
        position: None,
        version: 1,
        profile: hazardloop_domain::enterprise::EnterpriseProfile::default(),
    };
    let first_town = JurisdictionId(sample::id("500153003000"));
    let both = NewPerson {
        id: PersonId(sample::id("both")),
        login: "both".to_owned(),
        name: "某人".to_owned(),
        phone: None,
        password_hash: "-".to_owned(),
        grants: vec![
            terms(Role::Inspector, GrantScope::Jurisdiction(first_town)),
            terms(Role::Employee, GrantScope::Enterprise(elsewhere.id)),
        ],
    };
    let made = (both.id, elsewhere.id);
    let key = app.digest_key;
    let stored = app.db.write(move |tx| {
        enterprises::register(tx, &key, &elsewhere, None, NOW)?;
        people::register(tx, &key, both.clone(), None, NOW).map(drop)
    });
    stored.await.unwrap();
    made
}

#[test]
fn an_outcome_does_not_depend_on_how_the_queue_was_cut_into_batches() {
    on_each_database(async |server| {
        let app = &server.app;
        let (person_id, elsewhere) = somebody_of_two_places(&server).await;
        let mut employee = TestDevice::enrol(app, "employee", 1).await;
        let reports = (1..=2)
            .map(|number| employee.seal(hazard_id(number), Action::Report(report("粉尘"))))
            .collect();
        push(app, employee.person_id, employee.push(reports))
            .await
            .unwrap();
        let mut device = TestDevice::enrol_as(app, person_id, 2).await;
        let moves = || {
            Action::Amend(Amend {
                based_on: 1,
                description: None,
                place_text: None,
                position: None,
                immediate_measure: None,
                enterprise_id: Some(elsewhere),
            })
        };
        let confirms = || {
            Action::Confirm(Confirm {
                grade: Grade::General,
                criterion: None,
                basis: None,
                responsible_person: "周小河".to_owned(),
                requirement: "清扫".to_owned(),
                due_date: "2026-12-10".parse().unwrap(),
                period: None,
                expert_opinion: None,
                responsible_unit: None,
                served: None,
                category: Some("生产设备设施".to_owned()),
            })
        };
        let mut seen = Vec::new();
        let whole = vec![
            device.seal(hazard_id(1), moves()),
            device.seal(hazard_id(1), confirms()),
        ];
        let first = vec![device.seal(hazard_id(2), moves())];
        let second = vec![device.seal(hazard_id(2), confirms())];
        for batch in [whole, first, second] {
            let answer = push(app, person_id, device.push(batch)).await.unwrap();
            seen.extend(outcomes(&answer.results));
        }
        assert_eq!(seen, ["applied", "quarantined", "applied", "quarantined"]);
    });
}
