//! What a revoked device does at its next contact: it drops the replica, offers the server what it
//! has not sent, wipes itself and says what became of it.
//!
//! The queue goes only when the server has it, or has said that it takes nothing of it. A server
//! that cannot be reached, or answers otherwise, leaves it where it is: the next contact goes on.
//! So does what is larger than the server takes, while all else is handed over: its author is told,
//! and it goes when the server takes it, takes nothing any more, or its author lets it go.

use hazardloop_domain::hash::Digest;
use hazardloop_sync_protocol::device::{Failure, NextOffer, OfferEnd, Offering, StoredCommand};
use hazardloop_sync_protocol::wire::{
    OFFERED_PHOTOS, OfferRequest, Outcome, PROTOCOL_MAX, QuarantineReason,
};

use crate::ambient::Ambient;
use crate::driver::{Device, DeviceError};
use crate::key_store::KeyStore;
use crate::transport::Transport;
use crate::wipe::{Cause, Wiped, wipe};

/// How a contact with the server ended for a revoked device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ended {
    /// It is wiped.
    Wiped(Wiped),
    /// What it has not sent is still here: so many commands, and why.
    Kept(usize, Failure),
    /// All else is handed over. These are each larger than the server takes, and nowhere else.
    TooLarge(Vec<StoredCommand>),
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
    let photos = photos_only_here(device);
    let install = device.account.install_id;
    let key = device.profile.key(install, &device.key)?;
    let mut offering = Offering::new(install, key, photos.clone());
    let ended = offer_all(device, transport, &mut offering)?;
    let in_this_run = offering.settled();
    let cause = match ended {
        OfferEnd::Failed(failure) => {
            let waiting = unsent(device)?.len();
            return Ok(Ended::Kept(waiting, failure));
        }
        OfferEnd::TooLarge => return Ok(Ended::TooLarge(unsent(device)?)),
        OfferEnd::Done => Cause::Revoked,
        OfferEnd::Refused => Cause::RevokedRefused,
    };
    let state = device.store.load()?;
    let is_kept = |command: &StoredCommand| {
        let receipt = command.receipt.as_ref();
        receipt.is_some_and(|receipt| {
            in_this_run.contains(&receipt.seq)
                || matches!(
                    receipt.outcome,
                    Outcome::Quarantined {
                        reason: QuarantineReason::OfferedAfterRevocation,
                        ..
                    }
                )
        })
    };
    let commands = state.commands.values();
    let handed_over = commands.filter(|command| is_kept(command)).count();
    let aside = state.commands.values().filter(|c| c.oversize.is_some());
    let note = Wiped {
        cause,
        at: ambient.clock.now(),
        handed_over,
        commands_lost: unsent(device)?.len() + aside.filter(|c| !c.is_unsent()).count(),
        photos_lost: photos.len(),
    };
    wipe(&device.profile, keys, &note)?;
    Ok(Ended::Wiped(note))
}

/// Each step is durable before the next offer.
fn offer_all(
    device: &mut Device,
    transport: &Transport,
    offering: &mut Offering,
) -> Result<OfferEnd, DeviceError> {
    let install = device.account.install_id;
    let key = device.profile.key(install, &device.key)?;
    loop {
        let state = device.store.load()?;
        let ops = match offering.next(&state) {
            NextOffer::Ended(end) => return Ok(end),
            NextOffer::Store(ops) => ops,
            NextOffer::Offer { commands, photos } => {
                let offer = OfferRequest::sign(&key, PROTOCOL_MAX, install, commands, photos);
                let answer = device.profile.away(|| transport.offer(&offer))?;
                // Somebody may have queued meanwhile.
                let state = device.store.load()?;
                offering.handle_answer(&state, answer)
            }
        };
        device.store.apply(&ops)?;
    }
}

/// Whether the server says that this device was revoked, to an offer of nothing: the key that it enrolled with is good
/// for that when all its tokens have expired. Photos are named already, since a server notes them with the first offer.
///
/// # Errors
/// [`DeviceError`] when the device's own disk fails.
pub(crate) fn is_revoked(device: &Device, transport: &Transport) -> Result<bool, DeviceError> {
    let install = device.account.install_id;
    let key = device.profile.key(install, &device.key)?;
    let mut photos = photos_only_here(device);
    photos.truncate(OFFERED_PHOTOS);
    let offer = OfferRequest::sign(&key, PROTOCOL_MAX, install, Vec::new(), photos);
    let answer = device.profile.away(|| transport.offer(&offer))?;
    Ok(matches!(answer, Ok(_) | Err(Failure::Revoked)))
}

/// Photos whose bytes are only on this device, or not known to be elsewhere.
fn photos_only_here(device: &Device) -> Vec<Digest> {
    let photos = device.engine.state().photos.values();
    let only_here = photos.filter(|photo| device.engine.photo_is_only_here(photo));
    only_here.map(|photo| photo.sha256).collect()
}

/// Commands without receipt, in order.
fn unsent(device: &mut Device) -> Result<Vec<StoredCommand>, DeviceError> {
    let state = device.store.load()?;
    let commands = state.commands.into_values();
    Ok(commands.filter(StoredCommand::is_unsent).collect())
}
