//! The bounded run: every target over its seeds, over damaged ones, and over noise.

use std::fs;
use std::path::PathBuf;

use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use hazardloop_sync_protocol::wire::{Bytes, PullRequest, PushRequest};

use crate::TARGETS;
use crate::messages::read;

/// Damaged inputs of each target. A tenth of a second or so in a debug build for most of them.
const CASES: u32 = 1_500;

/// What befalls bytes on their way, or in the hands of somebody who knows the format.
#[derive(Clone, Debug)]
enum Damage {
    Set(Index, u8),
    Flip(Index, u8),
    Cut(Index, Index),
    Repeat(Index, Index),
    Insert(Index, Vec<u8>),
    /// A part of another seed.
    Splice(Index, Index, Index),
}

fn damage() -> impl Strategy<Value = Damage> {
    let at = any::<Index>;
    // What lengths, counts and ends are made of.
    let telling = prop_oneof![
        any::<u8>(),
        prop::sample::select(vec![
            0, 1, 0x17, 0x18, 0x1b, 0x3b, 0x5b, 0x7b, 0x9b, 0xbb, 0xf6, 0xff
        ])
    ];
    prop_oneof![
        (at(), telling).prop_map(|(at, byte)| Damage::Set(at, byte)),
        (at(), 0_u8..8).prop_map(|(at, bit)| Damage::Flip(at, bit)),
        (at(), at()).prop_map(|(from, to)| Damage::Cut(from, to)),
        (at(), at()).prop_map(|(from, to)| Damage::Repeat(from, to)),
        (at(), prop::collection::vec(any::<u8>(), 1..9))
            .prop_map(|(at, bytes)| Damage::Insert(at, bytes)),
        (at(), at(), at()).prop_map(|(at, which, from)| Damage::Splice(at, which, from)),
    ]
}

fn damaged(seeds: &[Vec<u8>], which: Index, damages: &[Damage]) -> Vec<u8> {
    let mut bytes = which.get(seeds).clone();
    for damage in damages {
        let length = bytes.len();
        if length == 0 {
            break;
        }
        let span = |from: &Index, to: &Index| {
            let (from, to) = (from.index(length), to.index(length));
            from.min(to)..from.max(to)
        };
        match damage {
            Damage::Set(at, byte) => bytes[at.index(length)] = *byte,
            Damage::Flip(at, bit) => bytes[at.index(length)] ^= 1 << bit,
            Damage::Cut(from, to) => drop(bytes.drain(span(from, to))),
            Damage::Repeat(from, to) => {
                let span = span(from, to);
                let (end, part) = (span.end, bytes[span].to_vec());
                bytes.splice(end..end, part);
            }
            Damage::Insert(at, more) => {
                let at = at.index(length);
                bytes.splice(at..at, more.iter().copied());
            }
            Damage::Splice(at, which, from) => {
                let other = which.get(seeds);
                let from = from.index(other.len().max(1)).min(other.len());
                bytes.truncate(at.index(length));
                bytes.extend(&other[from..]);
            }
        }
    }
    bytes
}

fn seeds(target: &str) -> Vec<Vec<u8>> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("corpus")
        .join(target);
    let mut files: Vec<_> = fs::read_dir(&folder)
        .unwrap_or_else(|error| panic!("{folder:?}: {error}"))
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    files.iter().map(|file| fs::read(file).unwrap()).collect()
}

#[test]
fn every_target_has_seeds_and_every_folder_of_seeds_a_target() {
    let corpus = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("corpus");
    let mut folders: Vec<_> = fs::read_dir(corpus)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    folders.sort();
    let mut names: Vec<_> = TARGETS.iter().map(|target| target.name).collect();
    names.sort_unstable();
    assert_eq!(folders, names);
}

fn drive(name: &str) {
    let seeds = seeds(name);
    assert!(!seeds.is_empty(), "{name} has no seeds");
    seeds.iter().for_each(|seed| crate::run(name, seed));
    let found = find(&seeds, &|bytes| crate::run(name, bytes));
    assert!(found.is_none(), "{name}: {}", found.unwrap());
}

/// Damages the seeds until `run` panics; says by what.
fn find(seeds: &[Vec<u8>], run: &dyn Fn(&[u8])) -> Option<String> {
    let inputs = (any::<Index>(), prop::collection::vec(damage(), 1..6));
    let config = Config {
        cases: CASES,
        failure_persistence: None,
        ..Config::default()
    };
    // The same inputs each time: what is new is for the long run to find.
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let outcome = TestRunner::new_with_rng(config, rng).run(&inputs, |(which, damages)| {
        run(&damaged(seeds, which, &damages));
        Ok(())
    });
    outcome.err().map(|error| error.to_string())
}

/// Damage that is refused at the first byte would find nothing behind it.
#[test]
fn damaged_bytes_come_through_to_what_lies_behind_the_reader() {
    let pushes = seeds("push");
    let first = pushes.iter().find_map(|seed| read::<PushRequest>(seed));
    let first = first.expect("a push among the seeds");
    let another = find(&pushes, &|bytes| {
        let read = read::<PushRequest>(bytes);
        assert!(read.is_none_or(|read| read.install_id == first.install_id));
    });
    assert!(another.is_some(), "no other install ever pushes");
    let pulls = seeds("cursors");
    let given: Vec<_> = pulls.iter().flat_map(|seed| cursors_of(seed)).collect();
    let another = find(&pulls, &|bytes| {
        let forged = cursors_of(bytes);
        assert!(forged.iter().all(|cursor| given.contains(cursor)));
    });
    assert!(another.is_some(), "no cursor is ever forged");
}

fn cursors_of(bytes: &[u8]) -> Vec<Bytes> {
    let scopes = read::<PullRequest>(bytes).map_or_else(Vec::new, |read| read.scopes);
    scopes.into_iter().filter_map(|held| held.cursor).collect()
}

macro_rules! bounded {
    ($($name:ident)*) => {
        $(#[test] fn $name() { drive(stringify!($name)); })*
    };
}
bounded!(push pull answers envelope coding cursors phone texts);

proptest! {
    #![proptest_config(Config { failure_persistence: None, ..Config::default() })]
    #[test]
    fn noise_is_taken_by_every_target(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        TARGETS.iter().for_each(|target| (target.run)(&bytes));
    }
}
