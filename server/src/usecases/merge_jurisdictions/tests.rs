//! A town is merged into another one, on both databases: nobody misses a record before, in the middle of, or after it,
//! and nobody reads what is not theirs.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use std::collections::BTreeSet;

use hazardloop_domain::command::Action;
use hazardloop_domain::ids::HazardId;

use self::world::{Versions, World, hazard, in_lots_of, in_small_lots};
use super::*;
use crate::jobs::run_due;
use crate::store::places;
use crate::test_support::{enterprise, hazard_id, person, report, seal_everything};
use crate::usecases::audit;

mod afterwards;
mod kept;
mod offline;
mod placing;
mod roles;
mod waiting;
mod world;

fn verified(app: &App) {
    seal_everything(&app.db);
    assert_eq!(audit::verify(&app.db, None).unwrap().faults, 0);
}

fn stage(app: &App, from: JurisdictionId) -> Stage {
    let held = app.db.write_blocking(move |tx| merges::held(tx, from));
    held.unwrap().unwrap().stage
}

#[test]
fn nobody_misses_a_record_and_nobody_reads_what_is_not_theirs_at_any_moment() {
    in_small_lots(async |server| {
        let app = &server.app;
        let mut world = World::build(&server).await;
        let before: Vec<Versions> = world.check_all(app, &[]).await;
        let [town, village, successor, district, third, firm, sector] = [0, 1, 2, 3, 4, 5, 6];
        let ids = |held: &Versions| -> BTreeSet<_> { held.keys().copied().collect() };
        assert!(before[successor].len() >= 2 && before[town].len() > 6);
        assert!(!before[sector].is_empty() && before[sector].len() < before[town].len());
        let all: BTreeSet<_> = ids(&before[town])
            .union(&ids(&before[successor]))
            .copied()
            .collect();

        world.merge(app).await.unwrap();
        let (mut seen, mut lots) = (BTreeSet::new(), 0);
        loop {
            let at = stage(app, world.old);
            seen.insert(at);
            // While the successor is being told, its people may open one by one what is not in their lists yet.
            let behind: &[usize] = match at {
                Stage::Telling => &[successor],
                _ => &[],
            };
            let held = world.check_all(app, behind).await;
            for (who, had) in before.iter().enumerate() {
                assert!(
                    ids(had).is_subset(&ids(&held[who])),
                    "{who} misses something at {at:?}"
                );
            }
            for who in [village, district, third, firm] {
                assert_eq!(ids(&held[who]), ids(&before[who]), "{who} at {at:?}");
            }
            if at < Stage::People {
                assert_eq!(held[town], before[town], "no role has moved");
            }
            verified(app);
            if at == Stage::Done {
                break;
            }
            lots += 1;
            assert!(lots < 200, "it goes on");
            advance_once(app, world.old).await.unwrap();
        }
        assert_eq!(seen.len(), 4, "{seen:?}");
        assert!(lots > 12, "several lots each: {lots}");

        let after = world.check_all(app, &[]).await;
        assert_eq!(ids(&after[town]), all);
        assert_eq!(after[town], after[successor]);
        // Filed in the successor, as an event each; what lies in the village is as it was.
        for number in world.filed_in_town() {
            let moved = hazard(app, number);
            assert_eq!(moved.jurisdiction_id, world.successor);
            assert_eq!(
                world.kinds_of(app, number).last().unwrap(),
                "jurisdiction_merged"
            );
        }
        assert_eq!(after[village], before[village]);
        let way = app
            .db
            .read_blocking(|tx| places::lineage(tx.conn(), world.village));
        assert!(!way.unwrap().unwrap().ancestors.contains(&world.old));
        // Nothing is left in the old place.
        let left = app
            .db
            .read_blocking(|tx| merges::holds_anything(tx.conn(), Scope::Jurisdiction(world.old)));
        assert!(!left.unwrap());
        assert!(
            run_due(app).await.unwrap() > 0,
            "the job finds nothing to do"
        );
        assert_eq!(world.check_all(app, &[]).await, after);
    });
}

#[test]
fn what_one_server_began_another_one_ends() {
    in_small_lots(async |server| {
        let mut world = World::build(&server).await;
        world.merge(&server.app).await.unwrap();
        for _ in 0..3 {
            advance_once(&server.app, world.old).await.unwrap();
        }
        assert_eq!(stage(&server.app, world.old), Stage::Telling);
        let other = server.beside().await;
        let all = run_due(&other).await.unwrap();
        assert!(all > 1, "it comes back for more");
        assert_eq!(stage(&other, world.old), Stage::Done);
        let held = world.check_all(&other, &[]).await;
        assert_eq!(held[0], held[2]);
        assert_eq!(
            run_due(&server.app).await.unwrap(),
            0,
            "nothing is left to do"
        );
        let once = |kind: &String| kind == "jurisdiction_merged";
        for number in world.filed_in_town() {
            let kinds = world.kinds_of(&other, number);
            assert_eq!(
                kinds.iter().filter(|kind| once(kind)).count(),
                1,
                "{kinds:?}"
            );
        }
        verified(&other);
    });
}

#[test]
fn what_happens_while_it_is_under_way_is_lost_to_nobody() {
    in_lots_of(6, async |server| {
        let app = &server.app;
        let mut world = World::build(&server).await;
        world.merge(app).await.unwrap();
        let mut number = 500;
        let mut steps = 0;
        while stage(app, world.old) != Stage::Done {
            // Reported right in the town, of its enterprise, and changed there, between any two lots.
            for source in [None, Some(enterprise("polishing"))] {
                number += 1;
                world.file(app, "grid", number, source).await;
            }
            number += 1;
            world
                .send(app, "employee", number, Action::Report(report("积尘")))
                .await;
            world.note(app, "employee", 1 + (number % 3)).await;
            advance_once(app, world.old).await.unwrap();
            steps += 1;
            assert!(steps < 300, "more is moved in a lot than comes between two");
        }
        let held = world.check_all(app, &[]).await;
        assert_eq!(held[0], held[2]);
        for number in 501..=number {
            let id: HazardId = hazard_id(number);
            assert!(
                held[2].contains_key(&(hazardloop_sync_protocol::wire::RecordKind::Hazard, id.0))
            );
            assert_eq!(
                hazard(app, number).jurisdiction_id,
                world.successor,
                "{number}"
            );
        }
        verified(app);
    });
}
