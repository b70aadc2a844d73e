//! Cursors that lead on and tell nothing.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use std::collections::BTreeSet;

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

use super::*;

/// Walks a list in pages that look at `budget` records at least, of which some are the asker's.
fn walk(order: Order, all: &[Key], own: &BTreeSet<Key>, budget: usize) -> (Vec<Key>, usize) {
    let mut list = all.to_vec();
    list.sort_unstable_by(|a, b| in_order(order, a, b));
    let (mut found, mut after, mut pages) = (Vec::new(), None, 0);
    loop {
        pages += 1;
        assert!(pages < 10_000, "it comes to an end");
        let follows = |key: &&Key| after.is_none_or(|after| in_order(order, &after, key).is_lt());
        let rest: Vec<Key> = list.iter().filter(follows).copied().collect();
        let mut seen = None;
        let mut next = None;
        for (place, key) in rest.iter().enumerate() {
            if own.contains(key) {
                found.push(*key);
                seen = Some(*key);
            }
            if place + 1 >= budget {
                next = going_on(order, after, seen, *key);
                if next.is_some() {
                    break;
                }
            }
        }
        let Some(next) = next else {
            return (found, pages);
        };
        let foreign = all.iter().any(|key| key.id == next.id) && !own.contains(&next);
        assert!(!foreign, "{next:?}");
        after = Some(next);
    }
}

#[test]
fn every_record_comes_once_and_no_cursor_names_anothers() {
    let mut rng = StdRng::seed_from_u64(20_261_126);
    for round in 0..200 {
        let (moments, own_of) = (rng.random_range(1..6), rng.random_range(1..30));
        let mut all = BTreeSet::new();
        let mut own = BTreeSet::new();
        for _ in 0..rng.random_range(1..150) {
            let key = Key {
                at: rng.random_range(0..moments),
                id: Uuid::from_u128(rng.random::<u128>()),
            };
            all.insert(key);
            if rng.random_range(0..own_of) == 0 {
                own.insert(key);
            }
        }
        let all: Vec<Key> = all.into_iter().collect();
        for order in [Order::Newest, Order::Due] {
            for budget in [1, 2, 7, 200] {
                let (found, _) = walk(order, &all, &own, budget);
                let mut expected: Vec<Key> = own.iter().copied().collect();
                expected.sort_unstable_by(|a, b| in_order(order, a, b));
                assert_eq!(
                    found, expected,
                    "round {round}, {order:?}, {budget} at once"
                );
            }
        }
    }
}

#[test]
fn records_whose_ids_begin_alike_are_looked_through_at_once() {
    let all: Vec<Key> = (1..50)
        .map(|number| Key {
            at: 5,
            id: Uuid::from_u128(number),
        })
        .collect();
    let own: BTreeSet<Key> = [all[40]].into();
    for order in [Order::Newest, Order::Due] {
        let (found, pages) = walk(order, &all, &own, 3);
        assert_eq!(found, [all[40]], "{order:?}");
        assert!(pages < 10, "{pages}");
    }
}
