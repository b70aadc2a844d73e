//! What a camera wrote into a photo (Exif 2.32, CIPA DC-008): when, where, which way up, with what.
//!
//! None of it is trusted and none of it can refuse a photo: what cannot be read is left out, and a
//! remark says so.

use std::panic::catch_unwind;

use exif::{Exif, Field, In, Reader, Tag, Value};
use hazardloop_domain::geography::{CoordinateReference, Measurement, Position};
use hazardloop_domain::time::{SHANGHAI_OFFSET_MS, Timestamp};
use serde::{Deserialize, Serialize};

use super::inspect::{EXIF_BYTES, ExifBytes};

/// Characters of a text field that are kept.
pub const TEXT_CHARS: usize = 200;
/// The orientation of a photo that does not say.
const UPRIGHT: u8 = 1;

/// What EXIF said. Personal: served only to those who judge evidence and to who brought the photo.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = PhotoMetadata)]
pub struct Metadata {
    /// When it was taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub taken_at: Option<TakenAt>,
    /// Where it was taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Position>)]
    pub position: Option<Measurement>,
    /// Which way up, 1 to 8.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = 6, minimum = 1, maximum = 8)]
    pub orientation: Option<u8>,
    /// Who made the camera.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "HUAWEI")]
    pub make: Option<String>,
    /// Which camera.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// What wrote the file last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub software: Option<String>,
    /// What was assumed, and what could not be read.
    #[serde(default)]
    pub remarks: Vec<Remark>,
}

/// A time of capture.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = PhotoTakenAt)]
pub struct TakenAt {
    /// The instant.
    pub at: Timestamp,
    /// Minutes east of UTC, as written or as assumed.
    #[schema(example = 480)]
    pub offset_minutes: i16,
}

/// Something to know about [`Metadata`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = PhotoMetadataRemark)]
pub enum Remark {
    /// There is no EXIF.
    NoExif,
    /// There is more EXIF than is read.
    ExifTooLarge,
    /// The EXIF, or a part of it, is damaged.
    ExifDamaged,
    /// The capture time has no offset; Asia/Shanghai (UTC+8) was assumed.
    OffsetAssumed,
    /// The capture time cannot be a time.
    TimeUnusable,
    /// The position does not say its reference; WGS-84 was assumed.
    ReferenceAssumed,
    /// The position is in a reference that is not known here, and was left out.
    ReferenceUnknown,
    /// The position cannot be one, or its receiver had no fix.
    PositionUnusable,
}

impl Metadata {
    /// The orientation, upright where none is given.
    pub fn orientation_or_upright(&self) -> u8 {
        self.orientation.unwrap_or(UPRIGHT)
    }
}

/// Reads the EXIF of an inspected file. Never fails: see [`Remark`].
pub fn read(bytes: &ExifBytes) -> Metadata {
    let bytes = match bytes {
        ExifBytes::Absent => return only(Remark::NoExif),
        ExifBytes::Unreadable => return only(Remark::ExifDamaged),
        ExifBytes::TooLarge { .. } => return only(Remark::ExifTooLarge),
        ExifBytes::Present(bytes) if bytes.len() > EXIF_BYTES => {
            return only(Remark::ExifTooLarge);
        }
        ExifBytes::Present(bytes) => bytes,
    };
    // Some writers of WebP put JPEG's prefix before the block.
    let bytes = bytes.strip_prefix(b"Exif\0\0").unwrap_or(bytes).to_vec();
    // The reader is third-party code over hostile bytes: should it panic, the photo is still good.
    catch_unwind(|| parse(bytes)).unwrap_or_else(|_| only(Remark::ExifDamaged))
}

fn only(remark: Remark) -> Metadata {
    Metadata {
        remarks: vec![remark],
        ..Metadata::default()
    }
}

fn parse(bytes: Vec<u8>) -> Metadata {
    let mut damaged = false;
    let read = Reader::new().continue_on_error(true).read_raw(bytes);
    let exif = read.or_else(|error| error.distill_partial_result(|_| damaged = true));
    let Ok(exif) = exif else {
        return only(Remark::ExifDamaged);
    };
    let mut metadata = Metadata {
        orientation: exif
            .get_field(Tag::Orientation, In::PRIMARY)
            .and_then(|field| field.value.get_uint(0))
            .and_then(|value| u8::try_from(value).ok())
            .filter(|value| (1..=8).contains(value)),
        make: text(&exif, Tag::Make),
        model: text(&exif, Tag::Model),
        software: text(&exif, Tag::Software),
        ..Metadata::default()
    };
    if damaged {
        metadata.remarks.push(Remark::ExifDamaged);
    }
    metadata.taken_at = taken_at(&exif, &mut metadata.remarks);
    metadata.position = position(&exif, &mut metadata.remarks);
    metadata
}

fn ascii(exif: &Exif, tag: Tag) -> Option<&[u8]> {
    match &exif.get_field(tag, In::PRIMARY)?.value {
        Value::Ascii(lines) => lines.first().map(Vec::as_slice),
        _ => None,
    }
}

/// A text field, shortened, without what a terminal or a page could take amiss.
fn text(exif: &Exif, tag: Tag) -> Option<String> {
    let text = String::from_utf8_lossy(ascii(exif, tag)?);
    let kept: String = text
        .chars()
        .filter(|c| !c.is_control())
        .take(TEXT_CHARS)
        .collect();
    let kept = kept.trim();
    (!kept.is_empty()).then(|| kept.to_owned())
}

fn taken_at(exif: &Exif, remarks: &mut Vec<Remark>) -> Option<TakenAt> {
    let written = ascii(exif, Tag::DateTimeOriginal)?;
    let offset = ascii(exif, Tag::OffsetTimeOriginal);
    let Some((at, offset_minutes)) = instant(written, ascii(exif, Tag::SubSecTimeOriginal), offset)
    else {
        remarks.push(Remark::TimeUnusable);
        return None;
    };
    let assumed = (SHANGHAI_OFFSET_MS / 60_000) as i16;
    if offset_minutes.is_none() {
        remarks.push(Remark::OffsetAssumed);
    }
    Some(TakenAt {
        at,
        offset_minutes: offset_minutes.unwrap_or(assumed),
    })
}

/// The instant of `YYYY:MM:DD hh:mm:ss`, and the offset in minutes where one is given.
fn instant(
    written: &[u8],
    fraction: Option<&[u8]>,
    offset: Option<&[u8]>,
) -> Option<(Timestamp, Option<i16>)> {
    let mut time = exif::DateTime::from_ascii(written).ok()?;
    // A damaged fraction or offset counts as none.
    let _no_fraction = fraction.map(|fraction| time.parse_subsec(fraction));
    let _no_offset = offset.map(|offset| time.parse_offset(offset));
    let part = |value: u8| i8::try_from(value).ok();
    let civil = jiff::civil::DateTime::new(
        i16::try_from(time.year).ok()?,
        part(time.month)?,
        part(time.day)?,
        part(time.hour)?,
        part(time.minute)?,
        part(time.second)?,
        i32::try_from(time.nanosecond.unwrap_or(0)).ok()?,
    )
    .ok()?;
    let seconds = match time.offset {
        Some(minutes) => i32::from(minutes) * 60,
        None => (SHANGHAI_OFFSET_MS / 1000) as i32,
    };
    let zone = jiff::tz::Offset::from_seconds(seconds).ok()?;
    let at = Timestamp::from_millis(zone.to_timestamp(civil).ok()?.as_millisecond());
    at.is_plausible().then_some((at, time.offset))
}

fn position(exif: &Exif, remarks: &mut Vec<Remark>) -> Option<Measurement> {
    let latitude = exif.get_field(Tag::GPSLatitude, In::PRIMARY)?;
    let longitude = exif.get_field(Tag::GPSLongitude, In::PRIMARY)?;
    let reference = match ascii(exif, Tag::GPSMapDatum) {
        None => {
            remarks.push(Remark::ReferenceAssumed);
            CoordinateReference::Wgs84
        }
        Some(written) => match reference(written) {
            Some(reference) => reference,
            None => {
                remarks.push(Remark::ReferenceUnknown);
                return None;
            }
        },
    };
    let degrees = degrees(longitude, ascii(exif, Tag::GPSLongitudeRef), b'E', b'W').zip(degrees(
        latitude,
        ascii(exif, Tag::GPSLatitudeRef),
        b'N',
        b'S',
    ));
    // Without a fix, cameras write the status V, or zeros.
    let no_fix = ascii(exif, Tag::GPSStatus) == Some(b"V".as_slice());
    let usable = degrees
        .filter(|degrees| !no_fix && *degrees != (0.0, 0.0))
        .map(|(longitude, latitude)| Measurement {
            longitude,
            latitude,
            reference,
            accuracy_m: number(exif, Tag::GPSHPositioningError),
            altitude_m: altitude(exif),
            fixed_at: fixed_at(exif),
        })
        .and_then(checked);
    if usable.is_none() {
        remarks.push(Remark::PositionUnusable);
    }
    usable
}

/// The measurement if it can be one, without such of its lesser fields as cannot.
fn checked(measured: Measurement) -> Option<Measurement> {
    let bare = Measurement {
        accuracy_m: None,
        altitude_m: None,
        fixed_at: None,
        ..measured
    };
    Position::new(bare).ok()?;
    let good = |candidate: Measurement| Position::new(candidate).is_ok();
    Some(Measurement {
        accuracy_m: measured.accuracy_m.filter(|_| {
            good(Measurement {
                accuracy_m: measured.accuracy_m,
                ..bare
            })
        }),
        altitude_m: measured.altitude_m.filter(|_| {
            good(Measurement {
                altitude_m: measured.altitude_m,
                ..bare
            })
        }),
        fixed_at: measured.fixed_at.filter(|_| {
            good(Measurement {
                fixed_at: measured.fixed_at,
                ..bare
            })
        }),
        ..bare
    })
}

fn reference(written: &[u8]) -> Option<CoordinateReference> {
    let plain: String = String::from_utf8_lossy(written)
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|c| c.to_ascii_uppercase())
        .collect();
    match plain.as_str() {
        "WGS84" => Some(CoordinateReference::Wgs84),
        "CGCS2000" => Some(CoordinateReference::Cgcs2000),
        "GCJ02" => Some(CoordinateReference::Gcj02),
        "BD09" => Some(CoordinateReference::Bd09),
        _ => None,
    }
}

fn rational(field: &Field, index: usize) -> Option<f64> {
    match &field.value {
        Value::Rational(numbers) => numbers
            .get(index)
            .filter(|number| number.denom != 0)
            .map(exif::Rational::to_f64),
        _ => None,
    }
}

fn number(exif: &Exif, tag: Tag) -> Option<f64> {
    rational(exif.get_field(tag, In::PRIMARY)?, 0)
}

/// Degrees, minutes and seconds with a letter for the side; without the letter there is no telling.
fn degrees(field: &Field, side: Option<&[u8]>, plus: u8, minus: u8) -> Option<f64> {
    let part = |index| rational(field, index);
    // Writers that count in decimal degrees or minutes leave the rest out, or 0/0.
    let value = part(0)? + part(1).unwrap_or(0.0) / 60.0 + part(2).unwrap_or(0.0) / 3600.0;
    let letter = side?.first()?.to_ascii_uppercase();
    if letter == plus {
        Some(value)
    } else if letter == minus {
        Some(-value)
    } else {
        None
    }
}

fn altitude(exif: &Exif) -> Option<f64> {
    let metres = number(exif, Tag::GPSAltitude)?;
    let below = exif
        .get_field(Tag::GPSAltitudeRef, In::PRIMARY)
        .and_then(|field| field.value.get_uint(0))
        == Some(1);
    Some(if below { -metres } else { metres })
}

/// The time of the fix: UTC, by the standard.
fn fixed_at(exif: &Exif) -> Option<Timestamp> {
    let date = std::str::from_utf8(ascii(exif, Tag::GPSDateStamp)?).ok()?;
    let time = exif.get_field(Tag::GPSTimeStamp, In::PRIMARY)?;
    let mut day = date.trim().splitn(3, ':');
    let (year, month, of_month) = (day.next()?, day.next()?, day.next()?);
    let date = jiff::civil::Date::new(
        year.parse().ok()?,
        month.parse().ok()?,
        of_month.parse().ok()?,
    )
    .ok()?;
    let midnight = date.at(0, 0, 0, 0).to_zoned(jiff::tz::TimeZone::UTC).ok()?;
    let hours = rational(time, 0)? * 3600.0;
    let seconds = hours + rational(time, 1)? * 60.0 + rational(time, 2)?;
    if !(0.0..86_401.0).contains(&seconds) {
        return None;
    }
    let at = midnight.timestamp().as_millisecond() + (seconds * 1000.0).round() as i64;
    Some(Timestamp::from_millis(at)).filter(|at| at.is_plausible())
}
