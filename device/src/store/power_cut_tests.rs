//! What simulated phones wrote, written by the real store, with the power cut at any byte of its log: what is read
//! afterwards is the state before a write or the state after it, and going on from there ends as without a cut.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::path::PathBuf;

use hazardloop_simulation::dice::Dice;
use hazardloop_simulation::schedule::Schedule;
use hazardloop_simulation::trace::record_writes;
use hazardloop_sync_protocol::device::{State, StoreOp};

use super::Path;
use super::tests::open;

/// One in so many writes has its power cut.
const CUTS: usize = 4;

pub(super) const DATABASE: &str = "device.db";
pub(super) const LOG: &str = "device.db-wal";

/// The files of a store as they are at one moment.
pub(super) struct Files {
    pub database: Vec<u8>,
    pub log: Vec<u8>,
}

impl Files {
    pub fn of(dir: &Path) -> Self {
        let read = |name| std::fs::read(dir.join(name)).unwrap_or_default();
        Self {
            database: read(DATABASE),
            log: read(LOG),
        }
    }

    /// The log as a power cut leaves it: the first `bytes` of what was being written, and behind them what was there
    /// before. What went into the database itself by then had been in the log before, whole.
    fn cut(&self, after: &Self, bytes: usize) -> Vec<u8> {
        let written = after.log.get(..bytes).unwrap_or(&after.log);
        let left = self.log.get(bytes..).unwrap_or_default();
        [written, left].concat()
    }
}

pub(super) fn read_back(dir: &Path) -> State {
    open(&dir.join(DATABASE)).unwrap().load().unwrap()
}

pub(super) fn summed(state: &State) -> State {
    let mut state = state.clone();
    state.recompute_held();
    state
}

/// How often a cut left the state before its write, and how often the one after it.
#[derive(Default)]
struct Seen {
    before: usize,
    after: usize,
}

fn written_with_cuts(writes: &[Vec<StoreOp>], dice: &mut Dice, seen: &mut Seen) {
    let mut dir = tempfile::tempdir().unwrap();
    let mut store = open(&dir.path().join(DATABASE)).unwrap();
    let mut memory = State::default();
    for ops in writes {
        let before = Files::of(dir.path());
        store.apply(ops).unwrap();
        let after = Files::of(dir.path());
        let was = summed(&memory);
        memory.apply(ops);
        // Where the log went into the database meanwhile, there is no half of it to be had.
        if !dice.one_in(CUTS) || before.database != after.database {
            continue;
        }
        let bytes = dice.below(after.log.len() + 1);
        let torn = tempfile::tempdir().unwrap();
        let path: PathBuf = torn.path().join(DATABASE);
        std::fs::write(&path, &before.database).unwrap();
        std::fs::write(torn.path().join(LOG), before.cut(&after, bytes)).unwrap();
        let found = read_back(torn.path());
        let is = summed(&memory);
        seen.after += usize::from(found == is);
        if found != is {
            assert!(found == was, "neither before nor after a cut at {bytes}");
            seen.before += 1;
        }
        // The app goes on from what there is; a write that was lost is made again.
        drop(store);
        dir = torn;
        store = open(&path).unwrap();
        store.apply(ops).unwrap();
    }
    drop(store);
    assert!(read_back(dir.path()) == summed(&memory), "at the end");
}

#[test]
fn a_power_cut_at_any_byte_leaves_whole_writes_of_what_simulated_phones_write() {
    let mut seen = Seen::default();
    for seed in 1..4 {
        let writes = record_writes(&Schedule::of(seed, 120));
        let mut dice = Dice::of(seed, 1);
        for writes in writes.values() {
            written_with_cuts(writes, &mut dice, &mut seen);
        }
    }
    let (before, after) = (seen.before, seen.after);
    assert!(before > 20 && after > 3, "{before} before, {after} after");
}
