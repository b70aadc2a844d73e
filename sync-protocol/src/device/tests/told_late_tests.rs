//! What is chosen while the server has nothing that it could be told of is told once it has.

use super::oversize_tests::{stuck, texts};
use super::*;
use hazardloop_domain::command_fate::{ChoiceKind, Chosen, SentCommand};

/// What the server knows to be chosen about one of this install's commands.
fn told(world: &World, seq: i64) -> Option<Chosen> {
    let about = SentCommand {
        install_id: install(),
        seq,
    };
    let fate = world.hub.memory.tables.fates.get(&about);
    fate.and_then(|fate| fate.chosen.clone())
}

fn shown(world: &World, seq: i64) -> Standing {
    let engine = &world.engine;
    engine.standing(&engine.state().commands[&seq])
}

/// Somebody on the way lets no command of that length through.
fn held_up() -> World {
    let mut world = stuck();
    world.hub.payload_limit = usize::MAX;
    let failure = Failure::PayloadTooLarge { ours: false };
    world
        .faults
        .extend([&failure, &failure].map(|failure| Fault::Fail(failure.clone())));
    world.pump();
    world
}

/// The server itself will not have it; its placeholder has not arrived yet.
fn set_aside() -> World {
    let mut world = stuck();
    let too_large = Failure::PayloadTooLarge { ours: true };
    let failures = [&too_large, &too_large, &Failure::Offline];
    world
        .faults
        .extend(failures.map(|failure| Fault::Fail(failure.clone())));
    world.pump();
    let command = &world.store.commands[&2];
    assert!(command.is_replaced() && command.is_unsent());
    world
}

#[test]
fn the_server_is_told_that_what_a_placeholder_stands_for_was_given_up_or_replaced() {
    for begun in [held_up, set_aside] {
        let mut world = begun();
        let now = world.now;
        let given_up = world.engine.handle_given_up(now, clock(), 2, "过长");
        given_up.unwrap();
        world.settle();
        assert_eq!(texts(&world), ["003", "004"]);
        let chosen = told(&world, 2).unwrap();
        assert_eq!(chosen.how, ChoiceKind::GivenUp);
        assert_eq!(chosen.reason.as_deref(), Some("过长"));
        assert_eq!(chosen.by.map(|by| by.seq), Some(5));
        assert_eq!(world.standing(5), Standing::Arrived);

        let mut world = begun();
        let (now, short) = (world.now, Command::new(hazard_id(1), note("短")));
        let amended = world.engine.handle_amended(now, clock(), 2, &short, &[]);
        amended.unwrap();
        world.settle();
        assert_eq!(texts(&world), ["003", "004", "短"]);
        let chosen = told(&world, 2).unwrap();
        assert_eq!(chosen.reason.as_deref(), Some("已另行发送"));
        assert_eq!(shown(&world, 2), Standing::Settled);
    }
}

/// A server that was restored is sent all of it again, and told once.
#[test]
fn what_was_told_late_is_not_told_again_to_a_restored_server() {
    let mut world = held_up();
    let (backup, now) = (world.hub.memory.tables.clone(), world.now);
    let given_up = world.engine.handle_given_up(now, clock(), 2, "过长");
    given_up.unwrap();
    world.settle();
    world.hub.restore(&backup, "two");
    world.pull();
    world.settle();
    assert_eq!(told(&world, 2).unwrap().by.map(|by| by.seq), Some(5));
    assert_eq!(world.store.commands.len(), 5);
}

/// The server had taken it, and the answer was lost: it is no placeholder's place.
#[test]
fn what_took_effect_before_it_was_given_up_is_shown_as_that() {
    let mut world = stuck();
    world.hub.payload_limit = usize::MAX;
    world.faults.push_back(Fault::LoseAnswer);
    world.pump();
    let failure = Failure::PayloadTooLarge { ours: false };
    world
        .faults
        .extend([&failure, &failure].map(|failure| Fault::Fail(failure.clone())));
    world.now = world.engine.next_wake().unwrap();
    world.pump();
    let now = world.now;
    let given_up = world.engine.handle_given_up(now, clock(), 2, "过长");
    given_up.unwrap();
    world.settle();
    assert_eq!(texts(&world), ["002", "003", "004"]);
    assert_eq!(shown(&world, 2), Standing::Arrived);
    assert_eq!((told(&world, 2), world.store.commands.len()), (None, 4));
}

/// The server may have it from an earlier push: under another number it would take effect twice.
#[test]
fn what_a_placeholder_stands_for_is_sent_again_only_once_that_has_its_receipt() {
    let mut world = set_aside();
    let now = world.now;
    let early = world.engine.handle_retry(now, clock(), 2);
    assert_eq!(early.unwrap_err(), ChoiceError::BeingSent);
    world.settle();
    world.engine.handle_retry(now, clock(), 2).unwrap();
}

/// Its placeholder does not get through either: there is nothing to choose that was not chosen.
#[test]
fn what_was_given_up_is_not_listed_again_because_its_placeholder_is_held_up() {
    let mut world = set_aside();
    let now = world.now;
    let given_up = world.engine.handle_given_up(now, clock(), 2, "过长");
    given_up.unwrap();
    world.now = world.engine.next_wake().unwrap();
    let failure = Failure::PayloadTooLarge { ours: false };
    world.faults.push_back(Fault::Fail(failure));
    world.pump();
    assert_eq!(world.engine.state().meta.too_large, Some(2));
    assert_eq!(shown(&world, 2), Standing::OnDevice);
    world.settle();
    assert_eq!(shown(&world, 2), Standing::Settled);
    assert!(told(&world, 2).is_some());
}
