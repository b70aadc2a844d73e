//! What took no effect is sent again, replaced or given up; each choice is noted and told.

use super::*;
use hazardloop_domain::command_fate::{ChoiceKind, SentCommand};

/// A note on a hazard that the server does not know: it took no effect.
fn refused() -> World {
    let mut world = World::new();
    world.queue(hazard_id(7), note("on what nobody reported"));
    world.settle();
    assert_eq!(standing(&world, 1), Standing::NeedsAttention);
    world
}

fn standing(world: &World, seq: i64) -> Standing {
    let engine = &world.engine;
    engine.standing(&engine.state().commands[&seq])
}

fn outcome(world: &World, seq: i64) -> Outcome {
    let command = &world.engine.state().commands[&seq];
    command.receipt.clone().unwrap().outcome
}

fn sent(seq: i64) -> SentCommand {
    SentCommand {
        install_id: install(),
        seq,
    }
}

#[test]
fn what_is_given_up_needs_nobody_any_more_and_the_server_is_told_why() {
    let mut world = refused();
    let engine = &mut world.engine;
    for none in ["", " \n"] {
        let refused = engine.handle_given_up(at(0), clock(), 1, none).unwrap_err();
        assert!(matches!(refused, ChoiceError::Refused(_)), "{refused}");
    }
    let absent = engine.handle_given_up(at(0), clock(), 9, "重复");
    assert_eq!(absent.unwrap_err(), ChoiceError::NoSuchCommand);
    engine.handle_given_up(at(0), clock(), 1, "重复").unwrap();
    world.pump();
    assert_eq!(
        standing(&world, 1),
        Standing::Settled,
        "also without signal"
    );
    world.settle();
    assert_eq!(outcome(&world, 2), Outcome::Applied { version: 0 });
    let chosen = world.store.commands[&1].chosen.clone().unwrap();
    assert_eq!(chosen.how, ChoiceKind::GivenUp);
    assert_eq!(
        (chosen.reason.as_deref(), chosen.by),
        (Some("重复"), Some(sent(2)))
    );
    for seq in [1, 2] {
        let again = world.engine.handle_given_up(at(0), clock(), seq, "再");
        assert_eq!(again.unwrap_err(), ChoiceError::NotOpen, "{seq}");
    }
    let view = world.engine.hazard(at(0), hazard_id(7));
    assert_eq!(view, None, "it is a hazard's in no way");
}

#[test]
fn a_retry_is_judged_anew_and_takes_the_place_of_the_first() {
    let mut world = refused();
    world.queue(hazard_id(7), report(vec![]));
    world.settle();
    world.engine.handle_retry(at(0), clock(), 1).unwrap();
    world.settle();
    assert_eq!(standing(&world, 1), Standing::Settled);
    assert_eq!(outcome(&world, 3), Outcome::Applied { version: 2 });
    let notes = &world.hub.hazard(hazard_id(7)).notes;
    assert_eq!(notes.len(), 1, "once");
    assert_eq!(notes[0].text, "on what nobody reported");
    let chosen = world.store.commands[&1].chosen.clone().unwrap();
    assert_eq!(
        (chosen.how, chosen.by),
        (ChoiceKind::Retried, Some(sent(3)))
    );
    let depth = WireLimits::default().depth;
    let retry = &world.store.commands[&3].envelope;
    let opened = CommandPayload::open(&retry.kind, retry.version, &retry.payload.0, depth).unwrap();
    let told = opened.choice.unwrap();
    assert_eq!((told.about, told.how), (sent(1), ChoiceKind::Retried));
}

#[test]
fn what_is_sent_in_its_place_settles_it_and_what_took_effect_is_not_replaced() {
    let mut world = refused();
    world.queue(hazard_id(8), report(vec![]));
    world.settle();
    let command = Command::new(hazard_id(8), note("meant this one"));
    let engine = &mut world.engine;
    engine
        .handle_amended(at(0), clock(), 1, &command, &[])
        .unwrap();
    world.settle();
    assert_eq!(standing(&world, 1), Standing::Settled);
    assert_eq!(world.hub.hazard(hazard_id(8)).notes.len(), 1);
    let took_effect = world
        .engine
        .handle_amended(at(0), clock(), 3, &command, &[]);
    assert_eq!(took_effect.unwrap_err(), ChoiceError::NotOpen);
    assert_eq!(
        world.engine.handle_retry(at(0), clock(), 2),
        Err(ChoiceError::NotOpen)
    );
}

#[test]
fn a_choice_after_the_phone_was_restored_names_the_install_that_sent_it() {
    let mut world = refused();
    world
        .engine
        .handle_rekeyed(InstallId(Uuid::from_u128(99)), key());
    world.pump();
    let kept: Vec<i64> = world.store.commands.keys().copied().collect();
    assert_eq!(kept, [-1]);
    assert_eq!(world.store.commands[&-1].earlier, Some(sent(1)));
    world
        .engine
        .handle_given_up(at(0), clock(), -1, "重复")
        .unwrap();
    world.pump();
    let told = &world.store.commands[&1].envelope;
    let read = GiveUp::open(told.version, &told.payload.0, 16).unwrap();
    assert_eq!(read.choice.about, sent(1), "not by its number here");
    assert_eq!(standing(&world, -1), Standing::Settled);
}

#[test]
fn a_choice_that_the_disk_does_not_take_was_not_made() {
    let mut world = refused();
    let ticket = world
        .engine
        .handle_given_up(at(0), clock(), 1, "重复")
        .unwrap();
    let Some(Output::Write { id, .. }) = world.engine.poll_output(at(0)) else {
        panic!("nothing to store")
    };
    world.engine.handle_store_failed(id, at(0));
    let told = world.engine.poll_output(at(0));
    assert_eq!(told, Some(Output::Notice(Notice::NotKept { ticket })));
    assert_eq!(standing(&world, 1), Standing::NeedsAttention);
    assert_eq!(world.engine.state().highest_seq(), 1);
}

#[test]
fn what_is_settled_goes_in_its_time_and_what_is_open_stays() {
    let mut world = refused();
    world.queue(hazard_id(9), note("on another"));
    world.settle();
    world
        .engine
        .handle_given_up(at(0), clock(), 1, "重复")
        .unwrap();
    world.settle();
    world.now = world.now.plus_millis(400 * 24 * 3_600_000);
    world.pull();
    let kept: Vec<i64> = world.store.commands.keys().copied().collect();
    assert_eq!(kept, [2, 3], "the open one, and where the chain goes on");
}

#[test]
fn what_the_server_tells_of_a_command_settles_it_here_too() {
    use hazardloop_domain::command_fate::{CommandFate, SettledAs, SettledCommand};
    let mut world = refused();
    let fate = CommandFate {
        command: sent(1),
        version: 1,
        kind: "note".into(),
        subject_id: Some(hazard_id(7).into()),
        received_at: at(0),
        chosen: None,
        settled: Some(SettledCommand {
            how: SettledAs::Entered,
            note: "已登记".into(),
            by: PersonId(Uuid::from_u128(5)),
            by_name: "周局".into(),
            at: at(1),
        }),
    };
    let body = minicbor::to_vec(&fate).unwrap();
    let (kind, id) = (RecordKind::CommandFate, sent(1).fate_id());
    let record = Record {
        kind,
        id,
        version: 1,
        body: Bytes(body),
    };
    world.hub.memory.tables.put(firm_scope(), record);
    world.pull();
    assert_eq!(standing(&world, 1), Standing::Settled);
    let command = &world.engine.state().commands[&1];
    assert_eq!(world.engine.fate_of(command), Some(fate));
}

#[test]
fn what_was_to_take_a_place_and_stayed_aside_leaves_the_choice_to_what_takes_its_own() {
    for (how, told) in [
        (ChoiceKind::Retried, ChoiceKind::Retried),
        (ChoiceKind::Amended, ChoiceKind::Amended),
    ] {
        let mut world = refused();
        world.queue(hazard_id(7), report(vec![]));
        world.settle();
        let engine = &mut world.engine;
        let instead = Command::new(hazard_id(7), note("meant this"));
        let queued = match how {
            ChoiceKind::Retried => engine.handle_retry(at(0), clock(), 1),
            _ => engine.handle_amended(at(0), clock(), 1, &instead, &[]),
        };
        queued.unwrap();
        let too_large = Failure::PayloadTooLarge { ours: true };
        world
            .faults
            .extend([too_large, Failure::Offline].map(Fault::Fail));
        world.pump();
        assert!(world.store.commands[&3].is_replaced());
        let new = InstallId(Uuid::from_u128(99));
        world.engine.handle_rekeyed(new, key());
        world.pump();
        let mut aside = world.store.commands.values();
        let aside = aside.find(|command| command.is_replaced()).unwrap();
        let seq = aside.envelope.seq;
        assert!(seq < 0 && aside.receipt.is_none());
        world.engine.handle_retry(at(0), clock(), seq).unwrap();
        world.pump();
        let again = &world.store.commands[&1].envelope;
        let opened = CommandPayload::open(&again.kind, again.version, &again.payload.0, 16);
        let choice = opened.unwrap().choice.unwrap();
        assert_eq!((choice.about, choice.how), (sent(1), told));
    }
}

/// The server is restored to before it had any of it, and what was refused would be taken by now.
#[test]
fn what_was_chosen_about_is_carried_out_by_no_restored_server() {
    for how in [
        ChoiceKind::GivenUp,
        ChoiceKind::Retried,
        ChoiceKind::Amended,
    ] {
        // By then somebody else's report of it is there.
        let mut reported = World::new();
        reported.queue(hazard_id(7), report(vec![]));
        reported.settle();
        let mut before = World::new();
        before.hub.put_hazard(reported.hub.hazard(hazard_id(7)));
        let backup = before.hub.memory.tables.clone();
        let mut world = refused();
        let engine = &mut world.engine;
        let other = Command::new(hazard_id(7), note("meant this"));
        match how {
            ChoiceKind::GivenUp => engine.handle_given_up(at(0), clock(), 1, "重复"),
            ChoiceKind::Retried => engine.handle_retry(at(0), clock(), 1),
            ChoiceKind::Amended => engine.handle_amended(at(0), clock(), 1, &other, &[]),
        }
        .unwrap();
        world.settle();
        world.hub.restore(&backup, "two");
        world.pull();
        world.pull();
        world.settle();
        assert_eq!(standing(&world, 1), Standing::Settled, "{how:?}");
        let notes = world.hub.hazard(hazard_id(7)).notes.clone();
        let texts: Vec<&str> = notes.iter().map(|note| note.text.as_str()).collect();
        let expected: &[&str] = match how {
            ChoiceKind::GivenUp => &[],
            ChoiceKind::Retried => &["on what nobody reported"],
            ChoiceKind::Amended => &["meant this"],
        };
        assert_eq!(texts, expected, "{how:?}");
    }
}
