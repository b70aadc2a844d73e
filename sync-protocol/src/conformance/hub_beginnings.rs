//! Cases of what begins something and arrives after its author or its enterprise was moved.

use hazardloop_domain::refusal::RefusalCode;

use super::hub::{HubUnderTest, hazard_id, outcomes};
use super::hub_world::{
    INSPECTOR, NEIGHBOUR, WORKER, firm, note, outcome, person, phone, report, town,
    waits_for_a_person, world,
};
use crate::wire::Outcome;

/// A hazard that an inspector found at an enterprise before it moved away: the old town's people answer for it no more,
/// and nobody but its author knows of it.
pub fn a_report_made_before_a_move_waits_for_a_person(hub: &mut dyn HubUnderTest) {
    world(hub);
    let mut inspector = phone(hub, INSPECTOR);
    let found = inspector.seal(hazard_id(1), report(hub, 1));
    let seen = inspector.seal(hazard_id(1), note("现场已看过"));
    hub.move_enterprise(firm(1), town(2));
    let answer = inspector.push(hub, vec![found, seen]);
    waits_for_a_person(&answer);
    assert_eq!(outcomes(&answer), ["quarantined", "blocked_by"]);
    // Of an enterprise that was never theirs they are told what any stranger is.
    let strange = inspector.seal(hazard_id(2), report(hub, 2));
    let answer = inspector.push(hub, vec![strange]);
    let Outcome::Rejected { refusal } = outcome(&answer, 0) else {
        panic!("{answer:?}");
    };
    assert_eq!(refusal.code, RefusalCode::OutOfScope);
    // And whoever works there goes on.
    let mut worker = phone(hub, WORKER);
    let after = worker.seal(hazard_id(3), report(hub, 1));
    assert_eq!(outcomes(&worker.push(hub, vec![after])), ["applied"]);
}

/// What somebody found while a role was theirs, received after it had ended.
pub fn a_report_made_before_a_role_ended_waits_for_a_person(hub: &mut dyn HubUnderTest) {
    world(hub);
    let mut worker = phone(hub, WORKER);
    let found = worker.seal(hazard_id(1), report(hub, 1));
    hub.set_now(hub.now().plus_millis(60_000));
    hub.end_role(person(WORKER));
    hub.set_now(hub.now().plus_millis(60_000));
    waits_for_a_person(&worker.push(hub, vec![found]));
    let mut neighbour = phone(hub, NEIGHBOUR);
    let strange = neighbour.seal(hazard_id(2), report(hub, 1));
    assert_eq!(outcomes(&neighbour.push(hub, vec![strange])), ["rejected"]);
}
