//! Plays schedules on every core until told to stop, and ends with one line: what was played, which faults
//! there were, and what did not hold. A schedule that fails is cut down and printed.

use std::collections::BTreeMap;
use std::panic::catch_unwind;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use clap::Parser;
use hazardloop_simulation::faults;
use hazardloop_simulation::schedule::Schedule;
use hazardloop_simulation::shrink::shrink;
use hazardloop_simulation::variant::Variant;
use hazardloop_simulation::world::play;

/// A run of more seconds has to have played every kind of fault.
const LONG_SECONDS: u64 = 60;

/// Simulated devices and hub through every fault, with the invariants asserted.
#[derive(Parser)]
struct Arguments {
    /// The first seed; with --schedules 1 it is replayed alone.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How many schedules.
    #[arg(long, default_value_t = 1_000)]
    schedules: u64,
    /// Stop after so many seconds instead.
    #[arg(long)]
    seconds: Option<u64>,
    /// The last line is kept here as well, to be read when other output has followed.
    #[arg(long)]
    out: Option<PathBuf>,
    /// Steps of each schedule.
    #[arg(long, default_value_t = 120)]
    steps: usize,
}

/// What was played.
#[derive(Default)]
struct Tally {
    schedules: u64,
    commands: usize,
    device_hours: i64,
    violations: usize,
    faults: BTreeMap<String, usize>,
}

impl Tally {
    fn add(mut self, other: Self) -> Self {
        self.schedules += other.schedules;
        self.commands += other.commands;
        self.device_hours += other.device_hours;
        self.violations += other.violations;
        for (fault, times) in other.faults {
            *self.faults.entry(fault).or_default() += times;
        }
        self
    }
}

impl Tally {
    /// The kinds of faults that were not played.
    fn missing(&self) -> Vec<String> {
        let kinds = faults::kinds().into_iter();
        kinds
            .filter(|kind| !self.faults.contains_key(kind))
            .collect()
    }
}

/// Plays one schedule; a panic within it is a violation like any other, and is told with its seed.
fn play_one(seed: u64, steps: usize, tally: &mut Tally) {
    tally.schedules += 1;
    let schedule = Schedule::of(seed, steps);
    let played = catch_unwind(|| {
        let report = play(&schedule, Variant::Sound);
        let small = report
            .found
            .first()
            .map(|first| shrink(&schedule, Variant::Sound, first));
        (report, small)
    });
    let Ok((report, small)) = played else {
        tally.violations += 1;
        eprintln!("seed {seed}: it panicked");
        return;
    };
    tally.commands += report.commands;
    tally.device_hours += report.device_ms / 3_600_000;
    for (fault, times) in report.faults {
        *tally.faults.entry(fault).or_default() += times;
    }
    if let (Some(first), Some(small)) = (report.found.first(), small) {
        tally.violations += report.found.len();
        let steps = small
            .steps
            .iter()
            .map(|(number, step)| format!("  {number} {step:?}\n"));
        let steps: String = steps.collect();
        eprintln!(
            "seed {seed}: invariant {}: {}\n{steps}",
            first.invariant, first.what
        );
    }
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    #[allow(
        clippy::disallowed_methods,
        reason = "how long to go on is measured in real time"
    )]
    let began = Instant::now();
    let next = AtomicU64::new(0);
    let work = || {
        let mut tally = Tally::default();
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            let done = match arguments.seconds {
                Some(seconds) => began.elapsed().as_secs() >= seconds,
                None => number >= arguments.schedules,
            };
            if done {
                return tally;
            }
            let seed = arguments.seed.wrapping_add(number);
            play_one(seed, arguments.steps, &mut tally);
        }
    };
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let (played, stopped) = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..cores).map(|_| scope.spawn(work)).collect();
        let ended: Vec<_> = workers.into_iter().map(|worker| worker.join()).collect();
        let stopped = ended.iter().any(Result::is_err);
        let tallies = ended.into_iter().filter_map(Result::ok);
        (tallies.fold(Tally::default(), Tally::add), stopped)
    });
    let faults = played
        .faults
        .iter()
        .map(|(fault, times)| format!("{fault} {times}"));
    let line = format!(
        "{} schedules, {} device-hours, {} commands, {} violations; {}",
        played.schedules,
        played.device_hours,
        played.commands,
        played.violations,
        faults.collect::<Vec<_>>().join(", ")
    );
    println!("{line}");
    let kept = arguments
        .out
        .is_none_or(|path| std::fs::write(path, line + "\n").is_ok());
    if !kept {
        eprintln!("the last line could not be kept");
    }
    // A short run need not have met everything.
    let long = began.elapsed().as_secs() > LONG_SECONDS;
    let missing = if long { played.missing() } else { Vec::new() };
    if !missing.is_empty() {
        eprintln!("never played: {}", missing.join(", "));
    }
    if played.violations == 0 && !stopped && missing.is_empty() && kept {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
