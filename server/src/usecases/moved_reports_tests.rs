//! Reports of a bare place by whoever was moved to another town meanwhile: it is the town they were of that answers, and
//! its people whom they wait for.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use hazardloop_domain::access::{GrantScope, Role};
use hazardloop_domain::command::{Action, ClockReading, Command, Report, Source};
use hazardloop_domain::ids::{GrantId, HazardId, JurisdictionId};
use hazardloop_domain::time::Timestamp;
use hazardloop_sync_protocol::wire::{CommandPayload, Outcome, PushResult, QuarantineReason};

use super::pull_tests::second_town;
use super::push::push;
use crate::sample;
use crate::test_support::{
    NOW, TestDevice, TestServer, clocks, hazard_id, on_each_database, person, report, terms,
};
use crate::usecases::people::{self, NewGrant};
use crate::usecases::read;

const HOUR_MS: i64 = 3_600_000;

fn town() -> JurisdictionId {
    JurisdictionId(sample::id("500153003000"))
}

/// A grid worker without a boundary around them: where they are is where their role is.
fn on_the_street() -> Report {
    Report {
        source: Source::Grid,
        enterprise_id: None,
        ..report("占用消防通道")
    }
}

async fn pushed(
    server: &TestServer,
    device: &mut TestDevice,
    id: HazardId,
    (wall, anchor): (Timestamp, Option<Timestamp>),
) -> Outcome {
    let action = Action::Report(on_the_street());
    let (kind, version) = (action.kind().as_str(), action.kind().version());
    let made = ClockReading {
        wall,
        server_anchor: anchor,
        ..clocks(NOW)
    };
    let payload = CommandPayload::pack(made, &Command::new(id, action));
    let envelope = device.seal_raw(kind, version, payload);
    let batch = device.push(vec![envelope]);
    let answer = push(&server.app, device.person_id, batch).await.unwrap();
    match &answer.results[0] {
        PushResult::Receipt(receipt) => receipt.outcome.clone(),
        other => panic!("{other:?}"),
    }
}

/// An hour later, the grid worker is one of the other town.
async fn moved_to(server: &TestServer, other: JurisdictionId) {
    server.set_now(NOW.plus_millis(HOUR_MS));
    let (app, who) = (&server.app, person("grid"));
    let held = app
        .db
        .read(move |tx| crate::store::access::grants_of(tx.conn(), who))
        .await
        .unwrap();
    for (version, grant) in (1..).zip(&held) {
        people::end_grant(app, person("admin"), who, version, grant.id)
            .await
            .unwrap();
    }
    let new = NewGrant {
        id: GrantId(hazard_id(500).0),
        terms: terms(Role::GridWorker, GrantScope::Jurisdiction(other)),
        valid_from: None,
        valid_until: None,
        temporary_reason: None,
    };
    let version = 1 + i64::try_from(held.len()).unwrap();
    people::grant(app, person("admin"), who, version, new)
        .await
        .unwrap();
    server.set_now(NOW.plus_millis(2 * HOUR_MS));
}

#[test]
fn what_was_found_before_a_move_is_not_filed_in_the_new_town() {
    on_each_database(async |server| {
        let (other, _) = second_town(&server.app).await;
        let mut device = TestDevice::enrol(&server.app, "grid", 1).await;
        let here = pushed(&server, &mut device, hazard_id(1), (NOW, Some(NOW))).await;
        assert!(here.took_effect(), "{here:?}");
        let seen = read::hazard::one(&server.app, person("grid"), hazard_id(1)).await;
        assert_eq!(seen.unwrap().hazard.jurisdiction_id, town());
        moved_to(&server, other).await;
        // Whatever the device's clock says: its last contact was before the move.
        let now = NOW.plus_millis(2 * HOUR_MS);
        for (number, wall) in [(2, NOW), (3, now), (4, NOW.plus_millis(900 * HOUR_MS))] {
            let times = (wall, Some(NOW));
            let outcome = pushed(&server, &mut device, hazard_id(number), times).await;
            assert!(
                matches!(
                    outcome,
                    Outcome::Quarantined {
                        reason: QuarantineReason::Reassigned,
                        ..
                    }
                ),
                "{number}: {outcome:?}"
            );
        }
        // Since they have been in touch again, they report where they are.
        let there = pushed(&server, &mut device, hazard_id(5), (now, Some(now))).await;
        assert!(there.took_effect(), "{there:?}");
        let seen = read::hazard::one(&server.app, person("grid"), hazard_id(5)).await;
        assert_eq!(seen.unwrap().hazard.jurisdiction_id, other);
    });
}
