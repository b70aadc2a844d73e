//! The `hazardloop` command: builds the real clock and generator, reads the command line.

use std::process::ExitCode;

use clap::Parser as _;
use hazardloop_domain::time::Timestamp;
use hazardloop_server::clock::Clock;
use hazardloop_server::command_line::{CommandLine, run};
use hazardloop_server::entropy::Entropy;
use rand::SeedableRng as _;
use rand::rngs::StdRng;

/// Gives memory back, which the system's allocator keeps for every thread that ever needed much. Without
/// huge pages, which would round what it holds up by a third.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Fixes the server's time (RFC 3339), so that a whole story can be repeated to the byte. Works
/// together with `--demo` alone; see [`CommandLine::fixed_time_is_allowed`].
const TEST_NOW: &str = "HAZARDLOOP_TEST_NOW";

fn main() -> ExitCode {
    let command_line = CommandLine::parse();
    let clock = match clock(&command_line) {
        Ok(clock) => clock,
        Err(why) => {
            eprintln!("hazardloop: {why}");
            return ExitCode::from(2);
        }
    };
    #[allow(
        clippy::disallowed_types,
        reason = "the one place where the real generator is made"
    )]
    let generator = StdRng::try_from_rng(&mut rand::rngs::SysRng);
    let entropy = match generator {
        Ok(generator) => Entropy::new(generator),
        Err(error) => {
            eprintln!("hazardloop: the system gives no random bytes: {error}");
            return ExitCode::FAILURE;
        }
    };
    match run(command_line, clock, entropy) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("hazardloop: {error}");
            error.exit_code()
        }
    }
}

fn clock(command_line: &CommandLine) -> Result<Clock, String> {
    #[allow(
        clippy::disallowed_methods,
        reason = "read once, here, and only for tests"
    )]
    let fixed = std::env::var(TEST_NOW).ok();
    match fixed {
        Some(_) if !command_line.fixed_time_is_allowed() => Err(format!(
            "{TEST_NOW} is set: a fixed clock is for `serve --demo` and tests alone"
        )),
        Some(text) => {
            let at = Timestamp::parse(&text).map_err(|error| format!("{TEST_NOW}: {error}"))?;
            Ok(Clock::new(move || at))
        }
        None => Ok(Clock::new(system_time)),
    }
}

fn system_time() -> Timestamp {
    #[allow(
        clippy::disallowed_methods,
        reason = "the one place where the real clock is read"
    )]
    let now = jiff::Timestamp::now();
    Timestamp::from_millis(now.as_millisecond())
}
