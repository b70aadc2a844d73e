//! An inspection that two inspectors and the enterprise sign on one phone, without network.

use hazardloop_tests::each_database;
use hazardloop_tests::server::DEMO_PASSWORD;
use serde_json::json;

use super::{NOW, Site, path, write};

#[test]
fn two_inspectors_and_the_enterprise_sign_an_inspection_on_one_phone() {
    each_database(|url| {
        let site = Site::start(url);
        let one = &site.first;
        let (password, pin) = (path(one, "password"), path(one, "pin"));
        write(&password, DEMO_PASSWORD);
        write(&pin, "271828");
        let keys = ["--password-file", &password, "--pin-file", &pin];
        let id_of = |login: &str| {
            let mut words = vec!["pin-key", "add", login];
            words.extend(keys);
            let added = one.json(&words);
            added["person_id"].as_str().unwrap().to_owned()
        };
        let (colleague, _principal) = (id_of("inspector2"), id_of("principal"));
        let enterprises = one.json(&["enterprises"]);
        let mut firms = enterprises.as_array().unwrap().iter();
        let firm = firms
            .find(|firm| firm["name"].as_str().unwrap().contains("打磨厂"))
            .unwrap();
        // From here on nobody speaks to the server.
        let started = one.json(&[
            "inspect",
            "start",
            "--kind",
            "tip",
            "--enterprise",
            firm["id"].as_str().unwrap(),
            "--checklist",
            "GM-CK-I-DUST@1",
            "--must",
            "1",
            "--place",
            "打磨车间",
            "--with",
            &colleague,
            "--basis",
            "举报线索",
            "--reason",
            "接到举报",
            "--certificates-shown",
            "--rights-told",
        ]);
        let id = started["inspection_id"].as_str().unwrap();
        one.ok(&["inspect", "result", id, "--ok", "1"]);
        let seconds = [
            "--second",
            "inspector2",
            "--second",
            "principal",
            "--pin-file",
            &pin,
        ];
        let result = ["inspect", "result", id, "--ok", "2"];
        let other = one.run(&[&result[..], &seconds[..]].concat());
        assert_eq!(other.status.code(), Some(2), "a result is signed by nobody");
        let signed = one.json(&[&["inspect", "sign", id][..], &seconds[..]].concat());
        assert!(signed["number"].as_str().unwrap().starts_with("IN-"));
        let shown = one.ok(&["inspect", "show", id]);
        let told = |role: &str| shown.matches(&format!("signed {role} ")).count();
        assert_eq!(
            (told("inspector"), told("the enterprise")),
            (2, 1),
            "{shown}"
        );
        one.ok(&[
            "inspect",
            "complete",
            id,
            "--situation",
            "未发现隐患",
            "--nothing-found",
        ]);
        one.ok(&["sync"]);
        let route = format!("/api/v1/inspections/{id}");
        let seen = site.desk.get(&route).json();
        assert_eq!(seen["status"]["name"], "completed", "{seen}");
        let signatures = seen["signatures"].as_array().unwrap();
        let roles: Vec<_> = signatures.iter().map(|by| &by["role"]).collect();
        assert_eq!(
            roles,
            ["inspector", "inspector", "enterprise_representative"]
        );
        // The same signatures are good for no other signing.
        let again = json!({
            "command_id": "0195e8a0-0000-7000-8000-0000000000aa",
            "command": {
                "kind": "sign_inspection", "role": "inspector", "signed_at": NOW,
                "person_id": signatures[0]["person_id"],
            },
            "co_signatures": signed["co_signatures"],
        });
        let refused = site.desk.post(&format!("{route}/commands"), &again);
        let refused = refused.expect_status(&[422]);
        assert_eq!(refused.json()["code"], "CO_SIGNATURE_INVALID");
    });
}
