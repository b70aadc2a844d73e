//! A role is handed over once, and whoever lists hand-overs learns of none that is not theirs; on both
//! databases.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use hazardloop_domain::access::{GrantScope, Role};
use hazardloop_domain::hash::Digest;
use hazardloop_domain::ids::{JurisdictionId, PersonId};
use serde_json::{Value, json};
use uuid::Uuid;

use super::authorization_world::add_person;
use super::test_client::{get, new_id, post};
use crate::sample;
use crate::store::hand_overs::{self, HandOver};
use crate::test_support::{NOW, TestServer, on_each_database, person};

fn town() -> GrantScope {
    GrantScope::Jurisdiction(JurisdictionId(sample::id("500153003000")))
}

fn body(number: u64, from: PersonId, to: PersonId) -> Value {
    json!({"id": new_id(number), "from_person": from, "to_person": to, "reason": "调任其他岗位"})
}

/// How many grants somebody has as a grid worker, ended ones too.
async fn held(server: &TestServer, who: PersonId) -> Vec<Value> {
    let shown = get(server, "admin", &format!("/people/{who}")).await;
    let shown = shown.expect(200);
    let grants = shown["grants"].as_array().unwrap().iter();
    grants
        .filter(|grant| grant["role"] == "grid_worker")
        .cloned()
        .collect()
}

#[test]
fn what_is_to_be_handed_over_later_is_not_handed_over_again() {
    on_each_database(async |server| {
        let grid = person("grid");
        let first = add_person(&server, "first", Role::Expert, town());
        let second = add_person(&server, "second", Role::Expert, town());
        let grant = held(&server, grid).await[0]["id"].clone();
        let mut later = body(1, grid, first);
        later["effective_at"] = json!(NOW.plus_millis(86_400_000).to_string());
        post(&server, "head", "/hand-overs", &later)
            .await
            .expect(201);
        let mut named = body(2, grid, second);
        named["grants"] = json!([grant]);
        for again in [named, body(3, grid, second)] {
            let answer = post(&server, "head", "/hand-overs", &again).await;
            assert_eq!(answer.problem(409), "CONFLICT");
        }
        assert!(held(&server, second).await.is_empty());
        let ends = &held(&server, grid).await[0]["valid_until"];
        assert_eq!(*ends, later["effective_at"], "it ends when it was to");
    });
}

#[test]
fn of_two_who_hand_over_the_same_role_at_once_one_does() {
    on_each_database(async |server| {
        let grid = person("grid");
        let mut heirs = Vec::new();
        for number in 0..4_u64 {
            heirs.push(add_person(
                &server,
                &format!("heir-{number}"),
                Role::Expert,
                town(),
            ));
        }
        let bodies: Vec<Value> = (0..)
            .zip(&heirs)
            .map(|(number, heir)| body(number, grid, *heir))
            .collect();
        let [a, b, c, d] = [0, 1, 2, 3].map(|at| post(&server, "head", "/hand-overs", &bodies[at]));
        let answers = tokio::join!(a, b, c, d);
        let answers = [answers.0, answers.1, answers.2, answers.3];
        let made = answers.iter().filter(|answer| answer.status == 201).count();
        // Who holds no role any more is nobody to the head.
        let refused = |status: u16| [404, 409].contains(&status);
        let rest = answers.iter().filter(|answer| refused(answer.status));
        assert_eq!((made, rest.count()), (1, 3));
        let mut given = 0;
        for heir in heirs {
            given += held(&server, heir).await.len();
        }
        assert_eq!(given, 1);
    });
}

/// A hand-over of nothing, made by the head.
fn made(id: Uuid, from: PersonId, to: PersonId) -> HandOver {
    HandOver {
        id,
        from_person: from,
        to_person: to,
        reason: "试验".to_owned(),
        effective_at: NOW,
        made_by: person("head"),
        made_at: NOW,
        request: Digest::ZERO,
        grants: Vec::new(),
        inspections: Vec::new(),
    }
}

#[test]
fn the_list_leads_on_by_what_the_asker_may_see_alone() {
    on_each_database(async |server| {
        let (grid, safety) = (person("grid"), person("safety"));
        let heir = add_person(&server, "heir", Role::GridWorker, town());
        // The oldest and one in between are the employee's own; hundreds are others'.
        let employee = person("employee");
        let id = |number: u64| -> Uuid { new_id(number).parse().unwrap() };
        let own = [id(0), id(120)];
        let mut foreign = std::collections::BTreeSet::new();
        let mut all = Vec::new();
        for number in 0..600 {
            if own.contains(&id(number)) {
                all.push(made(id(number), employee, safety));
            } else {
                all.push(made(id(number), grid, heir));
                foreign.insert(id(number));
            }
        }
        let write = server
            .app
            .db
            .write(move |tx| all.iter().try_for_each(|made| hand_overs::insert(tx, made)));
        write.await.unwrap();
        for limit in [1, 2, 200] {
            let (mut found, mut after, mut pages) = (Vec::new(), String::new(), 0);
            loop {
                let path = format!("/hand-overs?limit={limit}{after}");
                let page = get(&server, "employee", &path).await.expect(200);
                for made in page["items"].as_array().unwrap() {
                    found.push(made["id"].as_str().unwrap().parse::<Uuid>().unwrap());
                }
                pages += 1;
                assert!(pages < 20, "it comes to an end");
                let Some(next) = page["next"].as_str() else {
                    break;
                };
                assert!(!foreign.contains(&next.parse().unwrap()), "{next}");
                after = format!("&after={next}");
            }
            assert_eq!(found, [own[1], own[0]], "limit {limit}");
        }
        let page = get(&server, "head", "/hand-overs?limit=200").await;
        assert_eq!(page.expect(200)["items"].as_array().unwrap().len(), 200);
    });
}
