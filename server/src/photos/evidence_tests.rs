//! Documents and clips: what is whole is taken, and nothing that pretends to be one.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use std::io::Write;

use super::inspect::{ExifBytes, InspectError, Inspected, MediaType, PictureLimits, inspect};
use super::samples::{mp4, mp4_box, pdf, zip};

fn inspected(bytes: &[u8]) -> Result<Inspected, InspectError> {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(bytes).unwrap();
    let limits = PictureLimits {
        pixels: 1,
        decode_bytes: 1,
    };
    inspect(file.path(), limits)
}

fn damaged(bytes: &[u8], why: &str) {
    let refused = inspected(bytes);
    assert!(
        matches!(refused, Err(InspectError::Damaged { .. })),
        "{why}: {refused:?}"
    );
}

fn none_of_them(bytes: &[u8], why: &str) {
    let refused = inspected(bytes);
    assert!(
        matches!(refused, Err(InspectError::NotAPhoto)),
        "{why}: {refused:?}"
    );
}

#[test]
fn a_whole_document_and_a_whole_clip_are_told_by_their_content() {
    for (bytes, media_type) in [(pdf("minutes"), MediaType::Pdf), (mp4(900), MediaType::Mp4)] {
        let file = inspected(&bytes).unwrap();
        assert_eq!(file.media_type, media_type);
        assert_eq!((file.width, file.height), (0, 0));
        assert_eq!(file.exif, ExifBytes::Absent);
    }
    // What some programs leave behind the end.
    inspected(&[pdf("a"), b"\r\n\0\0".to_vec()].concat()).unwrap();
    let two = String::from_utf8(pdf("a"))
        .unwrap()
        .replace("%PDF-1.7", "%PDF-2.0");
    inspected(two.as_bytes()).unwrap();
}

#[test]
fn every_way_of_cutting_a_document_or_clip_short_is_refused() {
    for whole in [pdf("minutes"), mp4(900)] {
        for length in 0..whole.len() {
            // The line feed behind the mark of a document's end is no loss.
            if whole[..length].ends_with(b"%%EOF") {
                continue;
            }
            assert!(inspected(&whole[..length]).is_err(), "{length} bytes");
        }
    }
}

#[test]
fn what_is_no_document_is_refused_whatever_it_pretends() {
    let page = b"<!DOCTYPE html><script>alert(1)</script>";
    none_of_them(page, "a page");
    let behind = [&page[..], &pdf("a")].concat();
    none_of_them(&behind, "a page before a document");
    damaged(b"%PDF-1.7", "only its mark");
    damaged(b"%PDF-9.9\nstartxref\n0\n%%EOF", "a version that is none");
    let of = |head: &[u8]| [b"%PDF-1.7\n", head, b"\nstartxref\n9\n%%EOF\n"].concat();
    inspected(&of(b"1 0 obj")).unwrap();
    for markup in [
        &page[..],
        b"<HTML>",
        b"x <ScRiPt>",
        b"<svg onload=alert(1)>",
    ] {
        damaged(&of(markup), "a document that is a page as well");
    }
    let far = String::from_utf8(pdf("a")).unwrap();
    let far = far.replace("startxref\n", "startxref\n9999999");
    damaged(far.as_bytes(), "its objects lie beyond its end");
    let more = [pdf("a"), vec![b'x'; 2_000]].concat();
    damaged(&more, "much behind its end");
    let archive = [pdf("a"), zip()].concat();
    damaged(&archive, "an archive behind it");
    let hidden = [
        b"%PDF-1.7\n".to_vec(),
        zip(),
        b"\nstartxref\n9\n%%EOF".to_vec(),
    ]
    .concat();
    damaged(&hidden, "an archive within it");
}

#[test]
fn what_is_no_clip_is_refused_whatever_it_pretends() {
    none_of_them(&zip(), "an archive");
    none_of_them(&mp4_box(b"ftyp", b"heic\0\0\0\0mif1heic"), "a picture");
    none_of_them(&mp4_box(b"ftyp", b"qt  \0\0\0\0qt  "), "QuickTime");
    let brands = mp4_box(b"ftyp", b"mp42\0\0\0\0mp42isom");
    let movie = mp4_box(
        b"moov",
        &[mp4_box(b"mvhd", &[0; 20]), mp4_box(b"trak", &[])].concat(),
    );
    let media = mp4_box(b"mdat", b"pictures");
    let of = |parts: &[&[u8]]| parts.concat();
    inspected(&of(&[&brands, &movie, &media])).unwrap();
    inspected(&of(&[&brands, &media, &movie])).unwrap();
    damaged(&brands, "nothing but brands");
    damaged(&of(&[&brands, &media]), "no movie");
    damaged(&of(&[&brands, &movie]), "no pictures");
    let empty = mp4_box(b"moov", &[]);
    damaged(&of(&[&brands, &empty, &media]), "an empty movie");
    damaged(
        &of(&[&brands, &movie, &media, &zip()]),
        "an archive behind it",
    );
    let inside = mp4_box(b"free", &zip());
    damaged(
        &of(&[&brands, &movie, &media, &inside]),
        "an archive in its last box",
    );
    damaged(
        &of(&[&brands, &movie, &media, b"<script>"]),
        "a page behind it",
    );
    damaged(
        &of(&[&brands, &movie, &media, &[0; 7]]),
        "half a header behind it",
    );
    // A box that claims to be as large as a file can be, and one that is smaller than its header.
    for claim in [0xffff_ffff_u32, 1, 2, 7] {
        let mut huge = media.clone();
        huge[..4].copy_from_slice(&claim.to_be_bytes());
        damaged(&of(&[&brands, &movie, &huge]), "a size that cannot be");
    }
    let mut long = [1_u32.to_be_bytes().as_slice(), b"mdat"].concat();
    long.extend(u64::MAX.to_be_bytes());
    damaged(&of(&[&brands, &movie, &long]), "a size of 64 bits");
    // The last one may reach to the end.
    let mut open = media.clone();
    open[..4].fill(0);
    inspected(&of(&[&brands, &movie, &open])).unwrap();
    let crumbs = mp4_box(b"free", &[]).repeat(super::clip::BOXES);
    damaged(&of(&[&brands, &movie, &media, &crumbs]), "too many boxes");
    let odd = mp4_box(b"ftyp", b"mp42\0\0\0\0mp42x");
    damaged(&of(&[&odd, &movie, &media]), "half a brand");
}
