//! Many devices that sync at the same moment over HTTP: how long each request takes, and what the server's memory does.

use std::fmt::Write as _;

use hazardloop_tests::crowd::{Crowd, percentile};

use crate::fresh;
use crate::report::Kind;

/// How often all of them sync. At the first time everybody pulls everything.
const WAVES: usize = 4;

/// Reports that each pushes in a wave.
const REPORTS: usize = 2;

/// The table of both databases.
pub fn table(devices: usize) -> String {
    let mut table = format!(
        "\n## {devices} devices at the same moment\n\n\
        Each pushes {REPORTS} reports and pulls until there is no more, on a connection of its own, {WAVES} times; any error \
        ends the measurement. In the end all devices that hold a scope hold the same.\n\n\
        | database | wave | push p50 ms | push p99 ms | pull p50 ms | pull p99 ms | records pulled | all done s | resident MiB | peak MiB |\n\
        |---|---:|---:|---:|---:|---:|---:|---:|---:|---:|\n"
    );
    for kind in [Kind::Sqlite, Kind::Postgres] {
        let (_cluster, database) = fresh(kind, false);
        let mut crowd = Crowd::enrol(database.url(), devices);
        for number in 1..=WAVES {
            let wave = crowd.wave(REPORTS);
            let ms = |times, percent| percentile(times, percent).as_secs_f64() * 1_000.0;
            let _infallible = writeln!(
                table,
                "| {} | {number} | {:.0} | {:.0} | {:.0} | {:.0} | {} | {:.1} | {} | {} |",
                kind.name(),
                ms(&wave.pushes, 50),
                ms(&wave.pushes, 99),
                ms(&wave.pulls, 50),
                ms(&wave.pulls, 99),
                wave.records,
                wave.took.as_secs_f64(),
                wave.resident >> 20,
                wave.peak >> 20,
            );
        }
        crowd.compare();
        assert!(crowd.stop().success(), "a clean end");
    }
    table
}
