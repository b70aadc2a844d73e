//! Backups as an operator takes and puts them back: pg_dump and psql, a copied file, a replica.
#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a harness that cannot do its work fails the test, with the reason"
)]

use std::path::Path;
use std::process::Command;

use crate::postgres::programs;
use crate::process::{described, run};

fn done(command: Command) {
    let what = format!("{command:?}");
    let output = run(command);
    assert!(output.status.success(), "{what}: {}", described(&output));
}

/// One of PostgreSQL's own programs.
///
/// # Panics
/// When PostgreSQL is not installed.
fn program(name: &str) -> Command {
    let folder = programs().unwrap_or_else(|error| panic!("{error}"));
    let mut command = Command::new(folder.join(name));
    command.env("LC_MESSAGES", "C");
    command
}

/// Writes the database at `url` into `file`, with pg_dump, while it is in use.
///
/// # Panics
/// When that fails.
pub fn dump(url: &str, file: &Path) {
    let mut command = program("pg_dump");
    command.args(["--no-owner", "--file"]).arg(file).arg(url);
    done(command);
}

/// Puts what [`dump`] wrote into the empty database at `url`, in one transaction.
///
/// # Panics
/// When that fails.
pub fn load(url: &str, file: &Path) {
    let mut command = program("psql");
    command
        .args([
            "--no-psqlrc",
            "--quiet",
            "--single-transaction",
            "--set=ON_ERROR_STOP=1",
        ])
        .args(["--dbname", url, "--file"])
        .arg(file);
    done(command);
}

/// Copies the SQLite file of a server that is stopped; what is at `to` is replaced, with its log.
///
/// # Panics
/// When that fails.
pub fn copy_sqlite(from: &Path, to: &Path) {
    for beside in ["-wal", "-shm"] {
        let mut name = to.as_os_str().to_owned();
        name.push(beside);
        let _there_may_be_none = std::fs::remove_file(name);
    }
    std::fs::copy(from, to).expect("a copy of the database");
}
