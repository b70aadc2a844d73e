//! Pages of lists: opaque cursors, bounded page sizes, and places given as one query parameter.

use std::borrow::Cow;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hazardloop_domain::geography::{BoundingBox, CoordinateReference, Measurement, Position};
use serde::{Deserialize, Deserializer, de};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{RefOr, Schema};
use uuid::Uuid;

use crate::failure::Failure;
use crate::settings::HttpLimits;
use crate::store::lists::Key;
use crate::usecases::read::{Area, MAX_RADIUS_M, Wanted};

/// Rows of a page where nothing is said.
pub const DEFAULT_PAGE_ROWS: usize = 50;

/// Bytes of a cursor: when, and which record.
const CURSOR_BYTES: usize = 24;

/// Where a page begins; opaque to clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor(pub Key);

impl std::fmt::Display for Cursor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut bytes = Vec::with_capacity(CURSOR_BYTES);
        bytes.extend_from_slice(&self.0.at.to_be_bytes());
        bytes.extend_from_slice(self.0.id.as_bytes());
        f.write_str(&URL_SAFE_NO_PAD.encode(bytes))
    }
}

/// A text that no answer of this server contained.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a cursor that this server has given out")]
pub struct BadCursor;

impl FromStr for Cursor {
    type Err = BadCursor;

    fn from_str(text: &str) -> Result<Self, BadCursor> {
        // A longer text is refused before it is decoded.
        if text.len() != CURSOR_BYTES / 3 * 4 {
            return Err(BadCursor);
        }
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| BadCursor)?;
        let (at, id) = bytes.split_first_chunk::<8>().ok_or(BadCursor)?;
        let id = Uuid::from_slice(id).map_err(|_| BadCursor)?;
        Ok(Self(Key {
            at: i64::from_be_bytes(*at),
            id,
        }))
    }
}

/// The size of a page within the limit in force.
///
/// # Errors
/// [`Failure::Invalid`] for 0 and for more rows than a page may have.
pub fn page_rows(limit: Option<usize>, limits: &HttpLimits) -> Result<usize, Failure> {
    let most = limits.page_rows;
    match limit {
        None => Ok(DEFAULT_PAGE_ROWS.min(most)),
        Some(rows) if (1..=most).contains(&rows) => Ok(rows),
        Some(_) => Err(Failure::invalid(
            "limit",
            format!("must lie between 1 and {most}"),
        )),
    }
}

/// Which page of a list is wanted.
///
/// # Errors
/// As [`page_rows`].
pub fn wanted(
    after: Option<Cursor>,
    limit: Option<usize>,
    limits: &HttpLimits,
) -> Result<Wanted, Failure> {
    Ok(Wanted {
        after: after.map(|cursor| cursor.0),
        limit: page_rows(limit, limits)?,
    })
}

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
        let measured = Measurement {
            longitude,
            latitude,
            reference,
            accuracy_m: None,
            altitude_m: None,
            fixed_at: None,
        };
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

macro_rules! query_text {
    ($name:ident, $pattern:literal, $example:literal, $what:literal) => {
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                Cow::<'de, str>::deserialize(d)?
                    .parse()
                    .map_err(de::Error::custom)
            }
        }

        impl utoipa::PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                ObjectBuilder::new()
                    .schema_type(Type::String)
                    .pattern(Some($pattern))
                    .examples([$example])
                    .description(Some($what))
                    .into()
            }
        }

        impl utoipa::ToSchema for $name {}
    };
}

query_text!(
    Cursor,
    "^[A-Za-z0-9_-]{32}$",
    "AAABnGq3mAABnGq3mAB3AIAAAAAAAAAH",
    "Where the next page begins, as an earlier answer said; opaque"
);
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
    fn a_cursor_reads_back_and_nothing_else_does() {
        let cursor = Cursor(Key {
            at: 1_795_000_000_000,
            id: Uuid::from_u128(7),
        });
        assert_eq!(cursor.to_string().parse(), Ok(cursor));
        for wrong in [
            "",
            "abc",
            &"A".repeat(33),
            &"!".repeat(32),
            &"A".repeat(10_000),
        ] {
            assert_eq!(wrong.parse::<Cursor>(), Err(BadCursor), "{wrong}");
        }
    }

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

    #[test]
    fn a_page_has_at_least_one_row_and_at_most_the_limit() {
        let limits = HttpLimits::default();
        assert_eq!(page_rows(None, &limits), Ok(DEFAULT_PAGE_ROWS));
        assert_eq!(
            page_rows(Some(limits.page_rows), &limits),
            Ok(limits.page_rows)
        );
        assert!(page_rows(Some(0), &limits).is_err());
        assert!(page_rows(Some(limits.page_rows + 1), &limits).is_err());
    }
}
