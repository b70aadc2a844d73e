//! Push: a batch of commands of one install, one transaction, a savepoint and a receipt each.

use hazardloop_domain::access::{Actor, GrantScope};
use hazardloop_domain::command::{Action, ClockReading, Command, Origin};
use hazardloop_domain::hazard::Outcome as Effect;
use hazardloop_domain::ids::{HazardId, PersonId};
use hazardloop_domain::refusal::{Refusal, RefusalCode};
use hazardloop_domain::time::Timestamp;
use hazardloop_sync_protocol::chain::link_hash;
use hazardloop_sync_protocol::hub::{Judgement, judge, required_predecessor};
use hazardloop_sync_protocol::wire::{
    Envelope, Outcome, PROTOCOL_MAX, PushRequest, PushResponse, PushResult, QuarantineReason,
    Receipt, RecordKind, Scope, WireLimits,
};

use super::execute::{Done, Door, Sender};
use crate::app::App;
use crate::failure::Failure;
use crate::store::pushed::{self, Install, Kept};
use crate::store::{WriteTx, access, feed, hazards};

/// Photos that one answer may list as missing.
pub const MISSING_PHOTOS_LISTED: i64 = 200;

/// Takes a push by `person_id`.
///
/// # Errors
/// [`Failure`] when the batch as a whole cannot be taken; a bad command inside never is a reason.
pub async fn push(
    app: &App,
    person_id: PersonId,
    request: PushRequest,
) -> Result<PushResponse, Failure> {
    let limits = app.settings.wire_limits();
    check_bounds(&request, &limits)?;
    let door = Door::new(app);
    let app = app.clone();
    app.clone()
        .db
        .write(move |tx| {
            let now = app.clock.now();
            let install = own_install(tx, &request, person_id)?;
            let mut batch = Batch {
                door: &door,
                limits: &limits,
                install,
                now,
            };
            let (results, expected) = batch.take(tx, &request.commands)?;
            let missing_photos = hazards::photos_missing_from(
                tx.conn(),
                person_id.as_bytes(),
                MISSING_PHOTOS_LISTED,
            )?;
            Ok(PushResponse {
                protocol: PROTOCOL_MAX,
                epoch: app.epoch.clone(),
                server_time: now,
                last: batch.install.stream.last_seq,
                results,
                expected,
                missing_photos,
            })
        })
        .await
}

fn check_bounds(request: &PushRequest, limits: &WireLimits) -> Result<(), Failure> {
    let too_large = |what, limit: usize| Failure::TooLarge {
        what,
        limit: limit as u64,
    };
    if request.commands.len() > limits.commands {
        return Err(too_large("the number of commands", limits.commands));
    }
    if request
        .commands
        .iter()
        .any(|envelope| envelope.payload.0.len() > limits.payload_bytes)
    {
        return Err(too_large("a command's payload", limits.payload_bytes));
    }
    let mut previous = None;
    for envelope in &request.commands {
        if envelope.seq < 1
            || previous.is_some_and(|seq: i64| seq.checked_add(1) != Some(envelope.seq))
        {
            return Err(Failure::invalid(
                "commands",
                "seq must ascend from 1 without gaps",
            ));
        }
        if envelope.kind.len() > 64 || envelope.signature.0.len() > 1024 {
            return Err(Failure::invalid(
                "commands",
                "an envelope's kind or signature is too long",
            ));
        }
        previous = Some(envelope.seq);
    }
    Ok(())
}

fn own_install(
    tx: &mut WriteTx<'_>,
    request: &PushRequest,
    person_id: PersonId,
) -> Result<Install, Failure> {
    let install = pushed::install(tx.conn(), request.install_id)?
        .filter(|install| install.person_id == person_id)
        .ok_or(Failure::NotFound("device"))?;
    if install.revoked {
        return Err(Failure::DeviceRevoked);
    }
    Ok(install)
}

struct Batch<'a> {
    door: &'a Door,
    limits: &'a WireLimits,
    install: Install,
    now: Timestamp,
}

impl Batch<'_> {
    fn take(
        &mut self,
        tx: &mut WriteTx<'_>,
        envelopes: &[Envelope],
    ) -> Result<(Vec<PushResult>, Option<i64>), Failure> {
        let before = self.install.stream.last_seq;
        let mut results = Vec::with_capacity(envelopes.len());
        let mut expected = None;
        for envelope in envelopes {
            match self.one(tx, envelope)? {
                Ok(result) => results.push(result),
                Err(gap) => {
                    expected = Some(gap);
                    break;
                }
            }
        }
        if self.install.stream.last_seq > before {
            pushed::advance(tx, before, &self.install.stream, self.now)?;
        }
        Ok((results, expected))
    }

    /// One command: its result, or the sequence that should have come.
    fn one(
        &mut self,
        tx: &mut WriteTx<'_>,
        envelope: &Envelope,
    ) -> Result<Result<PushResult, i64>, Failure> {
        let (outcome, subject) = match judge(&self.install.stream, envelope, self.limits) {
            Judgement::Gap(expected) => return Ok(Err(expected)),
            Judgement::Replay(link) => {
                let install_id = self.install.stream.install_id;
                let stored = pushed::receipt(tx.conn(), install_id, envelope.seq)?;
                return Ok(Ok(match stored {
                    Some(stored) if stored.link_hash == link => PushResult::Receipt(stored.receipt),
                    _ => PushResult::IdReused { seq: envelope.seq },
                }));
            }
            Judgement::Quarantine(reason, detail) => {
                (Outcome::Quarantined { reason, detail }, None)
            }
            Judgement::Execute(read) => {
                let (made, command) = *read;
                let subject = command.hazard_id;
                (
                    self.execute(tx, envelope.seq, made, &command)?,
                    Some(subject),
                )
            }
        };
        let receipt = Receipt {
            seq: envelope.seq,
            received_at: self.now,
            outcome,
        };
        self.keep(tx, envelope, subject, &receipt)?;
        self.install.stream.advance(envelope);
        Ok(Ok(PushResult::Receipt(receipt)))
    }

    fn keep(
        &self,
        tx: &mut WriteTx<'_>,
        envelope: &Envelope,
        subject: Option<HazardId>,
        receipt: &Receipt,
    ) -> Result<(), Failure> {
        let install_id = self.install.stream.install_id;
        let kept = Kept {
            install_id,
            person_id: self.install.person_id,
            envelope,
            link_hash: link_hash(install_id, envelope),
            subject,
            receipt,
        };
        Ok(pushed::keep(tx, kept)?)
    }

    /// Lets the rules decide in a savepoint of its own. Only a failure of the store itself ends
    /// the batch; everything else is an outcome.
    fn execute(
        &self,
        tx: &mut WriteTx<'_>,
        seq: i64,
        made: ClockReading,
        command: &Command,
    ) -> Result<Outcome, Failure> {
        let wall = made.wall;
        let sender = Sender {
            person_id: Some(self.install.person_id),
            origin: Origin {
                install_id: Some(self.install.stream.install_id),
                seq: Some(seq),
                made: Some(made),
            },
        };
        let done = tx.savepoint(|tx| self.door.execute(tx, command, &sender, self.now));
        match done {
            Ok(done) => Ok(took_effect(done)),
            Err(Failure::Refused(refusal)) => self.refused(tx, command, refusal, wall),
            Err(Failure::NotFound(_)) => {
                let refusal = Refusal::new(RefusalCode::NotFound, "there is no such hazard");
                self.refused(tx, command, refusal, wall)
            }
            Err(failure) => Err(failure),
        }
    }

    fn refused(
        &self,
        tx: &mut WriteTx<'_>,
        command: &Command,
        refusal: Refusal,
        made_at: Timestamp,
    ) -> Result<Outcome, Failure> {
        match refusal.code {
            RefusalCode::NotFound => {
                let install_id = self.install.stream.install_id;
                let predecessor = match required_predecessor(command) {
                    Some(subject) => pushed::failed_report(tx.conn(), install_id, subject)?,
                    None => None,
                };
                Ok(match predecessor {
                    Some(seq) => Outcome::BlockedBy { seq },
                    None => Outcome::Rejected { refusal },
                })
            }
            RefusalCode::NotAllowedInState => {
                let current = hazards::load(tx.conn(), command.hazard_id)?;
                Ok(Outcome::Conflict {
                    current: current.map_or(0, |loaded| loaded.hazard.version),
                    fields: Vec::new(),
                    refusal: Some(refusal),
                })
            }
            RefusalCode::OutOfScope | RefusalCode::NotPermitted
                if self.was_entitled(tx, command, made_at)? =>
            {
                let detail = "made while its author was responsible here; a person must decide";
                let reason = QuarantineReason::Reassigned;
                Ok(Outcome::Quarantined {
                    reason,
                    detail: detail.to_owned(),
                })
            }
            // Whether a hazard exists is not for those to know who hold no role over it.
            RefusalCode::OutOfScope if !matches!(command.action, Action::Report(_)) => {
                let refusal = Refusal::new(RefusalCode::NotFound, "there is no such hazard");
                Ok(Outcome::Rejected { refusal })
            }
            _ => Ok(Outcome::Rejected { refusal }),
        }
    }

    /// Whether the author was responsible for this hazard once: by a role that has ended since, or
    /// in a scope that the hazard has left since.
    fn was_entitled(
        &self,
        tx: &mut WriteTx<'_>,
        command: &Command,
        made_at: Timestamp,
    ) -> Result<bool, Failure> {
        let grants = access::grants_of(tx.conn(), self.install.person_id)?;
        let scopes: Vec<Scope> = grants
            .iter()
            .map(|grant| match grant.scope {
                GrantScope::Enterprise(id) => Scope::Enterprise(id),
                GrantScope::Jurisdiction(id) => Scope::Jurisdiction(id),
            })
            .collect();
        let id = &command.hazard_id.0;
        if feed::was_removed_from(tx.conn(), &scopes, RecordKind::Hazard, id)? {
            return Ok(true);
        }
        let Some(loaded) = hazards::load(tx.conn(), command.hazard_id)? else {
            return Ok(false);
        };
        let ancestors =
            super::execute::lineage(tx.conn(), loaded.hazard.jurisdiction_id)?.ancestors;
        let place = loaded.hazard.place(ancestors);
        let person_id = self.install.person_id;
        Ok(
            !Actor::over(person_id, &grants, &place, made_at.min(self.now)).is_outside()
                && Actor::over(person_id, &grants, &place, self.now).is_outside(),
        )
    }
}

fn took_effect(done: Done) -> Outcome {
    let version = done.hazard.version;
    match done.outcome {
        Effect::Applied => Outcome::Applied { version },
        Effect::Merged => Outcome::Merged { version },
        Effect::Disputed(fields) => Outcome::Conflict {
            current: version,
            fields,
            refusal: None,
        },
    }
}
