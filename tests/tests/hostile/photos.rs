//! Uploads that are no photos, not the photo that was announced, or not theirs.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use hazardloop_domain::hash::Digest;
use hazardloop_tests::evidence::{mp4, mp4_box, pdf, zip};
use hazardloop_tests::photo::{PICTURE, photo};
use hazardloop_tests::rest::{Answer, Rest};

use super::{assert_refused, new_id, plain, refuses_all};

/// What is wrong, the header fields, and the statuses that will do.
type Case<'a> = (&'a str, &'a [(&'a str, &'a str)], &'a [u16]);

const PART: &str = "application/offset+octet-stream";

fn begin(rest: &Rest, length: u64, sha256: Option<&Digest>) -> Answer {
    let length = length.to_string();
    let metadata =
        sha256.map(|sha256| format!("sha256 {}", BASE64.encode(sha256.to_string().as_bytes())));
    let mut fields = vec![
        ("tus-resumable", "1.0.0"),
        ("upload-length", length.as_str()),
    ];
    fields.extend(
        metadata
            .as_deref()
            .map(|metadata| ("upload-metadata", metadata)),
    );
    rest.ask("POST", "/api/v1/photos", &fields, None)
}

fn append(rest: &Rest, place: &str, offset: u64, extra: &[(&str, &str)], bytes: &[u8]) -> Answer {
    let offset = offset.to_string();
    let mut fields = vec![
        ("tus-resumable", "1.0.0"),
        ("upload-offset", offset.as_str()),
        ("content-type", PART),
    ];
    fields.extend(extra);
    rest.ask("PATCH", place, &fields, Some(bytes))
}

/// Uploads all of `bytes` in one part; the answer to that part.
fn upload(rest: &Rest, bytes: &[u8], announced: &Digest) -> Answer {
    let place = begun(rest, bytes.len() as u64, Some(announced));
    append(rest, &place, 0, &[], bytes)
}

fn begun(rest: &Rest, length: u64, sha256: Option<&Digest>) -> String {
    let answer = begin(rest, length, sha256).expect_status(&[201]);
    let place = answer.field("location").unwrap();
    // An absolute or a relative reference.
    place
        .find("/api/v1/")
        .map_or(place, |at| &place[at..])
        .to_owned()
}

/// The picture with its size in the frame header replaced.
fn resized(width: u16, height: u16) -> Vec<u8> {
    let mut bytes = PICTURE.to_vec();
    let frame = bytes
        .windows(2)
        .position(|marker| marker == [0xff, 0xc0])
        .unwrap();
    bytes[frame + 5..frame + 7].copy_from_slice(&height.to_be_bytes());
    bytes[frame + 7..frame + 9].copy_from_slice(&width.to_be_bytes());
    bytes
}

#[test]
fn photos_that_are_none() {
    refuses_all(plain, |site| {
        let svg = b"<svg xmlns=\"http://www.w3.org/2000/svg\"><script>alert(1)</script></svg>";
        let gif = b"GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff!\xf9\x04\x00\x00\x00\x00\x00,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;";
        let cases: Vec<(&str, Vec<u8>)> = vec![
            ("text", b"This is not a photo.".to_vec()),
            (
                "a page",
                b"<!doctype html><script>alert(1)</script>".to_vec(),
            ),
            ("SVG", svg.to_vec()),
            ("GIF", gif.to_vec()),
            (
                "a program",
                [b"\x7fELF\x02\x01\x01", &[0; 200][..]].concat(),
            ),
            ("zeros", vec![0; 5_000]),
            ("only the beginning of a JPEG", PICTURE[..300].to_vec()),
            ("only the mark of a JPEG", vec![0xff, 0xd8, 0xff, 0xe0]),
            ("only the mark of a PNG", b"\x89PNG\r\n\x1a\n".to_vec()),
            (
                "only the mark of a WebP",
                b"RIFF\x10\x00\x00\x00WEBPVP8 ".to_vec(),
            ),
            ("65,500 pixels square", resized(65_500, 65_500)),
            ("no pixels", resized(0, 0)),
        ];
        for (case, bytes) in cases {
            let sha256 = Digest::sha256(&bytes);
            assert_refused(
                &upload(&site.employee, &bytes, &sha256),
                case,
                &[413, 415, 422],
            );
            assert_refused(
                &site.employee.get(&format!("/api/v1/photos/{sha256}")),
                case,
                &[404],
            );
        }
    });
}

/// Bytes that begin like a document or a clip, and are not one.
fn pretenders() -> Vec<(&'static str, Vec<u8>)> {
    let page = b"<!doctype html><script>alert(1)</script>";
    let (minutes, clip) = (pdf("minutes"), mp4(2_000));
    let mut huge = clip.clone();
    // The first box claims to be 4 GiB.
    huge[..4].copy_from_slice(&[0xff; 4]);
    let mut endless = mp4_box(b"ftyp", b"isom\0\0\0\0isom");
    endless.extend([0, 0, 0, 1]);
    endless.extend(b"moov");
    endless.extend(u64::MAX.to_be_bytes());
    let within = [&b"%PDF-1.4\n"[..], page, b"\nstartxref\n9\n%%EOF\n"].concat();
    vec![
        ("a page that calls itself a PDF", page.to_vec()),
        ("only the mark of a PDF", b"%PDF-1.7\n".to_vec()),
        ("half a PDF", minutes[..minutes.len() / 2].to_vec()),
        ("a PDF that is a page", within),
        ("a page before a PDF", [&page[..], &minutes].concat()),
        ("a PDF that is an archive", [minutes, zip()].concat()),
        ("an archive that calls itself an MP4", zip()),
        ("half an MP4", clip[..clip.len() / 2].to_vec()),
        (
            "an MP4 that is an archive",
            [clip.clone(), mp4_box(b"free", &zip())].concat(),
        ),
        ("an MP4 before a page", [&clip[..], page].concat()),
        ("a box of 4 GiB", huge),
        ("a box of all bytes there are", endless),
        (
            "crumbs",
            [clip, mp4_box(b"free", b"").repeat(30_000)].concat(),
        ),
        ("HEIC", mp4_box(b"ftyp", b"heic\0\0\0\0mif1heic")),
    ]
}

#[test]
fn documents_and_clips_that_are_none() {
    refuses_all(plain, |site| {
        for (case, bytes) in pretenders() {
            let sha256 = Digest::sha256(&bytes);
            let answer = upload(&site.employee, &bytes, &sha256);
            assert_refused(&answer, case, &[413, 415, 422]);
            let path = format!("/api/v1/photos/{sha256}");
            assert_refused(&site.employee.get(&path), case, &[404]);
        }
        // And what is one is no way to a page either.
        let minutes = pdf("minutes");
        let sha256 = Digest::sha256(&minutes);
        assert_eq!(upload(&site.employee, &minutes, &sha256).status, 204);
        let read = site.employee.get(&format!("/api/v1/photos/{sha256}"));
        assert_eq!(read.status, 200);
        assert_eq!(read.field("content-disposition"), Some("attachment"));
        assert_eq!(read.field("x-content-type-options"), Some("nosniff"));
        assert_eq!(read.field("content-type"), Some("application/pdf"));
    });
}

#[test]
fn photos_that_are_not_the_one_announced() {
    refuses_all(plain, |site| {
        let rest = &site.employee;
        let bytes = photo(1, 10_000);
        let (right, wrong) = (Digest::sha256(&bytes), Digest::sha256(b"another"));
        let answer = upload(rest, &bytes, &wrong);
        assert_eq!(
            (answer.status, answer.problem().as_str()),
            (422, "PHOTO_HASH_MISMATCH")
        );

        let place = begun(rest, bytes.len() as u64, Some(&right));
        let sum = format!("sha256 {}", BASE64.encode(wrong.as_bytes()));
        let answer = append(
            rest,
            &place,
            0,
            &[("upload-checksum", &sum)],
            &bytes[..5_000],
        );
        assert_eq!(
            (answer.status, answer.problem().as_str()),
            (460, "CHECKSUM_MISMATCH")
        );
        for (case, extra, statuses) in [
            (
                "a checksum of no algorithm",
                ("upload-checksum", "crc32 AAAAAA=="),
                &[400][..],
            ),
            (
                "a checksum that is none",
                ("upload-checksum", "sha256 !!!"),
                &[400],
            ),
        ] {
            assert_refused(
                &append(rest, &place, 0, &[extra], &bytes[..5_000]),
                case,
                statuses,
            );
        }
        let answer = append(rest, &place, 4_000, &[], &bytes[4_000..]);
        assert_eq!(
            (answer.status, answer.problem().as_str()),
            (409, "OFFSET_MISMATCH")
        );
        let longer = [&bytes[..], &[0; 100]].concat();
        assert_refused(
            &append(rest, &place, 0, &[], &longer),
            "more than announced",
            &[400, 413],
        );
        // Nothing of all that was kept.
        let status = rest.ask("HEAD", &place, &[("tus-resumable", "1.0.0")], None);
        assert_eq!(
            (status.status, status.field("upload-offset")),
            (200, Some("0"))
        );
        assert_refused(
            &rest.get(&format!("/api/v1/photos/{right}")),
            "an unfinished photo",
            &[404],
        );
    });
}

#[test]
fn uploads_that_cannot_be() {
    refuses_all(plain, |site| {
        let rest = &site.employee;
        assert_refused(&begin(rest, 1 << 40, None), "a terabyte", &[413]);
        assert_refused(&begin(rest, u64::MAX, None), "all bytes there are", &[413]);
        assert_refused(&begin(rest, 0, None), "no bytes", &[400, 422]);
        let tus = ("tus-resumable", "1.0.0");
        let headers: [Case; 7] = [
            ("no length", &[tus], &[400, 411]),
            (
                "a length below nothing",
                &[tus, ("upload-length", "-1")],
                &[400],
            ),
            (
                "a length that is none",
                &[tus, ("upload-length", "many")],
                &[400],
            ),
            ("no version of tus", &[("upload-length", "10")], &[412]),
            (
                "an old version of tus",
                &[("tus-resumable", "0.2.2"), ("upload-length", "10")],
                &[412],
            ),
            (
                "metadata that is none",
                &[
                    tus,
                    ("upload-length", "10"),
                    ("upload-metadata", "sha256 !!!"),
                ],
                &[400],
            ),
            (
                "a hash that is short",
                &[
                    tus,
                    ("upload-length", "10"),
                    ("upload-metadata", "sha256 YWJj"),
                ],
                &[400, 422],
            ),
        ];
        for (case, fields, statuses) in headers {
            assert_refused(
                &rest.ask("POST", "/api/v1/photos", fields, None),
                case,
                statuses,
            );
        }
        let unknown = format!("/api/v1/photos/uploads/{}", new_id("no upload"));
        assert_refused(
            &append(rest, &unknown, 0, &[], b"abc"),
            "an unknown upload",
            &[404],
        );
        assert_refused(
            &append(rest, "/api/v1/photos/uploads/17", 0, &[], b"abc"),
            "no upload at all",
            &[400, 404],
        );
        let place = begun(rest, 100, None);
        assert_refused(
            &append(&site.inspector, &place, 0, &[], b"abc"),
            "somebody else's upload",
            &[404],
        );
        assert_refused(
            &append(&site.server.rest(), &place, 0, &[], b"abc"),
            "nobody's upload",
            &[401],
        );
        let other = rest.ask(
            "PATCH",
            &place,
            &[tus, ("upload-offset", "0"), ("content-type", "image/jpeg")],
            Some(b"abc"),
        );
        assert_refused(&other, "a part of another type", &[415]);
        let gone = site.inspector.ask("DELETE", &place, &[tus], None);
        assert_refused(&gone, "an end to somebody else's upload", &[404]);
    });
}
