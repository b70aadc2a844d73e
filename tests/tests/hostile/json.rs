//! JSON that is none, or not what was asked for.

use super::{assert_refused, new_id, plain, refuses_all};

const JSON: &[(&str, &str)] = &[("content-type", "application/json")];

#[test]
fn bodies_that_are_not_the_json_that_was_asked_for() {
    refuses_all(plain, |site| {
        let good = site.report("body").to_string();
        let with = |from: &str, to: &str| {
            assert!(good.contains(from), "{from} is not in {good}");
            good.replacen(from, to, 1).into_bytes()
        };
        let description = "\"description\":\"除尘器灰斗积尘\"";
        let cases: Vec<(&str, Vec<u8>, &[u16])> = vec![
            ("nothing", Vec::new(), &[400]),
            ("a brace", b"{".to_vec(), &[400]),
            ("no JSON", b"<html></html>".to_vec(), &[400]),
            ("a list", b"[]".to_vec(), &[400, 422]),
            ("null", b"null".to_vec(), &[400, 422]),
            ("an empty object", b"{}".to_vec(), &[400, 422]),
            (
                "two documents",
                [good.as_bytes(), good.as_bytes()].concat(),
                &[400],
            ),
            (
                "a byte order mark",
                [b"\xef\xbb\xbf", good.as_bytes()].concat(),
                &[400],
            ),
            ("NaN", with("105.594", "NaN"), &[400]),
            ("infinity", with("105.594", "Infinity"), &[400]),
            ("a number beyond all", with("105.594", "1e999"), &[400, 422]),
            (
                "a number as text",
                with("105.594", "\"105.594\""),
                &[400, 422],
            ),
            (
                "text as a number",
                with(description, "\"description\":7"),
                &[400, 422],
            ),
            (
                "a list for text",
                with(description, "\"description\":[\"a\"]"),
                &[400, 422],
            ),
            (
                "null for text",
                with(description, "\"description\":null"),
                &[400, 422],
            ),
            (
                "a key twice",
                with(description, &format!("{description},{description}")),
                &[400],
            ),
            (
                "a key twice below",
                with("\"latitude\"", "\"latitude\":1,\"latitude\""),
                &[400],
            ),
            (
                "an unknown key",
                with(description, &format!("{description},\"colour\":\"red\"")),
                &[400, 422],
            ),
            ("NUL", with("除尘器", "\\u0000"), &[400, 422]),
            ("a bare NUL", with("除尘器", "\0"), &[400]),
            ("a lone surrogate", with("除尘器", "\\ud800"), &[400]),
            (
                "surrogates the wrong way round",
                with("除尘器", "\\udc00\\ud800"),
                &[400],
            ),
            (
                "no UTF-8",
                [b"{\"id\":\"", &[0xff, 0xfe][..], b"\"}"].concat(),
                &[400],
            ),
            ("control characters", with("除尘器", "\\u0007"), &[400, 422]),
            ("deep lists", "[".repeat(100_000).into_bytes(), &[400]),
            (
                "deep objects",
                "{\"a\":".repeat(50_000).into_bytes(),
                &[400],
            ),
            ("a huge body", with("除尘器", &"尘".repeat(200_000)), &[413]),
            ("long text", with("除尘器", &"尘".repeat(20_000)), &[422]),
            (
                "10,000 photos",
                with(
                    "\"no_photo_reason\"",
                    &format!(
                        "\"photos\":[{}],\"no_photo_reason\"",
                        vec!["{}"; 10_000].join(",")
                    ),
                ),
                &[400, 413, 422],
            ),
        ];
        for (case, body, statuses) in cases {
            let answer = site
                .employee
                .ask("POST", "/api/v1/hazards", JSON, Some(&body));
            assert_refused(&answer, case, statuses);
        }
        // Cut short anywhere, it is no report.
        for end in (0..good.len()).step_by(7) {
            let answer =
                site.employee
                    .ask("POST", "/api/v1/hazards", JSON, good.as_bytes().get(..end));
            assert_refused(&answer, &format!("the first {end} bytes"), &[400]);
        }
    });
}

#[test]
fn bodies_of_another_kind() {
    refuses_all(plain, |site| {
        let good = site.report("kind").to_string();
        let kinds: [&[(&str, &str)]; 5] = [
            &[],
            &[("content-type", "text/plain")],
            &[("content-type", "application/x-www-form-urlencoded")],
            &[("content-type", "application/json; charset=utf-16")],
            &[
                ("content-type", "application/json"),
                ("content-encoding", "gzip"),
            ],
        ];
        for fields in kinds {
            let answer =
                site.employee
                    .ask("POST", "/api/v1/hazards", fields, Some(good.as_bytes()));
            assert_refused(&answer, &format!("{fields:?}"), &[415]);
        }
    });
}

#[test]
fn paths_and_queries_that_name_nothing() {
    refuses_all(plain, |site| {
        let unknown = new_id("nobody made this");
        let cases: [(&str, String, &[u16]); 16] = [
            ("no id", "/api/v1/hazards/17".to_owned(), &[400, 404]),
            (
                "an unknown id",
                format!("/api/v1/hazards/{unknown}"),
                &[404],
            ),
            (
                "the events of an unknown id",
                format!("/api/v1/hazards/{unknown}/events"),
                &[404],
            ),
            (
                "a path upwards",
                "/api/v1/photos/..%2f..%2fetc%2fpasswd".to_owned(),
                &[400, 404],
            ),
            ("no hash", "/api/v1/photos/abc".to_owned(), &[400, 404]),
            (
                "an unknown hash",
                format!("/api/v1/photos/{}", "ab".repeat(32)),
                &[404],
            ),
            ("no UTF-8", "/api/v1/hazards/%ff%fe".to_owned(), &[400, 404]),
            (
                "NUL in a path",
                "/api/v1/hazards/%00".to_owned(),
                &[400, 404],
            ),
            (
                "an unknown parameter",
                "/api/v1/hazards?colour=red".to_owned(),
                &[400, 422],
            ),
            (
                "a state that is none",
                "/api/v1/hazards?status=burning".to_owned(),
                &[400, 422],
            ),
            (
                "too many rows",
                "/api/v1/hazards?limit=100000000".to_owned(),
                &[400, 422],
            ),
            (
                "rows below nothing",
                "/api/v1/hazards?limit=-1".to_owned(),
                &[400, 422],
            ),
            (
                "a cursor of another make",
                "/api/v1/hazards?after=zzzz".to_owned(),
                &[400, 422],
            ),
            (
                "a parameter twice",
                "/api/v1/hazards?limit=1&limit=2".to_owned(),
                &[400, 422],
            ),
            (
                "a place off the earth",
                "/api/v1/hazards?near=500,29@wgs84&radius_m=10".to_owned(),
                &[400, 422],
            ),
            (
                "a box without reference",
                "/api/v1/hazards?bbox=1,2,3,4".to_owned(),
                &[400, 422],
            ),
        ];
        for (case, path, statuses) in cases {
            assert_refused(&site.employee.get(&path), case, statuses);
        }
        assert_refused(
            &site.employee.get("/api/v1/nothing-here"),
            "no route",
            &[404],
        );
        assert_refused(
            &site.employee.ask("DELETE", "/api/v1/hazards", &[], None),
            "no such method",
            &[404, 405],
        );
    });
}
