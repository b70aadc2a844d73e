//! Statements weighed by themselves, over the tables of the hub in memory.

use std::collections::BTreeSet;

use super::witnesses::{Standing, Statement, WEIGHED_AT_ONCE, weigh, weigh_more};
use crate::hub::memory::Tables;
use crate::hub::push_steps::StoredReceipt;
use crate::wire::{Outcome, QuarantineReason, Receipt};
use hazardloop_domain::command_fate::SentCommand;
use hazardloop_domain::hash::Digest;
use hazardloop_domain::ids::{InstallId, PersonId};
use hazardloop_domain::time::Timestamp;
use proptest::prelude::*;
use uuid::Uuid;

fn install(number: u128) -> InstallId {
    InstallId(Uuid::from_u128(number))
}

const fn at(minute: i64) -> Timestamp {
    Timestamp::from_millis(minute * 60_000)
}

/// The link hash of a command of these tests.
fn link(number: u128, seq: i64) -> Digest {
    Digest::sha256_of_parts(&[&number.to_be_bytes()[..], &seq.to_be_bytes()[..]])
}

/// A hub's tables, and what each chain has sent.
struct World {
    tables: Tables,
    /// Commands that do not name the hash of the one before them.
    breaks: Vec<(u128, i64)>,
    /// Statements that are weighed at once.
    most: usize,
    left_over: BTreeSet<InstallId>,
}

impl World {
    fn new(installs: u128) -> Self {
        let mut tables = Tables::default();
        for number in 0..installs {
            tables.enrol(install(number), PersonId(Uuid::from_u128(number)), vec![]);
        }
        Self {
            tables,
            breaks: Vec::new(),
            most: WEIGHED_AT_ONCE,
            left_over: BTreeSet::new(),
        }
    }

    /// Weighs all that was left over.
    fn weigh_left_over(&mut self) {
        let mut lots = 0;
        while let Some(id) = self.left_over.pop_first() {
            let mut after = Some(0);
            while let Some(from) = after {
                let receipts = &self.tables.installs[&id].receipts;
                let last = *receipts.keys().next_back().unwrap_or(&0);
                let Ok((weighed, next)) = weigh_more(&mut self.tables, (id, last), from, self.most);
                self.left_over.extend(&weighed.left_over);
                after = next;
                lots += 1;
                assert!(lots < 10_000, "it comes to an end");
            }
        }
    }

    /// Commands `from` to `to` of an install arrive, some of them statements about others.
    fn push(
        &mut self,
        number: u128,
        (from, to): (i64, i64),
        minute: i64,
        said: &[(i64, u128, i64)],
    ) -> Vec<Statement> {
        let stored = self.tables.installs.get_mut(&install(number)).unwrap();
        for seq in from..=to {
            let receipt = Receipt {
                seq,
                received_at: at(minute),
                outcome: match self.breaks.contains(&(number, seq)) {
                    true => Outcome::Quarantined {
                        reason: QuarantineReason::BrokenChain,
                        detail: String::new(),
                    },
                    false => Outcome::Applied { version: 0 },
                },
            };
            let link_hash = link(number, seq);
            let kept = StoredReceipt {
                link_hash,
                content: Some(link_hash),
                receipt,
            };
            stored.receipts.insert(seq, kept);
        }
        let made = said.iter().map(|(seq, about, up_to)| Statement {
            by: SentCommand {
                install_id: install(number),
                seq: *seq,
            },
            about: SentCommand {
                install_id: install(*about),
                seq: *up_to,
            },
            head: link(*about, *up_to),
            received_at: at(minute),
            proven_at: at(minute),
            standing: Standing::Open,
        });
        let made = made.collect();
        let of = (install(number), to);
        let Ok(weighed) = weigh(&mut self.tables, of, made, self.most);
        self.left_over.extend(&weighed.left_over);
        weighed.differing
    }

    /// Since which minute a command is proven to have been there.
    fn proven(&self, number: u128, seq: i64) -> i64 {
        let command = SentCommand {
            install_id: install(number),
            seq,
        };
        let proof = self.tables.time_proof(command).unwrap();
        proof.proven_at.unwrap().as_millis() / 60_000
    }
}

#[test]
fn a_statement_proves_all_up_to_its_place_whenever_they_arrive() {
    let mut world = World::new(2);
    world.push(1, (1, 1), 10, &[(1, 0, 3)]);
    // In two batches: only the second one holds what the hash is of.
    world.push(0, (1, 2), 20, &[]);
    assert_eq!(world.proven(0, 1), 20, "nothing is known to fit yet");
    world.push(0, (3, 4), 30, &[]);
    assert_eq!(world.proven(0, 1), 10);
    assert_eq!(world.proven(0, 3), 10);
    assert_eq!(world.proven(0, 4), 30, "it came later than what was seen");
}

#[test]
fn a_statement_about_what_was_received_before_it_proves_nothing_more() {
    let mut world = World::new(2);
    world.push(0, (1, 3), 10, &[]);
    world.push(1, (1, 1), 20, &[(1, 0, 3)]);
    assert_eq!(world.proven(0, 3), 10);
    let standing = world.tables.statements.values().next().unwrap().standing;
    assert_eq!(standing, Standing::Fits);
}

/// Its author made the second command first, had it seen, and puts another first one before it afterwards.
#[test]
fn a_hash_behind_a_break_proves_nothing_of_what_lies_before_it() {
    let mut world = World::new(3);
    world.breaks.push((0, 2));
    world.push(1, (1, 1), 10, &[(1, 0, 2)]);
    // Before the break all is well.
    world.push(2, (1, 1), 12, &[(1, 0, 1)]);
    world.push(0, (1, 3), 30, &[]);
    assert_eq!(world.proven(0, 1), 12);
    assert_eq!(world.proven(0, 2), 30);
    let mut world = World::new(2);
    world.breaks.push((0, 2));
    world.push(1, (1, 1), 10, &[(1, 0, 3)]);
    world.push(0, (1, 3), 30, &[]);
    let proven: Vec<i64> = (1..=3).map(|seq| world.proven(0, seq)).collect();
    assert_eq!(proven, [30, 30, 30]);
}

/// A witness of many: each head of it that others saw leads in turn, and what it had said of a third is lifted once
/// for each. What stood best before stays, or is bettered.
#[test]
fn no_proof_is_lost_where_more_is_to_be_weighed_than_a_push_may() {
    let mut world = World::new(4);
    let many = i64::try_from(WEIGHED_AT_ONCE).unwrap();
    // Of the third: a good witness, and one that was received later but is itself witnessed from before that.
    world.push(0, (1, 1), 50, &[(1, 2, 1)]);
    world.push(2, (1, 1), 90, &[]);
    assert_eq!(world.proven(2, 1), 50);
    let said: Vec<_> = (1..=many).map(|seq| (seq, 1, seq)).collect();
    world.push(3, (1, many), 40, &said);
    world.push(1, (1, many), 100, &[(1, 2, 1)]);
    assert!(world.proven(2, 1) <= 50, "{}", world.proven(2, 1));
    assert_eq!(world.proven(1, 1), 40);
}

#[test]
fn the_earliest_of_several_counts_for_what_it_reaches() {
    let mut world = World::new(3);
    world.push(1, (1, 1), 10, &[(1, 0, 2)]);
    world.push(2, (1, 2), 15, &[(1, 0, 1), (2, 0, 5)]);
    world.push(1, (2, 2), 18, &[(2, 0, 4)]);
    world.push(0, (1, 6), 30, &[]);
    let proven: Vec<i64> = (1..=6).map(|seq| world.proven(0, seq)).collect();
    assert_eq!(proven, [10, 10, 15, 15, 15, 30]);
}

#[test]
fn a_witness_that_was_witnessed_counts_from_its_own_proof() {
    // The last one has met the second before that met anybody, and comes home first.
    let mut world = World::new(3);
    world.push(2, (1, 1), 10, &[(1, 1, 1)]);
    world.push(0, (1, 2), 20, &[]);
    assert_eq!(world.proven(0, 2), 20);
    world.push(1, (1, 1), 30, &[(1, 0, 2)]);
    assert_eq!(world.proven(1, 1), 10);
    assert_eq!(world.proven(0, 2), 10, "stated in what was there at 10");
    // The other way round: who is witnessed later lifts what was weighed before.
    let mut world = World::new(3);
    world.push(2, (1, 1), 10, &[(1, 1, 2)]);
    world.push(1, (1, 1), 20, &[(1, 0, 1)]);
    world.push(0, (1, 1), 25, &[]);
    assert_eq!(world.proven(0, 1), 20);
    world.push(1, (2, 2), 30, &[]);
    assert_eq!(world.proven(0, 1), 10);
}

#[test]
fn what_two_others_lift_at_once_keeps_its_proof() {
    let mut world = World::new(3);
    world.push(2, (1, 1), 3, &[(1, 0, 1)]);
    world.push(1, (1, 2), 5, &[(2, 0, 1)]);
    // What it says of the second one's first command is shown by both.
    world.push(0, (1, 1), 7, &[(1, 1, 1)]);
    assert_eq!(world.proven(1, 1), 3);
}

#[test]
fn a_chain_that_differs_is_said_once_and_proves_nothing() {
    let mut world = World::new(2);
    world.push(1, (1, 1), 10, &[(1, 0, 2)]);
    let by = SentCommand {
        install_id: install(1),
        seq: 1,
    };
    world.tables.statements.get_mut(&by).unwrap().head = Digest([9; 32]);
    let differing = world.push(0, (1, 3), 20, &[]);
    assert_eq!(differing.len(), 1);
    assert_eq!(world.proven(0, 1), 20);
    assert!(world.push(0, (4, 4), 21, &[]).is_empty());
}

#[test]
fn work_for_others_ends() {
    let mut world = World::new(2);
    let said: Vec<(i64, u128, i64)> = (1..=1_500).map(|seq| (seq, 0, seq)).collect();
    for (batch, said) in said.chunks(500).enumerate() {
        let last = said.last().unwrap().0;
        world.push(1, (last - 499, last), batch as i64, said);
    }
    world.push(0, (1, 1_500), 10, &[]);
    let open = |world: &World| {
        let all = world.tables.statements.values();
        all.filter(|statement| statement.standing == Standing::Open)
            .count()
    };
    assert_eq!(open(&world), 500);
    assert!(world.left_over.contains(&install(0)));
    world.weigh_left_over();
    assert_eq!(open(&world), 0);
    assert_eq!(world.proven(0, 1_500), 2);
}

/// When a command was made, and whose chain it states how far.
type Made = (i64, Option<(u128, i64)>);

proptest! {
    /// Against a slow and obviously right account: who knew of what when, by way of whom. No order of arrivals
    /// proves a command for earlier than it was made, and none misses what another one shows. Nor does it matter how
    /// many are weighed at once, as soon as what was left over is weighed.
    #[test]
    fn what_is_proven_is_what_was_known(
        steps in prop::collection::vec((0..4_u128, 0..4_u128, 0..3_u8), 1..60),
        most in prop_oneof![1..4_usize, Just(WEIGHED_AT_ONCE)],
    ) {
        let mut world = World::new(4);
        world.most = most;
        // For each install: when each command was made, and which are statements.
        let mut made: Vec<Vec<Made>> = vec![Vec::new(); 4];
        let mut sent = [0_usize; 4];
        let mut received: Vec<Vec<i64>> = vec![Vec::new(); 4];
        for (minute, (one, other, what)) in steps.into_iter().enumerate() {
            let minute = minute as i64;
            let (own, theirs) = (one as usize, other as usize);
            match what {
                0 => made[own].push((minute, None)),
                1 if one != other && !made[theirs].is_empty() => {
                    let up_to = made[theirs].len() as i64;
                    made[own].push((minute, Some((other, up_to))));
                }
                _ => {
                    let from = sent[own];
                    let to = (from + 1 + theirs).min(made[own].len());
                    if to == from { continue; }
                    let said: Vec<(i64, u128, i64)> = made[own][from..to].iter().enumerate()
                        .filter_map(|(place, (_, said))| {
                            let (about, up_to) = (*said)?;
                            Some(((from + place + 1) as i64, about, up_to))
                        }).collect();
                    world.push(one, (from as i64 + 1, to as i64), minute, &said);
                    received[own].resize(to, minute);
                    sent[own] = to;
                }
            }
        }
        world.weigh_left_over();
        // The slow account: receipts first, then whatever a known statement that fits shows, until nothing changes.
        let mut proven = received.clone();
        loop {
            let before = proven.clone();
            for own in 0..4 {
                for place in 0..sent[own] {
                    let Some((about, up_to)) = made[own][place].1 else { continue };
                    let about = about as usize;
                    if up_to as usize > sent[about] { continue; }
                    let since = proven[own][place];
                    for earlier in &mut proven[about][..up_to as usize] {
                        *earlier = since.min(*earlier);
                    }
                }
            }
            if before == proven { break; }
        }
        for own in 0..4 {
            for place in 0..sent[own] {
                let found = world.proven(own as u128, place as i64 + 1);
                prop_assert_eq!(found, proven[own][place], "{} {}", own, place + 1);
                prop_assert!(found >= made[own][place].0, "before it was made");
            }
        }
    }
}
