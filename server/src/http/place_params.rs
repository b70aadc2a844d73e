//! Places given as one query parameter: a point, a box, and the area that a list is narrowed to.

use std::str::FromStr;

use hazardloop_domain::geography::{BoundingBox, CoordinateReference, Measurement, Position};

use super::query_text::query_text;
use crate::failure::Failure;
use crate::usecases::read::{Area, MAX_RADIUS_M};

/// A point as a query parameter: `longitude,latitude@reference`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PointParam(pub Position);

/// A box as a query parameter: `west,south,east,north@reference`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BoxParam {
    edges: BoundingBox,
    reference: CoordinateReference,
}

/// Why a text is not a place.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum BadPlace {
    /// Another form.
    #[error("expected {0}, with a coordinate reference (wgs84, cgcs2000, gcj02, bd09) after the @")]
    Form(&'static str),
    /// Numbers that are no place on the earth.
    #[error("{0}")]
    OffTheEarth(String),
}

const POINT_FORM: &str = "longitude,latitude@reference";
const BOX_FORM: &str = "west,south,east,north@reference";

fn numbers<const N: usize>(
    text: &str,
    form: &'static str,
) -> Result<([f64; N], CoordinateReference), BadPlace> {
    let wrong = || BadPlace::Form(form);
    let (numbers, reference) = text.split_once('@').ok_or_else(wrong)?;
    let read: Result<Vec<f64>, _> = numbers.split(',').take(N + 1).map(str::parse).collect();
    let read = <[f64; N]>::try_from(read.map_err(|_| wrong())?).map_err(|_| wrong())?;
    Ok((read, reference.parse().map_err(|_| wrong())?))
}

impl FromStr for PointParam {
    type Err = BadPlace;

    fn from_str(text: &str) -> Result<Self, BadPlace> {
        let ([longitude, latitude], reference) = numbers(text, POINT_FORM)?;
        let measured = Measurement::at(longitude, latitude, reference);
        let point = Position::new(measured);
        point
            .map(Self)
            .map_err(|error| BadPlace::OffTheEarth(error.to_string()))
    }
}

impl FromStr for BoxParam {
    type Err = BadPlace;

    fn from_str(text: &str) -> Result<Self, BadPlace> {
        let ([west, south, east, north], reference) = numbers(text, BOX_FORM)?;
        let edges = BoundingBox::new(west, south, east, north)
            .map_err(|error| BadPlace::OffTheEarth(error.to_string()))?;
        Ok(Self { edges, reference })
    }
}

query_text!(
    PointParam,
    "^-?[0-9]{1,3}([.][0-9]{1,12})?,-?[0-9]{1,2}([.][0-9]{1,12})?@(wgs84|cgcs2000|gcj02|bd09)$",
    "105.594,29.405@gcj02",
    "longitude,latitude@reference"
);
query_text!(
    BoxParam,
    "^(-?[0-9]{1,3}([.][0-9]{1,12})?,){3}-?[0-9]{1,3}([.][0-9]{1,12})?@(wgs84|cgcs2000|gcj02|bd09)$",
    "105.5,29.3,105.7,29.5@wgs84",
    "west,south,east,north@reference"
);

/// The area that a list is narrowed to.
///
/// # Errors
/// [`Failure::Invalid`] when the parameters do not go together or the radius is out of range.
pub fn area(
    near: Option<PointParam>,
    radius_m: Option<f64>,
    bbox: Option<BoxParam>,
) -> Result<Option<Area>, Failure> {
    match (near, radius_m, bbox) {
        (None, None, None) => Ok(None),
        (None, None, Some(BoxParam { edges, reference })) => {
            Ok(Some(Area::Box { edges, reference }))
        }
        (Some(near), Some(radius_m), None) => {
            if !(0.0..=MAX_RADIUS_M).contains(&radius_m) {
                let why = format!("must lie between 0 and {MAX_RADIUS_M} metres");
                return Err(Failure::invalid("radius_m", why));
            }
            Ok(Some(Area::Near {
                centre: near.0.to_wgs84(),
                radius_m,
            }))
        }
        (_, _, Some(_)) => Err(Failure::invalid("bbox", "does not go together with near")),
        _ => Err(Failure::invalid(
            "radius_m",
            "near and radius_m go together",
        )),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_place_needs_its_reference_and_lies_on_the_earth() {
        let point: PointParam = "105.594,29.405@gcj02".parse().unwrap();
        assert_eq!(point.0.reference(), CoordinateReference::Gcj02);
        for wrong in [
            "105.594,29.405",
            "105.594,29.405@",
            "105.594,29.405@mars",
            "105.594@wgs84",
            "1,2,3@wgs84",
            "NaN,2@wgs84",
            "181,2@wgs84",
            "1,-90.1@wgs84",
            "inf,0@wgs84",
            "@wgs84",
        ] {
            assert!(wrong.parse::<PointParam>().is_err(), "{wrong}");
        }
        assert!("105.5,29.3,105.7,29.5@wgs84".parse::<BoxParam>().is_ok());
        assert!("105.5,29.6,105.7,29.5@wgs84".parse::<BoxParam>().is_err());
        assert!("105.5,29.3,105.7@wgs84".parse::<BoxParam>().is_err());
    }

    #[test]
    fn near_has_a_radius_of_at_most_fifty_kilometres() {
        let point: Option<PointParam> = "105.594,29.405@wgs84".parse().ok();
        assert!(area(point, Some(50_000.0), None).unwrap().is_some());
        for radius in [None, Some(50_000.1), Some(-1.0), Some(f64::NAN)] {
            assert!(area(point, radius, None).is_err(), "{radius:?}");
        }
        assert!(area(None, Some(1.0), None).is_err());
    }
}
