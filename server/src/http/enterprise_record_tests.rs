//! The whole record of an enterprise over REST: what is sent comes back, is checked, and narrows lists.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use serde_json::{Value, json};

use super::test_client::*;
use crate::sample;
use crate::test_support::{TestServer, on_each_database};

fn town() -> String {
    sample::id("500153003000").to_string()
}

/// A registration with every field filled in.
fn full(number: u64) -> Value {
    json!({
        "id": new_id(number), "name": format!("第{number}厂"), "short_name": "某厂",
        "credit_code": "91500153MA00T0005Y", "jurisdiction_id": town(), "sector": "hazardous-chemicals",
        "address": "工业园一路 8 号", "legal_rep": "陈一",
        "principal": {"name": "王二", "phone": "13800000001"}, "actual_controller": "陈一",
        "safety_director": "李三",
        "safety_manager": {"name": "赵四", "phone": "023-46700000", "certificate_no": "B0001"},
        "chief_engineer": "孙五", "industry_code": "C2110", "subsectors": ["粉尘涉爆", "喷涂"],
        "size_class": "above_scale", "employee_count": 120, "division_code": "500153003000",
        "licences": [{"kind": "排污许可证", "number": "P-1", "valid_to": "2028-06-30"}],
        "standardization_level": "third",
        "insurance": {"number": "A-1", "valid_to": "2027-01-01", "insurer": "某保险"},
        "major_source_level": "none", "supervising_dept": "区经信委", "admin_level": "district",
        "risk_level": "red", "credit_class": "B", "status": "suspended",
        "related_parties": [{"name": "某物流", "kind": "tenant", "from": "2025-01-01", "to": "2026-12-31"}],
        "supervision_plan": "每季检查一次除尘系统",
    })
}

async fn names(server: &TestServer, login: &str, query: &str) -> Vec<String> {
    let page = get(server, login, &format!("/enterprises?{query}")).await;
    let page = page.expect(200);
    let items = page["items"].as_array().unwrap().iter();
    items
        .map(|item| item["name"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn what_is_registered_comes_back_whole_to_everybody_in_scope_and_to_nobody_else() {
    on_each_database(|server| async move {
        let new = full(1);
        post(&server, "reviewer", "/enterprises", &new)
            .await
            .expect(201);
        let path = format!("/enterprises/{}", new_id(1));
        for login in ["inspector1", "supervisor", "admin"] {
            let mut read = get(&server, login, &path).await.expect(200);
            assert_eq!(read["version"], 1);
            assert_eq!(read["warnings"], json!([]));
            for extra in ["version", "warnings"] {
                read.as_object_mut().unwrap().remove(extra);
            }
            assert_eq!(read, new, "{login}");
        }
        // Somebody of another enterprise.
        assert_eq!(
            get(&server, "principal", &path).await.problem(404),
            "NOT_FOUND"
        );
        let other = format!("/enterprises/{}", sample::id("polishing"));
        let own = get(&server, "principal", &other).await.expect(200);
        assert_eq!(own["status"], "operating");
        assert!(own.get("licences").is_none() && own.get("risk_level").is_none());
    });
}

#[test]
fn corrections_change_the_named_fields_and_leave_the_others() {
    on_each_database(|server| async move {
        post(&server, "reviewer", "/enterprises", &full(1))
            .await
            .expect(201);
        let path = format!("/enterprises/{}", new_id(1));
        let patch = async |version: &str, change: Value| {
            let asked = ask(&server, "reviewer", "PATCH", &path).with("If-Match", version);
            asked.json(&change).answer().await
        };
        let change =
            json!({"risk_level": "blue", "principal": null, "subsectors": [], "status": "closed"});
        let done = patch("\"1\"", change).await;
        assert_eq!(done.header("etag"), "\"2\"");
        let done = done.expect(200);
        assert_eq!(
            (&done["risk_level"], &done["status"]),
            (&json!("blue"), &json!("closed"))
        );
        assert!(done.get("principal").is_none() && done.get("subsectors").is_none());
        assert_eq!(done["safety_manager"]["certificate_no"], "B0001");
        assert_eq!(done["licences"], full(1)["licences"]);
        let stale = patch("\"1\"", json!({"risk_level": "red"})).await;
        assert_eq!(stale.problem(412), "PRECONDITION_FAILED");
        // A list is emptied by an empty list.
        assert_eq!(patch("\"2\"", json!({"licences": null})).await.status, 422);
        assert_eq!(
            patch("\"2\"", json!({"jurisdiction_id": town()}))
                .await
                .status,
            422
        );
    });
}

#[test]
fn a_field_that_is_not_acceptable_is_named_and_nothing_is_stored() {
    on_each_database(|server| async move {
        let grid = new_id(77);
        let below = json!({"id": grid, "parent_id": town(), "name": "一网格", "level": "grid"});
        post(&server, "admin", "/jurisdictions", &below)
            .await
            .expect(201);
        let cases = [
            ("industry_code", json!("2110"), "industry_code"),
            ("division_code", json!("500153"), "division_code"),
            (
                "principal",
                json!({"name": "王", "phone": "无"}),
                "principal.phone",
            ),
            (
                "licences",
                json!([{"kind": "证", "number": " "}]),
                "licences[0].number",
            ),
            ("subsectors", json!(vec!["尘"; 2]), "subsectors[1]"),
            ("employee_count", json!(10_000_001), "employee_count"),
            ("grid_id", json!(town()), "grid_id"),
            ("grid_id", json!(new_id(99)), "grid_id"),
        ];
        for (field, value, named) in cases {
            let mut new = full(1);
            new[field] = value;
            let refused = post(&server, "reviewer", "/enterprises", &new).await;
            assert_eq!(refused.json["field"], named, "{}", refused.json);
            assert_eq!(refused.problem(422), "INVALID_FIELD");
        }
        for (field, value) in [("risk_level", json!("green")), ("colour", json!("red"))] {
            let mut new = full(1);
            new[field] = value;
            let refused = post(&server, "reviewer", "/enterprises", &new).await;
            let said = refused.json["detail"].as_str().unwrap().to_owned();
            assert!(said.contains("at line 1 column"), "{said}");
            assert_eq!(refused.problem(422), "INVALID_FIELD");
        }
        let path = format!("/enterprises/{}", new_id(1));
        assert_eq!(get(&server, "admin", &path).await.problem(404), "NOT_FOUND");
        let mut new = full(1);
        new["grid_id"] = json!(grid);
        new["related_parties"][0]["credit_code"] = json!("91500153MA00T0005X");
        let made = post(&server, "reviewer", "/enterprises", &new)
            .await
            .expect(201);
        assert_eq!(made["grid_id"], grid);
        assert_eq!(
            made["warnings"][0]["field"],
            "related_parties[0].credit_code"
        );
    });
}

#[test]
fn the_list_is_narrowed_by_sector_status_risk_and_size() {
    on_each_database(|server| async move {
        for (number, sector, risk, status) in [
            (1, "hazardous-chemicals", "red", "operating"),
            (2, "hazardous-chemicals", "blue", "suspended"),
            (3, "工贸", "red", "operating"),
        ] {
            let mut new = full(number);
            new["sector"] = json!(sector);
            new["risk_level"] = json!(risk);
            new["status"] = json!(status);
            post(&server, "reviewer", "/enterprises", &new)
                .await
                .expect(201);
        }
        let of = async |query: &str| names(&server, "inspector1", query).await;
        let chemicals = of("sector=hazardous-chemicals").await;
        assert_eq!(chemicals[..2], ["第2厂", "第1厂"]);
        assert_eq!(chemicals.len(), 3, "and one of the sample");
        assert_eq!(of("risk_level=red").await, ["第3厂", "第1厂"]);
        assert_eq!(of("status=suspended").await, ["第2厂"]);
        assert_eq!(
            of("size_class=above_scale&risk_level=red&status=operating")
                .await
                .len(),
            2
        );
        assert_eq!(of("size_class=small_micro").await.len(), 0);
        // Together with a part of the name.
        assert_eq!(of("risk_level=red&name=3").await, ["第3厂"]);
        // Those of the sample work, as far as anybody knows.
        assert_eq!(of("status=operating").await.len(), 5);
        assert_eq!(names(&server, "principal", "risk_level=red").await.len(), 0);
        assert_eq!(
            names(&server, "principal", "status=operating").await.len(),
            1
        );
        let first = get(&server, "inspector1", "/enterprises?risk_level=red&limit=1").await;
        let first = first.expect(200);
        assert_eq!(first["items"][0]["name"], "第3厂");
        let after = first["next"].as_str().unwrap();
        assert_eq!(
            of(&format!("risk_level=red&limit=1&after={after}")).await,
            ["第1厂"]
        );
        let refused = get(&server, "inspector1", "/enterprises?risk_level=green").await;
        assert_eq!(refused.problem(400), "MALFORMED");
    });
}

#[test]
fn a_changed_or_moved_enterprise_is_found_where_it_belongs_now() {
    on_each_database(|server| async move {
        post(&server, "reviewer", "/enterprises", &full(1))
            .await
            .expect(201);
        let path = format!("/enterprises/{}", new_id(1));
        let blue = json!({"risk_level": "blue"});
        let changed = ask(&server, "reviewer", "PATCH", &path).with("If-Match", "\"1\"");
        changed.json(&blue).answer().await.expect(200);
        assert_eq!(
            names(&server, "inspector1", "risk_level=red").await.len(),
            0
        );
        assert_eq!(
            names(&server, "inspector1", "risk_level=blue").await.len(),
            1
        );
        let new_town = second_district(&server).await;
        let to = json!({"jurisdiction_id": new_town, "reason": "搬迁"});
        let moved = ask(&server, "admin", "POST", &format!("{path}/relocate"));
        moved
            .with("If-Match", "\"2\"")
            .json(&to)
            .answer()
            .await
            .expect(200);
        assert_eq!(
            names(&server, "inspector1", "risk_level=blue").await.len(),
            0
        );
        assert_eq!(names(&server, "admin", "risk_level=blue").await.len(), 1);
        let within = format!("risk_level=blue&jurisdiction_id={new_town}");
        assert_eq!(names(&server, "admin", &within).await.len(), 1);
    });
}
