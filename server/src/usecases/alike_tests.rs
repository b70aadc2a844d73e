//! Over a random world a pull holds what REST shows, in the same versions, and nothing else, but for what came to its
//! end and is outside of the window of every scope: for every role, across transfers, moves, inspections, hand-overs
//! and roles that end, while days pass, on both databases.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use std::collections::{BTreeMap, BTreeSet};

use hazardloop_domain::access::Role;
use hazardloop_domain::ids::{EnterpriseId, HazardId, InspectionId, PersonId};
use hazardloop_sync_protocol::wire::{RecordKind, Scope};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use uuid::Uuid;

use self::world::World;
use super::enterprises;
use super::phone_tests::{Phone, Versions};
use super::read::{self, Wanted};
use super::windows;
use crate::app::App;
use crate::jobs::run_due;
use crate::test_support::{TestDevice, on_each_database_with};

mod ends;
mod world;

/// What REST shows of what there is, one by one.
async fn shown(world: &World<'_>, who: PersonId) -> Versions {
    let app = world.app();
    let mut shown = Versions::new();
    for id in &world.hazards {
        if let Ok(seen) = read::hazard::one(app, who, *id).await {
            shown.insert((RecordKind::Hazard, id.0), seen.hazard.version);
        }
    }
    for id in &world.inspections {
        if let Ok(seen) = read::inspection::one(app, who, *id).await {
            shown.insert((RecordKind::Inspection, id.0), seen.inspection.version);
        }
    }
    for id in &world.firms {
        if let Ok(firm) = enterprises::one(app, who, *id).await {
            shown.insert((RecordKind::Enterprise, id.0), firm.version);
        }
    }
    shown
}

/// What REST lists.
async fn listed(world: &World<'_>, who: PersonId) -> Versions {
    let (app, mut all) = (world.app(), Versions::new());
    let now = app.clock.now();
    let mut after = None;
    loop {
        let wanted = Wanted { after, limit: 7 };
        let order = read::hazards::Order::Newest;
        let page = read::hazards::list(app, who, Default::default(), order, wanted, now).await;
        let page = page.unwrap();
        all.extend(
            page.items
                .iter()
                .map(|it| ((RecordKind::Hazard, it.id.0), it.version)),
        );
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    let all_at_once = || Wanted {
        after: None,
        limit: 200,
    };
    let visits = read::inspections::list(app, who, Default::default(), all_at_once()).await;
    let visits = visits.unwrap().items;
    all.extend(
        visits
            .iter()
            .map(|it| ((RecordKind::Inspection, it.id.0), it.version)),
    );
    let firms = read::enterprises::list(app, who, Default::default(), all_at_once()).await;
    let firms = firms.unwrap().items;
    all.extend(
        firms
            .iter()
            .map(|it| ((RecordKind::Enterprise, it.id.0), it.version)),
    );
    all
}

/// Nobody pulls what REST does not show, and the reverse; lists show all of it but what somebody handed
/// in and may only look up.
async fn check(world: &mut World<'_>) {
    run_due(world.app()).await.unwrap();
    while windows::keep(world.app()).await.unwrap() {}
    let mut phones = std::mem::take(&mut world.phones);
    for phone in &mut phones {
        let who = phone.device.person_id;
        let grants = world.grants(who).await;
        let shown = shown(world, who).await;
        let pulled = phone.pull(world.app()).await;
        let (within, outside) = ends::windowed(world, who, &grants, &shown);
        assert_eq!(pulled, within, "by sync; {grants:?}");
        world.left_out += outside;
        let listed = listed(world, who).await;
        let handed_in =
            |(key, _): &(&(RecordKind, Uuid), &i64)| world.reporters.get(&key.1) == Some(&who);
        for (key, version) in &listed {
            assert_eq!(
                shown.get(key),
                Some(version),
                "{key:?} in a list; {grants:?}"
            );
        }
        let looked_up = shown.iter().filter(|(key, _)| !listed.contains_key(*key));
        let others: Vec<_> = looked_up.filter(|row| !handed_in(row)).collect();
        assert!(others.is_empty(), "{others:?} in no list; {grants:?}");
        world.saw(&grants, &pulled);
    }
    world.phones = phones;
}

#[test]
fn a_pull_holds_what_rest_shows_and_the_reverse_for_every_role() {
    on_each_database_with(
        |settings| {
            settings.hazards.moved_at_once = 3;
            ends::set(&mut settings.sync.windows);
        },
        async |server| {
            let mut rng = StdRng::seed_from_u64(20_261_127);
            let mut world = World::build(&server).await;
            for role in Role::ALL {
                world.person(&mut rng, Some(role)).await;
            }
            world.begin(&mut rng).await;
            check(&mut world).await;
            for step in 0..260 {
                world.step(&mut rng).await;
                if step % 52 == 51 {
                    check(&mut world).await;
                }
            }
            let missing: Vec<_> = world::WHAT_HAPPENS
                .iter()
                .filter(|what| !world.happened.contains_key(*what))
                .collect();
            assert!(missing.is_empty(), "{missing:?} of {:?}", world.happened);
            assert!(world.left_out > 100, "{} were outside", world.left_out);
            let seeing: BTreeSet<_> = world.seen_as.iter().copied().collect();
            let blind = Role::Gateway;
            let all: BTreeSet<_> = Role::ALL
                .into_iter()
                .filter(|role| *role != blind)
                .collect();
            assert_eq!(
                seeing, all,
                "every role but the gateway's has something to see"
            );
        },
    );
}

#[test]
fn it_does_so_when_towns_are_merged_amid_all_that_happens() {
    on_each_database_with(
        |settings| {
            settings.hazards.moved_at_once = 5;
            ends::set(&mut settings.sync.windows);
        },
        async |server| {
            let mut rng = StdRng::seed_from_u64(20_261_128);
            let mut world = World::build(&server).await;
            for role in Role::ALL {
                world.person(&mut rng, Some(role)).await;
            }
            world.begin(&mut rng).await;
            for round in 0..3 {
                for _ in 0..60 {
                    world.step(&mut rng).await;
                }
                check(&mut world).await;
                if round < 2 {
                    world.merge_towns(&mut rng).await;
                    check(&mut world).await;
                }
            }
            let left = world.left_in_merged();
            assert_eq!(
                left, 0,
                "hazards that are still filed in a town that is gone"
            );
        },
    );
}
