//! Sessions, devices and people over HTTP: statuses, headers and bodies, as clients see them.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use actix_web::http::header::HeaderMap;
use actix_web::test::TestRequest;
use actix_web::{test as actix_test, web};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::{Signer as _, SigningKey};
use hazardloop_domain::ids::InstallId;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::usecases::devices::proof_message;
use crate::usecases::sign_in::test_support::{
    EAST, PASSWORD, WEST, each_world, each_world_with, id_of,
};

/// An answer, read whole.
struct Answer {
    status: u16,
    headers: HeaderMap,
    body: Value,
}

impl Answer {
    fn code(&self) -> (u16, &str) {
        let code = self.body["code"].as_str().unwrap_or("-");
        if self.status >= 400 {
            assert_eq!(self.header("content-type"), "application/problem+json");
            assert_eq!(self.body["status"], self.status);
        }
        (self.status, code)
    }

    fn header(&self, name: &str) -> &str {
        self.headers.get(name).expect(name).to_str().unwrap()
    }

    fn text(&self, field: &str) -> String {
        self.body[field].as_str().expect(field).to_owned()
    }
}

macro_rules! server {
    ($world:expr) => {{
        let app = web::Data::new($world.app.clone());
        let server = actix_web::App::new()
            .app_data(app)
            .configure(super::configure);
        actix_test::init_service(server).await
    }};
}

macro_rules! send {
    ($server:expr, $request:expr) => {{
        let request: TestRequest = $request;
        let response = actix_test::call_service(&$server, request.to_request()).await;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let body = actix_test::read_body(response).await;
        let body = serde_json::from_slice(&body).unwrap_or(Value::Null);
        Answer {
            status,
            headers,
            body,
        }
    }};
}

fn get(path: &str, token: &str) -> TestRequest {
    TestRequest::get()
        .uri(&format!("/api/v1{path}"))
        .insert_header(("Authorization", format!("Bearer {token}")))
}

fn delete(path: &str, token: &str) -> TestRequest {
    TestRequest::delete()
        .uri(&format!("/api/v1{path}"))
        .insert_header(("Authorization", format!("Bearer {token}")))
}

fn post(path: &str, token: &str, body: Value) -> TestRequest {
    TestRequest::post()
        .uri(&format!("/api/v1{path}"))
        .insert_header(("Authorization", format!("Bearer {token}")))
        .set_json(body)
}

fn credentials(login: &str, password: &str) -> TestRequest {
    let body = json!({"login": login, "password": password});
    TestRequest::post().uri("/api/v1/sessions").set_json(body)
}

#[test]
fn a_session_from_sign_in_to_sign_out() {
    each_world(|world| async move {
        let server = server!(world);
        let signed_in = send!(server, credentials("worker", PASSWORD));
        assert_eq!(signed_in.status, 201);
        assert_eq!(signed_in.header("cache-control"), "no-store");
        assert_eq!(signed_in.body["person"]["login"], "worker");
        let (access, refresh) = (
            signed_in.text("access_token"),
            signed_in.text("refresh_token"),
        );
        let current = send!(server, get("/sessions/current", &access));
        assert_eq!(
            (current.status, current.text("session_id").len()),
            (200, 36)
        );
        let again = json!({"refresh_token": refresh});
        let refreshed = send!(server, post("/sessions/refresh", "", again.clone()));
        assert_eq!(refreshed.status, 200);
        let access = refreshed.text("access_token");
        assert_eq!(
            send!(server, delete("/sessions/current", &access)).status,
            204
        );
        let after = send!(server, get("/sessions/current", &access));
        assert_eq!(after.code(), (401, "UNAUTHENTICATED"));
        assert_eq!(after.header("www-authenticate"), "Bearer");
        let after = send!(server, post("/sessions/refresh", "", again));
        assert_eq!(after.code(), (401, "UNAUTHENTICATED"));
    });
}

#[test]
fn those_who_cannot_be_let_in_are_told_so_in_one_form() {
    each_world(|world| async move {
        let server = server!(world);
        let wrong = send!(server, credentials("worker", "wrong horse battery"));
        assert_eq!(wrong.code(), (401, "WRONG_CREDENTIALS"));
        let nobody = send!(server, credentials("nobody", PASSWORD));
        assert_eq!(nobody.body, wrong.body);
        let path = "/api/v1/people";
        let missing = send!(server, TestRequest::get().uri(path));
        assert_eq!(missing.code(), (401, "UNAUTHENTICATED"));
        for header in [
            "Bearer",
            "Bearer x.y.z",
            "Bearer  ",
            "Basic d29ya2VyOng=",
            "x",
        ] {
            let request = TestRequest::get()
                .uri(path)
                .insert_header(("Authorization", header));
            assert_eq!(
                send!(server, request).code(),
                (401, "UNAUTHENTICATED"),
                "{header}"
            );
        }
        let access = send!(server, credentials("worker", PASSWORD)).text("access_token");
        let twice = get("/people", &access).append_header(("Authorization", "Bearer x"));
        assert_eq!(send!(server, twice).code(), (401, "UNAUTHENTICATED"));
        let rules = &world.app.settings.sign_in;
        world.pass((rules.access_token_s + rules.leeway_s) * 1_000);
        let expired = send!(server, get("/people", &access));
        assert_eq!(expired.code(), (401, "TOKEN_EXPIRED"));
    });
}

#[test]
fn failures_make_one_source_wait_as_seen_through_a_trusted_proxy() {
    let set = |settings: &mut crate::settings::Settings| {
        settings.trusted_proxies = vec!["192.0.2.2".parse().unwrap()];
    };
    each_world_with(set, |world| async move {
        let server = server!(world);
        let from = |source: &str, password: &str| {
            credentials("worker", password)
                .peer_addr("192.0.2.2:1".parse().unwrap())
                .insert_header(("X-Forwarded-For", source.to_owned()))
        };
        for _ in 0..6 {
            send!(server, from("198.51.100.7", "wrong horse battery"));
        }
        let held = send!(server, from("198.51.100.7", PASSWORD));
        assert_eq!(held.code(), (429, "RATE_LIMITED"));
        assert_eq!(held.header("retry-after"), "2");
        assert_eq!(
            send!(server, from("198.51.100.7, 192.0.2.9", PASSWORD)).status,
            201
        );
    });
}

#[test]
fn bodies_that_are_not_what_they_must_be_are_refused() {
    let set = |settings: &mut crate::settings::Settings| settings.http.json_bytes = 1_000;
    each_world_with(set, |world| async move {
        let server = server!(world);
        let raw = |kind: &'static str, body: String| {
            TestRequest::post()
                .uri("/api/v1/sessions")
                .insert_header(("Content-Type", kind))
                .set_payload(body)
        };
        let json = "application/json";
        let good = r#"{"login":"worker","password":"correct horse battery"}"#;
        let more = good.replace('}', r#","admin":true}"#);
        let cases = [
            (
                raw("text/plain", good.to_owned()),
                (415, "UNSUPPORTED_MEDIA_TYPE"),
            ),
            (
                raw("application/json; charset=gbk", good.to_owned()),
                (415, "UNSUPPORTED_MEDIA_TYPE"),
            ),
            (
                raw(json, good.to_owned()).insert_header(("Content-Encoding", "gzip")),
                (415, "UNSUPPORTED_MEDIA_TYPE"),
            ),
            (raw(json, String::new()), (400, "MALFORMED")),
            (raw(json, good.replace('}', "")), (400, "MALFORMED")),
            (
                raw(json, good.replace("worker", "wor\\u0000ker")),
                (400, "MALFORMED"),
            ),
            (raw(json, more), (422, "INVALID_FIELD")),
            (
                raw(json, format!("{good}{}", " ".repeat(1_000))),
                (413, "PAYLOAD_TOO_LARGE"),
            ),
            (
                raw("application/json; charset=UTF-8", good.to_owned()),
                (201, "-"),
            ),
        ];
        for (request, expected) in cases {
            assert_eq!(send!(server, request).code(), expected);
        }
    });
}

#[test]
fn a_device_enrols_and_is_revoked() {
    each_world(|world| async move {
        let server = server!(world);
        let access = send!(server, credentials("worker", PASSWORD)).text("access_token");
        let install = InstallId(Uuid::from_u128(77));
        let key = SigningKey::from_bytes(&[3; 32]);
        let public = key.verifying_key().to_bytes();
        let proof = key.sign(proof_message(install, id_of("worker"), &public).as_bytes());
        let body = json!({
            "install_id": install,
            "device_name": "手机",
            "key_algorithm": "ed25519",
            "public_key": URL_SAFE_NO_PAD.encode(public),
            "proof": URL_SAFE_NO_PAD.encode(proof.to_bytes()),
        });
        let enrolled = send!(server, post("/devices", &access, body.clone()));
        assert_eq!(enrolled.status, 201, "{}", enrolled.body);
        assert_eq!(enrolled.body["session"]["install_id"], json!(install));
        assert_eq!(
            send!(server, post("/devices", &access, body.clone())).status,
            200
        );
        let other = send!(server, credentials("west-worker", PASSWORD)).text("access_token");
        let listed = send!(server, get("/devices", &access));
        assert_eq!(listed.body["items"].as_array().unwrap().len(), 1);
        assert_eq!(
            send!(server, get("/devices", &other)).body["items"],
            json!([])
        );
        let path = format!("/devices/{install}?reason=lost");
        assert_eq!(
            send!(server, delete(&path, &other)).code(),
            (404, "NOT_FOUND")
        );
        assert_eq!(send!(server, delete(&path, &access)).status, 204);
        let bound = enrolled.body["session"]["access_token"].as_str().unwrap();
        let after = send!(server, get("/people", bound));
        assert_eq!(after.code(), (403, "DEVICE_REVOKED"));
    });
}

#[test]
fn people_are_added_granted_and_disabled_by_their_administrator_alone() {
    each_world(|world| async move {
        let server = server!(world);
        let admin = send!(server, credentials("east-admin", PASSWORD)).text("access_token");
        let neighbour = send!(server, credentials("west-admin", PASSWORD)).text("access_token");
        let id = world.app.entropy.uuid_v7(world.app.clock.now());
        let mut body = json!({
            "id": id, "login": "new", "name": "新人", "password": "a first password",
            "grants": [{"role": "inspector", "scope": {"jurisdiction": EAST}}],
        });
        let made = send!(server, post("/people", &admin, body.clone()));
        assert_eq!((made.status, made.header("etag")), (201, "\"1\""));
        assert_eq!(
            send!(server, post("/people", &admin, body.clone())).status,
            200
        );
        body["grants"][0]["scope"] = json!({"jurisdiction": WEST});
        let beyond = send!(server, post("/people", &admin, body));
        assert_eq!(beyond.code(), (404, "OUT_OF_SCOPE"));
        let path = format!("/people/{id}");
        assert_eq!(send!(server, get(&path, &admin)).status, 200);
        assert_eq!(
            send!(server, get(&path, &neighbour)).code(),
            (404, "NOT_FOUND")
        );
        let grant_id = world.app.entropy.uuid_v7(world.app.clock.now());
        let grant = json!({"id": grant_id, "role": "grid_worker", "scope": {"jurisdiction": EAST}});
        let path = format!("/people/{id}/grants");
        let seen = |request: TestRequest, version: &str| {
            request.insert_header(("If-Match", format!("\"{version}\"")))
        };
        let granted = send!(server, seen(post(&path, &neighbour, grant.clone()), "1"));
        assert_eq!(granted.code(), (404, "NOT_FOUND"));
        let blind = send!(server, post(&path, &admin, grant.clone()));
        assert_eq!(blind.code(), (428, "PRECONDITION_REQUIRED"));
        let stale = send!(server, seen(post(&path, &admin, grant.clone()), "7"));
        assert_eq!(stale.code(), (412, "PRECONDITION_FAILED"));
        for status in [201, 200] {
            let granted = send!(server, seen(post(&path, &admin, grant.clone()), "1"));
            assert_eq!(granted.status, status);
        }
        let path = format!("/people/{id}/grants/{grant_id}");
        let ended = send!(server, seen(delete(&path, &neighbour), "2"));
        assert_eq!(ended.code(), (404, "NOT_FOUND"));
        let blind = send!(server, delete(&path, &admin));
        assert_eq!(blind.code(), (428, "PRECONDITION_REQUIRED"));
        let stale = send!(server, seen(delete(&path, &admin), "1"));
        assert_eq!(stale.code(), (412, "PRECONDITION_FAILED"));
        assert_eq!(send!(server, seen(delete(&path, &admin), "2")).status, 204);
        let path = format!("/people/{id}/disable");
        let reason = json!({"reason": "left"});
        let answer = send!(server, seen(post(&path, &neighbour, reason.clone()), "3"));
        assert_eq!(answer.code(), (404, "NOT_FOUND"));
        let blind = send!(server, post(&path, &admin, reason.clone()));
        assert_eq!(blind.code(), (428, "PRECONDITION_REQUIRED"));
        let stale = send!(server, seen(post(&path, &admin, reason.clone()), "2"));
        assert_eq!(stale.code(), (412, "PRECONDITION_FAILED"));
        let disabled = send!(server, seen(post(&path, &admin, reason), "3"));
        assert_eq!(disabled.header("etag"), "\"4\"");
        assert!(
            disabled.body["disabled_at"].is_string(),
            "{}",
            disabled.body
        );
        let out = send!(server, credentials("new", "a first password"));
        assert_eq!(out.code(), (401, "WRONG_CREDENTIALS"));
    });
}

#[test]
fn parameters_are_read_strictly_and_pages_follow_one_another() {
    each_world(|world| async move {
        let server = server!(world);
        let admin = send!(server, credentials("city-admin", PASSWORD)).text("access_token");
        for (path, expected) in [
            ("/people?limit=0", (422, "INVALID_FIELD")),
            ("/people?limit=201", (422, "INVALID_FIELD")),
            ("/people?limit=many", (400, "MALFORMED")),
            ("/people?limit=1&limit=2", (400, "MALFORMED")),
            ("/people?offset=1", (400, "MALFORMED")),
            ("/people?after=1", (400, "MALFORMED")),
            ("/people?state=gone", (400, "MALFORMED")),
            ("/devices?state=gone", (400, "MALFORMED")),
            ("/people?after=%00", (400, "MALFORMED")),
            ("/people/1", (400, "MALFORMED")),
            (
                "/people/00000000-0000-0000-0000-000000000001",
                (404, "NOT_FOUND"),
            ),
        ] {
            assert_eq!(send!(server, get(path, &admin)).code(), expected, "{path}");
        }
        let (mut path, mut seen) = ("/people?limit=4".to_owned(), 0);
        loop {
            let page = send!(server, get(&path, &admin));
            seen += page.body["items"].as_array().unwrap().len();
            let Some(next) = page.body["next"].as_str() else {
                break;
            };
            path = format!("/people?limit=4&after={next}");
        }
        assert_eq!(seen, 9);
        for (query, rows) in [("state=with_role", 9), ("state=without_role", 0)] {
            let page = send!(server, get(&format!("/people?{query}"), &admin));
            assert_eq!(
                page.body["items"].as_array().unwrap().len(),
                rows,
                "{query}"
            );
        }
    });
}
