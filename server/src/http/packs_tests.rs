//! The catalog over REST, on both databases.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use serde_json::Value;

use crate::http::test_client::{anonymous, ask};
pub(crate) use crate::test_support::with_packs;
use crate::test_support::{TestServer, on_each_database};

async fn get(server: &TestServer, path: &str) -> Value {
    ask(server, "employee", "GET", path)
        .answer()
        .await
        .expect(200)
}

fn codes(page: &Value) -> Vec<&str> {
    let items = page["items"].as_array().unwrap().iter();
    items.map(|item| item["code"].as_str().unwrap()).collect()
}

#[test]
fn criteria_are_found_by_what_an_inspector_types() {
    on_each_database(async |server| {
        with_packs(&server).await;
        let query =
            "q=%E5%B9%B2%E5%BC%8F%E9%99%A4%E5%B0%98%E6%B2%A1%E6%9C%89%E6%B3%84%E7%88%86&limit=3";
        let found = get(&server, &format!("/criteria?{query}")).await;
        assert_eq!(codes(&found)[0], "GM-10-11-3");
        assert_eq!(codes(&found).len(), 3);
        assert!(found.get("next").is_none());
        let first = &found["items"][0];
        assert_eq!(first["citability"], "full_text");
        assert_eq!(first["number"], "应急管理部令第10号");
        assert_eq!(first["title_zh"], "工贸企业重大事故隐患判定标准");
        assert!(first.get("notice_zh").is_none());
        let alarm = "q=%E6%8A%A5%E8%AD%A6&limit=1";
        for sector in ["electric-power", "town-gas", "hazardous-chemicals"] {
            let found = get(&server, &format!("/criteria?{alarm}&sector={sector}")).await;
            assert_eq!(found["items"][0]["sector"], sector);
        }
        let answer = ask(
            &server,
            "employee",
            "GET",
            &format!("/criteria?{query}&after=GM-10-3-1@1"),
        );
        assert_eq!(answer.answer().await.expect(422)["field"], "after");
    });
}

#[test]
fn every_criterion_comes_once_over_the_pages_and_filters_hold() {
    on_each_database(async |server| {
        with_packs(&server).await;
        let (mut all, mut after) = (Vec::new(), String::new());
        loop {
            let page = get(&server, &format!("/criteria?limit=200{after}")).await;
            all.extend(codes(&page).iter().map(|code| (*code).to_owned()));
            match page["next"].as_str() {
                Some(next) => after = format!("&after={next}"),
                None => break,
            }
        }
        assert_eq!(all.len(), 634);
        let place = |code: &str| all.iter().position(|found| found == code).unwrap();
        assert!(
            place("GM-10-11-2") < place("GM-10-11-10"),
            "items in their order"
        );
        all.sort();
        all.dedup();
        assert_eq!(all.len(), 634);
        let fire = get(&server, "/criteria?standard=XF-2017&limit=200").await;
        assert_eq!(codes(&fire).len(), 10);
        for item in fire["items"].as_array().unwrap() {
            assert_eq!(item["citability"], "not_citable");
            assert!(item["notice_zh"].as_str().unwrap().contains("待录入原文"));
            assert_eq!(item["effective_until"], "2025-10-31");
        }
        let citable = get(&server, "/criteria?standard=XF-2017&citable=true").await;
        assert!(codes(&citable).is_empty());
        let chemicals = "sector=%E5%8D%B1%E5%8C%96&limit=200";
        let now = get(
            &server,
            &format!("/criteria?{chemicals}&in_force_on=2026-11-26"),
        )
        .await;
        assert_eq!(codes(&now).len(), 73);
        let before = get(
            &server,
            &format!("/criteria?{chemicals}&in_force_on=2026-09-29"),
        )
        .await;
        assert_eq!(codes(&before).len(), 20);
        let one = get(&server, "/criteria/GM-10-11-3").await;
        assert_eq!(one["items"].as_array().unwrap().len(), 1);
        let none = ask(&server, "employee", "GET", "/criteria/GM-99")
            .answer()
            .await;
        none.expect(404);
    });
}

#[test]
fn packs_and_checklists_are_read_page_by_page() {
    on_each_database(async |server| {
        with_packs(&server).await;
        let page = get(&server, "/packs?limit=5").await;
        let names: Vec<_> = page["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|p| p["name"].clone())
            .collect();
        assert_eq!(names.len(), 5);
        assert_eq!(page["next"], names[4]);
        let rest = get(
            &server,
            &format!("/packs?limit=200&after={}", page["next"].as_str().unwrap()),
        )
        .await;
        assert_eq!(
            rest["items"].as_array().unwrap().len() + 5,
            crate::shipped::packs().unwrap().len()
        );
        let pack = get(&server, "/packs/industry-and-trade").await;
        assert_eq!(pack["criteria"], 65);
        assert_eq!(pack["versions"][0]["version"], 1);
        let daily = get(&server, "/checklists?sector=coal-mines&cadence=daily").await;
        let list = &daily["items"][0];
        assert_eq!(list["cadence"], "daily");
        let id = list["id"].as_str().unwrap();
        let one = ask(&server, "employee", "GET", &format!("/checklists/{id}"))
            .answer()
            .await;
        assert_eq!(one.header("etag"), "\"1\"");
        one.expect(200);
        let (mut count, mut after) = (0, String::new());
        loop {
            let page = get(&server, &format!("/checklists?limit=4{after}")).await;
            count += codes(&page).len();
            match page["next"].as_str() {
                Some(next) => after = format!("&after={next}"),
                None => break,
            }
        }
        let shipped = crate::shipped::packs().unwrap();
        assert_eq!(
            count,
            shipped
                .iter()
                .map(|pack| pack.checklists.len())
                .sum::<usize>()
        );
    });
}

#[test]
fn odd_questions_are_refused_by_field() {
    on_each_database(async |server| {
        let long = "x".repeat(501);
        for (path, status) in [
            (format!("/criteria?q={long}"), 422),
            ("/criteria?limit=0".to_owned(), 422),
            ("/criteria?limit=201".to_owned(), 422),
            ("/criteria?after=GM".to_owned(), 400),
            ("/criteria?after=GM@+1".to_owned(), 400),
            ("/criteria?in_force_on=soon".to_owned(), 400),
            ("/criteria?citable=perhaps".to_owned(), 400),
            ("/checklists?cadence=hourly".to_owned(), 400),
            ("/packs/nothing".to_owned(), 404),
        ] {
            let answer = ask(&server, "employee", "GET", &path).answer().await;
            assert_eq!(answer.status, status, "{path}");
        }
        let answer = anonymous(&server, "GET", "/criteria").answer().await;
        assert_eq!(answer.status, 401);
    });
}
