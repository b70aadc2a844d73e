//! Pushes over HTTP: one thread a connection, each an install of its own, as fast as the server answers.

use std::thread;
use std::time::{Duration, Instant, SystemTime};

use hazardloop_domain::ids::EnterpriseId;
use hazardloop_domain::time::Timestamp;
use hazardloop_sync_protocol::wire::{MEDIA_TYPE_CBOR, Outcome, PushResult};
use hazardloop_tests::install::{Install, read_push};
use hazardloop_tests::raw::Connection;
use hazardloop_tests::server::{Server, ServerOptions};

use crate::figures::{Figures, processor_time};
use crate::ids::Ids;

/// Runs before the clock starts, so that connections, caches and prepared statements are there.
const WARM_UP: Duration = Duration::from_millis(500);

/// A server and its installs.
pub struct Field {
    server: Server,
    installs: Vec<Install>,
    enterprise: EnterpriseId,
    ids: Ids,
}

#[allow(clippy::disallowed_methods, reason = "a benchmark lives in real time")]
pub fn now() -> Timestamp {
    let since = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default();
    Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap_or_default())
}

#[allow(clippy::disallowed_methods, reason = "a benchmark lives in real time")]
pub fn stopwatch() -> Instant {
    Instant::now()
}

impl Field {
    /// Starts a server and enrols `count` installs of one employee.
    pub fn start(database_url: &str, tracer: &[String], count: usize) -> Self {
        let words: Vec<&str> = tracer.iter().map(String::as_str).collect();
        let options = ServerOptions::default().under(&words).for_measuring();
        let server = Server::start(database_url, options);
        let rest = server.rest();
        let session = rest.session("employee");
        let employee = rest.signed_in("employee");
        let enterprises = employee
            .get("/api/v1/enterprises")
            .expect_status(&[200])
            .json();
        let enterprise = &enterprises["items"][0];
        let uuid = |value: &serde_json::Value| -> uuid::Uuid {
            value
                .as_str()
                .and_then(|text| text.parse().ok())
                .unwrap_or_else(|| panic!("no id in {value}"))
        };
        let person = uuid(&session["person"]["id"]);
        let installs: Vec<Install> = (0..count)
            .map(|number| Install::enrol(&rest, "employee", &number.to_string(), now()))
            .collect();
        let ids = Ids {
            installs: installs
                .iter()
                .map(|install| install.id.as_bytes().to_vec())
                .collect(),
            person: person.as_bytes().to_vec(),
            enterprise: uuid(&enterprise["id"]).as_bytes().to_vec(),
            jurisdiction: uuid(&enterprise["jurisdiction_id"]).as_bytes().to_vec(),
        };
        Self {
            server,
            installs,
            enterprise: EnterpriseId(uuid(&enterprise["id"])),
            ids,
        }
    }

    /// Pushes batches of `batch` reports over `connections` connections.
    pub fn measure(&mut self, connections: usize, batch: usize, each: Duration) -> Figures {
        let (address, enterprise, id) = (self.server.address(), self.enterprise, self.server.id());
        let installs = self.installs.get_mut(..connections).unwrap_or_default();
        let begun = stopwatch();
        let (took, used, elapsed) = thread::scope(|scope| {
            let workers: Vec<_> = installs
                .iter_mut()
                .map(|install| {
                    scope.spawn(move || {
                        let mut connection =
                            Connection::open(address).unwrap_or_else(|error| panic!("{error}"));
                        let mut took = Vec::new();
                        while begun.elapsed() < WARM_UP + each {
                            let one = push(&mut connection, install, enterprise, batch);
                            if begun.elapsed() >= WARM_UP {
                                took.push(one);
                            }
                        }
                        took
                    })
                })
                .collect();
            thread::park_timeout(WARM_UP);
            let (started, before) = (stopwatch(), processor_time(id));
            let took: Vec<Duration> = workers
                .into_iter()
                .flat_map(|worker| worker.join().unwrap_or_else(|_| panic!("a worker failed")))
                .collect();
            (took, processor_time(id) - before, started.elapsed())
        });
        let mut figures = Figures::of(took, batch as u64, elapsed);
        figures.cpu_ms = Some(used.as_secs_f64() * 1_000.0 / figures.commands.max(1) as f64);
        figures
    }

    /// The most memory the server has held, bytes.
    pub fn peak_memory(&self) -> u64 {
        self.server.peak_memory()
    }

    /// Ends the server; the database stays.
    pub fn stop(mut self) -> Ids {
        self.server.stop();
        self.ids
    }
}

fn push(
    connection: &mut Connection,
    install: &mut Install,
    enterprise: EnterpriseId,
    batch: usize,
) -> Duration {
    let at = now();
    let commands = (0..batch)
        .map(|_| install.seal_report(at, enterprise).1)
        .collect();
    let body = install.push_body(commands);
    let fields = format!(
        "Authorization: Bearer {}\r\nContent-Type: {MEDIA_TYPE_CBOR}\r\n",
        install.rest.token()
    );
    let started = stopwatch();
    let answer = connection
        .ask("POST", "/api/v1/sync/push", &fields, &body)
        .unwrap_or_else(|error| panic!("a push: {error}"));
    let took = started.elapsed();
    assert_eq!(
        answer.status,
        200,
        "a push: {}",
        String::from_utf8_lossy(&answer.body)
    );
    let results = read_push(&answer.body).results;
    let applied = |result: &PushResult| matches!(result, PushResult::Receipt(receipt) if matches!(receipt.outcome, Outcome::Applied { .. }));
    assert!(
        results.len() == batch && results.iter().all(applied),
        "a push: {results:?}"
    );
    took
}
