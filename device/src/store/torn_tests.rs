//! What a disk may hold after the power went in the middle of a write: sectors that arrived, sectors that did not,
//! garbage where it was writing. A store opens on each of these as it was before the write or after it, nothing that
//! was acknowledged is missing, and the write can be made again.
//!
//! SQLite takes for granted that a disk harms no byte beside those that it was told to write; so do these cuts.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::collections::HashSet;
use std::mem::discriminant;

use diesel::connection::SimpleConnection as _;
use diesel::prelude::*;
use hazardloop_domain::hash::Digest;
use hazardloop_simulation::dice::Dice;
use hazardloop_simulation::schedule::Schedule;
use hazardloop_simulation::trace::record_writes;
use hazardloop_sync_protocol::device::{ScopeState, State, StoreOp};

use super::power_cut_tests::{DATABASE, Files, LOG, read_back, summed};
use super::tests::{command, open, photo_op, scope};
use super::{Path, Store};

/// What a disk writes whole, or not at all.
const SECTOR: usize = 512;
/// What SQLite writes together.
const PAGE: usize = 4_096;
/// The log goes into the database after so many pages, so that it does so often.
const LOG_PAGES: u32 = 40;
/// Of the writes that hold nothing new, one in so many is cut.
const ONE_IN: usize = 12;
/// Places at which one write is cut, of each sort.
const CUTS: usize = 3;

/// How a write may have been left behind the byte at which it was cut.
#[derive(Clone, Copy, Debug)]
enum Tear {
    /// What was there before is there still, and the file has not grown further.
    Ends,
    /// The file has grown, but holds zeros there.
    Zeros,
    /// As `Ends`, and the last sector that was being written, if the cut lies in one, holds anything.
    Garbled,
    /// The disk wrote sectors in an order of its own: any of them are there.
    Scattered,
}

const TEARS: [Tear; 4] = [Tear::Ends, Tear::Zeros, Tear::Garbled, Tear::Scattered];

/// The byte from which on a file was written.
fn first_written(old: &[u8], new: &[u8]) -> usize {
    let same = old.iter().zip(new).take_while(|(old, new)| old == new);
    same.count()
}

/// A file that held `old`, as it is found when the power went while `new` was written, up to `cut`.
fn torn(old: &[u8], new: &[u8], cut: usize, tear: Tear, dice: &mut Dice) -> Vec<u8> {
    let from = first_written(old, new);
    let behind = old.get(cut..).unwrap_or_default();
    let mut found = [&new[..cut], behind].concat();
    match tear {
        Tear::Ends => {}
        Tear::Zeros => found.resize(found.len().max(new.len()), 0),
        Tear::Garbled => {
            let begins = (cut.saturating_sub(1) / SECTOR * SECTOR).max(from);
            // Only what was being written: a page that is the same before and after was left alone.
            let page = begins / PAGE * PAGE..(begins / PAGE + 1) * PAGE;
            let of = |file: &'_ [u8]| {
                let ends = page.end.min(file.len());
                file.get(page.start..ends).unwrap_or_default().to_vec()
            };
            let ends = if of(old) == of(new) {
                begins
            } else {
                cut.max(begins)
            };
            for byte in &mut found[begins..ends] {
                *byte = dice.roll().to_le_bytes()[0];
            }
        }
        Tear::Scattered => {
            found.resize(found.len().max(new.len()), 0);
            for (number, sector) in new.chunks(SECTOR).enumerate() {
                let begins = (number * SECTOR).max(from).max(cut);
                let ends = number * SECTOR + sector.len();
                if begins < ends && dice.one_in(2) {
                    found[begins..ends].copy_from_slice(&new[begins..ends]);
                }
            }
        }
    }
    found
}

/// Where to cut: at sectors, and at odd bytes; both ends always.
fn places(old: &[u8], new: &[u8], dice: &mut Dice) -> Vec<usize> {
    let (from, to) = (first_written(old, new), new.len());
    let mut places = vec![from, to];
    for _ in 0..CUTS {
        let at = from + dice.below(to - from + 1);
        places.push((at / SECTOR * SECTOR).max(from));
        places.push(at | 1);
    }
    places.retain(|place| *place <= to);
    places
}

/// What is in a directory of its own, opened there.
fn found_in(database: &[u8], log: &[u8]) -> (tempfile::TempDir, State) {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join(DATABASE), database).unwrap();
    std::fs::write(dir.path().join(LOG), log).unwrap();
    // The index of the log is made anew from the log, whatever a crash left of it.
    std::fs::write(dir.path().join("device.db-shm"), [0xa5; 40_000]).unwrap();
    let state = unhurried(dir.path()).load().unwrap();
    (dir, state)
}

/// A copy loses nothing more: it waits for no disk, which would take most of the time.
fn unhurried(dir: &Path) -> Store {
    let mut store = open(&dir.join(DATABASE)).unwrap();
    store
        .conn
        .batch_execute("PRAGMA synchronous = OFF")
        .unwrap();
    store
}

/// What the cuts of all writes came to.
#[derive(Default)]
struct Seen {
    before: usize,
    after: usize,
    into_the_database: usize,
    kinds: HashSet<std::mem::Discriminant<StoreOp>>,
    choices: usize,
}

impl Seen {
    /// Whether a write holds what none before did.
    fn is_new(&mut self, ops: &[StoreOp]) -> bool {
        let chosen = |op: &&StoreOp| matches!(op, StoreOp::PutCommand(c) if c.chosen.is_some());
        let choices = ops.iter().filter(chosen).count();
        self.choices += choices;
        let kinds = ops.iter().map(discriminant);
        let new = kinds.filter(|kind| self.kinds.insert(*kind)).count();
        new > 0 || (choices > 0 && self.choices < 4)
    }
}

/// One write, and everything that it may be cut to.
struct Cut<'a> {
    ops: &'a [StoreOp],
    was: &'a State,
    is: &'a State,
    before: Files,
    after: Files,
}

impl Cut<'_> {
    fn in_the_log(&self, dice: &mut Dice, seen: &mut Seen) {
        let (old, new) = (&self.before.log, &self.after.log);
        for (number, cut) in places(old, new, dice).into_iter().enumerate() {
            let tear = match cut == new.len() {
                true => Tear::Ends,
                false => TEARS[dice.below(TEARS.len())],
            };
            let log = torn(old, new, cut, tear, dice);
            let (dir, state) = found_in(&self.before.database, &log);
            let is_after = state == *self.is;
            assert!(
                is_after || state == *self.was,
                "neither before nor after, {tear:?} at {cut}"
            );
            assert!(is_after || cut < new.len(), "acknowledged, and lost");
            match is_after {
                true => seen.after += 1,
                false => seen.before += 1,
            }
            if number % 2 == 0 {
                self.is_made_again(dir.path());
            }
        }
    }

    /// While the log goes into the database, the log is whole on the disk: what was acknowledged is all there,
    /// whatever became of the database.
    fn in_the_database(&self, dice: &mut Dice, seen: &mut Seen) {
        let (old, new) = (&self.before.database, &self.after.database);
        for tear in TEARS {
            for cut in places(old, new, dice) {
                let database = torn(old, new, cut, tear, dice);
                let (dir, state) = found_in(&database, &self.after.log);
                assert!(
                    state == *self.is,
                    "acknowledged, and lost: {tear:?} at {cut}"
                );
                self.is_made_again(dir.path());
            }
        }
        seen.into_the_database += 1;
    }

    fn is_made_again(&self, dir: &Path) {
        unhurried(dir).apply(self.ops).unwrap();
        let state = unhurried(dir).load().unwrap();
        assert!(state == *self.is, "not as without a cut");
    }
}

fn written_with_tears(writes: &[Vec<StoreOp>], dice: &mut Dice, seen: &mut Seen) {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(&dir.path().join(DATABASE)).unwrap();
    let often = format!("PRAGMA wal_autocheckpoint = {LOG_PAGES}");
    store.conn.batch_execute(&often).unwrap();
    let mut memory = State::default();
    for ops in writes {
        let before = Files::of(dir.path());
        store.apply(ops).unwrap();
        let after = Files::of(dir.path());
        let was = summed(&memory);
        memory.apply(ops);
        let went_in = before.database != after.database;
        let rare = went_in && seen.into_the_database < 4;
        if !(seen.is_new(ops) || rare || dice.one_in(ONE_IN)) {
            continue;
        }
        let cut = Cut {
            ops,
            was: &was,
            is: &summed(&memory),
            before,
            after,
        };
        cut.in_the_log(dice, seen);
        if went_in {
            cut.in_the_database(dice, seen);
        }
    }
}

#[test]
fn whatever_a_power_cut_leaves_of_a_write_opens_as_before_it_or_after_it_and_loses_nothing() {
    let mut seen = Seen::default();
    for seed in 1..3 {
        let mut dice = Dice::of(seed, 2);
        for writes in record_writes(&Schedule::of(seed, 150)).values() {
            written_with_tears(writes, &mut dice, &mut seen);
        }
    }
    let (before, after) = (seen.before, seen.after);
    assert!(before > 100 && after > 50, "{before} before, {after} after");
    assert!(seen.into_the_database > 3, "{}", seen.into_the_database);
    assert!(seen.choices > 0, "no choices");
    for op in [
        StoreOp::PutCommand(command(1)),
        StoreOp::SettleCommand {
            seq: 1,
            receipt: None,
            awaiting_pull: false,
        },
        StoreOp::PutScope(scope(1), ScopeState::default()),
        StoreOp::ClearStaged(scope(1)),
        photo_op(1),
        StoreOp::DeletePhoto(Digest::ZERO),
    ] {
        assert!(seen.kinds.contains(&discriminant(&op)), "never: {op:?}");
    }
}

/// The last one to close a store writes the log into the database and removes it.
#[test]
fn a_power_cut_while_a_store_is_closed_loses_nothing() {
    let mut dice = Dice::of(1, 3);
    for closes_into_one_file in [false, true] {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(DATABASE);
        let mut store = open(&path).unwrap();
        let mut memory = State::default();
        for seq in 1..30 {
            let ops = [StoreOp::PutCommand(command(seq))];
            store.apply(&ops).unwrap();
            memory.apply(&ops);
        }
        let before = Files::of(dir.path());
        match closes_into_one_file {
            true => store.close(&path).unwrap(),
            false => drop(store),
        }
        let after = Files::of(dir.path());
        assert!(after.log.is_empty());
        let (old, new) = (&before.database, &after.database);
        for tear in TEARS {
            for cut in places(old, new, &mut dice) {
                let database = torn(old, new, cut, tear, &mut dice);
                let (_dir, state) = found_in(&database, &before.log);
                assert!(state == summed(&memory), "{tear:?} at {cut}");
            }
        }
        assert!(read_back(dir.path()) == summed(&memory));
    }
}

fn setting(store: &mut Store, name: &str) -> String {
    #[derive(diesel::QueryableByName)]
    struct Setting {
        #[diesel(sql_type = diesel::sql_types::Text)]
        value: String,
    }
    let asked = format!("SELECT CAST({name} AS TEXT) AS value FROM pragma_{name}");
    let read = diesel::sql_query(asked).get_result::<Setting>(&mut store.conn);
    read.unwrap().value
}

/// With a log, SQLite flushes it before each commit returns where `synchronous` is FULL (2), and only there.
#[test]
fn every_write_is_flushed_before_it_is_acknowledged() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(DATABASE);
    for _ in 0..2 {
        let mut store = open(&path).unwrap();
        assert_eq!(setting(&mut store, "journal_mode"), "wal");
        assert_eq!(setting(&mut store, "synchronous"), "2");
        // Elsewhere than on Apple's systems these change nothing.
        assert_eq!(setting(&mut store, "fullfsync"), "1");
        assert_eq!(setting(&mut store, "checkpoint_fullfsync"), "1");
    }
}
