//! What a revoked device had not sent, kept for a person to settle. None of it is carried out.
//!
//! A revoked device's tokens open nothing. Its enrolment key opens this one door, for a stated
//! time and a stated number of commands, unless the device was lost or stolen: then whoever holds
//! it may have made what it offers. What is kept waits as any command in quarantine does
//! ([`super::quarantined`]), and the device's history says that it was offered, and which photos
//! were lost with it.

use hazardloop_domain::ids::{PersonId, SubjectId};
use hazardloop_domain::time::Timestamp;
use hazardloop_sync_protocol::hub::{self, Judgement, check_commands, judge, required_predecessor};
use hazardloop_sync_protocol::wire::{
    Envelope, OFFERED_PHOTOS, OfferRequest, OfferResponse, Outcome, PROTOCOL_MAX, PushResult,
    QuarantineReason, Receipt, WireLimits,
};

use super::people::{Occurrence, wake_audit};
use crate::app::App;
use crate::failure::{Failure, Unauthenticated};
use crate::store::pushed::{self, Install, Kept};
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
    let mut taking = Taking {
        install,
        now,
        room: most.saturating_sub(usize::try_from(kept).unwrap_or(usize::MAX)),
        kept: Vec::new(),
        results: Vec::with_capacity(request.commands.len()),
        expected: None,
        full: false,
    };
    for envelope in &request.commands {
        if !taking.one(tx, envelope, limits)? {
            break;
        }
    }
    let Taking {
        install,
        kept,
        results,
        expected,
        full,
        ..
    } = taking;
    pushed::keep_all(tx, kept)?;
    let last = install.stream.last_seq;
    if last > begun_at {
        pushed::advance_revoked(tx, begun_at, &install.stream)?;
    }
    record(app, tx, request, (&install, begun_at, now))?;
    Ok(OfferResponse {
        protocol: PROTOCOL_MAX,
        server_time: now,
        last,
        results,
        expected,
        full,
    })
}

struct Taking {
    install: Install,
    now: Timestamp,
    /// How many more are kept of this device.
    room: usize,
    kept: Vec<Kept>,
    results: Vec<PushResult>,
    expected: Option<i64>,
    full: bool,
}

impl Taking {
    /// Whether the next one follows.
    fn one(
        &mut self,
        tx: &mut WriteTx<'_>,
        envelope: &Envelope,
        limits: &WireLimits,
    ) -> Result<bool, Failure> {
        let id = self.install.stream.install_id;
        let (reason, detail, subject) = match judge(&self.install.stream, envelope, limits) {
            Judgement::Replay(link) => {
                let stored = pushed::receipts(tx.conn(), id, envelope.seq, envelope.seq)?;
                self.results.push(match stored.into_iter().next() {
                    Some(stored) if stored.link_hash == link => PushResult::Receipt(stored.receipt),
                    _ => PushResult::IdReused { seq: envelope.seq },
                });
                return Ok(true);
            }
            Judgement::Gap(expected) => {
                self.expected = Some(expected);
                return Ok(false);
            }
            Judgement::Quarantine(reason, detail) => (reason, detail, None),
            Judgement::Execute(read) => {
                let begins = required_predecessor(&read.command).is_none();
                offered(read.command.subject_id, begins)
            }
            Judgement::GiveUp(read) => offered(read.subject_id, false),
        };
        if self.room == 0 {
            self.full = true;
            return Ok(false);
        }
        self.room = self.room.saturating_sub(1);
        let receipt = Receipt {
            seq: envelope.seq,
            received_at: self.now,
            outcome: Outcome::Quarantined { reason, detail },
        };
        self.install.stream.advance(envelope);
        let link = self.install.stream.last_hash;
        let kept = hub::Kept {
            envelope,
            link_hash: link,
            subject: subject.map(|(id, _)| id),
            begins: subject.is_some_and(|(_, begins)| begins),
            receipt: &receipt,
        };
        self.kept.push(Kept::new(&self.install, &kept));
        self.results.push(PushResult::Receipt(receipt));
        Ok(true)
    }
}

/// Of a command that could have been carried out: what it speaks of, and whether it begins that.
fn offered(
    subject_id: SubjectId,
    begins: bool,
) -> (QuarantineReason, String, Option<(SubjectId, bool)>) {
    let detail = "offered after its device was revoked; a person must decide".to_owned();
    let reason = QuarantineReason::OfferedAfterRevocation;
    (reason, detail, Some((subject_id, begins)))
}

/// Says in the device's history what was offered, and the first time which photos are lost.
fn record(
    app: &App,
    tx: &mut WriteTx<'_>,
    request: &OfferRequest,
    (install, begun_at, now): (&Install, i64, Timestamp),
) -> Result<(), Failure> {
    let (id, last) = (request.install_id, install.stream.last_seq);
    let first = installs::offered(tx, id, now)?;
    let person: PersonId = install.person_id;
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
            actor: Some(person),
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
