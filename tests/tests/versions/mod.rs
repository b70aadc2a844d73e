//! Programs of other versions: a client is told which versions of the protocol the server speaks, and one command of a
//! newer one keeps nothing back that is behind it.

use hazardloop_domain::time::Timestamp;
use hazardloop_sync_protocol::wire::PushResult;
use hazardloop_tests::each_database;
use hazardloop_tests::install::Install;
use hazardloop_tests::server::{Server, ServerOptions};
use serde_json::{Value, json};

const NOW: &str = "2026-11-22T01:00:00Z";

fn enrolled(url: &str) -> (Server, Install) {
    let server = Server::start(url, ServerOptions::default().at(NOW));
    let now = Timestamp::parse(NOW).unwrap();
    let install = Install::enrol(&server.rest(), "employee", "versions", now);
    (server, install)
}

#[test]
fn a_client_of_another_version_is_told_which_versions_the_server_speaks() {
    each_database(|url| {
        let (_server, install) = enrolled(url);
        for version in [0, 2, 99] {
            let pull = json!({ "protocol": version, "install_id": install.id, "scopes": [] });
            let fields = [("content-type", "application/vnd.hazardloop.sync+json")];
            let body = pull.to_string();
            let path = "/api/v1/sync/pull";
            let answer = install
                .rest
                .ask("POST", path, &fields, Some(body.as_bytes()));
            assert_eq!(answer.status, 426, "{}", answer.text());
            assert_eq!(answer.problem(), "UPGRADE_REQUIRED");
            let told: Value = answer.json();
            assert_eq!(
                (&told["protocol_min"], &told["protocol_max"]),
                (&json!(1), &json!(1))
            );
        }
    });
}

#[test]
fn one_command_of_a_newer_client_keeps_nothing_back() {
    each_database(|url| {
        let (server, mut install) = enrolled(url);
        let now = Timestamp::parse(NOW).unwrap();
        let firm = server
            .rest()
            .signed_in("employee")
            .get("/api/v1/enterprises");
        let firm = firm.json()["items"][0]["id"]
            .as_str()
            .unwrap()
            .parse()
            .unwrap();
        let (hazard, report) = install.seal_report(now, firm);
        // By an algorithm to come, whose signatures are long.
        let mut newer = install.seal_note(now, hazard, "新算法");
        newer.signature_algorithm = 9;
        newer.signature.0 = vec![1; 4_627];
        let behind = install.seal_note(now, hazard, "在它后面");
        let answer = install.push(vec![report, newer, behind]);
        let names: Vec<&str> = answer
            .results
            .iter()
            .map(|result| match result {
                PushResult::Receipt(receipt) => receipt.outcome.name(),
                PushResult::IdReused { .. } => "reused",
            })
            .collect();
        assert_eq!(names, ["applied", "quarantined", "applied"]);

        // Of a kind whose name no server keeps its device learns by itself, and lets another command take its place.
        let (next, previous) = (install.next, install.previous);
        let long = install.seal_payload(&"x".repeat(65), 1, vec![0xa0]);
        let refused = install.post_push(&install.push_body(vec![long]));
        assert_eq!(refused.expect_status(&[413]).problem(), "PAYLOAD_TOO_LARGE");
        (install.next, install.previous) = (next, previous);
        let instead = install.seal_payload("placeholder", 1, vec![0xa0]);
        let behind = install.seal_note(now, hazard, "也在它后面");
        assert_eq!(install.push(vec![instead, behind]).last, next + 1);
    });
}
