//! `sync_bench [--rows 10000] [--asks 2000] [--database URL]`: what a pull costs in processor time and bytes, on SQLite or
//! on an empty PostgreSQL database, whose own processes are not counted in: one that brings
//! nothing, the first one of a town's hazards, and one after a single change. The server's use cases and the codecs of
//! both ends, without HTTP and without what a device's own database does with the rows (`tests/python/pull_cost.py` has
//! both). Bytes are the same in every run: where their aim is missed, it stops. Of processor time it says so.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::cast_precision_loss,
    missing_docs,
    reason = "a benchmark that cannot do its work stops and says why; it measures time"
)]

use hazardloop_domain::access::{GrantScope, Role};
use hazardloop_domain::command::{Grade, Source};
use hazardloop_domain::enterprise::{Enterprise, EnterpriseProfile};
use hazardloop_domain::geography::Wgs84Point;
use hazardloop_domain::hazard::StatusName;
use hazardloop_domain::ids::{EnterpriseId, HazardId, InstallId, JurisdictionId, PersonId};
use hazardloop_domain::jurisdiction::{Jurisdiction, Level};
use hazardloop_domain::time::Timestamp;
use hazardloop_server::app::App;
use hazardloop_server::clock::Clock;
use hazardloop_server::entropy::Entropy;
use hazardloop_server::failure::Failure;
use hazardloop_server::serve;
use hazardloop_server::settings::Settings;
use hazardloop_server::store::{Db, WriteTx, installs, migrate};
use hazardloop_server::usecases::bulk::{self, Made};
use hazardloop_server::usecases::execute::Door;
use hazardloop_server::usecases::{enterprises, jurisdictions, lean, people, pull};
use hazardloop_sync_protocol::codec::{decode_strict, encode};
use hazardloop_sync_protocol::compress::{self, Coding};
use hazardloop_sync_protocol::digest::DigestKey;
use hazardloop_sync_protocol::wire::{
    Bytes, Checkpoint, LeanPull, PackedPullResponse, PullRequest, PullResponse, Scope, ScopeCursor,
    ScopeUpdate,
};
use rand::SeedableRng as _;
use std::collections::BTreeMap;
use uuid::Uuid;

const START: i64 = 1_767_196_800_000;
const FIRMS: u64 = 1_000;
const MOST: usize = 8 * 1024 * 1024;

/// Looks random, is always the same (SplitMix64).
fn random(number: u64) -> u64 {
    let mut z = number.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(1);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

fn id(kind: u64, number: u64) -> Uuid {
    let mut bytes = [0; 10];
    bytes[..8].copy_from_slice(&random((kind << 40) | number).to_be_bytes());
    bytes[8..].copy_from_slice(&random(number).to_be_bytes()[..2]);
    let at = u64::try_from(START).unwrap() + number * 700_000;
    uuid::Builder::from_unix_timestamp_millis(at, &bytes).into_uuid()
}

fn town() -> JurisdictionId {
    JurisdictionId(id(1, 0))
}

fn firm(number: u64) -> EnterpriseId {
    EnterpriseId(id(2, number))
}

fn person() -> PersonId {
    PersonId(id(3, 0))
}

fn install() -> InstallId {
    InstallId(id(5, 0))
}

/// A town, its enterprises, and somebody with a role in the town and one at an enterprise: four scopes.
async fn world(app: &App) {
    let key = app.digest_key;
    let now = Timestamp::from_millis(START);
    let work = move |tx: &mut WriteTx<'_>| {
        let new = Jurisdiction {
            id: town(),
            parent_id: None,
            name: "第一镇".to_owned(),
            level: Level::City,
            division_code: None,
            version: 1,
            merged_into: None,
            merged_at: None,
        };
        jurisdictions::add(tx, &key, &new, None, None, now)?;
        for number in 0..FIRMS {
            let new = Enterprise {
                profile: EnterpriseProfile::default(),
                id: firm(number),
                name: format!("第{number}机械制造有限公司"),
                credit_code: None,
                jurisdiction_id: town(),
                sector: "工贸".to_owned(),
                address: None,
                position: None,
                version: 1,
            };
            enterprises::register(tx, &key, &new, None, now)?;
        }
        let new = people::NewPerson {
            id: person(),
            login: "p".to_owned(),
            name: "某人".to_owned(),
            phone: None,
            password_hash: "-".to_owned(),
            grants: vec![
                (Role::Supervisor, GrantScope::Jurisdiction(town())).into(),
                (Role::SafetyOfficer, GrantScope::Enterprise(firm(0))).into(),
            ],
        };
        people::register(tx, &key, new, None, now)?;
        let row = installs::Install {
            id: install(),
            person_id: person(),
            device_name: "bench".to_owned(),
            key_algorithm: 1,
            public_key: vec![1; 32],
            enrolled_at: now,
            last_seen_at: None,
            revoked_at: None,
            revoked_reason: None,
            stolen: false,
        };
        installs::insert(tx, &row)?;
        Ok::<_, Failure>(())
    };
    app.db.write(work).await.unwrap();
}

fn made(number: u64) -> Made {
    let (place, description) = bulk::words(usize::try_from(random(number) % 600).unwrap());
    let (_, other) = bulk::words(usize::try_from(random(number + 77) % 600).unwrap());
    let rest = other.split_once('，').map_or("", |(_, rest)| rest);
    let states = [
        StatusName::Reported,
        StatusName::Confirmed,
        StatusName::PendingReinspection,
        StatusName::Closed,
    ];
    let spread = |salt: u64| (random(number + salt) % 2_000_000) as f64 / 1e7;
    Made {
        id: HazardId(id(4, number)),
        enterprise_id: Some(firm(random(number + 5) % FIRMS)),
        jurisdiction_id: town(),
        sector: Some("工贸".to_owned()),
        person_id: person(),
        source: Source::DeptInspection,
        grade: Grade::General,
        criterion: None,
        description: format!("{description}，{rest}"),
        place_text: place.to_owned(),
        point: Some(Wgs84Point {
            longitude: 105.5 + spread(1),
            latitude: 29.4 + spread(2),
        }),
        status: states[usize::try_from(number % 4).unwrap()],
        due_date: "2027-03-01".parse().unwrap(),
    }
}

async fn fill(app: &App, from: u64, to: u64) {
    for start in (from..to).step_by(5) {
        let at = Timestamp::from_millis(START + i64::try_from(start).unwrap() * 700_000);
        let door = Door::new(app);
        let all: Vec<Made> = (start..(start + 5).min(to)).map(made).collect();
        app.db
            .write(move |tx: &mut WriteTx<'_>| bulk::write(&door, tx, at, &all))
            .await
            .unwrap();
    }
}

/// Processor time of this process so far, seconds: user and system, in ticks of 10 ms.
fn processor() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat
        .rsplit_once(')')
        .unwrap()
        .1
        .split_whitespace()
        .collect();
    (fields[11].parse::<f64>().unwrap() + fields[12].parse::<f64>().unwrap()) / 100.0
}

fn reached(found: f64, aim: f64) -> &'static str {
    if found < aim { "reached" } else { "missed" }
}

/// What a device holds.
#[derive(Default)]
struct Replica {
    epoch: Option<String>,
    key: Option<DigestKey>,
    scopes: BTreeMap<Scope, (Bytes, Option<Checkpoint>, Checkpoint)>,
}

impl Replica {
    fn request(&self) -> PullRequest {
        let scopes = self
            .scopes
            .iter()
            .map(|(scope, (cursor, checkpoint, _))| ScopeCursor {
                scope: *scope,
                cursor: Some(cursor.clone()),
                checkpoint: *checkpoint,
            });
        PullRequest {
            protocol: 1,
            install_id: install(),
            epoch: self.epoch.clone(),
            scopes: scopes.collect(),
            max_records: None,
        }
    }

    /// Digests each record, as a device does; answers how many there were.
    fn take(&mut self, answer: PullResponse) -> usize {
        self.epoch = Some(answer.epoch);
        if let Some(key) = answer.digest_key {
            self.key = DigestKey::from_slice(&key.0);
        }
        let mut count = 0;
        for one in answer.answers {
            let ScopeUpdate::Page(page) = one.update else {
                panic!("a scope was dropped")
            };
            let empty = (Bytes::default(), None, Checkpoint::EMPTY);
            let held = self.scopes.entry(one.scope).or_insert(empty);
            for record in &page.records {
                let digest = self.key.unwrap().of_record(
                    record.kind,
                    &record.id,
                    record.version,
                    &record.body.0,
                );
                held.2 = held.2.with(digest);
                count += 1;
            }
            held.0 = page.cursor;
            held.1 = page.checkpoint;
        }
        count
    }
}

/// One pull, there and back through the codecs: bytes up and down, records.
async fn pull_once(app: &App, replica: &mut Replica) -> (usize, usize, usize, bool) {
    let request = encode(&replica.request());
    let up = compress::encode(Coding::ReportsZh2, &request).map_or(request.len(), |c| c.len());
    let read: PullRequest = decode_strict(&request, 16).unwrap();
    let answer = pull::pull(app, person(), read).await.unwrap();
    let (packed, body) = match PackedPullResponse::of(answer) {
        Ok(packed) => (true, encode(&packed)),
        Err(full) => (false, encode(&*full)),
    };
    let (down, body) = match compress::encode(Coding::ReportsZh2, &body) {
        Some(coded) => (
            coded.len(),
            compress::decode(Coding::ReportsZh2.name(), &coded, MOST).unwrap(),
        ),
        None => (body.len(), body),
    };
    let answer: PullResponse = if packed {
        let read: PackedPullResponse = decode_strict(&body, 16).unwrap();
        read.in_full(MOST).unwrap()
    } else {
        decode_strict(&body, 16).unwrap()
    };
    let more = answer.more;
    (up, down, replica.take(answer), more)
}

async fn run(rows: u64, asks: u32, database: Option<String>) {
    let folder = tempfile::tempdir().unwrap();
    let sqlite = format!("sqlite://{}", folder.path().join("bench.sqlite").display());
    let url = database.unwrap_or(sqlite);
    let which = url.split(':').next().unwrap_or_default().to_owned();
    let url = url.parse().unwrap();
    migrate::migrate(&url).unwrap();
    let settings = Settings {
        data_dir: folder.path().to_owned(),
        ..Settings::default()
    };
    let db = Db::open(&url, settings.database.options()).unwrap();
    let clock = Clock::new(|| Timestamp::from_millis(START + 365 * 86_400_000));
    let entropy = Entropy::new(rand::rngs::StdRng::seed_from_u64(7));
    let app = serve::assemble(db, settings, clock, entropy).await.unwrap();
    world(&app).await;
    fill(&app, 0, rows).await;

    println!(
        "\n## Pulls ({which})\n\n| what | round trips | bytes up | bytes down | CPU | aim |\n|---|---:|---:|---:|---:|---|"
    );
    let mut replica = Replica::default();
    let (mut up, mut down, mut records, mut trips) = (0, 0, 0, 0);
    let begun = processor();
    loop {
        let (sent, received, count, more) = pull_once(&app, &mut replica).await;
        (up, down, records, trips) = (up + sent, down + received, records + count, trips + 1);
        if !more {
            break;
        }
    }
    let took = processor() - begun;
    println!(
        "| the first pull, {records} records | {trips} | {up} | {down} | {took:.2} s, both ends | under 1 s: {} |",
        reached(took, 1.0)
    );

    let question = LeanPull::of(&replica.request()).unwrap();
    let (asked, begun) = (encode(&question).len(), processor());
    let mut bytes = 0;
    for _ in 0..asks {
        let body = encode(&question);
        let read: LeanPull = decode_strict(&body, 16).unwrap();
        let answer = lean::nothing_new(&app, person(), install(), read)
            .await
            .unwrap();
        bytes = encode(&answer).len();
    }
    let each = (processor() - begun) * 1e3 / f64::from(asks);
    let scopes = replica.scopes.len();
    println!(
        "| nothing is new in {scopes} scopes | 1 | {asked} | {bytes} | {each:.3} ms | at most 100 bytes each way, under 0.2 ms: {} |",
        reached(each, 0.2)
    );
    assert!(asked <= 100 && bytes <= 100, "{asked} and {bytes} bytes");

    let begun = processor();
    for _ in 0..asks {
        pull::pull(&app, person(), replica.request()).await.unwrap();
    }
    let each = (processor() - begun) * 1e3 / f64::from(asks);
    println!(
        "| the same asked in full | 1 | {} | | {each:.3} ms | |",
        encode(&replica.request()).len()
    );

    fill(&app, rows, rows + 1).await;
    let refused = lean::nothing_new(&app, person(), install(), question).await;
    assert!(
        matches!(refused, Err(Failure::SayInFull(_))),
        "something is new"
    );
    let (sent, received, records, _) = pull_once(&app, &mut replica).await;
    println!(
        "| one of {} changed, {records} record(s) | 2 | {} | {received} | | under 1000 together |",
        rows + 1,
        asked + sent
    );
    let together = asked + sent + received;
    assert!(together < 1_000, "{together} bytes");
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let (mut rows, mut asks, mut database) = (10_000, 2_000, None);
    while let Some(name) = arguments.next() {
        let value = arguments
            .next()
            .unwrap_or_else(|| panic!("{name} needs a value"));
        match name.as_str() {
            "--rows" => rows = value.parse().unwrap(),
            "--database" => database = Some(value),
            "--asks" => asks = value.parse().unwrap(),
            _ => panic!("unknown: {name}"),
        }
    }
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(run(rows, asks, database));
}
