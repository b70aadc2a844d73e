//! Pictures that tests make, sound and unsound.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use std::io::Cursor;

pub(crate) use hazardloop_tests::evidence::{mp4, mp4_box, pdf, zip};

use exif::experimental::Writer;
use exif::{Field, In, Rational, Tag, Value};
use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::PngEncoder;
use image::codecs::webp::WebPEncoder;
use image::{ExtendedColorType, ImageEncoder, RgbImage, RgbaImage};

/// Red in the upper left quarter, dark elsewhere: its orientation can be seen.
fn picture(width: u32, height: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, y| {
        if x < width / 2 && y < height / 2 {
            image::Rgb([230, 20, 20])
        } else {
            image::Rgb([10, 10, 40])
        }
    })
}

/// A JPEG without metadata.
pub(crate) fn jpeg(width: u32, height: u32) -> Vec<u8> {
    jpeg_with(width, height, None)
}

/// A JPEG that differs from others in its seed.
pub(crate) fn another_jpeg(seed: u8) -> Vec<u8> {
    let picture = RgbImage::from_pixel(24, 16, image::Rgb([seed, 128, 255 - seed]));
    let mut bytes = Vec::new();
    JpegEncoder::new(&mut bytes).encode_image(&picture).unwrap();
    bytes
}

/// A JPEG with this EXIF block.
pub(crate) fn jpeg_with(width: u32, height: u32, exif: Option<Vec<u8>>) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = JpegEncoder::new_with_quality(&mut bytes, 92);
    if let Some(exif) = exif {
        encoder.set_exif_metadata(exif).unwrap();
    }
    encoder.encode_image(&picture(width, height)).unwrap();
    bytes
}

/// A PNG whose right half is transparent.
pub(crate) fn png(width: u32, height: u32) -> Vec<u8> {
    let picture = RgbaImage::from_fn(width, height, |x, _| {
        image::Rgba([0, 0, 0, if x < width / 2 { 255 } else { 0 }])
    });
    let mut bytes = Vec::new();
    PngEncoder::new(&mut bytes)
        .write_image(&picture, width, height, ExtendedColorType::Rgba8)
        .unwrap();
    bytes
}

/// A WebP.
pub(crate) fn webp(width: u32, height: u32) -> Vec<u8> {
    let mut bytes = Vec::new();
    WebPEncoder::new_lossless(&mut bytes)
        .encode(
            &picture(width, height),
            width,
            height,
            ExtendedColorType::Rgb8,
        )
        .unwrap();
    bytes
}

/// A PNG of one pixel whose header claims this size.
pub(crate) fn png_claiming(width: u32, height: u32) -> Vec<u8> {
    let mut bytes = png(1, 1);
    bytes[16..20].copy_from_slice(&width.to_be_bytes());
    bytes[20..24].copy_from_slice(&height.to_be_bytes());
    let sum = crc32(&bytes[12..29]);
    bytes[29..33].copy_from_slice(&sum.to_be_bytes());
    bytes
}

/// The checksum of PNG chunks (ISO 3309).
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |sum, byte| {
        (0..8).fold(sum ^ u32::from(*byte), |sum, _| {
            (sum >> 1) ^ (0xEDB8_8320 * (sum & 1))
        })
    })
}

/// An EXIF block with these fields.
pub(crate) fn exif_of(fields: &[Field]) -> Vec<u8> {
    let mut writer = Writer::new();
    for field in fields {
        writer.push_field(field);
    }
    let mut block = Cursor::new(Vec::new());
    writer.write(&mut block, false).unwrap();
    block.into_inner()
}

/// A text field.
pub(crate) fn text(tag: Tag, value: &str) -> Field {
    field(tag, Value::Ascii(vec![value.as_bytes().to_vec()]))
}

/// A field of hundredths.
pub(crate) fn hundredths(tag: Tag, values: &[f64]) -> Field {
    let rational = |value: &f64| Rational {
        num: (value * 100.0).round() as u32,
        denom: 100,
    };
    field(tag, Value::Rational(values.iter().map(rational).collect()))
}

/// A small number.
pub(crate) fn short(tag: Tag, value: u16) -> Field {
    field(tag, Value::Short(vec![value]))
}

fn field(tag: Tag, value: Value) -> Field {
    Field {
        tag,
        ifd_num: In::PRIMARY,
        value,
    }
}

/// What a phone in Dazu writes: 2026-11-22 09:30 at 29°24'18"N 105°35'38.4"E, turned right.
pub(crate) fn phone_exif() -> Vec<u8> {
    exif_of(&[
        text(Tag::Make, "HUAWEI"),
        text(Tag::Model, "ALN-AL00"),
        short(Tag::Orientation, 6),
        text(Tag::DateTimeOriginal, "2026:11:22 09:30:00"),
        text(Tag::OffsetTimeOriginal, "+08:00"),
        text(Tag::GPSLatitudeRef, "N"),
        hundredths(Tag::GPSLatitude, &[29.0, 24.0, 18.0]),
        text(Tag::GPSLongitudeRef, "E"),
        hundredths(Tag::GPSLongitude, &[105.0, 35.0, 38.4]),
        hundredths(Tag::GPSHPositioningError, &[8.5]),
        text(Tag::GPSMapDatum, "WGS-84"),
        text(Tag::GPSDateStamp, "2026:11:22"),
        hundredths(Tag::GPSTimeStamp, &[1.0, 29.0, 58.0]),
    ])
}
