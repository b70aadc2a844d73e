//! Who plays: a server behind a network that can be cut, four devices, and people at a desk.

use std::fs;

use hazardloop_tests::TestDatabase;
use hazardloop_tests::device::Device;
use hazardloop_tests::install::uuid_v7;
use hazardloop_tests::link::Link;
use hazardloop_tests::photo::write_photo;
use hazardloop_tests::process::described;
use hazardloop_tests::rest::Rest;
use hazardloop_tests::server::{DEMO_PASSWORD, Server, ServerOptions};
use serde_json::{Value, json};

/// It stands still, so that both databases see the same times.
const NOW: &str = "2026-11-22T01:00:00Z";
const NOW_MS: i64 = 1_795_309_200_000;

/// A UUIDv7, the same in every run.
pub fn id(salt: &str) -> String {
    uuid_v7(NOW_MS, salt).to_string()
}

/// All that takes part.
pub struct Stage {
    pub server: Server,
    pub link: Link,
    pub employee: Device,
    pub principal: Device,
    pub inspectors: [Device; 2],
    photos: tempfile::TempDir,
    // Dropped after the server.
    _database: TestDatabase,
}

impl Stage {
    /// Starts the server and enrols the devices through the link.
    pub fn set(database: TestDatabase) -> Self {
        println!("on {}", database.url().split(':').next().unwrap());
        let options = ServerOptions::default().at(NOW);
        let mut server = Server::start(database.url(), options);
        // Commands keep the anchors that the server gave out, so both databases have to have the same secret.
        server.kill();
        let secret = "5a".repeat(32);
        let set = format!("UPDATE server_meta SET value = '{secret}' WHERE name = 'anchor_key'");
        super::tamper::execute(server.database_url(), &set);
        server.restart();
        let link = Link::to(server.address());
        let device = |user: &str, seed: u64| {
            let device = Device::new(&link.url(), user).repeatable(NOW, seed);
            device.ok(&["enroll", "--name", &format!("{user}'s phone")]);
            device.ok(&["pull"]);
            device
        };
        let employee = device("employee", 1);
        let principal = device("principal", 2);
        let inspectors = [device("inspector1", 3), device("inspector2", 4)];
        let photos = tempfile::tempdir().unwrap();
        Self {
            server,
            link,
            employee,
            principal,
            inspectors,
            photos,
            _database: database,
        }
    }

    /// Every device.
    pub fn devices(&self) -> impl Iterator<Item = &Device> {
        [&self.employee, &self.principal]
            .into_iter()
            .chain(&self.inspectors)
    }

    /// A photo on disk; its path.
    pub fn photo(&self, name: &str, seed: u64, size: usize) -> String {
        write_photo(self.photos.path(), name, seed, size)
            .to_str()
            .unwrap()
            .to_owned()
    }

    /// Whether the server gives exactly the bytes of the photo that was taken as `name`.
    pub fn assert_same_photo(&self, sha256: &Value, name: &str) {
        let sha256 = sha256.as_str().unwrap();
        let answer = self
            .inspector()
            .get(&format!("/api/v1/photos/{sha256}"))
            .expect_status(&[200]);
        assert!(
            answer.body == fs::read(self.photos.path().join(name)).unwrap(),
            "{name} came back otherwise"
        );
    }

    /// An inspector at a desk, who does not go through the field's network.
    pub fn inspector(&self) -> Rest {
        self.server.rest().signed_in("inspector1")
    }

    /// The department's reviewer.
    pub fn reviewer(&self) -> Rest {
        self.server.rest().signed_in("reviewer")
    }

    /// Somebody of another enterprise in the same town, added by the administrator.
    pub fn neighbour(&self) -> Rest {
        let enterprises = self.inspector().get("/api/v1/enterprises").json();
        let own = self.employee.json(&["enterprises"])[0]["id"].clone();
        let others = enterprises["items"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|one| one["id"] != own);
        let other = others.map(|one| one["id"].clone()).next().unwrap();
        let body = json!({
            "id": id("neighbour"), "login": "neighbour", "name": "邻居", "password": DEMO_PASSWORD,
            "grants": [{ "role": "principal", "scope": { "enterprise": other } }],
        });
        let admin = self.server.rest().signed_in("admin");
        admin.post("/api/v1/people", &body).expect_status(&[201]);
        self.server.rest().signed_in("neighbour")
    }

    /// What `audit verify` finds, which must be nothing; the head that it prints.
    pub fn audit_head(&self) -> String {
        let output = self.server.task(&["audit", "verify"]);
        assert!(output.status.success(), "{}", described(&output));
        let printed = String::from_utf8(output.stdout).unwrap();
        printed
            .lines()
            .find_map(|line| line.strip_prefix("head "))
            .unwrap()
            .to_owned()
    }
}
