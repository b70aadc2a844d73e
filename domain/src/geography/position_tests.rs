//! What a client notices: the two written forms, and every way a position is refused.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use super::*;
use proptest::prelude::*;

fn measured() -> Measurement {
    Measurement {
        longitude: 105.594,
        latitude: 29.405,
        reference: CoordinateReference::Wgs84,
        accuracy_m: Some(8.5),
        altitude_m: Some(-2.0),
        fixed_at: Some(Timestamp::from_millis(1_795_309_200_000)),
    }
}

fn cbor(entries: &[(u8, i64)]) -> Vec<u8> {
    let mut encoder = minicbor::Encoder::new(Vec::new());
    encoder.map(entries.len() as u64).unwrap();
    for (key, value) in entries {
        encoder.u8(*key).unwrap().i64(*value).unwrap();
    }
    encoder.into_writer()
}

#[test]
fn json_shows_decimal_degrees_and_metres() {
    let position = Position::new(measured()).unwrap();
    let json = serde_json::to_string(&position).unwrap();
    assert_eq!(
        json,
        r#"{"longitude":105.594,"latitude":29.405,"reference":"wgs84","accuracy_m":8.5,"altitude_m":-2.0,"fixed_at":"2026-11-22T01:00:00.000Z"}"#
    );
    assert_eq!(serde_json::from_str::<Position>(&json).unwrap(), position);
}

#[test]
fn only_the_degrees_and_their_reference_are_required() {
    let json = r#"{"longitude":105.594,"latitude":29.405,"reference":"gcj02"}"#;
    let position: Position = serde_json::from_str(json).unwrap();
    assert_eq!(serde_json::to_string(&position).unwrap(), json);
    let untagged = r#"{"longitude":105.594,"latitude":29.405}"#;
    let error = serde_json::from_str::<Position>(untagged).unwrap_err();
    assert!(error.to_string().contains("reference"), "{error}");
}

#[test]
fn cbor_has_integer_keys_and_scaled_integers() {
    let position = Position::new(measured()).unwrap();
    let expected = cbor(&[
        (0, 1_055_940_000),
        (1, 294_050_000),
        (2, 0),
        (3, 85),
        (4, -20),
        (5, 1_795_309_200_000),
    ]);
    assert_eq!(minicbor::to_vec(position).unwrap(), expected);
    assert_eq!(minicbor::decode::<Position>(&expected).unwrap(), position);
}

#[test]
fn unknown_cbor_keys_are_skipped() {
    let bytes = cbor(&[(0, 1_055_940_000), (1, 294_050_000), (2, 2), (40, 7)]);
    let position: Position = minicbor::decode(&bytes).unwrap();
    assert_eq!(position.reference(), CoordinateReference::Gcj02);
}

#[test]
fn cbor_off_the_earth_is_refused_like_json() {
    let cases: [(&[(u8, i64)], &str); 6] = [
        (&[(0, 1_800_000_001), (1, 0), (2, 0)], "longitude"),
        (&[(0, 0), (1, -900_000_001), (2, 0)], "latitude"),
        (&[(0, 0), (1, 0), (2, 0), (3, 1_000_001)], "accuracy_m"),
        (&[(0, 0), (1, 0), (2, 0), (4, -120_001)], "altitude_m"),
        (&[(0, 0), (1, 0), (2, 0), (5, 1)], "fixed_at"),
        (&[(0, 0), (1, 0)], "missing value"),
    ];
    for (entries, named) in cases {
        let error = minicbor::decode::<Position>(&cbor(entries)).unwrap_err();
        let cause = std::error::Error::source(&error).map(ToString::to_string);
        let text = format!("{error} {}", cause.unwrap_or_default());
        assert!(text.contains(named), "{named}: {text}");
    }
    assert!(minicbor::decode::<Position>(&cbor(&[(0, i64::MAX), (1, 0), (2, 0)])).is_err());
    assert!(minicbor::decode::<Position>(&cbor(&[(0, 0), (1, 0), (2, 9)])).is_err());
}

#[test]
fn each_refusal_names_the_field_and_the_reason() {
    let refused = |change: fn(&mut Measurement)| {
        let mut wrong = measured();
        change(&mut wrong);
        Position::new(wrong).unwrap_err()
    };
    let not_finite = |field| PositionError::NotFinite { field };
    assert_eq!(
        refused(|m| m.longitude = f64::NAN),
        not_finite(PositionField::Longitude)
    );
    assert_eq!(
        refused(|m| m.latitude = f64::INFINITY),
        not_finite(PositionField::Latitude)
    );
    assert_eq!(
        refused(|m| m.accuracy_m = Some(f64::NAN)),
        not_finite(PositionField::Accuracy)
    );
    assert_eq!(
        refused(|m| m.longitude = -180.1).field(),
        PositionField::Longitude
    );
    // Longitude and latitude exchanged, the commonest mistake in China.
    assert_eq!(
        refused(|m| (m.longitude, m.latitude) = (m.latitude, m.longitude)),
        PositionError::OutOfRange {
            field: PositionField::Latitude,
            minimum: -90.0,
            maximum: 90.0
        }
    );
    assert_eq!(
        refused(|m| m.accuracy_m = Some(-0.1)).field(),
        PositionField::Accuracy
    );
    assert_eq!(
        refused(|m| m.accuracy_m = Some(100_000.1)).field(),
        PositionField::Accuracy
    );
    assert_eq!(
        refused(|m| m.altitude_m = Some(100_000.1)).field(),
        PositionField::Altitude
    );
    assert_eq!(
        refused(|m| m.fixed_at = Some(Timestamp::from_millis(0))),
        PositionError::ImplausibleFixTime
    );
    let said = refused(|m| m.latitude = 91.0).to_string();
    assert_eq!(
        said,
        "latitude: 须在 -90 至 90 之间 / must lie between -90 and 90"
    );
}

#[test]
fn the_wgs84_copy_follows_the_reference() {
    let shifted = Measurement {
        longitude: 105.597_348,
        latitude: 29.402_020,
        reference: CoordinateReference::Gcj02,
        ..measured()
    };
    let here = Position::new(shifted).unwrap().to_wgs84();
    let truth = Position::new(measured()).unwrap().to_wgs84();
    assert!(crate::geography::distance_m(here, truth) < 0.15, "{here:?}");
}

#[cfg(feature = "openapi")]
#[test]
fn the_schema_requires_the_reference() {
    let schema = serde_json::to_value(<Position as utoipa::PartialSchema>::schema()).unwrap();
    assert_eq!(
        schema["required"],
        serde_json::json!(["longitude", "latitude", "reference"])
    );
    assert_eq!(schema["properties"]["accuracy_m"]["maximum"], 100_000.0);
}

proptest! {
    #[test]
    fn every_position_survives_json_and_cbor(
        longitude in -180.0..=180.0f64,
        latitude in -90.0..=90.0f64,
        accuracy_m in proptest::option::of(0.0..=MAX_ACCURACY_M),
        altitude_m in proptest::option::of(MIN_ALTITUDE_M..=MAX_ALTITUDE_M),
    ) {
        for reference in CoordinateReference::ALL {
            let position = Position::new(Measurement {
                longitude, latitude, reference, accuracy_m, altitude_m, fixed_at: None,
            }).unwrap();
            let json = serde_json::to_string(&position).unwrap();
            prop_assert_eq!(serde_json::from_str::<Position>(&json).unwrap(), position);
            let bytes = minicbor::to_vec(position).unwrap();
            prop_assert_eq!(minicbor::decode::<Position>(&bytes).unwrap(), position);
        }
    }

    #[test]
    fn arbitrary_bytes_never_make_a_position_off_the_earth(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
        if let Ok(position) = minicbor::decode::<Position>(&bytes) {
            prop_assert!(position.longitude_e7().abs() <= 1_800_000_000);
            prop_assert!(position.latitude_e7().abs() <= 900_000_000);
        }
    }
}
