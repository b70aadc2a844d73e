//! Runs schedules until told to stop, and ends with one line; or replays one.

use std::collections::BTreeMap;
use std::process::ExitCode;

use clap::Parser;
use hazardloop_simulation::schedule::Schedule;
use hazardloop_simulation::shrink::shrink;
use hazardloop_simulation::variant::Variant;
use hazardloop_simulation::world::play;

/// Simulated devices and hub through every fault, with the invariants asserted.
#[derive(Parser)]
struct Arguments {
    /// The first seed.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How many schedules.
    #[arg(long, default_value_t = 1_000)]
    schedules: u64,
    /// Stop after so many seconds instead.
    #[arg(long)]
    seconds: Option<u64>,
    /// Steps of each schedule.
    #[arg(long, default_value_t = 120)]
    steps: usize,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    #[allow(
        clippy::disallowed_methods,
        reason = "how long to go on is measured in real time"
    )]
    let began = std::time::Instant::now();
    let (mut played, mut commands, mut hours, mut violations) = (0_u64, 0, 0, 0);
    let mut faults: BTreeMap<String, usize> = BTreeMap::new();
    loop {
        let done = match arguments.seconds {
            Some(seconds) => began.elapsed().as_secs() >= seconds,
            None => played >= arguments.schedules,
        };
        if done {
            break;
        }
        let seed = arguments.seed.wrapping_add(played);
        let schedule = Schedule::of(seed, arguments.steps);
        let report = play(&schedule, Variant::Sound);
        played += 1;
        commands += report.commands;
        hours += report.device_ms / 3_600_000;
        for (fault, times) in report.faults {
            *faults.entry(fault).or_default() += times;
        }
        if let Some(first) = report.found.first() {
            violations += report.found.len();
            let small = shrink(&schedule, Variant::Sound, first);
            eprintln!("seed {seed}: invariant {}: {}", first.invariant, first.what);
            for (number, step) in &small.steps {
                eprintln!("  {number} {step:?}");
            }
        }
    }
    let faults: Vec<String> = faults
        .iter()
        .map(|(fault, n)| format!("{fault} {n}"))
        .collect();
    println!(
        "{played} schedules, {hours} device-hours, {commands} commands, {violations} violations; {}",
        faults.join(", ")
    );
    if violations == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
