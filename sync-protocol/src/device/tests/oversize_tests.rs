//! A command too large for the server: it never holds those behind it, and nothing happens twice.

use super::*;

pub(super) const LIMIT: usize = 1_000;

pub(super) fn long(n: usize) -> Action {
    note(&format!("{n:03} {}", "长".repeat(LIMIT / 2)))
}

pub(super) fn small() -> EngineConfig {
    EngineConfig::default()
}

/// A report that has arrived, a long note and two short ones behind it.
pub(super) fn stuck() -> World {
    let mut world = World::with(small());
    world.queue(hazard_id(1), report(vec![]));
    world.settle();
    world.hub.payload_limit = LIMIT;
    world.queue(hazard_id(1), long(2));
    world.queue(hazard_id(1), note("003"));
    world.queue(hazard_id(1), note("004"));
    world
}

pub(super) fn texts(world: &World) -> Vec<String> {
    let notes = &world.hub.hazard(hazard_id(1)).notes;
    let word = |text: &str| text.chars().take(3).collect();
    notes.iter().map(|note| word(&note.text)).collect()
}

#[test]
fn a_command_too_large_is_set_aside_and_those_behind_it_go_on() {
    let mut world = stuck();
    world.settle();
    assert_eq!(texts(&world), ["003", "004"]);
    assert_eq!(world.standing(2), Standing::NeedsAttention);
    assert_eq!(world.standing(3), Standing::Arrived);
    assert!(world.notices.contains(&Notice::SetAside { seq: 2 }));
    let kept = &world.store.commands[&2];
    assert_eq!(kept.content().kind, "note");
    assert!(kept.content().payload.0.len() > LIMIT, "the whole text");
    assert!(kept.envelope.payload.0.len() < 300, "a small placeholder");
    assert!(matches!(
        kept.receipt.as_ref().unwrap().outcome,
        Outcome::Quarantined { .. }
    ));
    assert!(!world.engine.state().meta.must_rekey);
    world.queue(hazard_id(1), note("005"));
    world.settle();
    assert_eq!(texts(&world), ["003", "004", "005"], "the chain goes on");
}

#[test]
fn what_no_server_need_take_is_refused_before_it_is_queued() {
    let mut config = small();
    config.wire.payload_bytes = 300;
    let mut world = World::with(config);
    let (now, text) = (world.now, "长".repeat(200));
    let refused = world
        .engine
        .handle_command(now, clock(), hazard_id(1), note(&text))
        .unwrap_err();
    let limit = hazardloop_domain::refusal::RefusalCode::LimitReached;
    assert_eq!(refused.0.code, limit);
    assert!(
        refused
            .0
            .rule
            .starts_with("a command has at most 300 bytes, this one has ")
    );
    assert!(world.queue(hazard_id(1), note("short")));
}

#[test]
fn the_placeholder_says_which_command_it_stands_for() {
    let mut world = stuck();
    world.settle();
    let kept = &world.store.commands[&2];
    let packed: CommandPayload = minicbor::decode(&kept.envelope.payload.0).unwrap();
    let read: Placeholder = minicbor::decode(&packed.fields.0).unwrap();
    assert_eq!(read, Placeholder::of(kept.content()));
    assert_eq!(packed.subject_id, hazard_id(1).into());
    assert_eq!(kept.envelope.kind, PLACEHOLDER_KIND);
}

#[test]
fn a_stranger_on_the_way_makes_no_command_final() {
    let mut world = stuck();
    world.hub.payload_limit = usize::MAX;
    for _ in 0..2 {
        let failure = Failure::PayloadTooLarge { ours: false };
        world.faults.push_back(Fault::Fail(failure));
    }
    assert!(world.pump());
    let state = world.engine.state();
    assert_eq!(
        state.standing(&state.commands[&2]),
        Standing::NeedsAttention
    );
    assert!(!state.commands[&2].is_replaced());
    assert!(
        world
            .notices
            .contains(&Notice::TooLarge { seq: 2, behind: 2 })
    );
    let wait = world.engine.next_wake().unwrap().as_millis() - world.now.as_millis();
    assert!(wait >= world.engine.config.retry_cap_ms, "{wait}");
    world.settle();
    assert_eq!(texts(&world), ["002", "003", "004"], "once it lets through");
    assert_eq!(world.engine.state().meta.too_large, None);
}

/// The server took it, the answer was lost, and only then the limit fell.
fn taken_and_then_refused(limit: usize) -> World {
    let mut world = stuck();
    world.hub.payload_limit = usize::MAX;
    world.faults.push_back(Fault::LoseAnswer);
    assert!(world.pump());
    assert_eq!(texts(&world), ["002", "003", "004"]);
    world.hub.payload_limit = limit;
    world
}

#[test]
fn a_command_that_the_server_has_already_gets_its_own_receipt() {
    let mut world = taken_and_then_refused(LIMIT);
    // Refused when it is offered again, so the placeholder goes; then the limit is raised.
    while world.sent.iter().filter(|r| is_placeholder(r)).count() == 0 {
        world.now = world.now.max(world.engine.next_wake().unwrap());
        world.faults.push_back(Fault::None);
        for _ in 0..50 {
            match world.engine.poll_output(world.now) {
                Some(Output::Write { id, ops }) => {
                    world.store.apply(&ops);
                    world.engine.handle_stored(id);
                }
                Some(Output::Send { id, request }) => {
                    if is_placeholder(&request) {
                        world.hub.payload_limit = usize::MAX;
                    }
                    world.carry(id, request);
                }
                Some(_) => {}
                None => break,
            }
        }
    }
    world.settle();
    assert_eq!(texts(&world), ["002", "003", "004"], "once each");
    assert!((2..=4).all(|seq| world.standing(seq) == Standing::Arrived));
    assert!(!world.engine.state().meta.must_rekey);
}

fn is_placeholder(request: &Request) -> bool {
    matches!(request, Request::Push(push) if push.commands.iter().any(|c| c.kind == PLACEHOLDER_KIND))
}

#[test]
fn a_receipt_that_cannot_be_had_is_left_to_a_person_and_holds_nobody() {
    let mut world = taken_and_then_refused(LIMIT);
    world.queue(hazard_id(1), note("005"));
    world.settle();
    assert_eq!(texts(&world), ["002", "003", "004", "005"], "once each");
    assert_eq!(world.standing(2), Standing::NeedsAttention);
    assert_eq!(
        world.store.commands[&2].oversize,
        Some(Oversize::Unanswered)
    );
    assert!((3..=5).all(|seq| world.standing(seq) == Standing::Arrived));
    assert!(!world.engine.state().meta.must_rekey);
}

#[test]
fn of_a_report_set_aside_the_photo_is_not_awaited_and_can_be_named_anew() {
    let mut world = World::with(small());
    world.hub.payload_limit = LIMIT;
    let named = photo(&[4; 20]);
    world.files.insert(named.sha256, vec![4; 20]);
    let too_long = match report(vec![named.clone()]) {
        Action::Report(mut report) => {
            report.description = "长".repeat(LIMIT);
            Action::Report(report)
        }
        other => other,
    };
    world.queue(hazard_id(1), too_long);
    world.settle();
    let kept = world.store.photos[&named.sha256].clone();
    assert!(
        !world.engine.photo_is_awaited(&kept),
        "kept for its command"
    );
    world.queue(hazard_id(2), report(vec![named.clone()]));
    world.settle();
    assert_eq!(world.store.photos[&named.sha256].stage, PhotoStage::Sent);
}

#[test]
fn a_server_restored_from_backup_gets_the_placeholder_again() {
    let mut world = stuck();
    let backup = world.hub.memory.tables.clone();
    world.settle();
    world.hub.restore(&backup, "two");
    world.pull();
    world.settle();
    assert_eq!(texts(&world), ["003", "004"]);
    assert_eq!(world.standing(2), Standing::NeedsAttention);
    assert!(!world.engine.state().meta.must_rekey);
}

#[test]
fn under_a_new_install_a_command_set_aside_stays_with_its_person() {
    let mut world = stuck();
    // The batches and the command alone are refused, then the placeholder does not get through.
    for _ in 0..2 {
        world.faults.push_back(Fault::None);
    }
    world.faults.push_back(Fault::Fail(Failure::Offline));
    assert!(world.pump());
    assert!(world.store.commands[&2].is_replaced());
    let new = InstallId(Uuid::from_u128(99));
    world.hub.enrol(new);
    world.hub.payload_limit = usize::MAX;
    world.engine.handle_rekeyed(new, key());
    world.settle();
    // Its author was told, and may have sent it again in shorter pieces.
    assert_eq!(texts(&world), ["003", "004"]);
    assert!((1..=2).all(|seq| world.standing(seq) == Standing::Arrived));
    let kept = world.store.commands.values().find(|c| c.is_replaced());
    assert!(kept.unwrap().content().payload.0.len() > LIMIT);
    assert_eq!(kept.unwrap().standing(), Standing::NeedsAttention);
}

/// Any order of failures, limits that change, crashes before and after a write, and requests that
/// arrive long after the device gave them up.
#[test]
fn whatever_happens_every_command_ends_once_and_in_order() {
    for seed in 0..400_u64 {
        let mut dice = crate::device::retry::Jitter(seed.wrapping_mul(7_919));
        let mut roll = |sides: u64| (dice.next() >> 8) % sides;
        // Half of them also tidy all that they may.
        let mut world = World::with(EngineConfig {
            keep_settled: if seed % 2 == 0 { 2_000 } else { 0 },
            compact_step: 2,
            ..small()
        });
        world.queue(hazard_id(1), report(vec![]));
        world.settle();
        let mut installs = 1;
        for n in 2..12 {
            let action = match roll(3) {
                0 => long(n),
                _ => note(&format!("{n:03}")),
            };
            world.faults.clear();
            world
                .faults
                .extend((0..roll(6)).map(|_| Fault::Fail(Failure::Offline)));
            world.crash_at = None;
            while !world.queue(hazard_id(1), action.clone()) {}
            world.faults.clear();
            for _ in 0..roll(5) {
                world.faults.push_back(match roll(6) {
                    0 => Fault::LoseAnswer,
                    1 => Fault::Twice,
                    2 => Fault::Fail(Failure::Offline),
                    3 => Fault::Late,
                    _ => Fault::None,
                });
            }
            world.hub.payload_limit = if roll(2) == 0 { LIMIT } else { usize::MAX };
            if roll(2) == 0 {
                world.crash_at = Some((world.writes + 1 + roll(3) as usize, roll(2) == 0));
            }
            world.pump();
            world.crash_at = None;
            if let Some(wake) = world.engine.next_wake() {
                world.now = world.now.max(wake);
            }
            if roll(3) == 0 {
                arrive(&mut world);
            }
            installs = rekey_if_told(&mut world, installs);
        }
        arrive(&mut world);
        world.faults.clear();
        for _ in 0..4 {
            world.pull();
            installs = rekey_if_told(&mut world, installs);
        }
        check(&world, seed);
    }
}

fn arrive(world: &mut World) {
    for request in std::mem::take(&mut world.late) {
        drop(world.hub.answer(&request));
    }
}

fn rekey_if_told(world: &mut World, installs: u128) -> u128 {
    if !world.engine.state().meta.must_rekey {
        return installs;
    }
    let new = InstallId(Uuid::from_u128(1_000 + installs));
    world.hub.enrol(new);
    world.engine.handle_rekeyed(new, key());
    world.pump();
    installs + 1
}

fn check(world: &World, seed: u64) {
    let taken = texts(world);
    let mut sorted = taken.clone();
    sorted.sort();
    sorted.dedup();
    assert_eq!(taken, sorted, "seed {seed}: once each, in order");
    let state = world.engine.state();
    let mut seen: std::collections::BTreeSet<String> = taken.iter().cloned().collect();
    let tidied = world.engine.config.keep_settled == 0;
    let mut here = 0;
    for command in state
        .commands
        .values()
        .filter(|c| c.content().kind == "note")
    {
        let content = command.content();
        let read = CommandPayload::unpack(&content.kind, 1, &content.payload.0, 16);
        let Ok((
            _,
            Command {
                action: Action::Note(note),
                ..
            },
        )) = read
        else {
            panic!("seed {seed}: the text is whole")
        };
        let word: String = note.text.chars().take(3).collect();
        here += 1;
        seen.insert(word.clone());
        match state.standing(command) {
            Standing::OnDevice => panic!("seed {seed}: {word} waits for ever"),
            Standing::Arrived => assert!(taken.contains(&word), "seed {seed}: {word} lost"),
            Standing::NeedsAttention if command.is_replaced() => {
                assert!(!taken.contains(&word), "seed {seed}: {word} twice");
            }
            Standing::NeedsAttention => {}
            Standing::Settled => panic!("seed {seed}: nobody chose anything"),
        }
    }
    assert_eq!(seen.len(), 10, "seed {seed}: every text is somewhere");
    assert!(tidied || here == 10, "seed {seed}: every text is here");
}
