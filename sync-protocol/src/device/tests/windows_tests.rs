//! Windows and first reads, as a device meets them: nothing of its own work is lost by them, and it knows how far it is.

use super::*;
use crate::hub::memory::Window;

/// Puts hazards into the firm's scope, some of which came to their end.
fn hazards(world: &mut World, open: u128, ended: u128) {
    for n in 0..open + ended {
        let mut other = World::new();
        other.queue(hazard_id(n), report(vec![]));
        other.settle();
        let hazard = other.hub.hazard(hazard_id(n)).clone();
        if n >= open {
            let when = at(i64::try_from(n).unwrap());
            let tables = &mut world.hub.memory.tables;
            tables.settle(RecordKind::Hazard, hazard.id.0, when);
        }
        world.hub.put_hazard(&hazard);
    }
}

fn close_the_window(world: &mut World) {
    let tables = &mut world.hub.memory.tables;
    tables.window = Some(Window {
        closed_days: 0,
        closed_bytes: 0,
    });
    tables.keep_windows(at(1_000_000));
}

#[test]
fn a_row_that_leaves_the_window_under_unsent_work_is_hidden_and_the_work_arrives() {
    let mut world = World::new();
    hazards(&mut world, 0, 1);
    world.pull();
    assert!(world.engine.hazard(world.now, hazard_id(0)).is_some());
    let fail = Fault::Fail(Failure::RateLimited {
        retry_after_ms: 60_000,
    });
    world.faults.push_back(fail);
    world.queue(hazard_id(0), note("unsent"));
    assert!(world.pump());
    close_the_window(&mut world);
    world.engine.handle_pull_wanted();
    assert!(world.pump());
    let key = (RecordKind::Hazard, hazard_id(0).0);
    assert!(world.engine.hazard(world.now, hazard_id(0)).is_none());
    assert_eq!(
        world.store.rows[&key].holders, 0,
        "kept while work on it is unsent"
    );
    world.settle();
    // It was nobody else's by then: it took effect like any other.
    assert_eq!(world.standing(1), Standing::Arrived);
    assert!(!world.store.rows.contains_key(&key), "gone once settled");
    let window = world.engine.state().scopes[&firm_scope()].window;
    assert_eq!(window.map(|window| window.closed_days), Some(0));
}

/// The app is killed after every page of a first read: the next start goes on behind it, and asks for no page twice.
#[test]
fn a_first_read_goes_on_after_a_kill_at_every_page_and_says_how_far_it_is() {
    for killed_after in 1..5 {
        let mut world = World::new();
        hazards(&mut world, 4, 5);
        world.hub.page = 2;
        let mut told = Vec::new();
        world.engine.handle_pull_wanted();
        // So many answers arrive, then there is no network.
        world.faults = std::iter::repeat_n(Fault::None, killed_after)
            .chain([Fault::Fail(Failure::Offline)])
            .collect();
        world.pump();
        for notice in &world.notices {
            if let Notice::Reading { scope, rows, whole } = notice {
                assert_eq!((*scope, *whole), (firm_scope(), world_rows(&world)));
                told.push(*rows);
            }
        }
        assert!(told.is_sorted(), "{told:?}");
        let staged = world
            .store
            .staged
            .get(&firm_scope())
            .map_or(0, |rows| rows.len());
        assert_eq!(told.last().copied().unwrap_or_default(), staged);
        // Killed: what is durable is all that it starts from; and the window closes meanwhile.
        let first_reads = world.store.first_reads();
        assert!(
            first_reads
                .iter()
                .all(|(_, rows, _)| *rows == staged as u64)
        );
        close_the_window(&mut world);
        world.reload();
        world.engine.handle_pull_wanted();
        let asked = world.sent.len();
        world.settle();
        let open: Vec<_> = (0..4).map(hazard_id).collect();
        let mut shown: Vec<_> = world
            .engine
            .hazards(world.now)
            .iter()
            .map(|view| view.hazard.id)
            .collect();
        shown.sort_unstable();
        assert_eq!(shown, open, "killed after {killed_after}");
        assert!(world.engine.state().first_reads().is_empty());
        let Request::Pull(resumed) = &world.sent[asked] else {
            panic!()
        };
        let held = resumed
            .scopes
            .iter()
            .find(|held| held.scope == firm_scope());
        assert_eq!(held.is_some_and(|held| held.cursor.is_some()), staged > 0);
    }
}

/// Rows of the firm's scope when the reading began.
fn world_rows(world: &World) -> u64 {
    let rows = &world.hub.memory.tables.scopes[&firm_scope()].rows;
    u64::try_from(rows.len()).unwrap()
}
