//! The limits of inspections: what is within them passes, the next one is refused.

use hazardloop_tests::rest::Answer;
use serde_json::{Value, json};

use super::{Site, id, photos};

/// One self-check of the enterprise, as it is begun.
struct Check<'a> {
    site: &'a Site,
    id: String,
}

impl Check<'_> {
    fn setup(&self) -> Value {
        json!({
            "kind": "self_check", "enterprise_id": self.site.enterprise, "cadence": "daily",
            "checklists": [{"code": "GM-CK-D-DUST", "edition": 1}],
        })
    }

    fn send(&self, salt: &str, command: &Value) -> Answer {
        let path = format!("/api/v1/inspections/{}/commands", self.id);
        let body = json!({ "command_id": id(&format!("{}{salt}", self.id)), "command": command });
        self.site.employee.post(&path, &body)
    }

    fn begin(&self, salt: &str, setup: &Value, attendees: usize) -> Answer {
        let attendee =
            |n| json!({ "part": "on_site", "role": "operator", "name": format!("工人{n}") });
        let attendees: Vec<Value> = (0..attendees).map(attendee).collect();
        let command = json!({
            "kind": "start_inspection", "setup": setup, "started_at": super::NOW,
            "place_text": "一号车间", "attendees": attendees,
        });
        self.send(salt, &command)
    }

    fn results(&self, salt: &str, items: &[&str], photos: &Value) -> Answer {
        let result = |item: &&str| json!({ "item": { "checklist": "GM-CK-D-DUST", "item": item }, "outcome": "ok", "photos": photos });
        let results: Vec<Value> = items.iter().map(result).collect();
        self.send(
            salt,
            &json!({ "kind": "record_results", "results": results }),
        )
    }

    fn finding(&self, salt: &str, hazard: &str) -> Answer {
        self.send(
            salt,
            &json!({ "kind": "link_finding", "finding_id": id(salt), "hazard_id": hazard }),
        )
    }
}

pub(super) fn of_inspections(site: &Site) {
    let check = Check {
        site,
        id: id("inspection"),
    };
    let mut two_lists = check.setup();
    two_lists["checklists"] = json!([{"code": "a", "edition": 1}, {"code": "b", "edition": 1}]);
    check.begin("lists", &two_lists, 1).expect_status(&[409]);
    let mut crowd = check.setup();
    let member = |n: u32| json!({ "person_id": id(&format!("member {n}")) });
    crowd["team"] = (0..3).map(member).collect();
    check.begin("team", &crowd, 1).expect_status(&[409]);
    check
        .begin("present", &check.setup(), 2)
        .expect_status(&[409]);
    check
        .begin("within", &check.setup(), 1)
        .expect_status(&[200]);
    check
        .results("items", &["1", "2", "3"], &json!([]))
        .expect_status(&[409]);
    check
        .results("two", &["1", "2"], &json!([]))
        .expect_status(&[200]);
    check
        .results("photos", &["1"], &photos(&[11, 12]))
        .expect_status(&[409]);
    check
        .results("photo", &["1"], &photos(&[11]))
        .expect_status(&[200]);
    check
        .finding("first finding", &id("one"))
        .expect_status(&[200]);
    check
        .finding("second finding", &id("two"))
        .expect_status(&[409]);
    of_plans(site);
}

/// A plan lies within its days; visits further apart than the setting are no neighbours.
fn of_plans(site: &Site) {
    let people = site
        .inspector
        .get("/api/v1/sessions/current")
        .expect_status(&[200])
        .json();
    let me = people["person"]["id"].clone();
    let plan = |salt: &str, day: &str| {
        let command = json!({
            "kind": "plan_inspection", "window_from": day, "window_to": day,
            "setup": {
                "kind": "special", "enterprise_id": site.enterprise, "basis": "专项检查方案",
                "team": [{ "person_id": me }, { "person_id": id("second") }],
            },
        });
        let path = format!("/api/v1/inspections/{}/commands", id(salt));
        let body = json!({ "command_id": id(&format!("plan {salt}")), "command": command });
        site.inspector.post(&path, &body)
    };
    plan("too late", "2026-12-03").expect_status(&[422]);
    for (salt, day) in [
        ("early", "2026-11-23"),
        ("near", "2026-11-26"),
        ("far", "2026-12-02"),
    ] {
        plan(salt, day).expect_status(&[200]);
    }
    let seen = site
        .inspector
        .get(&format!("/api/v1/inspections/{}", id("early")));
    let seen = seen.expect_status(&[200]).json();
    let nearby: Vec<&Value> = seen["nearby"]
        .as_array()
        .unwrap()
        .iter()
        .map(|n| &n["id"])
        .collect();
    assert_eq!(nearby, [&json!(id("near"))]);
}
