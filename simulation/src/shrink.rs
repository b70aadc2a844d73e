//! From a schedule that fails to a short one that fails in the same way.

use crate::oracle::Found;
use crate::schedule::Schedule;
use crate::variant::Variant;
use crate::world::play;

/// Leaves steps out, in ever smaller pieces, as long as the same invariant is found broken (delta debugging).
pub fn shrink(schedule: &Schedule, variant: Variant, found: &Found) -> Schedule {
    let mut smallest = schedule.clone();
    let mut piece = smallest.steps.len().div_ceil(2).max(1);
    loop {
        let mut at = 0;
        let mut shorter = false;
        while at < smallest.steps.len() {
            let mut without = smallest.clone();
            let end = (at + piece).min(without.steps.len());
            without.steps.drain(at..end);
            let again = play(&without, variant).found;
            if again.iter().any(|other| other.invariant == found.invariant) {
                smallest = without;
                shorter = true;
            } else {
                at += piece;
            }
        }
        if piece == 1 && !shorter {
            return smallest;
        }
        if !shorter {
            piece = piece.div_ceil(2);
        }
    }
}
