//! Tidying: the old and settled goes, in bounded writes; what the protocol needs stays.

use super::*;

const DAY_MS: i64 = 24 * 3_600_000;

fn tidy(keep: usize) -> EngineConfig {
    EngineConfig {
        keep_settled: keep,
        compact_step: 3,
        ..EngineConfig::default()
    }
}

/// A report and notes that have arrived and are shown.
fn arrived(config: EngineConfig, notes: usize) -> World {
    let mut world = World::with(config);
    world.queue(hazard_id(1), report(vec![]));
    for n in 0..notes {
        world.queue(hazard_id(1), note(&format!("{n}")));
    }
    world.pull();
    world
}

fn kept(world: &World) -> Vec<i64> {
    world.store.commands.keys().copied().collect()
}

#[test]
fn settled_commands_go_when_their_time_is_over_and_the_newest_stays() {
    let mut world = arrived(tidy(100), 9);
    assert_eq!(world.store.commands.len(), 10);
    world.now = world.now.plus_millis(31 * DAY_MS);
    world.pull();
    assert_eq!(kept(&world), [10], "where the chain goes on");
    world.queue(hazard_id(1), note("after"));
    world.settle();
    assert_eq!(world.standing(11), Standing::Arrived);
    assert!(!world.engine.state().meta.must_rekey);
    assert_eq!(world.hub.hazard(hazard_id(1)).notes.len(), 10);
}

#[test]
fn a_wrong_clock_of_the_device_removes_nothing() {
    let mut world = arrived(tidy(100), 4);
    let server = world.hub.now;
    world.now = world.now.plus_millis(4_000 * DAY_MS);
    world.engine.handle_pull_wanted();
    while let Some(output) = world.engine.poll_output(world.now) {
        match output {
            Output::Write { id, ops } => world.keep(id, &ops),
            Output::Send { id, request } => {
                world.hub.now = server;
                let body = world.hub.answer(&request).unwrap();
                world.engine.handle_response(id, world.now, body);
            }
            _ => {}
        }
    }
    assert_eq!(world.store.commands.len(), 5);
}

#[test]
fn what_became_of_a_command_is_told_before_it_goes() {
    let mut world = World::with(tidy(100));
    world.queue(hazard_id(1), report(vec![]));
    world.queue(hazard_id(1), note("a"));
    let mut told = vec![];
    // Both take effect and are shown, but the answer that says so is lost, and the phone lies in a drawer for a month.
    for day in [0, 31] {
        world.now = world.now.plus_millis(day * DAY_MS);
        world.engine.handle_online();
        world.engine.handle_pull_wanted();
        while let Some(output) = world.engine.poll_output(world.now) {
            match output {
                Output::Write { id, ops } => world.keep(id, &ops),
                Output::Notice(Notice::Settled { seq }) => {
                    assert!(world.store.commands.contains_key(&seq), "{seq} is gone");
                    told.push(seq);
                }
                Output::Send { id, request } if day == 0 && matches!(request, Request::Push(_)) => {
                    world.hub.answer(&request).unwrap();
                    world.engine.handle_failure(id, world.now, Failure::Offline);
                }
                Output::Send { id, request } => world.carry(id, request),
                _ => {}
            }
        }
    }
    assert_eq!(told, [1, 2]);
    assert_eq!(kept(&world), [2], "where the chain goes on");
}

#[test]
fn beyond_the_number_to_be_kept_the_oldest_go() {
    let world = arrived(tidy(4), 9);
    assert_eq!(kept(&world), [7, 8, 9, 10]);
}

#[test]
fn a_write_removes_no_more_than_a_step() {
    let mut world = arrived(tidy(100), 9);
    world.engine.config.keep_settled = 1;
    world.engine.handle_pull_wanted();
    let mut steps = vec![];
    while let Some(output) = world.engine.poll_output(world.now) {
        match output {
            Output::Write { id, ops } => {
                let gone = |op: &&StoreOp| matches!(op, StoreOp::DeleteCommand(_));
                let deleted = ops.iter().filter(gone).count();
                if deleted > 0 {
                    assert!(matches!(ops.last(), Some(StoreOp::ReleaseSpace { .. })));
                    steps.push(deleted);
                }
                world.store.apply(&ops);
                world.engine.handle_stored(id);
            }
            Output::Send { id, request } => world.carry(id, request),
            _ => {}
        }
    }
    assert_eq!(steps, [3, 3, 3]);
    assert_eq!(kept(&world), [10]);
}

#[test]
fn what_a_person_has_to_settle_and_what_waits_stays_whatever_its_age() {
    let mut world = World::with(tidy(0));
    world.queue(hazard_id(50), note("on nothing"));
    let bytes = vec![5; 20];
    let named = photo(&bytes);
    world.queue(hazard_id(1), report(vec![named.clone()]));
    world.queue(hazard_id(1), note("a"));
    world.queue(hazard_id(1), note("b"));
    world.engine.handle_pull_wanted();
    assert!(world.pump());
    world.now = world.now.plus_millis(31 * DAY_MS);
    world.engine.handle_pull_wanted();
    assert!(world.pump());
    assert_eq!(kept(&world), [1, 2, 4], "attention, photo here, newest");
    assert!(world.store.photos.contains_key(&named.sha256));
}

#[test]
fn what_no_record_shows_yet_stays() {
    let mut world = World::with(tidy(0));
    world.queue(hazard_id(1), report(vec![]));
    world.queue(hazard_id(1), note("a"));
    world.settle();
    assert_eq!(kept(&world), [1, 2]);
    let view = world.engine.hazard(world.now, hazard_id(1)).unwrap();
    assert_eq!(view.hazard.notes.len(), 1, "still shown on top");
    world.pull();
    assert_eq!(kept(&world), [2]);
}

#[test]
fn a_full_disk_while_tidying_is_not_asked_again_and_again() {
    let mut world = arrived(tidy(100), 5);
    world.engine.config.keep_settled = 1;
    world.engine.compact = true;
    let Some(Output::Write { id, .. }) = world.engine.poll_output(world.now) else {
        panic!()
    };
    world.engine.handle_store_failed(id, world.now);
    assert_eq!(world.engine.poll_output(world.now), None);
    world.pull();
    assert_eq!(kept(&world), [6], "after the next exchange");
}

#[test]
fn a_crash_at_any_write_of_tidying_loses_nothing_that_is_needed() {
    for crash in 1..30 {
        for durable in [false, true] {
            let mut world = World::with(tidy(2));
            world.crash_at = Some((crash, durable));
            for n in 0..8 {
                let action = match n {
                    0 => report(vec![]),
                    _ => note(&format!("{n}")),
                };
                let before = world.engine.state().highest_seq();
                while world.engine.state().highest_seq() == before {
                    let taken = world.engine.handle_command(
                        world.now,
                        clock(),
                        hazard_id(1),
                        action.clone(),
                    );
                    taken.unwrap();
                    world.pump();
                }
            }
            world.pull();
            world.pull();
            let notes = &world.hub.hazard(hazard_id(1)).notes;
            assert_eq!(notes.len(), 7, "crash {crash} durable {durable}");
            assert_eq!(kept(&world), [7, 8], "crash {crash} durable {durable}");
            assert_eq!(world.engine.state(), &world.store);
        }
    }
}

#[test]
fn a_server_restored_to_before_what_is_kept_asks_for_a_new_stream() {
    let mut world = arrived(tidy(2), 7);
    assert_eq!(kept(&world), [7, 8]);
    // The backup knows the first command only.
    let tables = &mut world.hub.memory.tables;
    let stream = tables.installs.get_mut(&install()).unwrap();
    stream.receipts.retain(|seq, _| *seq == 1);
    stream.stream.last_seq = 1;
    stream.stream.last_hash = stream.receipts[&1].link_hash;
    let hazard = tables.hazards.get_mut(&hazard_id(1)).unwrap();
    hazard.notes.clear();
    world.hub.memory.epoch = "two".into();
    world.queue(hazard_id(1), note("not sent yet"));
    world.pull();
    let told = Notice::ServerRestored {
        offered_again: 2,
        gone: 5,
    };
    assert!(world.notices.contains(&told), "{:?}", world.notices);
    assert!(world.engine.state().meta.must_rekey);
    let new = InstallId(Uuid::from_u128(99));
    world.hub.enrol(new);
    world.engine.handle_rekeyed(new, key());
    world.pull();
    let notes = &world.hub.hazard(hazard_id(1)).notes;
    assert_eq!(notes.len(), 3, "the two that were kept, and the new one");
    assert!(!world.engine.state().meta.must_rekey);
}
