//! Lists of hazards over REST, on both databases.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use hazardloop_domain::time::Timestamp;
use serde_json::{Value, json};

use super::hazards_tests::{listed, reported};
use super::test_client::*;
use crate::test_support::on_each_database;

#[test]
fn pages_follow_one_another_newest_first() {
    on_each_database(|server| async move {
        let mut newest_first = reported(&server, 5).await;
        newest_first.reverse();
        for query in ["limit=2", "limit=2&grade=general"] {
            let (mut collected, mut after, mut pages) = (Vec::new(), String::new(), 0);
            loop {
                let (ids, next) = listed(&server, "inspector1", &format!("{query}{after}")).await;
                collected.extend(ids);
                pages += 1;
                let Some(next) = next else { break };
                after = format!("&after={next}");
            }
            assert_eq!(collected, newest_first, "{query}");
            assert!(pages >= 3, "{query}: {pages} pages");
        }
        for (query, status) in [
            ("limit=0", 422),
            ("limit=201", 422),
            ("limit=many", 400),
            ("after=abc", 400),
            ("colour=red", 400),
            ("status=lost", 400),
            ("number=%00", 400),
        ] {
            let answer = get(&server, "inspector1", &format!("/hazards?{query}")).await;
            assert_eq!(answer.status, status, "{query}");
        }
    });
}

#[test]
fn filters_narrow_and_never_widen() {
    on_each_database(|server| async move {
        let ids = reported(&server, 3).await;
        let path = format!("/hazards/{}/commands", ids[0]);
        post(
            &server,
            "inspector1",
            &path,
            &command_body(50, confirmation()),
        )
        .await
        .expect(200);
        let (polishing, chemicals) = (
            crate::sample::id("polishing"),
            crate::sample::id("chemicals"),
        );
        let (city, town) = (
            crate::sample::id("500000000000"),
            crate::sample::id("500153003000"),
        );
        let first: Value = get(&server, "inspector1", &format!("/hazards/{}", ids[0]))
            .await
            .json;
        let number = first["number"].as_str().unwrap();
        let found = |login: &'static str, query: String| {
            let server = &server;
            async move {
                let (mut found, _) = listed(server, login, &query).await;
                found.sort();
                found
            }
        };
        for (login, query, expected) in [
            ("inspector1", "status=confirmed".to_owned(), &ids[..1]),
            ("inspector1", "status=reported".to_owned(), &ids[1..]),
            ("inspector1", "grade=major".to_owned(), &[]),
            ("inspector1", format!("enterprise_id={polishing}"), &ids[..]),
            ("inspector1", format!("enterprise_id={chemicals}"), &[]),
            ("inspector1", format!("jurisdiction_id={town}"), &ids[..]),
            (
                "inspector1",
                format!("jurisdiction_id={town}&enterprise_id={polishing}"),
                &ids[..],
            ),
            // Above one's own scope, or beside it: nothing, and no telling.
            ("inspector1", format!("jurisdiction_id={city}"), &[]),
            ("supervisor", format!("jurisdiction_id={city}"), &ids[..]),
            // Of a place above their enterprise: what their enterprise has there, and nothing else.
            ("employee", format!("jurisdiction_id={town}"), &ids[..]),
            ("employee", format!("enterprise_id={chemicals}"), &[]),
            ("inspector1", format!("number={number}"), &ids[..1]),
            (
                "inspector1",
                format!("number={number}&status=reported"),
                &[],
            ),
            ("inspector1", "overdue=true".to_owned(), &[]),
            ("inspector1", "overdue=false".to_owned(), &ids[..]),
        ] {
            assert_eq!(
                found(login, query.clone()).await,
                expected,
                "{login} {query}"
            );
        }
        // The last millisecond of 2 December in Shanghai has passed.
        server.set_now(Timestamp::parse("2026-12-02T16:00:00Z").unwrap());
        assert_eq!(
            found("inspector1", "overdue=true".to_owned()).await,
            &ids[..1]
        );
        let seen = get(&server, "inspector1", &format!("/hazards/{}", ids[0]))
            .await
            .json;
        assert_eq!(seen["overdue"], true);
    });
}

#[test]
fn a_list_is_searched_sorted_and_counted() {
    on_each_database(|server| async move {
        let ids = reported(&server, 4).await;
        for (number, due_date) in [(0, "2026-12-05"), (1, "2026-12-02"), (2, "2026-12-09")] {
            let path = format!("/hazards/{}/commands", ids[number]);
            let mut confirmation = confirmation();
            confirmation["due_date"] = json!(due_date);
            let body = command_body(60 + u64::try_from(number).unwrap(), confirmation);
            post(&server, "inspector1", &path, &body).await.expect(200);
        }
        let by_due: Vec<String> = [1, 0, 2].map(|number| ids[number].clone()).to_vec();
        let newest: Vec<String> = ids.iter().rev().cloned().collect();
        for (login, query, expected) in [
            ("inspector1", "sort=due_date", &by_due[..]),
            (
                "inspector1",
                "sort=due_date&due_until=2026-12-05",
                &by_due[..2],
            ),
            (
                "inspector1",
                "sort=due_date&due_from=2026-12-09",
                &by_due[2..],
            ),
            (
                "inspector1",
                "due_from=2026-12-09&due_until=2026-12-09",
                &by_due[2..],
            ),
            ("inspector1", "status=reported,closed", &ids[3..]),
            ("inspector1", "q=%E7%A7%AF%E5%B0%98%203", &ids[3..]),
            // Of the enterprise's name.
            (
                "employee",
                "q=%E6%89%93%E7%A3%A8%E5%8E%82%20%E5%B0%98",
                &newest[..],
            ),
            ("inspector1", "q=%E7%B2%89%E5%B0%98", &[]),
            ("employee", "reporter=me&q=3", &ids[3..]),
            ("inspector1", "reporter=me", &[]),
            ("inspector1", "criterion=GM-10-11-3", &[]),
            ("inspector1", "sector=%E5%8D%B1%E5%8C%96", &[]),
            ("inspector1", "source=grid", &[]),
            (
                "inspector1",
                "received_from=2026-11-22T01:00:03Z",
                &ids[3..],
            ),
            (
                "inspector1",
                "received_until=2026-11-22T01:00:00Z",
                &ids[..1],
            ),
        ] {
            let (found, next) = listed(&server, login, query).await;
            assert_eq!(
                (found.as_slice(), next),
                (expected, None),
                "{login} {query}"
            );
        }
        let counted = |query: &'static str| get(&server, "inspector1", query);
        let page = counted("/hazards?count=true&limit=1").await.expect(200);
        assert_eq!(page["total"], json!({"count": 4, "more": false}));
        let page = counted("/hazards?count=true&q=%E5%B0%98&status=confirmed").await;
        assert_eq!(page.expect(200)["total"]["count"], 3);
        assert!(counted("/hazards").await.expect(200).get("total").is_none());
        for (query, status) in [
            ("q=", 422),
            ("q=%EF%BC%8C", 422),
            ("q=%00", 400),
            ("sort=age", 400),
            ("status=", 400),
            ("status=reported,lost", 400),
            ("reporter=you", 400),
            ("due_from=2026-13-01", 400),
            ("received_from=yesterday", 400),
        ] {
            let answer = get(&server, "inspector1", &format!("/hazards?{query}")).await;
            assert_eq!(answer.status, status, "{query}");
        }
    });
}

#[test]
fn places_are_found_in_the_reference_they_are_asked_in() {
    on_each_database(|server| async move {
        let ids = reported(&server, 1).await;
        for (query, hits) in [
            ("near=105.594,29.405@wgs84&radius_m=10", 1),
            // The same numbers in another system are half a kilometre away.
            ("near=105.594,29.405@gcj02&radius_m=100", 0),
            ("near=105.594,29.405@gcj02&radius_m=1000", 1),
            ("near=105.604,29.405@wgs84&radius_m=900", 0),
            ("near=105.604,29.405@wgs84&radius_m=50000", 1),
            ("bbox=105.593,29.404,105.595,29.406@wgs84", 1),
            ("bbox=105.593,29.404,105.595,29.406@gcj02", 0),
            ("bbox=105.5,29.3,105.7,29.5@bd09", 1),
            ("near=105.594,29.405@wgs84&radius_m=10&status=closed", 0),
        ] {
            let (found, next) = listed(&server, "inspector1", query).await;
            assert_eq!((found.len(), next), (hits, None), "{query}");
            assert!(found.iter().all(|id| *id == ids[0]));
        }
        assert!(
            listed(
                &server,
                "principal",
                "near=105.594,29.405@wgs84&radius_m=10"
            )
            .await
            .0
            .len()
                == 1
        );
        for (query, status) in [
            ("near=105.594,29.405&radius_m=10", 400),
            ("near=105.594,29.405@wgs84", 422),
            ("radius_m=10", 422),
            ("near=181,29@wgs84&radius_m=10", 400),
            ("near=105.594,29.405@wgs84&radius_m=50001", 422),
            ("near=105.594,29.405@wgs84&radius_m=NaN", 422),
            ("bbox=105.7,29.5,105.5,29.3@wgs84", 400),
            ("bbox=1,2,3,4", 400),
        ] {
            let answer = get(&server, "inspector1", &format!("/hazards?{query}")).await;
            assert_eq!(answer.status, status, "{query}");
        }
    });
}
