//! Certificates over REST: what whoever adds an inspector is told when the number is another's.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use serde_json::{Value, json};

use super::test_client::{ask, get, new_id, post};
use crate::sample;
use crate::test_support::{on_each_database, person};

fn inspects(certificate: &str) -> Value {
    json!({
        "role": "inspector", "scope": {"jurisdiction": sample::id("500153000000")},
        "certificate": {"number": certificate, "valid_to": "2030-12-31"},
    })
}

fn taken(problem: &Value) {
    assert_eq!(problem["code"], "CERTIFICATE_TAKEN");
    assert_eq!(problem["title_zh"], "该执法证号已属他人");
    assert_eq!(problem["field"], "certificate.number");
    assert!(!problem.to_string().contains("王建华"), "whose is not told");
}

#[test]
fn a_number_that_is_anothers_is_refused_and_said_so() {
    on_each_database(async |server| {
        // The one of inspector 1, with full-width digits.
        let theirs = "示例执法证０００１";
        let mut new = json!({
            "id": new_id(1), "login": "newcomer", "name": "新人", "password": "correct horse battery",
            "grants": [inspects(theirs)],
        });
        let refused = post(&server, "admin", "/people", &new).await;
        taken(&refused.expect(409));
        new["grants"] = json!([inspects("示例执法证0009")]);
        let added = post(&server, "admin", "/people", &new).await.expect(201);
        let grants = format!("/people/{}/grants", new_id(1));
        let mut grant = inspects(theirs);
        grant["id"] = json!(new_id(2));
        let version = format!("\"{}\"", added["version"]);
        let asked = ask(&server, "admin", "POST", &grants).with("If-Match", &version);
        taken(&asked.json(&grant).answer().await.expect(409));
        // Nothing came of it.
        let path = format!("/people/{}", new_id(1));
        let shown = get(&server, "admin", &path).await.expect(200);
        assert_eq!(shown["version"], added["version"]);
        assert_eq!(shown["grants"].as_array().unwrap().len(), 1);
        let whose = get(
            &server,
            "admin",
            &format!("/people/{}", person("inspector1")),
        )
        .await;
        assert_eq!(whose.expect(200)["version"], 1);
    });
}
