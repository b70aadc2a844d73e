//! Commands on hazards that are not there, not theirs, not in that state, or no longer what their author saw.

use serde_json::{Value, json};

use super::{Site, assert_refused, new_id, plain, refuses_all};

/// What is wrong, the command, If-Match, the statuses that will do, and the code.
type Case = (
    &'static str,
    Value,
    Option<&'static str>,
    &'static [u16],
    Option<&'static str>,
);

fn confirmation(due_date: &str) -> Value {
    json!({
        "kind": "confirm", "grade": "general", "responsible_person": "刘志远",
        "requirement": "清理积尘", "due_date": due_date,
        "category": "粉尘防爆",
    })
}

fn send(
    site: &Site,
    command: &Value,
    salt: &str,
    if_match: Option<&str>,
) -> hazardloop_tests::rest::Answer {
    let body = json!({ "command_id": new_id(salt), "command": command }).to_string();
    let mut fields = vec![("content-type", "application/json")];
    fields.extend(if_match.map(|version| ("if-match", version)));
    site.inspector.ask(
        "POST",
        &format!("/api/v1/hazards/{}/commands", site.hazard),
        &fields,
        Some(body.as_bytes()),
    )
}

#[test]
fn commands_out_of_order_out_of_range_or_out_of_date() {
    refuses_all(plain, |site| {
        let note = json!({ "kind": "note", "text": "看过" });
        let cases: [Case; 15] = [
            (
                "closed before confirmed",
                json!({ "kind": "close", "opinion": "好" }),
                None,
                &[409],
                Some("NOT_ALLOWED_IN_STATE"),
            ),
            (
                "a due date of long ago",
                confirmation("1900-01-01"),
                None,
                &[422],
                Some("DUE_DATE_OUT_OF_RANGE"),
            ),
            (
                "a due date of never",
                confirmation("9999-12-31"),
                None,
                &[400, 422],
                None,
            ),
            (
                "a thirtieth of February",
                confirmation("2026-02-30"),
                None,
                &[400, 422],
                None,
            ),
            (
                "no criterion for a major hazard",
                json!({
                    "kind": "confirm", "grade": "major", "responsible_person": "刘志远", "requirement": "停产",
                    "due_date": "2026-12-22", "category": "粉尘防爆",
                }),
                None,
                &[422],
                Some("CRITERION_REQUIRED"),
            ),
            (
                "a kind that is none",
                json!({ "kind": "abolish" }),
                None,
                &[400, 422],
                None,
            ),
            (
                "the server's own kind",
                json!({ "kind": "receive_photo", "sha256": "ab".repeat(32) }),
                None,
                &[400, 403, 422],
                None,
            ),
            (
                "another of the server's own",
                json!({ "kind": "follow_enterprise", "jurisdiction_id": new_id("x") }),
                None,
                &[400, 403, 422],
                None,
            ),
            (
                "a field too many",
                json!({ "kind": "note", "text": "a", "colour": "red" }),
                None,
                &[400, 422],
                None,
            ),
            (
                "a stale version",
                note.clone(),
                Some("\"999\""),
                &[412],
                Some("PRECONDITION_FAILED"),
            ),
            (
                "a weak version",
                note.clone(),
                Some("W/\"1\""),
                &[400, 412],
                None,
            ),
            ("no version", note.clone(), Some("1"), &[400], None),
            (
                "a version beyond all",
                note.clone(),
                Some("\"99999999999999999999999999\""),
                &[400, 412],
                None,
            ),
            (
                "a note of nothing",
                json!({ "kind": "note", "text": "" }),
                None,
                &[422],
                Some("INVALID_FIELD"),
            ),
            (
                "NUL in a note",
                json!({ "kind": "note", "text": "a\u{0}b" }),
                None,
                &[400, 422],
                None,
            ),
        ];
        for (case, command, if_match, statuses, code) in cases {
            let answer = send(site, &command, case, if_match);
            assert_refused(&answer, case, statuses);
            if let Some(code) = code {
                assert_eq!(answer.problem(), code, "{case}");
            }
        }
        let unknown = new_id("no such hazard");
        assert_refused(
            &site.inspector.command(&unknown, &new_id("u"), &note),
            "an unknown hazard",
            &[404],
        );
        let random = "7d444840-9dc0-41d1-b245-5ffdce74fad2";
        assert_refused(
            &site.inspector.command(&site.hazard, random, &note),
            "a random command id",
            &[400, 422],
        );
    });
}

#[test]
fn an_id_used_twice_is_the_same_command_or_none() {
    // What is written here is the note itself: compared with the state after it.
    refuses_all(plain, |site| {
        let report = site.report("the first");
        let again = site.employee.post("/api/v1/hazards", &report);
        assert_eq!(again.status, 200, "{}", again.text());
        let mut other = report.clone();
        other["description"] = json!("另一件事");
        let answer = site.employee.post("/api/v1/hazards", &other);
        assert_eq!(
            (answer.status, answer.problem().as_str()),
            (409, "ID_REUSED")
        );
    });
}

#[test]
fn hazards_of_others_are_not_there() {
    refuses_all(plain, |site| {
        // An inspection of a neighbour's, which the employee of the first enterprise may not know of.
        let enterprises = site.inspector.get("/api/v1/enterprises").json();
        let neighbour = enterprises["items"]
            .as_array()
            .unwrap()
            .iter()
            .find(|one| one["id"] != site.enterprise.as_str())
            .unwrap()["id"]
            .clone();
        let mut report = site.report("of a neighbour");
        report["enterprise_id"] = neighbour;
        assert_refused(
            &site.employee.post("/api/v1/hazards", &report),
            "a report on a neighbour",
            &[403, 404, 422],
        );
        let command = json!({ "kind": "note", "text": "看过" });
        let nobody = site.server.rest();
        for path in [
            format!("/api/v1/hazards/{}", site.hazard),
            "/api/v1/hazards".to_owned(),
            "/api/v1/people".to_owned(),
        ] {
            assert_refused(&nobody.get(&path), &path, &[401]);
        }
        assert_refused(
            &nobody.command(&site.hazard, &new_id("n"), &command),
            "a command of nobody",
            &[401],
        );
        // The employee may not do what an inspector may.
        let answer = site
            .employee
            .command(&site.hazard, &new_id("e"), &confirmation("2026-12-22"));
        assert_refused(&answer, "a confirmation by an employee", &[403]);
    });
}
