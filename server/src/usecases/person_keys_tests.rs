//! Keys under a PIN: registering, listing, revoking, on both databases.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::{Signer as _, SigningKey};
use hazardloop_domain::ids::{InstallId, KeyId, PersonId};

use super::person_keys::{self, Key, NewKey, proof_message};
use super::{audit, devices};
use crate::app::App;
use crate::failure::Failure;
use crate::test_support::{
    NOW, TestDevice, hazard_id, on_each_database, person, seal_everything, stranger,
};

fn new_key(person: PersonId, id: KeyId, host: InstallId, key: &SigningKey) -> NewKey {
    let public = key.verifying_key().to_bytes();
    let proof = key.sign(proof_message(id, person, host, &public).as_bytes());
    NewKey {
        id,
        host_install: host,
        algorithm: "ed25519".to_owned(),
        public_key: URL_SAFE_NO_PAD.encode(public),
        proof: URL_SAFE_NO_PAD.encode(proof.to_bytes()),
    }
}

/// Registers a key for somebody.
pub(super) async fn register(
    app: &App,
    person: PersonId,
    id: KeyId,
    host: InstallId,
    key: &SigningKey,
) -> Key {
    let new = new_key(person, id, host, key);
    let (registered, created) = person_keys::register(app, person, new).await.unwrap();
    assert!(created);
    registered
}

fn key_id(number: u64) -> KeyId {
    KeyId(hazard_id(number).0)
}

fn pair() -> SigningKey {
    SigningKey::from_bytes(&[9; 32])
}

#[test]
fn a_key_is_registered_once_and_only_with_a_proof_for_that_person_and_device() {
    on_each_database(async |server| {
        let app = &server.app;
        let host = TestDevice::enrol(app, "inspector1", 2).await.install_id;
        let owner = person("inspector2");
        let good = new_key(owner, key_id(1), host, &pair());
        let wrong: [fn(&mut NewKey); 5] = [
            |key| key.id = KeyId(uuid::Uuid::from_u128(4)),
            |key| key.id = key_id(2),
            |key| key.algorithm = "sm2".to_owned(),
            |key| key.public_key = URL_SAFE_NO_PAD.encode([0; 32]),
            |key| key.proof = URL_SAFE_NO_PAD.encode([1; 64]),
        ];
        for change in wrong {
            let mut bad = good.clone();
            change(&mut bad);
            let refused = person_keys::register(app, owner, bad).await.unwrap_err();
            assert!(matches!(refused, Failure::Invalid { .. }), "{refused:?}");
        }
        let by_another = person_keys::register(app, person("grid"), good.clone()).await;
        assert!(matches!(by_another, Err(Failure::Invalid { .. })));
        let nowhere = new_key(owner, key_id(1), InstallId(key_id(9).0), &pair());
        let nowhere = person_keys::register(app, owner, nowhere).await;
        assert!(matches!(nowhere, Err(Failure::NotFound("device"))));
        let (first, created) = person_keys::register(app, owner, good.clone())
            .await
            .unwrap();
        assert!(created);
        let again = person_keys::register(app, owner, good).await.unwrap();
        assert_eq!(again, (first, false));
        let other = new_key(owner, key_id(1), host, &SigningKey::from_bytes(&[8; 32]));
        let other = person_keys::register(app, owner, other).await;
        assert!(matches!(other, Err(Failure::IdReused)));
        seal_everything(&app.db);
        assert_eq!(audit::verify(&app.db, None).unwrap().findings, []);
    });
}

#[test]
fn an_installations_id_is_no_id_of_a_key() {
    on_each_database(async |server| {
        let app = &server.app;
        let mut device = TestDevice::enrol_again(4, "inspector1");
        device.install_id = InstallId(key_id(7).0);
        let host = TestDevice::enrol(app, "inspector1", 2).await.install_id;
        let row = crate::store::installs::Install {
            id: device.install_id,
            person_id: person("inspector1"),
            device_name: "test".to_owned(),
            key_algorithm: 1,
            public_key: vec![1; 32],
            enrolled_at: NOW,
            last_seen_at: None,
            revoked_at: None,
            revoked_reason: None,
            stolen: false,
        };
        let stored = app
            .db
            .write(move |tx| crate::store::installs::insert(tx, &row));
        stored.await.unwrap();
        let owner = person("inspector2");
        let new = new_key(owner, key_id(7), host, &pair());
        let refused = person_keys::register(app, owner, new).await;
        assert!(matches!(refused, Err(Failure::IdReused)));
    });
}

#[test]
fn the_owner_and_their_administrators_see_and_revoke_and_nobody_else() {
    on_each_database(async |server| {
        let app = &server.app;
        let host = TestDevice::enrol(app, "inspector1", 2).await.install_id;
        let owner = person("inspector2");
        for number in 1..=3 {
            let key = SigningKey::from_bytes(&[u8::try_from(number).unwrap(); 32]);
            register(app, owner, key_id(number), host, &key).await;
        }
        let outsider = stranger(app).await;
        for (asker, hidden) in [(person("inspector1"), true), (outsider, true)] {
            let listed = person_keys::list(app, asker, owner, None, 10).await;
            assert_eq!(matches!(listed, Err(Failure::NotFound(_))), hidden);
            let revoked = person_keys::revoke(app, asker, owner, key_id(1), "").await;
            assert_eq!(matches!(revoked, Err(Failure::NotFound(_))), hidden);
        }
        // Somebody else's key does not go by naming oneself as the owner.
        let as_own = person_keys::revoke(app, outsider, outsider, key_id(1), "").await;
        assert!(matches!(as_own, Err(Failure::NotFound("key"))));
        let page = person_keys::list(app, owner, owner, None, 2).await.unwrap();
        assert_eq!(
            page.iter().map(|key| key.id).collect::<Vec<_>>(),
            [key_id(1), key_id(2)]
        );
        person_keys::revoke(app, owner, owner, key_id(1), "忘记口令")
            .await
            .unwrap();
        person_keys::revoke(app, person("admin"), owner, key_id(2), "")
            .await
            .unwrap();
        let after = person_keys::list(app, person("admin"), owner, None, 10)
            .await
            .unwrap();
        let ended: Vec<bool> = after.iter().map(|key| key.revoked_at.is_some()).collect();
        assert_eq!(ended, [true, true, false]);
        assert_eq!(after[0].revoked_reason.as_deref(), Some("忘记口令"));
        devices::revoke(app, person("inspector1"), host, "lost")
            .await
            .unwrap();
        let after = person_keys::list(app, owner, owner, None, 10)
            .await
            .unwrap();
        assert!(
            after[2].revoked_at.is_some(),
            "with the device, its keys are revoked"
        );
        let late = new_key(owner, key_id(7), host, &pair());
        let late = person_keys::register(app, owner, late).await;
        assert!(matches!(late, Err(Failure::DeviceRevoked)), "{late:?}");
    });
}

#[test]
fn a_person_has_so_many_keys_and_no_more() {
    on_each_database(async |server| {
        let app = &server.app;
        let host = TestDevice::enrol(app, "inspector1", 2).await.install_id;
        let owner = person("inspector2");
        let most = u64::try_from(person_keys::MOST_KEYS).unwrap();
        for number in 1..=most {
            register(app, owner, key_id(number), host, &pair()).await;
        }
        let beyond = || new_key(owner, key_id(most + 1), host, &pair());
        let refused = person_keys::register(app, owner, beyond()).await;
        assert!(matches!(refused, Err(Failure::Conflict(_))));
        person_keys::revoke(app, owner, owner, key_id(1), "")
            .await
            .unwrap();
        assert!(person_keys::register(app, owner, beyond()).await.unwrap().1);
    });
}
