//! What a revoked device offers is kept and never carried out, within its bounds; on both databases.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use hazardloop_domain::command::{Action, Note};
use hazardloop_domain::hash::Digest;
use hazardloop_sync_protocol::device::{State, StoredCommand, sealed_to_offer};
use hazardloop_sync_protocol::wire::{
    Bytes, Envelope, Outcome, PushResult, QuarantineReason, Receipt, SIGNED_BY_RUN,
};

use super::super::devices::{self, Revocation};
use super::super::{audit, push::push, quarantined};
use super::*;
use crate::test_support::{
    NOW, TestDevice, TestServer, hazard_id, on_each_database, on_each_database_with, person,
    report, seal_everything,
};

fn note(text: &str) -> Action {
    Action::Note(Note {
        text: text.to_owned(),
    })
}

fn signed(device: &TestDevice, commands: Vec<Envelope>) -> OfferRequest {
    let photos = vec![Digest([9; 32])];
    OfferRequest::sign(device.key(), 1, device.install_id, commands, photos)
}

async fn revoked(server: &TestServer, device: &TestDevice, stolen: bool) {
    let revocation = Revocation {
        reason: "lost".to_owned(),
        stolen,
    };
    let (app, by) = (&server.app, device.person_id);
    let done = devices::revoke(app, by, device.install_id, revocation);
    done.await.unwrap();
}

/// The reasons for which commands wait, as the town's administrator sees them.
async fn waiting(server: &TestServer, asker: &str) -> Vec<(i64, QuarantineReason)> {
    let listed = quarantined::list(&server.app, person(asker), None, 50).await;
    let (found, _) = listed.unwrap_or_default();
    found
        .iter()
        .map(|one| (one.quarantined.which.seq, one.quarantined.reason))
        .collect()
}

async fn verifies(server: &TestServer) {
    seal_everything(&server.app.db);
    let report = audit::verify(&server.app.db, None).unwrap();
    assert_eq!(report.findings, []);
}

fn reasons(answer: &OfferResponse) -> Vec<QuarantineReason> {
    let reason = |result: &PushResult| match result {
        PushResult::Receipt(Receipt {
            outcome: Outcome::Quarantined { reason, .. },
            ..
        }) => *reason,
        other => panic!("{other:?}"),
    };
    answer.results.iter().map(reason).collect()
}

const KEPT: QuarantineReason = QuarantineReason::OfferedAfterRevocation;

#[test]
fn what_a_revoked_device_offers_waits_for_a_person_and_changes_nothing() {
    on_each_database(async |server| {
        let app = &server.app;
        let mut device = TestDevice::enrol(app, "employee", 1).await;
        let first = device.seal(hazard_id(1), Action::Report(report("积尘")));
        let who = device.person_id;
        push(app, who, device.push(vec![first.clone()]))
            .await
            .unwrap();
        let unsent = vec![
            device.seal(hazard_id(1), note("未送达")),
            device.seal(hazard_id(2), Action::Report(report("未送达"))),
            device.seal_raw("teleport", 1, vec![1]),
        ];
        // Not before: a device that is in good standing pushes.
        let early = offer(app, signed(&device, unsent.clone())).await;
        assert!(matches!(early, Err(Failure::Conflict(_))), "{early:?}");
        revoked(&server, &device, false).await;
        let pushed = push(app, who, device.push(unsent.clone())).await;
        assert!(matches!(pushed, Err(Failure::DeviceRevoked)));

        let answer = offer(app, signed(&device, unsent.clone())).await.unwrap();
        let expected = [KEPT, KEPT, QuarantineReason::UnknownKind];
        assert_eq!(reasons(&answer), expected);
        assert_eq!(
            (answer.last, answer.expected, answer.full),
            (4, None, false)
        );
        let again = offer(app, signed(&device, unsent.clone())).await.unwrap();
        assert_eq!(again.results, answer.results, "the same receipts");
        let found = waiting(&server, "head").await;
        assert_eq!(
            found,
            [(2, KEPT), (3, KEPT), (4, QuarantineReason::UnknownKind)]
        );

        // What had effect before has it; what is offered has none.
        let all = [&[first][..], &unsent[..1]].concat();
        let whole = offer(app, signed(&device, all)).await.unwrap();
        let PushResult::Receipt(applied) = &whole.results[0] else {
            panic!("{whole:?}");
        };
        assert_eq!(applied.outcome.name(), "applied");
        let never = app
            .db
            .read(|tx| crate::store::hazards::load(tx.conn(), hazard_id(2)))
            .await
            .unwrap();
        assert!(never.is_none(), "no report came to be");
        verifies(&server).await;
    });
}

#[test]
fn it_opens_for_nobody_but_the_device_and_its_settling_to_no_neighbour() {
    on_each_database(async |server| {
        let app = &server.app;
        let mut device = TestDevice::enrol(app, "employee", 1).await;
        let other = TestDevice::enrol(app, "grid", 2).await;
        revoked(&server, &device, false).await;
        revoked(&server, &other, false).await;
        let unsent = vec![device.seal(hazard_id(2), Action::Report(report("未送达")))];
        let mut forged = signed(&other, unsent.clone());
        forged.install_id = device.install_id;
        let mut unsigned = signed(&device, unsent.clone());
        unsigned.signature.0 = vec![0; 64];
        let unknown = TestDevice::enrol_again(7, "employee");
        for (what, request) in [
            ("another's key", forged),
            ("no signature", unsigned),
            ("an unknown device", signed(&unknown, unsent.clone())),
        ] {
            let refused = offer(app, request).await;
            let invalid = Failure::Unauthenticated(Unauthenticated::Invalid);
            assert_eq!(refused, Err(invalid), "{what}");
        }
        // Another's command under one's own signature is a bad signature itself.
        let stranger = offer(app, signed(&other, unsent.clone())).await.unwrap();
        assert_eq!(reasons(&stranger), [QuarantineReason::BadSignature]);
        offer(app, signed(&device, unsent)).await.unwrap();
        assert!(waiting(&server, "head").await.contains(&(1, KEPT)));
        // Whose it is to settle is the rule of all that waits: http/quarantined_tests.rs has its neighbours.
        for outside in ["grid", "employee", "inspector1"] {
            assert_eq!(waiting(&server, outside).await, [], "{outside}");
        }
        verifies(&server).await;
    });
}

#[test]
fn of_a_lost_or_stolen_device_nothing_is_taken_whenever_that_becomes_known() {
    on_each_database(async |server| {
        let app = &server.app;
        let mut device = TestDevice::enrol(app, "employee", 1).await;
        let unsent = vec![device.seal(hazard_id(2), Action::Report(report("未送达")))];
        revoked(&server, &device, false).await;
        revoked(&server, &device, true).await;
        let refused = offer(app, signed(&device, unsent.clone())).await;
        assert_eq!(refused, Err(Failure::DeviceRevoked));
        revoked(&server, &device, false).await;
        let refused = offer(app, signed(&device, unsent)).await;
        assert_eq!(refused, Err(Failure::DeviceRevoked), "it is not taken back");
        let (by, id) = (device.person_id, device.install_id);
        let listed =
            devices::list(app, by, super::super::people::OfWhom::HoldsARole, None, 50).await;
        let listed = listed.unwrap();
        let device = listed
            .iter()
            .find(|listed| listed.install_id == id)
            .unwrap();
        assert!(device.stolen && device.revoked_reason.as_deref() == Some("lost"));
        assert_eq!(waiting(&server, "head").await, []);
        verifies(&server).await;
    });
}

#[test]
fn offers_are_taken_for_so_many_days_and_no_longer() {
    on_each_database_with(
        |settings| settings.sync.offer_days = 2,
        async |server| {
            let app = &server.app;
            let mut device = TestDevice::enrol(app, "employee", 1).await;
            let unsent: Vec<Envelope> = (1..=2)
                .map(|n| device.seal(hazard_id(n), Action::Report(report("未送达"))))
                .collect();
            revoked(&server, &device, false).await;
            server.set_now(NOW.plus_millis(2 * DAY_MS - 1));
            offer(app, signed(&device, unsent[..1].to_vec()))
                .await
                .unwrap();
            server.set_now(NOW.plus_millis(2 * DAY_MS));
            let late = offer(app, signed(&device, unsent.clone())).await;
            assert_eq!(late, Err(Failure::DeviceRevoked));
            assert_eq!(waiting(&server, "head").await, [(1, KEPT)]);
        },
    );
}

#[test]
fn no_more_is_kept_of_one_device_than_the_settings_say() {
    on_each_database_with(
        |settings| settings.sync.offered_commands = 2,
        async |server| {
            let app = &server.app;
            let mut device = TestDevice::enrol(app, "employee", 1).await;
            let unsent: Vec<Envelope> = (1..=3)
                .map(|n| device.seal(hazard_id(n), Action::Report(report("未送达"))))
                .collect();
            revoked(&server, &device, false).await;
            for _ in 0..2 {
                let answer = offer(app, signed(&device, unsent.clone())).await.unwrap();
                assert_eq!(
                    (answer.results.len(), answer.full, answer.last),
                    (2, true, 2)
                );
            }
            assert_eq!(waiting(&server, "head").await.len(), 2);
            let mut many = signed(&device, Vec::new());
            many.photos = vec![Digest([1; 32]); OFFERED_PHOTOS + 1];
            let refused = offer(app, many).await;
            assert!(matches!(refused, Err(Failure::TooLarge { .. })));
        },
    );
}

/// One signature stands for a run: cut off in its middle, what comes before would be nobody's.
#[test]
fn a_run_that_one_signature_stands_for_is_kept_to_its_end() {
    on_each_database_with(
        |settings| settings.sync.offered_commands = 2,
        async |server| {
            let app = &server.app;
            let mut device = TestDevice::enrol(app, "employee", 1).await;
            let mut unsent: Vec<Envelope> = (1..=5)
                .map(|n| device.seal(hazard_id(n), Action::Report(report("未送达"))))
                .collect();
            for envelope in &mut unsent[..3] {
                envelope.signature_algorithm = SIGNED_BY_RUN;
                envelope.signature = Bytes::default();
            }
            revoked(&server, &device, false).await;
            for _ in 0..2 {
                let answer = offer(app, signed(&device, unsent.clone())).await.unwrap();
                assert_eq!((answer.full, answer.last), (true, 4));
                let offered = |result: &PushResult| {
                    matches!(
                        result,
                        PushResult::Receipt(Receipt {
                            outcome: Outcome::Quarantined {
                                reason: QuarantineReason::OfferedAfterRevocation,
                                ..
                            },
                            ..
                        })
                    )
                };
                assert!(answer.results.iter().all(offered), "{:?}", answer.results);
            }
            assert_eq!(waiting(&server, "head").await.len(), 4);
        },
    );
}

#[test]
fn a_person_settles_what_was_offered_and_the_history_says_what_was_lost() {
    on_each_database(async |server| {
        let app = &server.app;
        let mut device = TestDevice::enrol(app, "employee", 1).await;
        let unsent = vec![device.seal(hazard_id(2), Action::Report(report("未送达")))];
        revoked(&server, &device, false).await;
        for _ in 0..2 {
            offer(app, signed(&device, unsent.clone())).await.unwrap();
        }
        let (found, _) = quarantined::list(app, person("head"), None, 50)
            .await
            .unwrap();
        let how = (
            crate::store::quarantined::SettledAs::Entered,
            "已补录".to_owned(),
        );
        let settled =
            quarantined::settle(app, person("head"), found[0].quarantined.which, how).await;
        assert!(settled.unwrap().quarantined.settlement.is_some());
        assert_eq!(waiting(&server, "head").await, []);
        let id = device.install_id.0;
        let of = move |tx: &mut crate::store::ReadTx<'_>| {
            crate::store::audit_entries::of_subject(tx.conn(), ("device", &id), i64::MAX, 50)
        };
        let events = app.db.read(of).await.unwrap();
        let count = |kind: &str| events.iter().filter(|known| known.kind == kind).count();
        assert_eq!(
            count("commands_offered"),
            1,
            "once, however often it is offered"
        );
        assert_eq!(count("photo_lost_with_device"), 1);
    });
}

/// The server wants what was handed in during its earlier life, and the device keeps it no more.
#[test]
fn what_a_device_has_left_after_a_restore_takes_the_places_that_are_free() {
    on_each_database(async |server| {
        let app = &server.app;
        let mut device = TestDevice::enrol(app, "employee", 1).await;
        let first = device.seal(hazard_id(1), Action::Report(report("积尘")));
        let who = device.person_id;
        push(app, who, device.push(vec![first])).await.unwrap();
        device.seal(hazard_id(1), note("两边都没有了"));
        let mut state = State::default();
        for text in ["未送达", "也未送达"] {
            let envelope = device.seal(hazard_id(1), note(text));
            let kept = StoredCommand {
                subject_id: hazard_id(1).into(),
                queued_at: NOW,
                receipt: None,
                awaiting_pull: false,
                oversize: None,
                earlier: None,
                chosen: None,
                envelope,
            };
            state.commands.insert(kept.envelope.seq, kept);
        }
        revoked(&server, &device, false).await;
        let unsent = |state: &State| -> Vec<Envelope> {
            let kept = state.commands.values();
            kept.map(|kept| kept.envelope.clone()).collect()
        };
        let answer = offer(app, signed(&device, unsent(&state))).await.unwrap();
        assert_eq!((answer.expected, answer.results.len()), (Some(2), 0));
        let own = (device.install_id, device.key());
        let ops = sealed_to_offer(&state, own, 2, |_| false);
        state.apply(&ops);
        let answer = offer(app, signed(&device, unsent(&state))).await.unwrap();
        // What came before the first of them nobody knows.
        let expected = [QuarantineReason::BrokenChain, KEPT];
        assert_eq!((reasons(&answer), answer.last), (expected.to_vec(), 3));
        let found = waiting(&server, "head").await;
        assert_eq!(found, [(2, expected[0]), (3, expected[1])]);
        verifies(&server).await;
    });
}
