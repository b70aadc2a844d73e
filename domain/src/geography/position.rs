//! A position as it was measured: degrees, coordinate reference, accuracy, altitude, fix time.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::reference::{CoordinateReference, Degrees, Wgs84Point};
use crate::time::Timestamp;

/// Stored units per degree: 1e-7 degree is about a centimetre.
pub const UNITS_PER_DEGREE: f64 = 1e7;
/// The worst accuracy that is still a position, metres (a mobile network cell reaches 35 km).
pub const MAX_ACCURACY_M: f64 = 100_000.0;
/// The lowest altitude accepted, metres (the deepest sea floor is near -11,000).
pub const MIN_ALTITUDE_M: f64 = -12_000.0;
/// The highest altitude accepted, metres (the edge of space).
pub const MAX_ALTITUDE_M: f64 = 100_000.0;

/// What was measured, before it is checked. Build one, then [`Position::new`].
///
/// JSON: `{"longitude": 105.594, "latitude": 29.405, "reference": "wgs84", "accuracy_m": 8.5,
/// "altitude_m": 312, "fixed_at": "2026-11-22T01:00:00Z"}`; the last three may be absent.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Measurement {
    /// Degrees east in `reference`, -180 to 180.
    pub longitude: f64,
    /// Degrees north in `reference`, -90 to 90.
    pub latitude: f64,
    /// The system of the two numbers above. Required: a wrong one costs up to 1.4 km.
    pub reference: CoordinateReference,
    /// Radius of the stated uncertainty, metres, 0 to 100,000.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accuracy_m: Option<f64>,
    /// Height as the device stated it, metres, -12,000 to 100,000.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub altitude_m: Option<f64>,
    /// When the receiver had this fix, by the device's clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fixed_at: Option<Timestamp>,
}

impl Measurement {
    /// Two numbers and their system, and nothing else known of them.
    pub const fn at(longitude: f64, latitude: f64, reference: CoordinateReference) -> Self {
        Self {
            longitude,
            latitude,
            reference,
            accuracy_m: None,
            altitude_m: None,
            fixed_at: None,
        }
    }
}

/// A checked position as measured: 1e-7 degree, decimetres, milliseconds.
///
/// JSON as in [`Measurement`]. CBOR: map of 0 longitude and 1 latitude (1e-7 degree), 2 reference
/// (0 WGS-84, 1 CGCS2000, 2 GCJ-02, 3 BD-09), 3 accuracy and 4 altitude (decimetres), 5 fix time
/// (milliseconds); unknown keys are skipped. Reading either form checks everything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Position {
    longitude_e7: i32,
    latitude_e7: i32,
    reference: CoordinateReference,
    accuracy_dm: Option<u32>,
    altitude_dm: Option<i32>,
    fixed_at: Option<Timestamp>,
}

/// The part of a position that an error is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PositionField {
    /// Degrees east.
    Longitude,
    /// Degrees north.
    Latitude,
    /// Radius of uncertainty.
    Accuracy,
    /// Height.
    Altitude,
    /// Time of the fix.
    FixedAt,
}

/// Why numbers are not a position on the earth.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
pub enum PositionError {
    /// Not a number, or infinite.
    #[error("{field}: 不是有限的数 / is not a finite number")]
    NotFinite {
        /// Which number.
        field: PositionField,
    },
    /// A number outside its range.
    #[error("{field}: 须在 {minimum} 至 {maximum} 之间 / must lie between {minimum} and {maximum}")]
    OutOfRange {
        /// Which number.
        field: PositionField,
        /// The least value accepted, in the unit of the JSON form.
        minimum: f64,
        /// The greatest value accepted, in the unit of the JSON form.
        maximum: f64,
    },
    /// The fix time lies outside the years 2000 to 2100.
    #[error("fixed_at: 须在 2000 年至 2100 年之间 / must lie between 2000 and 2100")]
    ImplausibleFixTime,
}

impl PositionField {
    /// The name of the field in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Longitude => "longitude",
            Self::Latitude => "latitude",
            Self::Accuracy => "accuracy_m",
            Self::Altitude => "altitude_m",
            Self::FixedAt => "fixed_at",
        }
    }
}

impl fmt::Display for PositionField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl PositionError {
    /// The field that is wrong.
    pub const fn field(&self) -> PositionField {
        match self {
            Self::NotFinite { field } | Self::OutOfRange { field, .. } => *field,
            Self::ImplausibleFixTime => PositionField::FixedAt,
        }
    }
}

impl Position {
    /// Checks a measurement, and rounds it to 1e-7 degree and to decimetres.
    pub fn new(measured: Measurement) -> Result<Self, PositionError> {
        check(PositionField::Longitude, measured.longitude, -180.0, 180.0)?;
        check(PositionField::Latitude, measured.latitude, -90.0, 90.0)?;
        if let Some(accuracy_m) = measured.accuracy_m {
            check(PositionField::Accuracy, accuracy_m, 0.0, MAX_ACCURACY_M)?;
        }
        if let Some(altitude_m) = measured.altitude_m {
            check(
                PositionField::Altitude,
                altitude_m,
                MIN_ALTITUDE_M,
                MAX_ALTITUDE_M,
            )?;
        }
        if measured.fixed_at.is_some_and(|at| !at.is_plausible()) {
            return Err(PositionError::ImplausibleFixTime);
        }
        // The ranges checked above fit the integers: 180e7 and 1e6 are below 2^31.
        Ok(Self {
            longitude_e7: (measured.longitude * UNITS_PER_DEGREE).round() as i32,
            latitude_e7: (measured.latitude * UNITS_PER_DEGREE).round() as i32,
            reference: measured.reference,
            accuracy_dm: measured
                .accuracy_m
                .map(|metres| (metres * 10.0).round() as u32),
            altitude_dm: measured
                .altitude_m
                .map(|metres| (metres * 10.0).round() as i32),
            fixed_at: measured.fixed_at,
        })
    }

    /// A position from its stored integers, checked like any other.
    pub fn from_stored(
        longitude_e7: i32,
        latitude_e7: i32,
        reference: CoordinateReference,
        accuracy_dm: Option<u32>,
        altitude_dm: Option<i32>,
        fixed_at: Option<Timestamp>,
    ) -> Result<Self, PositionError> {
        Self::new(Measurement {
            longitude: f64::from(longitude_e7) / UNITS_PER_DEGREE,
            latitude: f64::from(latitude_e7) / UNITS_PER_DEGREE,
            reference,
            accuracy_m: accuracy_dm.map(|decimetres| f64::from(decimetres) / 10.0),
            altitude_m: altitude_dm.map(|decimetres| f64::from(decimetres) / 10.0),
            fixed_at,
        })
    }

    /// Longitude as measured, 1e-7 degree.
    pub const fn longitude_e7(&self) -> i32 {
        self.longitude_e7
    }

    /// Latitude as measured, 1e-7 degree.
    pub const fn latitude_e7(&self) -> i32 {
        self.latitude_e7
    }

    /// The reference the position was measured in.
    pub const fn reference(&self) -> CoordinateReference {
        self.reference
    }

    /// Radius of uncertainty, decimetres.
    pub const fn accuracy_dm(&self) -> Option<u32> {
        self.accuracy_dm
    }

    /// Altitude, decimetres.
    pub const fn altitude_dm(&self) -> Option<i32> {
        self.altitude_dm
    }

    /// When the receiver had the fix, by the device's clock.
    pub const fn fixed_at(&self) -> Option<Timestamp> {
        self.fixed_at
    }

    /// The degrees as measured, in [`Position::reference`].
    pub fn degrees(&self) -> Degrees {
        Degrees {
            longitude: f64::from(self.longitude_e7) / UNITS_PER_DEGREE,
            latitude: f64::from(self.latitude_e7) / UNITS_PER_DEGREE,
        }
    }

    /// The same place in WGS-84, for queries; what was measured stays what is stored.
    pub fn to_wgs84(&self) -> Wgs84Point {
        self.reference.to_wgs84(self.degrees())
    }

    /// The values as JSON shows them.
    pub fn measurement(&self) -> Measurement {
        let Degrees {
            longitude,
            latitude,
        } = self.degrees();
        Measurement {
            longitude,
            latitude,
            reference: self.reference,
            accuracy_m: self
                .accuracy_dm
                .map(|decimetres| f64::from(decimetres) / 10.0),
            altitude_m: self
                .altitude_dm
                .map(|decimetres| f64::from(decimetres) / 10.0),
            fixed_at: self.fixed_at,
        }
    }
}

fn check(
    field: PositionField,
    value: f64,
    minimum: f64,
    maximum: f64,
) -> Result<(), PositionError> {
    if !value.is_finite() {
        Err(PositionError::NotFinite { field })
    } else if !(minimum..=maximum).contains(&value) {
        Err(PositionError::OutOfRange {
            field,
            minimum,
            maximum,
        })
    } else {
        Ok(())
    }
}

impl TryFrom<Measurement> for Position {
    type Error = PositionError;

    fn try_from(measured: Measurement) -> Result<Self, Self::Error> {
        Self::new(measured)
    }
}

impl Serialize for Position {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.measurement().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Position {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(Measurement::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}

/// The CBOR form before it is checked.
#[derive(minicbor::Encode, minicbor::Decode)]
#[cbor(map)]
struct Wire {
    /// 1e-7 degree east in `reference`, -180 to 180 degrees.
    #[n(0)]
    longitude_e7: i32,
    /// 1e-7 degree north, -90 to 90 degrees.
    #[n(1)]
    latitude_e7: i32,
    /// The system of both numbers.
    #[n(2)]
    reference: CoordinateReference,
    /// Radius of the stated uncertainty, decimetres, 0 to 100 km.
    #[n(3)]
    accuracy_dm: Option<u32>,
    /// Height as the device stated it, decimetres, -12 to 100 km.
    #[n(4)]
    altitude_dm: Option<i32>,
    /// When the receiver had this fix, by the device's clock; 2000 to 2100.
    #[n(5)]
    fixed_at: Option<Timestamp>,
}

impl<C> minicbor::Encode<C> for Position {
    fn encode<W: minicbor::encode::Write>(
        &self,
        encoder: &mut minicbor::Encoder<W>,
        context: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        Wire {
            longitude_e7: self.longitude_e7,
            latitude_e7: self.latitude_e7,
            reference: self.reference,
            accuracy_dm: self.accuracy_dm,
            altitude_dm: self.altitude_dm,
            fixed_at: self.fixed_at,
        }
        .encode(encoder, context)
    }
}

impl<'b, C> minicbor::Decode<'b, C> for Position {
    fn decode(
        decoder: &mut minicbor::Decoder<'b>,
        context: &mut C,
    ) -> Result<Self, minicbor::decode::Error> {
        let at = decoder.position();
        let raw = Wire::decode(decoder, context)?;
        Self::from_stored(
            raw.longitude_e7,
            raw.latitude_e7,
            raw.reference,
            raw.accuracy_dm,
            raw.altitude_dm,
            raw.fixed_at,
        )
        .map_err(|error| minicbor::decode::Error::custom(error).at(at))
    }
}

#[cfg(feature = "openapi")]
#[path = "position_schema.rs"]
mod schema;

#[cfg(test)]
#[path = "position_tests.rs"]
mod tests;
