//! Many devices that sync at the same moment: each on a connection of its own, in waves. What each request took, what
//! each device holds in the end, and what the server's memory did.
#![allow(
    clippy::disallowed_methods,
    reason = "a measurement lives in real time"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use hazardloop_domain::command::{Action, Source};
use hazardloop_domain::ids::{EnterpriseId, HazardId};
use hazardloop_domain::time::Timestamp;
use hazardloop_sync_protocol::codec;
use hazardloop_sync_protocol::wire::{
    Bytes, Checkpoint, Envelope, MEDIA_TYPE_CBOR, Outcome, PROTOCOL_MAX, Page, PullRequest,
    PullResponse, PushResult, RecordKind, Scope, ScopeCursor, ScopeUpdate,
};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::install::{Install, read_push, report, uuid_v7};
use crate::raw::Connection;
use crate::rest::Rest;
use crate::server::{DEMO_PASSWORD, Server, ServerOptions};

/// What the people are, in turn, as those of the sample, and what each of them may say of where a finding comes from;
/// `None`: who only reads.
const OWNERS: [(&str, Option<Source>); 10] = [
    ("employee", Some(Source::EnterpriseSelfCheck)),
    ("safety", Some(Source::EnterpriseSelfCheck)),
    ("principal", Some(Source::EnterpriseSelfCheck)),
    ("inspector1", Some(Source::DeptInspection)),
    ("inspector2", Some(Source::DeptInspection)),
    ("grid", Some(Source::Grid)),
    ("reviewer", None),
    ("head", None),
    ("supervisor", None),
    ("listing", None),
];

/// Depth of nesting that answers may have.
const DEPTH: usize = 16;

/// Memory that a thread of a device needs at most.
const STACK: usize = 1 << 20;

/// A server and its devices.
pub struct Crowd {
    server: Server,
    members: Vec<Member>,
    enterprise: EnterpriseId,
}

/// What one wave of syncing was.
pub struct Wave {
    /// Each push, sorted.
    pub pushes: Vec<Duration>,
    /// Each pull, sorted.
    pub pulls: Vec<Duration>,
    /// Records that all pulls brought together.
    pub records: u64,
    /// From the first request to the last answer.
    pub took: Duration,
    /// Bytes that the server held when the wave was over.
    pub resident: u64,
    /// The most bytes that it has held so far.
    pub peak: u64,
}

/// One device: its queue is on paper, its replica the keys alone.
struct Member {
    install: Install,
    source: Option<Source>,
    epoch: Option<String>,
    scopes: BTreeMap<Scope, Held>,
}

#[derive(Default)]
struct Held {
    cursor: Option<Bytes>,
    checkpoint: Option<Checkpoint>,
    keys: BTreeSet<(RecordKind, Uuid)>,
}

/// The time of `times`, sorted, that so many of a hundred stay within.
#[must_use]
pub fn percentile(times: &[Duration], percent: usize) -> Duration {
    let at = times.len().saturating_sub(1) * percent / 100;
    times.get(at).copied().unwrap_or_default()
}

fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    let ms = since.unwrap_or_default().as_millis();
    Timestamp::from_millis(i64::try_from(ms).unwrap_or_default())
}

/// What somebody of the sample is, for another person: inspectors with a certificate of their own.
fn roles_of(sample: &Value, login: &str, number: usize) -> Value {
    let people = sample["items"].as_array().expect("people");
    let like = people.iter().find(|person| person["login"] == login);
    let like = like.unwrap_or_else(|| panic!("the administrator does not see {login}"));
    let grants = like["grants"].as_array().expect("grants");
    let role = |grant: &Value| {
        let mut role = json!({ "role": grant["role"], "scope": grant["scope"] });
        if let Some(sectors) = grant.get("sectors") {
            role["sectors"] = sectors.clone();
        }
        if let Some(certificate) = grant.get("certificate").filter(|one| !one.is_null()) {
            role["certificate"] = certificate.clone();
            role["certificate"]["number"] = json!(format!("crowd-{number}"));
        }
        role
    };
    grants.iter().map(role).collect()
}

/// Adds somebody; their login.
fn add_person(admin: &Rest, number: usize, roles: &Value) -> String {
    let login = format!("crowd-{number}");
    let body = json!({
        "id": uuid_v7(now().as_millis(), &login),
        "login": login,
        "name": format!("某某{number}"),
        "password": DEMO_PASSWORD,
        "grants": roles,
    });
    admin
        .post("/api/v1/people", &body)
        .expect_status(&[200, 201]);
    login
}

impl Crowd {
    /// Starts a server with its usual limits on what one person may do, and enrols `count` people with a device each.
    ///
    /// # Panics
    /// When the server does not start or refuses one.
    #[must_use]
    pub fn enrol(database_url: &str, count: usize) -> Self {
        let server = Server::start(database_url, ServerOptions::default().for_crowds());
        let rest = server.rest();
        let admin = rest.signed_in("admin");
        let sample = admin.get("/api/v1/people?limit=100");
        let sample = sample.expect_status(&[200]).json();
        let enterprises = rest.signed_in("employee").get("/api/v1/enterprises");
        let enterprises = enterprises.expect_status(&[200]).json();
        let enterprise = enterprises["items"][0]["id"].as_str();
        let enterprise = enterprise.and_then(|id| id.parse().ok());
        let member = |number: usize| {
            let (like, source) = OWNERS[number % OWNERS.len()];
            let login = add_person(&admin, number, &roles_of(&sample, like, number));
            Member {
                source,
                install: Install::enrol(&rest, &login, &number.to_string(), now()),
                epoch: None,
                scopes: BTreeMap::new(),
            }
        };
        Self {
            members: (0..count).map(member).collect(),
            enterprise: EnterpriseId(enterprise.expect("an enterprise of the sample")),
            server,
        }
    }

    /// Everybody pushes `reports` reports in one batch and pulls until there is no more, all at once.
    ///
    /// # Panics
    /// When a request fails, a report does not take effect, or a device does not hold what the server counts.
    pub fn wave(&mut self, reports: usize) -> Wave {
        let (address, enterprise) = (self.server.address(), self.enterprise);
        let ready = Barrier::new(self.members.len() + 1);
        let (done, took) = thread::scope(|scope| {
            let threads: Vec<_> = self
                .members
                .iter_mut()
                .map(|member| {
                    let ready = &ready;
                    let sync = move || {
                        let at = now();
                        let commands: Vec<_> = (0..reports)
                            .filter_map(|_| member.seal_report(at, enterprise))
                            .collect();
                        let sent = commands.len();
                        let body = member.install.push_body(commands);
                        ready.wait();
                        let mut connection = Connection::open(address)
                            .unwrap_or_else(|error| panic!("a connection: {error}"));
                        let push = member.push(&mut connection, &body, sent);
                        (push, member.pull_all(&mut connection))
                    };
                    let builder = thread::Builder::new().stack_size(STACK);
                    builder.spawn_scoped(scope, sync).expect("a thread")
                })
                .collect();
            ready.wait();
            let begun = Instant::now();
            let done: Vec<_> = threads
                .into_iter()
                .map(|thread| thread.join().expect("every device syncs"))
                .collect();
            (done, begun.elapsed())
        });
        let mut pushes: Vec<_> = done.iter().map(|(push, _)| *push).collect();
        let mut pulls: Vec<_> = done
            .iter()
            .flat_map(|(_, pulls)| &pulls.0)
            .copied()
            .collect();
        pushes.sort_unstable();
        pulls.sort_unstable();
        Wave {
            pushes,
            pulls,
            records: done.iter().map(|(_, pulls)| pulls.1).sum(),
            took,
            resident: self.server.resident_memory(),
            peak: self.server.peak_memory(),
        }
    }

    /// One more pull of everybody, one after the other, when nothing moves any more: all that hold a scope hold the same.
    ///
    /// # Panics
    /// When two devices differ.
    pub fn compare(&mut self) {
        let mut connection = Connection::open(self.server.address()).expect("a connection");
        let mut seen: BTreeMap<Scope, BTreeSet<(RecordKind, Uuid)>> = BTreeMap::new();
        for member in &mut self.members {
            member.pull_all(&mut connection);
            for (scope, held) in &member.scopes {
                let first = seen.entry(*scope).or_insert_with(|| held.keys.clone());
                assert!(*first == held.keys, "{scope}: two devices differ");
            }
        }
    }

    /// Ends the server; its last word.
    pub fn stop(mut self) -> std::process::ExitStatus {
        self.server.stop()
    }
}

impl Member {
    /// A report by who this is.
    fn seal_report(&mut self, at: Timestamp, enterprise: EnterpriseId) -> Option<Envelope> {
        let source = self.source?;
        let next = self.install.next;
        let id = uuid_v7(at.as_millis(), &format!("{} {next}", self.install.id));
        let mut report = report(at, enterprise);
        report.source = source;
        let action = Action::Report(report);
        Some(self.install.seal(at, HazardId(id), action))
    }

    fn ask(&self, connection: &mut Connection, path: &str, body: &[u8]) -> (Vec<u8>, Duration) {
        let token = self.install.rest.token();
        let fields = format!(
            "Authorization: Bearer {token}\r\nContent-Type: {MEDIA_TYPE_CBOR}\r\nAccept: {MEDIA_TYPE_CBOR}\r\n"
        );
        let begun = Instant::now();
        let answer = connection
            .ask("POST", path, &fields, body)
            .unwrap_or_else(|error| panic!("{path}: {error}"));
        let took = begun.elapsed();
        let said = String::from_utf8_lossy(&answer.body);
        assert_eq!(answer.status, 200, "{path}: {said}");
        (answer.body, took)
    }

    fn push(&self, connection: &mut Connection, body: &[u8], reports: usize) -> Duration {
        let (answer, took) = self.ask(connection, "/api/v1/sync/push", body);
        let results = read_push(&answer).results;
        let applied = |result: &PushResult| matches!(result, PushResult::Receipt(receipt) if matches!(receipt.outcome, Outcome::Applied { .. }));
        assert!(
            results.len() == reports && results.iter().all(applied),
            "{results:?}"
        );
        took
    }

    /// How long each pull took, and how many records they brought.
    fn pull_all(&mut self, connection: &mut Connection) -> (Vec<Duration>, u64) {
        let (mut took, mut records) = (Vec::new(), 0);
        loop {
            let request = codec::encode(&self.request());
            let (body, one) = self.ask(connection, "/api/v1/sync/pull", &request);
            took.push(one);
            let answer: PullResponse = codec::decode_strict(&body, DEPTH)
                .unwrap_or_else(|error| panic!("an answer to a pull: {error}"));
            self.epoch = Some(answer.epoch);
            for one in answer.answers {
                match one.update {
                    ScopeUpdate::Page(page) => {
                        records += page.records.len() as u64;
                        self.scopes.entry(one.scope).or_default().take(page);
                    }
                    ScopeUpdate::Drop { .. } => drop(self.scopes.remove(&one.scope)),
                }
            }
            if !answer.more {
                return (took, records);
            }
        }
    }

    fn request(&self) -> PullRequest {
        let held = |(scope, held): (&Scope, &Held)| ScopeCursor {
            scope: *scope,
            cursor: held.cursor.clone(),
            checkpoint: held.checkpoint,
        };
        PullRequest {
            protocol: PROTOCOL_MAX,
            install_id: self.install.id,
            epoch: self.epoch.clone(),
            scopes: self.scopes.iter().map(held).collect(),
            max_records: None,
        }
    }
}

impl Held {
    fn take(&mut self, page: Page) {
        if page.reset.is_some() {
            self.keys.clear();
        }
        let keys = page.records.iter().map(|record| (record.kind, record.id));
        self.keys.extend(keys);
        for gone in &page.removals {
            self.keys.remove(&(gone.kind, gone.id));
        }
        self.cursor = Some(page.cursor);
        self.checkpoint = page.checkpoint;
        if let Some(checkpoint) = page.checkpoint {
            assert_eq!(
                checkpoint.count,
                self.keys.len() as u64,
                "a device does not hold what the server counts"
            );
        }
    }
}
