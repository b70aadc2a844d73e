//! Push: a batch of commands of one install, in one transaction, with a receipt for each.
//!
//! The whole batch is judged and decided on before anything of it is written, so a command that is
//! refused leaves nothing to undo, and a batch costs little more than one command.

use std::collections::BTreeSet;

use hazardloop_domain::access::{Actor, Role};
use hazardloop_domain::command::{Command, Origin, Subject, SubjectKind};
use hazardloop_domain::hazard::Outcome as Effect;
use hazardloop_domain::ids::{PersonId, SubjectId};
use hazardloop_domain::refusal::{Refusal, RefusalCode};
use hazardloop_domain::time::Timestamp;
use hazardloop_sync_protocol::hub::{Judgement, judge, required_predecessor};
use hazardloop_sync_protocol::wire::{
    Envelope, Opened, Outcome, PROTOCOL_MAX, PushRequest, PushResponse, PushResult,
    QuarantineReason, Receipt, RecordKind, Scope, WireLimits,
};

use super::co_sign::{self, Checked};
use super::execute::{Done, Door, Sender, WorkingSet};
use super::reach::scopes_of_grant;
use crate::app::App;
use crate::failure::Failure;
use crate::store::pushed::{self, Install, Kept};
use crate::store::{WriteTx, feed, hazards};

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
    check_bounds(&request.commands, &limits)?;
    let door = Door::new(app);
    let app = app.clone();
    app.clone()
        .db
        .write(move |tx| {
            let now = app.clock.now();
            let install = own_install(tx, &request, person_id)?;
            let mut batch = Batch {
                set: door.open(now),
                install,
                now,
                kept: Vec::new(),
            };
            let taken = batch.take(tx, &request.commands, &limits)?;
            let last = batch.install.stream.last_seq;
            batch.store(tx, taken.begun_at)?;
            let missing_photos = hazards::photos_missing_from(
                tx.conn(),
                person_id.as_bytes(),
                MISSING_PHOTOS_LISTED,
            )?;
            Ok(PushResponse {
                protocol: PROTOCOL_MAX,
                epoch: app.epoch.clone(),
                server_time: now,
                last,
                results: taken.results,
                expected: taken.expected,
                missing_photos,
            })
        })
        .await
}

pub(super) fn check_bounds(commands: &[Envelope], limits: &WireLimits) -> Result<(), Failure> {
    let too_large = |what, limit: usize| Failure::TooLarge {
        what,
        limit: limit as u64,
    };
    if commands.len() > limits.commands {
        return Err(too_large("the number of commands", limits.commands));
    }
    if commands
        .iter()
        .any(|envelope| envelope.payload.0.len() > limits.payload_bytes)
    {
        return Err(too_large("a command's payload", limits.payload_bytes));
    }
    let mut previous = None;
    for envelope in commands {
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
    set: WorkingSet<'a>,
    install: Install,
    now: Timestamp,
    /// Commands with their receipts, not yet written.
    kept: Vec<Kept>,
}

/// What became of a batch.
struct Taken {
    results: Vec<PushResult>,
    /// The sequence that should have come where the batch broke off.
    expected: Option<i64>,
    /// How far the stream was before.
    begun_at: i64,
}

impl Batch<'_> {
    fn take(
        &mut self,
        tx: &mut WriteTx<'_>,
        envelopes: &[Envelope],
        limits: &WireLimits,
    ) -> Result<Taken, Failure> {
        let mut taken = Taken {
            results: Vec::with_capacity(envelopes.len()),
            expected: None,
            begun_at: self.install.stream.last_seq,
        };
        // What to do with a command follows from the stream alone, whatever becomes of the
        // commands before it. So all are judged first, and what they name is read at once.
        let mut stream = self.install.stream.clone();
        let mut judged = Vec::with_capacity(envelopes.len());
        for envelope in envelopes {
            let judgement = judge(&stream, envelope, limits);
            if let Judgement::Gap(expected) = judgement {
                taken.expected = Some(expected);
                break;
            }
            if !matches!(judgement, Judgement::Replay(_)) {
                stream.advance(envelope);
            }
            judged.push((envelope, judgement));
        }
        self.set.expect(tx.conn(), &subjects_of(&judged))?;
        for (envelope, judgement) in judged {
            let result = self.one(tx, envelope, judgement)?;
            taken.results.push(result);
        }
        Ok(taken)
    }

    /// One command: its result.
    fn one(
        &mut self,
        tx: &mut WriteTx<'_>,
        envelope: &Envelope,
        judgement: Judgement,
    ) -> Result<PushResult, Failure> {
        let (outcome, subject) = match judgement {
            Judgement::Replay(link) => {
                let install_id = self.install.stream.install_id;
                let stored = pushed::receipt(tx.conn(), install_id, envelope.seq)?;
                return Ok(match stored {
                    Some(stored) if stored.link_hash == link => PushResult::Receipt(stored.receipt),
                    _ => PushResult::IdReused { seq: envelope.seq },
                });
            }
            Judgement::Gap(expected) => {
                let what = format!("a gap before {expected} passed as judged");
                return Err(Failure::Internal(what));
            }
            Judgement::Quarantine(reason, detail) => {
                (Outcome::Quarantined { reason, detail }, None)
            }
            Judgement::Execute(read) => {
                let subject = read.command.subject_id;
                (self.execute(tx, envelope.seq, *read)?, Some(subject))
            }
        };
        let receipt = Receipt {
            seq: envelope.seq,
            received_at: self.now,
            outcome,
        };
        self.install.stream.advance(envelope);
        let link_hash = self.install.stream.last_hash;
        self.kept.push(Kept::new(
            &self.install,
            envelope,
            link_hash,
            subject,
            &receipt,
        ));
        Ok(PushResult::Receipt(receipt))
    }

    /// Writes effects, receipts and how far the stream has come.
    fn store(self, tx: &mut WriteTx<'_>, begun_at: i64) -> Result<(), Failure> {
        self.set.store(tx)?;
        pushed::keep_all(tx, self.kept)?;
        if self.install.stream.last_seq > begun_at {
            pushed::advance(tx, begun_at, &self.install.stream, self.now)?;
        }
        Ok(())
    }

    /// Lets the rules decide. Only a failure of the store itself ends the batch; everything else
    /// is an outcome.
    fn execute(
        &mut self,
        tx: &mut WriteTx<'_>,
        seq: i64,
        read: Opened,
    ) -> Result<Outcome, Failure> {
        let person_id = self.install.person_id;
        let checked = co_sign::check(
            tx.conn(),
            &mut self.set,
            person_id,
            &read.statement,
            &read.co_signatures,
        )?;
        let co_signers = match checked {
            Checked::Good(co_signers) => co_signers,
            Checked::NotGood(refusal) => return Ok(Outcome::Rejected { refusal }),
            Checked::KeyRevokedSince => {
                let detail = "co-signed by a key that was revoked since; a person must decide";
                return Ok(Outcome::Quarantined {
                    reason: QuarantineReason::CoSignerRevoked,
                    detail: detail.to_owned(),
                });
            }
        };
        let command = &read.command;
        let sender = Sender {
            person_id: Some(person_id),
            origin: Origin {
                install_id: Some(self.install.stream.install_id),
                seq: Some(seq),
                made: Some(read.made),
                co_signers,
            },
        };
        match self.set.decide(tx, command, &sender) {
            Ok(done) => Ok(took_effect(done)),
            Err(Failure::Refused(refusal)) => self.refused(tx, command, refusal, &sender.origin),
            Err(Failure::NotFound(_)) => {
                let refusal = Refusal::new(RefusalCode::NotFound, no_such(command));
                self.refused(tx, command, refusal, &sender.origin)
            }
            Err(failure) => Err(failure),
        }
    }

    fn refused(
        &mut self,
        tx: &mut WriteTx<'_>,
        command: &Command,
        refusal: Refusal,
        origin: &Origin,
    ) -> Result<Outcome, Failure> {
        let author = self.install.person_id;
        match refusal.code {
            RefusalCode::NotFound => {
                let predecessor = match required_predecessor(command) {
                    Some(subject) => self.failed_report(tx, subject)?,
                    None => None,
                };
                Ok(match predecessor {
                    Some(seq) => Outcome::BlockedBy { seq },
                    None => Outcome::Rejected { refusal },
                })
            }
            RefusalCode::NotAllowedInState => {
                let current = self.set.version(tx.conn(), command.subject())?;
                Ok(Outcome::Conflict {
                    current: current.unwrap_or(0),
                    fields: Vec::new(),
                    refusal: Some(refusal),
                })
            }
            RefusalCode::OutOfScope
            | RefusalCode::NotPermitted
            | RefusalCode::CertificateNeeded
                if self.was_entitled(tx, command, author, &times_of(origin))? =>
            {
                Ok(reassigned("author"))
            }
            RefusalCode::CoSignatureInvalid
                if self.co_signer_was_entitled(tx, command, &refusal, origin)? =>
            {
                Ok(reassigned("co-signer"))
            }
            // Whether something exists is not for those to know who hold no role over it.
            RefusalCode::OutOfScope if required_predecessor(command).is_some() => {
                let refusal = Refusal::new(RefusalCode::NotFound, no_such(command));
                Ok(Outcome::Rejected { refusal })
            }
            _ => Ok(Outcome::Rejected { refusal }),
        }
    }

    /// The earliest report of this hazard by this install that did not take effect.
    fn failed_report(
        &self,
        tx: &mut WriteTx<'_>,
        subject: SubjectId,
    ) -> Result<Option<i64>, Failure> {
        let install_id = self.install.stream.install_id;
        let earlier = pushed::failed_report(tx.conn(), install_id, subject)?;
        let mut in_this_batch = self.kept.iter();
        Ok(earlier.or_else(|| {
            let failed = in_this_batch.find(|kept| kept.is_failed_report_of(subject));
            failed.map(Kept::seq)
        }))
    }

    /// Whether the co-signer at fault was responsible here when they signed. Their signature is good, or it
    /// would have been refused before; a refusal that names none of them is about something else.
    fn co_signer_was_entitled(
        &mut self,
        tx: &mut WriteTx<'_>,
        command: &Command,
        refusal: &Refusal,
        origin: &Origin,
    ) -> Result<bool, Failure> {
        let field = refusal.field.as_deref().unwrap_or_default();
        let index = field
            .strip_prefix("co_signatures[")
            .and_then(|rest| rest.strip_suffix(']'));
        let index = index.and_then(|index| index.parse::<usize>().ok());
        let Some(by) = index.and_then(|index| origin.co_signers.get(index)) else {
            return Ok(false);
        };
        let mut times = times_of(origin);
        times.push(by.signed_at);
        self.was_entitled(tx, command, by.person_id, &times)
    }

    /// Whether this person was responsible for this hazard once: by a role that has ended since, or
    /// in a scope that the hazard has left since; by then or at one of these times.
    fn was_entitled(
        &mut self,
        tx: &mut WriteTx<'_>,
        command: &Command,
        person_id: PersonId,
        times: &[Timestamp],
    ) -> Result<bool, Failure> {
        let grants = self.set.grants(tx.conn(), person_id)?.to_vec();
        let scopes: Vec<Scope> = grants.iter().flat_map(scopes_of_grant).collect();
        let id = &command.subject_id.0;
        let kind = match command.subject() {
            Subject::Hazard(_) => RecordKind::Hazard,
            Subject::Inspection(_) => RecordKind::Inspection,
        };
        // Also by a command of this very batch, which is not written yet.
        if self.set.has_left(tx.conn(), command.subject(), &scopes)?
            || feed::was_removed_from(tx.conn(), &scopes, kind, id)?
        {
            return Ok(true);
        }
        let Some(place) = self.set.place_of(tx.conn(), command.subject())? else {
            return Ok(false);
        };
        // The roles and the certificate that they had, against those that they have.
        let now = Actor::over(person_id, &grants, &place, self.now);
        Ok(times.iter().any(|then| {
            let then = Actor::over(person_id, &grants, &place, (*then).min(self.now));
            let mut roles = Role::ALL.into_iter();
            roles.any(|role| then.is_any_of(&[role]) && !now.is_any_of(&[role]))
                || (then.is_certified() && !now.is_certified())
        }))
    }
}

/// What the commands to be decided on name, each once.
fn subjects_of(judged: &[(&Envelope, Judgement)]) -> Vec<Subject> {
    let named: BTreeSet<Subject> = judged
        .iter()
        .filter_map(|(_, judgement)| match judgement {
            Judgement::Execute(read) => Some(read.command.subject()),
            _ => None,
        })
        .collect();
    named.into_iter().collect()
}

/// When a command was made: the time of its device's last contact, which is the server's own, and the time that
/// the device claims. Its clock may be wrong either way.
fn times_of(origin: &Origin) -> Vec<Timestamp> {
    let made = origin.made.iter();
    let times = made.flat_map(|made| [Some(made.made_at()), made.server_anchor]);
    times.flatten().collect()
}

fn reassigned(whose: &str) -> Outcome {
    let detail = format!("made while its {whose} was responsible here; a person must decide");
    Outcome::Quarantined {
        reason: QuarantineReason::Reassigned,
        detail,
    }
}

const fn no_such(command: &Command) -> &'static str {
    match command.action.kind().subject() {
        SubjectKind::Hazard => "there is no such hazard",
        SubjectKind::Inspection => "there is no such inspection",
    }
}

fn took_effect(done: Done) -> Outcome {
    let version = done.record.version();
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
