//! `hazardloop-test-postgres run [--fsync] -- COMMAND…`: runs a command beside a PostgreSQL
//! cluster of its own, named to it by `HAZARDLOOP_TEST_POSTGRES`, and removes the cluster
//! afterwards, also when this process is killed.

use std::process::{Command, ExitCode};

use hazardloop_tests::postgres::{Cluster, SCRATCH_VARIABLE, SERVER_VARIABLE};

/// What a shell answers when a command cannot be started.
const CANNOT_START: u8 = 127;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let (fsync, command) = match words.as_slice() {
        ["run", "--", command @ ..] => (false, command),
        ["run", "--fsync", "--", command @ ..] => (true, command),
        _ => (false, [].as_slice()),
    };
    let Some((program, rest)) = command.split_first() else {
        eprintln!("usage: hazardloop-test-postgres run [--fsync] -- COMMAND...");
        return ExitCode::from(2);
    };
    let mut cluster = match Cluster::start(fsync) {
        Ok(cluster) => cluster,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::FAILURE;
        }
    };
    let child = Command::new(program)
        .args(rest)
        .env(SERVER_VARIABLE, cluster.url())
        .env(SCRATCH_VARIABLE, cluster.scratch())
        .spawn();
    let mut child = match child {
        Ok(child) => child,
        Err(error) => {
            eprintln!("{program}: {error}");
            return ExitCode::from(CANNOT_START);
        }
    };
    cluster.end_with_us(child.id());
    let status = child.wait();
    cluster.they_have_ended();
    match status.map(|status| status.code()) {
        Ok(Some(code)) => ExitCode::from(u8::try_from(code).unwrap_or(u8::MAX)),
        _ => ExitCode::FAILURE,
    }
}
