//! Numbers that a measurement yields, and where they come from.

use std::fs;
use std::process::{Command, Stdio};
use std::time::Duration;

/// Clock ticks a second in `/proc` (USER_HZ, the same on every Linux that Rust's standard library runs on).
const TICKS: f64 = 100.0;

/// What one measurement found.
#[derive(Clone, Debug)]
pub struct Figures {
    /// Commands done.
    pub commands: u64,
    /// In this time.
    pub elapsed: Duration,
    /// How long one request (or bare transaction) took, half of them and 99 of 100 at most.
    pub p50: Duration,
    /// See `p50`.
    pub p99: Duration,
    /// Processor time of the server process for one command, milliseconds.
    pub cpu_ms: Option<f64>,
}

impl Figures {
    /// From how long each request took.
    pub fn of(mut took: Vec<Duration>, each: u64, elapsed: Duration) -> Self {
        took.sort_unstable();
        let at = |percent: usize| {
            took.get(took.len().saturating_sub(1) * percent / 100)
                .copied()
                .unwrap_or_default()
        };
        Self {
            commands: took.len() as u64 * each,
            elapsed,
            p50: at(50),
            p99: at(99),
            cpu_ms: None,
        }
    }

    /// As one line, for the process that asked.
    pub fn to_line(&self) -> String {
        let micros = |time: Duration| time.as_micros();
        format!(
            "{} {} {} {}",
            self.commands,
            micros(self.elapsed),
            micros(self.p50),
            micros(self.p99)
        )
    }

    /// Reads [`Figures::to_line`].
    pub fn from_line(line: &str) -> Option<Self> {
        let mut numbers = line.split_whitespace().map(str::parse::<u64>);
        let mut next = || numbers.next()?.ok();
        let (commands, elapsed, p50, p99) = (next()?, next()?, next()?, next()?);
        let time = Duration::from_micros;
        Some(Self {
            commands,
            elapsed: time(elapsed),
            p50: time(p50),
            p99: time(p99),
            cpu_ms: None,
        })
    }

    /// Commands a second.
    pub fn rate(&self) -> f64 {
        self.commands as f64 / self.elapsed.as_secs_f64()
    }
}

/// Processor time that process `id` has used, user and system, all threads.
pub fn processor_time(id: u32) -> Duration {
    let stat = fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
    // The name in brackets may hold spaces; after it, user and system time are the 12th and 13th.
    let rest = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    let ticks: f64 = rest
        .split_whitespace()
        .skip(11)
        .take(2)
        .filter_map(|field| field.parse::<f64>().ok())
        .sum();
    Duration::from_secs_f64(ticks / TICKS)
}

/// Whether strace is here and may slow another process's calls.
pub fn strace_works() -> bool {
    Command::new("strace")
        .args([
            "-f",
            "-qq",
            "--seccomp-bpf",
            "-o",
            "/dev/null",
            "-e",
            "trace=fsync",
            "-e",
            "inject=fsync:delay_exit=1",
            "true",
        ])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}
