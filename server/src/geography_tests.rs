//! Points against real district boundaries, and every boundary that must be refused.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use super::*;
use uuid::Uuid;

const DISTRICTS: &str = include_str!("../../catalog/divisions/chongqing-districts.geojson");

fn id(number: u128) -> JurisdictionId {
    JurisdictionId(Uuid::from_u128(number))
}

fn point(longitude: f64, latitude: f64) -> Wgs84Point {
    Wgs84Point {
        longitude,
        latitude,
    }
}

/// A boundary in WGS-84.
fn boundary(number: u128, depth: u32, geometry: &str) -> BoundarySource {
    BoundarySource {
        jurisdiction: id(number),
        depth,
        geometry: geometry.to_owned(),
        reference: CoordinateReference::Wgs84,
    }
}

fn square(west: f64, south: f64, side: f64) -> String {
    let (east, north) = (west + side, south + side);
    format!(
        r#"{{"type":"Polygon","coordinates":[[[{west},{south}],[{east},{south}],[{east},{north}],[{west},{north}],[{west},{south}]]]}}"#
    )
}

/// The 38 districts, each under its six-digit code, in GCJ-02.
fn districts() -> Vec<BoundarySource> {
    let collection: serde_json::Value = serde_json::from_str(DISTRICTS).unwrap();
    let features = collection["features"].as_array().unwrap();
    features
        .iter()
        .map(|feature| BoundarySource {
            jurisdiction: id(feature["id"].as_str().unwrap().parse().unwrap()),
            depth: 1,
            geometry: feature["geometry"].to_string(),
            reference: CoordinateReference::Gcj02,
        })
        .collect()
}

fn problem(geometry: &str) -> BoundaryProblem {
    JurisdictionIndex::build([boundary(7, 0, geometry)])
        .unwrap_err()
        .problem
}

#[test]
fn places_are_found_in_their_real_districts() {
    let index = JurisdictionIndex::build(districts()).unwrap();
    for (place, district) in [
        (point(105.594, 29.405), 500_153),
        (point(106.551, 29.563), 500_103),
        (point(108.4089, 30.8079), 500_101),
    ] {
        assert_eq!(index.locate(place), Some(id(district)), "{place:?}");
    }
    for elsewhere in [
        point(104.066, 30.573),
        point(-0.1, 51.5),
        point(f64::NAN, 29.4),
    ] {
        assert_eq!(index.locate(elsewhere), None, "{elsewhere:?}");
    }
}

#[test]
fn the_reference_of_a_boundary_moves_it() {
    let rongchang = || {
        districts()
            .into_iter()
            .find(|d| d.jurisdiction == id(500_153))
            .unwrap()
    };
    let as_tagged = |reference| {
        let source = BoundarySource {
            reference,
            ..rongchang()
        };
        JurisdictionIndex::build([source]).unwrap()
    };
    let (right, wrong) = (
        as_tagged(CoordinateReference::Gcj02),
        as_tagged(CoordinateReference::Wgs84),
    );
    // A vertex of the boundary is on it when the tag is right, and some 460 m off when it is not.
    let geometry: serde_json::Value = serde_json::from_str(&rongchang().geometry).unwrap();
    let ring = geometry["coordinates"][0].as_array().unwrap();
    let strays = ring
        .iter()
        .map(|vertex| Degrees {
            longitude: vertex[0].as_f64().unwrap(),
            latitude: vertex[1].as_f64().unwrap(),
        })
        .map(|vertex| CoordinateReference::Gcj02.to_wgs84(vertex))
        .inspect(|vertex| assert_eq!(right.locate(*vertex), Some(id(500_153))))
        .filter(|vertex| wrong.locate(*vertex).is_none())
        .count();
    assert!(strays > 50, "only {strays} vertices moved out");
}

#[test]
fn the_deepest_jurisdiction_wins_then_the_smallest() {
    let index = JurisdictionIndex::build([
        boundary(1, 0, &square(105.0, 29.0, 2.0)),
        boundary(2, 1, &square(105.5, 29.5, 1.0)),
        boundary(3, 1, &square(105.5, 29.5, 0.5)),
    ])
    .unwrap();
    assert_eq!(index.locate(point(105.1, 29.1)), Some(id(1)));
    assert_eq!(index.locate(point(106.4, 30.4)), Some(id(2)));
    assert_eq!(index.locate(point(105.6, 29.6)), Some(id(3)));
}

#[test]
fn edges_and_corners_count_as_inside() {
    let index = JurisdictionIndex::build([boundary(1, 0, &square(105.0, 29.0, 1.0))]).unwrap();
    for edge in [
        point(105.0, 29.0),
        point(106.0, 30.0),
        point(105.5, 29.0),
        point(106.0, 29.25),
    ] {
        assert_eq!(index.locate(edge), Some(id(1)), "{edge:?}");
    }
    assert_eq!(index.locate(point(105.5, 28.999_999)), None);
}

#[test]
fn a_hole_belongs_to_nobody_and_islands_belong_to_their_owner() {
    let geometry = r#"{"type":"MultiPolygon","coordinates":[
        [[[0,0],[9,0],[9,9],[0,9],[0,0]],[[3,3],[6,3],[6,6],[3,6],[3,3]]],
        [[[20,0,312.5],[21,0,312.5],[21,1,312.5],[20,0,312.5]]]]}"#;
    let index = JurisdictionIndex::build([boundary(1, 0, geometry)]).unwrap();
    assert_eq!(index.polygon_count(), 2);
    assert_eq!(index.locate(point(1.0, 1.0)), Some(id(1)));
    assert_eq!(index.locate(point(4.5, 4.5)), None);
    assert_eq!(index.locate(point(20.9, 0.5)), Some(id(1)));
    assert_eq!(index.locate(point(20.1, 0.9)), None);
}

#[test]
fn islands_that_have_shrunk_to_a_line_are_passed_over() {
    let geometry = r#"{"type":"MultiPolygon","coordinates":[
        [[[20,0],[20,1],[20,0]]],
        [[[0,0],[9,0],[9,9],[0,9],[0,0]],[[3,3],[4,4],[3,3]]]]}"#;
    let index = JurisdictionIndex::build([boundary(1, 0, geometry)]).unwrap();
    assert_eq!(index.polygon_count(), 1);
    assert_eq!(index.locate(point(3.0, 3.0)), Some(id(1)));
}

#[test]
fn an_index_of_nothing_finds_nothing() {
    assert_eq!(
        JurisdictionIndex::build([])
            .unwrap()
            .locate(point(105.594, 29.405)),
        None
    );
}

#[test]
fn unusable_boundaries_are_refused_with_the_reason() {
    assert!(matches!(problem("{"), BoundaryProblem::NotGeoJson(_)));
    assert!(matches!(
        problem(r#"{"type":"Polygon"}"#),
        BoundaryProblem::NotGeoJson(_)
    ));
    let dot = r#"{"type":"Point","coordinates":[105,29]}"#;
    assert_eq!(problem(dot), BoundaryProblem::NotAnArea("Point"));
    let polygon = |rings: &str| problem(&format!(r#"{{"type":"Polygon","coordinates":{rings}}}"#));
    assert_eq!(polygon("[]"), BoundaryProblem::Empty);
    assert_eq!(
        problem(r#"{"type":"MultiPolygon","coordinates":[]}"#),
        BoundaryProblem::Empty
    );
    assert_eq!(polygon("[[]]"), BoundaryProblem::OpenRing { ring: 0 });
    assert_eq!(polygon("[[[0,0],[1,0],[0,0]]]"), BoundaryProblem::Empty);
    assert_eq!(
        polygon("[[[0,0],[9,0],[9,9],[0,0]],[[1,1],[2,1],[2,2],[1,2]]]"),
        BoundaryProblem::OpenRing { ring: 1 }
    );
    assert_eq!(
        polygon("[[[0,0],[181,0],[9,9],[0,0]]]"),
        BoundaryProblem::OffTheEarth { ring: 0, vertex: 1 }
    );
    let deep = "[".repeat(10_000);
    assert!(matches!(polygon(&deep), BoundaryProblem::NotGeoJson(_)));
}

#[test]
fn boundaries_beyond_the_limits_are_refused() {
    let vertices = "[1,1],".repeat(MAX_VERTICES_PER_BOUNDARY);
    let many = format!(r#"{{"type":"Polygon","coordinates":[[{vertices}[1,1]]]}}"#);
    let expected = BoundaryProblem::TooManyVertices(MAX_VERTICES_PER_BOUNDARY + 1);
    assert_eq!(problem(&many), expected);
    let long = " ".repeat(MAX_BOUNDARY_BYTES + 1);
    assert_eq!(
        problem(&long),
        BoundaryProblem::TooLong(MAX_BOUNDARY_BYTES + 1)
    );
}

#[test]
fn the_error_names_the_jurisdiction() {
    let error = JurisdictionIndex::build([boundary(7, 0, "{}")]).unwrap_err();
    assert!(error.to_string().contains(&id(7).to_string()), "{error}");
    assert!(check_boundary(&square(0.0, 0.0, 1.0), CoordinateReference::Wgs84).is_ok());
}

#[test]
fn a_boundary_is_replaced_and_taken_away_and_an_older_one_is_passed_over() {
    let index = JurisdictionIndex::build([
        boundary(1, 1, &square(0.0, 0.0, 1.0)),
        boundary(2, 1, &square(5.0, 5.0, 1.0)),
    ])
    .unwrap();
    let moved = boundary(1, 1, &square(10.0, 10.0, 1.0));
    index.replace(id(1), 2, Some(&moved)).unwrap();
    assert_eq!(index.locate(point(0.5, 0.5)), None);
    assert_eq!(index.locate(point(10.5, 10.5)), Some(id(1)));
    assert_eq!(index.locate(point(5.5, 5.5)), Some(id(2)));
    for version in [1, 2] {
        index.replace(id(1), version, None).unwrap();
        assert_eq!(index.locate(point(10.5, 10.5)), Some(id(1)), "{version}");
    }
    let broken = boundary(1, 1, "{}");
    assert!(index.replace(id(1), 3, Some(&broken)).is_err());
    assert_eq!(index.locate(point(10.5, 10.5)), Some(id(1)));
    index.replace(id(1), 3, None).unwrap();
    assert_eq!(index.locate(point(10.5, 10.5)), None);
    assert_eq!(index.polygon_count(), 1);
}
