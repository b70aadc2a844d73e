//! What a merger needs, and what a merged jurisdiction takes no more.

use hazardloop_domain::access::{GrantScope, Role};
use hazardloop_domain::geography::CoordinateReference;
use hazardloop_domain::jurisdiction::{Jurisdiction, Level};

use super::world::{account, place};
use super::*;
use crate::sample;
use crate::test_support::{add_place, firm_of, terms};
use crate::usecases::people::{self as accounts, NewGrant};
use crate::usecases::{
    boundaries, enterprises, jurisdictions as nodes, relocate, responsibilities,
};

fn refused_for(found: Result<impl std::fmt::Debug, Failure>, into: JurisdictionId) {
    match found {
        Err(Failure::Merged { into: named, name }) => {
            assert_eq!(named, into);
            assert!(!name.is_empty());
        }
        other => panic!("{other:?}"),
    }
}

fn unfit(found: Result<Merged, Failure>) {
    match found {
        Err(Failure::Invalid { field, .. }) => assert_eq!(field, "into"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn only_what_lies_side_by_side_is_merged_and_by_whoever_administers_both() {
    in_small_lots(async |server| {
        let app = &server.app;
        let world = World::build(&server).await;
        unfit(world.merge_one(app, world.old, world.old).await);
        unfit(world.merge_one(app, world.old, world.village).await);
        unfit(world.merge_one(app, world.old, place("nowhere")).await);
        unfit(world.merge_one(app, world.old, place("500153000000")).await);
        let (city, district) = (place("500000000000"), place("500153000000"));
        add_place(app, place("other district"), city, Level::District).await;
        add_place(app, place("far town"), place("other district"), Level::Town).await;
        unfit(world.merge_one(app, world.old, place("far town")).await);
        add_place(app, place("odd village"), district, Level::Village).await;
        unfit(world.merge_one(app, world.old, place("odd village")).await);
        let root = world.merge_one(app, city, world.old).await;
        assert!(matches!(root, Err(Failure::Forbidden(_))), "{root:?}");

        let ask = async |login: &str, seen, reason: &str| {
            let asked = Asked {
                seen,
                into: world.successor,
                reason: reason.to_owned(),
            };
            merge(app, person(login), world.old, asked).await
        };
        // An administrator of one of them, or of the other, is none of both.
        for (login, over) in [("admin1", world.old), ("admin2", world.successor)] {
            account(
                app,
                login,
                vec![terms(Role::Administrator, GrantScope::Jurisdiction(over))],
            )
            .await;
        }
        for login in ["head", "reviewer", "admin1", "admin2", "grid"] {
            let found = ask(login, 1, "撤并").await;
            assert!(
                matches!(found, Err(Failure::Forbidden(_))),
                "{login}: {found:?}"
            );
        }
        let found = ask("admin", 7, "撤并").await;
        assert!(
            matches!(found, Err(Failure::PreconditionFailed { current: 1 })),
            "{found:?}"
        );
        let found = ask("admin", 1, " ").await;
        assert!(found.is_err(), "{found:?}");
        let done = ask("admin", 1, "撤并").await.unwrap();
        assert_eq!(done.node.node.merged_into, Some(world.successor));
        assert_eq!(done.node.node.merged_at, Some(app.clock.now()));
        assert!(done.node.is_merging && !done.boundary_to_redraw);
        // The same again, whatever its version, changes nothing.
        let again = ask("admin", 1, "撤并").await.unwrap();
        assert_eq!(again.node, done.node);
        run_due(app).await.unwrap();
        assert!(!ask("admin", 1, "撤并").await.unwrap().node.is_merging);
        let found = ask("head", 2, "撤并").await;
        assert!(matches!(found, Err(Failure::Forbidden(_))), "{found:?}");
    });
}

#[test]
fn nothing_new_is_placed_in_what_was_merged_and_the_answer_names_the_successor() {
    in_small_lots(async |server| {
        let app = &server.app;
        let world = World::build(&server).await;
        world.merge(app).await.unwrap();
        let (old, successor) = (world.old, world.successor);
        // From the first moment on, and when it is done.
        for (round, ready) in [false, true].into_iter().enumerate() {
            if ready {
                run_due(app).await.unwrap();
            }
            let admin = person("admin");
            let node = Jurisdiction {
                id: JurisdictionId(hazard_id(8_000).0),
                parent_id: Some(old),
                name: "新村".to_owned(),
                level: Level::Village,
                division_code: None,
                version: 1,
                merged_into: None,
                merged_at: None,
            };
            let new = nodes::NewJurisdiction {
                jurisdiction: node,
                boundary: None,
            };
            refused_for(nodes::create(app, admin, new).await, successor);
            let firm = firm_of(hazard_id(8_001).0, old, "town-gas".to_owned());
            refused_for(enterprises::create(app, admin, firm).await, successor);
            let asked = relocate::Move {
                seen: 1,
                to: old,
                reason: "搬迁".to_owned(),
            };
            let third = hazardloop_domain::ids::EnterpriseId(sample::id("third firm"));
            refused_for(
                relocate::relocate(app, admin, third, asked).await,
                successor,
            );
            let asked = NewGrant {
                id: hazardloop_domain::ids::GrantId(hazard_id(8_002).0),
                terms: terms(Role::GridWorker, GrantScope::Jurisdiction(old)),
                valid_from: None,
                valid_until: None,
                temporary_reason: None,
            };
            let seen = 1;
            refused_for(
                accounts::grant(app, admin, person("grid3"), seen, asked).await,
                successor,
            );
            let square = r#"{"type":"Polygon","coordinates":[[[10.0,10.0],[10.1,10.0],[10.1,10.1],[10.0,10.0]]]}"#;
            let drawn = Some((square.to_owned(), CoordinateReference::Wgs84));
            refused_for(
                boundaries::change(app, admin, old, 2, drawn).await,
                successor,
            );
            let says = responsibilities::Change {
                seen: round as i64,
                rows: vec![("town-gas".to_owned(), "某局".to_owned())],
                fallback: None,
            };
            refused_for(
                responsibilities::replace(app, admin, old, says).await,
                successor,
            );
            refused_for(world.merge_one(app, world.third, old).await, successor);
            refused_for(world.merge_one(app, old, world.third).await, successor);
        }
    });
}
