//! Access tokens that must be refused, and keys that change under those that must not be.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};
use uuid::Uuid;

use super::access_token::{Bearer, Claims};
use super::test_support::{World, each_world, id_of};
use super::{authenticate, keys};
use crate::app::App;
use crate::failure::{Failure, Unauthenticated};
use crate::store::signing_keys;

fn claims(app: &App) -> Value {
    let bearer = Bearer {
        person_id: id_of("worker"),
        session_id: Uuid::from_u128(5),
        install_id: None,
    };
    let claims = Claims::new(
        bearer,
        &app.settings.sign_in,
        app.clock.now(),
        Uuid::from_u128(6),
    );
    serde_json::to_value(claims).unwrap()
}

fn header(app: &App) -> Header {
    Header {
        typ: Some("at+jwt".to_owned()),
        kid: Some(app.sign_in.keys.signer().kid.clone()),
        ..Header::new(Algorithm::EdDSA)
    }
}

fn sign(app: &App, header: &Header, claims: &Value) -> String {
    jsonwebtoken::encode(header, claims, &app.sign_in.keys.signer().key).unwrap()
}

fn encoded(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

async fn why_refused(app: &App, token: &str) -> Option<Unauthenticated> {
    match authenticate(app, token).await {
        Ok(_) => None,
        Err(Failure::Unauthenticated(why)) => Some(why),
        Err(other) => panic!("{other}"),
    }
}

#[test]
fn a_token_of_this_server_is_read() {
    each_world(|world| async move {
        let token = sign(&world.app, &header(&world.app), &claims(&world.app));
        let bearer = authenticate(&world.app, &token).await.unwrap();
        assert_eq!(bearer.person_id, id_of("worker"));
        assert_eq!(bearer.session_id, Uuid::from_u128(5));
    });
}

#[test]
fn tokens_with_a_foreign_or_missing_signature_are_refused() {
    each_world(|world| async move {
        let app = &world.app;
        let claims = claims(app);
        let kid = app.sign_in.keys.signer().kid.clone();
        let good = sign(app, &header(app), &claims);
        let parts: Vec<&str> = good.split('.').collect();
        let public = app.db.read_blocking(|tx| {
            signing_keys::in_use(
                tx.conn(),
                hazardloop_domain::time::Timestamp::from_millis(0),
            )
        });
        let public = public.unwrap()[0].public_key.clone();
        let symmetric = Header {
            alg: Algorithm::HS256,
            ..header(app)
        };
        let no_kid = Header {
            kid: None,
            ..header(app)
        };
        let foreign_kid = Header {
            kid: Some("another".to_owned()),
            ..header(app)
        };
        let plain_type = Header {
            typ: Some("JWT".to_owned()),
            ..header(app)
        };
        let critical = Header {
            crit: Some(vec!["exp".to_owned()]),
            ..header(app)
        };
        let none = encoded(&json!({"alg": "none", "typ": "at+jwt", "kid": kid}));
        let mut other = claims.clone();
        other["sub"] = json!(id_of("city-admin"));
        let stranger = keys::new_key(&app.entropy, app.clock.now());
        let prefix = hex::decode("302e020100300506032b657004220420").unwrap();
        let stranger = EncodingKey::from_ed_der(&[prefix, stranger.private_key.to_vec()].concat());
        let cases = [
            ("alg none", format!("{none}.{}.", parts[1])),
            (
                "alg none with a signature",
                format!("{none}.{}.{}", parts[1], parts[2]),
            ),
            (
                "HS256 with the public key",
                jsonwebtoken::encode(&symmetric, &claims, &EncodingKey::from_secret(&public))
                    .unwrap(),
            ),
            ("no kid", sign(app, &no_kid, &claims)),
            ("a foreign kid", sign(app, &foreign_kid, &claims)),
            ("another typ", sign(app, &plain_type, &claims)),
            ("crit", sign(app, &critical, &claims)),
            (
                "another key under our kid",
                jsonwebtoken::encode(&header(app), &claims, &stranger).unwrap(),
            ),
            (
                "altered claims",
                format!("{}.{}.{}", parts[0], encoded(&other), parts[2]),
            ),
            ("no signature", format!("{}.{}.", parts[0], parts[1])),
            ("two parts", format!("{}.{}", parts[0], parts[1])),
            ("four parts", format!("{good}.x")),
            ("nothing", String::new()),
            ("not base64", "!.!.!".to_owned()),
            ("too long", "a".repeat(10_000)),
        ];
        for (name, token) in cases {
            assert_eq!(
                why_refused(app, &token).await,
                Some(Unauthenticated::Invalid),
                "{name}"
            );
        }
    });
}

#[test]
fn claims_are_checked_against_the_servers_own_clock() {
    each_world(|world| async move {
        let app = &world.app;
        let now = app.clock.now().as_millis() / 1_000;
        let leeway = app.settings.sign_in.leeway_s;
        let with = |changes: Value| {
            let mut claims = claims(app);
            for (name, value) in changes.as_object().unwrap() {
                claims[name] = value.clone();
            }
            sign(app, &header(app), &claims)
        };
        let (invalid, expired) = (
            Some(Unauthenticated::Invalid),
            Some(Unauthenticated::Expired),
        );
        let cases = [
            (json!({"exp": now - leeway + 1}), None),
            (json!({"exp": now - leeway}), expired),
            (json!({"exp": now - 86_400}), expired),
            (json!({"nbf": now + leeway}), None),
            (json!({"nbf": now + leeway + 1}), invalid),
            (json!({"iat": now + leeway + 1}), invalid),
            (json!({"iss": "elsewhere"}), invalid),
            (json!({"aud": "another-api"}), invalid),
            (json!({"aud": ["hazardloop-api", "x"]}), invalid),
            (json!({"exp": "soon"}), invalid),
            (json!({"exp": null}), invalid),
            (json!({"sub": "root"}), invalid),
            (json!({"exp": i64::MAX}), None),
        ];
        for (changes, expected) in cases {
            assert_eq!(
                why_refused(app, &with(changes.clone())).await,
                expected,
                "{changes}"
            );
        }
    });
}

#[test]
fn a_rotated_key_signs_nobody_out_and_ends_in_time() {
    each_world(|world: World| async move {
        let app = &world.app;
        let other = world.another_server().await;
        let old = sign(app, &header(app), &claims(app));
        let rotating = app.clone();
        let rotated = crate::held::blocking(move || {
            keys::rotate(&rotating.db, rotating.clock.now(), &rotating.entropy)
        });
        let (kid, retired) = rotated.await.unwrap().unwrap();
        assert_eq!(retired, [app.sign_in.keys.signer().kid.clone()]);
        app.sign_in
            .catch_up(&app.db, &app.settings, app.clock.now())
            .await
            .unwrap();
        assert_eq!(app.sign_in.keys.signer().kid, kid);
        let new = sign(app, &header(app), &claims(app));
        // The other server has not caught up yet: an unknown key makes it look.
        assert_ne!(other.sign_in.keys.signer().kid, kid);
        assert_eq!(why_refused(&other, &new).await, None);
        assert_eq!(why_refused(&other, &old).await, None);
        assert_eq!(why_refused(app, &old).await, None);
        let rules = &app.settings.sign_in;
        let long = (rules.access_token_s + rules.leeway_s + keys::NOTICE_S) * 1_000;
        world.pass(long);
        assert_eq!(why_refused(app, &old).await, Some(Unauthenticated::Invalid));
        assert_eq!(why_refused(app, &new).await, Some(Unauthenticated::Expired));
    });
}

#[test]
fn an_unknown_key_is_looked_for_once_a_second() {
    each_world(|world| async move {
        let app = &world.app;
        assert_eq!(
            app.sign_in.keys.look_again(&app.db, app.clock.now()).await,
            Ok(true)
        );
        assert_eq!(
            app.sign_in.keys.look_again(&app.db, app.clock.now()).await,
            Ok(false)
        );
        world.pass(1_000);
        assert_eq!(
            app.sign_in.keys.look_again(&app.db, app.clock.now()).await,
            Ok(true)
        );
    });
}

#[test]
fn servers_that_start_at_once_agree_on_one_key() {
    crate::store::test_support::each_database(|url| {
        use std::sync::Arc;
        use std::sync::atomic::AtomicI64;

        use super::test_support::{START, cheap, serve};

        crate::store::migrate::migrate(&url.parse().unwrap()).unwrap();
        let now = Arc::new(AtomicI64::new(START));
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let kids = runtime.block_on(async {
            let servers = (0..6).map(|seed| serve(url, &now, seed, cheap()));
            let servers = futures_util::future::join_all(servers).await;
            let kids = servers
                .iter()
                .map(|app| app.sign_in.keys.signer().kid.clone());
            kids.collect::<std::collections::BTreeSet<_>>()
        });
        assert_eq!(kids.len(), 1);
    });
}
