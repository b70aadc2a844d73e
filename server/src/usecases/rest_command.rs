//! A command over REST: guarded by If-Match, repeatable by its id.

use hazardloop_domain::command::{Action, Command, Origin, Subject, SubjectKind};
use hazardloop_domain::command_fate::{ChoiceKind, SentCommand};
use hazardloop_domain::hash::Digest;
use hazardloop_domain::hazard::Outcome;
use hazardloop_domain::ids::{CommandId, PersonId, SubjectId};
use hazardloop_domain::refusal::{Refusal, RefusalCode};
use hazardloop_domain::time::Timestamp;
use hazardloop_sync_protocol::cosign::Statement;
use hazardloop_sync_protocol::cosign_faults::Fault;
use hazardloop_sync_protocol::wire::CoSignature;
use serde::{Deserialize, Serialize};

use super::co_sign::{self, Checked};
use super::command_fates;
use super::execute::{Done, Door, Record, Sender, WorkingSet};
use super::read;
use crate::app::App;
use crate::failure::Failure;
use crate::store::{Conn, WriteTx, rest_commands};

/// A command as REST sends it.
#[derive(Clone, Debug)]
pub struct Sent {
    /// Made by the client; the same id is the same command.
    pub command_id: CommandId,
    /// Who.
    pub person_id: PersonId,
    /// On what.
    pub subject_id: SubjectId,
    /// What.
    pub action: Action,
    /// Signatures of others over the same act.
    pub co_signatures: Vec<CoSignature>,
    /// The version the sender saw, if it insists on it.
    pub if_match: Option<i64>,
    /// A command of the sender's own devices that took no effect, in whose place this one goes.
    pub instead_of: Option<SentCommand>,
}

/// How a command over REST ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// `applied`, `merged` or `disputed`.
    pub outcome: String,
    /// Fields with two values.
    pub disputed: Vec<hazardloop_domain::hazard::FieldName>,
    /// The subject's version after the command.
    pub version: i64,
}

/// What the caller gets: the first answer, the hazard as it is now, and whether this was a repeat.
#[derive(Clone, Debug)]
pub struct Answered {
    /// The first answer.
    pub answer: Answer,
    /// The subject now.
    pub record: Record,
    /// The command had been taken before.
    pub repeated: bool,
}

/// Takes a command.
///
/// # Errors
/// [`Failure`]; a refused command leaves nothing behind and may be sent again under the same id.
/// [`Failure::NotFound`] and [`Failure::Conflict`] also of the command in whose place it goes: none of the
/// sender's, or one that waits for nothing.
pub async fn take(app: &App, sent: Sent) -> Result<Answered, Failure> {
    let request_hash = hash_of(&sent);
    let door = Door::new(app);
    let app = app.clone();
    app.clone()
        .db
        .write(move |tx| {
            let now = app.clock.now();
            if let Some(stored) = rest_commands::find(tx.conn(), sent.command_id)? {
                if stored.request_hash != request_hash.as_bytes() {
                    return Err(Failure::IdReused);
                }
                // Whoever lost the hazard since then does not see it again by asking twice.
                let record = seen_now(tx.conn(), &sent, now)?;
                let answer = serde_json::from_str(&stored.answer)
                    .map_err(|error| Failure::Internal(format!("a stored answer: {error}")))?;
                return Ok(Answered {
                    answer,
                    record,
                    repeated: true,
                });
            }
            let command = Command::new(sent.subject_id, sent.action.clone());
            let replaced = sent
                .instead_of
                .map(|about| command_fates::open(tx.conn(), sent.person_id, about))
                .transpose()?;
            let mut set = door.open(now);
            let signed = (&Statement::of(&command), sent.co_signatures.as_slice());
            let done = decide_as(tx, &mut set, sent.person_id, &command, signed)?;
            // After the rules, and on the version that they decided on: who may not see a hazard
            // may not learn its version, and who was not first does not pass for it.
            if let (Some(wanted), Some(current)) = (sent.if_match, done.decided_on)
                && wanted != current
            {
                return Err(Failure::PreconditionFailed { current });
            }
            if replaced.is_some() {
                command_fates::require_undisputed(&done.outcome)?;
            }
            set.store(tx)?;
            if let Some(replaced) = replaced {
                let how = (ChoiceKind::Amended, None);
                command_fates::chosen_on_a_page(&app, tx, sent.person_id, &replaced, how, now)?;
            }
            let answer = answer_of(&done.outcome, done.record.version());
            let text = serde_json::to_string(&answer)
                .map_err(|error| Failure::Internal(format!("an answer: {error}")))?;
            let kept = rest_commands::Kept {
                command_id: sent.command_id,
                person_id: sent.person_id,
                request_hash,
                subject: sent.subject_id,
                received_at: now,
                answer: &text,
            };
            rest_commands::keep(tx, kept)?;
            Ok(Answered {
                answer,
                record: done.record,
                repeated: false,
            })
        })
        .await
}

/// What makes a repeat of a request the same request.
fn hash_of(sent: &Sent) -> Digest {
    let fields = sent.action.encode_fields();
    let signed = minicbor::to_vec(&sent.co_signatures).unwrap_or_default();
    let place = sent
        .instead_of
        .and_then(|about| minicbor::to_vec(about).ok());
    let mut parts: Vec<&[u8]> = vec![
        sent.person_id.as_bytes(),
        sent.subject_id.as_bytes(),
        sent.action.kind().as_str().as_bytes(),
        &fields,
    ];
    if !sent.co_signatures.is_empty() {
        parts.push(&signed);
    }
    parts.extend(place.as_deref());
    Digest::sha256_of_parts(&parts)
}

/// Lets the rules decide on what somebody does on a page, once the co-signatures were found good; nothing is written.
///
/// # Errors
/// As [`take`].
pub(super) fn decide_as(
    tx: &mut WriteTx<'_>,
    set: &mut WorkingSet<'_>,
    person_id: PersonId,
    command: &Command,
    (statement, signed): (&Statement, &[CoSignature]),
) -> Result<Done, Failure> {
    let co_signers = match co_sign::check(tx.conn(), set, person_id, statement, signed)? {
        Checked::Good(co_signers) => co_signers,
        Checked::NotGood(refusal) => return Err(refusal.into()),
        // Nothing is kept of what comes over REST, so there is nothing for a person to settle.
        Checked::KeyRevokedSince => return Err(Fault::Revoked.refusal(None).into()),
    };
    let sender = Sender {
        person_id: Some(person_id),
        origin: Origin {
            co_signers,
            ..Origin::DIRECT
        },
        made_at: None,
        heard_at: None,
    };
    set.decide(tx, command, &sender)
        .map_err(|failure| hide_from_outsiders(command, failure))
}

/// The subject of a command that was taken before, as its sender may see it now.
fn seen_now(conn: &mut Conn, sent: &Sent, now: Timestamp) -> Result<Record, Failure> {
    Ok(match sent.action.kind().subject().with(sent.subject_id) {
        Subject::Hazard(id) => {
            let (hazard, _) = read::hazard::visible(conn, sent.person_id, id, now)?;
            Record::Hazard(Box::new(hazard))
        }
        Subject::Inspection(id) => {
            let (inspection, _) = read::inspection::visible(conn, sent.person_id, id, now)?;
            Record::Inspection(Box::new(inspection))
        }
    })
}

/// Whether something exists is not for those to know who hold no role over it. What begins a
/// record is another matter: its author named the enterprise and should learn that it is not
/// theirs.
fn hide_from_outsiders(command: &Command, failure: Failure) -> Failure {
    match failure {
        Failure::Refused(refusal) if refusal.code == RefusalCode::OutOfScope => {
            let rule = match command.action.kind().subject() {
                SubjectKind::Hazard => "there is no such hazard",
                SubjectKind::Inspection => "there is no such inspection",
            };
            Refusal::new(RefusalCode::NotFound, rule).into()
        }
        other => other,
    }
}

fn answer_of(outcome: &Outcome, version: i64) -> Answer {
    let (name, disputed) = match outcome {
        Outcome::Applied => ("applied", Vec::new()),
        Outcome::Merged => ("merged", Vec::new()),
        Outcome::Disputed(fields) => ("disputed", fields.clone()),
    };
    Answer {
        outcome: name.to_owned(),
        disputed,
        version,
    }
}
