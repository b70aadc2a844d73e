//! What a query relies on: no point of a box is missed, and the ranges stay few and tight.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use super::*;
use crate::geography::distance_m;
use proptest::prelude::*;

fn point(longitude: f64, latitude: f64) -> Wgs84Point {
    Wgs84Point {
        longitude,
        latitude,
    }
}

fn covered(ranges: &[RangeInclusive<i64>], at: Wgs84Point) -> bool {
    ranges.iter().any(|range| range.contains(&cell_of(at)))
}

#[test]
fn cells_are_neither_negative_nor_beyond_52_bits() {
    assert_eq!(cell_of(point(-180.0, -90.0)), 0);
    assert_eq!(cell_of(point(180.0, 90.0)), (1 << 52) - 1);
    assert_eq!(cell_of(point(f64::NAN, f64::INFINITY)) & 1, 0);
}

#[test]
fn neighbours_a_metre_apart_have_different_cells() {
    assert_ne!(
        cell_of(point(105.594, 29.405)),
        cell_of(point(105.594, 29.40501))
    );
    assert_ne!(
        cell_of(point(105.594, 29.405)),
        cell_of(point(105.59401, 29.405))
    );
}

#[test]
fn a_city_block_is_covered_tightly() {
    let centre = point(105.594, 29.405);
    let area = bounding_box_around(centre, 500.0).unwrap();
    let ranges = cells_covering(&area, 16);
    assert!(ranges.len() <= 16);
    assert!(covered(&ranges, centre));
    let cells: i64 = ranges
        .iter()
        .map(|range| range.end() - range.start() + 1)
        .sum();
    let wanted = (area.east() - area.west()) * (area.north() - area.south());
    let world = 360.0 * 180.0 / 2f64.powi(52);
    let excess = cells as f64 * world / wanted;
    assert!(excess < 2.0, "covers {excess} times the area");
}

#[test]
fn the_whole_earth_is_one_range() {
    let earth = BoundingBox::new(-180.0, -90.0, 180.0, 90.0).unwrap();
    assert_eq!(cells_covering(&earth, 16), vec![0..=(1 << 52) - 1]);
}

#[test]
fn one_point_is_one_range() {
    let dot = BoundingBox::new(105.594, 29.405, 105.594, 29.405).unwrap();
    let ranges = cells_covering(&dot, 4);
    let cell = cell_of(point(105.594, 29.405));
    assert_eq!(ranges, vec![cell..=cell]);
}

#[test]
fn a_radius_across_the_date_line_finds_both_sides() {
    let area = bounding_box_around(point(179.9995, -17.0), 500.0).unwrap();
    assert!(area.west() > area.east());
    let ranges = cells_covering(&area, 8);
    for near in [point(179.9999, -17.0), point(-179.9999, -17.001)] {
        assert!(area.contains(near) && covered(&ranges, near), "{near:?}");
    }
    assert!(!area.contains(point(0.0, -17.0)));
    assert!(!covered(&ranges, point(0.0, -17.0)));
}

#[test]
fn a_radius_over_a_pole_reaches_round_the_earth() {
    let area = bounding_box_around(point(10.0, 89.9999), 500.0).unwrap();
    assert!(area.contains(point(-170.0, 89.9999)));
    assert!(covered(&cells_covering(&area, 8), point(-170.0, 89.9999)));
}

#[test]
fn impossible_boxes_and_radii_are_refused_with_the_reason() {
    let refused = |w, s, e, n| BoundingBox::new(w, s, e, n).unwrap_err();
    assert_eq!(
        refused(f64::NAN, 0.0, 1.0, 1.0),
        BoundingBoxError::Longitude
    );
    assert_eq!(refused(0.0, 0.0, 180.1, 1.0), BoundingBoxError::Longitude);
    assert_eq!(refused(0.0, -91.0, 1.0, 1.0), BoundingBoxError::Latitude);
    assert_eq!(
        refused(0.0, 2.0, 1.0, 1.0),
        BoundingBoxError::SouthAboveNorth
    );
    for radius in [-1.0, f64::NAN, f64::INFINITY, MAX_RADIUS_M * 1.01] {
        assert_eq!(
            bounding_box_around(point(0.0, 0.0), radius),
            Err(BoundingBoxError::Radius)
        );
    }
    let nowhere = bounding_box_around(point(f64::NAN, 0.0), 1.0);
    assert_eq!(nowhere, Err(BoundingBoxError::Longitude));
}

proptest! {
    #[test]
    fn every_point_of_a_box_is_within_its_ranges(
        west in -180.0..=180.0f64,
        width in prop_oneof![0.0..=0.01f64, 0.0..=5.0f64, 0.0..=359.0f64],
        edges in (-90.0..=90.0f64, prop_oneof![0.0..=0.01f64, 0.0..=90.0f64]),
        inside in (0.0..=1.0f64, 0.0..=1.0f64),
        max in 0..80usize,
    ) {
        let wrap = |longitude: f64| if longitude > 180.0 { longitude - 360.0 } else { longitude };
        let north = (edges.0 + edges.1).min(90.0);
        let area = BoundingBox::new(west, edges.0, wrap(west + width), north).unwrap();
        let ranges = cells_covering(&area, max);
        prop_assert!(ranges.len() <= max.clamp(1, MAX_RANGES));
        for pair in ranges.windows(2) {
            prop_assert!(pair[0].end() < pair[1].start());
        }
        let at = point(
            wrap(west + width * inside.0),
            (edges.0 + (north - edges.0) * inside.1).clamp(edges.0, north),
        );
        prop_assume!(area.contains(at));
        prop_assert!(covered(&ranges, at));
    }

    #[test]
    fn every_point_within_the_radius_is_in_the_box(
        centre in (-180.0..=180.0f64, -90.0..=90.0f64),
        offset in (-2.0..=2.0f64, -2.0..=2.0f64),
        slack in 1.0..=1.5f64,
    ) {
        let wrap = |longitude: f64| (longitude + 540.0).rem_euclid(360.0) - 180.0;
        let from = point(centre.0, centre.1);
        let to = point(wrap(centre.0 + offset.0), (centre.1 + offset.1).clamp(-90.0, 90.0));
        let area = bounding_box_around(from, distance_m(from, to) * slack).unwrap();
        prop_assert!(area.contains(to), "{area:?} {to:?}");
    }
}
