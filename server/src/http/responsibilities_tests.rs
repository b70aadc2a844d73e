//! Who answers for what over REST, on both databases: versions, warnings, the queue.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use serde_json::{Value, json};

use crate::http::packs::tests::with_packs;
use crate::http::test_client::{Answer, ask, command_body, get, new_id, post, report_body};
use crate::sample;
use crate::test_support::{TestServer, on_each_database};

fn path(rest: &str) -> String {
    let town = sample::id("500153003000");
    format!("/jurisdictions/{town}/responsibilities{rest}")
}

async fn put(server: &TestServer, seen: &str, body: &Value) -> Answer {
    let asked = ask(server, "supervisor", "PUT", &path("")).with("If-Match", seen);
    asked.json(body).answer().await
}

/// What is wrong with an answer: status, code, field.
fn problem(answer: Answer) -> (u16, String, String) {
    let status = answer.status;
    let body = answer.expect(status);
    let text = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
    (status, text("code"), text("field"))
}

#[test]
fn what_is_said_has_a_version_and_is_not_overwritten_unseen() {
    on_each_database(async |server| {
        let nothing = get(&server, "employee", &path("")).await;
        assert_eq!(nothing.header("etag"), "\"0\"");
        assert_eq!(nothing.expect(200), json!({"rows": [], "warnings": []}));
        let mine = json!({
            "rows": [{"sector": "town-gas", "department": "街道办"}], "fallback": "街道安委办"
        });
        let blind = ask(&server, "supervisor", "PUT", &path("")).json(&mine);
        assert_eq!(blind.answer().await.status, 428);
        assert_eq!(put(&server, "\"7\"", &mine).await.status, 412);
        let said = put(&server, "\"0\"", &mine).await;
        assert_eq!(said.header("etag"), "\"1\"");
        let said = said.expect(200);
        assert_eq!(said["rows"], mine["rows"]);
        assert_eq!(said["fallback"], "街道安委办");
        // The same once more, by whoever did not hear the answer.
        let again = put(&server, "\"0\"", &mine).await;
        assert_eq!((again.status, again.header("etag")), (200, "\"1\""));
        let held = ask(&server, "grid", "GET", &path("")).with("If-None-Match", "\"1\"");
        assert_eq!(held.answer().await.status, 304);
        let asked = async |sector: &str| {
            let path = path(&format!("/answering?sector={sector}"));
            get(&server, "employee", &path).await.expect(200)
        };
        let own = json!({"basis": "own", "department": "街道办",
            "said_by": sample::id("500153003000")});
        assert_eq!(asked("town-gas").await, own);
        let above = asked("construction").await;
        assert_eq!(above["basis"], "inherited");
        assert_eq!(above["said_by"], json!(sample::id("500153000000")));
        assert_eq!(asked("urban-rail").await["department"], "街道安委办");
        for wrong in [
            "/answering",
            "/answering?sector=",
            "/answering?sector=x&y=1",
        ] {
            let answer = get(&server, "employee", &path(wrong)).await;
            assert!([400, 422].contains(&answer.status), "{wrong}");
        }
    });
}

#[test]
fn what_cannot_be_said_is_refused_by_its_field() {
    on_each_database(async |server| {
        let row =
            |sector: &str, department: &str| json!({"sector": sector, "department": department});
        for (body, field) in [
            (
                json!({"rows": [row("煤矿", "局"), row("煤矿", "委")]}),
                "rows[煤矿].sector",
            ),
            (json!({"rows": [row("煤矿", "")]}), "rows[煤矿].department"),
            (
                json!({"rows": [row(&"矿".repeat(33), "局")]}),
                &*format!("rows[{}].sector", "矿".repeat(33)),
            ),
            (json!({"rows": [], "fallback": " "}), "fallback"),
        ] {
            let (status, _, told) = problem(put(&server, "\"0\"", &body).await);
            assert_eq!((status, told.as_str()), (422, field));
        }
        let unknown = json!({"rows": [], "remark": "x"});
        assert_eq!(put(&server, "\"0\"", &unknown).await.status, 422);
        assert_eq!(
            get(&server, "employee", &path("")).await.header("etag"),
            "\"0\""
        );
    });
}

#[test]
fn names_of_sectors_that_no_pack_has_are_told_wherever_they_are_entered() {
    on_each_database(async |server| {
        with_packs(&server).await;
        let rows = json!({"rows": [
            {"sector": "town-gas", "department": "甲局"},
            {"sector": "燃气", "department": "乙局"},
            {"sector": "露营地", "department": "丙局"},
        ]});
        let said = put(&server, "\"0\"", &rows).await.expect(200);
        let warned: Vec<_> = said["warnings"].as_array().unwrap().iter().collect();
        assert_eq!(warned.len(), 2, "{said}");
        assert_eq!(warned[0]["field"], "rows[燃气].sector");
        assert_eq!(warned[0]["finding"], "sector_goes_by_its_code");
        let told = warned[0]["message"].as_str().unwrap();
        assert!(told.contains("town-gas"), "{told}");
        assert_eq!(warned[1]["finding"], "sector_of_no_pack");

        let town = sample::id("500153003000");
        for (number, sector, finding) in [
            (1, "industry-and-trade", None),
            // Of coal, or of others: which code is meant has to be said.
            (2, "矿山", Some("sector_goes_by_its_code")),
            (3, "露营地", Some("sector_of_no_pack")),
        ] {
            let new = json!({"id": new_id(number), "name": "某厂", "jurisdiction_id": town,
                "sector": sector});
            let made = post(&server, "admin", "/enterprises", &new)
                .await
                .expect(201);
            let warned = made["warnings"].as_array().unwrap();
            let found = warned
                .first()
                .map(|warning| warning["finding"].as_str().unwrap());
            assert_eq!(found, finding, "{made}");
        }
        let table = "名称,监管行业,管辖单位\n甲,工贸,500153003000\n乙,矿山,500153003000\n";
        let tried = ask(
            &server,
            "admin",
            "POST",
            "/enterprises/imports?dry_run=true",
        )
        .bytes("text/csv", table.into());
        let tried = tried.answer().await.expect(200);
        assert_eq!(
            (&tried["errors"], &tried["warnings"]),
            (&json!(0), &json!(1))
        );
        assert_eq!(tried["problems"][0]["row"], 3);
        assert_eq!(tried["problems"][0]["code"], "SECTOR_GOES_BY_ITS_CODE");
    });
}

#[test]
fn a_hazard_of_nobodys_is_listed_and_assigned_by_a_sector_that_somebody_knows() {
    on_each_database(async |server| {
        with_packs(&server).await;
        for number in 1..=3 {
            let mut report = report_body(&new_id(number), "polishing", "路边气瓶");
            report["enterprise_id"] = Value::Null;
            report["source"] = json!("grid");
            post(&server, "grid", "/hazards", &report).await.expect(201);
        }
        let first = get(&server, "head", "/hazards/unclaimed?limit=2")
            .await
            .expect(200);
        let ids = |page: &Value| -> Vec<String> {
            let items = page["items"].as_array().unwrap().iter();
            items
                .map(|item| item["id"].as_str().unwrap().to_owned())
                .collect()
        };
        assert_eq!(ids(&first), [new_id(1), new_id(2)]);
        assert!(first["items"][0].get("sector").is_none());
        let next = format!(
            "/hazards/unclaimed?after={}",
            first["next"].as_str().unwrap()
        );
        let last = get(&server, "head", &next).await.expect(200);
        assert_eq!(ids(&last), [new_id(3)]);
        assert!(last.get("next").is_none());
        assert_eq!(
            get(&server, "head", "/hazards/unclaimed?limit=0")
                .await
                .status,
            422
        );

        let assign = async |number: u64, sector: &str| {
            let command = json!({"kind": "assign_sector", "sector": sector, "department": "某局"});
            let path = format!("/hazards/{}/commands", new_id(1));
            post(&server, "reviewer", &path, &command_body(number, command)).await
        };
        let (status, code, field) = problem(assign(50, "煤气").await);
        assert_eq!(
            (status, code.as_str(), &*field),
            (422, "INVALID_FIELD", "sector")
        );
        let body = assign(51, "燃气").await.expect(422);
        assert!(body.to_string().contains("town-gas"), "{body}");
        assign(52, "town-gas").await.expect(200);
        let left = get(&server, "head", "/hazards/unclaimed").await.expect(200);
        assert_eq!(ids(&left), [new_id(2), new_id(3)]);
    });
}
