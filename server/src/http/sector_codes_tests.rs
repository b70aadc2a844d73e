//! Sectors under the names that people type: stored by their codes, seen by the desk of the sector and by no
//! other, found by either name; on both databases.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use hazardloop_domain::access::{GrantScope, Role};
use hazardloop_domain::ids::{EnterpriseId, JurisdictionId};
use serde_json::{Value, json};

use super::authorization_world::{add_person, add_with};
use super::test_client::{ask, get, new_id, post, report_body, second_district};
use crate::sample;
use crate::tables::CSV;
use crate::test_support::{TestServer, on_each_database, terms, with_packs};
use crate::usecases::people::Terms;

const TOWN: &str = "500153003000";

/// `industry-and-trade`, as an address holds it.
const TRADE_ZH: &str = "%E5%B7%A5%E8%B4%B8";

fn district() -> GrantScope {
    GrantScope::Jurisdiction(JurisdictionId(sample::id("500153000000")))
}

/// A reviewer of the district for one sector.
fn desk(server: &TestServer, login: &str, sector: &str) {
    let terms = Terms {
        sectors: vec![sector.to_owned()],
        ..terms(Role::DepartmentReviewer, district())
    };
    add_with(server, login, terms);
}

async fn import(server: &TestServer, number: u64, text: &str) -> Value {
    let path = format!("/enterprises/imports?id={}", new_id(number));
    let sent = ask(server, "admin", "POST", &path).bytes(CSV, text.as_bytes().to_vec());
    sent.answer().await.expect(201)
}

/// The values of one field over the first page of a list.
async fn each(server: &TestServer, login: &str, path: &str, field: &str) -> Vec<String> {
    let page = get(server, login, path).await.expect(200);
    let items = page["items"].as_array().unwrap().iter();
    let mut found: Vec<String> = items
        .map(|item| item[field].as_str().unwrap().to_owned())
        .collect();
    found.sort();
    found
}

async fn one(server: &TestServer, name: &str) -> Value {
    let page = get(server, "admin", "/enterprises?limit=200").await;
    let page = page.expect(200);
    let mut items = page["items"].as_array().unwrap().iter();
    items.find(|item| item["name"] == name).unwrap().clone()
}

async fn report(server: &TestServer, number: u64, firm: &Value) -> String {
    let id = new_id(number);
    let mut body = report_body(&id, "polishing", "积尘");
    body["enterprise_id"] = firm["id"].clone();
    body["source"] = json!("dept_inspection");
    post(server, "inspector1", "/hazards", &body)
        .await
        .expect(201);
    id
}

#[test]
fn what_is_imported_under_a_chinese_name_is_seen_by_the_desk_of_that_sector_alone() {
    on_each_database(async |server| {
        with_packs(&server).await;
        desk(&server, "trade", "industry-and-trade");
        desk(&server, "gas", "town-gas");
        let town = second_district(&server).await;
        let there = GrantScope::Jurisdiction(JurisdictionId(town.parse().unwrap()));
        add_person(&server, "far", Role::DepartmentReviewer, there);
        let text = format!("名称,监管行业,管辖单位\n甲厂,工贸,{TOWN}\n乙厂,工贸-粉尘涉爆,{TOWN}\n");
        let done = import(&server, 1, &text).await;
        assert_eq!(
            (&done["created"], &done["warnings"]),
            (&json!(2), &json!(0))
        );
        let (first, second) = (one(&server, "甲厂").await, one(&server, "乙厂").await);
        assert_eq!(first["sector"], "industry-and-trade");
        assert!(first.get("subsectors").is_none(), "{first}");
        assert_eq!(second["sector"], "industry-and-trade");
        assert_eq!(second["subsectors"], json!(["粉尘涉爆"]));
        let hazard = report(&server, 50, &first).await;
        for (login, sees) in [("trade", true), ("gas", false), ("far", false)] {
            let names = each(&server, login, "/enterprises", "name").await;
            assert_eq!(names.contains(&"甲厂".to_owned()), sees, "{login}");
            assert_eq!(names.contains(&"乙厂".to_owned()), sees, "{login}");
            let status = if sees { 200 } else { 404 };
            let path = format!("/enterprises/{}", first["id"].as_str().unwrap());
            assert_eq!(get(&server, login, &path).await.status, status, "{login}");
            let hazards = each(&server, login, "/hazards", "id").await;
            assert_eq!(hazards.contains(&hazard), sees, "{login}");
            let path = format!("/hazards/{hazard}");
            assert_eq!(get(&server, login, &path).await.status, status, "{login}");
        }
        // The same table again says nothing new.
        assert_eq!(import(&server, 2, &text).await["unchanged"], 2);
    });
}

#[test]
fn registering_and_correcting_store_the_code_and_what_is_unknown_or_unclear_stays() {
    on_each_database(async |server| {
        with_packs(&server).await;
        for (number, typed, stored, label, warned) in [
            (1, "工贸", "industry-and-trade", None, 0),
            (2, " Industry and trade ", "industry-and-trade", None, 0),
            (3, "粉尘涉爆", "industry-and-trade", Some("粉尘涉爆"), 0),
            // Of coal, or of others.
            (4, "矿山", "矿山", None, 1),
            (5, "露营地", "露营地", None, 1),
        ] {
            let body = json!({"id": new_id(number), "name": format!("{number}厂"),
                "jurisdiction_id": sample::id(TOWN), "sector": typed});
            let made = post(&server, "admin", "/enterprises", &body).await;
            let made = made.expect(201);
            assert_eq!(made["sector"], stored, "{typed}");
            assert_eq!(made["subsectors"][0].as_str(), label, "{typed}");
            assert_eq!(
                made["warnings"].as_array().unwrap().len(),
                warned,
                "{typed}"
            );
            // Sent again it is the same registration.
            let again = post(&server, "admin", "/enterprises", &body).await;
            assert_eq!(again.expect(200)["sector"], stored);
        }
        let path = format!("/enterprises/{}", new_id(5));
        let correct = async |version: &str, sector: &str| {
            let change = ask(&server, "admin", "PATCH", &path).with("If-Match", version);
            let done = change.json(&json!({"sector": sector})).answer().await;
            done.expect(200)["sector"].clone()
        };
        assert_eq!(correct("\"1\"", "城镇燃气").await, "town-gas");
        assert_eq!(correct("\"2\"", "town-gas").await, "town-gas");
    });
}

#[test]
fn what_a_place_calls_a_sector_of_its_own_stays_that() {
    on_each_database(async |server| {
        with_packs(&server).await;
        let path = format!("/jurisdictions/{}/responsibilities", sample::id(TOWN));
        let rows = json!({"rows": [
            {"sector": "工贸", "department": "甲局"}, {"sector": "燃气", "department": "乙局"},
        ]});
        let put = ask(&server, "supervisor", "PUT", &path).with("If-Match", "\"0\"");
        let said = put.json(&rows).answer().await.expect(200);
        // The name of a sector is that sector; another name of it may mean less.
        let sectors = [&said["rows"][0]["sector"], &said["rows"][1]["sector"]];
        assert_eq!(sectors, ["industry-and-trade", "燃气"]);
        let asked = async |sector: &str| {
            let path = format!("{path}/answering?sector={sector}");
            get(&server, "employee", &path).await.expect(200)["department"].clone()
        };
        for (sector, department) in [
            (TRADE_ZH, "甲局"),
            ("industry-and-trade", "甲局"),
            ("%E7%87%83%E6%B0%94", "乙局"),
        ] {
            assert_eq!(asked(sector).await, department, "{sector}");
        }
        let text = format!("名称,监管行业,管辖单位\n甲厂,燃气,{TOWN}\n乙厂,燃气,500153000000\n");
        import(&server, 1, &text).await;
        assert_eq!(one(&server, "甲厂").await["sector"], "燃气");
        assert_eq!(one(&server, "乙厂").await["sector"], "town-gas");
    });
}

#[test]
fn a_grant_is_limited_to_the_code_of_what_was_typed_and_not_to_more() {
    on_each_database(async |server| {
        with_packs(&server).await;
        let grant = |sector: &str| {
            json!({"role": "department_reviewer", "sectors": [sector],
            "scope": {"jurisdiction": sample::id("500153000000")}})
        };
        let body = json!({"id": new_id(1), "login": "zhang", "name": "张", "phone": null,
            "password": "correct horse battery", "grants": [grant("工贸")]});
        let made = post(&server, "admin", "/people", &body).await.expect(201);
        assert_eq!(made["grants"][0]["sectors"], json!(["industry-and-trade"]));
        assert_eq!(post(&server, "admin", "/people", &body).await.status, 200);
        let path = format!("/people/{}/grants", new_id(1));
        let give = async |version: &str, number: u64, sector: &str| {
            let mut body = grant(sector);
            body["id"] = json!(new_id(number));
            let sent = ask(&server, "admin", "POST", &path).with("If-Match", version);
            sent.json(&body).answer().await
        };
        let given = give("\"1\"", 2, "城镇燃气").await.expect(201);
        assert_eq!(given["sectors"], json!(["town-gas"]));
        // A part of a sector is not all of it: refused, with the code to say.
        let refused = give("\"2\"", 3, "粉尘涉爆").await.expect(422);
        assert!(
            refused.to_string().contains("industry-and-trade"),
            "{refused}"
        );
    });
}

#[test]
fn lists_find_a_sector_by_code_and_name_also_what_was_stored_before_there_was_a_code() {
    on_each_database(async |server| {
        // Before there are packs, a name is what was typed.
        let text = format!("名称,监管行业,管辖单位\n甲厂,工贸,{TOWN}\n");
        import(&server, 1, &text).await;
        let old = one(&server, "甲厂").await;
        assert_eq!(old["sector"], "工贸");
        let mut hazards = vec![report(&server, 50, &old).await];
        with_packs(&server).await;
        let text = format!("名称,监管行业,管辖单位\n乙厂,工贸,{TOWN}\n丙厂,城镇燃气,{TOWN}\n");
        import(&server, 2, &text).await;
        hazards.push(report(&server, 51, &one(&server, "乙厂").await).await);
        report(&server, 52, &one(&server, "丙厂").await).await;
        for indexed in [false, true] {
            for sector in ["industry-and-trade", TRADE_ZH] {
                let path = format!("/enterprises?limit=200&sector={sector}");
                let names = each(&server, "reviewer", &path, "name").await;
                assert!(names.contains(&"甲厂".to_owned()), "{names:?}");
                assert!(names.contains(&"乙厂".to_owned()), "{names:?}");
                assert!(!names.contains(&"丙厂".to_owned()), "{names:?}");
                for query in [
                    "",
                    "&sort=due_date",
                    "&status=reported",
                    "&q=%E7%A7%AF%E5%B0%98",
                ] {
                    let path = format!("/hazards?sector={sector}{query}");
                    let found = each(&server, "reviewer", &path, "id").await;
                    let expected = if query.contains("due") {
                        &[]
                    } else {
                        &*hazards
                    };
                    assert_eq!(found, expected, "{path}");
                }
            }
            let none = each(&server, "reviewer", "/hazards?sector=coal-mines", "id").await;
            assert!(none.is_empty());
            if !indexed {
                crate::usecases::index_text::index_all(&server.app.db).unwrap();
            }
        }
        // Whoever says the sector again, in whatever words, has it by its code; its hazards follow.
        desk_sees_after_correction(&server, &old, &hazards[0]).await;
    });
}

async fn desk_sees_after_correction(server: &TestServer, old: &Value, hazard: &str) {
    desk(server, "trade", "industry-and-trade");
    let hazard = format!("/hazards/{hazard}");
    let firm = format!("/enterprises/{}", old["id"].as_str().unwrap());
    for path in [&hazard, &firm] {
        assert_eq!(get(server, "trade", path).await.status, 404);
    }
    let change = ask(server, "admin", "PATCH", &firm).with("If-Match", "\"1\"");
    let done = change.json(&json!({"sector": "工贸"})).answer().await;
    assert_eq!(done.expect(200)["sector"], "industry-and-trade");
    let id = EnterpriseId(old["id"].as_str().unwrap().parse().unwrap());
    let corrected = crate::usecases::follow_sector::Corrected {
        enterprise_id: id,
        before: "工贸".to_owned(),
    };
    crate::usecases::follow_sector::follow(&server.app, &corrected)
        .await
        .unwrap();
    for path in [&hazard, &firm] {
        assert_eq!(get(server, "trade", path).await.status, 200);
    }
}

#[test]
fn a_name_of_which_a_part_is_something_else_gives_nobody_elses_desk_a_view() {
    on_each_database(async |server| {
        with_packs(&server).await;
        let catalog = server.app.catalog.now();
        let meant = |name: &str| catalog.code_meant(name).map(str::to_owned);
        let trade = Some("industry-and-trade".to_owned());
        assert_eq!(meant("工贸-粉尘涉爆"), trade);
        assert_eq!(meant("粉尘涉爆"), trade);
        for other in [
            "餐饮、燃气",
            "矿山",
            "Construction materials",
            "铁路与工贸的交界",
        ] {
            assert_eq!(meant(other), None, "{other}");
        }
    });
}
