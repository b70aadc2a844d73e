//! A phone that its owner's administrator has revoked: whatever it asks the server next, what it had not sent is handed
//! over and the phone is wiped; what is larger than the server takes is kept and told. On both databases.

use hazardloop_tests::device::Device;
use hazardloop_tests::each_database;
use hazardloop_tests::process::described;
use hazardloop_tests::server::{Server, ServerOptions};
use serde_json::Value;

const NOW: &str = "2026-11-22T01:00:00Z";

fn phone(server: &Server, seed: u64) -> Device {
    let address = format!("http://{}", server.address());
    let phone = Device::new(&address, "employee").repeatable(NOW, seed);
    phone.ok(&["enroll"]);
    phone.ok(&["sync"]);
    phone
}

fn report(phone: &Device, text: &str) {
    let words = [
        "report",
        "--place",
        "车间",
        "--no-photo",
        "黑暗",
        "--text",
        text,
    ];
    phone.ok(&words);
}

fn revoke(server: &Server, phone: &Device) {
    let install = phone.json(&["status"])["install_id"].clone();
    let path = format!("/api/v1/devices/{}", install.as_str().unwrap());
    let admin = server.rest().signed_in("admin");
    admin.ask("DELETE", &path, &[], None).expect_status(&[204]);
}

/// What it answers, where a person is needed.
fn told(phone: &Device, words: &[&str]) -> Value {
    let words: Vec<&str> = words.iter().copied().chain(["--json"]).collect();
    let run = phone.run(&words);
    assert_eq!(run.status.code(), Some(5), "{words:?}: {}", described(&run));
    serde_json::from_slice(&run.stdout).unwrap()
}

fn waiting(server: &Server) -> usize {
    let head = server.rest().signed_in("head");
    let listed = head.get("/api/v1/quarantined").json();
    listed["items"].as_array().unwrap().len()
}

#[test]
fn looking_something_up_or_enrolling_again_hands_over_and_wipes() {
    each_database(|url| {
        let server = Server::start(url, ServerOptions::default().at(NOW));
        for (n, words) in [&["find"][..], &["hand-overs"], &["enroll"]]
            .iter()
            .enumerate()
        {
            let phone = phone(&server, n as u64 + 1);
            report(&phone, "未送达");
            revoke(&server, &phone);
            let answer = told(&phone, words);
            assert_eq!(answer["wiped"]["handed_over"], 1, "{words:?}: {answer}");
            assert_eq!(answer["wiped"]["commands_lost"], 0, "{words:?}: {answer}");
            assert_eq!(waiting(&server), n + 1, "{words:?}");
            let after = phone.run(&["queue"]);
            assert_eq!(after.status.code(), Some(5), "there is nothing left here");
        }
    });
}

#[test]
fn one_command_that_the_server_does_not_take_holds_back_no_other_and_is_not_lost() {
    each_database(|url| {
        // A server, or what stands before it, with a limit that is too small.
        let small = ServerOptions::default()
            .at(NOW)
            .with("HAZARDLOOP_SYNC__BODY_BYTES", 4_096);
        let server = Server::start(url, small);
        let phone = phone(&server, 1);
        report(&phone, &format!("很长{}", "长".repeat(1_900)));
        report(&phone, "在它后面");
        report(&phone, "也在它后面");
        revoke(&server, &phone);
        let answer = told(&phone, &["sync"]);
        assert_eq!(answer["wiped"], Value::Null, "{answer}");
        assert_eq!(waiting(&server), 2);
        let kept = &answer["kept"][0]["command"]["description"];
        assert!(kept.as_str().unwrap().starts_with("很长长"), "{answer}");
        assert_eq!(phone.json(&["status"])["on_device"], 1);
        // Its author has it elsewhere now, and lets it go.
        phone.ok(&["wipe", "--lose", "1"]);
        assert_eq!(waiting(&server), 2);
    });
}
