//! Tokens that are forged, foreign, expired, of the future, or used twice.

use ed25519_dalek::{Signer as _, SigningKey};
use hazardloop_sync_protocol::wire::Bytes;
use serde_json::{Value, json};

use super::{Site, assert_refused, new_id, plain, refuses_all};
use hazardloop_tests::TestDatabase;
use hazardloop_tests::rest::Rest;
use hazardloop_tests::server::Server;

fn part(value: &Value) -> String {
    raw_part(value.to_string().as_bytes())
}

/// Base64url without padding.
fn raw_part(bytes: &[u8]) -> String {
    serde_json::to_value(Bytes(bytes.to_vec()))
        .unwrap()
        .as_str()
        .unwrap()
        .to_owned()
}

fn read_part(text: &str) -> Value {
    let bytes: Bytes = serde_json::from_value(json!(text)).unwrap();
    serde_json::from_slice(&bytes.0).unwrap()
}

#[test]
fn forged_tokens() {
    refuses_all(plain, |site| {
        let good = site.employee.token().to_owned();
        let parts: Vec<&str> = good.split('.').collect();
        let (header, claims) = (read_part(parts[0]), read_part(parts[1]));
        let foreign = SigningKey::from_bytes(&[7; 32]);
        let signed = |header: &Value, claims: &Value| {
            let text = format!("{}.{}", part(header), part(claims));
            format!(
                "{text}.{}",
                raw_part(&foreign.sign(text.as_bytes()).to_bytes())
            )
        };
        let with = |value: &Value, key: &str, to: Value| {
            let mut changed = value.clone();
            changed[key] = to;
            changed
        };
        let inspector = read_part(site.inspector.token().split('.').nth(1).unwrap());
        let cases: Vec<(&str, String)> = vec![
            ("nothing", String::new()),
            ("no token", "abc".to_owned()),
            ("three dots", "...".to_owned()),
            (
                "alg none",
                format!(
                    "{}.{}.",
                    part(&with(&header, "alg", json!("none"))),
                    parts[1]
                ),
            ),
            (
                "alg none with the old signature",
                format!(
                    "{}.{}.{}",
                    part(&with(&header, "alg", json!("none"))),
                    parts[1],
                    parts[2]
                ),
            ),
            (
                "alg HS256",
                format!(
                    "{}.{}.{}",
                    part(&with(&header, "alg", json!("HS256"))),
                    parts[1],
                    parts[2]
                ),
            ),
            (
                "an unknown kid",
                signed(&with(&header, "kid", json!("nobody")), &claims),
            ),
            (
                "no kid",
                signed(&json!({ "alg": "EdDSA", "typ": "JWT" }), &claims),
            ),
            (
                "a kid that is a path",
                signed(&with(&header, "kid", json!("../../etc/passwd")), &claims),
            ),
            ("our kid, another's key", signed(&header, &claims)),
            (
                "another's claims",
                format!("{}.{}.{}", parts[0], part(&inspector), parts[2]),
            ),
            ("no signature", format!("{}.{}.", parts[0], parts[1])),
            ("a signature cut short", good[..good.len() - 4].to_owned()),
            (
                "a key in the header",
                signed(
                    &with(
                        &with(&header, "jwk", json!({ "kty": "OKP" })),
                        "jku",
                        json!("http://127.0.0.1/"),
                    ),
                    &claims,
                ),
            ),
            ("a huge token", "a".repeat(60_000)),
            (
                "a refresh token",
                site.server.rest().session("employee")["refresh_token"]
                    .as_str()
                    .unwrap()
                    .to_owned(),
            ),
        ];
        for (case, token) in cases {
            let answer = site.employee.with_token(&token).get("/api/v1/hazards");
            assert_refused(&answer, case, &[401, 431]);
        }
        assert_eq!(site.employee.get("/api/v1/hazards").status, 200);
    });
}

#[test]
fn tokens_live_for_minutes_and_not_before_their_time() {
    for database in [TestDatabase::sqlite(), TestDatabase::postgres()] {
        let mut site = Site::start(database, plain());
        let (token, address) = (site.employee.token().to_owned(), site.server.address());
        let at = |server: &mut Server, now: &str| {
            server.stop();
            server.set_clock(now);
            server.restart();
            Rest::new(server.address())
                .with_token(&token)
                .get("/api/v1/hazards")
        };
        assert_eq!(
            Rest::new(address)
                .with_token(&token)
                .get("/api/v1/hazards")
                .status,
            200
        );
        let later = at(&mut site.server, "2026-11-22T02:00:00Z");
        assert_eq!(
            (later.status, later.problem().as_str()),
            (401, "TOKEN_EXPIRED")
        );
        let earlier = at(&mut site.server, "2026-11-21T01:00:00Z");
        assert_refused(&earlier, "a token of the future", &[401]);
        // A second key, if the server made one meanwhile, logs nobody out.
        assert_eq!(at(&mut site.server, "2026-11-22T01:05:00Z").status, 200);
    }
}

fn refresh(rest: &Rest, token: &str) -> hazardloop_tests::rest::Answer {
    rest.post(
        "/api/v1/sessions/refresh",
        &json!({ "refresh_token": token }),
    )
}

fn refreshed(rest: &Rest, token: &str) -> (String, String) {
    let answer = refresh(rest, token).expect_status(&[200]).json();
    let text = |name: &str| answer[name].as_str().unwrap().to_owned();
    (text("refresh_token"), text("access_token"))
}

#[test]
fn a_refresh_token_used_after_its_successor_ends_the_session() {
    refuses_all(plain, |site| {
        let rest = site.server.rest();
        let first = rest.session("employee")["refresh_token"]
            .as_str()
            .unwrap()
            .to_owned();
        // A lost answer does not lock a phone out: the same token again, while its successor is unused.
        let (_lost, _) = refreshed(&rest, &first);
        let (second, _) = refreshed(&rest, &first);
        let (third, access) = refreshed(&rest, &second);
        assert_refused(
            &refresh(&rest, &first),
            "a token whose successor is in use",
            &[401],
        );
        assert_refused(
            &refresh(&rest, &third),
            "the session of a replayed token",
            &[401],
        );
        assert_refused(
            &rest.with_token(&access).get("/api/v1/hazards"),
            "its access token",
            &[401],
        );
        for (case, token) in [
            ("no token", ""),
            ("garbage", "hlr_garbage"),
            ("NUL", "\u{0}"),
        ] {
            assert_refused(&refresh(&rest, token), case, &[400, 401, 422]);
        }
        assert_refused(
            &refresh(&rest, &"a".repeat(100_000)),
            "a long one",
            &[400, 401, 422],
        );
        assert_refused(&refresh(&rest, &new_id("nobody's")), "an id", &[401]);
    });
}

#[test]
fn sign_ins_that_are_none_say_nothing_of_who_exists() {
    refuses_all(plain, |site| {
        let rest = site.server.rest();
        let sign_in = |login: &str, password: &str| {
            rest.post(
                "/api/v1/sessions",
                &json!({ "login": login, "password": password }),
            )
        };
        let (unknown, wrong) = (
            sign_in("nobody", "hazardloop-demo"),
            sign_in("safety", "wrong"),
        );
        assert_eq!(
            (unknown.status, unknown.text()),
            (wrong.status, wrong.text())
        );
        assert_refused(&wrong, "a wrong password", &[401]);
        for (case, login, password) in [
            ("nothing", "", ""),
            ("NUL", "a\u{0}", "b"),
            ("a statement", "' OR 1=1 --", "x"),
            ("a long login", &"a".repeat(100_000), "x"),
            ("a long password", "grid", &"a".repeat(200_000)),
        ] {
            assert_refused(&sign_in(login, password), case, &[400, 401, 413, 422]);
        }
    });
}
