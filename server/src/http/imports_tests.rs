//! Tables of enterprises over REST: tried out, imported, looked at, taken back, on both databases.
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
use crate::tables::samples::{Value as Cell, workbook};
use crate::tables::{CSV, XLSX};
use crate::test_support::{TestServer, on_each_database, person};

const TOWN: &str = "500153003000";

async fn bring(server: &TestServer, login: &str, query: &str, text: &str) -> Answer {
    let path = format!("/enterprises/imports?{query}");
    let body = text.as_bytes().to_vec();
    ask(server, login, "POST", &path)
        .bytes(CSV, body)
        .answer()
        .await
}

async fn tried(server: &TestServer, login: &str, text: &str) -> Value {
    bring(server, login, "dry_run=true", text).await.expect(200)
}

async fn import(server: &TestServer, login: &str, number: u64, text: &str) -> Answer {
    bring(server, login, &format!("id={}", new_id(number)), text).await
}

async fn undo(server: &TestServer, login: &str, number: u64) -> Answer {
    let path = format!("/enterprises/imports/{}/undo", new_id(number));
    ask(server, login, "POST", &path).answer().await
}

/// `row column code` of each problem.
fn problems(of: &Value) -> Vec<String> {
    let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    let problems = of.as_array().unwrap().iter();
    let problems = problems.map(|problem| {
        let (column, code) = (text(&problem["column"]), text(&problem["code"]));
        format!("{} {column} {code}", problem["row"])
    });
    problems.collect()
}

async fn named(server: &TestServer, login: &str, name: &str) -> Vec<Value> {
    let page = get(server, login, "/enterprises?limit=200")
        .await
        .expect(200);
    let items = page["items"].as_array().unwrap().iter();
    items.filter(|item| item["name"] == name).cloned().collect()
}

/// What the town's scope holds of enterprises, and no longer holds.
fn held(server: &TestServer) -> (Vec<String>, Vec<String>) {
    let scope = Scope::Jurisdiction(JurisdictionId(sample::id(TOWN)));
    let changes = server
        .app
        .db
        .read_blocking(|tx| feed::changes(tx.conn(), scope, Position::START, i64::MAX, 1_000))
        .unwrap();
    let of = |present: bool| {
        let changes = changes
            .iter()
            .filter(|change| change.kind == RecordKind::Enterprise);
        let changes = changes.filter(|change| change.present == present);
        changes.map(|change| change.id.to_string()).collect()
    };
    (of(true), of(false))
}

#[test]
fn a_dry_run_tells_every_problem_of_every_row_and_stores_nothing() {
    on_each_database(|server| async move {
        let town = sample::id(TOWN);
        let text = format!(
            "名称,监管行业,管辖单位,统一社会信用代码,行业代码,从业人数,风险等级,主要负责人电话,经度,许可证\n\
             # 说明行,不读,,,,,,,,\n\
             甲厂,工贸,{TOWN},91500153MA0X00111T,C2110,12,橙,,,排污许可证|P-1|2028/6/30\n\
             乙厂,,无此地,91500153MA0X002262,2110,十二,紫,13800000001,105.6,P-1\n\
             丙厂,工贸,{town},91500153MA0X00111T,,,,,,\n\
             ,工贸,荣昌区/广顺街道,,,,,,,\n\
             丁厂,工贸,500000000000,,,,,,,\n"
        );
        let report = tried(&server, "reviewer", &text).await;
        assert_eq!(
            (&report["rows"], &report["created"], &report["dry_run"]),
            (&json!(5), &json!(1), &json!(true))
        );
        let expected = [
            "4 jurisdiction JURISDICTION_UNKNOWN",
            "4 sector REQUIRED",
            "4 industry_code INDUSTRY_CODE",
            "4 employee_count NOT_A_NUMBER",
            "4 risk_level NOT_ONE_OF",
            "4 licences NOT_OF_FORM",
            "4 principal_name GO_TOGETHER",
            "4 longitude GO_TOGETHER",
            "4 credit_code CREDIT_CODE",
            "5 credit_code SAME_AS_ROW",
            "6 name REQUIRED",
            "7 jurisdiction JURISDICTION_FORBIDDEN",
        ];
        let mut found = problems(&report["problems"]);
        found.sort();
        let mut expected = expected.map(str::to_owned);
        expected.sort();
        assert_eq!(found, expected);
        assert_eq!(
            (&report["errors"], &report["warnings"]),
            (&json!(11), &json!(1))
        );
        let of_heading = &report["problems"][0];
        assert_eq!(of_heading["heading"], "管辖单位");
        assert!(
            of_heading["message_zh"]
                .as_str()
                .unwrap()
                .contains("管辖单位")
        );
        // The same in earnest: refused, all of it told, nothing stored.
        let refused = import(&server, "reviewer", 1, &text).await;
        assert_eq!(refused.json["rows"], report["problems"]);
        assert_eq!(refused.problem(422), "IMPORT_REFUSED");
        assert!(named(&server, "admin", "甲厂").await.is_empty());
        let listed = get(&server, "admin", "/enterprises/imports")
            .await
            .expect(200);
        assert_eq!(listed["items"], json!([]));
    });
}

#[test]
fn headings_are_checked_before_rows() {
    on_each_database(|server| async move {
        let of = async |text: &str| problems(&tried(&server, "admin", text).await["problems"]);
        assert_eq!(of("a,b,c\n1,2,3\n").await, ["0 - NO_HEADING"]);
        assert_eq!(of("名称,监管行业\n").await, ["0 - NO_ROWS"]);
        let odd = "企业一览表\n\n名称*,sector,管辖,颜色,单位名称\n甲,乙,500153003,红,丙,丁\n";
        let expected = [
            "3 - UNKNOWN_COLUMN",
            "3 name COLUMN_TWICE",
            "4 - BEYOND_HEADINGS",
        ];
        assert_eq!(of(odd).await, expected);
    });
}

#[test]
fn a_table_is_imported_once_and_each_enterprise_has_its_history() {
    on_each_database(|server| async move {
        let text = format!(
            "id,name,sector,jurisdiction,risk_level,principal_name,principal_phone,longitude,latitude,coordinate_reference\n\
             ,新厂,工贸,{TOWN},红,王二,13800000001,105.6,29.4,WGS-84\n\
             {},,,,黄,,,,,\n",
            sample::id("polishing")
        );
        let first = import(&server, "reviewer", 1, &text).await;
        let path = format!("/enterprises/imports/{}", new_id(1));
        assert_eq!(first.header("location"), format!("/api/v1{path}"));
        let first = first.expect(201);
        assert_eq!(
            (&first["created"], &first["updated"]),
            (&json!(1), &json!(1))
        );
        assert_eq!(
            import(&server, "reviewer", 1, &text).await.expect(200),
            first
        );
        let other = text.replace("新厂", "另一厂");
        assert_eq!(
            import(&server, "reviewer", 1, &other).await.problem(409),
            "ID_REUSED"
        );
        assert_eq!(
            import(&server, "admin", 1, &text).await.problem(409),
            "ID_REUSED"
        );
        let new = &named(&server, "inspector1", "新厂").await[0];
        assert_eq!(
            (&new["version"], &new["principal"]["phone"]),
            (&json!(1), &json!("13800000001"))
        );
        assert_eq!(new["position"]["reference"], "wgs84");
        assert!(
            held(&server)
                .0
                .contains(&new["id"].as_str().unwrap().to_owned())
        );
        let polishing = format!("/enterprises/{}", sample::id("polishing"));
        let polishing = get(&server, "employee", &polishing).await.expect(200);
        assert_eq!(
            (&polishing["version"], &polishing["risk_level"]),
            (&json!(2), &json!("yellow"))
        );
        assert_eq!(polishing["name"], "荣昌区示例铝制品打磨厂");
        // Again as another import: all is so already.
        let again = import(&server, "reviewer", 2, &text).await.expect(201);
        assert_eq!(
            (&again["unchanged"], &again["updated"]),
            (&json!(2), &json!(0))
        );
        let read = get(&server, "admin", &format!("{path}?limit=1"))
            .await
            .expect(200);
        assert_eq!(read["import"]["rows"], 2);
        assert_eq!(
            (&read["items"][0]["row"], &read["items"][0]["did"]),
            (&json!(2), &json!("created"))
        );
        let rest = format!("{path}?limit=5&after={}", read["next"]);
        let read = get(&server, "admin", &rest).await.expect(200);
        assert_eq!(read["items"][0]["did"], "updated");
        assert!(read.get("next").is_none());
    });
}

#[test]
fn rows_find_their_enterprise_by_id_code_or_name() {
    on_each_database(|server| async move {
        let heading = "名称,监管行业,管辖单位,信用代码,地址";
        let first = format!(
            "{heading}\n甲厂,工贸,{TOWN},91500153MA0X002261,一路\n乙厂,工贸,{TOWN},,二路\n"
        );
        import(&server, "reviewer", 1, &first).await.expect(201);
        // By code, under another name; by name, with the code that was missing.
        let second = format!(
            "{heading}\n甲厂有限公司,工贸,{TOWN},91500153MA0X002261,\n乙厂,,{TOWN},91500153MA0X003305,-\n"
        );
        let report = import(&server, "reviewer", 2, &second).await.expect(201);
        assert_eq!(
            (&report["updated"], &report["created"]),
            (&json!(2), &json!(0))
        );
        let renamed = &named(&server, "admin", "甲厂有限公司").await[0];
        assert_eq!(renamed["address"], "一路", "an empty cell leaves a field");
        let other = &named(&server, "admin", "乙厂").await[0];
        assert!(other.get("address").is_none(), "a dash empties it");
        assert_eq!(other["credit_code"], "91500153MA0X003305");
        // Somebody else's enterprises are as if they were not there.
        let elsewhere = second_district(&server).await;
        let new = json!({"id": new_id(5), "name": "邻厂", "jurisdiction_id": elsewhere, "sector": "工贸",
            "credit_code": "91500153MA0X00445B"});
        post(&server, "admin", "/enterprises", &new)
            .await
            .expect(201);
        let same = format!("{heading}\n本厂,工贸,{TOWN},91500153MA0X00445B,\n");
        let report = tried(&server, "reviewer", &same).await;
        assert_eq!(
            (&report["created"], &report["errors"]),
            (&json!(1), &json!(0))
        );
        let report = tried(&server, "admin", &same).await;
        assert_eq!(
            problems(&report["problems"]),
            ["2 jurisdiction JURISDICTION_DIFFERS"]
        );
        for (id, code) in [
            (new_id(5), "ENTERPRISE_UNKNOWN"),
            ("x".to_owned(), "NOT_AN_ID"),
        ] {
            let by_id = format!("id,名称,监管行业,管辖单位\n{id},邻厂,工贸,{TOWN}\n");
            let report = tried(&server, "reviewer", &by_id).await;
            assert_eq!(problems(&report["problems"]), [format!("2 id {code}")]);
        }
    });
}

#[test]
fn a_workbook_and_a_text_in_gb18030_are_taken_alike() {
    on_each_database(|server| async move {
        let text = format!(
            "名称,监管行业,管辖单位,主要负责人,主要负责人电话,安责险保单号,安责险有效期至\n\
            甲厂,工贸,{TOWN},王二,13800000001,A-1,2026-06-30\n"
        );
        let sheet = workbook(&[
            vec![
                Cell::Text("名称"),
                Cell::Text("监管行业"),
                Cell::Text("管辖单位"),
                Cell::Text("主要负责人"),
                Cell::Text("主要负责人电话"),
                Cell::Text("安责险保单号"),
                Cell::Text("安责险有效期至"),
            ],
            vec![
                Cell::Text("甲厂"),
                Cell::Text("工贸"),
                Cell::Number(TOWN),
                Cell::Text("王二"),
                Cell::Number("13800000001"),
                Cell::Text("A-1"),
                Cell::Date(46_203),
            ],
        ]);
        let path = |number: u64| format!("/enterprises/imports?id={}", new_id(number));
        let sent = ask(&server, "admin", "POST", &path(1)).bytes(XLSX, sheet.clone());
        assert_eq!(sent.answer().await.expect(201)["created"], 1);
        let (gb18030, _, _) = encoding_rs::GB18030.encode(&text);
        let sent = ask(&server, "admin", "POST", &path(2)).bytes(CSV, gb18030.to_vec());
        assert_eq!(sent.answer().await.expect(201)["unchanged"], 1);
        // Not what it says it is; or nothing that is read here.
        let wrong = ask(&server, "admin", "POST", &path(3)).bytes(XLSX, text.into_bytes());
        assert_eq!(wrong.answer().await.problem(422), "INVALID_FIELD");
        let wrong = ask(&server, "admin", "POST", &path(3)).bytes("application/pdf", sheet);
        assert_eq!(wrong.answer().await.problem(415), "UNSUPPORTED_MEDIA_TYPE");
        let nameless = bring(&server, "admin", "dry_run=false", "a,b\n").await;
        assert_eq!(nameless.json["field"], "id");
        nameless.problem(422);
    });
}

#[test]
fn an_import_is_seen_by_whoever_made_it_and_by_those_who_keep_all_of_it() {
    on_each_database(|server| async move {
        let elsewhere = second_district(&server).await;
        let text = |place: &str| format!("名称,监管行业,管辖单位\n甲厂,工贸,{place}\n");
        import(&server, "admin", 1, &text(TOWN)).await.expect(201);
        import(&server, "admin", 2, &text(&elsewhere))
            .await
            .expect(201);
        let both = format!("名称,监管行业,管辖单位\n乙厂,工贸,{TOWN}\n丙厂,工贸,{elsewhere}\n");
        import(&server, "admin", 3, &both).await.expect(201);
        let listed = async |login: &str| {
            let page = get(&server, login, "/enterprises/imports")
                .await
                .expect(200);
            let items = page["items"].as_array().unwrap().iter();
            items.map(|item| item["id"].clone()).collect::<Vec<_>>()
        };
        assert_eq!(listed("reviewer").await, [new_id(1)]);
        assert_eq!(listed("admin").await, [new_id(3), new_id(2), new_id(1)]);
        let first = get(&server, "admin", "/enterprises/imports?limit=2")
            .await
            .expect(200);
        let after = first["next"].as_str().unwrap();
        let rest = format!("/enterprises/imports?limit=2&after={after}");
        let rest = get(&server, "admin", &rest).await;
        assert_eq!(rest.expect(200)["items"][0]["id"], new_id(1));
        for number in [2, 3] {
            let path = format!("/enterprises/imports/{}", new_id(number));
            assert_eq!(
                get(&server, "reviewer", &path).await.problem(404),
                "NOT_FOUND"
            );
            assert_eq!(
                undo(&server, "reviewer", number).await.problem(404),
                "NOT_FOUND"
            );
        }
        for login in ["inspector1", "principal", "supervisor"] {
            let refused = get(&server, login, "/enterprises/imports").await;
            assert_eq!(refused.problem(403), "FORBIDDEN");
            let refused = bring(&server, login, "dry_run=true", &text(TOWN)).await;
            assert_eq!(refused.problem(403), "FORBIDDEN");
            assert_eq!(undo(&server, login, 1).await.problem(403), "FORBIDDEN");
        }
    });
}

#[test]
fn an_undone_import_leaves_everything_as_it_was_and_its_history() {
    on_each_database(|server| async move {
        let polishing = sample::id("polishing");
        let path = format!("/enterprises/{polishing}");
        let before = get(&server, "admin", &path).await.expect(200);
        let text = format!(
            "id,名称,监管行业,管辖单位,地址\n,甲厂,工贸,{TOWN},\n{polishing},,,,新地址\n{},,,,\n",
            sample::id("machinery")
        );
        import(&server, "reviewer", 1, &text).await.expect(201);
        let new = named(&server, "admin", "甲厂").await[0]["id"]
            .as_str()
            .unwrap()
            .to_owned();
        let undone = undo(&server, "reviewer", 1).await.expect(200);
        assert!(undone["undone_at"].is_string() && undone["undone_by"].is_string());
        let mut after = get(&server, "admin", &path).await.expect(200);
        assert_eq!(after["version"], 3);
        after["version"] = before["version"].clone();
        assert_eq!(after, before);
        assert!(named(&server, "admin", "甲厂").await.is_empty());
        let gone = format!("/enterprises/{new}");
        assert_eq!(get(&server, "admin", &gone).await.problem(404), "NOT_FOUND");
        let (present, removed) = held(&server);
        assert!(!present.contains(&new) && removed.contains(&new));
        let page = get(&server, "admin", "/enterprises?status=operating")
            .await
            .expect(200);
        assert!(!page["items"].to_string().contains(&new));
        // Its id is not used again.
        let same = json!({"id": new, "name": "甲厂", "jurisdiction_id": sample::id(TOWN), "sector": "工贸"});
        let again = post(&server, "reviewer", "/enterprises", &same).await;
        assert_eq!(again.problem(409), "ID_REUSED");
        // Twice is once.
        assert_eq!(undo(&server, "admin", 1).await.expect(200), undone);
        // And the first answer stays the first answer.
        assert_eq!(import(&server, "reviewer", 1, &text).await.status, 200);
        assert!(named(&server, "admin", "甲厂").await.is_empty());
    });
}

#[test]
fn what_was_used_or_changed_since_keeps_the_whole_import() {
    on_each_database(|server| async move {
        let text = format!(
            "名称,监管行业,管辖单位\n甲厂,工贸,{TOWN}\n乙厂,工贸,{TOWN}\n丙厂,工贸,{TOWN}\n丁厂,工贸,{TOWN}\n\
             戊厂,工贸,{TOWN}\n己厂,工贸,{TOWN}\n"
        );
        import(&server, "reviewer", 1, &text).await.expect(201);
        let id = async |name: &str| named(&server, "admin", name).await[0]["id"].clone();
        let mut report = report_body(&new_id(70), "polishing", "积尘");
        report["enterprise_id"] = id("甲厂").await;
        report["source"] = json!("dept_inspection");
        post(&server, "inspector1", "/hazards", &report)
            .await
            .expect(201);
        let grant = json!({"role": "employee", "scope": {"enterprise": id("乙厂").await}});
        let newcomer = json!({"id": new_id(71), "login": "new-one", "name": "新人",
            "password": "correct horse battery", "grants": [grant]});
        post(&server, "admin", "/people", &newcomer)
            .await
            .expect(201);
        let path = format!("/enterprises/{}", id("丙厂").await.as_str().unwrap());
        let change = ask(&server, "reviewer", "PATCH", &path).with("If-Match", "\"1\"");
        change
            .json(&json!({"address": "别处"}))
            .answer()
            .await
            .expect(200);
        // One that has begun, and one that is only planned.
        let setup = json!({"kind": "plan", "basis": "年度计划", "reason": "接到举报", "checklists": [],
            "enterprise_id": id("戊厂").await,
            "team": [{"person_id": person("inspector1")}, {"person_id": person("inspector2")}]});
        let mut planned = setup.clone();
        planned["enterprise_id"] = id("己厂").await;
        let start = json!({"kind": "start_inspection", "setup": setup, "certificates_shown": true,
            "started_at": "2026-11-22T00:30:00Z", "place_text": "打磨车间"});
        let plan = json!({"kind": "plan_inspection", "setup": planned,
            "window_from": "2026-11-22", "window_to": "2026-11-29"});
        for (number, login, command) in [(72, "inspector1", start), (73, "reviewer", plan)] {
            let path = format!("/inspections/{}/commands", new_id(number));
            let sent = post(&server, login, &path, &command_body(number + 100, command)).await;
            sent.expect(200);
        }
        let refused = undo(&server, "reviewer", 1).await;
        let found = problems(&refused.json["rows"]);
        let expected = [
            "2 - HAS_HAZARDS",
            "3 - HAS_ROLES",
            "4 - CHANGED_SINCE",
            "6 - HAS_INSPECTIONS",
            "7 - HAS_INSPECTIONS",
        ];
        assert_eq!(found, expected);
        assert_eq!(refused.problem(409), "UNDO_REFUSED");
        assert_eq!(named(&server, "admin", "丁厂").await.len(), 1);
    });
}
