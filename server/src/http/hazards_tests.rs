//! Hazards over REST, as their users meet them, on both databases.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use hazardloop_domain::command::{Action, Note};
use hazardloop_domain::time::Timestamp;
use serde_json::{Value, json};

use super::test_client::*;
use crate::test_support::{NOW, TestDevice, TestServer, hazard_id, on_each_database};
use crate::usecases::push;

/// Reports `count` hazards of the polishing works, a second apart; answers their ids, oldest first.
async fn reported(server: &TestServer, count: u64) -> Vec<String> {
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

async fn listed(server: &TestServer, login: &str, query: &str) -> (Vec<String>, Option<String>) {
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
fn pages_follow_one_another_newest_first() {
    on_each_database(|server| async move {
        let mut newest_first = reported(&server, 5).await;
        newest_first.reverse();
        for query in ["limit=2", "limit=2&grade=general"] {
            let (mut collected, mut after, mut pages) = (Vec::new(), String::new(), 0);
            loop {
                let (ids, next) = listed(&server, "inspector1", &format!("{query}{after}")).await;
                collected.extend(ids);
                pages += 1;
                let Some(next) = next else { break };
                after = format!("&after={next}");
            }
            assert_eq!(collected, newest_first, "{query}");
            assert!(pages >= 3, "{query}: {pages} pages");
        }
        for (query, status) in [
            ("limit=0", 422),
            ("limit=201", 422),
            ("limit=many", 400),
            ("after=abc", 400),
            ("colour=red", 400),
            ("status=lost", 400),
            ("number=%00", 400),
        ] {
            let answer = get(&server, "inspector1", &format!("/hazards?{query}")).await;
            assert_eq!(answer.status, status, "{query}");
        }
    });
}

#[test]
fn filters_narrow_and_never_widen() {
    on_each_database(|server| async move {
        let ids = reported(&server, 3).await;
        let path = format!("/hazards/{}/commands", ids[0]);
        post(
            &server,
            "inspector1",
            &path,
            &command_body(50, confirmation()),
        )
        .await
        .expect(200);
        let (polishing, chemicals) = (
            crate::sample::id("polishing"),
            crate::sample::id("chemicals"),
        );
        let (city, town) = (
            crate::sample::id("500000000000"),
            crate::sample::id("500153003000"),
        );
        let first: Value = get(&server, "inspector1", &format!("/hazards/{}", ids[0]))
            .await
            .json;
        let number = first["number"].as_str().unwrap();
        let found = |login: &'static str, query: String| {
            let server = &server;
            async move {
                let (mut found, _) = listed(server, login, &query).await;
                found.sort();
                found
            }
        };
        for (login, query, expected) in [
            ("inspector1", "status=confirmed".to_owned(), &ids[..1]),
            ("inspector1", "status=reported".to_owned(), &ids[1..]),
            ("inspector1", "grade=major".to_owned(), &[]),
            ("inspector1", format!("enterprise_id={polishing}"), &ids[..]),
            ("inspector1", format!("enterprise_id={chemicals}"), &[]),
            ("inspector1", format!("jurisdiction_id={town}"), &ids[..]),
            (
                "inspector1",
                format!("jurisdiction_id={town}&enterprise_id={polishing}"),
                &ids[..],
            ),
            // Above one's own scope, or beside it: nothing, and no telling.
            ("inspector1", format!("jurisdiction_id={city}"), &[]),
            ("supervisor", format!("jurisdiction_id={city}"), &ids[..]),
            // Of a place above their enterprise: what their enterprise has there, and nothing else.
            ("employee", format!("jurisdiction_id={town}"), &ids[..]),
            ("employee", format!("enterprise_id={chemicals}"), &[]),
            ("inspector1", format!("number={number}"), &ids[..1]),
            (
                "inspector1",
                format!("number={number}&status=reported"),
                &[],
            ),
            ("inspector1", "overdue=true".to_owned(), &[]),
            ("inspector1", "overdue=false".to_owned(), &ids[..]),
        ] {
            assert_eq!(
                found(login, query.clone()).await,
                expected,
                "{login} {query}"
            );
        }
        // The last millisecond of 2 December in Shanghai has passed.
        server.set_now(Timestamp::parse("2026-12-02T16:00:00Z").unwrap());
        assert_eq!(
            found("inspector1", "overdue=true".to_owned()).await,
            &ids[..1]
        );
        let seen = get(&server, "inspector1", &format!("/hazards/{}", ids[0]))
            .await
            .json;
        assert_eq!(seen["overdue"], true);
    });
}

#[test]
fn a_list_is_searched_sorted_and_counted() {
    on_each_database(|server| async move {
        let ids = reported(&server, 4).await;
        for (number, due_date) in [(0, "2026-12-05"), (1, "2026-12-02"), (2, "2026-12-09")] {
            let path = format!("/hazards/{}/commands", ids[number]);
            let mut confirmation = confirmation();
            confirmation["due_date"] = json!(due_date);
            let body = command_body(60 + u64::try_from(number).unwrap(), confirmation);
            post(&server, "inspector1", &path, &body).await.expect(200);
        }
        let by_due: Vec<String> = [1, 0, 2].map(|number| ids[number].clone()).to_vec();
        let newest: Vec<String> = ids.iter().rev().cloned().collect();
        for (login, query, expected) in [
            ("inspector1", "sort=due_date", &by_due[..]),
            (
                "inspector1",
                "sort=due_date&due_until=2026-12-05",
                &by_due[..2],
            ),
            (
                "inspector1",
                "sort=due_date&due_from=2026-12-09",
                &by_due[2..],
            ),
            (
                "inspector1",
                "due_from=2026-12-09&due_until=2026-12-09",
                &by_due[2..],
            ),
            ("inspector1", "status=reported,closed", &ids[3..]),
            ("inspector1", "q=%E7%A7%AF%E5%B0%98%203", &ids[3..]),
            // Of the enterprise's name.
            (
                "employee",
                "q=%E6%89%93%E7%A3%A8%E5%8E%82%20%E5%B0%98",
                &newest[..],
            ),
            ("inspector1", "q=%E7%B2%89%E5%B0%98", &[]),
            ("employee", "reporter=me&q=3", &ids[3..]),
            ("inspector1", "reporter=me", &[]),
            ("inspector1", "criterion=GM-10-11-3", &[]),
            ("inspector1", "sector=%E5%8D%B1%E5%8C%96", &[]),
            ("inspector1", "source=grid", &[]),
            (
                "inspector1",
                "received_from=2026-11-22T01:00:03Z",
                &ids[3..],
            ),
            (
                "inspector1",
                "received_until=2026-11-22T01:00:00Z",
                &ids[..1],
            ),
        ] {
            let (found, next) = listed(&server, login, query).await;
            assert_eq!(
                (found.as_slice(), next),
                (expected, None),
                "{login} {query}"
            );
        }
        let counted = |query: &'static str| get(&server, "inspector1", query);
        let page = counted("/hazards?count=true&limit=1").await.expect(200);
        assert_eq!(page["total"], json!({"count": 4, "more": false}));
        let page = counted("/hazards?count=true&q=%E5%B0%98&status=confirmed").await;
        assert_eq!(page.expect(200)["total"]["count"], 3);
        assert!(counted("/hazards").await.expect(200).get("total").is_none());
        for (query, status) in [
            ("q=", 422),
            ("q=%EF%BC%8C", 422),
            ("q=%00", 400),
            ("sort=age", 400),
            ("status=", 400),
            ("status=reported,lost", 400),
            ("reporter=you", 400),
            ("due_from=2026-13-01", 400),
            ("received_from=yesterday", 400),
        ] {
            let answer = get(&server, "inspector1", &format!("/hazards?{query}")).await;
            assert_eq!(answer.status, status, "{query}");
        }
    });
}

#[test]
fn places_are_found_in_the_reference_they_are_asked_in() {
    on_each_database(|server| async move {
        let ids = reported(&server, 1).await;
        for (query, hits) in [
            ("near=105.594,29.405@wgs84&radius_m=10", 1),
            // The same numbers in another system are half a kilometre away.
            ("near=105.594,29.405@gcj02&radius_m=100", 0),
            ("near=105.594,29.405@gcj02&radius_m=1000", 1),
            ("near=105.604,29.405@wgs84&radius_m=900", 0),
            ("near=105.604,29.405@wgs84&radius_m=50000", 1),
            ("bbox=105.593,29.404,105.595,29.406@wgs84", 1),
            ("bbox=105.593,29.404,105.595,29.406@gcj02", 0),
            ("bbox=105.5,29.3,105.7,29.5@bd09", 1),
            ("near=105.594,29.405@wgs84&radius_m=10&status=closed", 0),
        ] {
            let (found, next) = listed(&server, "inspector1", query).await;
            assert_eq!((found.len(), next), (hits, None), "{query}");
            assert!(found.iter().all(|id| *id == ids[0]));
        }
        assert!(
            listed(
                &server,
                "principal",
                "near=105.594,29.405@wgs84&radius_m=10"
            )
            .await
            .0
            .len()
                == 1
        );
        for (query, status) in [
            ("near=105.594,29.405&radius_m=10", 400),
            ("near=105.594,29.405@wgs84", 422),
            ("radius_m=10", 422),
            ("near=181,29@wgs84&radius_m=10", 400),
            ("near=105.594,29.405@wgs84&radius_m=50001", 422),
            ("near=105.594,29.405@wgs84&radius_m=NaN", 422),
            ("bbox=105.7,29.5,105.5,29.3@wgs84", 400),
            ("bbox=1,2,3,4", 400),
        ] {
            let answer = get(&server, "inspector1", &format!("/hazards?{query}")).await;
            assert_eq!(answer.status, status, "{query}");
        }
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
