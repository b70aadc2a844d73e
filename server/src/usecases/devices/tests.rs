//! Enrolling and revoking devices, on both databases.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use ed25519_dalek::{Signer as _, SigningKey};

use super::*;
use crate::usecases::sign_in::authenticate;
use crate::usecases::sign_in::session::SignedIn;
use crate::usecases::sign_in::test_support::{World, each_world, id_of};

fn install(number: u128) -> InstallId {
    InstallId(Uuid::from_u128(number))
}

fn device(number: u128, seed: u8, person: PersonId) -> NewDevice {
    let key = SigningKey::from_bytes(&[seed; 32]);
    let public = key.verifying_key().to_bytes();
    let proof = key.sign(proof_message(install(number), person, &public).as_bytes());
    NewDevice {
        install_id: install(number),
        device_name: "手机".to_owned(),
        key_algorithm: "ed25519".to_owned(),
        public_key: URL_SAFE_NO_PAD.encode(public),
        proof: URL_SAFE_NO_PAD.encode(proof.to_bytes()),
    }
}

async fn enrolled(world: &World, login: &str, number: u128) -> (SignedIn, Enrolled) {
    let signed_in = world.sign_in(login).await;
    let bearer = authenticate(&world.app, &signed_in.tokens.access_token)
        .await
        .unwrap();
    let new = device(number, 1, id_of(login));
    let enrolled = enrol(&world.app, bearer, new).await.unwrap();
    (signed_in, enrolled)
}

#[test]
fn a_device_enrols_once_and_its_session_is_bound_to_it() {
    each_world(|world| async move {
        let app = &world.app;
        let (signed_in, first) = enrolled(&world, "worker", 1).await;
        assert!(first.created);
        let bearer = authenticate(app, &first.access_token).await.unwrap();
        assert_eq!(bearer.install_id, Some(install(1)));
        let again = enrol(app, bearer, device(1, 1, id_of("worker")))
            .await
            .unwrap();
        assert_eq!((again.created, &again.device), (false, &first.device));
        let refreshed = session::refresh(app, &signed_in.tokens.refresh_token)
            .await
            .unwrap();
        assert_eq!(refreshed.install_id, Some(install(1)));
        let second = enrol(app, bearer, device(2, 1, id_of("worker"))).await;
        assert!(
            matches!(second, Err(Failure::Conflict(_))),
            "one device a session"
        );
        let (_, other_session) = enrolled(&world, "worker", 1).await;
        assert!(!other_session.created, "the same device may sign in again");
    });
}

#[test]
fn an_id_that_is_taken_says_nothing_of_whose() {
    each_world(|world| async move {
        let app = &world.app;
        enrolled(&world, "worker", 1).await;
        let own = authenticate(app, &world.sign_in("worker").await.tokens.access_token).await;
        let other =
            authenticate(app, &world.sign_in("west-worker").await.tokens.access_token).await;
        let (own, other) = (own.unwrap(), other.unwrap());
        let with_another_key = enrol(app, own, device(1, 2, own.person_id)).await;
        let by_another_person = enrol(app, other, device(1, 1, other.person_id)).await;
        assert!(matches!(with_another_key, Err(Failure::IdReused)));
        assert!(matches!(by_another_person, Err(Failure::IdReused)));
    });
}

#[test]
fn keys_and_proofs_that_do_not_fit_are_refused_by_field() {
    each_world(|world| async move {
        let app = &world.app;
        let token = world.sign_in("worker").await.tokens.access_token;
        let bearer = authenticate(app, &token).await.unwrap();
        let good = device(1, 1, bearer.person_id);
        let cases = [
            ("proof", device(1, 1, id_of("principal"))),
            (
                "proof",
                NewDevice {
                    install_id: install(2),
                    ..good.clone()
                },
            ),
            (
                "proof",
                NewDevice {
                    proof: device(1, 2, bearer.person_id).proof,
                    ..good.clone()
                },
            ),
            (
                "proof",
                NewDevice {
                    proof: "AAAA".to_owned(),
                    ..good.clone()
                },
            ),
            (
                "public_key",
                NewDevice {
                    public_key: "AAAA".to_owned(),
                    ..good.clone()
                },
            ),
            (
                "public_key",
                NewDevice {
                    public_key: URL_SAFE_NO_PAD.encode([0; 32]),
                    ..good.clone()
                },
            ),
            (
                "key_algorithm",
                NewDevice {
                    key_algorithm: "sm2".to_owned(),
                    ..good.clone()
                },
            ),
            (
                "install_id",
                NewDevice {
                    install_id: InstallId(Uuid::nil()),
                    ..good.clone()
                },
            ),
        ];
        for (at, new) in cases {
            match enrol(app, bearer, new).await.map(|_| ()) {
                Err(Failure::Invalid { field, .. }) => assert_eq!(field, at),
                other => panic!("{at}: {other:?}"),
            }
        }
        assert!(
            list(app, bearer.person_id, OfWhom::HoldsARole, None, 10)
                .await
                .unwrap()
                .is_empty()
        );
        enrol(app, bearer, good).await.unwrap();
    });
}

#[test]
fn a_revoked_device_is_told_so_here_and_on_other_servers() {
    each_world(|world| async move {
        let (app, other) = (&world.app, world.another_server().await);
        let (signed_in, first) = enrolled(&world, "worker", 1).await;
        let bearer = authenticate(app, &first.access_token).await.unwrap();
        revoke(app, id_of("worker"), install(1), "lost")
            .await
            .unwrap();
        revoke(app, id_of("worker"), install(1), "again")
            .await
            .unwrap();
        let now = other.clock.now();
        other
            .sign_in
            .catch_up(&other.db, &other.settings, now)
            .await
            .unwrap();
        for server in [app, &other] {
            let answer = authenticate(server, &first.access_token).await;
            assert_eq!(answer, Err(Failure::DeviceRevoked));
            let answer = session::refresh(server, &signed_in.tokens.refresh_token).await;
            assert_eq!(answer, Err(Failure::DeviceRevoked));
        }
        let fresh = world.sign_in("worker").await.tokens.access_token;
        let fresh = authenticate(app, &fresh).await.unwrap();
        assert_ne!(fresh.session_id, bearer.session_id);
        let back = enrol(app, fresh, device(1, 1, id_of("worker"))).await;
        assert!(
            matches!(back, Err(Failure::DeviceRevoked)),
            "a revoked device stays so"
        );
        let devices = list(app, id_of("worker"), OfWhom::HoldsARole, None, 10)
            .await
            .unwrap();
        assert_eq!(devices[0].revoked_reason.as_deref(), Some("lost"));
    });
}

#[test]
fn neighbours_neither_see_nor_revoke_a_device() {
    each_world(|world| async move {
        let app = &world.app;
        enrolled(&world, "worker", 1).await;
        enrolled(&world, "west-worker", 2).await;
        for (asker, seen) in [
            ("worker", vec![1]),
            ("town-admin", vec![1]),
            ("east-admin", vec![1]),
            ("west-admin", vec![2]),
            ("city-admin", vec![1, 2]),
            ("principal", vec![]),
            ("east-supervisor", vec![]),
        ] {
            let devices = list(app, id_of(asker), OfWhom::HoldsARole, None, 10)
                .await
                .unwrap();
            let ids: Vec<u128> = devices.iter().map(|d| d.install_id.0.as_u128()).collect();
            assert_eq!(ids, seen, "{asker}");
        }
        for (asker, found) in [
            ("west-admin", false),
            ("west-worker", false),
            ("east-inspector", false),
            ("principal", true),
            ("east-supervisor", true),
        ] {
            let answer = revoke(app, id_of(asker), install(1), "").await;
            match answer {
                Err(Failure::NotFound("device")) => assert!(!found, "{asker}"),
                Err(Failure::Forbidden(_)) => assert!(found, "{asker}"),
                other => panic!("{asker}: {other:?}"),
            }
        }
        revoke(app, id_of("town-admin"), install(1), "")
            .await
            .unwrap();
    });
}
