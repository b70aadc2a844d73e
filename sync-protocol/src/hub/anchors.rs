//! Anchors: the hub's own time, given out in a way that nobody can make up, and what commands that show one prove.

use std::fmt;

use hazardloop_domain::command::{ANCHOR_TOKEN_LENGTH, AnchorToken, ClockReading};
use hazardloop_domain::hash::Digest;
use hazardloop_domain::time::Timestamp;
use hazardloop_domain::time_proof::{Anchored, ClockCheck};

use super::push_steps::Kept;
use crate::codec;
use crate::wire::{CommandPayload, Outcome, QuarantineReason};

/// Separates tokens from every other use of the same hash function.
const TOKEN_DOMAIN: &[u8] = b"hazardloop anchor v1";

/// The secret that tokens are made with. It stays with the hub, for as long as what they prove is to count.
#[derive(Clone, PartialEq, Eq)]
pub struct AnchorKey(pub [u8; 32]);

impl fmt::Debug for AnchorKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AnchorKey(..)")
    }
}

impl AnchorKey {
    /// The key from its bytes; `None` when there are not exactly 32.
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// What is given out with this time: 8 bytes of a keyed hash. Whoever shows it has been told them, by then or
    /// later; by whom does not matter. All parts have a fixed length and most of the hash is kept back, so none
    /// follows from others.
    pub fn token(&self, at: Timestamp) -> Option<AnchorToken> {
        let time = at.as_millis().to_be_bytes();
        let hash = Digest::sha256_of_parts(&[TOKEN_DOMAIN, &self.0, &time]);
        AnchorToken::from_slice(hash.as_bytes().get(..ANCHOR_TOKEN_LENGTH)?)
    }
}

/// What the clocks of a command are worth.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ClockFacts {
    /// It was made after that, for certain.
    pub not_before: Option<Timestamp>,
    /// What the time is worth that it claims; absent: it cannot be read, or is not its device's.
    pub check: Option<ClockCheck>,
}

/// Follows a chain through the commands of a push, in their order. `anchored` is the newest anchor of the chain so
/// far: one that a command shows holds for all that come after it.
pub fn follow_clocks(
    key: &AnchorKey,
    anchored: &mut Option<Anchored>,
    kept: &Kept<'_>,
    max_depth: usize,
) -> ClockFacts {
    let received_at = kept.receipt.received_at;
    // Behind a break nothing shows that the chain had seen the anchor; and what lies ahead of the hub's own clock was
    // given out while that clock was wrong.
    if breaks_chain(&kept.receipt.outcome) {
        *anchored = None;
    }
    *anchored = anchored.filter(|known| known.at <= received_at);
    let payload = codec::decode_strict::<CommandPayload>(&kept.envelope.payload.0, max_depth);
    let (Ok(payload), false) = (payload, is_not_its(&kept.receipt.outcome)) else {
        return ClockFacts {
            not_before: anchored.map(|anchored| anchored.at),
            check: None,
        };
    };
    let check = match shown(key, &payload.made) {
        Shown::Forged => ClockCheck::AnchorForged,
        Shown::Nothing => payload.made.check(anchored.as_ref(), received_at),
        Shown::Anchor(newer) => {
            let is_newest = anchored.is_none_or(|known| known.at <= newer.at);
            if is_newest && newer.at <= received_at {
                *anchored = Some(newer);
            }
            // Against the newest, also where an older one is shown.
            payload.made.check(anchored.as_ref(), received_at)
        }
    };
    ClockFacts {
        not_before: anchored.map(|anchored| anchored.at),
        check: Some(check),
    }
}

/// The instant that a command which goes on from its chain was certainly not made before: by the newest anchor that the
/// chain has seen, or that it shows itself. Whatever its wall clock claims, it is judged as made no earlier.
pub fn not_before(
    key: &AnchorKey,
    anchored: Option<&Anchored>,
    made: &ClockReading,
    received_at: Timestamp,
) -> Option<Timestamp> {
    let own = match shown(key, made) {
        Shown::Anchor(own) => Some(own.at),
        Shown::Nothing | Shown::Forged => None,
    };
    let seen = [anchored.map(|seen| seen.at), own];
    seen.into_iter()
        .flatten()
        .filter(|at| *at <= received_at)
        .max()
}

/// Whether a command does not go on from the one before it: its chain begins anew with it.
pub const fn breaks_chain(outcome: &Outcome) -> bool {
    matches!(
        outcome,
        Outcome::Quarantined {
            reason: QuarantineReason::BrokenChain,
            ..
        }
    )
}

/// Whether nothing shows that a command is its device's own.
const fn is_not_its(outcome: &Outcome) -> bool {
    use QuarantineReason::{BadSignature, BrokenChain};
    matches!(
        outcome,
        Outcome::Quarantined {
            reason: BadSignature | BrokenChain,
            ..
        }
    )
}

enum Shown {
    Nothing,
    Anchor(Anchored),
    Forged,
}

fn shown(key: &AnchorKey, made: &ClockReading) -> Shown {
    let Some(token) = &made.anchor_token else {
        return Shown::Nothing;
    };
    match made.server_anchor {
        Some(at) if key.token(at).as_ref() == Some(token) => Shown::Anchor(Anchored {
            at,
            monotonic: made.boot_id.zip(made.anchor_monotonic_ms),
        }),
        _ => Shown::Forged,
    }
}
