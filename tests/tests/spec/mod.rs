//! A client that was written from `docs/PROTOCOL.md` alone, in another language, against a real server.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use hazardloop_tests::each_database;
use hazardloop_tests::process::{described, start};
use hazardloop_tests::server::{DEMO_PASSWORD, Server, ServerOptions};

/// How long one run may take.
const LIMIT: Duration = Duration::from_secs(120);

fn folder() -> PathBuf {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    top.join("tests/python")
}

/// The interpreter whose packages `scripts/setup.sh test` has installed.
fn python(script: &str) -> Command {
    let built = std::env::current_exe().unwrap();
    let built = built.ancestors().nth(3).unwrap();
    let program = built.join("tools/venv/bin/python");
    assert!(
        program.is_file(),
        "{program:?} is missing; `scripts/setup.sh test` installs it, `make test` does so"
    );
    let mut command = Command::new(program);
    command
        .arg(folder().join(script))
        .env("PYTHONDONTWRITEBYTECODE", "1");
    command
}

#[track_caller]
fn holds(command: Command) {
    let output = start(command).finish(LIMIT);
    assert!(output.status.success(), "{}", described(&output));
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(said.lines().any(|line| line.starts_with("ok ")), "{said}");
}

#[test]
fn it_enrols_pushes_pulls_and_brings_a_photo() {
    each_database(|database| {
        let server = Server::start(database, ServerOptions::default());
        let mut client = python("client.py");
        client.args([
            &format!("http://{}", server.address()),
            "employee",
            DEMO_PASSWORD,
        ]);
        holds(client);
    });
}

#[test]
fn it_reads_every_message_and_writes_the_same_bytes() {
    let fixtures = folder().join("../../sync-protocol/fixtures/v1");
    let mut client = python("client.py");
    client.arg("--fixtures").arg(fixtures);
    holds(client);
}

#[test]
fn its_own_cryptography_fits_the_published_vectors() {
    holds(python("ed25519.py"));
    holds(python("siphash.py"));
}
