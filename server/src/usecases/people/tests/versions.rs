//! Changes of a person insist on the version that their administrator saw.

use super::*;

#[test]
fn a_change_of_somebody_who_has_changed_since_is_refused_and_leaves_nothing() {
    each_world(|world| async move {
        let (app, admin, worker) = (&world.app, id_of("east-admin"), id_of("worker"));
        let scope = GrantScope::Enterprise(EAST_FIRM);
        let first = new_grant(1, Role::SafetyOfficer, scope);
        let first = super::super::grant(app, admin, worker, 1, first)
            .await
            .unwrap();
        assert!(first.1);
        let second = new_grant(2, Role::Principal, scope);
        let stale = super::super::grant(app, admin, worker, 1, second.clone()).await;
        assert_eq!(code(stale), "STALE 2");
        let ended = super::super::end_grant(app, admin, worker, 1, first.0.id).await;
        assert_eq!(code(ended), "STALE 2");
        let disabled = super::super::disable(app, admin, worker, 1, "left").await;
        assert_eq!(code(disabled), "STALE 2");
        let seen = one(app, admin, worker).await.unwrap();
        assert_eq!(
            (seen.grants.len(), seen.version, seen.disabled_at),
            (2, 2, None)
        );
        assert!(seen.grants.iter().all(|grant| grant.valid_until.is_none()));
        // Who may not is told that, and never the version.
        for (asker, expected) in [("west-admin", "NOT_FOUND"), ("principal", "FORBIDDEN")] {
            let asker = id_of(asker);
            let stale = super::super::grant(app, asker, worker, 1, second.clone()).await;
            assert_eq!(code(stale), expected);
            let ended = super::super::end_grant(app, asker, worker, 1, first.0.id).await;
            assert_eq!(code(ended), expected);
            let disabled = super::super::disable(app, asker, worker, 1, "left").await;
            assert_eq!(code(disabled), expected);
        }
    });
}

#[test]
fn what_was_done_before_is_answered_again_whatever_the_version() {
    each_world(|world| async move {
        let (app, admin, worker) = (&world.app, id_of("east-admin"), id_of("worker"));
        let new = new_grant(1, Role::SafetyOfficer, GrantScope::Enterprise(EAST_FIRM));
        for made in [true, false] {
            let answer = super::super::grant(app, admin, worker, 1, new.clone()).await;
            assert_eq!(answer.unwrap().1, made);
        }
        world.pass(1_000);
        for _ in 0..2 {
            let ended = super::super::end_grant(app, admin, worker, 2, new.id).await;
            ended.unwrap();
        }
        for _ in 0..2 {
            let disabled = super::super::disable(app, admin, worker, 3, "left")
                .await
                .unwrap();
            assert_eq!(
                (disabled.version, disabled.disabled_at.is_some()),
                (4, true)
            );
        }
    });
}

#[test]
fn of_two_administrators_with_one_version_one_is_refused() {
    each_world(|world| async move {
        let worker = id_of("worker");
        let sent: Vec<_> = ["east-admin", "town-admin", "city-admin"]
            .into_iter()
            .zip(1..)
            .map(|(login, number)| {
                let app = world.app.clone();
                let scope = GrantScope::Enterprise(EAST_FIRM);
                let new = new_grant(number, Role::SafetyOfficer, scope);
                tokio::spawn(async move {
                    super::super::grant(&app, id_of(login), worker, 1, new).await
                })
            })
            .collect();
        let mut made = 0;
        for answer in sent {
            match answer.await.unwrap() {
                Ok(_) => made += 1,
                refused => assert_eq!(code(refused), "STALE 2"),
            }
        }
        assert_eq!(made, 1);
    });
}
