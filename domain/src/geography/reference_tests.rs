//! The published conversion vectors, the box, and the way there and back.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use super::*;
use crate::geography::distance_m;
use proptest::prelude::*;

/// (WGS-84, GCJ-02, BD-09) of Rongchang and Wansheng.
const VECTORS: [[(f64, f64); 3]; 2] = [
    [
        (105.594, 29.405),
        (105.597348, 29.402020),
        (105.603762, 29.408334),
    ],
    [
        (106.933, 28.961),
        (106.936908, 28.957739),
        (106.943370, 28.963947),
    ],
];

fn point((longitude, latitude): (f64, f64)) -> Wgs84Point {
    Wgs84Point {
        longitude,
        latitude,
    }
}

fn degrees((longitude, latitude): (f64, f64)) -> Degrees {
    Degrees {
        longitude,
        latitude,
    }
}

fn assert_same(found: Degrees, expected: (f64, f64)) {
    assert!(
        (found.longitude - expected.0).abs() < 6e-7,
        "{found:?} is not {expected:?}"
    );
    assert!(
        (found.latitude - expected.1).abs() < 6e-7,
        "{found:?} is not {expected:?}"
    );
}

#[test]
fn the_published_vectors_convert_forward() {
    for [wgs84, gcj02, bd09] in VECTORS {
        assert_same(CoordinateReference::Gcj02.from_wgs84(point(wgs84)), gcj02);
        assert_same(CoordinateReference::Bd09.from_wgs84(point(wgs84)), bd09);
    }
}

#[test]
fn the_published_vectors_convert_back() {
    for [wgs84, gcj02, bd09] in VECTORS {
        for (reference, shifted) in [
            (CoordinateReference::Gcj02, gcj02),
            (CoordinateReference::Bd09, bd09),
        ] {
            let back = reference.to_wgs84(degrees(shifted));
            assert!(
                distance_m(back, point(wgs84)) < 0.15,
                "{reference}: {back:?}"
            );
        }
    }
}

#[test]
fn the_known_offsets_are_met() {
    let places = [
        ((105.594, 29.405), 463.6),
        ((106.933, 28.961), 525.4),
        ((116.3975, 39.9087), 554.9),
    ];
    for (place, metres) in places {
        let shifted = CoordinateReference::Gcj02.from_wgs84(point(place));
        let apart = distance_m(point(place), point((shifted.longitude, shifted.latitude)));
        // The last place is only known as "Beijing", and ellipsoids differ by 0.3 %.
        assert!(
            (apart - metres).abs() < 3.0,
            "{place:?}: {apart} m, expected {metres} m"
        );
    }
}

#[test]
fn cgcs2000_has_the_same_numbers_as_wgs84() {
    let here = CoordinateReference::Cgcs2000.to_wgs84(degrees((105.594, 29.405)));
    assert_eq!(here, point((105.594, 29.405)));
    assert_eq!(
        CoordinateReference::Cgcs2000.from_wgs84(here),
        degrees((105.594, 29.405))
    );
}

#[test]
fn outside_the_box_nothing_moves() {
    let outside = [
        (72.003, 30.0),
        (137.835, 30.0),
        (100.0, 0.829),
        (100.0, 55.828),
        (-0.1276, 51.5072),
    ];
    for place in outside {
        for reference in CoordinateReference::ALL {
            assert_eq!(reference.from_wgs84(point(place)), degrees(place));
            if reference != CoordinateReference::Bd09 {
                assert_eq!(reference.to_wgs84(degrees(place)), point(place));
            }
        }
    }
    let london = (-0.1276, 51.5072);
    assert_eq!(
        CoordinateReference::Bd09.to_wgs84(degrees(london)),
        point(london)
    );
}

#[test]
fn names_and_numbers_are_the_published_ones() {
    for (number, reference) in CoordinateReference::ALL.into_iter().enumerate() {
        assert_eq!(reference.as_str().parse(), Ok(reference));
        let json = serde_json::to_string(&reference).unwrap();
        assert_eq!(json, format!("\"{reference}\""));
        assert_eq!(
            minicbor::to_vec(reference).unwrap(),
            [u8::try_from(number).unwrap()]
        );
    }
    assert_eq!(
        "WGS84".parse::<CoordinateReference>(),
        Err(UnknownReference)
    );
    assert!(minicbor::decode::<CoordinateReference>(&[4]).is_err());
}

proptest! {
    #[test]
    fn there_and_back_is_within_a_decimetre(
        longitude in SHIFTED_WEST + 0.05..SHIFTED_EAST - 0.05,
        latitude in SHIFTED_SOUTH + 0.05..SHIFTED_NORTH - 0.05,
    ) {
        let start = point((longitude, latitude));
        for reference in CoordinateReference::ALL {
            let back = reference.to_wgs84(reference.from_wgs84(start));
            prop_assert!(distance_m(start, back) < 0.1, "{reference}: {start:?} {back:?}");
        }
    }

    #[test]
    fn every_place_on_earth_converts_to_finite_degrees(
        longitude in -180.0..=180.0f64,
        latitude in -90.0..=90.0f64,
    ) {
        for reference in CoordinateReference::ALL {
            let to = reference.to_wgs84(degrees((longitude, latitude)));
            prop_assert!((-180.0..=180.0).contains(&to.longitude));
            prop_assert!((-90.0..=90.0).contains(&to.latitude));
            let from = reference.from_wgs84(point((longitude, latitude)));
            prop_assert!((-180.0..=180.0).contains(&from.longitude));
            prop_assert!((-90.0..=90.0).contains(&from.latitude));
        }
    }
}
