//! Merging a town into another one over REST, on both databases.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use serde_json::{Value, json};

use super::test_client::{Ask, ask, get, new_id, post};
use crate::jobs::run_due;
use crate::sample;
use crate::test_support::{TestServer, on_each_database};

fn town() -> String {
    sample::id("500153003000").to_string()
}

async fn second_town(server: &TestServer) -> String {
    let body = json!({"id": new_id(900), "parent_id": sample::id("500153000000"), "name": "昌州街道",
        "level": "town"});
    let added = post(server, "admin", "/jurisdictions", &body).await;
    added.expect(201)["id"].as_str().unwrap().to_owned()
}

fn merge<'a>(server: &'a TestServer, login: &str, from: &str, body: &Value) -> Ask<'a> {
    ask(
        server,
        login,
        "POST",
        &format!("/jurisdictions/{from}/merge"),
    )
    .json(body)
}

#[test]
fn a_town_is_merged_and_says_where_it_went() {
    on_each_database(async |server| {
        let successor = second_town(&server).await;
        let body = json!({"into": successor, "reason": "渝府〔2026〕12号"});
        let asked = merge(&server, "admin", &town(), &body).answer().await;
        assert_eq!(asked.problem(428), "PRECONDITION_REQUIRED");
        let asked = merge(&server, "admin", &town(), &body).with("If-Match", "\"9\"");
        assert_eq!(asked.answer().await.problem(412), "PRECONDITION_FAILED");
        let asked = merge(&server, "reviewer", &town(), &body).with("If-Match", "\"1\"");
        assert_eq!(asked.answer().await.problem(403), "FORBIDDEN");
        let nowhere = new_id(901);
        let asked = merge(&server, "admin", &nowhere, &body).with("If-Match", "\"1\"");
        assert_eq!(asked.answer().await.problem(404), "NOT_FOUND");
        let itself = json!({"into": town(), "reason": "撤并"});
        let asked = merge(&server, "admin", &town(), &itself).with("If-Match", "\"1\"");
        let problem = asked.answer().await.expect(422);
        assert_eq!(
            (&problem["code"], &problem["field"]),
            (&json!("INVALID_FIELD"), &json!("into"))
        );

        let asked = merge(&server, "admin", &town(), &body).with("If-Match", "\"1\"");
        let answer = asked.answer().await;
        assert_eq!(answer.header("etag"), "\"2\"");
        let merged = answer.expect(200);
        assert_eq!(merged["merged_into"], json!(successor));
        assert_eq!(merged["parent_id"], json!(successor));
        assert_eq!(merged["division_code"], json!("500153003000"));
        assert_eq!(merged["is_merging"], json!(true));
        assert_eq!(merged["boundary_to_redraw"], json!(false));
        let path = format!("/jurisdictions/{}", town());
        assert_eq!(
            get(&server, "grid", &path).await.expect(200)["merged_into"],
            json!(successor)
        );
        run_due(&server.app).await.unwrap();
        let read = get(&server, "grid", &path).await.expect(200);
        assert_eq!(read["is_merging"], json!(false));
        assert_eq!(read["merged_at"], merged["merged_at"]);
        let other = get(&server, "grid", &format!("/jurisdictions/{successor}"))
            .await
            .expect(200);
        assert!(other.get("merged_into").is_none() && other.get("is_merging").is_none());
        // The same again changes nothing.
        let asked = merge(&server, "admin", &town(), &body).with("If-Match", "\"1\"");
        assert_eq!(asked.answer().await.expect(200)["version"], json!(2));
        // Lists by the old id are the successor's.
        for id in [town(), successor.clone()] {
            let list = get(
                &server,
                "grid",
                &format!("/enterprises?jurisdiction_id={id}"),
            )
            .await;
            assert_eq!(list.expect(200)["items"].as_array().unwrap().len(), 3);
        }
    });
}

#[test]
fn what_is_placed_in_it_afterwards_is_refused_with_the_name_of_its_successor() {
    on_each_database(async |server| {
        let successor = second_town(&server).await;
        let body = json!({"into": successor, "reason": "撤并"});
        let asked = merge(&server, "admin", &town(), &body).with("If-Match", "\"1\"");
        asked.answer().await.expect(200);
        let firm = json!({"id": new_id(902), "name": "某厂", "jurisdiction_id": town(),
            "sector": "工贸"});
        let problem = post(&server, "admin", "/enterprises", &firm)
            .await
            .expect(409);
        assert_eq!(problem["code"], json!("JURISDICTION_MERGED"));
        assert_eq!(problem["successor_id"], json!(successor));
        assert!(
            problem["detail"].as_str().unwrap().contains("昌州街道"),
            "{problem}"
        );
        assert_eq!(problem["title_zh"], json!("该辖区已撤并"));
        let table = "名称,监管行业,管辖单位\n某厂,工贸,500153003000\n";
        let tried = ask(
            &server,
            "admin",
            "POST",
            "/enterprises/imports?dry_run=true",
        )
        .bytes("text/csv", table.as_bytes().to_vec());
        let report = tried.answer().await;
        let report = report.json.to_string();
        assert!(
            report.contains("JURISDICTION_MERGED") && report.contains("昌州街道"),
            "{report}"
        );
    });
}
