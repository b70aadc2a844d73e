//! Roles over a town that is merged.

use hazardloop_domain::access::{Grant, GrantScope, Role};

use super::world::account;
use super::*;
use crate::store::people as stored;
use crate::test_support::{NOW, terms};
use crate::usecases::people::{self as accounts, NewGrant};

fn grants(app: &App, of: PersonId) -> Vec<Grant> {
    let held = app
        .db
        .read_blocking(|tx| stored::grants_of(tx.conn(), &[of]));
    held.unwrap()
        .into_iter()
        .map(|placed| placed.grant)
        .collect()
}

fn version(app: &App, of: PersonId) -> i64 {
    let found = app.db.read_blocking(|tx| stored::by_id(tx.conn(), of));
    found.unwrap().unwrap().version
}

#[test]
fn a_role_becomes_the_same_role_once_and_what_was_past_stays() {
    in_small_lots(async |server| {
        let app = &server.app;
        let world = World::build(&server).await;
        let over = |place, role| terms(role, GrantScope::Jurisdiction(place));
        // Both towns already; a certificate; two sectors.
        let both = [world.old, world.successor].map(|place| over(place, Role::GridWorker));
        let both = account(app, "both", both.into()).await;
        let inspector = account(app, "inspector9", vec![over(world.old, Role::Inspector)]).await;
        let mut limited = over(world.old, Role::DepartmentReviewer);
        limited.sectors = vec!["town-gas".to_owned(), "fire-safety".to_owned()];
        let limited = account(app, "limited", vec![limited]).await;
        // For a time, from another district; and an account that is disabled.
        let visitor = account(app, "visitor", vec![over(world.third, Role::Inspector)]).await;
        let until = NOW.plus_millis(30 * 86_400_000);
        let asked = NewGrant {
            id: hazardloop_domain::ids::GrantId(hazard_id(7_001).0),
            terms: over(world.old, Role::Expert),
            valid_from: Some(NOW.plus_millis(86_400_000)),
            valid_until: Some(until),
            temporary_reason: Some("交叉执法检查".to_owned()),
        };
        accounts::grant(app, person("admin"), visitor, 1, asked)
            .await
            .unwrap();
        let disabled = account(app, "disabled", vec![over(world.old, Role::GridWorker)]).await;
        accounts::disable(app, person("admin"), disabled, 1, "离职")
            .await
            .unwrap();
        let certificate = grants(app, inspector)[0].certificate.clone();
        assert!(certificate.is_some());

        world.merge(app).await.unwrap();
        run_due(app).await.unwrap();
        let now = app.clock.now();
        let lasting = |of| -> Vec<Grant> {
            let mut held = grants(app, of);
            held.retain(|grant| grant.valid_until.is_none_or(|until| until > now));
            held
        };
        for of in [both, inspector, limited, disabled] {
            let held = lasting(of);
            assert_eq!(held.len(), 1, "{held:?}");
            assert_eq!(held[0].scope, GrantScope::Jurisdiction(world.successor));
            assert_eq!(grants(app, of).len(), 2, "what it was stays on record");
        }
        assert_eq!(lasting(inspector)[0].certificate, certificate);
        assert_eq!(lasting(limited)[0].sectors.len(), 2);
        let visiting = lasting(visitor);
        let visiting = visiting
            .iter()
            .find(|grant| grant.role == Role::Expert)
            .unwrap();
        assert_eq!(visiting.scope, GrantScope::Jurisdiction(world.successor));
        assert_eq!(visiting.valid_until, Some(until));
        assert_eq!(visiting.valid_from, NOW.plus_millis(86_400_000));
        assert_eq!(visiting.temporary_reason.as_deref(), Some("交叉执法检查"));
        assert_eq!(
            lasting(person("villager"))[0].scope,
            GrantScope::Jurisdiction(world.village)
        );
        assert_eq!(version(app, both), 2, "their devices learn of it once");
        verified(app);
    });
}

#[test]
fn what_somebody_holds_over_one_sector_takes_nothing_from_what_comes_for_all() {
    let over = |sectors: &[&str]| {
        let scope = GrantScope::Jurisdiction(super::world::place("successor"));
        let mut terms = terms(Role::DepartmentReviewer, scope);
        terms.sectors = sectors.iter().map(|sector| (*sector).to_owned()).collect();
        terms.granted(hazardloop_domain::ids::GrantId(hazard_id(1).0), NOW)
    };
    let covers = people::covers;
    assert!(covers(&over(&[]), &over(&["a"])));
    assert!(covers(&over(&["a", "b"]), &over(&["a"])));
    assert!(!covers(&over(&["a"]), &over(&["a", "b"])));
    assert!(!covers(&over(&["a"]), &over(&[])));
    let later = Grant {
        valid_from: NOW.plus_millis(1),
        ..over(&[])
    };
    assert!(!covers(&later, &over(&[])));
    let ending = Grant {
        valid_until: Some(NOW.plus_millis(9)),
        ..over(&[])
    };
    assert!(!covers(&ending, &over(&[])));
    assert!(covers(&over(&[]), &ending));
    let visiting = Grant {
        temporary_reason: Some("交叉".to_owned()),
        ..ending.clone()
    };
    assert!(!covers(&visiting, &ending));
    assert!(covers(&ending, &visiting));
}
