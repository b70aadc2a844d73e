//! Kill rounds: server or devices die at a byte, or at a write, that the seed chooses, and start again. In the end
//! everything that a device has acknowledged is there, once.
//!
//! A few rounds always; in `make soak` as many as fit into `SOAK_SECONDS`, and [`MANY`] at least.

mod crowd;
mod device_kills;
mod field;
mod server_kills;

use std::time::{Duration, Instant};

use hazardloop_domain::hash::Digest;
use hazardloop_tests::link::Way;
use hazardloop_tests::{TestDatabase, setting};

use field::Field;

/// Rounds where nothing else is said.
const FEW: u64 = 10;

/// Rounds at least of an endurance run.
const MANY: u64 = 200;

/// Seconds to go on for, and the seed.
const SECONDS: &str = "SOAK_SECONDS";
const SEED: &str = "SOAK_SEED";

/// Where the network stops, and what is at its end dies: a request, which way, and up to how many bytes of it.
const PLACES: [(&str, Way, usize); 6] = [
    ("POST /api/v1/sync/push", Way::Up, 900),
    ("POST /api/v1/sync/push", Way::Down, 120),
    ("POST /api/v1/sync/pull", Way::Up, 300),
    ("POST /api/v1/sync/pull", Way::Down, 200),
    ("PATCH /api/v1/photos", Way::Up, 30_000),
    ("PATCH /api/v1/photos", Way::Down, 60),
];

/// Plays rounds on a fresh server and fresh devices, then lets everything arrive and looks at what is there.
#[allow(
    clippy::disallowed_methods,
    reason = "an endurance run lasts as long as it was told"
)]
fn play(database: TestDatabase, mut round: impl FnMut(&mut Field, Chance)) {
    let seed = setting(SEED).unwrap_or(1);
    println!(
        "{SEED}={seed}, on {}",
        database.url().split(':').next().unwrap()
    );
    let mut field = Field::set(database);
    let (begun, seconds) = (Instant::now(), setting(SECONDS));
    let mut played = 0;
    while match seconds {
        Some(seconds) => played < MANY || begun.elapsed() < Duration::from_secs(seconds),
        None => played < FEW,
    } {
        let chance = Chance {
            seed,
            round: played,
        };
        round(&mut field, chance);
        played += 1;
    }
    println!("{played} rounds, {field}");
    field.settle();
}

/// What a round does follows from seed and round alone.
#[derive(Clone, Copy)]
struct Chance {
    seed: u64,
    round: u64,
}

impl Chance {
    /// A number below `limit`.
    fn below(self, what: &str, limit: usize) -> usize {
        let parts = [self.seed, self.round].map(u64::to_be_bytes);
        let digest = Digest::sha256_of_parts(&[&parts[0], &parts[1], what.as_bytes()]);
        let number = digest.as_bytes()[..8]
            .iter()
            .fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
        usize::try_from(number % limit as u64).unwrap()
    }
}
