//! Limits of the settings, set small: what is within them passes, the next one is refused, and a crowd waits its turn.

mod crowds;
mod devices;
mod inspections;

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use hazardloop_domain::hash::Digest;
use hazardloop_domain::ids::EnterpriseId;
use hazardloop_domain::time::Timestamp;
use hazardloop_sync_protocol::codec;
use hazardloop_sync_protocol::wire::{
    Bytes, MEDIA_TYPE_CBOR, PROTOCOL_MAX, PullRequest, PullResponse, ScopeUpdate,
};
use hazardloop_tests::evidence::{mp4, pdf};
use hazardloop_tests::install::{Install, uuid_v7};
use hazardloop_tests::photo::{PICTURE, photo};
use hazardloop_tests::rest::{Answer, Rest};
use hazardloop_tests::server::{Server, ServerOptions};
use hazardloop_tests::{TestDatabase, each_database};
use serde_json::{Value, json};

const NOW: &str = "2026-11-22T01:00:00Z";

/// Pixels of [`PICTURE`].
const PIXELS: u64 = 160 * 120;

/// Bytes of the largest document and of the largest clip: each less than [`PICTURE`] has.
const DOCUMENT: usize = 600;
const CLIP: usize = 900;

/// Bytes of one part of an upload that has a checksum.
const CHUNK: usize = 1_000;

/// Longer edge of a thumbnail.
const EDGE: u16 = 16;

fn now() -> Timestamp {
    Timestamp::parse(NOW).unwrap()
}

fn id(salt: &str) -> String {
    uuid_v7(now().as_millis(), salt).to_string()
}

fn options() -> ServerOptions {
    ServerOptions::default()
        .at(NOW)
        .with("HAZARDLOOP_HAZARDS__PHOTOS", 1)
        .with("HAZARDLOOP_HAZARDS__NOTES", 1)
        .with("HAZARDLOOP_HAZARDS__DUE_DAYS", 10)
        .with("HAZARDLOOP_HTTP__JSON_BYTES", 2_000)
        .with("HAZARDLOOP_HTTP__PAGE_ROWS", 2)
        .with("HAZARDLOOP_PHOTOS__BYTES", PICTURE.len())
        .with("HAZARDLOOP_PHOTOS__DOCUMENT_BYTES", DOCUMENT)
        .with("HAZARDLOOP_PHOTOS__CLIP_BYTES", CLIP)
        .with("HAZARDLOOP_PHOTOS__PIXELS", PIXELS)
        .with("HAZARDLOOP_PHOTOS__THUMBNAIL_EDGE", EDGE)
        .with("HAZARDLOOP_PHOTOS__UPLOADS_PER_PERSON", 1)
        .with("HAZARDLOOP_PHOTOS__CHUNK_BYTES", CHUNK)
        .with("HAZARDLOOP_INSPECTIONS__CHECKLISTS", 1)
        .with("HAZARDLOOP_INSPECTIONS__ITEMS", 2)
        .with("HAZARDLOOP_INSPECTIONS__FINDINGS", 1)
        .with("HAZARDLOOP_INSPECTIONS__ATTENDEES", 1)
        .with("HAZARDLOOP_INSPECTIONS__TEAM", 2)
        .with("HAZARDLOOP_INSPECTIONS__INSPECTION_PHOTOS", 1)
        .with("HAZARDLOOP_INSPECTIONS__PLAN_DAYS", 10)
        .with("HAZARDLOOP_INSPECTIONS__NEARBY_DAYS", 3)
        .with("HAZARDLOOP_SYNC__BODY_BYTES", 3_000)
        .with("HAZARDLOOP_SYNC__COMMANDS", 2)
        .with("HAZARDLOOP_SYNC__RECORDS", 2)
}

/// A server with small limits, and the two who test them.
struct Site {
    server: Server,
    employee: Rest,
    inspector: Rest,
    enterprise: String,
}

impl Site {
    fn start(url: &str) -> Self {
        let server = Server::start(url, options());
        let employee = server.rest().signed_in("employee");
        let inspector = server.rest().signed_in("inspector1");
        let listed = employee.get("/api/v1/enterprises").json();
        let enterprise = listed["items"][0]["id"].as_str().unwrap().to_owned();
        Self {
            server,
            employee,
            inspector,
            enterprise,
        }
    }

    fn report(&self, salt: &str) -> Value {
        json!({
            "id": id(salt), "source": "employee_report", "grade": "general",
            "enterprise_id": self.enterprise, "description": "除尘器灰斗积尘",
            "place_text": "一号车间", "found_at": "2026-11-21T08:00:00Z", "no_photo_reason": "防爆区",
        })
    }

    fn reported(&self, report: &Value) -> Answer {
        self.employee.post("/api/v1/hazards", report)
    }
}

#[test]
fn what_is_beyond_a_limit_of_the_settings_is_refused_and_what_is_within_passes() {
    each_database(|url| {
        let site = Site::start(url);
        of_requests(&site);
        of_hazards(&site);
        of_documents_and_clips(&site);
        inspections::of_inspections(&site);
        of_uploads(&site);
        of_sync(&site);
        assert_eq!(site.server.rest().get("/readyz").status, 200);
    });
}

fn of_requests(site: &Site) {
    let mut long = site.report("long");
    long["description"] = json!("尘".repeat(500));
    site.reported(&long).expect_status(&[201]);
    long["description"] = json!("尘".repeat(700));
    site.reported(&long).expect_status(&[413]);
    for name in ["one", "two"] {
        site.reported(&site.report(name)).expect_status(&[201]);
    }
    let page = site.inspector.get("/api/v1/hazards").expect_status(&[200]);
    assert_eq!(page.json()["items"].as_array().unwrap().len(), 2);
    for path in ["/api/v1/hazards", "/api/v1/people", "/api/v1/jurisdictions"] {
        let page = |rows: u32| site.inspector.get(&format!("{path}?limit={rows}"));
        page(2).expect_status(&[200]);
        page(3).expect_status(&[422]);
    }
}

fn photos(salts: &[u64]) -> Value {
    let one = |salt: &u64| {
        json!({
            "sha256": Digest::sha256(&salt.to_be_bytes()).to_string(), "size": 1_000,
            "media_type": "image/jpeg", "kind": "before",
        })
    };
    salts.iter().map(one).collect()
}

fn of_hazards(site: &Site) {
    let mut report = site.report("photographed");
    report["photos"] = photos(&[1, 2]);
    site.reported(&report).expect_status(&[409]);
    report["photos"] = photos(&[1]);
    site.reported(&report).expect_status(&[201]);

    let hazard = id("one");
    let note = |salt: &str| {
        let command = json!({ "kind": "note", "text": salt });
        site.employee.command(&hazard, &id(salt), &command)
    };
    note("first note").expect_status(&[200]);
    note("second note").expect_status(&[409]);

    let confirm = |salt: &str, due_date: &str| {
        let command = json!({
            "kind": "confirm", "grade": "general", "responsible_person": "刘志远",
            "requirement": "清理积尘", "due_date": due_date, "category": "粉尘防爆",
        });
        site.inspector.command(&hazard, &id(salt), &command)
    };
    confirm("too late", "2026-12-03").expect_status(&[422]);
    confirm("in time", "2026-12-02").expect_status(&[200]);
}

fn begin(rest: &Rest, length: usize) -> Answer {
    let length = length.to_string();
    let fields = [("tus-resumable", "1.0.0"), ("upload-length", &length)];
    rest.ask("POST", "/api/v1/photos", &fields, None)
}

/// Each type has its own limit: told early where the type is declared, and in the end by content.
fn of_documents_and_clips(site: &Site) {
    assert!(PICTURE.len() > CLIP + 1, "{}", PICTURE.len());
    let whole = |bytes: &[u8], declared: &str| {
        let (length, declared) = (bytes.len().to_string(), BASE64.encode(declared));
        let metadata = format!("filetype {declared}");
        let fields = [
            ("tus-resumable", "1.0.0"),
            ("upload-length", length.as_str()),
            ("upload-metadata", metadata.as_str()),
            ("content-type", "application/offset+octet-stream"),
        ];
        site.employee
            .ask("POST", "/api/v1/photos", &fields, Some(bytes))
    };
    let minutes = |size: usize| pdf(&"x".repeat(size - pdf("").len()));
    let clip = |size: usize| mp4(size - mp4(0).len());
    for declared in ["application/pdf", "image/jpeg", "text/html"] {
        whole(&minutes(DOCUMENT + 1), declared).expect_status(&[413]);
    }
    whole(&minutes(DOCUMENT), "application/pdf").expect_status(&[201]);
    for declared in ["video/mp4", "image/jpeg"] {
        whole(&clip(CLIP + 1), declared).expect_status(&[413]);
    }
    whole(&clip(CLIP), "video/mp4").expect_status(&[201]);
}

fn of_uploads(site: &Site) {
    begin(&site.employee, PICTURE.len() + 1).expect_status(&[413]);
    let begun = begin(&site.employee, PICTURE.len()).expect_status(&[201]);
    begin(&site.employee, PICTURE.len() - 1).expect_status(&[409]);
    // Each has their own.
    begin(&site.inspector, 1_000).expect_status(&[201]);
    let upload = begun.field("location").unwrap();
    let mut offset = 0;
    // A part with a checksum is kept whole until it fits; the sum itself does not matter here.
    let sum = format!("sha256 {}=", "A".repeat(43));
    let mut send = |bytes: usize, summed: bool| {
        let part = &PICTURE[offset..PICTURE.len().min(offset + bytes)];
        let at = offset.to_string();
        let mut fields = vec![
            ("tus-resumable", "1.0.0"),
            ("upload-offset", at.as_str()),
            ("content-type", "application/offset+octet-stream"),
        ];
        fields.extend(summed.then_some(("upload-checksum", sum.as_str())));
        let answer = site.employee.ask("PATCH", upload, &fields, Some(part));
        if answer.status == 204 {
            offset += part.len();
        }
        answer.status
    };
    assert_eq!(send(CHUNK + 1, true), 413);
    assert_eq!(send(CHUNK, true), 460, "within the limit, and wrong");
    for _ in 0..PICTURE.len().div_ceil(CHUNK) {
        assert_eq!(send(CHUNK, false), 204);
    }
    let path = format!("/api/v1/photos/{}?size=thumbnail", Digest::sha256(PICTURE));
    let thumbnail = (0..2_000)
        .map(|_| site.employee.get(&path))
        .find(|answer| answer.status == 200)
        .expect("a thumbnail");
    assert_eq!(longer_edge(&thumbnail.body), EDGE);
}

/// Of a JPEG, from its frame header.
fn longer_edge(jpeg: &[u8]) -> u16 {
    let frame = jpeg
        .windows(9)
        .find(|bytes| bytes[0] == 0xff && matches!(bytes[1], 0xc0..=0xc2))
        .expect("a frame header");
    let number = |at: usize| u16::from_be_bytes([frame[at], frame[at + 1]]);
    number(5).max(number(7))
}

fn of_sync(site: &Site) {
    let enterprise = EnterpriseId(site.enterprise.parse().unwrap());
    let mut install = Install::enrol(&site.server.rest(), "employee", "small", now());
    let sealed: Vec<_> = (0..3)
        .map(|_| install.seal_report(now(), enterprise).1)
        .collect();
    let all = install.push_body(sealed.clone());
    assert!(all.len() < 3_000, "{} bytes", all.len());
    install.post_push(&all).expect_status(&[413]);
    let two = install.push(sealed[..2].to_vec());
    assert_eq!((two.last, two.results.len()), (2, 2));
    let mut fat = sealed[2].clone();
    fat.payload = Bytes(vec![0; 3_000]);
    let fat = install.push_body(vec![fat]);
    install.post_push(&fat).expect_status(&[413]);

    let asked = PullRequest {
        protocol: PROTOCOL_MAX,
        install_id: install.id,
        epoch: None,
        scopes: Vec::new(),
        max_records: Some(1_000),
    };
    let fields = [("content-type", MEDIA_TYPE_CBOR)];
    let answer = install.rest.ask(
        "POST",
        "/api/v1/sync/pull",
        &fields,
        Some(&codec::encode(&asked)),
    );
    let answer = answer.expect_status(&[200]).body;
    let answer: PullResponse = codec::decode_strict(&answer, 16).unwrap();
    let records = answer.answers.iter().map(|answer| match &answer.update {
        ScopeUpdate::Page(page) => page.records.len(),
        ScopeUpdate::Drop { .. } => 0,
    });
    assert_eq!((records.sum::<usize>(), answer.more), (2, true));
}

#[test]
fn a_photo_of_more_pixels_than_allowed_is_refused() {
    let database = TestDatabase::sqlite();
    let options = ServerOptions::default().with("HAZARDLOOP_PHOTOS__PIXELS", PIXELS - 1);
    let server = Server::start(database.url(), options);
    let bytes = photo(1, 1);
    let length = bytes.len().to_string();
    let fields = [
        ("tus-resumable", "1.0.0"),
        ("upload-length", length.as_str()),
        ("content-type", "application/offset+octet-stream"),
    ];
    let rest = server.rest().signed_in("employee");
    let refused = rest.ask("POST", "/api/v1/photos", &fields, Some(&bytes));
    refused.expect_status(&[413]);
}

/// Settings whose limit another suite tests, and where.
const ELSEWHERE: [(&str, &str); 17] = [
    (
        "access_token_s",
        "server/src/usecases/sign_in/access_token_tests.rs",
    ),
    (
        "refresh_token_s",
        "server/src/usecases/sign_in/session_tests.rs",
    ),
    (
        "argon2_memory_kib",
        "server/src/usecases/sign_in/password.rs",
    ),
    ("argon2_passes", "server/src/usecases/sign_in/password.rs"),
    ("argon2_at_once", "server/src/usecases/sign_in/password.rs"),
    ("free_failures", "server/src/usecases/sign_in/attempts.rs"),
    ("longest_wait_s", "server/src/usecases/sign_in/attempts.rs"),
    (
        "attempts_per_minute",
        "server/src/usecases/sign_in/session_tests.rs",
    ),
    (
        "leeway_s",
        "server/src/usecases/sign_in/access_token_tests.rs",
    ),
    ("head_timeout_s", "tests/tests/hostile/slow.rs"),
    ("body_timeout_s", "tests/tests/hostile/slow.rs"),
    ("body_least_bytes", "server/src/http/pace.rs"),
    ("connections", "tests/tests/limits/crowds.rs"),
    ("workers", "tests/tests/limits/crowds.rs"),
    (
        "requests_per_second",
        "server/src/usecases/sign_in/session_tests.rs",
    ),
    (
        "request_burst",
        "server/src/usecases/sign_in/session_tests.rs",
    ),
    ("decode_bytes", "server/src/photos/tests.rs"),
];

/// As [`ELSEWHERE`].
const ELSEWHERE_TOO: [(&str, &str); 42] = [
    (
        "weighed_at_once",
        "server/src/usecases/time_proof_hostile_tests.rs",
    ),
    ("receipts_plain_days", "server/src/usecases/pack_tests.rs"),
    ("removals_kept_days", "server/src/usecases/forget_tests.rs"),
    ("requests_at_once", TURNS),
    ("requests_waiting", TURNS),
    ("syncs_at_once", TURNS),
    ("closed_days", WINDOWS),
    ("closed_bytes", WINDOWS),
    (
        "statements_a_day",
        "server/src/usecases/time_proof_tests.rs",
    ),
    ("offer_days", OFFERS),
    ("offered_commands", OFFERS),
    ("milestones", OVERLAYS),
    ("extensions", OVERLAYS),
    ("extension_days_without_expert", SETTINGS),
    ("penalties", OVERLAYS),
    ("items", OVERLAYS),
    ("spot_checks", "domain/src/hazard/tests/spot_checks.rs"),
    ("recurrence_months", RECURRENCES),
    ("recurrences_looked_through", RECURRENCES),
    ("counted", "server/src/usecases/read/filters_tests.rs"),
    (
        "temporary_grant_days",
        "server/src/usecases/people/tests/limited.rs",
    ),
    ("responsibility_rows", RESPONSIBILITIES),
    ("moved_at_once", "server/src/usecases/relocate_tests.rs"),
    ("co_signatures", "server/src/usecases/co_sign_tests.rs"),
    ("upload_life_s", "server/src/usecases/upload/tests.rs"),
    ("readers", STORES),
    ("writers", STORES),
    ("queue_length", STORES),
    ("group_limit", STORES),
    // The store takes durations: the names there have no unit.
    ("acquire_timeout_ms", SETTINGS),
    ("lock_timeout_ms", SETTINGS),
    ("statement_timeout_ms", SETTINGS),
    ("rows", TABLES),
    ("columns", TABLES),
    ("cell_chars", TABLES),
    ("unpacked_bytes", TABLES),
    ("file_bytes", IMPORTS),
    ("problems", IMPORTS),
    ("archive_bytes", PACKS),
    ("archive_unpacked_bytes", PACKS),
    ("archive_files", PACKS),
    ("archive_problems", PACKS),
];

const TURNS: &str = "server/src/http/turns_tests.rs";
const WINDOWS: &str = "server/src/usecases/windows/tests.rs";
const RESPONSIBILITIES: &str = "server/src/usecases/responsibilities_tests.rs";
const OFFERS: &str = "server/src/usecases/offers_tests.rs";
const OVERLAYS: &str = "domain/src/hazard/tests/overlays.rs";
const RECURRENCES: &str = "server/src/http/recurrences_tests.rs";
const STORES: &str = "server/src/store/writer_tests.rs";
const SETTINGS: &str = "server/src/settings_tests.rs";
const TABLES: &str = "server/src/tables/tests.rs";
const PACKS: &str = "server/src/http/pack_archives_tests.rs";
const IMPORTS: &str = "server/src/usecases/imports/tests.rs";

#[test]
fn every_limit_of_the_settings_has_a_test() {
    let top = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap();
    let read = |path: &str| std::fs::read_to_string(top.join(path)).unwrap();
    let parts = std::fs::read_dir(top.join("server/src/settings")).unwrap();
    let parts = parts.map(|part| std::fs::read_to_string(part.unwrap().path()).unwrap());
    let settings = read("server/src/settings.rs") + &parts.collect::<String>();
    let numbers = ["usize", "u32", "u64", "i64"];
    let limits: BTreeSet<&str> = settings
        .lines()
        .filter_map(|line| line.trim().strip_prefix("pub ")?.split_once(": "))
        .filter(|(_, kind)| numbers.contains(&kind.trim_end_matches(',')))
        .map(|(name, _)| name)
        .collect();
    assert!(limits.len() > 25, "{limits:?}");
    let here = read("tests/tests/limits/mod.rs");
    let elsewhere = ELSEWHERE.iter().chain(&ELSEWHERE_TOO);
    let tested = |name: &&&str| {
        let elsewhere = elsewhere.clone().find(|(known, _)| *known == **name);
        let mentioned = |path: &str| {
            let text = read(path);
            text.contains(**name) || text.contains(&name.to_uppercase())
        };
        elsewhere.is_some_and(|(_, path)| mentioned(path))
            || here.contains(&format!("__{}\"", name.to_uppercase()))
    };
    let untested: Vec<_> = limits.iter().filter(|name| !tested(name)).collect();
    assert!(
        untested.is_empty(),
        "limits that no test sets: {untested:?}"
    );
}
