//! Devices that were off while a town was merged: what they send is the successor's, or waits with its reason.

use hazardloop_domain::access::{GrantScope, Role};
use hazardloop_domain::command::{Action, Note, Source, Transfer};
use hazardloop_domain::hazard::StatusName;
use hazardloop_domain::refusal::RefusalCode;
use hazardloop_sync_protocol::wire::{Outcome, PushResult, QuarantineReason};

use super::world::{account, took_effect};
use super::*;
use crate::store::people as stored;
use crate::test_support::{NOW, TestDevice, TestServer, terms};
use crate::usecases::people as accounts;
use crate::usecases::push::push;
use hazardloop_domain::command::Report;

fn note() -> Action {
    let text = "现场已看过".to_owned();
    Action::Note(Note { text })
}

fn outcome(result: &PushResult) -> &Outcome {
    match result {
        PushResult::Receipt(receipt) => &receipt.outcome,
        other => panic!("{other:?}"),
    }
}

fn transfer_to(place: JurisdictionId) -> Action {
    Action::Transfer(Transfer {
        to_body: "广顺街道".to_owned(),
        to_jurisdiction: Some(place),
        reason: "属地管理".to_owned(),
        document_no: None,
    })
}

async fn merged(server: &TestServer, world: &World) {
    world.merge(&server.app).await.unwrap();
    run_due(&server.app).await.unwrap();
    assert_eq!(stage(&server.app, world.old), Stage::Done);
}

#[test]
fn work_of_before_that_comes_weeks_later_is_the_successors() {
    in_small_lots(async |server| {
        let app = &server.app;
        let mut world = World::build(&server).await;
        let grid = vec![
            world.seal("grid", 101, World::found(Source::Grid, None)),
            world.seal(
                "grid",
                102,
                World::found(Source::Grid, Some(enterprise("machinery"))),
            ),
            world.seal("grid", 4, note()),
        ];
        let own = vec![
            world.seal("employee", 103, Action::Report(report("积尘"))),
            world.seal("employee", 1, note()),
        ];
        merged(&server, &world).await;
        server.set_now(NOW.plus_millis(21 * 86_400_000));
        for (login, sealed) in [("grid", grid), ("employee", own)] {
            for result in world.push(app, login, sealed).await {
                assert!(took_effect(&result), "{login}: {result:?}");
            }
        }
        for number in [101, 102, 103, 1, 4] {
            assert_eq!(
                hazard(app, number).jurisdiction_id,
                world.successor,
                "{number}"
            );
        }
        // In every list and on every phone that holds the successor.
        run_due(app).await.unwrap();
        let held = app
            .db
            .read_blocking(|tx| merges::holds_anything(tx.conn(), Scope::Jurisdiction(world.old)));
        assert!(!held.unwrap());
        verified(app);
    });
}

#[test]
fn what_is_handed_over_to_the_dissolved_town_is_handed_to_its_successor() {
    in_small_lots(async |server| {
        let app = &server.app;
        let mut world = World::build(&server).await;
        let sent = vec![
            world.seal("reviewer", 9, transfer_to(world.old)),
            world.seal("reviewer", 8, transfer_to(world.old)),
        ];
        merged(&server, &world).await;
        let results = world.push(app, "reviewer", sent).await;
        assert!(took_effect(&results[0]), "{results:?}");
        let handed = hazard(app, 9);
        assert_eq!(handed.status_name(), StatusName::Transferred);
        assert_eq!(handed.jurisdiction_id, world.successor);
        assert_eq!(handed.handed_over_by(), Some(world.third));
        let kinds = world.kinds_of(app, 9);
        assert_eq!(kinds, ["reported", "transferred", "jurisdiction_merged"]);
        // The other one is the successor's already.
        let Outcome::Rejected { refusal } = outcome(&results[1]) else {
            panic!("{results:?}");
        };
        assert_eq!(refusal.code, RefusalCode::InvalidField);
        assert_eq!(refusal.field.as_deref(), Some("to_jurisdiction"));
        assert_eq!(hazard(app, 8).jurisdiction_id, world.successor);
        verified(app);
    });
}

#[test]
fn a_handover_that_was_pending_moves_with_the_town_and_can_be_sent_back() {
    in_small_lots(async |server| {
        let app = &server.app;
        let mut world = World::build(&server).await;
        // To the town, from the third one; and from the town to the third one.
        world.send(app, "reviewer", 9, transfer_to(world.old)).await;
        world
            .send(app, "reviewer", 4, transfer_to(world.third))
            .await;
        merged(&server, &world).await;
        assert_eq!(hazard(app, 9).jurisdiction_id, world.successor);
        assert_eq!(hazard(app, 9).handed_over_by(), Some(world.third));
        world.check_all(app, &[]).await;
        // Sent back to the town that is gone: its successor has it.
        account(
            app,
            "reviewer3",
            vec![terms(
                Role::DepartmentReviewer,
                GrantScope::Jurisdiction(world.third),
            )],
        )
        .await;
        let mut receiver = TestDevice::enrol_as(app, person("reviewer3"), 90).await;
        let back = serde_json::json!({"kind": "receive_transfer", "accepted": false,
            "receipt_no": "回-1", "note": "非本街道"});
        let back = receiver.seal(hazard_id(4), serde_json::from_value(back).unwrap());
        let answer = push(app, receiver.person_id, receiver.push(vec![back]))
            .await
            .unwrap();
        assert!(took_effect(&answer.results[0]), "{answer:?}");
        assert_eq!(hazard(app, 4).jurisdiction_id, world.successor);
        assert_eq!(
            world.kinds_of(app, 4).last().unwrap(),
            "jurisdiction_merged"
        );
        world.check_all(app, &[]).await;
        verified(app);
    });
}

#[test]
fn whoever_had_left_the_town_before_reads_nothing_and_their_work_waits_with_its_reason() {
    in_small_lots(async |server| {
        let app = &server.app;
        let mut world = World::build(&server).await;
        let over = terms(Role::GridWorker, GrantScope::Jurisdiction(world.old));
        let gone = account(app, "gone", vec![over]).await;
        let mut device = TestDevice::enrol_as(app, gone, 91).await;
        let sealed = vec![
            device.seal(hazard_id(6), note()),
            device.seal(
                hazard_id(104),
                Action::Report(Report {
                    source: Source::Grid,
                    ..report("占道")
                }),
            ),
        ];
        let held = app
            .db
            .read_blocking(|tx| stored::grants_of(tx.conn(), &[gone]))
            .unwrap();
        accounts::end_grant(app, person("admin"), gone, 1, held[0].grant.id)
            .await
            .unwrap();
        merged(&server, &world).await;
        let held = app
            .db
            .read_blocking(|tx| stored::grants_of(tx.conn(), &[gone]))
            .unwrap();
        assert_eq!(held.len(), 1, "a role that had ended moves nowhere");
        let answer = push(app, gone, device.push(sealed)).await.unwrap();
        // What they wrote about a hazard of the town, and a hazard that they found in it.
        for result in &answer.results {
            assert!(
                matches!(
                    outcome(result),
                    Outcome::Quarantined {
                        reason: QuarantineReason::Reassigned,
                        ..
                    }
                ),
                "{answer:?}"
            );
        }
        world.check_all(app, &[]).await;
    });
}
