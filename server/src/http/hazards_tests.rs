//! Hazards over REST, as their users meet them, on both databases.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use hazardloop_domain::command::{Action, Note};
use serde_json::json;

use super::test_client::*;
use crate::test_support::{NOW, TestDevice, TestServer, hazard_id, on_each_database};
use crate::usecases::push;

/// Reports `count` hazards of the polishing works, a second apart; answers their ids, oldest first.
pub(super) async fn reported(server: &TestServer, count: u64) -> Vec<String> {
    let mut ids = Vec::new();
    for number in 0..count {
        let after = i64::try_from(number).unwrap() * 1_000;
        server.set_now(NOW.plus_millis(after));
        let id = new_id(number);
        let body = report_body(&id, "polishing", &format!("积尘 {number}"));
        post(server, "employee", "/hazards", &body)
            .await
            .expect(201);
        ids.push(id);
    }
    ids
}

pub(super) async fn listed(
    server: &TestServer,
    login: &str,
    query: &str,
) -> (Vec<String>, Option<String>) {
    let page = get(server, login, &format!("/hazards?{query}"))
        .await
        .expect(200);
    let items = page["items"].as_array().unwrap();
    let ids = items
        .iter()
        .map(|item| item["id"].as_str().unwrap().to_owned())
        .collect();
    (ids, page["next"].as_str().map(str::to_owned))
}

#[test]
fn a_report_is_taken_once_however_often_it_is_sent() {
    on_each_database(|server| async move {
        let id = new_id(1);
        let body = report_body(&id, "polishing", "横梁积尘");
        let first = post(&server, "employee", "/hazards", &body).await;
        assert_eq!(first.header("location"), format!("/api/v1/hazards/{id}"));
        assert_eq!(first.header("etag"), "\"1\"");
        let first = first.expect(201);
        assert_eq!(first["status"]["name"], "reported");
        assert!(
            first["allowed_actions"]
                .as_array()
                .unwrap()
                .contains(&json!("attach_photo"))
        );
        let again = post(&server, "employee", "/hazards", &body).await;
        assert_eq!(again.header("hazardloop-repeated"), "true");
        assert_eq!(again.expect(200), first);
        let other = report_body(&id, "polishing", "另一处");
        assert_eq!(
            post(&server, "employee", "/hazards", &other)
                .await
                .problem(409),
            "ID_REUSED"
        );
        assert_eq!(
            post(&server, "safety", "/hazards", &body)
                .await
                .problem(409),
            "ID_REUSED"
        );
        // Somebody else's enterprise, and an id that is not of version 7.
        let foreign = report_body(&new_id(2), "chemicals", "横梁积尘");
        assert_eq!(
            post(&server, "employee", "/hazards", &foreign).await.status,
            404
        );
        let old = report_body(
            "00000000-0000-4000-8000-000000000001",
            "polishing",
            "横梁积尘",
        );
        assert_eq!(
            post(&server, "employee", "/hazards", &old)
                .await
                .problem(422),
            "INVALID_FIELD"
        );
    });
}

#[test]
fn a_hazard_is_read_by_version_and_hidden_from_neighbours() {
    on_each_database(|server| async move {
        let mut chemicals = report_body(&new_id(1), "chemicals", "储罐区");
        chemicals["source"] = json!("dept_inspection");
        post(&server, "inspector1", "/hazards", &chemicals)
            .await
            .expect(201);
        let path = format!("/hazards/{}", new_id(1));
        let seen = get(&server, "inspector1", &path).await;
        assert_eq!(seen.header("etag"), "\"1\"");
        let seen = seen.expect(200);
        assert_eq!(
            (&seen["overdue"], &seen["version"]),
            (&json!(false), &json!(1))
        );
        assert!(
            seen["allowed_actions"]
                .as_array()
                .unwrap()
                .contains(&json!("confirm"))
        );
        let held = ask(&server, "inspector1", "GET", &path).with("If-None-Match", "\"1\"");
        let held = held.answer().await;
        assert_eq!((held.status, held.body.len()), (304, 0));
        let head = ask(&server, "inspector1", "HEAD", &path).answer().await;
        assert_eq!((head.status, head.header("etag")), (200, "\"1\""));
        for path in [
            path.clone(),
            format!("{path}/events"),
            format!("/hazards/{}", new_id(99)),
        ] {
            assert_eq!(
                get(&server, "employee", &path).await.problem(404),
                "NOT_FOUND"
            );
        }
        let note = command_body(2, json!({"kind": "note", "text": "看"}));
        let sent = post(&server, "employee", &format!("{path}/commands"), &note).await;
        assert_eq!(sent.status, 404);
        assert_eq!(
            get(&server, "inspector1", "/hazards/7").await.problem(400),
            "MALFORMED"
        );
    });
}

#[test]
fn commands_are_guarded_by_version_and_repeatable_by_id() {
    on_each_database(|server| async move {
        let id = reported(&server, 1).await.remove(0);
        let path = format!("/hazards/{id}/commands");
        let confirm = command_body(10, confirmation());
        let send = |if_match: &'static str| {
            ask(&server, "inspector1", "POST", &path)
                .with("If-Match", if_match)
                .json(&confirm)
                .answer()
        };
        assert_eq!(send("\"7\"").await.problem(412), "PRECONDITION_FAILED");
        assert_eq!(send("1").await.problem(400), "MALFORMED");
        let done = send("\"1\"").await;
        assert_eq!(
            (done.header("etag"), done.header("hazardloop-repeated")),
            ("\"2\"", "")
        );
        let done = done.expect(200);
        assert_eq!(
            (&done["outcome"], &done["version"]),
            (&json!("applied"), &json!(2))
        );
        assert_eq!(done["hazard"]["status"]["name"], "confirmed");
        let again = send("\"1\"").await;
        assert_eq!(again.header("hazardloop-repeated"), "true");
        assert_eq!(again.expect(200), done);
        let other = command_body(10, json!({"kind": "note", "text": "另一件事"}));
        assert_eq!(
            post(&server, "inspector1", &path, &other)
                .await
                .problem(409),
            "ID_REUSED"
        );
        let late = post(
            &server,
            "inspector1",
            &path,
            &command_body(11, confirmation()),
        )
        .await;
        assert_eq!(late.json["from_state"], "confirmed");
        assert_eq!(late.problem(409), "NOT_ALLOWED_IN_STATE");
    });
}

#[test]
fn what_is_not_for_this_door_is_refused() {
    on_each_database(|server| async move {
        let id = reported(&server, 1).await.remove(0);
        let path = format!("/hazards/{id}/commands");
        let mut report = report_body(&id, "polishing", "再报");
        report.as_object_mut().unwrap().remove("id");
        report["kind"] = json!("report");
        let refused = post(&server, "employee", &path, &command_body(1, report)).await;
        assert_eq!(refused.json["field"], "command.kind");
        assert_eq!(refused.problem(422), "INVALID_FIELD");
        let town = crate::sample::id("500153003000").to_string();
        let moved = json!({"kind": "follow_enterprise", "jurisdiction_id": town});
        let arrived = json!({"kind": "receive_photo", "sha256": "00".repeat(32)});
        for servers_own in [moved, arrived] {
            let sent = post(&server, "admin", &path, &command_body(2, servers_own)).await;
            assert_eq!(sent.problem(403), "NOT_PERMITTED");
        }
        let extra = command_body(3, json!({"kind": "note", "text": "a", "colour": "red"}));
        assert_eq!(
            post(&server, "employee", &path, &extra).await.problem(422),
            "INVALID_FIELD"
        );
    });
}

#[test]
fn a_repeat_shows_nothing_to_whoever_lost_the_hazard() {
    on_each_database(|server| async move {
        let id = reported(&server, 1).await.remove(0);
        let path = format!("/hazards/{id}/commands");
        let note = command_body(5, json!({"kind": "note", "text": "已到现场"}));
        post(&server, "inspector1", &path, &note).await.expect(200);
        let town = second_district(&server).await;
        let polishing = crate::sample::id("polishing");
        let body = json!({"jurisdiction_id": town, "reason": "搬迁"});
        let move_path = format!("/enterprises/{polishing}/relocate");
        let moved = ask(&server, "admin", "POST", &move_path).with("If-Match", "\"1\"");
        moved.json(&body).answer().await.expect(200);
        assert_eq!(post(&server, "inspector1", &path, &note).await.status, 404);
        assert_eq!(
            get(&server, "inspector1", &format!("/hazards/{id}"))
                .await
                .status,
            404
        );
        assert!(listed(&server, "inspector1", "").await.0.is_empty());
        assert_eq!(
            listed(&server, "supervisor", "").await.0,
            std::slice::from_ref(&id)
        );
        assert_eq!(listed(&server, "employee", "").await.0, [id]);
    });
}

#[test]
fn history_tells_who_did_what_by_which_door_and_what_its_times_prove() {
    on_each_database(|server| async move {
        let id = hazard_id(77);
        let body = report_body(&id.to_string(), "polishing", "积尘");
        post(&server, "employee", "/hazards", &body)
            .await
            .expect(201);
        let mut device = TestDevice::enrol(&server.app, "safety", 9).await;
        let note = device.seal(
            id,
            Action::Note(Note {
                text: "已断电".to_owned(),
            }),
        );
        let request = device.push(vec![note]);
        push::push(&server.app, device.person_id, request)
            .await
            .unwrap();
        let path = format!("/hazards/{id}/events");
        let history = get(&server, "principal", &path).await.expect(200);
        let events = history["items"].as_array().unwrap();
        assert_eq!(events.len(), 2);
        assert!(history.get("next").is_none());
        assert_eq!(
            (&events[0]["kind"], &events[0]["door"]),
            (&json!("reported"), &json!("rest"))
        );
        assert_eq!(events[0]["actor_name"], "周小河");
        assert_eq!(
            events[0]["times"],
            json!([{"level": "received", "at": NOW.to_string()}])
        );
        assert_eq!(
            (&events[1]["door"], &events[1]["device_seq"]),
            (&json!("sync"), &json!(1))
        );
        assert_eq!(events[1]["times"][1]["level"], "claimed");
        assert_eq!(events[1]["event"]["note"]["text"], "已断电");
        assert_eq!(events[0]["previous_hash"], "00".repeat(32));
        assert_eq!(events[1]["previous_hash"], events[0]["hash"]);
        let page = get(&server, "principal", &format!("{path}?limit=1"))
            .await
            .expect(200);
        assert_eq!(
            (page["items"].as_array().unwrap().len(), &page["next"]),
            (1, &json!(1))
        );
        let rest = get(&server, "principal", &format!("{path}?after=1"))
            .await
            .expect(200);
        assert_eq!(rest["items"][0], events[1]);
        assert_eq!(
            get(&server, "principal", &format!("{path}?after=-1"))
                .await
                .status,
            422
        );
    });
}

#[test]
fn what_is_not_there_and_what_is_not_possible_are_problems_too() {
    on_each_database(|server| async move {
        assert_eq!(
            get(&server, "admin", "/nothing").await.problem(404),
            "NOT_FOUND"
        );
        let deleted = ask(&server, "admin", "DELETE", "/hazards").answer().await;
        assert_eq!(deleted.header("allow"), "GET, POST");
        assert_eq!(deleted.problem(405), "METHOD_NOT_ALLOWED");
        let nobody = anonymous(&server, "GET", "/hazards").answer().await;
        assert_eq!(nobody.problem(401), "UNAUTHENTICATED");
        let yaml = anonymous(&server, "GET", "/openapi.yaml").answer().await;
        assert!(yaml.body.starts_with(b"openapi: 3.1.0"));
    });
}
