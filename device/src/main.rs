//! `hazardloop-device`: builds the real clock and randomness, then does one task.
//!
//! Two hidden settings make runs reproducible, for tests only: `HAZARDLOOP_TEST_NOW` (RFC 3339)
//! stops the clock there, `HAZARDLOOP_TEST_SEED` (unsigned integer) seeds the generator; keys
//! and ids made from a seed are no secret.

use std::ffi::OsString;
use std::io::Write as _;
use std::process::ExitCode;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use hazardloop_device::ambient::{Ambient, Clock};
use hazardloop_device::cli::{self, args::Language};
use hazardloop_domain::ids::InstallId;
use hazardloop_domain::time::Timestamp;
use rand::SeedableRng as _;
use rand::rngs::StdRng;

// A first pull is tens of thousands of small pieces, which the C library hands out slowly and gives back page by page.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

struct SystemClock {
    stopped: Option<Timestamp>,
}

impl Clock for SystemClock {
    #[allow(clippy::disallowed_methods, reason = "the binary's one real clock")]
    fn now(&self) -> Timestamp {
        if let Some(stopped) = self.stopped {
            return stopped;
        }
        let since = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }

    /// Linux counts seconds since boot in the first field.
    fn monotonic_ms(&self) -> Option<i64> {
        if self.stopped.is_some() {
            return None;
        }
        let text = std::fs::read_to_string("/proc/uptime").ok()?;
        let seconds: f64 = text.split_whitespace().next()?.parse().ok()?;
        Some((seconds * 1000.0) as i64)
    }

    fn boot_id(&self) -> Option<InstallId> {
        if self.stopped.is_some() {
            return None;
        }
        std::fs::read_to_string("/proc/sys/kernel/random/boot_id")
            .ok()?
            .trim()
            .parse()
            .ok()
    }

    #[allow(
        clippy::disallowed_methods,
        reason = "a command line that waits for a busy server has nothing else to do"
    )]
    fn sleep_ms(&self, ms: i64) {
        std::thread::sleep(Duration::from_millis(u64::try_from(ms).unwrap_or(0)));
    }
}

#[allow(clippy::disallowed_types, reason = "the binary's one real generator")]
fn generator(seed: Option<u64>) -> Result<StdRng, rand::rngs::SysError> {
    match seed {
        Some(seed) => Ok(StdRng::seed_from_u64(seed)),
        None => StdRng::try_from_rng(&mut rand::rngs::SysRng),
    }
}

fn main() -> ExitCode {
    let line: Vec<OsString> = std::env::args_os().collect();
    let arguments = match cli::help::read(&line) {
        Ok(arguments) => arguments,
        Err(said) => {
            // A reader that went away (`| head`) is no reason to fail.
            drop(match said.code {
                cli::exit::DONE => write!(std::io::stdout(), "{}", said.text),
                _ => write!(std::io::stderr(), "{}", said.text),
            });
            return ExitCode::from(said.code);
        }
    };
    let rng = match generator(arguments.test_seed) {
        Ok(rng) => rng,
        Err(error) => {
            let text = match arguments.lang {
                Language::Zh => "系统无法提供随机数",
                Language::En => "the system gives no randomness",
            };
            eprintln!("{text}: {error}");
            return ExitCode::from(cli::exit::BROKEN);
        }
    };
    let clock = Box::new(SystemClock {
        stopped: arguments.test_now,
    });
    let mut ambient = Ambient {
        clock,
        rng,
        seed: arguments.test_seed,
    };
    let (mut out, mut err) = (std::io::stdout(), std::io::stderr());
    ExitCode::from(cli::run(&arguments, &mut ambient, &mut out, &mut err))
}
