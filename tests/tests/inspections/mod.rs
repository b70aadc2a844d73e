//! Inspections through devices without signal: recorded in the basement, synced later, seen by the other side, on both
//! databases.

use hazardloop_tests::device::Device;
use hazardloop_tests::each_database;
use hazardloop_tests::server::{Server, ServerOptions};
use serde_json::{Value, json};

const NOW: &str = "2026-11-22T01:00:00Z";

fn device(server: &Server, user: &str, seed: u64) -> Device {
    let device = Device::new(&format!("http://{}", server.address()), user).repeatable(NOW, seed);
    device.ok(&["enroll", "--name", user]);
    device.ok(&["pull"]);
    device
}

/// The record as a device shows it after it has met the server.
fn pulled(device: &Device, id: &str) -> Value {
    device.ok(&["pull"]);
    let shown = device.json(&["inspect", "show", id]);
    assert_eq!(shown["pending"], json!([]));
    shown["inspection"].clone()
}

#[test]
fn a_self_check_that_found_nothing_and_a_departments_visit_travel_from_devices_without_signal() {
    each_database(|url| {
        let server = Server::start(url, ServerOptions::default().at(NOW));
        let employee = device(&server, "employee", 1);
        let inspectors = [
            device(&server, "inspector1", 2),
            device(&server, "inspector2", 3),
        ];
        nothing_found(&employee, &inspectors[0]);
        one_finding(&server, &employee, &inspectors);
    });
}

fn nothing_found(employee: &Device, inspector: &Device) {
    let check = [
        "self-check",
        "--cadence",
        "daily",
        "--checklist",
        "GM-CK-D-DUST@1",
        "--must",
        "1",
        "2",
        "--place",
        "打磨车间",
        "--situation",
        "各项正常",
        "--nothing-found",
    ];
    let mut incomplete = check.to_vec();
    incomplete.extend(["--ok", "1"]);
    assert_eq!(
        employee.run(&incomplete).status.code(),
        Some(3),
        "an item is missing"
    );
    let mut strange = check.to_vec();
    strange.extend(["--ok", "1", "2", "99"]);
    assert_eq!(
        employee.run(&strange).status.code(),
        Some(3),
        "the checklist is on the device, and has no such item"
    );
    let mut whole = check.to_vec();
    whole.extend(["--ok", "1", "--not-applicable", "2"]);
    let queued = employee.json(&whole);
    let id = queued["inspection_id"].as_str().unwrap();
    assert!(queued["number"].as_str().unwrap().starts_with("IN-"));
    let shown = employee.json(&["inspect", "show", id]);
    assert_eq!(shown["inspection"]["status"]["name"], "completed");
    assert_eq!(
        shown["pending"].as_array().unwrap().len(),
        1,
        "without signal"
    );
    employee.ok(&["sync"]);
    let seen = pulled(inspector, id);
    assert_eq!(seen["status"]["no_hazard_found"], true);
    assert_eq!(seen, pulled(employee, id));
}

fn one_finding(server: &Server, employee: &Device, [one, two]: &[Device; 2]) {
    let firm = &polishing(one);
    let colleague = server
        .rest()
        .signed_in("inspector2")
        .get("/api/v1/sessions/current");
    let colleague = colleague.json()["person"]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let started = one.json(&[
        "inspect",
        "start",
        "--kind",
        "tip",
        "--enterprise",
        firm,
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
        "--present",
        "王强:总经理",
    ]);
    let id = started["inspection_id"].as_str().unwrap();
    let report = one.json(&[
        "report",
        "--enterprise",
        firm,
        "--place",
        "打磨车间",
        "--text",
        "横梁积尘",
        "--no-photo-reason",
        "防爆区",
    ]);
    let hazard = report["hazard_id"].as_str().unwrap();
    one.ok(&["inspect", "result", id, "--not-ok", "1=横梁积尘"]);
    one.ok(&[
        "inspect",
        "finding",
        id,
        "--hazard",
        hazard,
        "--item",
        "1",
        "--handling",
        "rectify_by_deadline",
    ]);
    one.ok(&["inspect", "sign", id]);
    one.ok(&[
        "inspect",
        "refuse",
        id,
        "--reason",
        "不认可检查结果",
        "--witness",
        "李芳",
    ]);
    let alone = one.run(&["inspect", "complete", id, "--situation", "发现一项隐患"]);
    assert_eq!(alone.status.code(), Some(3), "one inspector alone");
    // The colleague's phone does not know the inspection yet: the server decides on the signature.
    two.ok(&["inspect", "result", id, "--ok", "GM-CK-I-DUST:1"]);
    two.ok(&["inspect", "sign", id]);
    one.ok(&["sync"]);
    two.ok(&["sync"]);
    one.ok(&["pull"]);
    one.ok(&["inspect", "complete", id, "--situation", "发现一项隐患"]);
    one.ok(&["sync"]);
    let seen = pulled(employee, id);
    assert_eq!(seen["status"]["name"], "completed");
    assert_eq!(seen["findings"][0]["hazard_id"], hazard);
    assert_eq!(seen["refusal"]["witness"], "李芳");
    assert_eq!(
        seen["items"][0]["results"].as_array().unwrap().len(),
        2,
        "both are kept"
    );
    assert_eq!(seen, pulled(two, id));
    let path = format!("/api/v1/inspections/{id}");
    let on_server = server
        .rest()
        .signed_in("inspector1")
        .get(&path)
        .expect_status(&[200])
        .json();
    assert_eq!(on_server["visits_in_year"], 1);
    assert_eq!(on_server["number"], seen["number"]);
}

/// The id of the polishing works, as this device knows it.
fn polishing(device: &Device) -> String {
    let enterprises = device.json(&["enterprises"]);
    let mut firms = enterprises.as_array().unwrap().iter();
    let firm = firms.find(|firm| firm["name"].as_str().unwrap().contains("打磨厂"));
    let firm = firm.unwrap_or_else(|| panic!("the polishing works among {enterprises}"));
    firm["id"].as_str().unwrap().to_owned()
}

/// An expert's visit from plan to completion; its advice becomes a hazard only when the enterprise
/// says so. Another plan is dropped.
#[test]
fn an_experts_advice_becomes_a_hazard_when_the_enterprise_reports_it() {
    each_database(|url| {
        let server = Server::start(url, ServerOptions::default().at(NOW));
        let expert = device(&server, "expert", 1);
        let principal = device(&server, "principal", 2);
        let firm = polishing(&expert);
        let plan = |from: &str| {
            let planned = expert.json(&[
                "inspect",
                "plan",
                "--kind",
                "expert_visit",
                "--enterprise",
                &firm,
                "--checklist",
                "GM-CK-I-DUST@1",
                "--from",
                from,
            ]);
            planned["inspection_id"].as_str().unwrap().to_owned()
        };
        let (id, dropped) = (plan("2026-11-22"), plan("2026-11-29"));
        expert.ok(&["inspect", "cancel", &dropped, "--reason", "企业停业"]);
        expert.ok(&["inspect", "start", &id, "--place", "打磨车间"]);
        expert.ok(&[
            "inspect",
            "attend",
            &id,
            "--present",
            "王强:总经理",
            "--role",
            "principal",
        ]);
        let advice = ["--advice", "泄爆片建议更换", "--item", "1"];
        expert.ok(&[&["inspect", "finding", &id], &advice[..]].concat());
        let other = ["inspect", "finding", &id, "--advice", "x", "--item", "99"];
        assert_eq!(expert.run(&other).status.code(), Some(3), "no such item");
        expert.ok(&["inspect", "sign", &id]);
        expert.ok(&["inspect", "complete", &id, "--situation", "提出一条建议"]);
        expert.ok(&["sync"]);
        assert_eq!(pulled(&principal, &dropped)["status"]["name"], "cancelled");

        let seen = pulled(&principal, &id);
        assert_eq!(seen["attendees"][0]["attendee"]["name"], "王强");
        let report = principal.json(&[
            "report",
            "--place",
            "打磨车间",
            "--text",
            "泄爆片老化",
            "--no-photo-reason",
            "防爆区",
        ]);
        let hazard = report["hazard_id"].as_str().unwrap();
        let convert = [
            "inspect",
            "convert",
            &id,
            "--finding",
            "1",
            "--hazard",
            hazard,
        ];
        principal.ok(&convert);
        principal.ok(&["sync"]);
        let seen = pulled(&expert, &id);
        assert_eq!(seen["findings"][0]["converted"]["hazard_id"], hazard);
        assert_eq!(seen, pulled(&principal, &id));
        let shown = principal.ok(&["inspect", "show", &id, "--lang", "zh"]);
        assert!(
            shown.contains("检查发现 1: 泄爆片建议更换 → HZ-"),
            "{shown}"
        );
        assert!(
            shown.contains("计划日期 2026-11-22 – 2026-11-22"),
            "{shown}"
        );
        let again = principal.run(&convert);
        assert_eq!(again.status.code(), Some(3), "it has become one already");
    });
}
