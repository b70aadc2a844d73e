//! The case about what a hub forgets in the end.

use super::hub::{HubUnderTest, Phone};
use super::hub_world::{ELSEWHERE, INSPECTOR, WORKER, firm, person, phone, reported, town};
use crate::wire::{ResetReason, Scope};

/// A scope's removals are told for long enough, and then forgotten: whoever had not heard of them fetches that scope anew
/// and no other, and in the end everybody holds the same.
pub fn what_is_forgotten_is_missed_by_nobody(hub: &mut dyn HubUnderTest) {
    reported(hub, 3);
    let (left, reached) = (Scope::Jurisdiction(town(1)), Scope::Jurisdiction(town(2)));
    let (mut away, mut told) = (
        phone(hub, INSPECTOR),
        Phone::new(INSPECTOR, person(INSPECTOR), hub.now()),
    );
    let mut there = phone(hub, ELSEWHERE);
    for phone in [&mut away, &mut told] {
        phone.pull_until(hub, |phone| phone.hazards().len() == 3);
    }
    there.pull_until(hub, |phone| !phone.scopes.is_empty());
    hub.move_enterprise(firm(1), town(2));
    told.pull_until(hub, |phone| phone.hazards().is_empty());
    there.pull_until(hub, |phone| phone.hazards().len() == 3);
    hub.forget_removals();
    for phone in [&mut away, &mut told] {
        phone.resets.clear();
        phone.pull_until(hub, |phone| phone.scopes[&left].rows.is_empty());
        assert!(phone.hazards().is_empty());
    }
    assert_eq!(away.resets, [(left, ResetReason::CursorUnknown)]);
    assert_eq!(told.resets, [], "it had heard of all of it");
    // Back again, and away again: what was forgotten stands in the way of nothing.
    hub.move_enterprise(firm(1), town(1));
    for phone in [&mut away, &mut told] {
        phone.pull_until(hub, |phone| phone.hazards().len() == 3);
    }
    there.pull_until(hub, |phone| phone.hazards().is_empty());
    let mut fresh = Phone::enrolled(hub, 9, person(INSPECTOR));
    fresh.pull_until(hub, |phone| phone.hazards().len() == 3);
    for phone in [&away, &told] {
        assert_eq!(phone.scopes[&left].rows, fresh.scopes[&left].rows);
    }
    assert!(there.scopes[&reached].rows.len() < 5);
    let mut worker = Phone::new(WORKER, person(WORKER), hub.now());
    worker.pull_until(hub, |phone| phone.hazards().len() == 3);
}
