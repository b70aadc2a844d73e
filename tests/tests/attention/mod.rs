//! What took no effect, on a device without signal: listed with how the record stands and what is allowed now,
//! sent again, replaced or given up; and what became of it shown wherever its author looks. On both databases.

use std::path::Path;

use hazardloop_tests::device::Device;
use hazardloop_tests::each_database;
use hazardloop_tests::link::Link;
use hazardloop_tests::server::{Server, ServerOptions};
use serde_json::{Value, json};

const NOW: &str = "2026-11-22T01:00:00Z";

fn device(link: &Link, user: &str, seed: u64) -> Device {
    let device = Device::new(&link.url(), user).repeatable(NOW, seed);
    device.ok(&["enroll", "--name", user]);
    device.ok(&["sync"]);
    device
}

fn items(answer: &Value) -> &Vec<Value> {
    answer.as_array().unwrap()
}

/// Both without signal: the one withdraws a report, the other confirms it and is faster. Their phones, and the hazard.
fn who_came_too_late(link: &Link) -> (Device, Device, String) {
    let employee = device(link, "employee", 1);
    let safety = device(link, "safety", 2);
    let report = [
        "report",
        "--place",
        "一号车间",
        "--text",
        "粉尘堆积",
        "--no-photo",
        "黑暗",
    ];
    let found = employee.json(&report);
    let id = found["hazard_id"].as_str().unwrap().to_owned();
    employee.ok(&["sync"]);
    safety.ok(&["sync"]);
    employee.ok(&["withdraw", &id, "--reason", "误报"]);
    let confirm = [
        "confirm",
        &id,
        "--category",
        "粉尘涉爆",
        "--responsible",
        "周小河",
    ];
    safety.ok(&[&confirm[..], &["--requirement", "清扫", "--within", "5d"]].concat());
    safety.ok(&["sync"]);
    let run = employee.run(&["sync"]);
    assert_eq!(run.status.code(), Some(5), "something needs attention");
    (employee, safety, id)
}

#[test]
fn what_came_too_late_is_settled_by_its_author_and_everybody_concerned_sees_how() {
    each_database(|url| {
        let server = Server::start(url, ServerOptions::default().at(NOW));
        let link = Link::to(server.address());
        let (employee, _safety, id) = who_came_too_late(&link);

        let open = employee.json(&["attention"]);
        let [late] = items(&open).as_slice() else {
            panic!("{open}");
        };
        assert_eq!(
            (&late["kind"], &late["seq"]),
            (&json!("withdraw"), &json!(2))
        );
        assert_eq!(late["outcome"]["name"], "conflict", "{late}");
        assert_eq!(late["status"], "confirmed", "how it stands now");
        let allowed: Vec<&str> = late["allowed_now"]
            .as_array()
            .unwrap()
            .iter()
            .map(|kind| kind.as_str().unwrap())
            .collect();
        assert!(
            allowed.contains(&"note") && !allowed.contains(&"withdraw"),
            "{allowed:?}"
        );
        let told = employee.run(&["attention", "--lang", "zh"]);
        let told = String::from_utf8_lossy(&told.stdout).into_owned();
        assert!(
            told.contains("已确认") && told.contains("您现在可以"),
            "{told}"
        );

        // The same at the desk.
        let rest = server.rest().signed_in("employee");
        let waits = rest.get("/api/v1/attention").json();
        assert_eq!(items(&waits["items"]).len(), 1);
        let install = waits["items"][0]["install_id"].as_str().unwrap();
        let one = rest.get(&format!("/api/v1/attention/{install}/2")).json();
        assert_eq!(one["present"]["status"], "confirmed");
        let neighbour = server.rest().signed_in("safety");
        neighbour
            .get(&format!("/api/v1/attention/{install}/2"))
            .expect_status(&[404]);

        // Without signal: a retry is refused by the rules here already; it is replaced and given up.
        link.cut();
        assert_eq!(
            employee.run(&["attention", "retry", "2"]).status.code(),
            Some(3)
        );
        for wrong in [
            &["attention", "give-up", "1", "--reason", "重复"][..],
            &["attention", "retry", "77"],
            &["list", "--instead-of", "2"],
        ] {
            assert_eq!(employee.run(wrong).status.code(), Some(2), "{wrong:?}");
        }
        employee.ok(&[
            "note",
            &id,
            "--text",
            "申请核实是否误报",
            "--instead-of",
            "2",
        ]);
        assert_eq!(items(&employee.json(&["attention"])).len(), 0);
        let all = employee.json(&["attention", "--all"]);
        assert_eq!(items(&all)[0]["chosen"]["how"], "amended");
        link.restore();
        employee.ok(&["sync"]);
        let waits = rest.get("/api/v1/attention").json();
        assert_eq!(waits["items"], json!([]));
        let settled = rest.get("/api/v1/attention/settled").json();
        assert_eq!(settled["items"][0]["chosen"]["how"], "amended");
        assert_eq!(settled["items"][0]["chosen"]["by"]["seq"], 3);

        // A second phone of the same person is told too.
        let second = device(&link, "employee", 9);
        let scopes = second.json(&["status"]);
        assert_eq!(scopes["needs_attention"], 0, "{scopes}");
    });
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        match entry.path().is_dir() {
            true => copy(&entry.path(), &target),
            false => drop(std::fs::copy(entry.path(), target).unwrap()),
        }
    }
}

/// Its commands have other numbers by then, under another install; what is chosen about them names them as the server
/// knows them.
#[test]
fn a_phone_that_was_restored_gives_up_what_it_had_sent_and_nothing_else() {
    each_database(|url| {
        let server = Server::start(url, ServerOptions::default().at(NOW));
        let link = Link::to(server.address());
        let (employee, _safety, id) = who_came_too_late(&link);
        let rest = server.rest().signed_in("employee");
        let waits = rest.get("/api/v1/attention").json();
        let old = waits["items"][0]["install_id"].clone();

        // A backup, more work, and the backup again; then two notes whose numbers the withdrawal had.
        let backup = tempfile::tempdir().unwrap();
        copy(employee.home(), backup.path());
        employee.ok(&["note", &id, "--text", "备份之后"]);
        employee.ok(&["sync"]);
        std::fs::remove_dir_all(employee.home()).unwrap();
        copy(backup.path(), employee.home());
        for text in ["恢复之后", "再一条"] {
            employee.ok(&["note", &id, "--text", text]);
        }
        assert_ne!(employee.run(&["sync"]).status.code(), Some(0));
        assert_eq!(employee.json(&["status"])["must_enroll_again"], true);
        employee.ok(&["enroll", "--name", "employee"]);
        let open = employee.json(&["attention"]);
        let [late] = items(&open).as_slice() else {
            panic!("{open}");
        };
        assert_eq!(
            (&late["kind"], &late["seq"]),
            (&json!("withdraw"), &json!(-2))
        );
        employee.ok(&["attention", "give-up", "-2", "--reason", "重复"]);
        employee.ok(&["sync"]);

        assert_eq!(employee.json(&["attention"]), json!([]));
        assert_eq!(rest.get("/api/v1/attention").json()["items"], json!([]));
        let settled = rest.get("/api/v1/attention/settled").json();
        let settled = &settled["items"][0];
        assert_eq!((&settled["install_id"], &settled["seq"]), (&old, &json!(2)));
        assert_eq!(settled["chosen"]["how"], "given_up");
        let notes = rest.get(&format!("/api/v1/hazards/{id}")).json();
        assert_eq!(items(&notes["notes"]).len(), 3);
    });
}

/// Two people correct the same text without seeing each other's; whoever has seen both decides, and nothing is left over.
#[test]
fn a_text_that_two_people_changed_is_settled_by_whoever_has_seen_both() {
    each_database(|url| {
        let server = Server::start(url, ServerOptions::default().at(NOW));
        let link = Link::to(server.address());
        let employee = device(&link, "employee", 1);
        let safety = device(&link, "safety", 2);
        let report = ["report", "--place", "一号车间", "--text", "粉尘"];
        let found = employee.json(&[&report[..], &["--no-photo", "黑暗"]].concat());
        let id = found["hazard_id"].as_str().unwrap().to_owned();
        employee.ok(&["sync"]);
        safety.ok(&["sync"]);
        safety.ok(&["amend", &id, "--text", "粉尘堆积"]);
        employee.ok(&["amend", &id, "--text", "粉尘堆积 3 毫米"]);
        safety.ok(&["sync"]);
        assert_eq!(employee.run(&["sync"]).status.code(), Some(5));

        let shown = employee.json(&["show", &id]);
        let disputed = &shown["hazard"]["disputed"];
        assert_eq!(disputed[0]["other_value"], "粉尘堆积 3 毫米");
        assert_eq!(
            shown["hazard"]["description"], "粉尘堆积",
            "the first stands"
        );
        for (lang, mark) in [
            ("zh", "隐患描述有两种说法"),
            ("en", "two values: description"),
        ] {
            let list = employee.run(&["list", "--lang", lang]);
            let list = String::from_utf8_lossy(&list.stdout).into_owned();
            assert!(list.contains(mark), "{list}");
        }
        // The same again says nothing new; the author settles it, having seen both.
        assert_eq!(
            employee.run(&["attention", "retry", "2"]).status.code(),
            Some(3)
        );
        let both = "粉尘堆积 3 毫米，已拍照";
        employee.ok(&["amend", &id, "--text", both, "--instead-of", "2"]);
        employee.ok(&["sync"]);
        assert_eq!(employee.json(&["attention"]), json!([]));
        safety.ok(&["sync"]);
        for device in [&employee, &safety] {
            let shown = device.json(&["show", &id]);
            assert_eq!(shown["hazard"]["description"], both);
            assert_eq!(shown["hazard"]["disputed"], json!([]));
        }
    });
}

/// A phone that is lost, or lies elsewhere: what it sent is seen and settled from another one.
#[test]
fn what_another_phone_sent_is_seen_and_settled_from_this_one() {
    each_database(|url| {
        let server = Server::start(url, ServerOptions::default().at(NOW));
        let link = Link::to(server.address());
        let (_lost, _safety, id) = who_came_too_late(&link);
        let second = device(&link, "employee", 9);
        assert_eq!(second.json(&["attention"]), json!([]), "not this phone's");
        let waits = second.json(&["attention", "--online"]);
        let [late] = items(&waits["items"]).as_slice() else {
            panic!("{waits}");
        };
        assert_eq!(
            (&late["kind"], &late["seq"]),
            (&json!("withdraw"), &json!(2))
        );
        assert_eq!(late["present"]["status"], "confirmed");
        let install = late["install_id"].as_str().unwrap();
        for (lang, words) in [("zh", "现为已确认"), ("en", "it is confirmed now")] {
            let told = second.run(&["attention", "--online", "--lang", lang]);
            let told = String::from_utf8_lossy(&told.stdout).into_owned();
            assert!(told.contains(install) && told.contains(words), "{told}");
        }
        let again = second.run(&["attention", "retry", "2", "--of", install]);
        assert_eq!(again.status.code(), Some(3), "the rules still refuse it");
        let give_up = ["attention", "give-up", "2", "--of", install];
        let reason = ["--reason", "手机已遗失"];
        second.ok(&[&give_up[..], &reason].concat());
        let waits = second.json(&["attention", "--online"]);
        assert_eq!(waits["items"], json!([]));
        // Not somebody else's, and not without a network.
        let safety = device(&link, "safety", 8);
        let theirs = safety.run(&[&give_up[..], &reason].concat());
        assert_eq!(theirs.status.code(), Some(3));
        link.cut();
        let offline = second.run(&["attention", "--online"]);
        assert_eq!(offline.status.code(), Some(4));
        let rest = server.rest().signed_in("employee");
        let settled = rest.get("/api/v1/attention/settled").json();
        assert_eq!(settled["items"][0]["chosen"]["reason"], "手机已遗失");
        let _ = id;
    });
}
