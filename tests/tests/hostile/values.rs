//! Reports whose JSON is right and whose values are not.

use serde_json::{Value, json};

use super::{assert_refused, new_id, plain, refuses_all};

#[test]
fn places_off_the_earth_absurd_dates_and_foreign_ids() {
    refuses_all(plain, |site| {
        let photo = |size: Value, sha256: &str, media_type: &str| json!([{ "sha256": sha256, "size": size, "media_type": media_type, "kind": "before" }]);
        let hash = "ab".repeat(32);
        let cases: Vec<(&str, &str, Value)> = vec![
            (
                "a longitude off the earth",
                "/position/longitude",
                json!(180.1),
            ),
            (
                "a latitude off the earth",
                "/position/latitude",
                json!(-90.5),
            ),
            (
                "a reference that is none",
                "/position/reference",
                json!("mars2000"),
            ),
            (
                "no reference",
                "/position",
                json!({ "longitude": 105.5, "latitude": 29.4 }),
            ),
            (
                "an accuracy below nothing",
                "/position/accuracy_m",
                json!(-1),
            ),
            (
                "an accuracy beyond all",
                "/position/accuracy_m",
                json!(1e12),
            ),
            ("the year 1", "/found_at", json!("0001-01-01T00:00:00Z")),
            ("the year 9999", "/found_at", json!("9999-12-31T23:59:59Z")),
            (
                "a thirteenth month",
                "/found_at",
                json!("2026-13-01T00:00:00Z"),
            ),
            (
                "a time without zone",
                "/found_at",
                json!("2026-11-21T08:00:00"),
            ),
            ("tomorrow", "/found_at", json!("tomorrow")),
            ("a time as a number", "/found_at", json!(1_763_712_000)),
            ("no UUID", "/id", json!("17")),
            (
                "a random UUID",
                "/id",
                json!("7d444840-9dc0-41d1-b245-5ffdce74fad2"),
            ),
            (
                "the nil UUID",
                "/id",
                json!("00000000-0000-0000-0000-000000000000"),
            ),
            (
                "an unknown enterprise",
                "/enterprise_id",
                json!(new_id("no such enterprise")),
            ),
            ("a source of others", "/source", json!("dept_inspection")),
            ("a source that is none", "/source", json!("gossip")),
            ("a grade that is none", "/grade", json!("terrible")),
            ("blank text", "/description", json!(" \n ")),
            ("no text", "/place_text", json!("")),
            (
                "a photo without size",
                "/photos",
                photo(json!(0), &hash, "image/jpeg"),
            ),
            (
                "a photo of less than nothing",
                "/photos",
                photo(json!(-1), &hash, "image/jpeg"),
            ),
            (
                "a photo beyond the limit",
                "/photos",
                photo(json!(1_u64 << 40), &hash, "image/jpeg"),
            ),
            (
                "a photo that is a program",
                "/photos",
                photo(json!(10), &hash, "application/x-executable"),
            ),
            (
                "a hash that is short",
                "/photos",
                photo(json!(10), "abcd", "image/jpeg"),
            ),
            (
                "a hash in capitals of no hexadecimal",
                "/photos",
                photo(json!(10), &"zz".repeat(32), "image/jpeg"),
            ),
        ];
        for (case, pointer, value) in cases {
            let mut report = site.report(case);
            match report.pointer_mut(pointer) {
                Some(place) => *place = value,
                None => report[pointer.trim_start_matches('/')] = value,
            }
            assert_refused(
                &site.employee.post("/api/v1/hazards", &report),
                case,
                &[400, 404, 422],
            );
        }
    });
}

#[test]
fn neither_a_photo_nor_a_reason_is_refused_by_its_code() {
    refuses_all(plain, |site| {
        let mut report = site.report("no photo");
        report.as_object_mut().unwrap().remove("no_photo_reason");
        let answer = site.employee.post("/api/v1/hazards", &report);
        assert_eq!(
            (answer.status, answer.problem().as_str()),
            (422, "PHOTO_REQUIRED")
        );
    });
}
