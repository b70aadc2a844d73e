//! Lists over thousands of hazards in one small place, against a check by hand, on both databases.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use std::collections::BTreeSet;

use hazardloop_domain::command::{Action, Grade, Report};
use hazardloop_domain::geography::{
    BoundingBox, CoordinateReference, Measurement, Position, Wgs84Point, distance_m,
};
use hazardloop_domain::hazard::{Hazard, StatusName};
use uuid::Uuid;

use super::hazards::{Filters, Order, list};
use super::{AREA_CANDIDATES, Area, Wanted};
use crate::test_support::{
    NOW, TestDevice, TestServer, hazard_id, on_each_database, person, report,
};
use crate::usecases::push::push;

/// Hazards in all, pushed by the batch.
const COUNT: u64 = 5_000;
const BATCH: u64 = 500;

/// Rows of a page.
const ROWS: usize = 200;

/// The middle of it all.
const CENTRE: Wgs84Point = Wgs84Point {
    longitude: 105.594,
    latitude: 29.405,
};

/// A report somewhere within some 300 m of the centre, the same for the same number.
fn placed(number: u64) -> Report {
    let mixed = number.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let part = |shift: u32| f64::from(u16::try_from(mixed >> shift & 0xffff).unwrap()) / 65_536.0;
    let measured = Measurement::at(
        CENTRE.longitude + (part(48) - 0.5) * 0.006,
        CENTRE.latitude + (part(32) - 0.5) * 0.006,
        CoordinateReference::Wgs84,
    );
    Report {
        position: Some(Position::new(measured).unwrap()),
        ..report("密")
    }
}

/// Reports these, a second after what was reported before.
async fn push_all(server: &TestServer, device: &mut TestDevice, numbers: std::ops::Range<u64>) {
    let second = i64::try_from(numbers.start).unwrap();
    server.set_now(NOW.plus_millis(second * 1_000));
    let batch = numbers
        .map(|number| device.seal(hazard_id(number), Action::Report(placed(number))))
        .collect();
    let answer = push(&server.app, device.person_id, device.push(batch)).await;
    let applied = |result: &_| format!("{result:?}").contains("Applied");
    assert!(answer.unwrap().results.iter().all(applied));
}

/// Every page, one after the other; `between` happens before each but the first.
async fn walk(
    server: &TestServer,
    filters: &Filters,
    mut between: impl AsyncFnMut(usize),
) -> Vec<Hazard> {
    let (mut all, mut after, mut pages) = (Vec::new(), None, 0);
    loop {
        let wanted = Wanted { after, limit: ROWS };
        let now = server.app.clock.now();
        let page = list(
            &server.app,
            person("inspector1"),
            filters.clone(),
            Order::Newest,
            wanted,
            now,
        )
        .await
        .unwrap();
        assert!(page.items.len() <= ROWS);
        all.extend(page.items);
        after = page.next;
        pages += 1;
        assert!(pages < 1_000, "the list does not end");
        if after.is_none() {
            return all;
        }
        between(pages).await;
    }
}

fn ids(hazards: &[Hazard]) -> Vec<Uuid> {
    hazards.iter().map(|hazard| hazard.id.0).collect()
}

fn point_of(hazard: &Hazard) -> Wgs84Point {
    hazard.position.as_ref().unwrap().to_wgs84()
}

fn areas() -> Vec<Area> {
    let near = |radius_m| Area::Near {
        centre: CENTRE,
        radius_m,
    };
    let edges = |half: f64| {
        let Wgs84Point {
            longitude,
            latitude,
        } = CENTRE;
        let edges = BoundingBox::new(
            longitude - half,
            latitude - half,
            longitude + half / 3.0,
            latitude + half,
        );
        Area::Box {
            edges: edges.unwrap(),
            reference: CoordinateReference::Wgs84,
        }
    };
    vec![
        near(5.0),
        near(60.0),
        near(150.0),
        near(300.0),
        near(50_000.0),
        edges(0.0001),
        edges(0.001),
        edges(0.002),
    ]
}

/// What a person would find who looks at every hazard.
fn by_hand(all: &[Hazard], area: &Area) -> Vec<Uuid> {
    let inside = |hazard: &&Hazard| {
        let point = point_of(hazard);
        match area {
            Area::Near { centre, radius_m } => distance_m(*centre, point) <= *radius_m,
            Area::Box { edges, .. } => edges.contains(point),
        }
    };
    all.iter()
        .filter(inside)
        .map(|hazard| hazard.id.0)
        .collect()
}

#[test]
fn five_thousand_hazards_in_one_place_are_listed_and_found_exactly() {
    on_each_database(async |server| {
        let mut device = TestDevice::enrol(&server.app, "employee", 1).await;
        for start in (0..COUNT).step_by(usize::try_from(BATCH).unwrap()) {
            push_all(&server, &mut device, start..start + BATCH).await;
        }
        // Newest first, those of one moment by id; new ones meanwhile are above all cursors.
        let expected: Vec<Uuid> = (0..COUNT).rev().map(|number| hazard_id(number).0).collect();
        let mut more = COUNT;
        let seen = walk(&server, &Filters::default(), async |_| {
            push_all(&server, &mut device, more..more + 1).await;
            more += 1;
        })
        .await;
        assert_eq!(ids(&seen), expected, "every row once, in order");
        assert_eq!(more, COUNT + 24, "24 came meanwhile");

        let all = walk(&server, &Filters::default(), async |_| {}).await;
        assert_eq!(all.len(), usize::try_from(more).unwrap());
        let filters = Filters {
            grade: Some(Grade::General),
            ..Filters::default()
        };
        let filtered = walk(&server, &filters, async |_| {}).await;
        assert_eq!(ids(&filtered), ids(&all), "a filter that all pass");
        let filters = Filters {
            statuses: vec![StatusName::Closed],
            ..Filters::default()
        };
        let none = walk(&server, &filters, async |_| {}).await;
        assert!(none.is_empty(), "a filter that none pass");

        let mut sizes = BTreeSet::new();
        for area in areas() {
            let expected = by_hand(&all, &area);
            let filters = Filters {
                area: Some(area),
                ..Filters::default()
            };
            let found = walk(&server, &filters, async |_| {}).await;
            assert_eq!(ids(&found), expected, "{area:?}");
            sizes.insert(expected.len());
        }
        assert!(
            sizes.iter().any(|size| (1..200).contains(size)),
            "{sizes:?}"
        );
        assert!(
            sizes.iter().any(|size| *size > AREA_CANDIDATES),
            "{sizes:?}"
        );
    });
}
