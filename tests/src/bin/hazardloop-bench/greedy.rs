//! One person who asks for as much as they can get, and what the others notice of it.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use hazardloop_domain::ids::EnterpriseId;
use hazardloop_domain::time::Timestamp;
use hazardloop_sync_protocol::codec;
use hazardloop_sync_protocol::wire::{MEDIA_TYPE_CBOR, PROTOCOL_MAX, PullRequest};
use hazardloop_tests::crowd::percentile;
use hazardloop_tests::install::Install;
use hazardloop_tests::raw::Connection;
use hazardloop_tests::server::{Server, ServerOptions};

use crate::fresh;
use crate::report::Kind;

/// Connections over which the greedy one pulls everything from the beginning, again and again.
const GREEDY: usize = 64;

/// Hazards that there are to pull, in batches of so many.
const BATCHES: usize = 20;
const BATCH: usize = 100;

/// Whether a person's requests take turns, and the settings for it.
const TURNS: [(&str, usize, usize); 2] = [("taken", 8, 2), ("not taken", 1_000, 1_000)];

/// The table of both databases.
#[allow(
    clippy::disallowed_methods,
    reason = "a measurement lives in real time"
)]
pub fn table(each: Duration) -> String {
    let mut table = format!(
        "\n## Beside one who asks for everything\n\n\
        One device pushes a report at a time, alone and while another person pulls {} hazards from the beginning over \
        {GREEDY} connections, again and again; with turns (`http.requests_at_once`, `sync.syncs_at_once`) and without.\n\n\
        | database | turns | push alone p50 ms | p99 ms | beside p50 ms | p99 ms | pulls/s of the other |\n\
        |---|---|---:|---:|---:|---:|---:|\n",
        BATCHES * BATCH
    );
    for kind in [Kind::Sqlite, Kind::Postgres] {
        for (turns, requests, syncs) in TURNS {
            let (_cluster, database) = fresh(kind, false);
            let options = ServerOptions::default()
                .for_measuring()
                .with("HAZARDLOOP_HTTP__REQUESTS_AT_ONCE", requests)
                .with("HAZARDLOOP_SYNC__SYNCS_AT_ONCE", syncs);
            let server = Server::start(database.url(), options);
            let mut field = Field::fill(&server);
            let alone = field.report_for(each);
            let (beside, pulls) = field.report_beside(&server, each);
            let ms = |times: &[Duration], part| percentile(times, part).as_secs_f64() * 1_000.0;
            let _infallible = writeln!(
                table,
                "| {} | {turns} | {:.1} | {:.1} | {:.1} | {:.1} | {:.0} |",
                kind.name(),
                ms(&alone, 50),
                ms(&alone, 99),
                ms(&beside, 50),
                ms(&beside, 99),
                f64::from(u32::try_from(pulls).unwrap_or(u32::MAX)) / each.as_secs_f64(),
            );
        }
    }
    table
}

struct Field {
    modest: Install,
    greedy: Install,
    enterprise: EnterpriseId,
}

#[allow(
    clippy::disallowed_methods,
    reason = "a measurement lives in real time"
)]
fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    let ms = since.unwrap_or_default().as_millis();
    Timestamp::from_millis(i64::try_from(ms).unwrap_or_default())
}

impl Field {
    fn fill(server: &Server) -> Self {
        let rest = server.rest();
        let enterprises = rest.signed_in("employee").get("/api/v1/enterprises").json();
        let enterprise = enterprises["items"][0]["id"].as_str();
        let enterprise = enterprise.and_then(|id| id.parse().ok());
        let enterprise = EnterpriseId(enterprise.expect("an enterprise of the sample"));
        let mut modest = Install::enrol(&rest, "employee", "modest", now());
        for _ in 0..BATCHES {
            let commands = (0..BATCH)
                .map(|_| modest.seal_report(now(), enterprise).1)
                .collect();
            assert_eq!(modest.push(commands).results.len(), BATCH);
        }
        Self {
            modest,
            greedy: Install::enrol(&rest, "supervisor", "greedy", now()),
            enterprise,
        }
    }

    /// How long each push of one report took, sorted.
    #[allow(
        clippy::disallowed_methods,
        reason = "a measurement lives in real time"
    )]
    fn report_for(&mut self, each: Duration) -> Vec<Duration> {
        let begun = Instant::now();
        let mut times = Vec::new();
        while begun.elapsed() < each {
            let (_, sealed) = self.modest.seal_report(now(), self.enterprise);
            let body = self.modest.push_body(vec![sealed]);
            let sent = Instant::now();
            let answer = self.modest.post_push(&body);
            times.push(sent.elapsed());
            assert_eq!(answer.status, 200, "a report beside others");
        }
        times.sort_unstable();
        times
    }

    /// The same beside the greedy one, and how many pulls that one was answered meanwhile.
    fn report_beside(&mut self, server: &Server, each: Duration) -> (Vec<Duration>, usize) {
        let (enough, pulls) = (AtomicBool::new(false), AtomicUsize::new(0));
        let everything = codec::encode(&PullRequest {
            protocol: PROTOCOL_MAX,
            install_id: self.greedy.id,
            epoch: None,
            scopes: Vec::new(),
            max_records: None,
        });
        let fields = format!(
            "Authorization: Bearer {}\r\nContent-Type: {MEDIA_TYPE_CBOR}\r\nAccept: {MEDIA_TYPE_CBOR}\r\n",
            self.greedy.rest.token()
        );
        let address = server.address();
        let times = thread::scope(|scope| {
            for _ in 0..GREEDY {
                scope.spawn(|| {
                    let mut connection = Connection::open(address).expect("a connection");
                    while !enough.load(Ordering::Relaxed) {
                        let path = "/api/v1/sync/pull";
                        let answer = connection.ask("POST", path, &fields, &everything);
                        // Whoever may not even wait is told to come again, before the body was read, which ends
                        // the connection; and comes again at once.
                        let Ok(answer) = answer else {
                            connection = Connection::open(address).expect("a connection");
                            continue;
                        };
                        let status = answer.status;
                        assert!(matches!(status, 200 | 429), "a pull: {status}");
                        pulls.fetch_add(usize::from(status == 200), Ordering::Relaxed);
                    }
                });
            }
            let times = self.report_for(each);
            enough.store(true, Ordering::Relaxed);
            times
        });
        (times, pulls.into_inner())
    }
}
