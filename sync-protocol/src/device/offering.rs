//! What a revoked device offers before it is wiped, offer by offer.
//!
//! The host asks [`Offering::next`] what to offer, signs and sends it, and keeps what [`Offering::handle_answer`] says;
//! until it is told how it ended. The queue goes only when the server has it, or has said that it takes nothing of it.

use std::collections::BTreeSet;

use crate::wire::{Envelope, OfferResponse, PushResult};

use super::{Failure, State, StoreOp};

/// Commands that go in one offer.
const COMMANDS: usize = 100;
/// Bytes of payload that go in one offer, beside the first command.
const BYTES: usize = 256 * 1024;
/// Most offers of one contact; what is left then is offered at the next one.
const MOST_OFFERS: usize = 10_000;

/// How the offers of one contact ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OfferEnd {
    /// All that could be is handed over.
    Done,
    /// The server takes nothing.
    Refused,
    /// Not now: everything stays where it is until the next contact.
    Failed(Failure),
}

/// What is to be offered next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NextOffer {
    /// These commands. None: that there is nothing is said too.
    Commands(Vec<Envelope>),
    /// Nothing any more.
    Ended(OfferEnd),
}

/// The offers of one contact. See the top of this file.
#[derive(Clone, Debug)]
pub struct Offering {
    most: usize,
    offers: usize,
    /// What the server will not have: it has others under these numbers.
    hopeless: BTreeSet<i64>,
    sent: usize,
    /// How many waited when the last offer was made.
    before: usize,
    /// The last offer was answered, and must have brought something.
    answered: bool,
    end: Option<OfferEnd>,
}

impl Default for Offering {
    fn default() -> Self {
        Self {
            most: COMMANDS,
            offers: 0,
            hopeless: BTreeSet::new(),
            sent: 0,
            before: 0,
            answered: false,
            end: None,
        }
    }
}

impl Offering {
    /// What to offer now, of what the device holds now.
    pub fn next(&mut self, state: &State) -> NextOffer {
        let unsent = state.commands.values().filter(|c| c.is_unsent());
        let left = unsent.filter(|c| !self.hopeless.contains(&c.envelope.seq));
        let left: Vec<&Envelope> = left.map(|command| &command.envelope).collect();
        let no_further = left.is_empty() || left.len() >= self.before;
        if std::mem::take(&mut self.answered) && no_further {
            self.end.get_or_insert(OfferEnd::Done);
        }
        if self.offers >= MOST_OFFERS {
            let failure = OfferEnd::Failed(Failure::ServerError);
            self.end.get_or_insert(failure);
        }
        if let Some(end) = &self.end {
            return NextOffer::Ended(end.clone());
        }
        self.offers += 1;
        self.before = left.len();
        let batch = batch(&left, self.most);
        self.sent = batch.len();
        NextOffer::Commands(batch)
    }

    /// What an offer's answer changes on the device: receipts, which are kept so that what was handed over is known
    /// after a crash too.
    pub fn handle_answer(
        &mut self,
        state: &State,
        answer: Result<OfferResponse, Failure>,
    ) -> Vec<StoreOp> {
        let answer = match answer {
            Ok(answer) => answer,
            Err(failure) => {
                match failure {
                    Failure::Revoked => self.end = Some(OfferEnd::Refused),
                    Failure::PayloadTooLarge { ours: true } if self.sent > 1 => {
                        self.most = self.sent / 2;
                    }
                    // One command that is too large, and nothing can follow it.
                    Failure::PayloadTooLarge { ours: true } => self.end = Some(OfferEnd::Done),
                    failure => self.end = Some(OfferEnd::Failed(failure)),
                }
                return Vec::new();
            }
        };
        let mut ops = Vec::new();
        for result in &answer.results {
            match result {
                PushResult::Receipt(receipt) => ops.push(StoreOp::SettleCommand {
                    seq: receipt.seq,
                    receipt: Some(receipt.clone()),
                    awaiting_pull: false,
                }),
                PushResult::IdReused { seq } => {
                    self.hopeless.insert(*seq);
                }
            }
        }
        let lacked = lacked_by(state, &answer);
        let gap = answer.expected.is_some();
        match lacked.is_empty() {
            // What it lacks is not here, or the offer was of nothing and it lacks nothing.
            true if gap || answer.full || self.sent == 0 => self.end = Some(OfferEnd::Done),
            true => self.answered = true,
            false => ops.extend(lacked),
        }
        ops
    }
}

/// The first of them that fit into one offer.
fn batch(commands: &[&Envelope], most: usize) -> Vec<Envelope> {
    let (mut taken, mut bytes) = (Vec::new(), 0_usize);
    for command in commands.iter().take(most) {
        bytes = bytes.saturating_add(command.payload.0.len());
        if !taken.is_empty() && bytes > BYTES {
            break;
        }
        taken.push((*command).clone());
    }
    taken
}

/// A server that was restored from a backup lacks what had receipts, and says how far it has come: takes those back from
/// the next one on. Nothing, where that one is not here, or had none.
fn lacked_by(state: &State, answer: &OfferResponse) -> Vec<StoreOp> {
    let next = answer.last.max(0).saturating_add(1);
    let next = answer.expected.unwrap_or(next);
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
