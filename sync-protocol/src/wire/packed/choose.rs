//! How a column is written: whatever takes the fewest bytes. A reader follows whatever was chosen.

use super::column::{Mode, Relation};
use crate::wire::varint::each_byte;

/// In columns of fewer numbers than this nothing can be told from how they are spread.
const FEW: usize = 16;
/// So many bytes less must another relation take where there are few: what is written always alike packs best.
const WORTH: f64 = 2.0;
/// Bits of a number that are tried as noise, at most.
const MOST_NOISE: u32 = 48;
/// Bits that are left of the longest number, where the rest is noise.
const LEFT: u32 = 7;

/// How a column takes the fewest bytes, and its differences in that way.
pub(super) fn best(ways: impl Iterator<Item = (Relation, Vec<u128>)>) -> Option<(Mode, Vec<u128>)> {
    let mut best: Option<(f64, Mode, Vec<u128>)> = None;
    for (relation, differences) in ways {
        let few = differences.len() < FEW;
        let (cost, noise) = if few {
            (bytes_of(&differences), 0)
        } else {
            let guess = longest(&differences).saturating_sub(LEFT);
            let plain = (entropy(&differences, 0), 0);
            let noisy = (entropy(&differences, guess), guess);
            if noisy.0 < plain.0 { noisy } else { plain }
        };
        let worth = if few { WORTH } else { 1.0 };
        let least = best.as_ref().map(|(least, ..)| *least);
        if least.is_none_or(|least| cost + worth <= least) {
            best = Some((cost, Mode { relation, noise }, differences));
        }
    }
    let (mut cost, mut mode, differences) = best?;
    // The best way, as finely as can be.
    let most = if mode.noise > 0 {
        longest(&differences)
    } else {
        0
    };
    for noise in most.saturating_sub(LEFT + 2)..most {
        let now = entropy(&differences, noise);
        if now < cost {
            (cost, mode.noise) = (now, noise);
        }
    }
    Some((mode, differences))
}

fn longest(differences: &[u128]) -> u32 {
    let bits = differences.iter().map(|one| 128 - one.leading_zeros());
    bits.max().unwrap_or_default().min(MOST_NOISE)
}

/// A count, as a number that can be weighed.
fn count(of: usize) -> f64 {
    f64::from(u32::try_from(of).unwrap_or(u32::MAX))
}

fn bytes_of(differences: &[u128]) -> f64 {
    let mut bytes = 0_usize;
    for difference in differences {
        each_byte(*difference, |_| bytes = bytes.saturating_add(1));
    }
    count(bytes)
}

/// Bytes that these numbers would take from a coder that knows how often each byte of them comes.
fn entropy(differences: &[u128], noise: u32) -> f64 {
    let mut counts = [0_u32; 256];
    let mut bytes = 0_usize;
    for difference in differences {
        each_byte(difference >> noise, |byte| {
            bytes = bytes.saturating_add(1);
            if let Some(count) = counts.get_mut(usize::from(byte)) {
                *count = count.saturating_add(1);
            }
        });
    }
    let all = count(bytes);
    let of = |count: &u32| f64::from(*count) * (all / f64::from(*count)).log2();
    let bits: f64 = counts.iter().filter(|count| **count > 0).map(of).sum();
    (bits + f64::from(noise) * count(differences.len())) / 8.0
}
