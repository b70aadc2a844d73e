//! Replica: pages, checkpoints, scopes that share rows, drops, resets.

use super::*;
use crate::hub::memory::Tables;
use crate::wire::Scope;
use hazardloop_domain::hazard::Hazard;

fn other_hazard(world: &mut World, n: u128) -> Hazard {
    // Somebody else's report reaches the hub directly.
    let mut other = World::new();
    other.queue(hazard_id(n), report(vec![]));
    other.settle();
    let hazard = other.hub.hazard(hazard_id(n)).clone();
    world.hub.put_hazard(&hazard);
    hazard
}

#[test]
fn pages_are_shown_at_the_checkpoint_and_not_before() {
    let mut world = World::new();
    for n in 0..5 {
        other_hazard(&mut world, n);
    }
    world.hub.page = 2;
    world.engine.handle_pull_wanted();
    // One answer with two changes: the firm's scope is not complete.
    world.faults = VecDeque::from([Fault::None, Fault::Fail(Failure::Offline)]);
    assert!(world.pump());
    assert!(world.engine.hazards(world.now).is_empty());
    assert!(
        !world.store.staged[&firm_scope()].is_empty(),
        "the first page is kept"
    );
    let before = world.sent.len();
    world.settle();
    assert_eq!(world.engine.hazards(world.now).len(), 5);
    let Request::Pull(resumed) = &world.sent[before] else {
        panic!()
    };
    assert!(
        resumed
            .scopes
            .iter()
            .any(|s| s.scope == firm_scope() && s.cursor.is_some())
    );
    assert!(world.store.staged.is_empty());
}

#[test]
fn a_row_in_two_scopes_stays_until_both_are_gone() {
    let mut world = World::new();
    world.hub.memory.rules.hazard_scopes = vec![firm_scope(), town_scope()];
    other_hazard(&mut world, 1);
    world.pull();
    let key = (RecordKind::Hazard, hazard_id(1).0);
    assert_eq!(world.engine.state().rows[&key].holders, 2);
    world.hub.memory.rules.dropped.insert(town_scope());
    world.pull();
    assert_eq!(world.engine.state().rows[&key].holders, 1);
    assert!(world.engine.hazard(world.now, hazard_id(1)).is_some());
    world.hub.memory.rules.dropped.insert(firm_scope());
    world.pull();
    assert!(world.engine.hazard(world.now, hazard_id(1)).is_none());
    assert!(!world.store.rows.contains_key(&key));
    assert!(!world.store.scopes.contains_key(&firm_scope()));
}

#[test]
fn a_revoked_row_with_unsent_work_is_hidden_and_goes_when_settled() {
    let mut world = World::new();
    other_hazard(&mut world, 1);
    world.pull();
    // The push lane is down while the pull brings the revocation.
    let fail = Fault::Fail(Failure::RateLimited {
        retry_after_ms: 60_000,
    });
    world.faults.push_back(fail);
    world.queue(hazard_id(1), note("unsent"));
    assert!(world.pump());
    let tables = &mut world.hub.memory.tables;
    tables.remove(firm_scope(), RecordKind::Hazard, hazard_id(1).0);
    world.engine.handle_pull_wanted();
    assert!(world.pump());
    let key = (RecordKind::Hazard, hazard_id(1).0);
    assert!(
        world.engine.hazard(world.now, hazard_id(1)).is_none(),
        "no longer shown"
    );
    assert_eq!(world.store.rows[&key].holders, 0, "but kept");
    world.settle();
    assert_eq!(world.standing(1), Standing::Arrived);
    assert!(!world.store.rows.contains_key(&key), "gone once settled");
}

#[test]
fn an_altered_row_is_noticed_and_its_scope_alone_is_fetched_anew() {
    let mut world = World::new();
    let hazard = other_hazard(&mut world, 1);
    world.pull();
    // The hub's row changes behind the back of its feed.
    let changed = Hazard {
        description: "被改动".into(),
        ..hazard.clone()
    };
    let body = Bytes(minicbor::to_vec(&changed).unwrap());
    let rows = world.hub.memory.tables.scopes.get_mut(&firm_scope());
    let row = rows
        .unwrap()
        .rows
        .get_mut(&(RecordKind::Hazard, hazard.id.0));
    row.unwrap().record.as_mut().unwrap().body = body;
    world.pull();
    let view = world.engine.hazard(world.now, hazard_id(1)).unwrap();
    assert_eq!(view.hazard.description, "被改动");
}

#[test]
fn a_digest_that_never_fits_resets_a_scope_once_an_interval() {
    let mut world = World::new();
    other_hazard(&mut world, 1);
    world.hub.wrong_digest = true;
    world.pull();
    let fetches = world.sent.len();
    assert!(fetches <= 3, "{fetches} pulls");
    assert!(world.notices.contains(&Notice::ScopeDiffers {
        scope: firm_scope()
    }));
    assert_eq!(
        world.engine.hazards(world.now).len(),
        1,
        "what came is shown"
    );
    world.hub.wrong_digest = false;
    world.now = world.now.plus_millis(700_000);
    world.pull();
    assert!(world.engine.state().scopes[&firm_scope()].complete);
}

#[test]
fn a_pull_does_not_wait_for_a_push_nor_a_push_for_a_pull() {
    let mut world = World::new();
    world.queue(hazard_id(1), report(vec![]));
    world.engine.handle_pull_wanted();
    let lane = |output: Option<Output>| match output {
        Some(Output::Send {
            request: Request::Push(_),
            ..
        }) => "push",
        Some(Output::Send {
            request: Request::Pull(_),
            ..
        }) => "pull",
        _ => "nothing",
    };
    assert_eq!(lane(world.engine.poll_output(world.now)), "push");
    assert_eq!(lane(world.engine.poll_output(world.now)), "pull");
    assert_eq!(lane(world.engine.poll_output(world.now)), "nothing");
}

#[test]
fn a_crash_at_any_write_of_a_first_pull_leaves_nothing_missing() {
    for crash in 1..16 {
        for durable in [false, true] {
            let mut world = World::new();
            world.hub.memory.rules.hazard_scopes = vec![firm_scope(), town_scope()];
            for n in 0..4 {
                other_hazard(&mut world, n);
            }
            world.hub.page = 2;
            world.crash_at = Some((crash, durable));
            world.pull();
            world.pull();
            assert_eq!(
                world.engine.hazards(world.now).len(),
                4,
                "{crash} {durable}"
            );
            let scopes = &world.store.scopes;
            assert!(
                scopes.values().all(|scope| scope.complete),
                "{crash} {durable}"
            );
            let catalog: Vec<&Scope> = scopes.keys().collect();
            assert_eq!(catalog.len(), 3);
        }
    }
}

#[test]
fn a_row_that_changed_on_the_disk_by_itself_is_noticed_after_a_start() {
    let mut world = World::new();
    other_hazard(&mut world, 1);
    world.pull();
    let key = (RecordKind::Hazard, hazard_id(1).0);
    let flipped = &mut world.store.rows.get_mut(&key).unwrap().body;
    let at = flipped.len() / 2;
    flipped[at] ^= 1;
    let damaged = flipped.clone();
    world.store.recompute_held();
    world.reload();
    world.pull();
    assert_ne!(world.store.rows[&key].body, damaged);
    assert!(world.store.scopes[&firm_scope()].complete);
}

#[test]
fn staged_pages_that_the_server_forgets_to_complete_are_fetched_anew() {
    let mut world = World::new();
    other_hazard(&mut world, 1);
    world.hub.forgets_checkpoints = 2;
    world.pull();
    assert_eq!(world.engine.hazards(world.now).len(), 1);
}

/// The records are as they were, the receipts are not: nothing is offered again.
fn lose_records(world: &mut World, backup: &Tables, epoch: &str) {
    let mut lost = backup.clone();
    lost.installs = world.hub.memory.tables.installs.clone();
    world.hub.restore(&lost, epoch);
}

/// A restored server's older versions count, be they many pages or in a scope that this device has not held.
#[test]
fn what_a_restored_server_no_longer_knows_is_shown_by_no_device() {
    let mut world = World::new();
    world.hub.page = 1;
    world.hub.memory.rules.hazard_scopes = vec![firm_scope(), town_scope()];
    world.queue(hazard_id(1), report(vec![]));
    world.queue(hazard_id(2), report(vec![]));
    world.settle();
    world.pull();
    let backup = world.hub.memory.tables.clone();
    world.queue(hazard_id(1), note("lost with the server's disk"));
    world.settle();
    world.pull();
    let row = |world: &World| {
        let key = (RecordKind::Hazard, hazard_id(1).0);
        world.engine.state().rows[&key].version
    };
    let (before, after) = (backup.hazards[&hazard_id(1)].version, row(&world));
    assert!(after > before);
    lose_records(&mut world, &backup, "restored");
    world.pull();
    assert_eq!(row(&world), before);
    // Once more, with a scope that goes at the same time: it is no reason to keep what it had brought.
    world.queue(hazard_id(1), note("lost again"));
    world.settle();
    world.pull();
    assert!(row(&world) > before);
    lose_records(&mut world, &backup, "restored again");
    world.hub.memory.rules.dropped.insert(town_scope());
    world.pull();
    assert_eq!(row(&world), before);
}

#[test]
fn a_page_that_does_not_arrive_is_asked_for_again_in_half() {
    let mut world = World::with(EngineConfig::default());
    world.faults.push_back(Fault::Fail(Failure::Offline));
    world.pull();
    world.settle();
    let asked = world.sent.iter().filter_map(|request| match request {
        Request::Pull(pull) => pull.max_records,
        _ => None,
    });
    assert_eq!(asked.take(2).collect::<Vec<_>>(), [50, 25]);
}

#[test]
fn records_of_kinds_that_this_build_does_not_know_are_held_and_hold_nothing_up() {
    let mut world = World::new();
    other_hazard(&mut world, 1);
    let id = Uuid::from_u128(0x1313);
    let unknown = Record {
        kind: RecordKind::Other(1_300),
        id,
        version: 3,
        body: Bytes(vec![0xa1, 0x18, 0x2a, 0x01]),
    };
    world.hub.memory.tables.put(firm_scope(), unknown.clone());
    world.pull();
    let row = &world.engine.state().rows[&(unknown.kind, id)];
    assert_eq!((row.version, &row.body), (3, &unknown.body.0));
    let held = world.engine.state().scopes[&firm_scope()].held;
    assert_eq!(held, Some(world.hub.memory.sum(firm_scope())));
    assert_eq!(world.engine.hazards(world.now).len(), 1);
    // What is no kind at all is no record.
    for number in [0, -1, 70_000] {
        let bytes = minicbor::to_vec(number).unwrap();
        assert!(minicbor::decode::<RecordKind>(&bytes).is_err(), "{number}");
    }
}
