//! What a revoked device does at its next contact: it drops the replica, offers the server what it
//! has not sent, wipes itself and says what became of it.
//!
//! The queue goes only when the server has it, or has said that it takes nothing of it. A server
//! that cannot be reached, or answers otherwise, leaves it where it is: the next contact goes on.

use std::collections::BTreeSet;

use hazardloop_domain::hash::Digest;
use hazardloop_sync_protocol::device::{Failure, StoreOp};
use hazardloop_sync_protocol::wire::{
    Envelope, OFFERED_PHOTOS, OfferRequest, OfferResponse, Outcome, PROTOCOL_MAX, PushResult,
    QuarantineReason, Receipt,
};

use crate::ambient::Ambient;
use crate::driver::{Device, DeviceError};
use crate::key_store::KeyStore;
use crate::transport::Transport;
use crate::wipe::{Cause, Wiped, wipe};

/// Commands that go in one offer.
const COMMANDS: usize = 100;
/// Bytes of payload that go in one offer, beside the first command.
const BYTES: usize = 256 * 1024;
/// Most offers of one run; what is left then is offered at the next contact.
const MOST_OFFERS: usize = 10_000;

/// How a contact with the server ended for a revoked device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ended {
    /// It is wiped.
    Wiped(Wiped),
    /// What it has not sent is still here: so many commands, and why.
    Kept(usize, Failure),
}

/// What is known of the commands that had no receipt.
enum Offering {
    /// All that could be is handed over.
    Done,
    /// The server takes nothing.
    Refused,
    /// Not now.
    Failed(Failure),
}

/// Offers and wipes.
///
/// # Errors
/// [`DeviceError`] when the device's own disk fails; the next contact goes on.
pub fn conclude(
    device: &mut Device,
    ambient: &Ambient,
    transport: &Transport,
    keys: &dyn KeyStore,
) -> Result<Ended, DeviceError> {
    // The server has all of it, and its owner is to see it no more.
    device.store.drop_replica()?;
    let photos: Vec<Digest> = {
        let state = device.engine.state();
        let awaited = state.photos.values();
        let awaited = awaited.filter(|photo| device.engine.photo_is_awaited(photo));
        awaited.map(|photo| photo.sha256).collect()
    };
    let cause = match offer_all(device, transport, &photos)? {
        Offering::Failed(failure) => {
            let waiting = unsent(device)?.len();
            return Ok(Ended::Kept(waiting, failure));
        }
        Offering::Done => Cause::Revoked,
        Offering::Refused => Cause::RevokedRefused,
    };
    let state = device.store.load()?;
    let is_kept = |receipt: &Receipt| {
        matches!(
            receipt.outcome,
            Outcome::Quarantined {
                reason: QuarantineReason::OfferedAfterRevocation,
                ..
            }
        )
    };
    let receipts = state.commands.values();
    let receipts = receipts.filter_map(|command| command.receipt.as_ref());
    let aside = state.commands.values().filter(|c| c.oversize.is_some());
    let note = Wiped {
        cause,
        at: ambient.clock.now(),
        handed_over: receipts.filter(|receipt| is_kept(receipt)).count(),
        commands_lost: unsent(device)?.len() + aside.filter(|c| !c.is_unsent()).count(),
        photos_lost: photos.len(),
    };
    wipe(&device.profile, keys, &note)?;
    Ok(Ended::Wiped(note))
}

/// Whether the server says that this device was revoked, to an offer of nothing: the key that it enrolled with is good
/// for that when all its tokens have expired.
///
/// # Errors
/// [`DeviceError`] when the device's own disk fails.
pub(crate) fn is_revoked(device: &Device, transport: &Transport) -> Result<bool, DeviceError> {
    let install = device.account.install_id;
    let key = device.profile.key(install, &device.key)?;
    let offer = OfferRequest::sign(&key, PROTOCOL_MAX, install, Vec::new(), Vec::new());
    let answer = device.profile.away(|| transport.offer(&offer))?;
    Ok(matches!(answer, Ok(_) | Err(Failure::Revoked)))
}

/// Commands without receipt, in order.
fn unsent(device: &mut Device) -> Result<Vec<Envelope>, DeviceError> {
    let state = device.store.load()?;
    let commands = state.commands.values().filter(|c| c.is_unsent());
    Ok(commands.map(|c| c.envelope.clone()).collect())
}

/// The first of them that fit into one offer.
fn batch(commands: &[Envelope], most: usize) -> Vec<Envelope> {
    let (mut taken, mut bytes) = (Vec::new(), 0_usize);
    for command in commands.iter().take(most) {
        bytes = bytes.saturating_add(command.payload.0.len());
        if !taken.is_empty() && bytes > BYTES {
            break;
        }
        taken.push(command.clone());
    }
    taken
}

fn offer_all(
    device: &mut Device,
    transport: &Transport,
    photos: &[Digest],
) -> Result<Offering, DeviceError> {
    let key = device.profile.key(device.account.install_id, &device.key)?;
    let named: Vec<Digest> = photos.iter().copied().take(OFFERED_PHOTOS).collect();
    let (mut most, mut hopeless) = (COMMANDS, BTreeSet::new());
    for _ in 0..MOST_OFFERS {
        let mut left = unsent(device)?;
        left.retain(|command| !hopeless.contains(&command.seq));
        let commands = batch(&left, most);
        let sent = commands.len();
        let install = device.account.install_id;
        let offer = OfferRequest::sign(&key, PROTOCOL_MAX, install, commands, named.clone());
        let answer = device.profile.away(|| transport.offer(&offer))?;
        let answer = match answer {
            Ok(answer) => answer,
            Err(Failure::Revoked) => return Ok(Offering::Refused),
            Err(Failure::PayloadTooLarge { ours: true }) if sent > 1 => {
                most = sent / 2;
                continue;
            }
            // One command that is too large, and nothing can follow it.
            Err(Failure::PayloadTooLarge { ours: true }) => return Ok(Offering::Done),
            Err(failure) => return Ok(Offering::Failed(failure)),
        };
        if sent == 0 {
            return Ok(Offering::Done);
        }
        let before = left.len();
        settle(device, &answer, &mut hopeless)?;
        if let Some(expected) = answer.expected {
            // A server restored from a backup lacks what had receipts.
            if !unsettle_from(device, expected)? {
                return Ok(Offering::Done);
            }
            continue;
        }
        let mut after = unsent(device)?;
        after.retain(|command| !hopeless.contains(&command.seq));
        if answer.full || after.is_empty() || after.len() >= before {
            return Ok(Offering::Done);
        }
    }
    Ok(Offering::Failed(Failure::ServerError))
}

/// Keeps the receipts: what was handed over is known after a crash too.
fn settle(
    device: &mut Device,
    answer: &OfferResponse,
    hopeless: &mut BTreeSet<i64>,
) -> Result<(), DeviceError> {
    let mut ops = Vec::new();
    for result in &answer.results {
        match result {
            PushResult::Receipt(receipt) => ops.push(StoreOp::SettleCommand {
                seq: receipt.seq,
                receipt: Some(receipt.clone()),
                awaiting_pull: false,
            }),
            PushResult::IdReused { seq } => {
                hopeless.insert(*seq);
            }
        }
    }
    Ok(device.store.apply(&ops)?)
}

/// Takes back the receipts from `expected` on. Whether that helps: the command is here, and had one.
fn unsettle_from(device: &mut Device, expected: i64) -> Result<bool, DeviceError> {
    let state = device.store.load()?;
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
    device.store.apply(&ops)?;
    Ok(true)
}
