//! Kill rounds: three devices sync at once, the server dies at a byte that the seed chooses, and starts again. In the
//! end everything that a device has acknowledged is there, once.
//!
//! A few rounds always; as many as fit into `SOAK_SECONDS` in `make soak`.

use std::time::{Duration, Instant};

use hazardloop_domain::hash::Digest;
use hazardloop_tests::device::Device;
use hazardloop_tests::link::{Link, Place, Way};
use hazardloop_tests::photo::write_photo;
use hazardloop_tests::process::{PATIENCE, described};
use hazardloop_tests::server::{Server, ServerOptions};
use hazardloop_tests::{TestDatabase, setting};

/// Rounds where nothing else is said.
const ROUNDS: u64 = 4;

/// Rounds in which everybody speaks of the same hazard.
const ROUNDS_A_HAZARD: usize = 100;

/// Seconds to go on for, and the seed.
const SECONDS: &str = "SOAK_SECONDS";
const SEED: &str = "SOAK_SEED";

/// Where the server may die: a request, which way, and up to how many bytes of it.
const PLACES: [(&str, Way, usize); 6] = [
    ("POST /api/v1/sync/push", Way::Up, 900),
    ("POST /api/v1/sync/push", Way::Down, 120),
    ("POST /api/v1/sync/pull", Way::Up, 300),
    ("POST /api/v1/sync/pull", Way::Down, 200),
    ("PATCH /api/v1/photos", Way::Up, 30_000),
    ("PATCH /api/v1/photos", Way::Down, 60),
];

/// Exit codes of a device: done, or the server was not reachable.
const EXPECTED: [Option<i32>; 2] = [Some(0), Some(4)];

#[test]
fn nothing_acknowledged_is_lost_or_doubled_on_sqlite() {
    rounds(TestDatabase::sqlite());
}

#[test]
fn nothing_acknowledged_is_lost_or_doubled_on_postgres() {
    rounds(TestDatabase::postgres());
}

#[allow(
    clippy::disallowed_methods,
    reason = "how long to go on is the caller's choice"
)]
struct Field {
    server: Server,
    link: Link,
    devices: Vec<Device>,
    photos: tempfile::TempDir,
    hazards: Vec<String>,
    notes: u64,
    _database: TestDatabase,
}

#[allow(
    clippy::disallowed_methods,
    reason = "an endurance run lasts as long as it was told"
)]
fn rounds(database: TestDatabase) {
    let seed = setting(SEED).unwrap_or(1);
    println!(
        "{SEED}={seed}, on {}",
        database.url().split(':').next().unwrap()
    );
    let mut field = Field::set(database);
    let (begun, seconds) = (Instant::now(), setting(SECONDS));
    let mut round = 0;
    while match seconds {
        Some(seconds) => begun.elapsed() < Duration::from_secs(seconds),
        None => round < ROUNDS,
    } {
        field.round(round, seed);
        round += 1;
    }
    field.settle();
    println!(
        "{round} rounds, {} hazards, {} notes",
        field.hazards.len(),
        field.notes
    );
}

/// A number below `limit` that follows from seed and round alone.
fn chosen(seed: u64, round: u64, what: &str, limit: usize) -> usize {
    let digest =
        Digest::sha256_of_parts(&[&seed.to_be_bytes(), &round.to_be_bytes(), what.as_bytes()]);
    let number = digest.as_bytes()[..8]
        .iter()
        .fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
    usize::try_from(number % limit as u64).unwrap()
}

impl Field {
    fn set(database: TestDatabase) -> Self {
        let server = Server::start(database.url(), ServerOptions::default());
        let link = Link::to(server.address());
        let devices = ["employee", "principal", "inspector1"].map(|user| {
            let device = Device::new(&link.url(), user);
            device.ok(&["enroll"]);
            device.ok(&["pull"]);
            device
        });
        let photos = tempfile::tempdir().unwrap();
        Self {
            server,
            link,
            devices: devices.into(),
            photos,
            hazards: Vec::new(),
            notes: 0,
            _database: database,
        }
    }

    fn round(&mut self, round: u64, seed: u64) {
        let photo = write_photo(self.photos.path(), "photo.jpg", seed << 32 | round, 40_000);
        let words = format!("第 {round} 轮");
        let reported = self.devices[0].json(&[
            "report",
            "--photo",
            photo.to_str().unwrap(),
            "--place",
            "车间",
            "--text",
            &words,
        ]);
        let hazard = reported["hazard_id"].as_str().unwrap().to_owned();
        self.hazards.push(hazard.clone());
        // All speak of one hazard that everybody knows; a hazard has room for so many notes.
        if let Some(before) = usize::try_from(round).unwrap().checked_sub(1) {
            let about = self.hazards[before / ROUNDS_A_HAZARD * ROUNDS_A_HAZARD].clone();
            for device in &self.devices {
                device.ok(&["note", &about, "--text", &format!("note {}", self.notes)]);
                self.notes += 1;
            }
        }
        let (request, way, most) = PLACES[chosen(seed, round, "place", PLACES.len())];
        let place = Place {
            request,
            way,
            bytes: chosen(seed, round, "bytes", most),
        };
        println!("round {round}: {place:?}");
        let planned = self.link.stop_at(place);
        let syncing: Vec<_> = self
            .devices
            .iter()
            .map(|device| device.start(&["sync"]))
            .collect();
        planned.wait();
        self.server.kill();
        self.link.cut();
        for one in syncing {
            let output = one.finish(PATIENCE);
            assert!(
                EXPECTED.contains(&output.status.code()),
                "round {round}: {}",
                described(&output)
            );
        }
        self.server.restart();
        self.link.lead_to(self.server.address());
        self.link.restore();
        if hazard
            == self.hazards[usize::try_from(round).unwrap() / ROUNDS_A_HAZARD * ROUNDS_A_HAZARD]
        {
            // From here on everybody knows this hazard.
            self.devices
                .iter()
                .for_each(|device| drop(device.ok(&["sync"])));
        }
    }

    /// The network is well again: everything arrives, once.
    fn settle(&mut self) {
        for _ in 0..2 {
            self.devices
                .iter()
                .for_each(|device| drop(device.ok(&["sync"])));
        }
        let inspector = self.server.rest().signed_in("inspector1");
        for device in &self.devices {
            let status = device.json(&["status"]);
            assert_eq!(
                (
                    &status["on_device"],
                    &status["photos_on_device"],
                    &status["needs_attention"]
                ),
                (&0.into(), &0.into(), &0.into()),
                "{status}"
            );
        }
        for hazard in &self.hazards {
            let seen = inspector
                .get(&format!("/api/v1/hazards/{hazard}"))
                .expect_status(&[200])
                .json();
            assert_eq!(seen["photos"][0]["state"]["name"], "verified", "{seen}");
            for device in &self.devices {
                assert_eq!(
                    device.json(&["show", hazard])["hazard"],
                    hazard_of(&seen),
                    "a replica differs"
                );
            }
        }
        let noted: Vec<_> = self
            .hazards
            .iter()
            .map(|hazard| inspector.get(&format!("/api/v1/hazards/{hazard}")).json())
            .collect();
        let mut texts: Vec<&str> = noted
            .iter()
            .flat_map(|hazard| hazard["notes"].as_array().unwrap())
            .map(|note| note["text"].as_str().unwrap())
            .collect();
        let all = texts.len();
        texts.sort_unstable();
        texts.dedup();
        assert_eq!(
            (texts.len() as u64, all as u64),
            (self.notes, self.notes),
            "notes lost or doubled"
        );
        assert!(self.server.stop().success());
        let verified = self.server.task(&["audit", "verify"]);
        assert!(verified.status.success(), "{}", described(&verified));
    }
}

/// The record alone, without what the answer adds for its reader.
fn hazard_of(view: &serde_json::Value) -> serde_json::Value {
    let mut record = view.clone();
    for added in ["allowed_actions", "overdue"] {
        record.as_object_mut().unwrap().remove(added);
    }
    record
}
