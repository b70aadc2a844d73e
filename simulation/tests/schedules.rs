//! The code as it is keeps every invariant; broken in a known way, it is found out.

use std::collections::BTreeSet;

use hazardloop_simulation::faults::kinds;
use hazardloop_simulation::schedule::Schedule;
use hazardloop_simulation::shrink::shrink;
use hazardloop_simulation::twin::play_twice;
use hazardloop_simulation::variant::Variant;
use hazardloop_simulation::world::{Report, play, run};

const STEPS: usize = 120;

fn failing(seeds: std::ops::Range<u64>, variant: Variant) -> Vec<(u64, Report)> {
    let reports = seeds.map(|seed| (seed, play(&Schedule::of(seed, STEPS), variant)));
    reports
        .filter(|(_, report)| !report.found.is_empty())
        .collect()
}

/// In four parts, so that two cores have something to do.
fn keeps_every_invariant(seeds: std::ops::Range<u64>) {
    let failing = failing(seeds, Variant::Sound);
    let first = failing
        .first()
        .and_then(|(seed, report)| Some((seed, report, report.found.first()?)));
    let told = first.map(|(seed, report, first)| {
        let small = shrink(&Schedule::of(*seed, STEPS), Variant::Sound, first);
        format!("seed {seed}: {:#?}\n{small:#?}", report.found)
    });
    assert_eq!(told, None, "{}", told.as_deref().unwrap_or_default());
}

#[test]
fn the_code_as_it_is_keeps_every_invariant() {
    keeps_every_invariant(1..501);
}

#[test]
fn the_code_as_it_is_keeps_every_invariant_in_more_schedules() {
    keeps_every_invariant(501..1_001);
}

#[test]
fn the_code_as_it_is_keeps_every_invariant_in_still_more_schedules() {
    keeps_every_invariant(1_001..1_501);
}

#[test]
fn the_code_as_it_is_keeps_every_invariant_in_yet_other_schedules() {
    keeps_every_invariant(1_501..2_001);
}

#[test]
fn a_second_hub_that_hears_the_same_says_the_same() {
    for seed in 1..101 {
        let found = play_twice(&Schedule::of(seed, STEPS), Variant::Sound);
        assert!(found.is_empty(), "seed {seed}: {found:#?}");
    }
}

#[test]
fn every_way_in_which_it_is_broken_is_found() {
    for (variant, invariant) in Variant::BROKEN {
        // The first schedule that shows it is enough.
        let mut seeds = 1..241;
        let mut others = BTreeSet::new();
        let shows = seeds.find(|seed| {
            let found = play(&Schedule::of(*seed, STEPS), *variant).found;
            others.extend(found.iter().map(|found| found.invariant));
            others.contains(invariant)
        });
        assert!(
            shows.is_some(),
            "{variant:?}: found {others:?}, stated {invariant}"
        );
    }
}

#[test]
fn what_is_looked_at_after_every_step_is_found_then() {
    for (variant, invariant) in [
        (Variant::AcknowledgesBeforeTheDisk, 1),
        (Variant::ForgetsAtUnauthorized, 1),
        (Variant::ForgetsAtSignIn, 1),
        (Variant::ExecutesReplays, 2),
        (Variant::GoesOnFromMemory, 11),
        (Variant::TakesTheBearersWord, 16),
        (Variant::ProvesMoreThanWasSeen, 21),
        (Variant::KeepsWhatItMayNotRead, 23),
    ] {
        let shows = (1..241).any(|seed| {
            let found = run(&Schedule::of(seed, STEPS), variant).found;
            let mut found = found.iter().filter(|found| found.invariant == invariant);
            found.any(|found| found.what.starts_with("after step"))
        });
        assert!(shows, "{variant:?}: {invariant}");
    }
}

#[test]
fn every_fault_happens_and_a_seed_replays_exactly() {
    let mut faults = BTreeSet::new();
    for seed in 1..61 {
        let schedule = Schedule::of(seed, STEPS);
        let (one, again) = (
            run(&schedule, Variant::Sound),
            run(&schedule, Variant::Sound),
        );
        assert_eq!(one.effects, again.effects);
        assert_eq!(one.faults, again.faults);
        faults.extend(one.faults.into_keys());
    }
    assert_eq!(faults, kinds());
}

#[test]
fn a_schedule_that_fails_is_cut_down() {
    let variant = Variant::AcknowledgesBeforeTheDisk;
    let (seed, report) = failing(1..200, variant).into_iter().next().unwrap();
    let first = &report.found[0];
    let small = shrink(&Schedule::of(seed, STEPS), variant, first);
    assert!(small.steps.len() <= 6, "{small:?}");
    assert!(
        run(&small, variant)
            .found
            .iter()
            .any(|found| found.invariant == first.invariant)
    );
}
