//! A restored phone: noticed, sealed anew, and nothing twice whatever copies there are.

use super::*;

#[test]
fn a_restored_phone_is_noticed_keys_anew_and_keeps_its_work() {
    let mut world = World::new();
    world.queue(hazard_id(1), report(vec![]));
    world.settle();
    let backup = world.store.clone();
    world.queue(hazard_id(1), note("made before the phone was restored"));
    world.settle();
    world.store = backup;
    world.reload();
    world.queue(hazard_id(1), note("made after"));
    world.settle();
    assert!(world.notices.contains(&Notice::MustRekey));
    assert!(world.engine.state().meta.must_rekey);
    let new = InstallId(Uuid::from_u128(99));
    world.hub.enrol(new);
    world.engine.handle_rekeyed(new, key());
    world.settle();
    assert_eq!(world.hub.hazard(hazard_id(1)).notes.len(), 2);
    assert_eq!(world.engine.identity().install_id, new);
    assert!(!world.engine.state().meta.must_rekey);
}

/// The phone gets the identity that takes over its queue.
fn rekey(world: &mut World, install_id: InstallId, key: &SigningKey) -> (InstallId, SigningKey) {
    let (next, key) = successor(world.engine.state(), install_id, key).unwrap();
    world.hub.enrol_again(next, &key);
    world.engine.handle_rekeyed(next, key.clone());
    world.settle();
    assert_eq!(world.engine.identity().install_id, next);
    (next, key)
}

#[test]
fn a_copy_from_before_the_new_identity_seals_the_same_again_and_doubles_nothing() {
    let mut world = World::new();
    world.queue(hazard_id(1), report(vec![]));
    world.settle();
    let backup = world.store.clone();
    world.queue(hazard_id(1), note("lost with the phone"));
    world.settle();
    world.store = backup;
    world.reload();
    world.queue(hazard_id(1), note("made after"));
    world.settle();
    assert!(world.engine.state().meta.must_rekey);
    let copy = world.store.clone();
    let (next, _) = rekey(&mut world, install(), &key());
    world.queue(hazard_id(1), note("only on the first phone"));
    world.settle();
    // The copy goes on with words of its own behind the same beginning.
    world.store = copy;
    world.engine.identity.install_id = install();
    world.reload();
    world.queue(hazard_id(1), note("only on the copy"));
    let (again, its_key) = rekey(&mut world, install(), &key());
    assert_eq!(again, next);
    assert!(
        world.engine.state().meta.must_rekey,
        "another goes on there"
    );
    rekey(&mut world, again, &its_key);
    assert!(!world.engine.state().meta.must_rekey);
    let notes = &world.hub.hazard(hazard_id(1)).notes;
    let texts: Vec<_> = notes.iter().map(|note| note.text.as_str()).collect();
    let each = [
        "lost with the phone",
        "made after",
        "only on the first phone",
        "only on the copy",
    ];
    assert_eq!(texts, each);
}

#[test]
fn an_identity_takes_over_only_from_a_queue_and_from_one_key() {
    let mut world = World::new();
    let of = |world: &World, key: SigningKey| successor(world.engine.state(), install(), &key);
    assert!(of(&world, key()).is_none(), "nothing to take over");
    world.queue(hazard_id(1), report(vec![]));
    let (id, secret) = of(&world, key()).unwrap();
    assert_eq!(id.0.get_version_num(), 4, "the server takes it");
    let (other, _) = of(&world, SigningKey::from_bytes(&[9; 32])).unwrap();
    assert_ne!(id, other);
    assert_ne!(secret.to_bytes(), key().to_bytes());
}

#[test]
fn what_the_server_had_before_the_restore_is_settled_and_not_sealed_anew() {
    let mut world = World::new();
    world.queue(hazard_id(1), report(vec![]));
    world.settle();
    world.queue(hazard_id(1), note("unsettled in the backup"));
    let backup = world.store.clone();
    world.settle();
    world.queue(hazard_id(1), note("after the backup"));
    world.settle();
    world.store = backup;
    world.reload();
    world.faults.push_back(Fault::Fail(Failure::Offline));
    world.engine.handle_pull_wanted();
    assert!(world.pump());
    assert!(
        !world.engine.state().meta.must_rekey,
        "a push may still settle what is here"
    );
    world.settle();
    assert_eq!(world.standing(2), Standing::Arrived);
    assert!(world.engine.state().meta.must_rekey);
    let new = InstallId(Uuid::from_u128(99));
    world.hub.enrol(new);
    world.engine.handle_rekeyed(new, key());
    world.settle();
    let notes = &world.hub.hazard(hazard_id(1)).notes;
    assert_eq!(notes.len(), 2, "nothing took effect twice");
}

#[test]
fn all_that_was_made_on_a_restored_phone_is_sealed_anew() {
    let mut world = World::new();
    world.queue(hazard_id(1), report(vec![]));
    world.settle();
    let backup = world.store.clone();
    world.queue(hazard_id(1), note("after the backup"));
    world.settle();
    world.store = backup;
    world.reload();
    world.faults.push_back(Fault::Fail(Failure::Offline));
    world.queue(hazard_id(1), note("another second"));
    world.queue(hazard_id(1), note("built on it"));
    world.settle();
    assert!(world.engine.state().meta.must_rekey);
    assert_eq!(
        world.standing(3),
        Standing::OnDevice,
        "not left to a person"
    );
    let new = InstallId(Uuid::from_u128(99));
    world.hub.enrol(new);
    world.engine.handle_rekeyed(new, key());
    world.settle();
    assert_eq!(world.hub.hazard(hazard_id(1)).notes.len(), 3);
}

#[test]
fn an_answer_to_the_old_install_settles_nothing_of_the_new_one() {
    let mut world = World::new();
    world.faults.push_back(Fault::Fail(Failure::Offline));
    world.queue(hazard_id(1), report(vec![]));
    world.pump();
    world.now = world.engine.next_wake().unwrap();
    let Some(Output::Send { id, request }) = world.engine.poll_output(world.now) else {
        panic!("nothing is sent");
    };
    let answer = world.hub.answer(&request).unwrap();
    let new = InstallId(Uuid::from_u128(99));
    world.engine.handle_rekeyed(new, key());
    let Some(Output::Write { id: written, ops }) = world.engine.poll_output(world.now) else {
        panic!("nothing is sealed anew");
    };
    // It comes while the new seals are on their way to the disk.
    world.engine.handle_response(id, world.now, answer);
    world.store.apply(&ops);
    world.engine.handle_stored(written);
    world.hub = Hub::new();
    world.hub.enrol(new);
    world.settle();
    assert!(
        world.hub.memory.tables.hazards.contains_key(&hazard_id(1)),
        "what was sealed anew is sent under the new install"
    );
    assert_eq!(world.standing(1), Standing::Arrived);
}

#[test]
fn what_is_shown_of_the_old_install_settles_nothing_of_the_new_one() {
    let mut world = World::new();
    world.queue(hazard_id(1), report(vec![]));
    // Taken, and not seen yet: it is still shown on top of what the hub had given.
    world.faults = VecDeque::from([Fault::None, Fault::Fail(Failure::Offline)]);
    assert!(world.pump());
    assert!(world.store.commands[&1].awaiting_pull);
    let new = InstallId(Uuid::from_u128(99));
    world.hub.enrol(new);
    world.engine.handle_rekeyed(new, key());
    assert!(world.pump());
    let offline = Fault::Fail(Failure::Offline);
    world.faults = VecDeque::from([offline.clone(), offline]);
    assert!(world.queue(hazard_id(1), note("made under the new install")));
    world.faults.clear();
    // The pull comes before the push, and shows the report.
    world.now = world.now.plus_millis(600_000);
    world.engine.handle_pull_wanted();
    while let Some(output) = world.engine.poll_output_of(world.now, &[LaneName::Pull]) {
        match output {
            Output::Write { id, ops } => {
                world.store.apply(&ops);
                world.engine.handle_stored(id);
            }
            Output::Send { id, request } => world.carry(id, request),
            _ => {}
        }
    }
    let mut kept = world.store.commands.values();
    assert!(!kept.any(|kept| kept.awaiting_pull), "it is shown by now");
    assert_eq!(world.standing(1), Standing::OnDevice, "nobody has it yet");
    world.settle();
    assert_eq!(world.hub.hazard(hazard_id(1)).notes.len(), 1);
}
