//! `hazardloop-bench [--seconds N] [--devices N] [--out FILE]`: how many pushes a second on SQLite and on PostgreSQL, beside
//! the same statements issued bare, once as the disk is and once with every flush slowed; then many devices at once, and
//! one that asks for everything.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a benchmark that cannot do its work stops and says why; indexing JSON answers null"
)]

mod bare;
mod crowd;
mod figures;
mod greedy;
mod ids;
mod pushes;
mod report;
mod statements;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use hazardloop_tests::TestDatabase;
use hazardloop_tests::postgres::{Cluster, Database};

use report::{Kind, Run, Setting};

/// How long a flush takes in the slowed run, microseconds: a disk that is honest about flushing.
const SLOW_FLUSH_US: u32 = 5_000;

/// Connections at once.
const CONNECTIONS: [usize; 3] = [1, 8, 32];

/// Commands in a batch.
const BATCH: usize = 20;

/// What was asked for.
struct Wish {
    /// How long each figure is measured.
    each: Duration,
    /// How many devices sync at the same moment in the last measurement.
    devices: usize,
    /// Where the tables go besides standard output.
    out: Option<PathBuf>,
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let Some((bare::WORKER, rest)) = arguments
        .split_first()
        .map(|(first, rest)| (first.as_str(), rest))
    {
        let Some(figures) = bare::worker_process(rest) else {
            return ExitCode::from(2);
        };
        println!("{}", figures.to_line());
        return ExitCode::SUCCESS;
    }
    let wish = match wish(arguments) {
        Ok(wish) => wish,
        Err(why) => {
            eprintln!("{why}\nusage: hazardloop-bench [--seconds N] [--devices N] [--out FILE]");
            return ExitCode::from(2);
        }
    };
    let mut runs = Vec::new();
    for slowed in [false, true] {
        if slowed && !figures::strace_works() {
            eprintln!("strace cannot slow flushes here: the slowed runs are left out");
            continue;
        }
        for kind in [Kind::Sqlite, Kind::Postgres] {
            runs.push(run(kind, slowed, wish.each));
            eprintln!("{}", report::one(runs.last().expect("the run just made")));
        }
    }
    let mut tables = report::tables(&runs);
    tables += &crowd::table(wish.devices);
    tables += &greedy::table(wish.each);
    println!("{tables}");
    if let Some(path) = wish.out
        && let Err(error) = std::fs::write(&path, tables)
    {
        eprintln!("{}: {error}", path.display());
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

fn wish(arguments: Vec<String>) -> Result<Wish, String> {
    let mut wish = Wish {
        each: Duration::from_secs(3),
        devices: 500,
        out: None,
    };
    let mut arguments = arguments.into_iter();
    while let Some(name) = arguments.next() {
        let value = arguments.next().ok_or(format!("{name} needs a value"))?;
        match name.as_str() {
            "--seconds" => {
                let seconds = value
                    .parse()
                    .map_err(|_| format!("not a number of seconds: {value}"))?;
                wish.each = Duration::from_secs(seconds);
            }
            "--devices" => {
                wish.devices = value
                    .parse()
                    .map_err(|_| format!("not a number of devices: {value}"))?;
            }
            "--out" => wish.out = Some(PathBuf::from(value)),
            _ => return Err(format!("unknown: {name}")),
        }
    }
    Ok(wish)
}

/// The tracer that slows flushes, to be put before a program.
fn tracer(slowed: bool) -> Vec<String> {
    if !slowed {
        return Vec::new();
    }
    let inject = format!("inject=fdatasync,fsync:delay_exit={SLOW_FLUSH_US}");
    // -D: the traced program stays our child. --seccomp-bpf: other system calls run at full speed.
    let words = [
        "strace",
        "-D",
        "-f",
        "-qq",
        "--seccomp-bpf",
        "-o",
        "/dev/null",
    ];
    let filter = ["-e", "trace=fdatasync,fsync", "-e", &inject];
    words
        .iter()
        .chain(&filter)
        .map(|&word| word.to_owned())
        .collect()
}

/// An empty database that flushes; PostgreSQL with a cluster of its own, which lives as long as what is given.
fn fresh(kind: Kind, slowed: bool) -> (Option<Cluster>, TestDatabase) {
    match kind {
        Kind::Sqlite => (None, TestDatabase::sqlite()),
        Kind::Postgres => {
            let cluster = Cluster::start_under(true, &tracer(slowed))
                .unwrap_or_else(|error| panic!("{error}"));
            let own = Database::create_on(cluster.url()).unwrap_or_else(|error| panic!("{error}"));
            (Some(cluster), TestDatabase::of_postgres(own))
        }
    }
}

fn run(kind: Kind, slowed: bool, each: Duration) -> Run {
    let (_cluster, database) = fresh(kind, slowed);
    // PostgreSQL flushes in its own processes, SQLite in the server's.
    let server_tracer = tracer(slowed && kind == Kind::Sqlite);
    let mut field = pushes::Field::start(
        database.url(),
        &server_tracer,
        CONNECTIONS.into_iter().max().unwrap_or(1),
    );
    let mut settings = Vec::new();
    for connections in CONNECTIONS {
        settings.push(Setting {
            connections,
            batch: 1,
            ours: field.measure(connections, 1, each),
            bare: None,
        });
    }
    settings.push(Setting {
        connections: 8,
        batch: BATCH,
        ours: field.measure(8, BATCH, each),
        bare: None,
    });
    let resident = field.peak_memory();
    let ids = field.stop();
    for setting in &mut settings {
        setting.bare = Some(bare::measure(
            database.url(),
            &server_tracer,
            &ids,
            setting.connections,
            bare::What::Same(setting.batch),
            each,
        ));
    }
    let one_row = bare::measure(
        database.url(),
        &server_tracer,
        &ids,
        8,
        bare::What::OneRow,
        each,
    );
    Run {
        kind,
        slowed,
        settings,
        one_row,
        resident,
    }
}
