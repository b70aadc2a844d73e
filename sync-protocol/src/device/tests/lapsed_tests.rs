//! A role with a known end, on a device without a network: what it alone gave is hidden, and nothing is deleted for it.

use super::*;

/// The role over the firm ends so many milliseconds after the world's beginning; beside it, one over the town that
/// goes on.
fn until(end: i64, beside: bool) -> PersonRecord {
    let mut person = person_record();
    person.grants[0].valid_until = Some(at(end));
    if beside {
        person.grants.push(Grant {
            id: GrantId(Uuid::from_u128(10)),
            role: Role::DepartmentHead,
            scope: GrantScope::Jurisdiction(town()),
            valid_until: None,
            ..person.grants[0].clone()
        });
    }
    person
}

/// A device that holds a hazard by the firm's scope, and one by those of firm and town.
fn holding(person: PersonRecord) -> World {
    let mut world = World::new();
    for (n, scopes) in [
        (1, vec![firm_scope()]),
        (2, vec![firm_scope(), town_scope()]),
    ] {
        let mut other = World::new();
        other.queue(hazard_id(n), report(vec![]));
        other.settle();
        let hazard = other.hub.hazard(hazard_id(n)).clone();
        world.hub.memory.rules.hazard_scopes = scopes;
        world.hub.put_hazard(&hazard);
    }
    world.pull();
    world.engine.identity.person = Some(person.clone());
    let body = minicbor::to_vec(&person).unwrap();
    let key = (RecordKind::Person, me().0);
    for state in [&mut world.engine.state, &mut world.store] {
        if let Some(row) = state.rows.get_mut(&key) {
            row.body.clone_from(&body);
        }
    }
    world
}

fn shown(world: &World, at: Timestamp) -> Vec<HazardId> {
    let views = world.engine.hazards(at);
    views.iter().map(|view| view.hazard.id).collect()
}

#[test]
fn when_its_end_has_come_only_what_another_role_gives_is_shown() {
    let world = holding(until(60_000, true));
    assert_eq!(shown(&world, at(59_999)), [hazard_id(1), hazard_id(2)]);
    assert!(world.engine.lapsed_scopes(at(59_999)).is_empty());
    assert_eq!(shown(&world, at(60_000)), [hazard_id(2)]);
    assert_eq!(world.engine.lapsed_scopes(at(60_000)), [firm_scope()]);
    assert!(world.engine.hazard(at(60_000), hazard_id(1)).is_none());
    let firms = |at| world.engine.bodies(at, RecordKind::Enterprise).len();
    assert!(firms(at(60_000)) <= firms(at(59_999)));
}

#[test]
fn a_clock_that_is_wrong_hides_and_deletes_nothing() {
    let world = holding(until(60_000, false));
    assert_eq!(shown(&world, at(9_000_000)), [hazard_id(2)]);
    // Put right again, all of it is there.
    assert_eq!(shown(&world, at(59_000)).len(), 2);
    assert_eq!(world.engine.state().rows.len(), world.store.rows.len());
}

#[test]
fn a_clock_that_is_set_back_shows_nothing_that_had_ended_at_the_last_contact() {
    let mut world = holding(until(60_000, false));
    world.now = at(70_000);
    world.pull();
    let still = shown(&world, at(0));
    assert!(
        !still.contains(&hazard_id(1)),
        "the server said it was later"
    );
}
