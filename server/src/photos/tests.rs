//! What is told of a file, whatever it is, and what is made of it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use std::io::{Cursor, Write};

use exif::Tag;
use hazardloop_domain::geography::CoordinateReference;
use hazardloop_domain::time::Timestamp;
use image::GenericImageView;

use super::exif::{Metadata, Remark, read};
use super::inspect::{
    EXIF_BYTES, ExifBytes, InspectError, Inspected, MediaType, PictureLimits, inspect,
};
use super::samples::{self, exif_of, hundredths, phone_exif, short, text};
use super::thumbnail::{self, ThumbnailError};

const LIMITS: PictureLimits = PictureLimits {
    pixels: 200_000_000,
    decode_bytes: 1 << 30,
};

fn inspected(bytes: &[u8]) -> Result<Inspected, InspectError> {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(bytes).unwrap();
    inspect(file.path(), LIMITS)
}

fn metadata_of(exif: Vec<u8>) -> Metadata {
    let photo = inspected(&samples::jpeg_with(16, 8, Some(exif))).unwrap();
    read(&photo.exif)
}

#[test]
fn photos_are_told_by_their_content() {
    for (bytes, media_type) in [
        (samples::jpeg(30, 20), MediaType::Jpeg),
        (samples::png(30, 20), MediaType::Png),
        (samples::webp(30, 20), MediaType::Webp),
    ] {
        let photo = inspected(&bytes).unwrap();
        assert_eq!(
            (photo.media_type, photo.width, photo.height),
            (media_type, 30, 20)
        );
    }
}

#[test]
fn what_is_not_a_photo_is_refused_whatever_it_pretends() {
    let page = b"<!DOCTYPE html><script>alert(1)</script>".to_vec();
    for bytes in [
        Vec::new(),
        b"\xFF\xD8".to_vec(),
        b"GIF89a\x01\x00\x01\x00\x00\x00\x00;".to_vec(),
        b"<svg xmlns=\"http://www.w3.org/2000/svg\"/>".to_vec(),
        b"RIFF\x10\x00\x00\x00WAVEfmt ".to_vec(),
        [page.clone(), samples::jpeg(4, 4)].concat(),
    ] {
        assert!(
            matches!(inspected(&bytes), Err(InspectError::NotAPhoto)),
            "{bytes:?}"
        );
    }
    for magic in [
        &b"\xFF\xD8\xFF"[..],
        b"\x89PNG\r\n\x1a\n",
        b"RIFF\x40\0\0\0WEBPVP8 ",
    ] {
        let bytes = [magic, &page].concat();
        assert!(
            matches!(inspected(&bytes), Err(InspectError::Damaged { .. })),
            "{magic:?}"
        );
    }
}

#[test]
fn a_claimed_size_beyond_the_limits_is_refused_without_decoding() {
    let refused = inspected(&samples::png_claiming(60_000, 60_000));
    assert!(
        matches!(refused, Err(InspectError::TooManyPixels { .. })),
        "{refused:?}"
    );
    let refused = inspected(&samples::png_claiming(u32::MAX, u32::MAX));
    assert!(refused.is_err(), "{refused:?}");
    let small = PictureLimits {
        decode_bytes: 1000,
        ..LIMITS
    };
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(&samples::jpeg(100, 100)).unwrap();
    let refused = inspect(file.path(), small);
    assert!(
        matches!(refused, Err(InspectError::TooMuchMemory { .. })),
        "{refused:?}"
    );
}

#[test]
fn every_way_of_cutting_a_photo_short_ends_in_an_answer() {
    for whole in [
        samples::jpeg_with(32, 32, Some(phone_exif())),
        samples::png(8, 8),
        samples::webp(8, 8),
    ] {
        for length in 0..whole.len() {
            let cut = &whole[..length];
            if let Ok(photo) = inspected(cut) {
                let _metadata = read(&photo.exif);
                let _thumbnail = thumbnail::make(Cursor::new(cut), photo.media_type, 1, 16, LIMITS);
            }
        }
    }
}

#[test]
fn a_phones_exif_says_when_where_and_with_what() {
    let metadata = metadata_of(phone_exif());
    assert_eq!(metadata.remarks, []);
    let taken = metadata.taken_at.unwrap();
    assert_eq!(taken.at, Timestamp::parse("2026-11-22T01:30:00Z").unwrap());
    assert_eq!(taken.offset_minutes, 480);
    assert_eq!(metadata.orientation, Some(6));
    assert_eq!(metadata.make.as_deref(), Some("HUAWEI"));
    let position = metadata.position.unwrap();
    assert!((position.latitude - 29.405).abs() < 1e-9, "{position:?}");
    assert!((position.longitude - 105.594).abs() < 1e-9, "{position:?}");
    assert_eq!(position.reference, CoordinateReference::Wgs84);
    assert_eq!(position.accuracy_m, Some(8.5));
    assert_eq!(
        position.fixed_at,
        Some(Timestamp::parse("2026-11-22T01:29:58Z").unwrap())
    );
}

#[test]
fn a_time_without_offset_is_taken_for_chinas_and_said_so() {
    let metadata = metadata_of(exif_of(&[text(
        Tag::DateTimeOriginal,
        "2026:11:22 09:30:00",
    )]));
    let taken = metadata.taken_at.unwrap();
    assert_eq!(taken.at, Timestamp::parse("2026-11-22T01:30:00Z").unwrap());
    assert_eq!(metadata.remarks, [Remark::OffsetAssumed]);
    let foreign = metadata_of(exif_of(&[
        text(Tag::DateTimeOriginal, "2026:11:22 09:30:00"),
        text(Tag::OffsetTimeOriginal, "-05:00"),
    ]));
    let taken = foreign.taken_at.unwrap();
    assert_eq!(taken.at, Timestamp::parse("2026-11-22T14:30:00Z").unwrap());
}

#[test]
fn impossible_times_and_places_are_left_out_with_a_remark() {
    for time in [
        "2026:13:45 99:00:00",
        "0000:00:00 00:00:00",
        "yesterday",
        "",
    ] {
        let metadata = metadata_of(exif_of(&[text(Tag::DateTimeOriginal, time)]));
        assert_eq!(metadata.taken_at, None, "{time:?}");
        assert_eq!(metadata.remarks, [Remark::TimeUnusable], "{time:?}");
    }
    let place = |latitude: f64, datum: &str, side: &str| {
        metadata_of(exif_of(&[
            text(Tag::GPSLatitudeRef, side),
            hundredths(Tag::GPSLatitude, &[latitude, 0.0, 0.0]),
            text(Tag::GPSLongitudeRef, "E"),
            hundredths(Tag::GPSLongitude, &[0.0, 0.0, 0.0]),
            text(Tag::GPSMapDatum, datum),
        ]))
    };
    assert_eq!(
        place(200.0, "WGS-84", "N").remarks,
        [Remark::PositionUnusable]
    );
    assert_eq!(
        place(0.0, "WGS-84", "N").remarks,
        [Remark::PositionUnusable]
    );
    assert_eq!(
        place(20.0, "WGS-84", "?").remarks,
        [Remark::PositionUnusable]
    );
    assert_eq!(
        place(20.0, "TOKYO", "N").remarks,
        [Remark::ReferenceUnknown]
    );
    let south = place(20.0, "GCJ-02", "S").position.unwrap();
    assert_eq!(
        (south.latitude, south.reference),
        (-20.0, CoordinateReference::Gcj02)
    );
}

#[test]
fn damaged_exif_never_refuses_a_good_picture() {
    let whole = phone_exif();
    for at in 0..whole.len() {
        let mut damaged = whole.clone();
        damaged[at] ^= 0xFF;
        damaged.truncate(whole.len() - at / 2);
        let photo = inspected(&samples::jpeg_with(16, 8, Some(damaged))).unwrap();
        let _metadata = read(&photo.exif);
    }
    assert_eq!(
        metadata_of(b"nothing".to_vec()).remarks,
        [Remark::ExifDamaged]
    );
}

#[test]
fn too_much_exif_is_not_read_and_said_so() {
    let much = ExifBytes::Present(vec![0; EXIF_BYTES + 1]);
    assert_eq!(read(&much).remarks, [Remark::ExifTooLarge]);
    assert_eq!(read(&ExifBytes::Absent).remarks, [Remark::NoExif]);
}

#[test]
fn texts_are_shortened_and_cleaned() {
    let long = format!("evil\u{1b}[31m{}", "x".repeat(5000));
    let make = metadata_of(exif_of(&[text(Tag::Make, &long)]))
        .make
        .unwrap();
    assert_eq!(make.chars().count(), super::exif::TEXT_CHARS);
    assert!(make.starts_with("evil[31mx"), "{make}");
}

fn thumbnail(bytes: &[u8], orientation: u8) -> image::DynamicImage {
    let media_type = MediaType::of_first_bytes(bytes).unwrap();
    let made = thumbnail::make(Cursor::new(bytes), media_type, orientation, 64, LIMITS).unwrap();
    let photo = inspected(&made).unwrap();
    assert_eq!(photo.media_type, MediaType::Jpeg);
    assert_eq!(photo.exif, ExifBytes::Absent, "metadata stays behind");
    image::load_from_memory(&made).unwrap()
}

fn is_red(pixel: image::Rgba<u8>) -> bool {
    pixel.0[0] > 150 && pixel.0[2] < 90
}

#[test]
fn a_thumbnail_is_small_and_the_right_way_up() {
    let photo = samples::jpeg_with(200, 100, Some(phone_exif()));
    let flat = thumbnail(&photo, 1);
    assert_eq!(flat.dimensions(), (64, 32));
    assert!(is_red(flat.get_pixel(8, 8)) && !is_red(flat.get_pixel(56, 8)));
    // Orientation 6: to be turned a quarter to the right, so upper left comes to upper right.
    let turned = thumbnail(&photo, 6);
    assert_eq!(turned.dimensions(), (32, 64));
    assert!(is_red(turned.get_pixel(24, 8)) && !is_red(turned.get_pixel(8, 8)));
}

#[test]
fn thumbnails_of_every_format_and_of_odd_shapes() {
    assert_eq!(thumbnail(&samples::webp(100, 50), 1).dimensions(), (64, 32));
    assert_eq!(thumbnail(&samples::png(1000, 1), 1).dimensions(), (64, 1));
    assert_eq!(
        thumbnail(&samples::jpeg(20, 10), 1).dimensions(),
        (20, 10),
        "not enlarged"
    );
    let over_white = thumbnail(&samples::png(100, 100), 1);
    assert!(
        over_white.get_pixel(60, 32).0[0] > 240,
        "what shines through is white"
    );
    assert!(over_white.get_pixel(4, 32).0[0] < 15);
}

#[test]
fn a_thumbnail_beyond_the_memory_limit_is_not_made() {
    let little = PictureLimits {
        decode_bytes: 10_000,
        ..LIMITS
    };
    for bytes in [
        samples::jpeg(200, 200),
        samples::png(200, 200),
        samples::webp(200, 200),
    ] {
        let media_type = MediaType::of_first_bytes(&bytes).unwrap();
        let made = thumbnail::make(Cursor::new(bytes), media_type, 1, 64, little);
        assert!(matches!(made, Err(ThumbnailError::Undecodable(_))));
    }
    let bomb = samples::png_claiming(60_000, 60_000);
    let made = thumbnail::make(Cursor::new(bomb), MediaType::Png, 1, 64, LIMITS);
    assert!(matches!(made, Err(ThumbnailError::Undecodable(_))));
}

#[test]
fn orientations_out_of_range_are_none() {
    assert_eq!(
        metadata_of(exif_of(&[short(Tag::Orientation, 9)])).orientation,
        None
    );
    assert_eq!(
        metadata_of(exif_of(&[short(Tag::Orientation, 8)])).orientation,
        Some(8)
    );
}
