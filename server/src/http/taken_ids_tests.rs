//! Ids that are taken: whoever brings a device, a key, an account or a hazard under the id of something
//! else is refused, and what has the id goes on as before.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::{Signer as _, SigningKey};
use hazardloop_domain::calendar_year::CalendarYear;
use hazardloop_domain::ids::{InstallId, KeyId, PersonId};
use serde_json::{Value, json};

use super::test_client::{Answer, anonymous, ask, command_body, new_id, post, report_body};
use crate::sample::{self, DEMO_PASSWORD};
use crate::test_support::{TestDevice, TestServer, on_each_database, person, seal_everything};
use crate::usecases::{devices, person_keys};

fn key() -> SigningKey {
    SigningKey::from_bytes(&[7; 32])
}

/// Somebody signs in and enrols a device under an id.
async fn enrol(server: &TestServer, login: &str, id: &str) -> Answer {
    let body = json!({"login": login, "password": DEMO_PASSWORD});
    let session = anonymous(server, "POST", "/sessions").json(&body).answer();
    let session = session.await.expect(201);
    let token = format!("Bearer {}", session["access_token"].as_str().unwrap());
    let install_id = InstallId(id.parse().unwrap());
    let public = key().verifying_key().to_bytes();
    let proof = key().sign(devices::proof_message(install_id, person(login), &public).as_bytes());
    let body = json!({
        "install_id": install_id,
        "device_name": "手机",
        "key_algorithm": "ed25519",
        "public_key": URL_SAFE_NO_PAD.encode(public),
        "proof": URL_SAFE_NO_PAD.encode(proof.to_bytes()),
    });
    let request = anonymous(server, "POST", "/devices").with("Authorization", &token);
    request.json(&body).answer().await
}

async fn register_key(server: &TestServer, login: &str, id: &str, host: InstallId) -> Answer {
    let (key_id, public) = (KeyId(id.parse().unwrap()), key().verifying_key().to_bytes());
    let message = person_keys::proof_message(key_id, person(login), host, &public);
    let body = json!({
        "id": key_id,
        "host_install": host,
        "algorithm": "ed25519",
        "public_key": URL_SAFE_NO_PAD.encode(public),
        "proof": URL_SAFE_NO_PAD.encode(key().sign(message.as_bytes()).to_bytes()),
    });
    post(server, login, "/people/me/keys", &body).await
}

fn account(id: &str) -> Value {
    json!({
        "id": PersonId(id.parse().unwrap()), "login": "newcomer", "name": "新人",
        "password": "a password to begin with",
        "grants": [{"role": "employee", "scope": {"enterprise": sample::id("polishing")}}],
    })
}

/// A hazard, an inspection-like history and its next change: the id, and the version after it.
async fn hazard(server: &TestServer, number: u64) -> String {
    let id = new_id(number);
    let body = report_body(&id, "polishing", "积尘");
    post(server, "employee", "/hazards", &body)
        .await
        .expect(201);
    id
}

/// Whoever may note something on a hazard still may, and its history is whole.
async fn goes_on(server: &TestServer, id: &str, number: u64) {
    let note = command_body(number, json!({"kind": "note", "text": "已电话提醒"}));
    let path = format!("/hazards/{id}/commands");
    post(server, "inspector1", &path, &note).await.expect(200);
    seal_everything(&server.app.db);
    let path = format!("/audit?subject={id}");
    let page = ask(server, "admin", "GET", &path).answer().await;
    let page = page.expect(200);
    for event in page["items"].as_array().unwrap() {
        assert_eq!(event["subject_kind"], "hazard", "{event}");
    }
}

#[test]
fn nobody_freezes_a_hazard_by_giving_something_else_its_id() {
    on_each_database(async |server| {
        let id = hazard(&server, 1).await;
        let host = TestDevice::enrol(&server.app, "inspector1", 2)
            .await
            .install_id;
        let answers = [
            enrol(&server, "safety", &id).await,
            register_key(&server, "inspector2", &id, host).await,
            post(&server, "admin", "/people", &account(&id)).await,
        ];
        for answer in answers {
            assert_eq!(answer.problem(409), "ID_REUSED");
        }
        goes_on(&server, &id, 10).await;
        // Nothing was left half done: the same account under an id of its own.
        let other = account(&new_id(20));
        post(&server, "admin", "/people", &other).await.expect(201);
    });
}

#[test]
fn nobody_freezes_an_enterprise_or_another_person_either() {
    on_each_database(async |server| {
        for id in [sample::id("polishing"), sample::id("grid")] {
            let answer = enrol(&server, "safety", &id.to_string()).await;
            assert_eq!(answer.problem(409), "ID_REUSED");
        }
        let account = account(&sample::id("polishing").to_string());
        let answer = post(&server, "admin", "/people", &account).await;
        assert_eq!(answer.problem(409), "ID_REUSED");
    });
}

#[test]
fn a_hazard_under_the_id_of_a_device_is_refused_for_good() {
    on_each_database(async |server| {
        let id = new_id(1);
        enrol(&server, "safety", &id).await.expect(201);
        for login in ["employee", "safety"] {
            let body = report_body(&id, "polishing", "积尘");
            let answer = post(&server, login, "/hazards", &body).await;
            assert_eq!(answer.status, 409, "{}", answer.json);
        }
        let body = json!({"id": id, "name": "新厂", "sector": "工贸",
            "jurisdiction_id": sample::id("500153003000")});
        let answer = post(&server, "admin", "/enterprises", &body).await;
        assert_eq!(answer.problem(409), "ID_REUSED");
        hazard(&server, 2).await;
        goes_on(&server, &new_id(2), 11).await;
    });
}

#[test]
fn nobody_takes_an_id_that_something_of_the_server_is_going_to_have() {
    on_each_database(async |server| {
        let calendar = CalendarYear::record_id(2031).to_string();
        let answer = enrol(&server, "safety", &calendar).await;
        assert_eq!(answer.status, 422, "{}", answer.json);
    });
}
