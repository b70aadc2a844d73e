//! The tables: what was measured, beside the bare statements, and whether the aims are reached.

use std::fmt::Write as _;
use std::time::Duration;

use crate::figures::Figures;

/// Which database.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// SQLite.
    Sqlite,
    /// PostgreSQL.
    Postgres,
}

impl Kind {
    /// As people say it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "SQLite",
            Self::Postgres => "PostgreSQL",
        }
    }
}

/// One way of pushing.
pub struct Setting {
    /// Connections at once.
    pub connections: usize,
    /// Commands in one push.
    pub batch: usize,
    /// Through the server.
    pub ours: Figures,
    /// The same statements bare.
    pub bare: Option<Figures>,
}

/// All that was measured on one database.
pub struct Run {
    /// Which.
    pub kind: Kind,
    /// Whether every flush was slowed.
    pub slowed: bool,
    /// The ways of pushing.
    pub settings: Vec<Setting>,
    /// Bare transactions of one row, 8 connections.
    pub one_row: Figures,
    /// Most memory that the server held, bytes.
    pub resident: u64,
}

fn ms(time: Duration) -> String {
    format!("{:.2}", time.as_secs_f64() * 1_000.0)
}

fn title(run: &Run) -> String {
    let flush = if run.slowed {
        "every flush slowed by 5 ms"
    } else {
        "the disk as it is"
    };
    format!("{}, {flush}", run.kind.name())
}

/// One run as a table (Markdown).
pub fn one(run: &Run) -> String {
    let mut text = format!("### {}\n\n", title(run));
    text += "| connections | commands a push | commands/s | p50 ms | p99 ms | CPU ms a command | bare/s | bare p50 ms | of bare |\n";
    text += "|---:|---:|---:|---:|---:|---:|---:|---:|---:|\n";
    for setting in &run.settings {
        let ours = &setting.ours;
        let cpu = ours
            .cpu_ms
            .map_or("-".to_owned(), |cpu| format!("{cpu:.2}"));
        let (bare, bare_p50, share) = match &setting.bare {
            Some(bare) => (
                format!("{:.0}", bare.rate()),
                ms(bare.p50),
                format!("{:.2}", ours.rate() / bare.rate()),
            ),
            None => ("-".to_owned(), "-".to_owned(), "-".to_owned()),
        };
        let _written = writeln!(
            text,
            "| {} | {} | {:.0} | {} | {} | {cpu} | {bare} | {bare_p50} | {share} |",
            setting.connections,
            setting.batch,
            ours.rate(),
            ms(ours.p50),
            ms(ours.p99),
        );
    }
    let one_row = &run.one_row;
    let _written = writeln!(
        text,
        "\nBare transactions of one row, 8 connections: {:.0}/s (p50 {} ms, p99 {} ms). Server: at most {:.0} MiB resident.",
        one_row.rate(),
        ms(one_row.p50),
        ms(one_row.p99),
        run.resident as f64 / 1_048_576.0,
    );
    text
}

/// All runs, and the aims.
pub fn tables(runs: &[Run]) -> String {
    let mut text = String::new();
    for run in runs {
        text += &one(run);
        text += "\n";
    }
    text += "### Aims\n\n| aim | database | found | reached |\n|---|---|---:|---|\n";
    for run in runs {
        for (aim, found, reached) in aims(run) {
            let reached = if reached { "yes" } else { "no" };
            let _written = writeln!(text, "| {aim} | {} | {found} | {reached} |", title(run));
        }
    }
    text
}

fn aims(run: &Run) -> Vec<(&'static str, String, bool)> {
    let rate = |connections: usize| {
        run.settings
            .iter()
            .find(|one| one.batch == 1 && one.connections == connections)
            .map_or(0.0, |one| one.ours.rate())
    };
    let mut aims = Vec::new();
    if run.slowed {
        let growth = rate(32) / rate(1).max(1.0);
        aims.push((
            "10 times from 1 to 32 connections",
            format!("{growth:.1}"),
            growth >= 10.0,
        ));
    } else {
        let shares = run
            .settings
            .iter()
            .filter(|one| one.batch == 1)
            .filter_map(|one| Some(one.ours.rate() / one.bare.as_ref()?.rate()));
        let worst = shares.fold(f64::INFINITY, f64::min);
        aims.push((
            "half of the bare rate on single commands, at each number of connections",
            format!("{worst:.2} at worst"),
            worst >= 0.5,
        ));
        let cpu = run
            .settings
            .iter()
            .filter(|one| one.batch == 1)
            .filter_map(|one| one.ours.cpu_ms)
            .fold(0.0, f64::max);
        aims.push((
            "at most 1 ms of server CPU a command",
            format!("{cpu:.2} ms at worst"),
            cpu <= 1.0,
        ));
        let resident = run.resident as f64 / 1_048_576.0;
        aims.push((
            "under 80 MiB resident",
            format!("{resident:.0} MiB"),
            resident < 80.0,
        ));
    }
    let batched = run
        .settings
        .iter()
        .filter(|one| one.batch > 1)
        .map(|one| one.ours.rate())
        .fold(0.0, f64::max);
    let share = batched / run.one_row.rate();
    aims.push((
        "more commands/s in batches than bare one-row transactions",
        format!("{share:.2} times"),
        share > 1.0,
    ));
    aims
}
