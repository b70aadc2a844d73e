//! Queue and push: nothing acknowledged is lost, nothing happens twice.

use super::*;
use hazardloop_domain::command::Confirm;

#[test]
fn a_command_is_acknowledged_only_after_it_is_stored() {
    let mut world = World::new();
    let ticket = world
        .engine
        .handle_command(at(0), clock(), hazard_id(1), report(vec![]))
        .unwrap();
    let Some(Output::Write { id, ops }) = world.engine.poll_output(at(0)) else {
        panic!()
    };
    assert!(matches!(ops[0], StoreOp::PutCommand(_)));
    assert_eq!(
        world.engine.poll_output(at(0)),
        None,
        "silent until the store answers"
    );
    world.engine.handle_stored(id);
    let queued = Notice::Queued {
        ticket,
        seq: 1,
        subject_id: hazard_id(1).into(),
    };
    assert_eq!(
        world.engine.poll_output(at(0)),
        Some(Output::Notice(queued))
    );
}

#[test]
fn a_full_disk_is_said_and_the_command_does_not_exist() {
    let mut world = World::new();
    let ticket = world
        .engine
        .handle_command(at(0), clock(), hazard_id(1), report(vec![]))
        .unwrap();
    let Some(Output::Write { id, .. }) = world.engine.poll_output(at(0)) else {
        panic!()
    };
    world.engine.handle_store_failed(id, at(0));
    assert_eq!(
        world.engine.poll_output(at(0)),
        Some(Output::Notice(Notice::NotKept { ticket }))
    );
    assert!(world.engine.state().commands.is_empty());
    assert!(
        world.queue(hazard_id(1), report(vec![])),
        "the next one takes the same place"
    );
    assert_eq!(world.engine.state().highest_seq(), 1);
}

#[test]
fn what_the_rules_refuse_is_never_queued_and_what_is_unknown_is() {
    let mut world = World::new();
    world.pull();
    let blank = match report(vec![]) {
        Action::Report(mut report) => {
            report.description = " ".into();
            Action::Report(report)
        }
        other => other,
    };
    let refused = world
        .engine
        .handle_command(at(0), clock(), hazard_id(1), blank)
        .unwrap_err();
    assert_eq!(refused.0.field.as_deref(), Some("description"));
    assert!(world.engine.state().commands.is_empty());
    assert!(world.queue(hazard_id(77), note("on a record that is not here")));
}

#[test]
fn the_optimistic_view_marks_what_the_server_has_not_said() {
    let mut world = World::new();
    world.queue(hazard_id(1), report(vec![]));
    world.queue(hazard_id(1), note("first"));
    let view = world.engine.hazard(at(0), hazard_id(1)).unwrap();
    assert!(view.is_pending());
    assert_eq!((view.pending, view.server_version), (vec![1, 2], None));
    assert_eq!(view.hazard.notes.len(), 1);
    world.settle();
    let view = world.engine.hazard(at(0), hazard_id(1)).unwrap();
    assert!(
        view.server_version.is_none(),
        "accepted, still shown on top until the row comes"
    );
    assert!(!view.is_pending(), "it is no longer only on this device");
    assert_eq!(view.arrived, vec![1, 2]);
    assert_eq!(view.hazard.notes.len(), 1);
    world.pull();
    let view = world.engine.hazard(at(0), hazard_id(1)).unwrap();
    assert!(!view.is_pending());
    assert_eq!(view.hazard.notes.len(), 1, "not replayed twice");
    assert_eq!(world.standing(1), Standing::Arrived);
}

#[test]
fn a_lost_or_repeated_answer_changes_nothing() {
    for fault in [Fault::LoseAnswer, Fault::Twice] {
        let mut world = World::new();
        world.faults.push_back(fault.clone());
        world.queue(hazard_id(1), report(vec![]));
        world.queue(hazard_id(1), note("a"));
        world.settle();
        assert_eq!(world.hub.applied(), vec![1, 2], "{fault:?}");
        assert_eq!(world.standing(1), Standing::Arrived);
        assert_eq!(world.standing(2), Standing::Arrived);
    }
}

#[test]
fn a_captive_portal_settles_nothing_and_the_wait_ends() {
    let mut world = World::new();
    for _ in 0..3 {
        world.faults.push_back(Fault::Fail(Failure::NotOurs));
    }
    world.queue(hazard_id(1), report(vec![]));
    assert_eq!(world.standing(1), Standing::OnDevice);
    world.settle();
    assert_eq!(world.standing(1), Standing::Arrived);
    let waits = world
        .notices
        .iter()
        .filter(|n| matches!(n, Notice::Retrying { .. }))
        .count();
    assert_eq!(waits, 3);
}

#[test]
fn expired_credentials_hold_the_queue_until_renewed() {
    let mut world = World::new();
    world.queue(hazard_id(1), report(vec![]));
    world.faults.push_back(Fault::Fail(Failure::Unauthorized));
    world.settle();
    assert_eq!(world.standing(1), Standing::OnDevice);
    assert!(world.engine.awaits_credentials());
    assert_eq!(world.engine.poll_output(at(9_000_000)), None);
    world.engine.handle_credentials_renewed();
    world.settle();
    assert_eq!(world.standing(1), Standing::Arrived);
}

#[test]
fn batches_halve_until_they_pass() {
    let mut world = World::new();
    world.hub.max_commands = 3;
    world.faults.push_back(Fault::Fail(Failure::Offline));
    for n in 0..20 {
        world.queue(hazard_id(n), report(vec![]));
    }
    world.settle();
    assert!(
        world
            .engine
            .state()
            .commands
            .values()
            .all(|c| c.standing() == Standing::Arrived)
    );
    assert_eq!(world.hub.applied(), (1..=20).collect::<Vec<_>>());
    let tried = &world.hub.pushed_batches;
    assert!(tried[..4] == [20, 10, 5, 2], "{tried:?}");
}

/// Bytes of the pushes that were sent from `before` on.
fn sizes_of_pushes(world: &World, before: usize) -> Vec<usize> {
    let pushes = world.sent[before..]
        .iter()
        .filter_map(|request| match request {
            Request::Push(push) => Some(crate::codec::encode(push).len()),
            _ => None,
        });
    pushes.collect()
}

/// What goes at once follows the link; else a phone that was weeks without signal would begin for ever.
#[test]
fn a_long_queue_arrives_over_a_link_that_is_cut_again_and_again() {
    let mut world = World::new();
    world.faults.push_back(Fault::Fail(Failure::Offline));
    for n in 0..60 {
        world.queue(hazard_id(n), report(vec![]));
    }
    world.cut_after = Some(3_000);
    world.settle();
    assert_eq!(world.hub.applied(), (1..=60).collect::<Vec<_>>());
    let cut = sizes_of_pushes(&world, 0);
    let cut = cut.iter().filter(|size| **size > 3_000).count();
    assert!(
        cut <= 20,
        "every second one at most was too much, it was {cut}"
    );

    // It is known again after a stop, and forgotten when the link is quick.
    assert!(world.store.meta.push_bytes.is_some());
    world.reload();
    let before = world.sent.len();
    world.faults.push_back(Fault::Fail(Failure::Offline));
    for n in 60..120 {
        world.queue(hazard_id(n), report(vec![]));
    }
    world.cut_after = None;
    world.settle();
    let sizes = sizes_of_pushes(&world, before);
    assert!(
        sizes[0] < 6_000 && sizes.iter().max() > Some(&6_000),
        "{sizes:?}"
    );
    assert_eq!(world.hub.applied().len(), 120);
    assert_eq!(world.store.meta.push_bytes, None, "it takes more by now");
}

#[test]
fn batches_are_bounded_in_bytes() {
    let mut world = World::with(EngineConfig {
        push_bytes: StrideLimits::always(1_000),
        ..EngineConfig::default()
    });
    world.faults.push_back(Fault::Fail(Failure::Offline));
    for n in 0..10 {
        world.queue(hazard_id(n), report(vec![]));
    }
    world.settle();
    assert!(
        world.hub.pushed_batches.iter().all(|count| *count <= 4),
        "{:?}",
        world.hub.pushed_batches
    );
    assert_eq!(world.hub.applied().len(), 10);
}

#[test]
fn a_refused_command_needs_attention_and_lets_the_next_through() {
    let mut world = World::new();
    world.queue(hazard_id(50), note("on nothing"));
    world.queue(hazard_id(1), report(vec![]));
    world.settle();
    assert_eq!(world.standing(1), Standing::NeedsAttention);
    assert_eq!(world.standing(2), Standing::Arrived);
    assert!(
        !world.engine.state().commands[&1]
            .envelope
            .payload
            .0
            .is_empty(),
        "payload kept"
    );
}

#[test]
fn a_crash_at_any_write_ends_like_an_undisturbed_run() {
    for crash in 1..14 {
        for durable in [false, true] {
            let mut world = World::new();
            world.crash_at = Some((crash, durable));
            let mut wanted = vec![];
            for (n, action) in [report(vec![]), note("a"), note("b")]
                .into_iter()
                .enumerate()
            {
                loop {
                    let before = world.engine.state().highest_seq();
                    let taken = world.engine.handle_command(
                        world.now,
                        clock(),
                        hazard_id(1),
                        action.clone(),
                    );
                    if taken.is_err() {
                        break;
                    }
                    world.pump();
                    if world.engine.state().highest_seq() > before {
                        break;
                    }
                }
                wanted.push(n as i64 + 1);
            }
            world.pull();
            // The host asks again after a start.
            world.pull();
            assert_eq!(
                world.hub.applied(),
                wanted,
                "crash {crash} durable {durable}"
            );
            let view = world.engine.hazard(world.now, hazard_id(1)).unwrap();
            assert!(!view.is_pending(), "crash {crash} durable {durable}");
            assert_eq!(view.hazard.notes.len(), 2);
            assert_eq!(world.engine.state(), &world.store);
        }
    }
}

#[test]
fn a_server_restored_from_backup_gets_the_lost_commands_again() {
    let mut world = World::new();
    world.queue(hazard_id(1), report(vec![]));
    world.settle();
    let backup = world.hub.memory.tables.clone();
    world.queue(hazard_id(1), note("after the backup"));
    world.pull();
    assert_eq!(world.hub.hazard(hazard_id(1)).notes.len(), 1);
    // The backup knows command 1 only, under a new epoch and digest key.
    world.hub.restore(&backup, "two");
    world.hub.memory.key = crate::digest::DigestKey([6; 16]);
    world.pull();
    assert!(world.notices.contains(&Notice::ServerRestored {
        offered_again: 2,
        gone: 0
    }));
    world.pull();
    assert_eq!(
        world.hub.hazard(hazard_id(1)).notes.len(),
        1,
        "offered again, once"
    );
    let view = world.engine.hazard(world.now, hazard_id(1)).unwrap();
    assert_eq!((view.is_pending(), view.hazard.notes.len()), (false, 1));
    assert_eq!(world.engine.state().meta.epoch.as_deref(), Some("two"));
}

#[test]
fn a_gap_makes_the_device_go_back_to_what_the_server_expects() {
    let mut world = World::new();
    world.queue(hazard_id(1), report(vec![]));
    world.queue(hazard_id(1), note("a"));
    world.settle();
    world.hub.enrol(install());
    world.hub.memory.tables.hazards.clear();
    world.queue(hazard_id(1), note("b"));
    world.settle();
    assert_eq!(world.hub.hazard(hazard_id(1)).notes.len(), 2);
    assert!((1..=3).all(|seq| world.standing(seq) == Standing::Arrived));
}

#[test]
fn a_phone_that_lost_its_time_judges_by_no_earlier_time_than_the_server_has_said() {
    let mut world = World::new();
    world.queue(hazard_id(1), report(vec![]));
    world.settle();
    let confirm = Confirm {
        grade: Grade::General,
        criterion: None,
        basis: None,
        responsible_person: "王强".into(),
        requirement: "装门".into(),
        due_date: at(5 * 86_400_000).shanghai_date(),
        period: None,
        expert_opinion: None,
        responsible_unit: None,
        served: None,
        category: Some("消防".into()),
    };
    // The battery was flat, the clock begins anew, and there is no network: in five days is not in half a century.
    let flat = Timestamp::from_millis(0);
    let action = Action::Confirm(confirm);
    let taken = world
        .engine
        .handle_command(flat, clock(), hazard_id(1), action);
    assert!(taken.is_ok(), "{taken:?}");
}
