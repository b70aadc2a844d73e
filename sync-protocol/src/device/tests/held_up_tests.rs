//! A command that something on the way does not let through is tried again, given up or replaced by its author.

use super::oversize_tests::{LIMIT, small, stuck, texts};
use super::*;

fn shown(world: &World, seq: i64) -> Standing {
    let engine = &world.engine;
    engine.standing(&engine.state().commands[&seq])
}

/// A proxy lets no command of that length through; the two behind it wait.
fn held_up() -> World {
    let mut world = stuck();
    world.hub.payload_limit = usize::MAX;
    for _ in 0..2 {
        let failure = Failure::PayloadTooLarge { ours: false };
        world.faults.push_back(Fault::Fail(failure));
    }
    assert!(world.pump());
    assert_eq!(shown(&world, 2), Standing::NeedsAttention);
    world
}

#[test]
fn what_a_proxy_holds_up_is_tried_again_at_once_when_its_author_says_so() {
    let mut world = held_up();
    let now = world.now;
    let ticket = world.engine.handle_retry(now, clock(), 2).unwrap();
    assert!(world.pump(), "without waiting for the longest wait");
    assert!(world.notices.contains(&Notice::ChoiceNoted { ticket }));
    assert_eq!(texts(&world), ["002", "003", "004"]);
    assert_eq!(shown(&world, 2), Standing::Arrived);
}

#[test]
fn what_a_proxy_holds_up_is_given_up_and_those_behind_it_go_on() {
    let mut world = held_up();
    let now = world.now;
    world
        .engine
        .handle_given_up(now, clock(), 2, "过长")
        .unwrap();
    world.settle();
    assert_eq!(texts(&world), ["003", "004"]);
    assert_eq!(shown(&world, 2), Standing::Settled);
    let kept = &world.store.commands[&2];
    assert!(
        kept.content().payload.0.len() > LIMIT,
        "the whole text stays"
    );
    assert_eq!(
        kept.chosen.as_ref().unwrap().reason.as_deref(),
        Some("过长")
    );
    let again = world.engine.handle_retry(now, clock(), 2);
    assert_eq!(again.unwrap_err(), ChoiceError::NotOpen);
}

#[test]
fn what_a_proxy_holds_up_is_replaced_by_a_shorter_one() {
    let mut world = held_up();
    let (now, short) = (world.now, Command::new(hazard_id(1), note("短")));
    let amended = world.engine.handle_amended(now, clock(), 2, &short, &[]);
    amended.unwrap();
    world.settle();
    assert_eq!(texts(&world), ["003", "004", "短"]);
    assert_eq!(shown(&world, 2), Standing::Settled);
    let chosen = world.store.commands[&2].chosen.clone().unwrap();
    assert_eq!(chosen.by.map(|by| by.seq), Some(5));
}

/// A step that changes how its record stands: a shorter one is judged as if the long one had never been made.
#[test]
fn a_step_that_a_proxy_holds_up_is_replaced_by_the_same_step_with_less_to_say() {
    let withdraw = |reason: &str| {
        Action::Withdraw(hazardloop_domain::command::Withdraw {
            reason: reason.to_owned(),
        })
    };
    let mut world = World::with(small());
    world.queue(hazard_id(1), report(vec![]));
    world.settle();
    world.queue(hazard_id(1), withdraw(&"长".repeat(150)));
    let failure = Failure::PayloadTooLarge { ours: false };
    world.faults.push_back(Fault::Fail(failure));
    world.pump();
    let (now, held_up) = (world.now, world.engine.state().commands[&2].clone());
    assert_eq!(shown(&world, 2), Standing::NeedsAttention);
    let kind = hazardloop_domain::command::ActionKind::Withdraw;
    assert!(
        !world
            .engine
            .allowed_now(now, hazard_id(1).into())
            .contains(&kind)
    );
    assert!(
        world
            .engine
            .allowed_instead_of(now, &held_up)
            .contains(&kind)
    );
    let short = Command::new(hazard_id(1), withdraw("误报"));
    let amended = world.engine.handle_amended(now, clock(), 2, &short, &[]);
    amended.unwrap();
    world.settle();
    assert_eq!(world.standing(3), Standing::Arrived);
    assert_eq!(world.standing(2), Standing::Settled);
}

/// A store that takes its time: nothing is sent between the two writes of the choice.
#[test]
fn nothing_goes_while_a_placeholder_is_being_stored() {
    let mut world = held_up();
    world.now = world.engine.next_wake().unwrap();
    let now = world.now;
    world
        .engine
        .handle_given_up(now, clock(), 2, "过长")
        .unwrap();
    let Some(Output::Write { id, ops }) = world.engine.poll_output(now) else {
        panic!("nothing is written");
    };
    let early = world.engine.poll_output(now);
    assert!(!matches!(early, Some(Output::Send { .. })), "{early:?}");
    world.store.apply(&ops);
    world.engine.handle_stored(id);
    world.settle();
    assert_eq!(texts(&world), ["003", "004"]);
    assert_eq!(shown(&world, 2), Standing::Settled);
}

#[test]
fn a_choice_that_the_store_does_not_take_is_not_made_in_part() {
    let mut world = held_up();
    let now = world.now;
    let ticket = world.engine.handle_given_up(now, clock(), 2, "过长");
    let ticket = ticket.unwrap();
    while let Some(output) = world.engine.poll_output_of(now, &[]) {
        match output {
            Output::Write { id, .. } => world.engine.handle_store_failed(id, now),
            Output::Notice(notice) => world.notices.push(notice),
            _ => {}
        }
    }
    assert!(world.notices.contains(&Notice::NotKept { ticket }));
    let command = world.engine.state().commands[&2].clone();
    assert!(!command.is_replaced() && command.chosen.is_none());
    assert_eq!(shown(&world, 2), Standing::NeedsAttention);
}

#[test]
fn nothing_is_chosen_while_the_server_may_be_answering() {
    let mut world = held_up();
    world.now = world.engine.next_wake().unwrap();
    let now = world.now;
    let sent = world.engine.poll_output(now);
    assert!(matches!(sent, Some(Output::Send { .. })), "{sent:?}");
    let early = world.engine.handle_given_up(now, clock(), 2, "过长");
    assert_eq!(early.unwrap_err(), ChoiceError::BeingSent);
}
