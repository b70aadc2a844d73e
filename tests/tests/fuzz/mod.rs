//! schemathesis over the API's own description: it provokes no 500, and every answer is true to its schema.
//!
//! Bounded here; `make soak` gives it a larger budget and other seeds.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use hazardloop_domain::hash::Digest;
use hazardloop_tests::install::uuid_v7;
use hazardloop_tests::photo::PICTURE;
use hazardloop_tests::process::{described, start};
use hazardloop_tests::rest::Rest;
use hazardloop_tests::server::{Server, ServerOptions};
use hazardloop_tests::{TestDatabase, setting};
use serde_json::json;

/// Environment variables of a longer run: test cases per operation, and the seed.
const EXAMPLES: &str = "FUZZ_EXAMPLES";
const SEED: &str = "FUZZ_SEED";

/// A bounded run takes about half a minute; a longer one as long as it takes.
const PATIENCE: Duration = Duration::from_secs(3_600);

#[test]
fn an_inspectors_requests_on_sqlite() {
    drive(TestDatabase::sqlite(), "inspector1");
}

#[test]
fn an_inspectors_requests_on_postgres() {
    drive(TestDatabase::postgres(), "inspector1");
}

#[test]
fn an_administrators_requests_on_sqlite() {
    drive(TestDatabase::sqlite(), "admin");
}

#[test]
fn an_administrators_requests_on_postgres() {
    drive(TestDatabase::postgres(), "admin");
}

fn drive(database: TestDatabase, login: &str) {
    let options = ServerOptions::default()
        .with("HAZARDLOOP_SIGN_IN__ACCESS_TOKEN_S", 86_400)
        .with("HAZARDLOOP_SIGN_IN__ATTEMPTS_PER_MINUTE", 1_000_000)
        .with("HAZARDLOOP_HTTP__REQUESTS_PER_SECOND", 1_000_000)
        .with("HAZARDLOOP_HTTP__REQUEST_BURST", 1_000_000)
        // A body that is announced and does not come is answered within the client's patience.
        .with("HAZARDLOOP_HTTP__BODY_TIMEOUT_S", 2);
    let server = Server::start(database.url(), options);
    let rest = server.rest().signed_in(login);
    let mut schemathesis = command(&server, &rest, login);
    schemathesis.envs(known_ids(&server, &rest));
    let output = start(schemathesis).finish(PATIENCE);
    assert!(output.status.success(), "{}", described(&output));
    assert_eq!(server.rest().get("/readyz").status, 200);
    let log = server.log();
    assert!(!log.contains("panicked"), "{log}");
}

#[allow(
    clippy::disallowed_methods,
    reason = "how many examples to try is the caller's choice"
)]
fn command(server: &Server, rest: &Rest, login: &str) -> Command {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    // Beside what cargo builds: .../target/debug/deps/this-program.
    let built = std::env::current_exe()
        .unwrap()
        .ancestors()
        .nth(3)
        .unwrap()
        .to_owned();
    let program = built.join("tools/venv/bin/schemathesis");
    assert!(
        program.is_file(),
        "{program:?} is missing; `scripts/setup.sh test` installs it, `make test` does so"
    );
    let mut command = Command::new(program);
    command
        .arg("--config-file")
        .arg(top.join("tests/schemathesis/schemathesis.toml"))
        .args([
            "run",
            &format!("http://{}/api/v1/openapi.yaml", server.address()),
        ])
        .args([
            "--header",
            &format!("Authorization: Bearer {}", rest.token()),
        ])
        .args([
            "--max-examples",
            &setting(EXAMPLES).unwrap_or(2).to_string(),
            "--seed",
            &setting(SEED).unwrap_or(1).to_string(),
            "--no-color",
        ])
        .args([
            "--generation-database",
            "none",
            "--warnings",
            "off",
            "--request-timeout",
            "20",
        ])
        .current_dir(server.data())
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("PYTHONPATH", top.join("tests/schemathesis"));
    println!("as {login}: {command:?}");
    command
}

/// Ids that exist, so that requests reach past "not found".
fn known_ids(server: &Server, rest: &Rest) -> Vec<(&'static str, String)> {
    let inspector = server.rest().signed_in("inspector1");
    let first = |path: &str| {
        let listed = inspector.get(path).expect_status(&[200]).json();
        listed["items"][0]["id"].as_str().unwrap().to_owned()
    };
    let enterprise = first("/api/v1/enterprises");
    let hazard = uuid_v7(1_795_309_200_000, "fuzzed").to_string();
    let photo = Digest::sha256(PICTURE).to_string();
    let report = json!({
        "id": hazard, "source": "dept_inspection", "grade": "general", "enterprise_id": enterprise,
        "description": "积尘", "place_text": "车间", "found_at": "2026-11-20T00:00:00Z",
        "photos": [{ "sha256": photo, "size": PICTURE.len(), "media_type": "image/jpeg", "kind": "before" }],
    });
    inspector
        .post("/api/v1/hazards", &report)
        .expect_status(&[201]);
    let length = PICTURE.len().to_string();
    let tus = [
        ("tus-resumable", "1.0.0"),
        ("upload-length", length.as_str()),
    ];
    let whole = [
        &tus[..],
        &[("content-type", "application/offset+octet-stream")],
    ]
    .concat();
    inspector
        .ask("POST", "/api/v1/photos", &whole, Some(PICTURE))
        .expect_status(&[201]);
    let begun = rest
        .ask("POST", "/api/v1/photos", &tus, None)
        .expect_status(&[201]);
    let upload = begun
        .field("location")
        .unwrap()
        .rsplit('/')
        .next()
        .unwrap()
        .to_owned();
    let person = rest
        .get("/api/v1/sessions/current")
        .expect_status(&[200])
        .json()["person"]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    vec![
        ("HAZARD_ID", hazard),
        ("ENTERPRISE_ID", enterprise),
        ("JURISDICTION_ID", first("/api/v1/jurisdictions")),
        ("PERSON_ID", person),
        ("UPLOAD_ID", upload),
        ("PHOTO_SHA256", photo),
    ]
}
