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
        "dust-daily@1",
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
    let enterprises = one.json(&["enterprises"]);
    let firms = enterprises.as_array().unwrap().iter();
    let firm = firms
        .filter(|firm| firm["name"].as_str().unwrap().contains("打磨厂"))
        .map(|firm| firm["id"].as_str().unwrap())
        .next()
        .unwrap_or_else(|| panic!("the polishing works among {enterprises}"));
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
        "dust@1",
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
    two.ok(&["inspect", "result", id, "--ok", "dust:1"]);
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
