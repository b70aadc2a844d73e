//! What a revoked device offers before it is wiped, offer by offer, until nothing is left that the server would take.
//!
//! The host asks [`Offering::next`] what to do, does it, and makes durable what [`Offering::handle_answer`] says before it
//! asks again: whoever comes after a crash goes on from there. The queue goes only when the server has it, or has said that
//! it takes nothing of it.

use std::collections::BTreeSet;

use ed25519_dalek::SigningKey;
use hazardloop_domain::hash::Digest;
use hazardloop_domain::ids::InstallId;

use crate::wire::{Envelope, OFFERED_PHOTOS, OfferResponse, PushResult};

use super::offer_sealing::sealed_to_offer;
use super::{Failure, State, StoreOp, StoredCommand};

/// Commands that go in one offer.
const COMMANDS: usize = 100;
/// Bytes of payload that go in one offer, beside the first command.
const BYTES: usize = 256 * 1024;
/// Most offers of one contact; what is left then is offered at the next one.
const MOST_OFFERS: usize = 10_000;
/// How often in one contact the server may want the queue from another place on.
const MOST_PLACES: usize = 16;

/// How the offers of one contact ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OfferEnd {
    /// All that could be is handed over.
    Done,
    /// The server takes nothing.
    Refused,
    /// All is handed over but commands that are each larger than the server takes.
    TooLarge,
    /// Not now: everything stays where it is until the next contact.
    Failed(Failure),
}

/// What is to be done next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NextOffer {
    /// To be made durable; then ask again.
    Store(Vec<StoreOp>),
    /// To be signed and sent. No commands: that there are none is said too.
    Offer {
        /// Commands that follow one another.
        commands: Vec<Envelope>,
        /// Photos that are only on this device, as far as the server has not been told.
        photos: Vec<Digest>,
    },
    /// Nothing any more.
    Ended(OfferEnd),
}

/// The offers of one contact. See the top of this file.
#[derive(Debug)]
pub struct Offering {
    install_id: InstallId,
    key: SigningKey,
    /// Photos that the server has not been told of.
    photos: Vec<Digest>,
    /// They are told by themselves: with a command it was too much.
    photos_alone: bool,
    /// Commands that go at once, at most.
    most: usize,
    offers: usize,
    /// What the server would not take by itself, by the hash of what it says.
    too_large: BTreeSet<Digest>,
    /// How often the queue was begun at another place.
    places: usize,
    /// What got its receipt here.
    settled: BTreeSet<i64>,
    /// The first command of the last offer, and how many it had.
    sent: (Option<i64>, usize),
    /// It named photos.
    named_photos: bool,
    /// The server keeps no more of this install.
    full: bool,
    /// The first question is behind us.
    begun: bool,
    end: Option<OfferEnd>,
}

impl Offering {
    /// Of an install, signed by its key; the photos are those whose bytes are only on this device.
    pub fn new(install_id: InstallId, key: SigningKey, mut photos: Vec<Digest>) -> Self {
        photos.truncate(OFFERED_PHOTOS);
        Self {
            install_id,
            key,
            photos,
            photos_alone: false,
            most: COMMANDS,
            offers: 0,
            too_large: BTreeSet::new(),
            places: 0,
            settled: BTreeSet::new(),
            sent: (None, 0),
            named_photos: false,
            full: false,
            begun: false,
            end: None,
        }
    }

    /// The commands that got a receipt in this contact.
    pub const fn settled(&self) -> &BTreeSet<i64> {
        &self.settled
    }

    /// What to do now, with what the device holds now.
    pub fn next(&mut self, state: &State) -> NextOffer {
        if !std::mem::replace(&mut self.begun, true) {
            let ops = self.out_of_placeholders(state);
            if !ops.is_empty() {
                return NextOffer::Store(ops);
            }
        }
        let left = unsent(state);
        // Queued while the last offer was away: it is handed over too.
        if self.end == Some(OfferEnd::Done) && !self.full && !left.is_empty() {
            self.end = None;
        }
        let stuck = left.iter().filter(|command| self.is_too_large(command));
        let stuck = stuck.count();
        if stuck == left.len() && stuck > 0 {
            self.end.get_or_insert(OfferEnd::TooLarge);
        }
        let first = left.first().filter(|first| self.is_too_large(first));
        if let Some(first) = first.filter(|_| self.end.is_none() && !self.photos_alone) {
            // It goes last again, behind what was queued meanwhile.
            return NextOffer::Store(self.sealed_from(state, first.envelope.seq));
        }
        if self.offers >= MOST_OFFERS {
            self.fail(Failure::ServerError);
        }
        if let Some(end) = &self.end {
            return NextOffer::Ended(end.clone());
        }
        self.offers += 1;
        let commands = match self.photos_alone {
            true => Vec::new(),
            false => self.batch(&left),
        };
        self.sent = (commands.first().map(|first| first.seq), commands.len());
        self.named_photos = !self.photos.is_empty();
        NextOffer::Offer {
            commands,
            photos: self.photos.clone(),
        }
    }

    /// What an offer's answer changes on the device, as one write: receipts, so that what was handed over is known after
    /// a crash too, and what is left sealed anew where the server wants it elsewhere.
    pub fn handle_answer(
        &mut self,
        state: &State,
        answer: Result<OfferResponse, Failure>,
    ) -> Vec<StoreOp> {
        match answer {
            Ok(answer) => {
                (self.photos, self.photos_alone) = (Vec::new(), false);
                self.answered(state, &answer)
            }
            Err(Failure::Revoked) => {
                self.end = Some(OfferEnd::Refused);
                Vec::new()
            }
            Err(Failure::PayloadTooLarge { ours: true }) => self.less(state),
            Err(failure) => {
                self.fail(failure);
                Vec::new()
            }
        }
    }

    fn fail(&mut self, failure: Failure) {
        self.end.get_or_insert(OfferEnd::Failed(failure));
    }

    /// The first of them that fit into one offer and follow one another.
    fn batch(&self, left: &[&StoredCommand]) -> Vec<Envelope> {
        let mut taken: Vec<Envelope> = Vec::new();
        let mut bytes = 0_usize;
        for command in left.iter().take(self.most) {
            let envelope = &command.envelope;
            bytes = bytes.saturating_add(envelope.payload.0.len());
            let follows = taken
                .last()
                .is_none_or(|before| before.seq.checked_add(1) == Some(envelope.seq));
            let fits = taken.is_empty() || bytes <= BYTES;
            if !follows || !fits || self.is_too_large(command) {
                break;
            }
            taken.push(envelope.clone());
        }
        taken
    }

    fn is_too_large(&self, command: &StoredCommand) -> bool {
        self.too_large.contains(&said(command.content()))
    }

    /// An offer was too large: what the next one leaves out.
    fn less(&mut self, state: &State) -> Vec<StoreOp> {
        let (first, sent) = self.sent;
        if sent > 1 {
            self.most = sent / 2;
            return Vec::new();
        }
        if !self.photos.is_empty() {
            match sent {
                0 => self.photos.truncate(self.photos.len() / 2),
                _ => self.photos_alone = true,
            }
            return Vec::new();
        }
        let command = first.and_then(|seq| state.commands.get(&seq));
        let Some(command) = command.filter(|command| command.is_unsent()) else {
            self.fail(Failure::PayloadTooLarge { ours: true });
            return Vec::new();
        };
        self.too_large.insert(said(command.content()));
        self.most = COMMANDS;
        self.sealed_from(state, command.envelope.seq)
    }

    fn answered(&mut self, state: &State, answer: &OfferResponse) -> Vec<StoreOp> {
        let (mut ops, mut reused) = (Vec::new(), false);
        for result in &answer.results {
            match result {
                PushResult::Receipt(receipt) => {
                    self.settled.insert(receipt.seq);
                    ops.push(StoreOp::SettleCommand {
                        seq: receipt.seq,
                        receipt: Some(receipt.clone()),
                        awaiting_pull: false,
                    });
                }
                // Another copy of this phone has used the place.
                PushResult::IdReused { .. } => reused = true,
            }
        }
        let mut after = state.clone();
        after.apply(&ops);
        let next = answer.last.max(0).saturating_add(1);
        let next = answer.expected.unwrap_or(next);
        let lacked = lacked_from(&after, next);
        self.places += usize::from(answer.expected.is_some() || reused || !lacked.is_empty());
        if self.places > MOST_PLACES {
            self.fail(Failure::ServerError);
        } else if !lacked.is_empty() {
            ops.extend(lacked);
        } else if answer.expected.is_some() || (reused && !answer.full) {
            ops.extend(self.sealed_from(&after, next));
        } else if answer.full {
            self.full = true;
            self.end.get_or_insert(OfferEnd::Done);
        } else {
            let (before, left) = (unsent(state).len(), unsent(&after).len());
            let by_itself = self.sent.1 == 0 && self.named_photos;
            // An answer that settles nothing is no reason to let go of anything.
            if left == 0 {
                self.end.get_or_insert(OfferEnd::Done);
            } else if left >= before && !by_itself {
                self.fail(Failure::ServerError);
            }
        }
        ops
    }

    /// A command that was set aside for its size while the device was in good standing is offered like any other: its
    /// placeholder tells nobody what it says.
    fn out_of_placeholders(&self, state: &State) -> Vec<StoreOp> {
        if !state.commands.values().any(StoredCommand::is_replaced) {
            return Vec::new();
        }
        let end = state.highest_seq().max(0).saturating_add(1);
        let first = unsent(state)
            .first()
            .map_or(end, |first| first.envelope.seq);
        self.sealed_from(state, first)
    }

    fn sealed_from(&self, state: &State, from: i64) -> Vec<StoreOp> {
        let goes_last = |envelope: &Envelope| self.too_large.contains(&said(envelope));
        sealed_to_offer(state, (self.install_id, &self.key), from, goes_last)
    }
}

fn unsent(state: &State) -> Vec<&StoredCommand> {
    let commands = state.commands.values();
    commands.filter(|command| command.is_unsent()).collect()
}

/// What a command says, wherever it stands in its chain.
fn said(envelope: &Envelope) -> Digest {
    Digest::sha256(&envelope.payload.0)
}

/// A server that was restored from a backup lacks what had receipts: takes those back from the next one that it wants.
/// Nothing, where that one is not here, or had none.
fn lacked_from(state: &State, next: i64) -> Vec<StoreOp> {
    let wanted = state.commands.get(&next);
    if wanted.is_none_or(|wanted| wanted.receipt.is_none()) {
        return Vec::new();
    }
    let again = state.commands.range(next..);
    let again = again.filter(|(_, command)| command.receipt.is_some());
    let ops = again.map(|(seq, _)| StoreOp::SettleCommand {
        seq: *seq,
        receipt: None,
        awaiting_pull: false,
    });
    ops.collect()
}

#[cfg(test)]
#[path = "tests/offering_tests.rs"]
mod tests;
