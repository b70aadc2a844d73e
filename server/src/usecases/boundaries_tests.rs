//! Boundaries that are set, replaced and removed: on the server where that is done at once, on
//! others without a restart, and by nobody but the administrators of the node above.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use hazardloop_domain::access::Role;

use super::*;
use crate::sample;
use crate::store::events;
use crate::test_support::{NOW, TestServer, on_each_database, person, seal_everything, terms};
use crate::usecases::people::{self, NewPerson};
use crate::usecases::{audit, jurisdictions as nodes};

fn square(west: f64, south: f64) -> String {
    let (east, north) = (west + 0.1, south + 0.1);
    format!(
        r#"{{"coordinates":[[[{west},{south}],[{east},{south}],[{east},{north}],[{west},{north}],[{west},{south}]]],"type":"Polygon"}}"#
    )
}

fn wgs84(geometry: String) -> Option<(String, CoordinateReference)> {
    Some((geometry, CoordinateReference::Wgs84))
}

fn at(longitude: f64, latitude: f64) -> Wgs84Point {
    Wgs84Point {
        longitude,
        latitude,
    }
}

fn town() -> JurisdictionId {
    JurisdictionId(sample::id("500153003000"))
}

async fn town_version(server: &TestServer) -> i64 {
    nodes::one(&server.app, town()).await.unwrap().node.version
}

/// Catches up until the point lies where it should: on PostgreSQL a transaction of another test may
/// hold the feed back.
async fn learns(app: &App, point: Wgs84Point, expected: Option<JurisdictionId>) {
    for _ in 0..10_000 {
        app.boundaries.catch_up(&app.db).await.unwrap();
        if app.boundaries.locate(point) == expected {
            return;
        }
        tokio::task::yield_now().await;
    }
    panic!("{point:?} did not come to lie in {expected:?}")
}

#[test]
fn a_boundary_is_set_replaced_and_removed_here_and_on_another_server() {
    on_each_database(async |server| {
        let (app, other) = (&server.app, server.beside().await);
        let admin = person("admin");
        let (here, there) = (at(10.05, 10.05), at(20.05, 20.05));
        for (version, boundary, inside, outside) in [
            (1, wgs84(square(10.0, 10.0)), Some(here), there),
            (2, wgs84(square(20.0, 20.0)), Some(there), here),
            (3, None, None, there),
        ] {
            let changed = change(app, admin, town(), version, boundary.clone()).await;
            let changed = changed.unwrap();
            assert_eq!(changed.node.version, version + 1);
            assert_eq!(changed.has_boundary, boundary.is_some());
            for server in [app, &other] {
                if let Some(inside) = inside {
                    learns(server, inside, Some(town())).await;
                }
                learns(server, outside, None).await;
            }
        }
        let started_later = server.beside().await;
        assert_eq!(started_later.boundaries.locate(there), None);
        let history = app
            .db
            .read_blocking(|tx| events::history(tx.conn(), &town().0, 0, 10))
            .unwrap();
        let kinds: Vec<&str> = history.iter().map(|event| event.kind.as_str()).collect();
        assert_eq!(
            kinds,
            ["added", "boundary_set", "boundary_set", "boundary_removed"]
        );
        let last: nodes::JurisdictionEvent = minicbor::decode(&history[2].body).unwrap();
        assert_eq!(last.boundary, Some(square(20.0, 20.0)));
        assert_eq!(last.actor_id, Some(admin));
        seal_everything(&app.db);
        assert_eq!(audit::verify(&app.db, None).unwrap().faults, 0);
    });
}

#[test]
fn a_jurisdiction_added_elsewhere_with_a_boundary_is_learned_too() {
    on_each_database(async |server| {
        let other = server.beside().await;
        let id = JurisdictionId(app_id(&server));
        let new = nodes::NewJurisdiction {
            jurisdiction: hazardloop_domain::jurisdiction::Jurisdiction {
                id,
                parent_id: Some(JurisdictionId(sample::id("500153000000"))),
                name: "园区".to_owned(),
                level: hazardloop_domain::jurisdiction::Level::Town,
                division_code: None,
                version: 1,
                merged_into: None,
                merged_at: None,
            },
            boundary: wgs84(square(10.0, 10.0)),
        };
        nodes::create(&other, person("admin"), new).await.unwrap();
        learns(&server.app, at(10.05, 10.05), Some(id)).await;
        learns(&other, at(10.05, 10.05), Some(id)).await;
    });
}

fn app_id(server: &TestServer) -> uuid::Uuid {
    server.app.entropy.uuid_v7(NOW)
}

#[test]
fn only_administrators_of_the_node_above_change_it_and_only_as_they_saw_it() {
    on_each_database(async |server| {
        let app = &server.app;
        // Somebody who administers the town itself, and somebody of another city.
        let new = NewPerson {
            id: person("town admin"),
            login: "town-admin".to_owned(),
            name: "某人".to_owned(),
            phone: None,
            password_hash: "-".to_owned(),
            grants: vec![terms(
                Role::Administrator,
                hazardloop_domain::access::GrantScope::Jurisdiction(town()),
            )],
        };
        let key = app.digest_key;
        app.db
            .write(move |tx| people::register(tx, &key, new.clone(), None, NOW).map(drop))
            .await
            .unwrap();
        let boundary = || wgs84(square(10.0, 10.0));
        for login in ["town admin", "reviewer", "supervisor", "employee", "nobody"] {
            for given in [boundary(), None] {
                // Taking away what is not there is no way round it either.
                let answer = change(app, person(login), town(), 1, given).await;
                assert!(matches!(answer, Err(Failure::Forbidden(_))), "{login}");
            }
        }
        let admin = person("admin");
        let root = JurisdictionId(sample::id("500000000000"));
        let answer = change(app, admin, root, 1, boundary()).await;
        assert!(matches!(answer, Err(Failure::Forbidden(_))));
        let nowhere = JurisdictionId(app_id(&server));
        let answer = change(app, admin, nowhere, 1, boundary()).await;
        assert!(matches!(answer, Err(Failure::NotFound(_))));
        let point = r#"{"type":"Point","coordinates":[1.0,2.0]}"#.to_owned();
        let answer = change(app, admin, town(), 1, wgs84(point)).await;
        assert!(matches!(answer, Err(Failure::Invalid { .. })));
        let answer = change(app, admin, town(), 7, boundary()).await;
        assert!(matches!(
            answer,
            Err(Failure::PreconditionFailed { current: 1 })
        ));
        assert_eq!(app.boundaries.locate(at(10.05, 10.05)), None);
        assert_eq!(town_version(&server).await, 1);
        // The same again changes nothing, by whichever version.
        for _ in 0..2 {
            let set = change(app, admin, town(), 1, boundary()).await.unwrap();
            assert_eq!(set.node.version, 2);
        }
    });
}
