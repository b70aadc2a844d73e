//! Two inspectors in a basement: one confirms a major hazard, the other signs on a phone of their own or with a PIN,
//! and what comes to the server is confirmed by both.

mod inspections;

use std::path::Path;

use hazardloop_tests::device::Device;
use hazardloop_tests::each_database;
use hazardloop_tests::rest::Rest;
use hazardloop_tests::server::{DEMO_PASSWORD, Server, ServerOptions};
use serde_json::{Value, json};

const NOW: &str = "2026-11-22T01:00:00Z";

struct Site {
    server: Server,
    first: Device,
    second: Device,
    desk: Rest,
}

impl Site {
    fn start(url: &str) -> Self {
        let server = Server::start(url, ServerOptions::default().at(NOW));
        let address = format!("http://{}", server.address());
        let device = |user: &str, seed: u64| {
            let device = Device::new(&address, user).repeatable(NOW, seed);
            device.ok(&["enroll", "--name", &format!("{user}'s phone")]);
            device.ok(&["pull"]);
            device
        };
        let (first, second) = (device("inspector1", 1), device("inspector2", 2));
        let desk = server.rest().signed_in("inspector1");
        Self {
            server,
            first,
            second,
            desk,
        }
    }

    /// A major hazard that the first inspector finds; its id.
    fn found(&self, text: &str) -> String {
        let enterprise = self.first.json(&["enterprises"])[0]["id"].clone();
        let found = self.first.json(&[
            "report",
            "--text",
            text,
            "--place",
            "2 号线",
            "--major",
            "--no-photo",
            "黑暗",
            "--criterion",
            "GM-10-3-2@1",
            "--enterprise",
            enterprise.as_str().unwrap(),
        ]);
        found["hazard_id"].as_str().unwrap().to_owned()
    }

    fn status(&self, device: &Device, hazard: &str) -> Value {
        let _ = &self.server;
        device.json(&["show", hazard])["hazard"]["status"].clone()
    }
}

/// The first inspector's confirmation, with more words.
fn confirm(hazard: &str, more: &[&str]) -> Vec<String> {
    let words = [
        "confirm",
        hazard,
        "--major",
        "--criterion",
        "GM-10-3-2@1",
        "--responsible",
        "王强",
        "--requirement",
        "清理积尘",
        "--category",
        "粉尘防爆",
        "--due",
        "2026-12-05",
    ];
    words
        .iter()
        .chain(more)
        .map(|word| (*word).to_owned())
        .collect()
}

fn run(device: &Device, words: &[String]) -> Value {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    device.json(&words)
}

fn path(device: &Device, name: &str) -> String {
    device.home().join(name).to_str().unwrap().to_owned()
}

fn write(path: &str, text: &str) {
    std::fs::write(Path::new(path), text).unwrap();
}

/// Confirmed by both, on the record.
fn assert_confirmed_by_two(site: &Site, hazard: &str, key: &Value) {
    let people = site
        .server
        .rest()
        .signed_in("admin")
        .get("/api/v1/people")
        .json();
    let id_of = |login: &str| {
        let all = people["items"].as_array().unwrap().iter();
        let mut found = all
            .filter(|person| person["login"] == login)
            .map(|person| person["id"].clone());
        found.next_back().unwrap()
    };
    let shown = site.desk.get(&format!("/api/v1/hazards/{hazard}")).json();
    assert_eq!(shown["status"]["name"], "confirmed", "{shown}");
    let events = site
        .desk
        .get(&format!("/api/v1/hazards/{hazard}/events"))
        .json();
    let mut confirmed = events["items"].as_array().unwrap().iter();
    let confirmed = confirmed
        .rfind(|event| event["kind"] == "confirmed")
        .unwrap();
    assert_eq!(confirmed["actor_id"], id_of("inspector1"));
    assert_eq!(
        confirmed["event"]["second"],
        id_of("inspector2"),
        "{confirmed}"
    );
    let signer = &confirmed["co_signers"][0];
    assert_eq!(
        (&signer["person_id"], &signer["key_id"]),
        (&id_of("inspector2"), key)
    );
}

#[test]
fn two_phones_without_network_confirm_a_major_hazard() {
    each_database(|url| {
        let site = Site::start(url);
        // From here on nobody speaks to the server.
        let hazard = site.found("除尘器泄爆口被封堵");
        let draft = path(&site.first, "draft");
        let asked = run(&site.first, &confirm(&hazard, &["--draft", &draft]));
        let asked = asked["text"].as_str().unwrap();
        let signed = site.second.json(&["cosign", "sign", asked, "--yes"]);
        assert!(signed["says"].to_string().contains("清理积尘"), "{signed}");
        let answer = signed["answer"].as_str().unwrap();
        let queued = site
            .first
            .json(&["cosign", "queue", &draft, "--co-signature", answer]);
        assert_eq!(queued["seqs"], json!([2]));
        let shown = site.status(&site.first, &hazard);
        assert_eq!(shown["name"], "confirmed", "shown at once: {shown}");
        // The network is back.
        site.first.ok(&["sync"]);
        let key = site.second.json(&["status"])["install_id"].clone();
        assert_confirmed_by_two(&site, &hazard, &key);
        site.second.ok(&["pull"]);
        assert_eq!(site.status(&site.second, &hazard)["name"], "confirmed");
    });
}

#[test]
fn a_pin_on_the_first_phone_is_the_second_inspectors_signature_until_it_is_revoked() {
    each_database(|url| {
        let site = Site::start(url);
        let (password, pin) = (path(&site.first, "password"), path(&site.first, "pin"));
        write(&password, DEMO_PASSWORD);
        write(&pin, "271828");
        let key = site.first.json(&[
            "pin-key",
            "add",
            "inspector2",
            "--password-file",
            &password,
            "--pin-file",
            &pin,
        ]);
        let hazard = site.found("除尘器泄爆口被封堵");
        let signed = ["--second", "inspector2", "--pin-file", &pin];
        run(&site.first, &confirm(&hazard, &signed));
        let other = site.found("除尘管道积尘");
        site.first.ok(&["sync"]);
        assert_confirmed_by_two(&site, &hazard, &key["key_id"]);
        // The second inspector revokes the key; what it signed before the revocation waits for a person.
        let second = site.server.rest().signed_in("inspector2");
        let (person, id) = (
            key["person_id"].as_str().unwrap(),
            key["key_id"].as_str().unwrap(),
        );
        let keys = format!("/api/v1/people/{person}/keys");
        assert_eq!(second.get(&keys).json()["items"][0]["id"], id);
        run(&site.first, &confirm(&other, &signed));
        second
            .ask("DELETE", &format!("{keys}/{id}"), &[], None)
            .expect_status(&[204]);
        let synced = site.first.run(&["sync"]);
        assert_eq!(
            synced.status.code(),
            Some(5),
            "it needs a person's attention"
        );
        let queue = site.first.json(&["queue"]);
        let outcome = &queue["needs_attention"][0]["outcome"];
        // The clock stands still here: signed at the very moment of the revocation is not before it.
        assert_eq!(
            outcome["refusal"]["code"], "CO_SIGNATURE_INVALID",
            "{queue}"
        );
    });
}
