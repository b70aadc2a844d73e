//! Lists that are narrowed to one enterprise, on both databases: what another district answers for is
//! that district's, whoever supervises the enterprise.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use hazardloop_domain::access::{GrantScope, Role};
use hazardloop_domain::ids::JurisdictionId;
use serde_json::{Value, json};

use super::authorization_world::{add_person, add_with};
use super::test_client::{
    command_body, confirmation, get, new_id, post, report_body, second_district,
};
use crate::sample;
use crate::test_support::{TestServer, on_each_database, terms};
use crate::usecases::people::Terms;

async fn command(server: &TestServer, login: &str, id: &str, number: u64, command: Value) {
    let path = format!("/hazards/{id}/commands");
    post(server, login, &path, &command_body(number, command))
        .await
        .expect(200);
}

/// The ids in a list, each page's `next` left aside.
async fn ids(server: &TestServer, login: &str, path: &str, name: &str) -> Vec<String> {
    let page = get(server, login, path).await.expect(200);
    let items = page["items"].as_array().unwrap();
    items
        .iter()
        .map(|item| item[name].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn a_hazard_that_another_district_took_over_shows_there_and_no_more_here() {
    on_each_database(async |server| {
        let town = second_district(&server).await;
        let there = GrantScope::Jurisdiction(JurisdictionId(new_id(900).parse().unwrap()));
        for (login, role) in [
            ("far-reviewer", Role::DepartmentReviewer),
            ("far-head", Role::DepartmentHead),
        ] {
            add_person(&server, login, role, there);
        }
        let id = new_id(1);
        let body = report_body(&id, "polishing", "积尘");
        post(&server, "employee", "/hazards", &body)
            .await
            .expect(201);
        command(&server, "inspector1", &id, 10, confirmation()).await;
        let away = json!({"kind": "transfer", "to_jurisdiction": town, "to_body": "邻区",
            "document_no": "移送〔2026〕1号", "reason": "不属本区"});
        command(&server, "reviewer", &id, 11, away).await;
        let receipt = json!({"kind": "receive_transfer", "accepted": true, "note": "已阅",
            "receipt_no": "回执〔2026〕1号"});
        command(&server, "far-head", &id, 12, receipt).await;

        let polishing = sample::id("polishing");
        let district = sample::id("500153000000");
        for (login, sees) in [
            ("reviewer", false),
            ("inspector1", false),
            ("far-reviewer", true),
            ("far-head", true),
            ("principal", true),
            // Of the city above both.
            ("admin", true),
        ] {
            let expected = if sees { vec![id.clone()] } else { Vec::new() };
            let path = format!("/hazards?enterprise_id={polishing}");
            assert_eq!(ids(&server, login, &path, "id").await, expected, "{login}");
            let path = format!("/orders?enterprise_id={polishing}");
            let orders = ids(&server, login, &path, "hazard_id").await;
            assert_eq!(orders, expected, "{login}, orders");
            let counted = format!("/hazards?enterprise_id={polishing}&count=true");
            let counted = get(&server, login, &counted).await.expect(200);
            let count = usize::from(sees);
            assert_eq!(counted["total"]["count"], json!(count), "{login}, counted");
        }
        for (login, place, sees) in [
            ("admin", district.to_string(), false),
            ("admin", town.clone(), true),
            ("reviewer", district.to_string(), false),
            ("far-reviewer", town.clone(), true),
        ] {
            let path = format!("/hazards?enterprise_id={polishing}&jurisdiction_id={place}");
            let found = ids(&server, login, &path, "id").await;
            assert_eq!(!found.is_empty(), sees, "{login} in {place}");
        }
    });
}

#[test]
fn inspections_of_one_enterprise_show_to_whom_their_place_and_sector_show_them() {
    on_each_database(async |server| {
        super::packs::tests::with_packs(&server).await;
        let town = second_district(&server).await;
        let there = GrantScope::Jurisdiction(JurisdictionId(town.parse().unwrap()));
        add_person(&server, "far-reviewer", Role::DepartmentReviewer, there);
        let here = GrantScope::Jurisdiction(JurisdictionId(sample::id("500153000000")));
        let gas = Terms {
            sectors: vec!["城镇燃气".to_owned()],
            ..terms(Role::DepartmentReviewer, here)
        };
        add_with(&server, "gas-reviewer", gas);
        let id = new_id(3);
        let path = format!("/inspections/{id}/commands");
        let check = command_body(900, super::authorization_world::self_check());
        post(&server, "employee", &path, &check).await.expect(200);
        let path = format!("/inspections?enterprise_id={}", sample::id("polishing"));
        for (login, sees) in [
            ("reviewer", true),
            ("principal", true),
            ("far-reviewer", false),
            ("gas-reviewer", false),
        ] {
            let found = ids(&server, login, &path, "id").await;
            assert_eq!(!found.is_empty(), sees, "{login}");
        }
    });
}
