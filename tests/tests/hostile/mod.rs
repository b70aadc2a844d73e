//! Bad input against a real server, on both databases: each a typed refusal in bounded time, nothing half-written, and
//! the server there afterwards as before.

mod commands;
mod json;
mod photos;
mod slow;
mod sync;
mod tokens;
mod values;

use hazardloop_domain::time::Timestamp;
use hazardloop_tests::TestDatabase;
use hazardloop_tests::install::uuid_v7;
use hazardloop_tests::rest::{Answer, Rest};
use hazardloop_tests::server::{Server, ServerOptions};
use serde_json::{Value, json};

/// The server's time where a test fixes it.
const NOW: &str = "2026-11-22T01:00:00Z";

/// The most memory that a server may have held after a suite of bad input. The allocator keeps up to 19 MiB of password
/// hashing for each thread that has done some; everything else fits into a quarter of this.
const MEMORY: u64 = 384 * 1024 * 1024;

/// A server with one reported hazard, and people who may and may not see it.
struct Site {
    server: Server,
    employee: Rest,
    inspector: Rest,
    enterprise: String,
    hazard: String,
    // Dropped after the server.
    _database: TestDatabase,
}

/// Runs `test` on a site over each database; then nothing may have changed, and the server must be well.
fn refuses_all(options: fn() -> ServerOptions, test: fn(&mut Site)) {
    for database in [TestDatabase::sqlite(), TestDatabase::postgres()] {
        println!("on {}", database.url().split(':').next().unwrap());
        let mut site = Site::start(database, options());
        let before = site.everything();
        test(&mut site);
        assert_eq!(site.server.rest().get("/readyz").status, 200);
        assert_eq!(site.everything(), before, "something was written");
        let peak = site.server.peak_memory();
        assert!(peak < MEMORY, "the server held {peak} bytes");
        assert!(site.server.stop().success());
    }
}

fn plain() -> ServerOptions {
    ServerOptions::default().at(NOW)
}

impl Site {
    fn start(database: TestDatabase, options: ServerOptions) -> Self {
        let server = Server::start(database.url(), options);
        let rest = server.rest();
        let employee = rest.signed_in("employee");
        let inspector = rest.signed_in("inspector1");
        let enterprises = employee.get("/api/v1/enterprises").json();
        let enterprise = enterprises["items"][0]["id"].as_str().unwrap().to_owned();
        let mut site = Self {
            server,
            employee,
            inspector,
            enterprise,
            hazard: String::new(),
            _database: database,
        };
        let report = site.report("the first");
        site.employee
            .post("/api/v1/hazards", &report)
            .expect_status(&[201]);
        site.hazard = report["id"].as_str().unwrap().to_owned();
        site
    }

    /// A report that the server would take.
    fn report(&self, salt: &str) -> Value {
        json!({
            "id": new_id(salt),
            "source": "employee_report",
            "grade": "general",
            "enterprise_id": self.enterprise,
            "description": "除尘器灰斗积尘",
            "place_text": "一号车间",
            "position": { "longitude": 105.594, "latitude": 29.405, "reference": "wgs84", "accuracy_m": 8.5 },
            "found_at": "2026-11-21T08:00:00Z",
            "no_photo_reason": "防爆区",
        })
    }

    /// All that can be listed, and the record of who did what.
    fn everything(&mut self) -> Vec<String> {
        let supervisor = self.server.rest().signed_in("supervisor");
        let mut all: Vec<String> = [
            "/api/v1/hazards?limit=200",
            "/api/v1/enterprises",
            "/api/v1/jurisdictions",
        ]
        .iter()
        .map(|path| supervisor.get(path).expect_status(&[200]).text())
        .collect();
        let events = format!("/api/v1/hazards/{}/events", self.hazard);
        all.push(
            self.inspector_again()
                .get(&events)
                .expect_status(&[200])
                .text(),
        );
        all
    }

    /// Tests may end a person's session.
    fn inspector_again(&mut self) -> Rest {
        self.inspector = self.server.rest().signed_in("inspector1");
        self.inspector.clone()
    }
}

/// A UUIDv7 that nobody else has made.
fn new_id(salt: &str) -> String {
    uuid_v7(now().as_millis(), salt).to_string()
}

fn now() -> Timestamp {
    Timestamp::parse(NOW).unwrap()
}

/// Whether `answer` refuses with this status, as a problem document.
fn assert_refused(answer: &Answer, case: &str, statuses: &[u16]) {
    assert!(
        statuses.contains(&answer.status),
        "{case}: expected {statuses:?}, got {}: {}",
        answer.status,
        answer.text()
    );
    let code = answer.problem();
    assert!(!code.is_empty(), "{case}: no code");
}
