//! What a revoked device had not sent, kept for a person to settle. None of it is carried out.
//!
//! A revoked device's tokens open nothing. Its enrolment key opens this one door, for a stated
//! time and a stated number of commands, unless the device was lost or stolen: then whoever holds
//! it may have made what it offers. What is kept waits as any command in quarantine does
//! ([`super::quarantined`]), and the device's history says that it was offered, and which photos
//! were lost with it.

use hazardloop_domain::ids::PersonId;
use hazardloop_domain::time::Timestamp;
use hazardloop_sync_protocol::hub::{Push, PushStep, check_commands};
use hazardloop_sync_protocol::wire::{
    Envelope, OFFERED_PHOTOS, OfferRequest, OfferResponse, PROTOCOL_MAX, PushResponse,
    SIGNED_BY_RUN, WireLimits,
};

use super::people::{Occurrence, wake_audit};
use super::time_proof;
use crate::app::App;
use crate::failure::{Failure, Unauthenticated};
use crate::store::pushed;
use crate::store::receipts::receipts;
use crate::store::{Conn, StoreError, WriteTx, installs};

/// Milliseconds of a day.
const DAY_MS: i64 = 86_400_000;

/// Takes the offer of a revoked device.
///
/// # Errors
/// [`Failure::Unauthenticated`] for an unknown device as for a signature that is not its own;
/// [`Failure::Conflict`] when it is not revoked; [`Failure::DeviceRevoked`] when nothing of it is
/// taken; [`Failure::RateLimited`]; and as a push, when the offer as a whole cannot be taken.
pub async fn offer(app: &App, request: OfferRequest) -> Result<OfferResponse, Failure> {
    let limits = app.settings.wire_limits();
    check_commands(&request.commands, &limits)?;
    if request.photos.len() > OFFERED_PHOTOS {
        return Err(Failure::TooLarge {
            what: "the number of photos",
            limit: OFFERED_PHOTOS as u64,
        });
    }
    let id = request.install_id;
    // Whoever holds nothing does not get as far as the writer.
    let known = app
        .db
        .read(move |tx| pushed::install(tx.conn(), id).map_err(Failure::from))
        .await?;
    let signed = known.filter(|known| request.is_signed_by(&known.stream.public_key));
    let owner = signed.ok_or(Failure::Unauthenticated(Unauthenticated::Invalid))?;
    let limited = |retry_after_s| Failure::RateLimited { retry_after_s };
    let people = &app.sign_in.people;
    people.count(&owner.person_id).map_err(limited)?;
    let app = app.clone();
    app.clone()
        .db
        .write(move |tx| take(&app, tx, &request, &limits))
        .await
}

/// When a device was revoked, if it may still offer.
fn revoked_at(
    app: &App,
    conn: &mut Conn,
    request: &OfferRequest,
    now: Timestamp,
) -> Result<Timestamp, Failure> {
    let device = installs::by_id(conn, request.install_id)?.ok_or(StoreError::Missing)?;
    let Some(revoked_at) = device.revoked_at else {
        let why = "this device is not revoked: it pushes";
        return Err(Failure::Conflict(why.to_owned()));
    };
    let days = app.settings.sync.offer_days;
    let until = revoked_at.plus_millis(days.saturating_mul(DAY_MS));
    match device.stolen || now >= until {
        true => Err(Failure::DeviceRevoked),
        false => Ok(revoked_at),
    }
}

fn take(
    app: &App,
    tx: &mut WriteTx<'_>,
    request: &OfferRequest,
    limits: &WireLimits,
) -> Result<OfferResponse, Failure> {
    let now = app.clock.now();
    let since = revoked_at(app, tx.conn(), request, now)?;
    let install = pushed::install(tx.conn(), request.install_id)?.ok_or(StoreError::Missing)?;
    let begun_at = install.stream.last_seq;
    let kept = pushed::count_since(tx.conn(), request.install_id, since)?;
    let most = app.settings.sync.offered_commands;
    let room = most.saturating_sub(usize::try_from(kept).unwrap_or(usize::MAX));
    // Those that were kept before get their receipts again; of new ones, as many as there is room for.
    let commands = request.commands.as_slice();
    let known = commands.partition_point(|envelope| envelope.seq <= begun_at);
    let mut end = known.saturating_add(room).min(commands.len());
    // One signature stands for a run of commands: without its end the others would be nobody's.
    while end > known && commands.len() > end && is_signed_by_run(commands, end - 1) {
        end += 1;
    }
    let (taken, left) = commands.split_at(end);
    let (stream, author) = (install.stream.clone(), install.person_id);
    let mut push = Push::begin_offered(stream, author, taken, limits, now);
    loop {
        match push.step() {
            PushStep::Receipts { first, last } => {
                let stored = receipts(tx.conn(), request.install_id, (first, last), taken)?;
                push.handle_receipts(stored)?;
            }
            PushStep::Store(writes) => {
                time_proof::keep_commands(app, tx, &install, &writes)?;
                if writes.advances() {
                    pushed::advance_revoked(tx, begun_at, writes.stream)?;
                    // What was seen of it before is proof of what it offers, whoever judges that.
                    time_proof::after_push(app, tx, &install, &writes, now)?;
                }
                push.handle_stored()?;
            }
            PushStep::Done => break,
            step => {
                let what = format!("an offer is decided on: {step:?}");
                return Err(Failure::Internal(what));
            }
        }
    }
    let PushResponse {
        last,
        results,
        expected,
        ..
    } = push.response(app.epoch.clone(), Vec::new());
    record(app, tx, request, (author, begun_at, last, now))?;
    Ok(OfferResponse {
        protocol: PROTOCOL_MAX,
        server_time: now,
        last,
        results,
        full: expected.is_none() && !left.is_empty(),
        expected,
    })
}

fn is_signed_by_run(commands: &[Envelope], at: usize) -> bool {
    let command = commands.get(at);
    command.is_some_and(|command| command.signature_algorithm == SIGNED_BY_RUN)
}

/// Says in the device's history what was offered, and the first time which photos are lost.
fn record(
    app: &App,
    tx: &mut WriteTx<'_>,
    request: &OfferRequest,
    (author, begun_at, last, now): (PersonId, i64, i64, Timestamp),
) -> Result<(), Failure> {
    let id = request.install_id;
    let first = installs::offered(tx, id, now)?;
    let mut happened = Vec::new();
    if last > begun_at {
        let (from, to) = (begun_at.saturating_add(1).to_string(), last.to_string());
        happened.push(("commands_offered", vec![("from_seq", from), ("to_seq", to)]));
    }
    if first {
        for photo in &request.photos {
            happened.push((
                "photo_lost_with_device",
                vec![("sha256", photo.to_string())],
            ));
        }
    }
    if happened.is_empty() {
        return Ok(());
    }
    for (kind, fields) in &happened {
        let fields: Vec<(&str, &str)> = fields
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        let occurrence = Occurrence {
            subject: ("device", &id.0),
            kind,
            actor: Some(author),
            fields: &fields,
        };
        occurrence.record(tx, now)?;
    }
    wake_audit(tx, app);
    Ok(())
}

#[cfg(test)]
#[path = "offers_tests.rs"]
mod tests;
