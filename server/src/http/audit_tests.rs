//! The audit chain over REST, on both databases.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use std::collections::BTreeSet;

use hazardloop_domain::access::{GrantScope, Role};
use hazardloop_domain::ids::JurisdictionId;
use serde_json::{Value, json};

use crate::http::authorization_world::{add_person, add_with};
use crate::http::test_client::*;
use crate::sample;
use crate::test_support::{TestServer, on_each_database, person, seal_everything, terms};
use crate::usecases::people::Terms;

/// A hazard with three events: reported, and two notes.
async fn hazard(server: &TestServer) -> String {
    let id = new_id(1);
    let body = report_body(&id, "polishing", "横梁积尘");
    post(server, "employee", "/hazards", &body)
        .await
        .expect(201);
    for number in [101, 102] {
        let note = json!({"kind": "note", "text": format!("{number}")});
        let path = format!("/hazards/{id}/commands");
        post(server, "employee", &path, &command_body(number, note))
            .await
            .expect(200);
    }
    id
}

fn items(page: &Value) -> &Vec<Value> {
    page["items"].as_array().unwrap()
}

#[test]
fn a_subjects_events_come_newest_first_with_their_links() {
    on_each_database(async |server| {
        let id = hazard(&server).await;
        let path = format!("/audit?subject={id}");
        let page = get(&server, "supervisor", &path).await.expect(200);
        assert_eq!(items(&page)[0].get("position"), None, "not sealed yet");
        seal_everything(&server.app.db);
        let page = get(&server, "supervisor", &path).await.expect(200);
        let seqs: Vec<_> = items(&page)
            .iter()
            .map(|it| it["seq"].as_i64().unwrap())
            .collect();
        assert_eq!(seqs, [3, 2, 1]);
        let (newest, first) = (&items(&page)[0], &items(&page)[2]);
        assert_eq!(
            (&newest["kind"], &first["kind"]),
            (&json!("noted"), &json!("reported"))
        );
        assert_eq!(newest["actor_id"], json!(person("employee")));
        assert_eq!(newest["previous_hash"], items(&page)[1]["hash"]);
        let at = |it: &Value| it["position"].as_i64().unwrap();
        assert_eq!(at(newest), at(first) + 2);
        assert_eq!(page.get("next"), None);
        let shown = get(&server, "inspector1", &format!("/hazards/{id}/events")).await;
        assert_eq!(shown.expect(200)["items"][2]["hash"], newest["hash"]);

        let one = get(&server, "admin", &format!("{path}&limit=2"))
            .await
            .expect(200);
        let next = one["next"].as_str().unwrap();
        let two = get(&server, "admin", &format!("{path}&limit=2&after={next}")).await;
        let two = two.expect(200);
        assert_eq!((items(&two).len(), &items(&two)[0]["seq"]), (1, &json!(1)));
        assert_eq!(two.get("next"), None);
    });
}

#[test]
fn whoever_answers_for_the_whole_tree_walks_over_everything_once() {
    on_each_database(async |server| {
        hazard(&server).await;
        seal_everything(&server.app.db);
        let (mut positions, mut after) = (Vec::new(), String::new());
        loop {
            let path = format!("/audit?limit=7{after}");
            let page = get(&server, "admin", &path).await.expect(200);
            let of_page = items(&page)
                .iter()
                .map(|it| it["position"].as_i64().unwrap());
            positions.extend(of_page);
            match page["next"].as_str() {
                Some(next) => after = format!("&after={next}"),
                None => break,
            }
        }
        let whole: Vec<i64> = (1..=i64::try_from(positions.len()).unwrap())
            .rev()
            .collect();
        assert_eq!(positions, whole, "newest first, none twice, none left out");
        let page = get(&server, "admin", "/audit?limit=200").await.expect(200);
        let kinds: BTreeSet<_> = items(&page)
            .iter()
            .map(|it| it["subject_kind"].to_string())
            .collect();
        for kind in ["hazard", "enterprise", "person", "jurisdiction"] {
            assert!(kinds.contains(&json!(kind).to_string()), "{kinds:?}");
        }
    });
}

#[test]
fn nobody_reads_what_stands_outside_of_their_scope() {
    on_each_database(async |server| {
        let id = hazard(&server).await;
        let other = second_district(&server).await;
        let there = GrantScope::Jurisdiction(JurisdictionId(other.parse().unwrap()));
        add_person(&server, "far-supervisor", Role::Supervisor, there);
        let town = GrantScope::Jurisdiction(JurisdictionId(sample::id("500153003000")));
        add_person(&server, "town-supervisor", Role::Supervisor, town);
        let of = |subject: &str| format!("/audit?subject={subject}");
        let far = get(&server, "far-supervisor", &of(&id)).await;
        assert_eq!(far.problem(404), "NOT_FOUND");
        let near = get(&server, "town-supervisor", &of(&id)).await.expect(200);
        assert_eq!(items(&near).len(), 3);
        let firm = sample::id("polishing").to_string();
        get(&server, "town-supervisor", &of(&firm))
            .await
            .expect(200);
        let district = sample::id("500153000000").to_string();
        let above = get(&server, "town-supervisor", &of(&district)).await;
        assert_eq!(above.problem(404), "NOT_FOUND");
        // Accounts are for those who answer for everybody.
        let account = person("employee").to_string();
        let hidden = get(&server, "town-supervisor", &of(&account)).await;
        assert_eq!(hidden.problem(404), "NOT_FOUND");
        get(&server, "admin", &of(&account)).await.expect(200);
        let all = get(&server, "town-supervisor", "/audit").await;
        assert_eq!(all.problem(403), "FORBIDDEN");
        for login in ["employee", "inspector1", "reviewer", "principal"] {
            for path in ["/audit".to_owned(), of(&id), of(&new_id(99))] {
                assert_eq!(get(&server, login, &path).await.problem(403), "FORBIDDEN");
            }
        }
        let none = get(&server, "admin", &of(&new_id(99))).await;
        assert_eq!(none.problem(404), "NOT_FOUND");
    });
}

#[test]
fn whoever_answers_for_one_sector_reads_of_that_sector_alone() {
    on_each_database(async |server| {
        let id = hazard(&server).await;
        let city = GrantScope::Jurisdiction(JurisdictionId(sample::id("500000000000")));
        let of_sector = |sector: &str| Terms {
            sectors: vec![sector.to_owned()],
            ..terms(Role::Supervisor, city)
        };
        let firm = get(
            &server,
            "admin",
            &format!("/enterprises/{}", sample::id("polishing")),
        )
        .await;
        let sector = firm.expect(200)["sector"].as_str().unwrap().to_owned();
        add_with(&server, "own-sector", of_sector(&sector));
        add_with(&server, "gas-sector", of_sector("城镇燃气"));
        let path = format!("/audit?subject={id}");
        get(&server, "own-sector", &path).await.expect(200);
        assert_eq!(
            get(&server, "gas-sector", &path).await.problem(404),
            "NOT_FOUND"
        );
        for login in ["own-sector", "gas-sector"] {
            let all = get(&server, login, "/audit").await;
            assert_eq!(all.problem(403), "FORBIDDEN");
        }
    });
}
