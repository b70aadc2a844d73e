//! Proof of time, end to end: a report that was made without signal, a colleague who was there and comes home first,
//! and what everybody concerned is shown. On both databases.

use hazardloop_tests::device::Device;
use hazardloop_tests::each_database;
use hazardloop_tests::server::{Server, ServerOptions};
use serde_json::Value;

fn device(server: &Server, user: &str) -> Device {
    let device = Device::new(&format!("http://{}", server.address()), user);
    device.ok(&["enroll", "--name", user]);
    device.ok(&["sync"]);
    device
}

fn report(device: &Device, text: &str) -> String {
    let found = device.json(&[
        "report",
        "--place",
        "一号车间",
        "--text",
        text,
        "--no-photo",
        "黑暗",
    ]);
    found["hazard_id"].as_str().unwrap().to_owned()
}

fn proof_at_the_desk(server: &Server, user: &str, hazard: &str) -> Value {
    let desk = server.rest().signed_in(user);
    let events = desk.get(&format!("/api/v1/hazards/{hazard}/events")).json();
    events["items"][0]["time_proof"].clone()
}

#[test]
fn a_report_is_proven_for_when_a_colleague_came_home() {
    each_database(|url| {
        let server = Server::start(url, ServerOptions::default());
        let employee = device(&server, "employee");
        let safety = device(&server, "safety");

        // Underground: the report, and the colleague beside.
        let hazard = report(&employee, "粉尘堆积");
        let shown = employee.json(&["show", &hazard]);
        let claimed = &shown["time_proofs"][0]["time_proof"];
        assert_eq!(claimed["level"], "claimed", "{claimed}");
        let text = employee.json(&["witness", "show"])["text"].clone();
        safety.ok(&["witness", "take", text.as_str().unwrap()]);

        // The colleague comes home first, then the author.
        safety.ok(&["sync"]);
        employee.ok(&["sync"]);
        employee.ok(&["sync"]);

        let proof = proof_at_the_desk(&server, "inspector1", &hazard);
        assert_eq!(proof["level"], "witnessed", "{proof}");
        let text = |name: &str| proof[name].as_str().unwrap().to_owned();
        assert!(text("not_before") < text("proven_at"), "{proof}");
        assert!(text("proven_at") < text("received_at"), "{proof}");
        assert_eq!(
            proof["clock"], "consistent",
            "one clock, and it is right: {proof}"
        );
        assert_eq!(proof_at_the_desk(&server, "employee", &hazard), proof);

        // On the author's own phone, in both languages.
        let shown = employee.json(&["show", &hazard]);
        let told = &shown["time_proofs"][0];
        assert_eq!(told["time_proof"]["level"], "witnessed", "{told}");
        assert_eq!(told["time_proof"]["proven_at"], proof["proven_at"]);
        for (lang, words) in [
            ("zh", "已由他人设备见证"),
            ("en", "witnessed by another device"),
        ] {
            let told = employee.ok(&["show", &hazard, "--lang", lang]);
            assert!(told.contains(words), "{told}");
        }
        // On the inspector's, which is not told what others have seen of whose work: it asks.
        let inspector = device(&server, "inspector1");
        let told = inspector.ok(&["show", &hazard, "--lang", "en"]);
        assert!(told.contains("show --online"), "{told}");
        let asked = inspector.json(&["show", &hazard, "--online"]);
        let knows = &asked["report_as_the_server_knows"]["time_proof"];
        assert_eq!(*knows, proof, "{asked}");

        // What was made later is not covered by what was seen.
        let later = report(&employee, "护栏缺失");
        employee.ok(&["sync"]);
        let proof = proof_at_the_desk(&server, "inspector1", &later);
        assert_eq!(proof["level"], "received", "{proof}");
    });
}
