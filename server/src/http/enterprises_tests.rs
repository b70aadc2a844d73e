//! Enterprises and jurisdictions over REST, on both databases.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use hazardloop_domain::ids::JurisdictionId;
use hazardloop_sync_protocol::wire::{RecordKind, Scope};
use serde_json::{Value, json};

use super::test_client::*;
use crate::sample;
use crate::store::{Position, feed};
use crate::test_support::{TestServer, on_each_database, seal_everything};
use crate::usecases::audit;

fn body(id: &str, name: &str, town: &str) -> Value {
    json!({
        "id": id,
        "name": name,
        "credit_code": "91500153MA00T0005Y",
        "jurisdiction_id": town,
        "sector": "工贸",
        "position": {"longitude": 105.6, "latitude": 29.4, "reference": "wgs84"},
    })
}

fn town() -> String {
    sample::id("500153003000").to_string()
}

async fn names(server: &TestServer, login: &str, query: &str) -> Vec<String> {
    let page = get(server, login, &format!("/enterprises?{query}"))
        .await
        .expect(200);
    let items = page["items"].as_array().unwrap();
    items
        .iter()
        .map(|item| item["name"].as_str().unwrap().to_owned())
        .collect()
}

/// What a scope holds of a kind now.
fn held(server: &TestServer, scope: Scope, kind: RecordKind) -> Vec<String> {
    let changes = server
        .app
        .db
        .read_blocking(|tx| feed::changes(tx.conn(), scope, Position::START, i64::MAX, 1_000))
        .unwrap();
    let present = changes
        .into_iter()
        .filter(|change| change.present && change.kind == kind);
    present.map(|change| change.id.to_string()).collect()
}

fn jurisdiction(id: &str) -> Scope {
    Scope::Jurisdiction(JurisdictionId(id.parse().unwrap()))
}

#[test]
fn an_enterprise_is_registered_once_by_whoever_keeps_its_jurisdiction() {
    on_each_database(|server| async move {
        let new = body(&new_id(1), "新厂", &town());
        let first = post(&server, "reviewer", "/enterprises", &new).await;
        assert_eq!(
            first.header("location"),
            format!("/api/v1/enterprises/{}", new_id(1))
        );
        let first = first.expect(201);
        assert_eq!(first["warnings"], json!([]));
        assert_eq!(
            post(&server, "reviewer", "/enterprises", &new)
                .await
                .expect(200),
            first
        );
        let other = body(&new_id(1), "另一厂", &town());
        assert_eq!(
            post(&server, "reviewer", "/enterprises", &other)
                .await
                .problem(409),
            "ID_REUSED"
        );
        assert_eq!(
            post(&server, "admin", "/enterprises", &new)
                .await
                .problem(409),
            "ID_REUSED"
        );
        for login in ["inspector1", "supervisor", "principal", "grid"] {
            let refused = post(
                &server,
                login,
                "/enterprises",
                &body(&new_id(2), "厂", &town()),
            )
            .await;
            assert_eq!(refused.problem(403), "FORBIDDEN", "{login}");
        }
        let city = sample::id("500000000000").to_string();
        let above = post(
            &server,
            "reviewer",
            "/enterprises",
            &body(&new_id(2), "厂", &city),
        )
        .await;
        assert_eq!(above.problem(403), "FORBIDDEN");
        let nowhere = body(&new_id(2), "厂", &new_id(99));
        let nowhere = post(&server, "reviewer", "/enterprises", &nowhere).await;
        assert_eq!(nowhere.json["field"], "jurisdiction_id");
        nowhere.problem(422);
        assert!(held(&server, jurisdiction(&town()), RecordKind::Enterprise).contains(&new_id(1)));
    });
}

#[test]
fn a_credit_code_is_warned_of_and_refused_only_when_too_long() {
    on_each_database(|server| async move {
        let mut new = body(&new_id(1), "新厂", &town());
        new["credit_code"] = json!("91500153MA00T0005X");
        let made = post(&server, "admin", "/enterprises", &new)
            .await
            .expect(201);
        assert_eq!(made["warnings"][0]["field"], "credit_code");
        assert_eq!(
            made["warnings"][0]["finding"]["finding"],
            "check_digit_mismatch"
        );
        new["id"] = json!(new_id(2));
        new["credit_code"] = json!("91500153MA00T0005YY");
        let long = post(&server, "admin", "/enterprises", &new).await;
        assert_eq!(long.json["field"], "credit_code");
        long.problem(422);
    });
}

#[test]
fn corrections_need_the_version_that_was_seen() {
    on_each_database(|server| async move {
        let path = format!("/enterprises/{}", sample::id("polishing"));
        let change = json!({"address": null, "name": "更名的厂"});
        let patch = |login: &'static str| ask(&server, login, "PATCH", &path).json(&change);
        assert_eq!(
            patch("reviewer").answer().await.problem(428),
            "PRECONDITION_REQUIRED"
        );
        let stale = patch("reviewer").with("If-Match", "\"9\"").answer().await;
        assert_eq!(stale.problem(412), "PRECONDITION_FAILED");
        let not_theirs = patch("principal").with("If-Match", "\"1\"").answer().await;
        assert_eq!(not_theirs.problem(403), "FORBIDDEN");
        let done = patch("reviewer").with("If-Match", "\"1\"").answer().await;
        assert_eq!(done.header("etag"), "\"2\"");
        let done = done.expect(200);
        assert_eq!(done["name"], "更名的厂");
        assert!(done.get("address").is_none());
        assert_eq!(done["sector"], "industry-and-trade");
        let empty = ask(&server, "reviewer", "PATCH", &path).with("If-Match", "\"2\"");
        assert_eq!(empty.json(&json!({})).answer().await.status, 422);
        let held = ask(&server, "employee", "GET", &path).with("If-None-Match", "\"2\"");
        assert_eq!(held.answer().await.status, 304);
        assert_eq!(
            ask(&server, "employee", "HEAD", &path)
                .answer()
                .await
                .header("etag"),
            "\"2\""
        );
    });
}

#[test]
fn the_list_shows_what_is_in_scope_and_takes_wildcards_literally() {
    on_each_database(|server| async move {
        post(
            &server,
            "admin",
            "/enterprises",
            &body(&new_id(1), "百分之百%厂_A", &town()),
        )
        .await
        .expect(201);
        assert_eq!(names(&server, "inspector1", "").await.len(), 4);
        assert_eq!(
            names(&server, "employee", "").await,
            ["荣昌区示例铝制品打磨厂"]
        );
        assert_eq!(
            names(&server, "inspector1", "name=%25").await,
            ["百分之百%厂_A"]
        );
        assert_eq!(
            names(&server, "inspector1", "name=%E5%8E%82_a").await,
            ["百分之百%厂_A"]
        );
        assert_eq!(names(&server, "inspector1", "name=x_y").await.len(), 0);
        let near = "near=105.6,29.4@wgs84&radius_m=50";
        assert_eq!(names(&server, "inspector1", near).await, ["百分之百%厂_A"]);
        assert!(names(&server, "employee", near).await.is_empty());
        let city = sample::id("500000000000");
        assert!(
            names(&server, "inspector1", &format!("jurisdiction_id={city}"))
                .await
                .is_empty()
        );
        assert_eq!(
            names(&server, "admin", &format!("jurisdiction_id={city}"))
                .await
                .len(),
            4
        );
        let first = get(&server, "inspector1", "/enterprises?limit=3")
            .await
            .expect(200);
        let next = first["next"].as_str().unwrap();
        assert_eq!(
            names(&server, "inspector1", &format!("limit=3&after={next}"))
                .await
                .len(),
            1
        );
        let foreign = format!("/enterprises/{}", sample::id("chemicals"));
        assert_eq!(
            get(&server, "employee", &foreign).await.problem(404),
            "NOT_FOUND"
        );
    });
}

#[test]
fn a_move_takes_all_hazards_along_in_one_moment() {
    on_each_database(|server| async move {
        let hazards = [new_id(1), new_id(2), new_id(3)];
        for id in &hazards {
            let report = report_body(id, "polishing", "积尘");
            post(&server, "employee", "/hazards", &report)
                .await
                .expect(201);
        }
        let polishing = sample::id("polishing").to_string();
        let old_district = sample::id("500153000000").to_string();
        let city = sample::id("500000000000").to_string();
        let new_town = second_district(&server).await;
        let path = format!("/enterprises/{polishing}/relocate");
        let to = json!({"jurisdiction_id": new_town, "reason": "搬迁至新园区"});
        let send = async |login: &str, version: &str, body: &Value| {
            let asked = ask(&server, login, "POST", &path).with("If-Match", version);
            asked.json(body).answer().await
        };
        // The reviewer keeps the old district, not the new one.
        assert_eq!(
            send("reviewer", "\"1\"", &to).await.problem(403),
            "FORBIDDEN"
        );
        let blank = json!({"jurisdiction_id": new_town, "reason": " "});
        assert_eq!(
            send("admin", "\"1\"", &blank).await.problem(422),
            "INVALID_FIELD"
        );
        let blind = post(&server, "admin", &path, &to).await;
        assert_eq!(blind.problem(428), "PRECONDITION_REQUIRED");
        let stale = send("admin", "\"7\"", &to).await;
        assert_eq!(stale.problem(412), "PRECONDITION_FAILED");
        let moved = send("admin", "\"1\"", &to).await;
        assert_eq!(moved.header("etag"), "\"2\"");
        let moved = moved.expect(200);
        assert_eq!(
            (&moved["jurisdiction_id"], &moved["version"]),
            (&json!(new_town), &json!(2))
        );
        assert_eq!(send("admin", "\"1\"", &to).await.expect(200), moved);
        for kind in [RecordKind::Hazard, RecordKind::Enterprise] {
            let count = if kind == RecordKind::Hazard { 3 } else { 1 };
            assert_eq!(held(&server, jurisdiction(&new_town), kind).len(), count);
            let left = held(&server, jurisdiction(&old_district), kind);
            assert!(!left.contains(&polishing) && !left.iter().any(|id| hazards.contains(id)));
            assert!(held(&server, jurisdiction(&city), kind).len() >= count);
        }
        let history = get(&server, "admin", &format!("/hazards/{}/events", hazards[0]))
            .await
            .json;
        assert_eq!(history["items"][1]["kind"], "enterprise_followed");
        assert_eq!(history["items"][1]["door"], "server");
        seal_everything(&server.app.db);
        assert_eq!(audit::verify(&server.app.db, None).unwrap().faults, 0);
    });
}

#[test]
fn the_tree_is_public_and_grown_by_administrators_alone() {
    on_each_database(|server| async move {
        let city = sample::id("500000000000").to_string();
        let tree = get(&server, "employee", "/jurisdictions").await.expect(200);
        let depths: Vec<_> = tree["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|n| n["depth"].clone())
            .collect();
        assert_eq!(depths, [json!(1), json!(2), json!(3)]);
        let children = get(&server, "grid", &format!("/jurisdictions?parent_id={city}"))
            .await
            .json;
        assert_eq!(children["items"].as_array().unwrap().len(), 1);
        let paged = get(&server, "grid", "/jurisdictions?limit=2").await.json;
        let next = paged["next"].as_str().unwrap();
        let rest = get(&server, "grid", &format!("/jurisdictions?after={next}"))
            .await
            .json;
        assert_eq!(rest["items"][0]["depth"], 3);
        let mut zone = json!({
            "id": new_id(1), "parent_id": city, "name": "园区", "level": "district",
            "boundary": {
                "geometry": {"type": "Polygon", "coordinates":
                    [[[10.0, 10.0], [10.1, 10.0], [10.1, 10.1], [10.0, 10.1], [10.0, 10.0]]]},
                "reference": "wgs84",
            },
        });
        let refused = post(&server, "reviewer", "/jurisdictions", &zone).await;
        assert_eq!(refused.problem(403), "FORBIDDEN");
        let nowhere = get(
            &server,
            "grid",
            "/jurisdictions/locate?at=10.05,10.05@wgs84",
        )
        .await;
        assert_eq!(nowhere.problem(404), "NOT_FOUND");
        let added = post(&server, "admin", "/jurisdictions", &zone)
            .await
            .expect(201);
        assert_eq!(added["has_boundary"], true);
        assert_eq!(
            post(&server, "admin", "/jurisdictions", &zone)
                .await
                .expect(200),
            added
        );
        let here = get(
            &server,
            "grid",
            "/jurisdictions/locate?at=10.05,10.05@wgs84",
        )
        .await
        .expect(200);
        assert_eq!(here["jurisdiction_id"], json!(new_id(1)));
        assert_eq!(here["ancestors"][0]["id"], json!(city));
        zone["name"] = json!("另一园区");
        assert_eq!(
            post(&server, "admin", "/jurisdictions", &zone)
                .await
                .problem(409),
            "ID_REUSED"
        );
        zone["id"] = json!(new_id(2));
        zone["level"] = json!("city");
        assert_eq!(
            post(&server, "admin", "/jurisdictions", &zone).await.json["field"],
            "level"
        );
        zone["level"] = json!("district");
        zone["boundary"]["geometry"] = json!({"type": "Point", "coordinates": [10.0, 10.0]});
        assert_eq!(
            post(&server, "admin", "/jurisdictions", &zone).await.json["field"],
            "boundary"
        );
        assert!(held(&server, Scope::Catalog, RecordKind::Jurisdiction).contains(&new_id(1)));
    });
}

#[test]
fn a_boundary_is_set_and_removed_by_the_version_that_was_seen() {
    on_each_database(|server| async move {
        let path = format!("/jurisdictions/{}", town());
        let change = async |login: &str, method: &str, version: &str, body: Option<&Value>| {
            let path = format!("{path}/boundary");
            let mut asked = ask(&server, login, method, &path);
            if !version.is_empty() {
                asked = asked.with("If-Match", version);
            }
            match body {
                Some(body) => asked.json(body).answer().await,
                None => asked.answer().await,
            }
        };
        let boundary = json!({
            "geometry": {"type": "Polygon", "coordinates":
                [[[10.0, 10.0], [10.1, 10.0], [10.1, 10.1], [10.0, 10.1], [10.0, 10.0]]]},
            "reference": "wgs84",
        });
        let body = Some(&boundary);
        let blind = change("admin", "PUT", "", body).await;
        assert_eq!(blind.problem(428), "PRECONDITION_REQUIRED");
        let stale = change("admin", "PUT", "\"9\"", body).await;
        assert_eq!(stale.problem(412), "PRECONDITION_FAILED");
        let others = change("reviewer", "PUT", "\"1\"", body).await;
        assert_eq!(others.problem(403), "FORBIDDEN");
        let mut line = boundary.clone();
        line["geometry"] =
            json!({"type": "LineString", "coordinates": [[10.0, 10.0], [10.1, 10.0]]});
        let line = change("admin", "PUT", "\"1\"", Some(&line)).await;
        assert_eq!(line.json["field"], "geometry");
        line.problem(422);
        let set = change("admin", "PUT", "\"1\"", body).await;
        assert_eq!(set.header("etag"), "\"2\"");
        let set = set.expect(200);
        assert_eq!(set["has_boundary"], true);
        assert_eq!(get(&server, "grid", &path).await.expect(200), set);
        let located = "/jurisdictions/locate?at=10.05,10.05@wgs84";
        let here = get(&server, "grid", located).await.expect(200);
        assert_eq!(here["jurisdiction_id"], json!(town()));
        let others = change("reviewer", "DELETE", "\"2\"", None).await;
        assert_eq!(others.problem(403), "FORBIDDEN");
        let stale = change("admin", "DELETE", "\"1\"", None).await;
        assert_eq!(stale.problem(412), "PRECONDITION_FAILED");
        let removed = change("admin", "DELETE", "\"2\"", None).await.expect(200);
        assert_eq!(removed["has_boundary"], false);
        assert_eq!(
            get(&server, "grid", located).await.problem(404),
            "NOT_FOUND"
        );
        // The devices of everybody hold the node in its new version.
        let changes = server.app.db.read_blocking(|tx| {
            feed::changes(tx.conn(), Scope::Catalog, Position::START, i64::MAX, 1_000)
        });
        let mine = |change: &feed::Change| change.id.to_string() == town();
        let change = changes.unwrap().into_iter().find(mine).unwrap();
        assert_eq!((change.present, change.version), (true, 3));
    });
}
