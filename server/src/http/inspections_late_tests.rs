//! Results that come after a check was completed: what its team could not know of is kept, whatever their clocks say.

use super::*;
use hazardloop_domain::command::{ClockReading, Command, RecordResults};
use hazardloop_domain::time::Timestamp;
use hazardloop_sync_protocol::wire::{CommandPayload, Envelope};

const MINUTE: i64 = 60_000;
const DAY: i64 = 24 * 60 * MINUTE;

/// "Not ok", by a phone whose clock says `wall` and which had last heard of the server at `contact`.
fn not_ok(device: &mut TestDevice, id: InspectionId, wall: i64, contact: Option<i64>) -> Envelope {
    let action = Action::RecordResults(RecordResults {
        results: vec![CheckResult {
            outcome: ItemOutcome::NotOk,
            note: Some("除尘管道积尘".to_owned()),
            ..ok("1")
        }],
    });
    let clocks = ClockReading {
        wall: NOW.plus_millis(wall),
        server_anchor: contact.map(|at| NOW.plus_millis(at)),
        ..test_support::clocks(NOW)
    };
    let (kind, version) = (action.kind().as_str(), action.kind().version());
    let payload = CommandPayload::pack(clocks, &Command::new(id, action));
    device.seal_raw(kind, version, payload)
}

async fn pushed(server: &TestServer, device: &TestDevice, sealed: Envelope) -> Outcome {
    let request = device.push(vec![sealed]);
    let answer = push::push(&server.app, device.person_id, request).await;
    match answer.unwrap().results.remove(0) {
        PushResult::Receipt(receipt) => receipt.outcome,
        PushResult::IdReused { seq } => panic!("{seq} was used before"),
    }
}

#[test]
fn a_phone_that_runs_a_day_fast_or_slow_loses_no_result_and_gains_none() {
    on_each_database(|server| async move {
        let mut lead = TestDevice::enrol(&server.app, "employee", 1).await;
        let id = InspectionId(new_id(7).parse().unwrap());
        let check = lead.seal_on(id.into(), offline_self_check(vec![ok("1")]));
        let completed = pushed(&server, &lead, check).await;
        assert!(
            matches!(completed, Outcome::Applied { .. }),
            "{completed:?}"
        );
        let later: Timestamp = NOW.plus_millis(2 * DAY);
        server.set_now(later);
        for (number, wall) in [(2, DAY), (3, -DAY), (4, MINUTE)] {
            let mut phone = TestDevice::enrol(&server.app, "safety", number).await;
            // It has seen the check completed: put back or not, its clock makes nothing timely.
            let knew = not_ok(&mut phone, id, wall, Some(MINUTE));
            let refused = pushed(&server, &phone, knew).await;
            let Outcome::Conflict { refusal, .. } = refused else {
                panic!("{refused:?}")
            };
            assert_eq!(refusal.unwrap().code.as_str(), "NOT_ALLOWED_IN_STATE");
        }
        for (number, wall) in [(5, DAY), (6, -DAY)] {
            let mut phone = TestDevice::enrol(&server.app, "safety", number).await;
            let result = not_ok(&mut phone, id, wall, Some(-MINUTE));
            let taken = pushed(&server, &phone, result).await;
            assert!(matches!(taken, Outcome::Merged { .. }), "{taken:?}");
        }
        let seen = get(&server, "reviewer", &format!("/inspections/{id}")).await;
        let results = &seen.expect(200)["items"][0]["results"];
        let late: Vec<_> = (0..2).map(|at| results[at]["late"].clone()).collect();
        assert_eq!(late, [false, true], "{results}");
        seal_everything(&server.app.db);
        let report = audit::verify(&server.app.db, None).unwrap();
        assert_eq!(report.findings, []);
    });
}
