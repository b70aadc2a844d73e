//! Coordinate references in use in China, and the conversions between them.
//!
//! Phones measure WGS-84; 天地图 and official survey data are CGCS2000; 高德 and 腾讯 maps show
//! GCJ-02, 百度 shows BD-09. A wrong tag costs 0.5 to 1.4 km, so nothing here guesses one.

use std::f64::consts::PI;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// West edge of the box in which GCJ-02 and BD-09 differ from WGS-84, in degrees.
pub const SHIFTED_WEST: f64 = 72.004;
/// East edge of that box, in degrees.
pub const SHIFTED_EAST: f64 = 137.8347;
/// South edge of that box, in degrees.
pub const SHIFTED_SOUTH: f64 = 0.8293;
/// North edge of that box, in degrees.
pub const SHIFTED_NORTH: f64 = 55.8271;

/// An inverse has converged when a step moves the point by less than this many degrees (0.1 mm).
pub const INVERSE_TOLERANCE_DEGREES: f64 = 1e-9;
/// Steps after which an inverse stops in any case; three to five are enough in practice.
pub const INVERSE_MAX_STEPS: u32 = 20;

/// Semi-major axis of the Krasovsky 1940 ellipsoid that the published GCJ-02 formula uses, metres.
const KRASOVSKY_AXIS_M: f64 = 6_378_245.0;
/// Squared eccentricity of that ellipsoid.
const KRASOVSKY_ECCENTRICITY_SQUARED: f64 = 0.006_693_421_622_965_943;
/// Angular frequency of the BD-09 perturbation.
const BD09_FREQUENCY: f64 = PI * 3000.0 / 180.0;
const BD09_SHIFT_LONGITUDE: f64 = 0.0065;
const BD09_SHIFT_LATITUDE: f64 = 0.006;

/// The system in which a pair of degrees was measured or drawn.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Hash,
    Serialize,
    Deserialize,
    minicbor::Encode,
    minicbor::Decode,
)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
#[cbor(index_only)]
pub enum CoordinateReference {
    /// WGS-84: what GNSS receivers in phones report.
    #[n(0)]
    Wgs84,
    /// CGCS2000: the national system; the same numbers as WGS-84 at the accuracy of a phone.
    #[n(1)]
    Cgcs2000,
    /// GCJ-02: the shifted system of public maps in mainland China.
    #[n(2)]
    Gcj02,
    /// BD-09: 百度's further shift of GCJ-02.
    #[n(3)]
    Bd09,
}

/// The text or number is not one of the four known references.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "坐标系须为 wgs84、cgcs2000、gcj02 或 bd09 / the coordinate reference must be wgs84, cgcs2000, gcj02 or bd09"
)]
pub struct UnknownReference;

/// Longitude and latitude in degrees, in a reference stated elsewhere.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Degrees {
    /// Degrees east, -180 to 180.
    pub longitude: f64,
    /// Degrees north, -90 to 90.
    pub latitude: f64,
}

/// A point in WGS-84 degrees: the form that queries, cells and boundaries use.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Wgs84Point {
    /// Degrees east, -180 to 180.
    pub longitude: f64,
    /// Degrees north, -90 to 90.
    pub latitude: f64,
}

impl CoordinateReference {
    /// Every reference, in the order of their numbers.
    pub const ALL: [Self; 4] = [Self::Wgs84, Self::Cgcs2000, Self::Gcj02, Self::Bd09];

    /// The name used in JSON, in SQL and in configuration.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Wgs84 => "wgs84",
            Self::Cgcs2000 => "cgcs2000",
            Self::Gcj02 => "gcj02",
            Self::Bd09 => "bd09",
        }
    }

    /// Converts degrees of this reference to WGS-84.
    ///
    /// GCJ-02 and BD-09 are inverted by fixed-point iteration of the published approximation,
    /// within [`INVERSE_TOLERANCE_DEGREES`]; real services differ from it by one to two metres.
    /// Degrees outside the shifted box come back unchanged, so within about a kilometre of its
    /// edges (sea and foreign land) the conversion there and back is not exact.
    pub fn to_wgs84(self, from: Degrees) -> Wgs84Point {
        let degrees = match self {
            Self::Wgs84 | Self::Cgcs2000 => from,
            Self::Gcj02 if is_shifted(from) => invert(from, gcj02_from_wgs84),
            Self::Bd09 => {
                let gcj02 = gcj02_from_bd09(from);
                if is_shifted(gcj02) {
                    invert(gcj02, gcj02_from_wgs84)
                } else {
                    from
                }
            }
            Self::Gcj02 => from,
        };
        Wgs84Point {
            longitude: degrees.longitude,
            latitude: degrees.latitude,
        }
    }

    /// Converts a WGS-84 point to degrees of this reference, for display on its maps.
    ///
    /// Points outside the shifted box come back unchanged.
    pub fn from_wgs84(self, point: Wgs84Point) -> Degrees {
        let degrees = Degrees {
            longitude: point.longitude,
            latitude: point.latitude,
        };
        match self {
            Self::Gcj02 if is_shifted(degrees) => gcj02_from_wgs84(degrees),
            Self::Bd09 if is_shifted(degrees) => bd09_from_gcj02(gcj02_from_wgs84(degrees)),
            _ => degrees,
        }
    }
}

impl fmt::Display for CoordinateReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for CoordinateReference {
    type Err = UnknownReference;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|known| known.as_str() == text)
            .ok_or(UnknownReference)
    }
}

/// Whether GCJ-02 and BD-09 differ from WGS-84 at this place.
fn is_shifted(at: Degrees) -> bool {
    (SHIFTED_WEST..=SHIFTED_EAST).contains(&at.longitude)
        && (SHIFTED_SOUTH..=SHIFTED_NORTH).contains(&at.latitude)
}

/// Finds the point that `forward` maps to `target`. Both shifts are contractions (their slope is
/// below 0.02), so stepping by the remaining difference converges.
fn invert(target: Degrees, forward: impl Fn(Degrees) -> Degrees) -> Degrees {
    let mut guess = target;
    for _ in 0..INVERSE_MAX_STEPS {
        let reached = forward(guess);
        let longitude_step = target.longitude - reached.longitude;
        let latitude_step = target.latitude - reached.latitude;
        guess.longitude += longitude_step;
        guess.latitude += latitude_step;
        if longitude_step.abs().max(latitude_step.abs()) < INVERSE_TOLERANCE_DEGREES {
            break;
        }
    }
    guess
}

fn gcj02_from_wgs84(from: Degrees) -> Degrees {
    let x = from.longitude - 105.0;
    let y = from.latitude - 35.0;
    let radians = from.latitude.to_radians();
    let bulge = 1.0 - KRASOVSKY_ECCENTRICITY_SQUARED * radians.sin().powi(2);
    let meridian_m =
        KRASOVSKY_AXIS_M * (1.0 - KRASOVSKY_ECCENTRICITY_SQUARED) / (bulge * bulge.sqrt());
    let parallel_m = KRASOVSKY_AXIS_M / bulge.sqrt() * radians.cos();
    Degrees {
        longitude: from.longitude + (shift_east_m(x, y) / parallel_m).to_degrees(),
        latitude: from.latitude + (shift_north_m(x, y) / meridian_m).to_degrees(),
    }
}

fn shift_east_m(x: f64, y: f64) -> f64 {
    let polynomial = 300.0 + x + 2.0 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * x.abs().sqrt();
    let waves = 20.0 * (6.0 * PI * x).sin()
        + 20.0 * (2.0 * PI * x).sin()
        + 20.0 * (PI * x).sin()
        + 40.0 * (PI * x / 3.0).sin()
        + 150.0 * (PI * x / 12.0).sin()
        + 300.0 * (PI * x / 30.0).sin();
    polynomial + waves * 2.0 / 3.0
}

fn shift_north_m(x: f64, y: f64) -> f64 {
    let polynomial = -100.0 + 2.0 * x + 3.0 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * x.abs().sqrt();
    let waves = 20.0 * (6.0 * PI * x).sin()
        + 20.0 * (2.0 * PI * x).sin()
        + 20.0 * (PI * y).sin()
        + 40.0 * (PI * y / 3.0).sin()
        + 160.0 * (PI * y / 12.0).sin()
        + 320.0 * (PI * y / 30.0).sin();
    polynomial + waves * 2.0 / 3.0
}

fn bd09_from_gcj02(from: Degrees) -> Degrees {
    let radius =
        from.longitude.hypot(from.latitude) + 2e-5 * (from.latitude * BD09_FREQUENCY).sin();
    let angle =
        from.latitude.atan2(from.longitude) + 3e-6 * (from.longitude * BD09_FREQUENCY).cos();
    Degrees {
        longitude: radius * angle.cos() + BD09_SHIFT_LONGITUDE,
        latitude: radius * angle.sin() + BD09_SHIFT_LATITUDE,
    }
}

/// The published closed form is some 5 cm off, so the forward formula is iterated instead.
fn gcj02_from_bd09(from: Degrees) -> Degrees {
    invert(from, bd09_from_gcj02)
}

#[cfg(test)]
#[path = "reference_tests.rs"]
mod tests;
