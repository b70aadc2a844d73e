//! Whoever holds no role any more stays with the administrators of where they held the last: listed,
//! looked at, disabled.

use super::*;
use crate::usecases::devices;

async fn left_behind(world: &World, login: &str) -> Vec<String> {
    let of_whom = OfWhom::HeldARole;
    let seen = list(&world.app, id_of(login), of_whom, None, 200).await;
    seen.unwrap()
        .into_iter()
        .map(|person| person.login)
        .collect()
}

async fn devices_left_behind(world: &World, login: &str) -> usize {
    let of_whom = OfWhom::HeldARole;
    let seen = devices::list(&world.app, id_of(login), of_whom, None, 200).await;
    seen.unwrap().len()
}

#[test]
fn whoever_has_no_role_left_is_listed_where_they_held_the_last_and_nowhere_else() {
    each_world(|world| async move {
        let (app, admin, worker) = (&world.app, id_of("east-admin"), id_of("worker"));
        enrol_for(&world, worker).await;
        let first = one(app, admin, worker).await.unwrap().grants[0].id;
        let in_west = new_grant(1, Role::Inspector, GrantScope::Jurisdiction(WEST));
        grant(app, id_of("city-admin"), worker, in_west.clone())
            .await
            .unwrap();
        let everybody = PEOPLE.map(|(login, _, _)| login);
        world.pass(1_000);
        end_grant(app, id_of("west-admin"), worker, in_west.id)
            .await
            .unwrap();
        for login in everybody {
            // A role is left, in the east.
            assert!(left_behind(&world, login).await.is_empty(), "{login}");
        }
        world.pass(1_000);
        end_grant(app, admin, worker, first).await.unwrap();
        world.pass(1_000);
        for login in everybody {
            let sees = ["city-admin", "east-admin", "town-admin"].contains(&login);
            let expected: &[&str] = if sees { &["worker"] } else { &[] };
            assert_eq!(left_behind(&world, login).await, expected, "{login}");
            let devices = devices_left_behind(&world, login).await;
            assert_eq!(devices, usize::from(sees), "{login}");
            let listed = logins_seen_by(&world, login).await;
            assert_eq!(
                listed.contains(&"worker".to_owned()),
                login == "worker",
                "{login}"
            );
        }
        let again = new_grant(2, Role::Inspector, GrantScope::Jurisdiction(WEST));
        // The city may, for the whole of it.
        grant(app, id_of("city-admin"), worker, again.clone())
            .await
            .unwrap();
        assert!(left_behind(&world, "city-admin").await.is_empty());
        world.pass(1_000);
        end_grant(app, id_of("west-admin"), worker, again.id)
            .await
            .unwrap();
        world.pass(1_000);
        for (login, expected) in [("west-admin", 1), ("east-admin", 0), ("town-admin", 0)] {
            assert_eq!(left_behind(&world, login).await.len(), expected, "{login}");
            assert_eq!(
                devices_left_behind(&world, login).await,
                expected,
                "{login}"
            );
        }
    });
}

#[test]
fn a_role_that_begins_later_is_a_role() {
    each_world(|world| async move {
        let (app, admin, worker) = (&world.app, id_of("east-admin"), id_of("worker"));
        let first = one(app, admin, worker).await.unwrap().grants[0].id;
        let later = NewGrant {
            valid_from: Some(app.clock.now().plus_millis(86_400_000)),
            ..new_grant(1, Role::SafetyOfficer, GrantScope::Enterprise(EAST_FIRM))
        };
        grant(app, admin, worker, later).await.unwrap();
        world.pass(1_000);
        end_grant(app, admin, worker, first).await.unwrap();
        world.pass(1_000);
        assert!(left_behind(&world, "east-admin").await.is_empty());
        assert!(
            logins_seen_by(&world, "east-admin")
                .await
                .contains(&"worker".to_owned())
        );
    });
}

#[test]
fn pages_of_them_follow_one_another() {
    each_world(|world| async move {
        let (app, admin) = (&world.app, id_of("city-admin"));
        let gone = ["east-inspector", "principal", "west-worker", "worker"];
        world.pass(1_000);
        for login in gone {
            let id = one(app, admin, id_of(login)).await.unwrap().grants[0].id;
            end_grant(app, admin, id_of(login), id).await.unwrap();
        }
        world.pass(1_000);
        let (mut after, mut seen) = (None, Vec::new());
        loop {
            let page = list(app, admin, OfWhom::HeldARole, after, 1).await.unwrap();
            let Some(last) = page.last() else { break };
            after = Some(last.id);
            seen.extend(page.into_iter().map(|person| person.login));
        }
        seen.sort();
        assert_eq!(seen, gone);
    });
}

#[test]
fn whoever_has_no_role_left_stays_in_the_hands_of_their_last_administrators() {
    each_world(|world| async move {
        let app = &world.app;
        let (admin, worker) = (id_of("east-admin"), id_of("worker"));
        let first = one(app, admin, worker).await.unwrap().grants[0].id;
        let in_west = new_grant(1, Role::Inspector, GrantScope::Jurisdiction(WEST));
        grant(app, id_of("city-admin"), worker, in_west.clone())
            .await
            .unwrap();
        world.pass(1_000);
        end_grant(app, id_of("west-admin"), worker, in_west.id)
            .await
            .unwrap();
        world.pass(1_000);
        end_grant(app, admin, worker, first).await.unwrap();
        world.pass(1_000);
        let session = world.sign_in("worker").await;
        authenticate(app, &session.tokens.access_token)
            .await
            .unwrap();
        for (asker, expected) in [
            ("west-admin", "NOT_FOUND"),
            ("east-supervisor", "NOT_FOUND"),
            ("principal", "NOT_FOUND"),
        ] {
            let answer = one(app, id_of(asker), worker).await;
            assert_eq!(code(answer), expected, "{asker}");
            let answer = disable(app, id_of(asker), worker, "reason").await;
            assert_eq!(code(answer), expected, "{asker}");
        }
        for asker in ["town-admin", "east-admin", "city-admin"] {
            let seen = one(app, id_of(asker), worker).await.unwrap();
            assert!(seen.phone.is_some(), "{asker}");
        }
        let again = new_grant(2, Role::Employee, GrantScope::Enterprise(EAST_FIRM));
        grant(app, admin, worker, again.clone()).await.unwrap();
        world.pass(1_000);
        end_grant(app, admin, worker, again.id).await.unwrap();
        world.pass(1_000);
        enrol_for(&world, worker).await;
        let disabled = disable(app, id_of("town-admin"), worker, "left").await;
        assert!(disabled.unwrap().disabled_at.is_some());
        // The phone learns at its next contact that it holds nothing any more, and hands its queue over.
        let read = move |tx: &mut crate::store::ReadTx<'_>| {
            crate::store::installs::of_person(tx.conn(), worker, None, 10)
        };
        let devices = app.db.read(read).await.unwrap();
        let why: Vec<_> = devices
            .iter()
            .map(|device| device.revoked_reason.as_deref())
            .collect();
        assert_eq!(why, [Some("account_disabled")]);
        assert!(
            authenticate(app, &session.tokens.access_token)
                .await
                .is_err()
        );
    });
}

/// Stores a device of somebody.
async fn enrol_for(world: &World, person_id: PersonId) {
    let install = crate::store::installs::Install {
        id: hazardloop_domain::ids::InstallId(Uuid::from_u128(77)),
        person_id,
        device_name: "phone".to_owned(),
        key_algorithm: 1,
        public_key: vec![1; 32],
        enrolled_at: world.app.clock.now(),
        last_seen_at: None,
        revoked_at: None,
        revoked_reason: None,
        stolen: false,
    };
    let stored = world
        .app
        .db
        .write(move |tx| crate::store::installs::insert(tx, &install));
    stored.await.unwrap();
}
