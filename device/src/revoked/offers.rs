//! The offers of a revoked device, one after the other, until nothing is left that the server would take.
//!
//! Each step is durable before the next offer: whoever comes after a crash goes on from there.

use std::collections::BTreeSet;

use ed25519_dalek::SigningKey;
use hazardloop_domain::hash::Digest;
use hazardloop_sync_protocol::device::{Failure, State, StoreOp, StoredCommand, sealed_to_offer};
use hazardloop_sync_protocol::wire::{
    Envelope, OFFERED_PHOTOS, OfferRequest, OfferResponse, PROTOCOL_MAX, PushResult,
};

use super::unsent;
use crate::driver::{Device, DeviceError};
use crate::transport::Transport;

/// Commands that go in one offer.
const COMMANDS: usize = 100;
/// Bytes of payload that go in one offer, beside the first command.
const BYTES: usize = 256 * 1024;
/// Most offers of one run; what is left then is offered at the next contact.
const MOST_OFFERS: usize = 10_000;
/// How often in one run the server may want the queue from another place on.
const MOST_PLACES: usize = 16;

/// What is known of the commands that had no receipt.
pub(super) enum Offering {
    /// All that could be is handed over.
    Done,
    /// The server takes nothing.
    Refused,
    /// All is handed over but commands that are each larger than the server takes.
    TooLarge,
    /// Not now.
    Failed(Failure),
}

/// Offers under way.
pub(super) struct Offers<'a> {
    device: &'a mut Device,
    transport: &'a Transport,
    key: SigningKey,
    /// Photos that the server has not been told of.
    photos: Vec<Digest>,
    /// They are told by themselves: with a command it was too much.
    photos_alone: bool,
    /// Commands that go at once, at most.
    most: usize,
    /// What the server would not take by itself, by the hash of what it says.
    too_large: BTreeSet<Digest>,
    /// How often the queue was begun at another place.
    places: usize,
    /// What got its receipt here.
    pub(super) settled: BTreeSet<i64>,
}

impl<'a> Offers<'a> {
    pub(super) fn new(
        device: &'a mut Device,
        transport: &'a Transport,
        mut photos: Vec<Digest>,
    ) -> Result<Self, DeviceError> {
        let key = device.profile.key(device.account.install_id, &device.key)?;
        photos.truncate(OFFERED_PHOTOS);
        Ok(Self {
            device,
            transport,
            key,
            photos,
            photos_alone: false,
            most: COMMANDS,
            too_large: BTreeSet::new(),
            places: 0,
            settled: BTreeSet::new(),
        })
    }

    pub(super) fn all(&mut self) -> Result<Offering, DeviceError> {
        self.take_out_of_placeholders()?;
        for _ in 0..MOST_OFFERS {
            let left = unsent(self.device)?;
            let stuck = left.iter().filter(|command| self.is_too_large(command));
            if stuck.count() == left.len() && !left.is_empty() {
                return Ok(Offering::TooLarge);
            }
            let commands = match self.photos_alone {
                true => Vec::new(),
                false => self.batch(&left),
            };
            let first = commands.first().map(|command| command.seq);
            let sent = commands.len();
            match self.offer(commands)? {
                Ok(answer) => {
                    (self.photos, self.photos_alone) = (Vec::new(), false);
                    if let Some(ended) = self.answered((left.len(), sent), &answer)? {
                        return Ok(ended);
                    }
                }
                Err(Failure::Revoked) => return Ok(Offering::Refused),
                Err(Failure::PayloadTooLarge { ours: true }) => {
                    if !self.less(&left, first, sent)? {
                        return Ok(Offering::Failed(Failure::PayloadTooLarge { ours: true }));
                    }
                }
                Err(failure) => return Ok(Offering::Failed(failure)),
            }
        }
        Ok(Offering::Failed(Failure::ServerError))
    }

    fn offer(
        &self,
        commands: Vec<Envelope>,
    ) -> Result<Result<OfferResponse, Failure>, DeviceError> {
        let (install, photos) = (self.device.account.install_id, self.photos.clone());
        let offer = OfferRequest::sign(&self.key, PROTOCOL_MAX, install, commands, photos);
        Ok(self.device.profile.away(|| self.transport.offer(&offer))?)
    }

    /// The first of them that fit into one offer and follow one another.
    fn batch(&self, left: &[StoredCommand]) -> Vec<Envelope> {
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

    /// An offer was too large: what the next one leaves out. `false`: there is nothing to leave out.
    fn less(
        &mut self,
        left: &[StoredCommand],
        first: Option<i64>,
        sent: usize,
    ) -> Result<bool, DeviceError> {
        if sent > 1 {
            self.most = sent / 2;
            return Ok(true);
        }
        if !self.photos.is_empty() {
            match sent {
                0 => self.photos.truncate(self.photos.len() / 2),
                _ => self.photos_alone = true,
            }
            return Ok(true);
        }
        let mut left = left.iter();
        let Some(command) = left.find(|command| Some(command.envelope.seq) == first) else {
            return Ok(false);
        };
        self.too_large.insert(said(command.content()));
        self.most = COMMANDS;
        self.seal_anew(command.envelope.seq)?;
        Ok(true)
    }

    /// What an offer of `sent` of the `left` commands led to; `None`: there is more to offer.
    fn answered(
        &mut self,
        (left, sent): (usize, usize),
        answer: &OfferResponse,
    ) -> Result<Option<Offering>, DeviceError> {
        let reused = self.settle(answer)?;
        let elsewhere = answer.expected.is_some() || reused;
        self.places += usize::from(elsewhere);
        if self.places > MOST_PLACES {
            return Ok(Some(Offering::Failed(Failure::ServerError)));
        }
        if let Some(expected) = answer.expected {
            // A server restored from a backup lacks what had receipts.
            if !self.unsettle_from(expected)? {
                self.seal_anew(expected)?;
            }
            return Ok(None);
        }
        if answer.full {
            return Ok(Some(Offering::Done));
        }
        if reused {
            self.seal_anew(answer.last.saturating_add(1))?;
            return Ok(None);
        }
        let after = unsent(self.device)?.len();
        if after == 0 {
            return Ok(Some(Offering::Done));
        }
        // An answer that settles nothing is no reason to let go of anything.
        let stands_still = sent > 0 && after >= left;
        Ok(stands_still.then_some(Offering::Failed(Failure::ServerError)))
    }

    /// Keeps the receipts: what was handed over is known after a crash too. Whether another command has a place of
    /// this device's.
    fn settle(&mut self, answer: &OfferResponse) -> Result<bool, DeviceError> {
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
                PushResult::IdReused { .. } => reused = true,
            }
        }
        self.device.store.apply(&ops)?;
        Ok(reused)
    }

    /// Takes back the receipts from `expected` on. Whether that helps: the command is here, and had one.
    fn unsettle_from(&mut self, expected: i64) -> Result<bool, DeviceError> {
        let state = self.device.store.load()?;
        let had = |seq: &i64| state.commands.get(seq).is_some_and(|c| c.receipt.is_some());
        if !had(&expected) {
            return Ok(false);
        }
        let again = state.commands.range(expected..);
        let again = again.filter(|(_, command)| command.receipt.is_some());
        let ops: Vec<StoreOp> = again
            .map(|(seq, _)| StoreOp::SettleCommand {
                seq: *seq,
                receipt: None,
                awaiting_pull: false,
            })
            .collect();
        self.device.store.apply(&ops)?;
        Ok(true)
    }

    /// A command that was set aside for its size while the device was in good standing is offered like any other: its
    /// placeholder tells nobody what it says.
    fn take_out_of_placeholders(&mut self) -> Result<(), DeviceError> {
        let state = self.device.store.load()?;
        if !state.commands.values().any(StoredCommand::is_replaced) {
            return Ok(());
        }
        let mut unsent = state.commands.values().filter(|c| c.is_unsent());
        let end = state.highest_seq().max(0).saturating_add(1);
        let from = unsent.next().map_or(end, |command| command.envelope.seq);
        self.seal_from(&state, from)
    }

    /// What is left, sealed anew from a place that the server has free.
    fn seal_anew(&mut self, from: i64) -> Result<(), DeviceError> {
        let state = self.device.store.load()?;
        self.seal_from(&state, from)
    }

    fn seal_from(&mut self, state: &State, from: i64) -> Result<(), DeviceError> {
        let own = (self.device.account.install_id, &self.key);
        let goes_last = |envelope: &Envelope| self.too_large.contains(&said(envelope));
        let ops = sealed_to_offer(state, own, from, goes_last);
        Ok(self.device.store.apply(&ops)?)
    }
}

/// What a command says, wherever it stands in its chain.
fn said(envelope: &Envelope) -> Digest {
    Digest::sha256(&envelope.payload.0)
}
