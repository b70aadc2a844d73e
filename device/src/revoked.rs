//! What a revoked device does at its next contact: it drops the replica, offers the server what it
//! has not sent, wipes itself and says what became of it.
//!
//! The queue goes only when the server has it, or has said that it takes nothing of it. A server
//! that cannot be reached, or answers otherwise, leaves it where it is: the next contact goes on.

use hazardloop_domain::hash::Digest;
use hazardloop_sync_protocol::device::{Failure, NextOffer, OfferEnd, Offering};
use hazardloop_sync_protocol::wire::{
    OFFERED_PHOTOS, OfferRequest, Outcome, PROTOCOL_MAX, QuarantineReason, Receipt,
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
        OfferEnd::Failed(failure) => {
            let waiting = unsent(device)?;
            return Ok(Ended::Kept(waiting, failure));
        }
        OfferEnd::Done => Cause::Revoked,
        OfferEnd::Refused => Cause::RevokedRefused,
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
        commands_lost: unsent(device)? + aside.filter(|c| !c.is_unsent()).count(),
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

/// How many commands have no receipt.
fn unsent(device: &mut Device) -> Result<usize, DeviceError> {
    let state = device.store.load()?;
    Ok(state.commands.values().filter(|c| c.is_unsent()).count())
}

fn offer_all(
    device: &mut Device,
    transport: &Transport,
    photos: &[Digest],
) -> Result<OfferEnd, DeviceError> {
    let install = device.account.install_id;
    let key = device.profile.key(install, &device.key)?;
    let named: Vec<Digest> = photos.iter().copied().take(OFFERED_PHOTOS).collect();
    let mut offering = Offering::default();
    loop {
        let state = device.store.load()?;
        let commands = match offering.next(&state) {
            NextOffer::Commands(commands) => commands,
            NextOffer::Ended(end) => return Ok(end),
        };
        let offer = OfferRequest::sign(&key, PROTOCOL_MAX, install, commands, named.clone());
        let answer = device.profile.away(|| transport.offer(&offer))?;
        let ops = offering.handle_answer(&state, answer);
        device.store.apply(&ops)?;
    }
}
